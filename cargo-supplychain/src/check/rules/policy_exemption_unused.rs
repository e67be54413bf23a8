//! `policy/exemption-unused`: an exemption matches no finding.

use crate::check::{Facts, Rule};
use crate::config::{Exemption, SandboxAllow};
use crate::finding::{Area, Finding, Severity};

pub(in crate::check) static RULE: Rule = Rule {
    id: "policy/exemption-unused",
    severity: Severity::Low,
    area: Area::Policy,
    summary: "an exemption matches no finding",
    docs: "\
What it exempted is gone: the dependency was updated or removed. An entry that stays would silently exempt the same thing when it
comes back. Not told for what was not judged (`--only`, no advisory database) and not for expired entries, which have their own finding. An
exception of the sandbox (`[[sandbox.allow]]`) is pinned to a version: it is unused where that version is not locked.

**Behind it:** ignore lists only grow unless something says what may go.

```toml
[[exemptions]]
id = \"RUSTSEC-2021-0003\"       # smallvec was updated long ago
reason = \"waiting for 1.6.1\"
expires = 2027-01-31
```

**What to do:** remove the entry.
",
    options: &[],
    run,
};

/// Exceptions of the sandbox for what is not locked. Which exemptions are unused shows only when all other findings are there:
/// `check::exemptions` makes those.
fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let is_locked =
        |allow: &&SandboxAllow| lockfile.packages.iter().any(|package| allow.is_for(&package.name, &package.version.to_string()));
    let unused = facts.settings.sandbox.in_force(facts.now).filter(|allow| !is_locked(allow));
    let finding = |allow: &SandboxAllow| {
        let message = format!("the exception of the sandbox for {} {} matches no locked package", allow.package, allow.version);
        Finding::new(RULE.id, RULE.severity, message)
            .at(allow.location.clone())
            .help("remove it, or look at what the version that is locked now does and make one for it")
    };
    unused.map(finding).collect()
}

pub(in crate::check) fn finding(exemption: &Exemption) -> Finding {
    let of = match (&exemption.package, &exemption.version) {
        (Some(package), Some(version)) => format!("{} for {package} {version}", exemption.id),
        (Some(package), None) => format!("{} for {package}", exemption.id),
        _ => exemption.id.clone(),
    };
    Finding::new(RULE.id, RULE.severity, format!("the exemption of {of} matches no finding"))
        .at(exemption.location.clone())
        .help("remove it from the policy")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};
    use crate::check::{Scope, check};

    #[test]
    fn told_when_judged_and_useless() {
        let lib = "low supplychain.toml:1:1 the exemption of RUSTSEC-2026-0001 for lib matches no finding";
        let lock_only = Scope { only: vec![Area::Lock], ..Scope::default() };
        for (version, has_database, scope, expected) in [
            ("1.2.0", true, Scope::default(), &[lib][..]),
            ("1.0.0", true, Scope::default(), &[]),
            ("1.2.0", false, Scope::default(), &[]),
            ("1.2.0", true, lock_only, &[]),
        ] {
            let policy = "[[exemptions]]\nid = \"RUSTSEC-2026-0001\"\npackage = \"lib\"\nreason = \"r\"\nexpires = 2027-01-01\n";
            let mut case = Case::new().lock(&lock_with_lib(version)).advisory(advisory(Kind::Vulnerability)).policy(policy);
            if !has_database {
                case.database = Err("gone".into());
            }
            let found = case.with(|facts| check(facts, &scope)).findings;
            let unused = found.iter().filter(|finding| finding.id == RULE.id);
            let shown: Vec<_> =
                unused.map(|finding| format!("{} {} {}", finding.severity, finding.locations[0], finding.message)).collect();
            assert_eq!(shown, expected, "{version} {has_database}");
        }
    }

    #[test]
    fn an_exception_of_the_sandbox_is_for_a_locked_version() {
        let says = "low supplychain.toml:1:1: the exception of the sandbox for lib 1.0.0 matches no locked package";
        for (locked, day, expected) in
            [("1.0.0", "2027-01-01", &[][..]), ("1.0.1", "2027-01-01", &[says]), ("1.0.1", "2026-01-01", &[])]
        {
            let policy =
                format!("[[sandbox.allow]]\ncrate = \"lib\"\nversion = \"1.0.0\"\nnet = true\nreason = \"r\"\nexpires = {day}\n");
            assert_eq!(Case::new().lock(&lock_with_lib(locked)).policy(&policy).run(&RULE), expected, "{locked} {day}");
        }
    }

    /// What a build tried is known after it: before it, and in a check, an exemption of it is not useless.
    #[test]
    fn an_exemption_of_what_a_build_tried_is_judged_after_a_build() {
        use crate::model::sandbox::{Enforcement, SandboxFacts, Seal};
        let policy = "[[exemptions]]\nid = \"sandbox/denied-read\"\nreason = \"r\"\nexpires = 2027-01-01\n";
        let facts = SandboxFacts { enforcement: Enforcement::Linux(Seal::default()), attempts: Vec::new(), unlisted: 0 };
        for (sandbox, expected) in [(None, 0), (Some(facts), 1)] {
            let mut case = Case::new().lock(&lock_with_lib("1.0.0")).policy(policy);
            case.sandbox = sandbox;
            let found = case.with(|facts| check(facts, &Scope::default())).findings;
            assert_eq!(found.iter().filter(|finding| finding.id == RULE.id).count(), expected);
        }
    }
}
