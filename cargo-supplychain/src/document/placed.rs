//! A finding as others' viewers of findings take it: a message in one line, a place within the repository, and a fingerprint that survives
//! edits elsewhere. Shared by SARIF and GitLab's code quality report.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::base::text::plain;
use crate::base::{Location, Sha256};
use crate::finding::Finding;

/// Text as a message: never empty, one line, and without what SARIF would take for an embedded link (section 3.11.6).
pub(super) fn one_line(text: &str, fallback: &str) -> String {
    let text = plain(text.trim()).replace("](", "] (");
    if text.is_empty() { fallback.to_owned() } else { text }
}

/// What is wrong, where outside of the repository, and what to do.
pub(super) fn message(finding: &Finding) -> String {
    let mut message = one_line(&finding.message, finding.id);
    for place in finding.locations.iter().filter(|place| !is_inside(&place.file)) {
        message.push_str(&format!(" (at {})", one_line(&place.to_string(), "an unknown place")));
    }
    if !finding.help.trim().is_empty() {
        message.push_str(&format!("; help: {}", one_line(&finding.help, "")));
    }
    message
}

/// Its places in the repository, at least one: the lockfile stands for a package, the manifest for all else.
pub(super) fn places(finding: &Finding) -> Vec<Location> {
    let mut places: Vec<_> = finding.locations.iter().filter(|place| is_inside(&place.file)).cloned().collect();
    if places.is_empty() {
        places.push(Location::line(if finding.subject.is_some() { "Cargo.lock" } else { "Cargo.toml" }, 1));
    }
    places
}

/// Whether a path lies within the workspace.
fn is_inside(file: &str) -> bool {
    let is_outside =
        file.is_empty() || file.starts_with(['/', '~', '$', '<']) || file.contains('\\') || file.get(1..2) == Some(":");
    !is_outside && !file.split('/').any(|part| part == "..")
}

/// Fingerprints that stay when lines move and ages grow: of rule, package, file and the advisories that the message names.
#[derive(Default)]
pub(super) struct Fingerprints(BTreeMap<String, usize>);

impl Fingerprints {
    pub(super) fn of(&mut self, finding: &Finding) -> String {
        let subject = finding.subject.as_ref();
        let advisories: BTreeSet<&str> = finding
            .message
            .split(|one: char| !one.is_ascii_alphanumeric() && one != '-')
            .filter(|word| ["RUSTSEC-", "CVE-", "GHSA-"].iter().any(|prefix| word.starts_with(prefix)))
            .collect();
        let file = finding.locations.first().map(|place| place.file.as_str());
        let parts = json!([finding.id, subject.map(|one| (&one.name, &one.version)), file, advisories]);
        let digest = Sha256::of(parts.to_string()).to_string();
        let seen = self.0.entry(digest.clone()).or_default();
        *seen += 1;
        format!("{}:{seen}", &digest[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    #[test]
    fn fingerprints_outlive_moved_lines_and_tell_findings_apart() {
        let hash = |finding: Finding| Fingerprints::default().of(&finding);
        let base = || Finding::new("advisory/vulnerability", Severity::High, "RUSTSEC-2026-0001 affects a").about("a", &"1.0.0");
        let at = |line| base().at(Location::line("Cargo.lock", line));
        assert_eq!(hash(at(4)), hash(at(400)));
        let other = Finding::new("advisory/vulnerability", Severity::High, "RUSTSEC-2026-0002 affects a").about("a", &"1.0.0");
        assert_ne!(hash(base()), hash(other));
        let mut same = Fingerprints::default();
        assert_ne!(same.of(&base()), same.of(&base()));
    }

    #[test]
    fn what_lies_outside_is_no_place() {
        for (file, inside) in [
            ("Cargo.lock", true),
            (".cargo/config.toml", true),
            ("a b/日.toml", true),
            ("../x", false),
            ("a/../../x", false),
            ("/etc/x", false),
            ("C:/x", false),
            ("~/.cargo/config.toml", false),
            ("", false),
        ] {
            assert_eq!(is_inside(file), inside, "{file}");
        }
        let outside = Finding::new("config/source-override", Severity::High, "words").at(Location::line("/etc/x", 3)).help("do");
        assert_eq!(places(&outside), [Location::line("Cargo.toml", 1)]);
        assert_eq!(places(&outside.clone().about("a", &"1.0.0")), [Location::line("Cargo.lock", 1)]);
        assert_eq!(message(&outside), "words (at /etc/x:3); help: do");
    }
}
