//! `campaign/shared-new-dependency`: several crates gained the same young dependency at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Location;
use crate::base::text::counted;
use crate::check::kin::{Family, Newcomer, same_people};
use crate::check::publishers::{Publications, brief};
use crate::check::release_walk::walks;
use crate::check::{Facts, Rule, takeover};
use crate::finding::{Area, Finding, Severity};
use crate::model::LockedPackage;
use crate::model::registry::CrateKey;

/// The most crates that a message names.
const MAX_NAMED: usize = 5;

pub(super) static RULE: Rule = Rule {
    id: "campaign/shared-new-dependency",
    severity: Severity::Critical,
    area: Area::Lock,
    summary: "several crates that are brought in gained the same young dependency of somebody else",
    docs: "\
A worm or a thief of several accounts adds one payload to many crates within hours. One release in 800 adds a young dependency of other
people; two at once that add the same one are no chance. The crates have to be of different people. Those of one maintainer count when the
new dependency also runs at build time or imitates a known name: a stolen account reaches all of its crates. A family that gains a sibling
of the same people (`windows-*`, `tokio-*`) is silent.

**Behind it:** `arrayref`, `internment` and `append-only-vec` (2026) gained `proc-macro1` within 23 minutes; the npm worms of 2025 and 2026
went through hundreds of packages this way.

```text
arrayref 0.3.10 adds proc-macro1, which first appeared 5 hours before it
internment 0.8.7 adds proc-macro1, which first appeared 5 hours before it
```

**What to do:** stay on the versions that you had, and look into the registry's and the advisory database's news of the day.
",
    options: &[],
    run,
};

/// A changed package that gained the newcomer.
struct Gain<'f> {
    package: &'f LockedPackage,
    key: CrateKey,
    says: String,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let family = Family::of(facts);
    let mut gained = BTreeMap::<CrateKey, (Newcomer, Vec<Gain<'_>>)>::new();
    for walk in walks(facts) {
        let publications = Publications::of(facts, &walk.key);
        let mut seen = BTreeSet::new();
        for step in &walk.steps {
            let young = family.newcomers(&walk, &publications, step).young;
            for newcomer in young.into_iter().filter(|one| one.is_foreign() && seen.insert(one.key.clone())) {
                let (parent, name) = (brief(&walk.package.name), brief(&newcomer.key.name));
                let version = &step.release.version;
                let says =
                    format!("{parent} {version} adds {name}, which first appeared {}; 0.12 % of releases do", newcomer.when());
                let gain = Gain { package: walk.package, key: walk.key.clone(), says };
                gained.entry(newcomer.key.clone()).or_insert_with(|| (newcomer, Vec::new())).1.push(gain);
            }
        }
    }
    gained.into_values().filter_map(|(newcomer, gains)| judge(facts, &newcomer, &gains)).collect()
}

fn judge(facts: &Facts<'_>, newcomer: &Newcomer, gains: &[Gain<'_>]) -> Option<Finding> {
    let first = gains.first()?;
    if gains.iter().all(|gain| gain.key == first.key) {
        return None;
    }
    let are_apart = gains.iter().any(|gain| gain.key != first.key && !same_people(facts, &first.key, &gain.key));
    let name = brief(&newcomer.key.name);
    let at_build = takeover::runs_at_build(facts, newcomer).map(|what| format!("{name} has {what}"));
    let alike = newcomer.look_alike.as_ref().map(|like| format!("{name} {} from {}", like.how, brief(&like.of)));
    if !are_apart && at_build.is_none() && alike.is_none() {
        return None;
    }
    let named: BTreeSet<_> = gains.iter().map(|gain| brief(&gain.package.name)).collect();
    let more = if named.len() > MAX_NAMED { ", …" } else { "" };
    let shown = named.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ") + more;
    let lockfile = facts.lock.lockfile()?;
    let needed = gains.iter().flat_map(|gain| &gain.package.dependencies).filter_map(|&at| lockfile.packages.get(at));
    let locked = needed.rev().find(|package| package.crate_key().as_ref() == Some(&newcomer.key));
    let package = locked.unwrap_or(first.package);
    // Whose it is decides: families split off crates that all of them gain at once (serde_core, powerfmt).
    let severity = if newcomer.is_guessed() { Severity::Medium } else { RULE.severity };
    let mut finding =
        Finding::new(RULE.id, severity, format!("{} gained {name} at once: {shown}", counted(named.len(), "crate")))
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line));
    finding.evidence.extend(gains.iter().take(MAX_NAMED).map(|gain| gain.says.clone()));
    let whose = if are_apart { "the crates are not known to be of the same people" } else { "the crates are of the same people" };
    finding.evidence.extend([Some(whose.to_owned()), at_build, alike].into_iter().flatten());
    Some(finding.help(format!("keep {name} out: stay on the versions before of {shown}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;
    use crate::model::capability::Capabilities;

    /// Crates that gain one which is a day old.
    fn case(parents: &[&str], newcomer: &str) -> Case {
        let lines = |version: &str| parents.iter().map(|name| format!("{name} {version}")).collect::<Vec<_>>();
        let (now, before) = (lines("1.0.1"), lines("1.0.0"));
        let now: Vec<_> = now.iter().map(String::as_str).collect();
        let before: Vec<_> = before.iter().map(String::as_str).collect();
        let mut case = Case::new().locks(&now, Some(&before)).release(newcomer, "0.1.0", "2026-08-19", &[]);
        for name in parents {
            case = case.release(name, "1.0.0", "2026-01-01", &[]).release(name, "1.0.1", "2026-08-20", &[newcomer]);
        }
        case
    }

    #[test]
    fn crates_of_different_people_that_gain_the_same_stranger() {
        // Nobody was asked whose it is: a guess.
        let guessed = "medium Cargo.lock:3: 2 crates gained payload at once: aref, internment";
        assert_eq!(case(&["aref", "internment"], "payload").run(&RULE), [guessed]);
        let known = case(&["aref", "internment"], "payload").owned("aref", &["1"]).owned("internment", &["2"]);
        let says = "critical Cargo.lock:3: 2 crates gained payload at once: aref, internment";
        assert_eq!(known.owned("payload", &["9"]).run(&RULE), [says]);
        let found = case(&["aref", "internment"], "payload").findings(&RULE).remove(0);
        let adds =
            |name: &str| format!("{name} 1.0.1 adds payload, which first appeared 24 hours before it; 0.12 % of releases do");
        assert_eq!(
            found.evidence,
            [adds("aref"), adds("internment"), "the crates are not known to be of the same people".into()]
        );
        // One crate alone is for other rules.
        assert_eq!(case(&["aref"], "payload").run(&RULE), [""; 0]);
    }

    #[test]
    fn crates_of_one_maintainer_count_when_the_stranger_runs_or_imitates() {
        let owned = |case: Case| case.owned("aref", &["1"]).owned("internment", &["1"]).owned("payload", &["9"]);
        let same = || owned(case(&["aref", "internment"], "payload"));
        assert_eq!(same().run(&RULE), [""; 0]);
        let script = Capabilities { build_script: true, ..Capabilities::default() };
        assert_eq!(same().capable("payload", "0.1.0", script).run(&RULE).len(), 1);
        let imitates = case(&["aref", "internment"], "proc-macro1").owned("aref", &["1"]).owned("internment", &["1"]);
        assert_eq!(imitates.owned("proc-macro1", &["9"]).run(&RULE).len(), 1);
    }

    #[test]
    fn a_family_that_gains_a_sibling_is_silent() {
        assert_eq!(case(&["tokio-util", "tokio-stream"], "tokio-extra").run(&RULE), [""; 0]);
        assert_eq!(case(&["windows-sys", "windows-core"], "windows-link").run(&RULE), [""; 0]);
        let owned = case(&["icu_properties", "zerovec"], "potential_utf").owned("icu_properties", &["team 3"]);
        assert_eq!(owned.owned("zerovec", &["team 3"]).owned("potential_utf", &["team 3"]).run(&RULE), [""; 0]);
    }
}
