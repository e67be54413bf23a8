//! What a manifest declares about its licence, as the formats need it. Declared, never concluded: nobody looked at the files.

use crate::model::Component;

/// A declaration, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Declared {
    /// A valid SPDX licence expression (SPDX 2.3, annex D), operators in capitals, `/` of old manifests written as `OR`.
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

pub(super) fn declared(component: &Component) -> Declared {
    match (&component.license, &component.license_file) {
        (Some(license), _) if !license.trim().is_empty() => expression(license),
        (_, Some(file)) if !file.trim().is_empty() => Declared::File(file.clone()),
        _ => Declared::Missing,
    }
}

fn expression(license: &str) -> Declared {
    if license.len() > LENGTH_LIMIT || license.matches('(').count() > DEPTH_LIMIT {
        return Declared::Unparsed(license.to_owned());
    }
    let text = normalised(license);
    // Deprecated identifiers such as `GPL-3.0` are still identifiers of the list: that they are old is a finding, not a gap.
    let mode = spdx::ParseMode { allow_deprecated: true, ..spdx::ParseMode::STRICT };
    let Ok(parsed) = spdx::Expression::parse_mode(&text, mode) else { return Declared::Unparsed(license.to_owned()) };
    let mut references = Vec::new();
    for requirement in parsed.requirements() {
        match &requirement.req.license {
            // It names another document, which we cannot give.
            spdx::LicenseItem::Other(other) if other.doc_ref.is_some() => return Declared::Unparsed(license.to_owned()),
            spdx::LicenseItem::Other(other) => references.push(format!("LicenseRef-{}", other.lic_ref)),
            spdx::LicenseItem::Spdx { .. } => {}
        }
    }
    references.sort();
    references.dedup();
    Declared::Expression { text, references }
}

/// One blank between words, operators in capitals, `A/B` as `A OR B` (the form that cargo accepted before SPDX 2.1), and the
/// `+` of the GNU licences as `-or-later`, the name that replaced it in the SPDX list (version 3.0) with the same meaning.
fn normalised(license: &str) -> String {
    let spaced = license.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words = spaced.split_whitespace().map(|word| match word.to_ascii_uppercase() {
        upper if matches!(upper.as_str(), "AND" | "OR" | "WITH") => upper,
        _ => {
            match word.strip_suffix('+').filter(|id| ["GPL-", "LGPL-", "AGPL-", "GFDL-"].iter().any(|gnu| id.starts_with(gnu))) {
                Some(id) => format!("{id}-or-later"),
                None => word.to_owned(),
            }
        }
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
            ("GPL-3.0", Some("GPL-3.0")),
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
}
