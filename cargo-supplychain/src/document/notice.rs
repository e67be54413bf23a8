//! `NOTICE`: what is linked into the released files, with the licence that each manifest declares, and the licence
//! texts that the packages carry, each once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Document;
use super::identity::{public_url, text_line};
use super::inventory::has_standard_library;
use crate::base::text::{plain, without_credentials};
use crate::model::licence::{Declared, declared};
use crate::model::licence_text::LicenceTexts;
use crate::model::{Build, Component, Origin};

/// Every component that is linked into any artifact, sorted by name and version; of the artifacts' own packages too.
#[must_use]
pub fn document(build: &Build, texts: &LicenceTexts) -> Document {
    let mut listed: BTreeMap<(&str, &str, &str), &Component> = BTreeMap::new();
    for purl in build.artifacts.iter().flat_map(|artifact| &artifact.linked).map(|part| &part.purl) {
        if let Some(component) = build.components.get(purl) {
            listed.insert((&component.name, &component.version, purl), component);
        }
    }
    let (carried, files) = texts_of(listed.values().map(|component| component.purl.as_str()), texts);
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to a string cannot fail");
    line(format!("{} {}", plain(&build.name), plain(&build.version)));
    line(format!("This software contains the {} packages below.", listed.len()));
    line("Each licence is the one declared by the package's manifest; nobody has concluded it from the files.".to_owned());
    for component in listed.into_values() {
        line(String::new());
        line(format!("{} {}", plain(&component.name), plain(&component.version)));
        line(format!("  licence: {}", licence(component)));
        line(format!("  source: {}", source(component)));
        let authors: Vec<_> = component.authors.iter().map(|author| plain(author.trim())).filter(|one| !one.is_empty()).collect();
        if !authors.is_empty() {
            line(format!("  authors: {}", authors.join(", ")));
        }
        match carried.get(component.purl.as_str()) {
            Some(numbers) => line(format!("  licence files: {}", numbers.join(", "))),
            None => line("  licence files: none in the package".to_owned()),
        }
    }
    if build.artifacts.iter().any(has_standard_library) {
        line(String::new());
        line(format!("The Rust standard library of rustc {}", plain(&build.toolchain.rustc)));
        line("  licence: MIT OR Apache-2.0".to_owned());
        line("  source: https://github.com/rust-lang/rust".to_owned());
    }
    for (number, words) in files.iter().enumerate() {
        line(String::new());
        line(format!("Licence text {}", number + 1));
        // Indented, so that no line of others begins one of ours.
        words.lines().for_each(|one| line(format!("    {}", text_line(one)).trim_end().to_owned()));
    }
    Document::text("NOTICE", "text/plain; charset=utf-8", text)
}

/// By package the files that it carries, as `LICENSE (text 1)`, and the texts, each once, in the order in which they are first named.
fn texts_of<'a>(
    packages: impl Iterator<Item = &'a str>,
    texts: &'a LicenceTexts,
) -> (BTreeMap<&'a str, Vec<String>>, Vec<&'a str>) {
    let (mut carried, mut numbers, mut all) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for purl in packages {
        for file in texts.of(purl) {
            let number = *numbers.entry(file.text.as_str()).or_insert_with(|| {
                all.push(file.text.as_str());
                all.len()
            });
            let named: &mut Vec<String> = carried.entry(purl).or_default();
            named.push(format!("{} (text {number})", plain(&file.path)));
        }
    }
    (carried, all)
}

fn licence(component: &Component) -> String {
    match declared(component) {
        Declared::Expression { text, .. } => text,
        Declared::Unparsed(text) => format!("{} (not an SPDX expression)", plain(&text)),
        Declared::File(file) => format!("see the file {} of the package", plain(&file)),
        Declared::Missing => "not declared".to_owned(),
    }
}

fn source(component: &Component) -> String {
    match &component.origin {
        Origin::Registry { crates_io: true, .. } => {
            format!("https://crates.io/crates/{}/{}", plain(&component.name), plain(&component.version))
        }
        Origin::Registry { index, .. } => format!("registry {}", plain(&without_credentials(index))),
        Origin::Git { url, rev } => match public_url(url) {
            Some(url) => format!("{url} at {}", plain(rev)),
            None => format!("a git repository at {}", plain(rev)),
        },
        Origin::Workspace { .. } => "this workspace".to_owned(),
        Origin::Path { .. } => "a local folder".to_owned(),
        Origin::Replaced { by } if by.starts_with(['/', '~']) => "replaced by a local folder".to_owned(),
        Origin::Replaced { by } => format!("replaced by {}", plain(&without_credentials(by))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture;

    #[test]
    fn lists_what_is_linked_and_nothing_else() {
        let text = String::from_utf8(document(&fixture::build(), &fixture::texts()).bytes).unwrap();
        assert!(text.starts_with("demo 1.2.0\nThis software contains the 11 packages below.\n"), "{text}");
        assert!(
            text.contains("\nserde 1.0.228\n  licence: MIT OR Apache-2.0\n  source: https://crates.io/crates/serde/1.0.228\n")
        );
        assert!(text.contains("\nloose 0.1.0\n  licence: as is (not an SPDX expression)\n"));
        assert!(text.contains("\nfiled 2.0.0\n  licence: see the file COPYING of the package\n"));
        assert!(text.contains("\nsilent 0.0.1\n  licence: not declared\n"));
        // One text for both, a text of its own, and none.
        assert_eq!(text.matches("licence files: LICENSE (text 2)\n").count(), 2, "{text}");
        assert!(text.contains("licence files: COPYING (text 1)\n") && text.contains("licence files: none in the package\n"));
        assert!(text.contains("\nLicence text 1\n    As is.\n\n    ::error file=a::b\n"), "{text}");
        assert!(text.ends_with("\nLicence text 2\n    Do what you want.\n"), "{text}");
        assert!(!text.contains("\ncc ") && !text.contains("\nwinapi "), "{text}");
    }

    #[test]
    fn a_name_stays_on_its_line() {
        let text = String::from_utf8(document(&fixture::hostile(), &LicenceTexts::default()).bytes).unwrap();
        let plain_lines =
            text.lines().filter(|line| line.starts_with("::") || line.contains('\u{1b}') || line.contains('\0')).count();
        assert_eq!(plain_lines, 0, "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("::error file")).count(), 5, "{text}");
    }
}
