//! Paths of functions, as advisories write them and as symbols have them, in one form: words without generic arguments.

/// `tar::archive::Archive::unpack`, whatever its type is instantiated with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<String>);

/// Deeper nested types than so are cut off: a symbol has a bounded length, a recursion has to have one too.
const MAX_DEPTH: usize = 32;

impl Path {
    /// Reads a demangled symbol or the path of an advisory: `tar::Entry<R>::unpack`, `<tar::Entry<R> as std::io::Read>::read`,
    /// `tar::imp::<impl tar::Entry<R>>::unpack`, `<tar::Entry<std::fs::File>>::unpack::<u8>`. What implements a trait is called by its own type.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(segments(text, 0))
    }

    /// The same in a crate that is called otherwise than its package.
    #[must_use]
    pub fn in_crate(mut self, name: &str) -> Self {
        if let Some(first) = self.0.first_mut() {
            name.clone_into(first);
        }
        self
    }

    /// The function's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words().last().map_or("", String::as_str)
    }

    /// The crate.
    #[must_use]
    pub fn crate_name(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Without closures and other unnamed parts at the end, which are parts of the function.
    pub(super) fn words(&self) -> &[String] {
        let end = self.0.iter().rposition(|word| !word.starts_with('{')).map_or(0, |at| at + 1);
        &self.0[..end]
    }

    /// Whether it is that function or a part of it without a name: a closure. What has a name may as well stand in a module that is called like
    /// the function.
    pub(super) fn is_in(&self, function: &Self) -> bool {
        let is_unnamed = || self.0.get(function.0.len()).is_none_or(|next| next.starts_with('{'));
        !function.0.is_empty() && self.0.starts_with(&function.0) && is_unnamed()
    }
}

/// Splits at `::`, leaves out `<…>`, and goes into what stands in the place of a type.
fn segments(text: &str, depth: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text.trim();
    if depth > MAX_DEPTH {
        return found;
    }
    loop {
        if rest.starts_with('<') {
            let (inner, after) = bracketed(rest);
            if let Some(of_type) = inner.strip_prefix("impl ") {
                // `<impl Trait for Type>`, `<impl Type>`: the type is what counts, wherever the block stands.
                found = segments(split_outside(of_type, " for ").map_or(of_type, |(_, own)| own), depth + 1);
            } else if found.is_empty() {
                found = segments(split_outside(inner, " as ").map_or(inner, |(own, _)| own), depth + 1);
            }
            rest = after;
        } else {
            let end = rest.find(['<', ':']).unwrap_or(rest.len());
            let word = rest[..end].trim().trim_start_matches(['&', '*']).trim_start_matches("mut ").trim_start_matches("const ");
            if !word.is_empty() {
                found.push(word.to_owned());
            }
            rest = &rest[end..];
        }
        let after = rest.trim_start_matches(':');
        if after.is_empty() {
            return found;
        }
        rest = after;
    }
}

/// What is between `<` at the beginning and its `>`, and what follows. The `>` of `->` closes nothing.
fn bracketed(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if before != '-' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (&text[1..at], &text[at + 1..]);
                }
            }
            _ => {}
        }
        before = character;
    }
    (text.get(1..).unwrap_or_default(), "")
}

/// Splits at the first `separator` that stands in no brackets.
fn split_outside<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text[at..].starts_with(separator) => return Some((&text[..at], &text[at + separator.len()..])),
            _ => {}
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_all() {
        for (text, expected) in [
            ("shlex::bytes::quote", "shlex bytes quote"),
            ("tar::entry::Entry<R>::unpack", "tar entry Entry unpack"),
            ("<tar::entry::Entry<std::fs::File>>::unpack::<alloc::vec::Vec<u8>>", "tar entry Entry unpack"),
            ("<smallvec::SmallVec<A> as core::ops::deref::Deref>::deref", "smallvec SmallVec deref"),
            ("<&mut tar::Entry<R> as std::io::Read>::read", "tar Entry read"),
            ("tokio::time::<impl tokio::task::JoinHandle<T>>::abort", "tokio task JoinHandle abort"),
            ("core::fmt::num::<impl core::fmt::Display for u32>::fmt", "u32 fmt"),
            ("<F as a::B<fn(C) -> D>>::e", "F e"),
            ("a::b::<fn(C) -> D<E>>::{{closure}}", "a b {{closure}}"),
            ("crayon::ObjectPool<H,T>::free", "crayon ObjectPool free"),
            ("diesel::deserialize::FromSql::<Text,Sqlite>::from_sql", "diesel deserialize FromSql from_sql"),
            ("<<a::B as c::D>::E as f::G>::h", "a B E h"),
            ("", ""),
            ("<", ""),
            ("a::", "a"),
        ] {
            assert_eq!(Path::parse(text).0.join(" "), expected, "{text}");
        }
        let path = |text| Path::parse(text);
        assert!(path("a::b::{{closure}}").is_in(&path("a::b")) && !path("a::bc").is_in(&path("a::b")));
        assert!(path("a::b::{{closure}}::c").is_in(&path("a::b")), "a function in a closure of it");
        assert!(!path("<a::b::C as d::E>::next").is_in(&path("a::b")), "a module may have that name");
        assert_eq!((path("a::b::{closure#0}").name(), path("a::b").in_crate("x").crate_name()), ("b", "x"));
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[<>: &a-c{}*-]{0,60}|\\PC{0,20}") {
            let _ = Path::parse(&text).name();
        }
    }
}
