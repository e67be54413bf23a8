//! `dep/too-fresh-but-fixes`: a version younger than the cooldown, but it fixes what hits the version locked before.

use super::dep_too_fresh::{fresh, published};
use crate::check::advised;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "dep/too-fresh-but-fixes",
    severity: Severity::Info,
    area: Area::Lock,
    summary: "the change locks a version that was published only days ago, and that fixes an advisory",
    docs: "\
A cooldown must not keep a fix away: a fresh version that an advisory does not hit, while the version locked before is hit, is not
`dep/too-fresh`. It is still said, because \"security fix\" is also what an attacker would write. Advisories are compared only when they are
judged (`--only lock` alone does not load them). Days and crates that need not wait are options of `dep/too-fresh`.

There is no incident behind it.

```toml
[[package]]
name = \"lib\"
version = \"1.2.0\"          # pubtime: yesterday; RUSTSEC-2026-0001 hits lib < 1.2.0
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** nothing, if the release is what the advisory names as patched.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (arrival, age) in fresh(facts) {
        let fixed = advised::fixed_by(facts, arrival.previous, arrival.package);
        let (Some(previous), false) = (arrival.previous, fixed.is_empty()) else { continue };
        let ids: Vec<_> = fixed.iter().map(|advisory| advisory.id.as_str()).collect();
        let package = arrival.package;
        let message =
            format!("{} {} is fresh, and fixes {} of {}", package.name, package.version, ids.join(", "), previous.version);
        let mut finding = arrival.finding(RULE.id, RULE.severity, message).because(published(&arrival, age));
        for advisory in fixed {
            finding = finding.because(format!("{}: {}", advisory.id, crate::base::text::plain(&advisory.title)));
        }
        findings.push(finding.help("nothing, if the advisory names this release as patched"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};

    #[test]
    fn a_fresh_fix_is_said_and_others_are_not() {
        let fires = &["info Cargo.lock:3: lib 1.2.0 is fresh, and fixes RUSTSEC-2026-0001 of 1.1.0"][..];
        for (from, to, published, kind, expected) in [
            ("1.1.0", "1.2.0", "2026-11-22", Kind::Vulnerability, fires),
            ("1.1.0", "1.2.0", "2026-11-22", Kind::Unsound, fires),
            ("1.1.0", "1.2.0", "2026-11-22", Kind::Unmaintained, &[]),
            // Not fresh; hit before and after; not hit before.
            ("1.1.0", "1.2.0", "2026-10-22", Kind::Vulnerability, &[]),
            ("1.1.0", "1.1.1", "2026-11-22", Kind::Vulnerability, &[]),
            ("1.2.0", "1.2.1", "2026-11-22", Kind::Vulnerability, &[]),
        ] {
            let case = Case::new().lock(&lock_with_lib(to)).before(&lock_with_lib(from)).advisory(advisory(kind));
            let case = case.history("lib", &[(from, "2025-01-01"), (to, published)]);
            assert_eq!(case.run(&RULE), expected, "{from} {to} {published} {kind:?}");
        }
    }
}
