//! `dep/banned`: a package that the policy forbids.

use crate::base::Location;
use crate::base::text::{one_line, plain};
use crate::check::listed::{dependents, names};
use crate::check::pattern::is_named;
use crate::check::{Facts, Rule};
use crate::config::Ban;
use crate::finding::{Area, Finding, Severity};
use crate::model::manifest::SHARED;
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "dep/banned",
    severity: Severity::High,
    area: Area::Lock,
    summary: "the lockfile has a package that `[bans]` of the policy forbids",
    docs: "\
`[bans] deny` lists packages that a project does not want: by name (`*` stands for any text), by version, with a reason. A ban with
`wrappers` lets just these packages depend on it directly, and nobody else. A ban that matches nothing is fine: it is there for the day
that it does.

**Behind it:** a decision against a library (a second TLS stack, an abandoned crate) lasts until the next dependency brings it back
unnoticed, four levels down.

```toml
# supplychain.toml
[bans]
deny = [
    { name = \"openssl-sys\", version = \"<0.9.100\", reason = \"we use rustls\", wrappers = [\"native-tls\"] },
    \"stdweb*\",
]
```

**What to do:** `cargo tree -i NAME` shows who brings it; replace or update that, or change the ban.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let bans = &facts.settings.bans;
    if bans.is_empty() {
        return Vec::new();
    }
    let dependents = dependents(lockfile);
    let mut findings = Vec::new();
    for (package, needed_by) in lockfile.packages.iter().zip(&dependents) {
        // The first ban that applies: one finding a package.
        let applies = |ban: &Ban| is_banned(ban, package).then(|| offenders(ban, lockfile, needed_by)).flatten();
        if let Some((ban, offenders)) = bans.iter().find_map(|ban| Some((ban, applies(ban)?))) {
            findings.push(finding(facts, lockfile, package, ban, &offenders));
        }
    }
    findings
}

/// A pre-release counts as the release that it leads to, too: who bans everything below 2.0.0 does not mean to let 1.5.0-alpha in.
fn is_banned(ban: &Ban, package: &LockedPackage) -> bool {
    let release = semver::Version { pre: semver::Prerelease::EMPTY, ..package.version.clone() };
    let is_version = ban.version.as_ref().is_none_or(|banned| banned.matches(&package.version) || banned.matches(&release));
    is_version && is_named(&ban.name, &package.name)
}

/// Who depends on it directly and may not; none when only wrappers do.
fn offenders(ban: &Ban, lockfile: &Lockfile, needed_by: &[usize]) -> Option<Vec<usize>> {
    if ban.wrappers.is_empty() {
        return Some(needed_by.to_vec());
    }
    let is_wrapper = |index: usize| ban.wrappers.iter().any(|wrapper| is_named(wrapper, &lockfile.packages[index].name));
    let others: Vec<_> = needed_by.iter().copied().filter(|&index| !is_wrapper(index)).collect();
    (!others.is_empty()).then_some(others)
}

fn finding(facts: &Facts<'_>, lockfile: &Lockfile, package: &LockedPackage, ban: &Ban, offenders: &[usize]) -> Finding {
    let why = ban.reason.as_deref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
    let message = format!("{} {} is banned by the policy{why}", plain(&package.name), package.version);
    let mut finding = Finding::new(RULE.id, RULE.severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line));
    let requirements = facts.manifests.iter().flat_map(|manifest| &manifest.requirements);
    for requirement in requirements.filter(|requirement| requirement.name == package.name && requirement.table != SHARED) {
        finding = finding.at(requirement.location.clone());
    }
    finding = finding.at(ban.location.clone());
    if !offenders.is_empty() {
        finding = finding.because(format!("needed by {}", names(lockfile, offenders)));
    }
    if !ban.wrappers.is_empty() {
        finding = finding.because(format!("may be needed by {} only", plain(&ban.wrappers.join(", "))));
    }
    finding
        .help(format!("`cargo tree -i {}` shows who brings it; replace or update that, or change the ban", plain(&package.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    /// `app` needs `wrap`, which needs `lib`; with `direct` it needs `lib` itself.
    fn case(version: &str, direct: bool, deny: &str) -> Case {
        let dependencies = if direct { "\"lib\", \"wrap\"" } else { "\"wrap\"" };
        let app = format!("[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [{dependencies}]\n");
        let wrap = "[[package]]\nname = \"wrap\"\nversion = \"1.0.0\"\nsource = \"CRATES_IO\"\ndependencies = [\"lib\"]\n";
        let case = Case::new().lock(&(lock_with_lib(version) + &app + wrap)).policy(&format!("[bans]\ndeny = [{deny}]\n"));
        if direct { case.manifest("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nlib = \"1\"\n") } else { case }
    }

    #[test]
    fn by_name_version_and_wrapper() {
        for (version, direct, deny, expected) in [
            ("1.0.0", false, "'lib'", Some("Cargo.lock:3 supplychain.toml:2:9: lib 1.0.0 is banned by the policy")),
            ("1.0.0", false, "'li*'", Some("Cargo.lock:3 supplychain.toml:2:9: lib 1.0.0 is banned by the policy")),
            ("1.0.0", true, "'lib'", Some("Cargo.lock:3 Cargo.toml:4:1 supplychain.toml:2:9: lib 1.0.0 is banned by the policy")),
            (
                "1.0.0",
                false,
                "'no', { name = 'lib', version = '<1.1', reason = 'old\\nand bad' }",
                Some("Cargo.lock:3 supplychain.toml:2:15: lib 1.0.0 is banned by the policy: old and bad"),
            ),
            ("1.1.0", false, "{ name = 'lib', version = '<1.1' }", None),
            (
                "1.0.5-alpha",
                false,
                "{ name = 'lib', version = '<1.1' }",
                Some("Cargo.lock:3 supplychain.toml:2:9: lib 1.0.5-alpha is banned by the policy"),
            ),
            ("1.0.0", false, "{ name = 'lib', wrappers = ['wrap'] }", None),
            (
                "1.0.0",
                false,
                "{ name = 'lib', wrappers = ['other'] }",
                Some("Cargo.lock:3 supplychain.toml:2:9: lib 1.0.0 is banned by the policy"),
            ),
            (
                "1.0.0",
                true,
                "{ name = 'lib', wrappers = ['wrap'] }",
                Some("Cargo.lock:3 Cargo.toml:4:1 supplychain.toml:2:9: lib 1.0.0 is banned by the policy"),
            ),
            ("1.0.0", false, "'openssl*'", None),
        ] {
            let expected: Vec<_> = expected.iter().map(|text| format!("high {text}")).collect();
            assert_eq!(case(version, direct, &deny.replace("\\n", " ")).run(&RULE), expected, "{version} {direct} {deny}");
        }
    }

    #[test]
    fn the_evidence_says_who_needs_it() {
        let finding = case("1.0.0", true, "{ name = 'lib', wrappers = ['wrap'] }").findings(&RULE).remove(0);
        assert_eq!(finding.evidence, ["needed by app 1.0.0", "may be needed by wrap only"]);
        assert!(Case::new().lock(&lock_with_lib("1.0.0")).run(&RULE).is_empty());
    }
}
