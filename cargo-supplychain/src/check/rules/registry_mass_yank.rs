//! `registry/mass-yank`: older versions were withdrawn together, which leaves a new release as the only way to go.

use std::collections::BTreeSet;

use super::dep_too_fresh::cooldown;
use crate::base::text::counted;
use crate::base::{Location, Timestamp};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::change::RECENT_DAYS;
use crate::model::registry::{CrateKey, CrateRecord, History, Release};
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "registry/mass-yank",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "several older versions of a crate were yanked just before its newest release, or right after it",
    docs: "\
Cargo warns about a locked version that was yanked, and people move to what is left. Who took over a crate yanks its good versions
so that everybody moves to the bad one. Three or more versions, or all older ones (two at least), that were yanked within a day before a
new release or six hours after it are that pattern. A broken release that is yanked for its fix is not: that is one version. Who
yanks many for a fix looks the same for those who know no more than the registry: hence medium, and a question.
When a version was yanked the registry's API says (`audit_actions`). The index says only *that* it
was: then a version that is or was locked has to be yanked, together with the versions just before a release that is younger
than the cooldown of `dep/too-fresh`.

**Behind it:** `arrayref` (2026): `0.3.5` to `0.3.9` were yanked seconds after the malicious `0.3.10` was published.

```text
lib 1.0.0  2024-01-01  yanked 2026-11-22T09:58
lib 1.0.1  2024-06-01  yanked 2026-11-22T09:58
lib 1.0.2  2025-01-01  yanked 2026-11-22T09:58
lib 1.0.3  2026-11-22T10:00
```

**What to do:** stay on the version that was locked before; a yanked version that is locked still builds. Find out from the project, not
from the release, why the versions were withdrawn.
",
    options: &[],
    run,
};

/// So many together are no single mistake.
const SEVERAL: usize = 3;
const HOUR: i64 = 60 * 60;
/// Yanks so long before a release go with it.
const BEFORE: i64 = 24 * HOUR;
/// And so long after it: who has the crate publishes first and withdraws the rest while nobody looks.
const AFTER: i64 = 6 * HOUR;

/// What was withdrawn, for which release.
pub(super) struct MassYank<'f> {
    yanked: Vec<&'f semver::Version>,
    new: &'f Release,
    when: When,
}

/// When the versions were yanked, seen from the release.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    /// Some or all of them after it.
    Around,
    /// The index alone does not say.
    Unknown,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (index, package) in lockfile.packages.iter().enumerate() {
        let Some(key) = package.crate_key() else { continue };
        if seen.contains(&key) {
            continue;
        }
        if let Some(found) = mass_yank(facts, index, package) {
            findings.push(finding(lockfile, package, &found));
            seen.insert(key);
        }
    }
    findings
}

/// The pattern in the crate of a locked package.
pub(super) fn mass_yank<'f>(facts: &Facts<'f>, index: usize, package: &LockedPackage) -> Option<MassYank<'f>> {
    let key = package.crate_key()?;
    let history = facts.registry.histories.get(&key)?.as_ref().ok()?;
    let newest = newest_usable(history)?;
    let record = facts.registry.records.get(&key).and_then(|record| record.as_ref().ok());
    by_times(facts, history, newest, record).or_else(|| by_index(facts, history, newest, index, &key, package))
}

/// The newest release that can still be chosen.
fn newest_usable(history: &History) -> Option<&Release> {
    let usable = history.releases.iter().filter(|release| !release.yanked && release.version.pre.is_empty());
    usable.max_by(|a, b| a.version.cmp(&b.version))
}

/// What is older than a release, pre-releases aside.
fn older<'f>(history: &'f History, than: &Release) -> Vec<&'f Release> {
    let mut older: Vec<_> =
        history.releases.iter().filter(|release| release.version < than.version && release.version.pre.is_empty()).collect();
    older.sort_by(|a, b| b.version.cmp(&a.version));
    older
}

fn is_many(yanked: usize, older: usize) -> bool {
    yanked >= SEVERAL || (yanked == older && yanked >= 2)
}

/// With the API's log: yanked within a day before the release or hours after it.
fn by_times<'f>(
    facts: &Facts<'f>,
    history: &'f History,
    newest: &'f Release,
    record: Option<&CrateRecord>,
) -> Option<MassYank<'f>> {
    let (published, record) = (newest.published?, record?);
    if facts.now.days_since(published) >= RECENT_DAYS {
        return None;
    }
    let yank_of = |release: &Release| -> Option<Timestamp> {
        let actions = &record.versions.get(&release.version)?.actions;
        actions.iter().filter(|action| action.action == "yank").map(|action| action.time).max()
    };
    let lead = |release: &Release| yank_of(release).map(|time| published.unix() - time.unix());
    let older = older(history, newest);
    // What was yanked long before was no longer to be chosen.
    let long_gone = |release: &&Release| lead(release).is_some_and(|lead| lead > BEFORE);
    let usable = older.iter().filter(|release| !(release.yanked && long_gone(release))).count();
    let with_it: Vec<_> = older
        .iter()
        .filter(|release| release.yanked && lead(release).is_some_and(|lead| (-AFTER..=BEFORE).contains(&lead)))
        .collect();
    let is_after = with_it.iter().any(|release| lead(release).is_some_and(|lead| lead < 0));
    let when = if is_after { When::Around } else { When::Before };
    let yanked: Vec<_> = with_it.iter().map(|release| &release.version).collect();
    is_many(yanked.len(), usable).then_some(MassYank { yanked, new: newest, when })
}

/// With the index alone: what is or was locked is yanked, so is all that stands just before a release of these days.
fn by_index<'f>(
    facts: &Facts<'f>,
    history: &'f History,
    newest: &'f Release,
    index: usize,
    key: &CrateKey,
    package: &LockedPackage,
) -> Option<MassYank<'f>> {
    let is_fresh = facts.now.days_since(newest.published?) < cooldown(facts);
    let is_yanked = |version: &semver::Version| history.release(version).is_some_and(|release| release.yanked);
    let was_locked = || {
        let previous = facts.changes.of(index)?.previous.as_ref()?;
        Some(is_yanked(&previous.version) && previous.name == key.name)
    };
    if !is_fresh || !(is_yanked(&package.version) || was_locked().unwrap_or(false)) {
        return None;
    }
    // In a row before the release: crates have single yanked versions of long ago.
    let older = older(history, newest);
    let yanked: Vec<_> = older.iter().take_while(|release| release.yanked).map(|release| &release.version).collect();
    is_many(yanked.len(), older.len()).then_some(MassYank { yanked, new: newest, when: When::Unknown })
}

fn finding(lockfile: &Lockfile, package: &LockedPackage, found: &MassYank<'_>) -> Finding {
    let MassYank { yanked, new, when } = found;
    let name = &package.name;
    let count = counted(yanked.len(), "version");
    let message = match when {
        When::Before => format!("{count} of {name} were yanked within a day before {} was published", new.version),
        When::Around => format!("{count} of {name} were yanked within hours of the publication of {}", new.version),
        When::Unknown => format!("{count} of {name} just before {}, which is days old, are yanked", new.version),
    };
    let shown: Vec<_> = yanked.iter().rev().take(10).map(ToString::to_string).collect();
    let mut finding = Finding::new(RULE.id, RULE.severity, message)
        .about(name, &package.version)
        .at(Location::line(&lockfile.path, package.line))
        .because(format!("yanked: {}{}", shown.join(", "), if yanked.len() > shown.len() { ", …" } else { "" }));
    if let Some(published) = new.published {
        finding = finding.because(format!("{} published {published}", new.version));
    }
    if *when == When::Unknown {
        finding = finding.because("when they were yanked is not known: the index does not say, and the API was not asked");
    }
    finding.help(format!(
        "do not move to {} for the yank's sake: a yanked version that is locked still builds; ask the project why they were withdrawn",
        new.version
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    /// The clock is 2026-11-23.
    const NEW: &str = "2026-11-22T10:00:00Z";

    fn case(locked: &str, before: &str, versions: &[&str], published: &str) -> Case {
        let mut releases: Vec<_> = versions.iter().map(|version| (*version, "2024-01-01")).collect();
        releases.push(("1.9.0", published));
        Case::new().lock(&lock_with_lib(locked)).before(&lock_with_lib(before)).history("lib", &releases)
    }

    fn yank(case: Case, versions: &[&str]) -> Case {
        versions.iter().fold(case, |case, version| case.yanked("lib", version))
    }

    #[test]
    fn by_the_index_alone() {
        let four = ["1.0.0", "1.0.1", "1.0.2", "1.0.3"];
        let three = &["1.0.1", "1.0.2", "1.0.3"][..];
        let fires = "medium Cargo.lock:3: 3 versions of lib just before 1.9.0, which is days old, are yanked";
        let all = "medium Cargo.lock:3: 2 versions of lib just before 1.9.0, which is days old, are yanked";
        for (locked, before, versions, yanked, published, expected) in [
            ("1.0.3", "1.0.3", &four[..], three, NEW, &[fires][..]),
            // The lockfile has moved on already.
            ("1.9.0", "1.0.3", &four, three, NEW, &[fires]),
            ("1.0.1", "1.0.1", &four[..2], &four[..2], NEW, &[all]),
            // Two of four; not in a row; what is locked is not yanked; the release is old; one version and its fix.
            ("1.0.3", "1.0.3", &four, &["1.0.2", "1.0.3"], NEW, &[]),
            ("1.0.3", "1.0.3", &four, &["1.0.0", "1.0.1", "1.0.3"], NEW, &[]),
            ("1.9.0", "1.0.0", &four, three, NEW, &[]),
            ("1.0.3", "1.0.3", &four, three, "2026-11-20", &[]),
            ("1.0.0", "1.0.0", &four[..1], &four[..1], NEW, &[]),
        ] {
            let case = yank(case(locked, before, versions, published), yanked);
            assert_eq!(case.run(&RULE), expected, "{locked} {before} {versions:?} {yanked:?} {published}");
        }
    }

    #[test]
    fn by_the_times_of_the_log() {
        let four = ["1.0.0", "1.0.1", "1.0.2", "1.0.3"];
        for (times, published, expected) in [
            (["", "2026-11-22T09:58:00Z", "2026-11-22T09:58:00Z", "2026-11-22T10:00:00Z"], NEW, 1),
            // Weeks ago, but still what moves people.
            (["", "2026-10-01T09:58:00Z", "2026-10-01T09:58:00Z", "2026-10-01T09:58:00Z"], "2026-10-01T10:00:00Z", 1),
            // Seconds and hours after it.
            (["", "2026-11-22T10:00:10Z", "2026-11-22T10:00:10Z", "2026-11-22T10:00:11Z"], NEW, 1),
            (["", "2026-11-22T09:58:00Z", "2026-11-22T10:00:10Z", "2026-11-22T15:59:59Z"], NEW, 1),
            // A broken release, withdrawn for its fix; days after it; a day and more before.
            (["", "", "", "2026-11-22T10:05:00Z"], NEW, 0),
            (["", "2025-05-01", "2025-06-01", "2026-11-22T10:05:00Z"], NEW, 0),
            (["", "2026-11-22T16:00:01Z", "2026-11-22T16:00:01Z", "2026-11-22T16:00:01Z"], NEW, 0),
            (["", "2026-11-21T09:59:59Z", "2026-11-21T09:59:59Z", "2026-11-21T09:59:59Z"], NEW, 0),
            // One of three was yanked long before; the release is long ago.
            (["", "2025-11-22T09:58:00Z", "2026-11-22T09:58:00Z", "2026-11-22T09:58:00Z"], NEW, 0),
            (["", "2025-11-22T09:58:00Z", "2025-11-22T09:58:00Z", "2025-11-22T09:58:00Z"], "2025-11-22T10:00:00Z", 0),
            // All that could still be chosen.
            (["2025-01-01", "2025-01-01", "2026-11-22T09:58:00Z", "2026-11-22T09:58:00Z"], NEW, 1),
        ] {
            let mut case = case("1.9.0", "1.0.0", &four, published);
            for (version, time) in four.iter().zip(times).filter(|(_, time)| !time.is_empty()) {
                case = case
                    .yanked("lib", version)
                    .action("lib", version, "publish", "2024-01-01")
                    .action("lib", version, "yank", time);
            }
            assert_eq!(case.run(&RULE).len(), expected, "{times:?} {published}");
        }
    }

    #[test]
    fn nobody_is_told_to_update() {
        let case = yank(case("1.0.2", "1.0.2", &["1.0.0", "1.0.1", "1.0.2"], NEW), &["1.0.0", "1.0.1", "1.0.2"]);
        let finding = &case.findings(&RULE)[0];
        assert!(!finding.help.contains("update") && !RULE.docs.contains("update"), "{}", finding.help);
        assert!(finding.evidence.iter().any(|fact| fact.contains("not known")));
    }
}
