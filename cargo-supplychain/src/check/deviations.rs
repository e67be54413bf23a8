//! What the `integrity/` rules share: one finding a package, with the first files and the number of the rest.

use super::{Facts, Rule};
use crate::base::Location;
use crate::finding::{Finding, Severity};
use crate::model::integrity::Deviation;

/// So many files are named.
const NAMED: usize = 5;

/// A deviation that a rule is about.
pub(super) struct Picked {
    /// A fact about the file, for the evidence.
    pub fact: String,
    pub severity: Severity,
}

/// One finding for each package with deviations that `pick` takes. `message` gets `NAME VERSION` and how many there are.
pub(super) fn findings(
    facts: &Facts<'_>,
    rule: &Rule,
    pick: impl Fn(&Deviation) -> Option<Picked>,
    message: impl Fn(&str, usize) -> String,
    help: &str,
) -> Vec<Finding> {
    let (Ok(integrity), Some(lockfile)) = (facts.integrity, facts.lock.lockfile()) else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        let Some(Ok(deviations)) = integrity.packages.get(&key) else { continue };
        let picked: Vec<_> = deviations.iter().filter_map(|one| Some((one.path(), pick(one)?))).collect();
        let Some(severity) = picked.iter().map(|(_, picked)| picked.severity).max() else { continue };
        let message = message(&format!("{} {}", package.name, package.version), picked.len());
        let named = picked.iter().take(NAMED).map(|(path, _)| *path).collect::<Vec<_>>().join(", ");
        let rest = if picked.len() > NAMED { format!(" and {} more", picked.len() - NAMED) } else { String::new() };
        let mut finding = Finding::new(rule.id, severity, format!("{message}: {named}{rest}"))
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .help(help);
        for (path, picked) in picked.into_iter().take(NAMED).filter(|(_, picked)| !picked.fact.is_empty()) {
            finding = finding.because(format!("{path}: {}", picked.fact));
        }
        findings.push(finding);
    }
    findings
}

impl Picked {
    /// With the severity of its rule.
    pub(super) fn of(rule: &Rule, fact: String) -> Self {
        Self { fact, severity: rule.severity }
    }
}

/// `a file`, `3 files`.
pub(super) fn files(count: usize) -> String {
    if count == 1 { "a file".to_owned() } else { format!("{count} files") }
}

/// `expected …, found …`
pub(super) fn digests(expected: Option<&str>, actual: Option<&str>) -> String {
    format!("expected {}, found {}", expected.unwrap_or("no such file"), actual.unwrap_or("no such file"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::lockfile::CRATES_IO;

    /// A case in which `lib` has these deviations.
    pub(crate) fn case(deviations: &[Deviation]) -> Case {
        let mut case = Case::new().lock(&lock_with_lib("1.0.0"));
        let key = ("lib".to_owned(), "1.0.0".parse().unwrap(), CRATES_IO[0].to_owned());
        case.integrity.as_mut().unwrap().packages.insert(key, Ok(deviations.to_vec()));
        case
    }

    /// One deviation of each kind.
    pub(crate) fn every_kind() -> Vec<Deviation> {
        let (path, digest) = (|name: &str| name.to_owned(), Sha256::of(b""));
        vec![
            Deviation::CrateChecksum { path: path("lib-1.0.0.crate"), expected: digest, actual: Sha256::of(b"x") },
            Deviation::Tampered { path: path("src/lib.rs"), expected: digest, actual: None },
            Deviation::Extra { path: path("src/extra.rs") },
            Deviation::NotRegular { path: path("src/link"), what: "a symbolic link".into() },
            Deviation::VendorIncomplete { path: path("vendor/lib/.cargo-checksum.json"), missing: vec!["src/lib.rs".into()] },
            Deviation::VendorExtra { path: path("vendor/lib/extra.rs") },
            Deviation::GitTampered { path: path("git/lib.rs"), expected: Some("0123".into()), actual: None },
            Deviation::ChangedDuringBuild { path: path("src/changed.rs"), restored: false },
            Deviation::Malformed { path: path("lib-1.0.0.crate: ../x"), why: "a path that is not plain".into() },
        ]
    }

    /// Of all kinds the rule takes one; without deviations, and where nothing was compared, it is silent.
    pub(crate) fn assert_takes(rule: &Rule, expected: &str) {
        assert_eq!(case(&every_kind()).run(rule), [expected]);
        assert!(case(&[]).run(rule).is_empty());
        let mut not_compared = case(&every_kind());
        not_compared.integrity = Err("not asked for".into());
        assert!(not_compared.run(rule).is_empty());
    }

    #[test]
    fn many_files_are_counted() {
        let many: Vec<_> = (0..1000).map(|number| Deviation::Extra { path: format!("src/{number}.rs") }).collect();
        let rule = crate::check::rules::find("integrity/source-extra-file").unwrap();
        let findings = case(&many).findings(rule);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.ends_with("src/0.rs, src/1.rs, src/2.rs, src/3.rs, src/4.rs and 995 more"));
    }
}
