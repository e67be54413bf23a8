//! Licences as manifests declare them: SPDX expressions, and the terms that they are made of. Declared, never concluded: nobody looked
//! at the files. What a licence means for a build is judged in `check`.

use std::fmt;

use super::Component;

/// A declaration, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// A valid SPDX licence expression (SPDX 2.3, annex D), operators in capitals, `/` of old manifests written as `OR`, and deprecated
    /// identifiers as those that the list has in their place.
    /// `references` are its `LicenseRef-…` identifiers, sorted.
    Expression { text: String, references: Vec<String> },
    /// A declaration that is no valid expression, as written.
    Unparsed(String),
    /// `license-file` only: the file's path as written.
    File(String),
    /// Nothing is declared.
    Missing,
}

/// Longer declarations are no expressions: parsers of readers may be recursive.
const LENGTH_LIMIT: usize = 2048;
const DEPTH_LIMIT: usize = 16;

/// Deprecated identifiers such as `GPL-3.0` are still identifiers of the list: that they are old is a finding, not a gap.
const MODE: spdx::ParseMode = spdx::ParseMode { allow_deprecated: true, ..spdx::ParseMode::STRICT };

/// What the manifest of a component declares.
#[must_use]
pub fn declared(component: &Component) -> Declared {
    match (&component.license, &component.license_file) {
        (Some(license), _) if !license.trim().is_empty() => expression(license),
        (_, Some(file)) if !file.trim().is_empty() => Declared::File(file.clone()),
        _ => Declared::Missing,
    }
}

fn expression(license: &str) -> Declared {
    let unparsed = || Declared::Unparsed(license.to_owned());
    let Some(parsed) = Expression::parse(license) else { return unparsed() };
    let mut references = Vec::new();
    for requirement in parsed.parsed.requirements() {
        if let spdx::LicenseItem::Other(other) = &requirement.req.license {
            references.push(format!("LicenseRef-{}", other.lic_ref));
        }
    }
    references.sort();
    references.dedup();
    Declared::Expression { text: todays(&parsed.text), references }
}

/// A licence expression that can be judged.
#[derive(Debug, Clone)]
pub struct Expression {
    parsed: spdx::Expression,
    /// As [`Declared::Expression`] has it.
    pub text: String,
}

impl Expression {
    /// Reads what a manifest declares; `None` for what is no expression, or refers to another document.
    #[must_use]
    pub fn parse(license: &str) -> Option<Self> {
        if license.len() > LENGTH_LIMIT || license.matches('(').count() > DEPTH_LIMIT {
            return None;
        }
        let text = normalised(license);
        let parsed = spdx::Expression::parse_mode(&text, MODE).ok()?;
        // Another document is named, which we cannot give.
        let is_elsewhere = |one: &spdx::expression::ExpressionReq| matches!(&one.req.license, spdx::LicenseItem::Other(other) if other.doc_ref.is_some());
        if parsed.requirements().any(is_elsewhere) {
            return None;
        }
        Some(Self { parsed, text })
    }

    /// Whether the expression holds when these terms are accepted: an `OR` with one of its sides, an `AND` with all of them.
    pub fn holds(&self, mut is_accepted: impl FnMut(&Term) -> bool) -> bool {
        self.parsed.evaluate(|requirement| is_accepted(&Term::of(requirement)))
    }

    /// Its terms, in the order in which they stand there, each once.
    #[must_use]
    pub fn terms(&self) -> Vec<Term> {
        let mut terms = Vec::new();
        for requirement in self.parsed.requirements() {
            let term = Term::of(&requirement.req);
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        terms
    }
}

/// Which versions of a licence a term speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Versions {
    /// Not said: `MIT`, `Apache-2.0`, and the deprecated `GPL-3.0`.
    Unsaid,
    Only,
    OrLater,
}

/// One licence of an expression, with its exception.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// The identifier without `-only`, `-or-later` and `+`: `GPL-3.0`, `MIT`, `LicenseRef-x`.
    pub base: String,
    pub versions: Versions,
    /// What stands behind `WITH`.
    pub exception: Option<String>,
}

/// Identifiers that held an exception before `WITH` was there (the SPDX list's deprecated identifiers).
const WITH_EXCEPTION: [(&str, &str, &str); 7] = [
    ("GPL-2.0-with-GCC-exception", "GPL-2.0", "GCC-exception-2.0"),
    ("GPL-2.0-with-autoconf-exception", "GPL-2.0", "Autoconf-exception-2.0"),
    ("GPL-2.0-with-bison-exception", "GPL-2.0", "Bison-exception-2.2"),
    ("GPL-2.0-with-classpath-exception", "GPL-2.0", "Classpath-exception-2.0"),
    ("GPL-2.0-with-font-exception", "GPL-2.0", "Font-exception-2.0"),
    ("GPL-3.0-with-GCC-exception", "GPL-3.0", "GCC-exception-3.1"),
    ("GPL-3.0-with-autoconf-exception", "GPL-3.0", "Autoconf-exception-3.0"),
];

impl Term {
    fn of(requirement: &spdx::LicenseReq) -> Self {
        let exception = requirement.addition.as_ref().map(ToString::to_string);
        let (id, or_later) = match &requirement.license {
            spdx::LicenseItem::Spdx { id, or_later } => (*id, *or_later),
            other @ spdx::LicenseItem::Other(_) => {
                return Self { base: other.to_string(), versions: Versions::Unsaid, exception };
            }
        };
        if let Some((_, base, exception)) = WITH_EXCEPTION.iter().find(|(old, ..)| *old == id.name) {
            return Self { base: (*base).to_owned(), versions: Versions::Unsaid, exception: Some((*exception).to_owned()) };
        }
        let name = id.name;
        let (base, said) = if let Some(base) = name.strip_suffix("-or-later") {
            (base, Versions::OrLater)
        } else if let Some(base) = name.strip_suffix('+') {
            (base, Versions::OrLater)
        } else if let Some(base) = name.strip_suffix("-only") {
            (base, Versions::Only)
        } else {
            (name, Versions::Unsaid)
        };
        Self { base: base.to_owned(), versions: if or_later { Versions::OrLater } else { said }, exception }
    }

    /// Reads one licence, with or without exception, as a policy names it.
    pub fn parse(text: &str) -> Result<Self, UnknownLicence> {
        let unknown = || UnknownLicence { suggestion: suggestion(text) };
        let expression = Expression::parse(text).ok_or_else(unknown)?;
        let terms = expression.terms();
        match terms.as_slice() {
            [term] if expression.parsed.requirements().count() == 1 => Ok(term.clone()),
            _ => Err(UnknownLicence { suggestion: None }),
        }
    }

    /// Whether who accepts this licence can accept what `declared` offers: the same licence, or a later version where the declaration
    /// leaves that to the taker. `X-or-later` accepts no declaration of `X-only`: that offers less.
    #[must_use]
    pub fn accepts(&self, declared: &Self) -> bool {
        if self.exception != declared.exception {
            return false;
        }
        let offers_later = declared.versions == Versions::OrLater;
        if self.base == declared.base {
            return self.versions != Versions::OrLater || offers_later;
        }
        let ((family, version), (of, from)) = (split_version(&self.base), split_version(&declared.base));
        offers_later && family == of && version.is_some() && from.is_some() && version > from
    }

    /// Whether a policy that denies this licence means `declared`: `GPL-3.0` means all its forms, `GPL-3.0-only` just that one.
    #[must_use]
    pub fn denies(&self, declared: &Self) -> bool {
        let later = |term: &Self| term.versions == Versions::OrLater;
        self.base == declared.base
            && self.exception == declared.exception
            && (self.versions == Versions::Unsaid || later(self) == later(declared))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_gnu = is_gnu(&self.base);
        f.write_str(&self.base)?;
        f.write_str(match self.versions {
            Versions::Unsaid => "",
            Versions::Only => "-only",
            Versions::OrLater if is_gnu => "-or-later",
            Versions::OrLater => "+",
        })?;
        self.exception.as_ref().map_or(Ok(()), |exception| write!(f, " WITH {exception}"))
    }
}

/// `GPL` and `[3, 0]` of `GPL-3.0`; no version where the last part is no number.
fn split_version(base: &str) -> (&str, Option<Vec<u32>>) {
    let Some((family, last)) = base.rsplit_once('-') else { return (base, None) };
    match last.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>() {
        Some(version) => (family, Some(version)),
        None => (base, None),
    }
}

/// A policy names a licence that is not on the SPDX list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLicence {
    /// The identifier that was probably meant.
    pub suggestion: Option<String>,
}

/// The longest identifier that is a slip of one of the list, in bytes: the list's longest has 36.
const LONGEST_SLIP: usize = 40;

/// The identifier of the list that `text` is a slip of: other capitals first, then the nearest by letters. Looked for only where the text
/// could be an identifier: letters, digits and few signs, and as long as one.
fn suggestion(text: &str) -> Option<String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-+. _".contains(&byte);
    if !(3..=LONGEST_SLIP).contains(&text.len()) || !text.bytes().all(is_word) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let names = || spdx::identifiers::LICENSES.iter();
    if let Some(same) = names().find(|license| license.name.eq_ignore_ascii_case(text)) {
        return Some(same.name.to_owned());
    }
    // `Apache`, `BSD3`: what people write, by the table of the library.
    if let Some((id, _)) = spdx::imprecise_license_id(text).filter(|(_, length)| *length == text.len()) {
        return Some(id.name.to_owned());
    }
    let limit = (lower.len() / 4).max(1) + 1;
    // Names whose length alone is further away are most of the list.
    let near = names().filter(|license| license.name.len().abs_diff(lower.len()) <= limit);
    let near = near.map(|license| (strsim::osa_distance(&lower, &license.name.to_ascii_lowercase()), license.name));
    near.filter(|(distance, _)| *distance <= limit).min().map(|(_, name)| name.to_owned())
}

/// The deprecated identifiers that a declaration uses, each with what stands for it today.
#[must_use]
pub fn deprecated(license: &str) -> Vec<(String, String)> {
    let Some(expression) = Expression::parse(license) else { return Vec::new() };
    let spaced = license.replace(['/', '(', ')'], " ");
    let mut found = Vec::new();
    for word in spaced.split_whitespace() {
        let today = match word.strip_suffix('+').filter(|id| is_gnu(id)) {
            Some(id) => format!("{id}-or-later"),
            None if !spdx::license_id(word).is_some_and(spdx::LicenseId::is_deprecated) => continue,
            None => match WITH_EXCEPTION.iter().find(|(old, ..)| *old == word) {
                Some((_, base, exception)) => format!("{base}-only WITH {exception}"),
                None if is_gnu(word) => format!("{word}-only or {word}-or-later"),
                None => "another identifier of the SPDX list".to_owned(),
            },
        };
        found.push((word.to_owned(), today));
    }
    found.dedup();
    // Only what the expression has: a word of an exception is none.
    if expression.terms().is_empty() { Vec::new() } else { found }
}

/// Deprecated identifiers that stand for exactly one expression of today (the SPDX list's notes on them), besides those of GNU.
const RENAMED: [(&str, &str); 3] = [
    ("StandardML-NJ", "SMLNJ"),
    ("eCos-2.0", "GPL-2.0-or-later WITH eCos-exception-2.0"),
    ("wxWindows", "LGPL-2.0-or-later WITH WxWindows-exception-3.1"),
];

/// A valid expression with the identifiers of today: `GPL-2.0`, which meant that version alone, is `GPL-2.0-only`.
fn todays(expression: &str) -> String {
    let word = |word: &str| {
        let opening = word.len() - word.trim_start_matches('(').len();
        let id = word.trim_matches(['(', ')']);
        let today = if let Some((_, base, exception)) = WITH_EXCEPTION.iter().find(|(old, ..)| *old == id) {
            format!("{base}-only WITH {exception}")
        } else if let Some((_, today)) = RENAMED.iter().find(|(old, _)| *old == id) {
            (*today).to_owned()
        } else if is_gnu(id) && spdx::license_id(id).is_some_and(spdx::LicenseId::is_deprecated) {
            format!("{id}-only")
        } else {
            id.to_owned()
        };
        format!("{}{today}{}", &word[..opening], &word[opening + id.len()..])
    };
    expression.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn is_gnu(id: &str) -> bool {
    ["GPL-", "LGPL-", "AGPL-", "GFDL-"].iter().any(|gnu| id.starts_with(gnu))
}

/// One blank between words, operators in capitals, `A/B` as `A OR B` (the form that cargo accepted before SPDX 2.1), and the
/// `+` of the GNU licences as `-or-later`, the name that replaced it in the SPDX list (version 3.0) with the same meaning.
fn normalised(license: &str) -> String {
    let spaced = license.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words = spaced.split_whitespace().map(|word| match word.to_ascii_uppercase() {
        upper if matches!(upper.as_str(), "AND" | "OR" | "WITH") => upper,
        _ => match word.strip_suffix('+').filter(|id| is_gnu(id)) {
            Some(id) => format!("{id}-or-later"),
            None => word.to_owned(),
        },
    });
    words.collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(license: &str) -> Result<String, String> {
        match expression(license) {
            Declared::Expression { text, .. } => Ok(text),
            Declared::Unparsed(raw) => Err(raw),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn expressions_and_what_is_none() {
        for (declared, expected) in [
            ("MIT", Some("MIT")),
            ("MIT/Apache-2.0", Some("MIT OR Apache-2.0")),
            ("MIT / Apache-2.0", Some("MIT OR Apache-2.0")),
            ("mit or apache", None),
            ("MIT or Apache-2.0", Some("MIT OR Apache-2.0")),
            ("(MIT  OR Apache-2.0) AND Unicode-3.0", Some("(MIT OR Apache-2.0) AND Unicode-3.0")),
            ("LGPL-3.0+", Some("LGPL-3.0-or-later")),
            ("GPL-3.0", Some("GPL-3.0-only")),
            (
                "(MIT/LGPL-2.1) AND GPL-2.0-with-classpath-exception",
                Some("(MIT OR LGPL-2.1-only) AND GPL-2.0-only WITH Classpath-exception-2.0"),
            ),
            ("((GPL-2.0+ OR wxWindows))", Some("((GPL-2.0-or-later OR LGPL-2.0-or-later WITH WxWindows-exception-3.1))")),
            ("GPL-2.0 WITH Classpath-exception-2.0", Some("GPL-2.0-only WITH Classpath-exception-2.0")),
            ("Apache-1.0+", Some("Apache-1.0+")),
            ("GPL-2.0-only WITH Classpath-exception-2.0", Some("GPL-2.0-only WITH Classpath-exception-2.0")),
            ("LicenseRef-Slint-Software-3.0", Some("LicenseRef-Slint-Software-3.0")),
            ("DocumentRef-x:LicenseRef-y", None),
            ("non-standard", None),
            ("MIT\nOR evil", None),
            ("MIT OR", None),
        ] {
            match expected {
                Some(expected) => assert_eq!(text(declared), Ok(expected.to_owned()), "{declared:?}"),
                None => assert_eq!(text(declared), Err(declared.to_owned()), "{declared:?}"),
            }
        }
        let deep = format!("{}MIT{}", "(".repeat(1000), ")".repeat(1000));
        assert!(text(&deep).is_err());
    }

    #[test]
    fn references_are_collected() {
        let slint = "GPL-3.0-only OR LicenseRef-Slint-Software-3.0 OR LicenseRef-A";
        let Declared::Expression { references, .. } = expression(slint) else { panic!("an expression") };
        assert_eq!(references, ["LicenseRef-A", "LicenseRef-Slint-Software-3.0"]);
    }

    #[test]
    fn terms_accept_and_deny() {
        for (policy, declared, accepts, denies) in [
            ("MIT", "MIT", true, true),
            ("MIT", "MIT-0", false, false),
            ("GPL-3.0-or-later", "GPL-3.0-or-later", true, true),
            ("GPL-3.0-or-later", "GPL-3.0-only", false, false),
            ("GPL-3.0-or-later", "GPL-3.0", false, false),
            ("GPL-3.0-only", "GPL-3.0-or-later", true, false),
            ("GPL-3.0-only", "GPL-3.0", true, true),
            ("GPL-3.0", "GPL-3.0+", true, true),
            ("LGPL-3.0-only", "LGPL-2.1-or-later", true, false),
            ("LGPL-2.0-only", "LGPL-2.1-or-later", false, false),
            ("GPL-3.0-only", "LGPL-2.1-or-later", false, false),
            ("AGPL-3.0", "AGPL-3.0-or-later", true, true),
            ("Apache-2.0", "Apache-1.0+", true, false),
            ("Apache-2.0", "Apache-2.0 WITH LLVM-exception", false, false),
            ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception", true, true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-with-classpath-exception", true, true),
            ("LicenseRef-A", "LicenseRef-A", true, true),
            ("LicenseRef-A", "LicenseRef-B", false, false),
        ] {
            let (policy, declared) = (Term::parse(policy).unwrap(), Term::parse(declared).unwrap());
            assert_eq!((policy.accepts(&declared), policy.denies(&declared)), (accepts, denies), "{policy} {declared}");
        }
    }

    #[test]
    fn slips_get_a_suggestion() {
        for (text, suggestion) in [
            ("mit", Some("MIT")),
            ("apache-2.0", Some("Apache-2.0")),
            ("Apache", Some("Apache-2.0")),
            ("BSD-3-Clasue", Some("BSD-3-Clause")),
            ("Apache 2.0", Some("Apache-2.0")),
            ("MIT OR Apache-2.0", None),
            ("something of our own", None),
            ("", None),
        ] {
            assert_eq!(Term::parse(text), Err(UnknownLicence { suggestion: suggestion.map(str::to_owned) }), "{text}");
        }
    }

    #[test]
    fn deprecated_identifiers_and_what_stands_for_them() {
        let shown = |license| deprecated(license).iter().map(|(old, new)| format!("{old}: {new}")).collect::<Vec<_>>();
        assert_eq!(shown("LGPL-3.0+"), ["LGPL-3.0+: LGPL-3.0-or-later"]);
        assert_eq!(shown("MIT/GPL-3.0"), ["GPL-3.0: GPL-3.0-only or GPL-3.0-or-later"]);
        assert_eq!(
            shown("GPL-2.0-with-classpath-exception"),
            ["GPL-2.0-with-classpath-exception: GPL-2.0-only WITH Classpath-exception-2.0"]
        );
        assert!(shown("GPL-3.0-only OR (MIT AND Apache-2.0 WITH LLVM-exception)").is_empty());
        assert!(shown("not a licence GPL-3.0").is_empty());
    }
}
