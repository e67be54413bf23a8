//! `dep/too-fresh`: the change brings in a version that was published only just now.

use std::collections::BTreeSet;

use crate::base::text::counted;
use crate::check::advised;
use crate::check::arrival::{Arrival, arrivals, first_word};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::change::RECENT_DAYS;
use crate::model::registry::{CrateKey, Publisher};

pub(super) static RULE: Rule = Rule {
    id: "dep/too-fresh",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "the change locks a version that was published only days ago",
    docs: "\
Malicious releases are mostly found within hours or days; who waits a few days before locking a version lets others find them. Cargo has
a cooldown of its own (`[registry] global-min-publish-age`, Rust 1.100), which acts when versions are chosen; this rule looks at what
a change of the lockfile brings in, whoever chose it. A release that fixes an advisory that hits the version locked before is
`dep/too-fresh-but-fixes` instead.

Fresh versions are ordinary: of the packages that real updates of 64 programs changed, 6 % were younger than three days. So without a
policy the finding is low, and medium only where something else is unusual about the release: the crate itself is younger than 90
days, it was silent for two years before, it gained `links`, a required dependency that is younger than 90 days, a build script or a
proc macro, or a publisher who never published it before. A cooldown that the policy sets (`days`, or a level) counts for every
version: it is medium, or what the level says.

**Behind it:** `arrayref` 0.3.10 (2026) was online for 86 minutes, `event-stream` 3.3.6 (2018) for 77 days before somebody looked.

```toml
[[package]]
name = \"lib\"
version = \"1.2.1\"          # pubtime: yesterday
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** stay on the version locked before until the days are over, or read what the release changed. To set the cooldown:

```toml
[rules]
\"dep/too-fresh\" = { days = 7 }
```
",
    options: &[RuleOption::number("days", "how old a version has to be; 3"), RuleOption::allow("crates that need not wait")],
    run,
};

/// The days of the cooldown.
pub(in crate::check) fn cooldown(facts: &Facts<'_>) -> i64 {
    facts.settings.number(RULE.id, "days", 3).into()
}

/// What was published within the cooldown before now.
pub(super) fn fresh<'f>(facts: &Facts<'f>) -> Vec<(Arrival<'f>, i64)> {
    let days = cooldown(facts);
    let allowed = facts.settings.list(RULE.id, "allow");
    let aged = arrivals(facts).into_iter().filter_map(|one| {
        let age = facts.now.days_since(one.release.published?);
        (age < days && !allowed.contains(&one.package.name)).then_some((one, age))
    });
    aged.collect()
}

/// `published 2026-11-22T10:00:00Z, 1 day before now`.
pub(super) fn published(arrival: &Arrival<'_>, age: i64) -> String {
    let time = arrival.release.published.map(|time| time.to_string()).unwrap_or_default();
    format!("published {time}, {} before now", counted(age.max(0).unsigned_abs(), "day"))
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let days = cooldown(facts);
    let is_policy = facts.settings.rules.contains_key(RULE.id);
    let mut findings = Vec::new();
    for (arrival, age) in fresh(facts) {
        if !advised::fixed_by(facts, arrival.previous, arrival.package).is_empty() {
            continue;
        }
        let unusual = unusual(facts, &arrival);
        let severity = if is_policy || !unusual.is_empty() { Severity::Medium } else { Severity::Low };
        let message = format!(
            "{} {} is younger than {}",
            arrival.package.name,
            arrival.package.version,
            counted(days.unsigned_abs(), "day")
        );
        let mut finding = arrival.finding(RULE.id, severity, message).because(published(&arrival, age));
        for fact in unusual {
            finding = finding.because(fact);
        }
        let stay = match arrival.previous {
            Some(previous) => format!("stay on {} until then", previous.version),
            None => "do without it until then".to_owned(),
        };
        findings.push(finding.help(format!(
            "{stay}, or read what the release changed; `allow` and `days` of the rule set who waits, and how long"
        )));
    }
    findings
}

/// Days of silence that few releases follow: of the changed packages of real updates 0.07 % were fresh after two years of it, 0.3 % after
/// one, 0.8 % after half a year.
const SILENT_DAYS: i64 = 2 * 365;

/// What else is unusual about a release. Each with its base rate among changed packages of real updates (docs/trials.md), or rare by itself.
fn unusual(facts: &Facts<'_>, arrival: &Arrival<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(age) = arrival.age_of_crate(facts.now).filter(|age| *age < RECENT_DAYS) {
        found.push(format!(
            "the crate itself is {} old (fresh and of so young a crate: 0.14 % of changed packages)",
            counted(age.max(0).unsigned_abs(), "day")
        ));
    }
    if let Some(silence) = arrival.silence_before().filter(|days| *days > SILENT_DAYS) {
        found.push(format!(
            "the crate had no release for {silence} days before (fresh after two years: 0.07 % of changed packages)"
        ));
    }
    let young: BTreeSet<_> =
        arrival.added_dependencies().into_iter().filter(|one| one.registry.is_none()).map(|one| one.name.as_str()).collect();
    for name in young {
        let key = CrateKey { name: name.to_owned(), source: arrival.key.source.clone() };
        let first = facts.registry.histories.get(&key).and_then(|history| history.as_ref().ok()?.first_published());
        let is_young = first.is_some_and(|first| facts.now.days_since(first) < RECENT_DAYS);
        if is_young && first_word(name) != first_word(&arrival.package.name) {
            found.push(format!("it newly requires {name}, a crate younger than 90 days (0.06 % of changed packages)"));
        }
    }
    if let (Some(links), Some(before)) = (&arrival.release.links, arrival.before())
        && before.links.is_none()
    {
        found.push(format!("it newly links the native library `{links}`"));
    }
    found.extend(gained(facts, arrival));
    found.extend(new_publisher(facts, arrival));
    found
}

/// Code that runs at build time, which the version before had not; only where the sources of both are known.
fn gained(facts: &Facts<'_>, arrival: &Arrival<'_>) -> Vec<String> {
    let of = |version: &semver::Version| facts.capabilities.get(&(arrival.key.clone(), version.clone()))?.as_ref().ok();
    let (Some(now), Some(before)) = (of(&arrival.package.version), arrival.before().and_then(|before| of(&before.version)))
    else {
        return Vec::new();
    };
    let gains =
        [(now.build_script && !before.build_script, "a build script"), (now.proc_macro && !before.proc_macro, "a proc macro")];
    gains.iter().filter(|(gained, _)| *gained).map(|(_, what)| format!("it newly has {what}")).collect()
}

/// A person who published no earlier version, where somebody is known to have.
fn new_publisher(facts: &Facts<'_>, arrival: &Arrival<'_>) -> Option<String> {
    let record = facts.registry.records.get(&arrival.key)?.as_ref().ok()?;
    let Publisher::User(own) = &record.versions.get(&arrival.package.version)?.publisher else { return None };
    let mut earlier = record.versions.iter().filter(|(version, _)| **version < arrival.package.version).peekable();
    earlier.peek()?;
    let is_known = earlier.any(|(_, version)| match &version.publisher {
        Publisher::User(account) => account.id == own.id,
        Publisher::Trusted { .. } | Publisher::Unknown => false,
    });
    (!is_known).then(|| format!("its publisher, {} (user {}), published no earlier version", own.login, own.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};

    /// The clock of a case is 2026-11-23.
    const OLD: [(&str, &str); 2] = [("1.0.0", "2020-01-01"), ("1.0.1", "2026-06-01")];

    fn update(releases: &[(&str, &str)]) -> Case {
        let case = Case::new().lock(&lock_with_lib("1.2.0")).before(&lock_with_lib("1.0.1"));
        case.history("lib", &[&OLD[..], releases].concat())
    }

    #[test]
    fn young_versions_fire_by_what_else_is_unusual() {
        let year = ("1.0.2", "2026-06-01");
        let low = &["low Cargo.lock:3: lib 1.2.0 is younger than 3 days"][..];
        let medium = &["medium Cargo.lock:3: lib 1.2.0 is younger than 3 days"][..];
        for (releases, policy, expected) in [
            (&[("1.2.0", "2026-11-22T10:00:00Z")][..], "", low),
            (&[("1.2.0", "2026-11-20T00:00:01Z")], "", low),
            (&[("1.2.0", "2026-11-20T00:00:00Z")], "", &[]),
            (&[year, ("1.2.0", "2026-11-21")], "", low),
            (&[("1.2.0", "2026-11-21")], "\"dep/too-fresh\" = { days = 3 }", medium),
            (&[("1.2.0", "2026-11-21")], "\"dep/too-fresh\" = { days = 1 }", &[]),
            (&[("1.2.0", "2026-11-21")], "\"dep/too-fresh\" = { allow = [\"lib\"] }", &[]),
            // No time, no age: `not_evaluated` says so.
            (&[("1.2.0", "")], "", &[]),
        ] {
            let case = update(releases).policy(&format!("[rules]\n{policy}\n"));
            assert_eq!(case.run(&RULE), expected, "{releases:?} {policy}");
        }
    }

    #[test]
    fn what_is_unusual_makes_it_medium() {
        let fresh = "2026-11-22";
        let lock = |name: &str| lock_with_lib("1.2.0").replace("\"lib\"", &format!("\"{name}\""));
        let case =
            |releases: &[(&str, &str)]| Case::new().lock(&lock("lib")).before(&lock_with_lib("1.0.0")).history("lib", releases);
        let severities = |case: &Case| case.findings(&RULE).iter().map(|finding| finding.severity).collect::<Vec<_>>();
        let young = case(&[("1.0.0", "2026-10-01"), ("1.2.0", fresh)]);
        let silent = case(&[("1.0.0", "2024-11-01"), ("1.2.0", fresh)]);
        let ordinary = case(&[("1.0.0", "2025-01-01"), ("1.2.0", fresh)]);
        assert_eq!(severities(&young), [Severity::Medium]);
        assert_eq!(severities(&silent), [Severity::Medium]);
        assert_eq!(severities(&ordinary), [Severity::Low]);
        // A new required dependency: a young foreign crate counts, an old one and one of the same project do not.
        for (name, first, expected) in [
            ("flatmap-s", "2026-11-20", Severity::Medium),
            ("flatmap-s", "2020-11-20", Severity::Low),
            ("lib-core", "2026-11-20", Severity::Low),
        ] {
            let ordinary = case(&[("1.0.0", "2026-01-01"), ("1.2.0", fresh)]).history(name, &[("0.1.0", first)]);
            assert_eq!(severities(&ordinary.requires("lib", "1.2.0", name)), [expected], "{name} {first}");
        }
    }

    #[test]
    fn a_new_publisher_makes_it_medium() {
        for (earlier, expected) in [(Some(10), Severity::Low), (Some(11), Severity::Medium), (None, Severity::Medium)] {
            let case = update(&[("1.2.0", "2026-11-22")]);
            let case = case.published("lib", "1.0.1", earlier).published("lib", "1.2.0", Some(10));
            assert_eq!(case.findings(&RULE)[0].severity, expected, "{earlier:?}");
        }
    }

    #[test]
    fn a_fix_of_an_advisory_is_not_held_back() {
        for (kind, expected) in [(Kind::Vulnerability, 0), (Kind::Malicious, 0), (Kind::Unmaintained, 1)] {
            let case = update(&[("1.2.0", "2026-11-22")]).advisory(advisory(kind));
            assert_eq!(case.run(&RULE).len(), expected, "{kind:?}");
        }
    }

    #[test]
    fn an_age_that_is_not_known_is_said() {
        for (published, expected) in [("2026-11-22", 0), ("", 1)] {
            let report =
                update(&[("1.2.0", published)]).with(|facts| crate::check::check(facts, &crate::check::Scope::default()));
            let ages: Vec<_> = report.not_evaluated.iter().filter(|one| one.check == "age of changed packages").collect();
            assert_eq!(ages.len(), expected, "{published}");
            assert!(ages.iter().all(|one| one.why.contains("lib 1.2.0") && !one.required));
        }
    }

    #[test]
    fn only_what_changed_is_judged() {
        let unchanged = Case::new().lock(&lock_with_lib("1.2.0")).before(&lock_with_lib("1.2.0"));
        assert_eq!(unchanged.history("lib", &[("1.2.0", "2026-11-22")]).run(&RULE), Vec::<String>::new());
    }
}
