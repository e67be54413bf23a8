//! `dep/name-confusion`: a young or unknown crate with a name that can be taken for a well-known one's.

use crate::base::Location;
use crate::base::text::{counted, plain};
use crate::check::arrival::{arrivals, first_word};
use crate::check::kin::GENERIC_WORDS;
use crate::check::names::{LookAlike, Names};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::change::RECENT_DAYS;
use crate::model::index::IndexGap;
use crate::model::registry::{CrateKey, Owner};
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "dep/name-confusion",
    severity: Severity::High,
    area: Area::Lock,
    summary: "a young or unknown crate has a name that looks like a well-known or locked one",
    docs: "\
A name that differs from a well-known one in a letter, in its separators, in the number at its end, in the order of its words, or in
letters that look alike is typed by mistake, or put into a dependency list to be overlooked there. Real crates have such names too (`sha1`
and `sha2`, `libc` and `libm`): so only crates count whose first release is younger than 90 days or that the index does not know.
Well-known are a list that is shipped, what was locked before, and what the policy adds. A crate of the same project does not count: one
with the same owners as its look-alike, or one that is required by a known crate with the same first word (`toml` requires `toml_writer`).

**Behind it:** `rustdecimal` (2022), which stood for `rust_decimal`; `proc-macro1` (2026), which `arrayref` 0.3.10 brought in.

```toml
[[package]]
name = \"rustdecimal\"       # first release: 20 days ago
version = \"1.23.1\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** find out whether the other crate was meant. If this one is, allow it; names of your own organisation that others may
imitate are `known`:

```toml
[rules]
\"dep/name-confusion\" = { allow = [\"some-crate\"], known = [\"our-auth\"] }
```
",
    options: &[
        RuleOption::allow("names of crates that are meant"),
        RuleOption::list("known", "further names that others may be taken for"),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let young = young(facts).into_iter().chain(unknown(facts, lockfile));
    let allowed = facts.settings.list(RULE.id, "allow");
    let young: Vec<_> = young.filter(|(package, _)| !allowed.contains(&lockfile.packages[*package].name)).collect();
    if young.is_empty() {
        return Vec::new();
    }
    let names = Names::of(facts, facts.settings.list(RULE.id, "known"));
    let mut findings = Vec::new();
    for (index, age) in young {
        let package = &lockfile.packages[index];
        let Some(like) = names.look_alike(&package.name) else { continue };
        if !is_of_the_same_project(facts, lockfile, &names, index, &like) {
            findings.push(finding(lockfile, package, &like, &age));
        }
    }
    findings
}

/// Changed packages whose crate is young, with what is known of its age.
fn young(facts: &Facts<'_>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for arrival in arrivals(facts) {
        let (Some(first), Some(age)) = (arrival.history.first_published(), arrival.age_of_crate(facts.now)) else { continue };
        if age < RECENT_DAYS {
            let age = counted(age.max(0).unsigned_abs(), "day");
            found.push((arrival.index, format!("its first release was {}, {age} before now", first.date())));
        }
    }
    found
}

/// Changed packages that a registry does not know whose index is that of now.
fn unknown(facts: &Facts<'_>, lockfile: &Lockfile) -> Vec<(usize, String)> {
    let is_unknown = |package: &LockedPackage| {
        let history = package.crate_key().and_then(|key| facts.registry.histories.get(&key));
        facts.index.is_current && matches!(history, Some(Err(IndexGap::NotCached)))
    };
    let changed = facts.changes.changes.iter().map(|change| change.package);
    let unknown = changed.filter(|index| lockfile.packages.get(*index).is_some_and(is_unknown));
    unknown.map(|index| (index, "the registry's index does not have it".to_owned())).collect()
}

/// Whether the crate belongs to its look-alike's project: the same owners (asked about, or accepted in the baseline), or a known crate with the same first word requires it.
fn is_of_the_same_project(facts: &Facts<'_>, lockfile: &Lockfile, names: &Names<'_>, index: usize, like: &LookAlike) -> bool {
    let package = &lockfile.packages[index];
    let owners = |name: &str| {
        let key = CrateKey { name: name.to_owned(), source: package.crate_key()?.source };
        let asked = facts.registry.records.get(&key).and_then(|record| record.as_ref().ok()?.owners.clone());
        let accepted = || {
            let known = facts.baseline?.crates.get(&key)?.owners.as_ref()?;
            Some(known.iter().map(|known| known.owner.clone()).collect::<Vec<_>>())
        };
        asked.or_else(accepted)
    };
    let same = |one: &Owner, other: &Owner| (one.kind, one.id) == (other.kind, other.id);
    if let (Some(own), Some(theirs)) = (owners(&package.name), owners(&like.of)) {
        return own.iter().any(|one| theirs.iter().any(|other| same(one, other)));
    }
    let word = first_word(&package.name);
    if GENERIC_WORDS.contains(&word) {
        return false;
    }
    let requires = |other: &&LockedPackage| other.dependencies.contains(&index);
    let dependents = lockfile.packages.iter().filter(requires).filter(|other| other.is_registry());
    dependents.filter(|other| first_word(&other.name) == word).any(|other| names.is_known(&other.name))
}

fn finding(lockfile: &Lockfile, package: &LockedPackage, like: &LookAlike, age: &str) -> Finding {
    let message = format!("{} looks like {}: it {}", plain(&package.name), plain(&like.of), like.how);
    let dependents = lockfile.packages.iter().filter(|other| {
        other.dependencies.iter().any(|index| lockfile.packages.get(*index).is_some_and(|one| std::ptr::eq(one, package)))
    });
    let mut finding = Finding::new(RULE.id, RULE.severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line))
        .because(age);
    for other in dependents.take(5) {
        finding = finding.because(format!("{} {} requires it", plain(&other.name), other.version));
    }
    finding
        .because("of 26,870 releases of popular crates none began to require a young crate of others with such a name")
        .help(format!("find out whether {} was meant; if {} is, allow it in `[rules]`", plain(&like.of), plain(&package.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, owner_of};
    use crate::model::baseline::{KnownCrate, KnownOwner};

    const NOTHING: &str = "version = 4\n";

    fn lock(names: &[&str]) -> String {
        let package = |name: &&str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"CRATES_IO\"\n");
        names.iter().map(package).collect()
    }

    fn arrives(name: &str, first: &str) -> Case {
        Case::new().lock(&lock(&[name])).before(NOTHING).history(name, &[("0.9.0", first), ("1.0.0", "2026-11-22")])
    }

    #[test]
    fn young_look_alikes_fire_and_old_pairs_do_not() {
        let fires = |what: &str| vec![format!("high Cargo.lock:1: {what}")];
        for (name, first, expected) in [
            ("rustdecimal", "2026-11-03", fires("rustdecimal looks like rust_decimal: it differs only in its separators")),
            (
                "rustdecimal",
                "2026-08-25T00:00:01Z",
                fires("rustdecimal looks like rust_decimal: it differs only in its separators"),
            ),
            ("rustdecimal", "2026-08-25", Vec::new()),
            ("proc-macro1", "2026-11-22", fires("proc-macro1 looks like proc-macro2: it differs only in the number at its end")),
            ("rust_decimal", "2026-11-03", Vec::new()),
            ("a-thing-of-its-own", "2026-11-03", Vec::new()),
            // Without times nobody can say that it is young.
            ("rustdecimal", "", Vec::new()),
        ] {
            assert_eq!(arrives(name, first).run(&RULE), expected, "{name} {first}");
        }
    }

    #[test]
    fn real_pairs_are_silent() {
        for (one, other) in [("libc", "libm"), ("sha1", "sha2"), ("paste", "pastey"), ("pkcs1", "pkcs8"), ("mime", "time")] {
            for name in [one, other] {
                let case = Case::new().lock(&lock(&[one, other])).before(NOTHING);
                let case = case.history(one, &[("1.0.0", "2016-01-01")]).history(other, &[("1.0.0", "2025-01-01")]);
                assert_eq!(case.run(&RULE), Vec::<String>::new(), "{name}");
            }
        }
    }

    #[test]
    fn unknown_to_a_registry_of_now() {
        for (is_current, expected) in [(true, 1), (false, 0)] {
            let mut case = arrives("rustdecimal", "");
            case.registry.histories.values_mut().for_each(|history| *history = Err(IndexGap::NotCached));
            case.index.is_current = is_current;
            assert_eq!(case.run(&RULE).len(), expected, "{is_current}");
        }
    }

    #[test]
    fn the_policy_allows_and_knows() {
        for (name, policy, expected) in [
            ("rustdecimal", "allow = [\"rustdecimal\"]", 0),
            ("rustdecimal", "allow = [\"rust_decimal\"]", 1),
            ("our-atuh", "known = [\"our-auth\"]", 1),
            ("our-atuh", "known = []", 0),
        ] {
            let case = arrives(name, "2026-11-03").policy(&format!("[rules]\n\"dep/name-confusion\" = {{ {policy} }}\n"));
            assert_eq!(case.run(&RULE).len(), expected, "{name} {policy}");
        }
    }

    #[test]
    fn crates_of_one_project_are_silent() {
        // Of a project: `lib` and `lib-write` were locked before, `lib-writer` comes in.
        let new = |parent: &str| {
            let after = format!("{}dependencies = [\"lib-writer\"]\n{}", lock(&[parent]), lock(&["lib-writer"]));
            let case = Case::new().lock(&after).before(&lock(&[parent, "lib-write"]));
            case.history("lib-writer", &[("1.0.0", "2026-11-03")])
        };
        assert_eq!(new("lib").run(&RULE), Vec::<String>::new());
        assert_eq!(new("other").run(&RULE), ["high Cargo.lock:6: lib-writer looks like lib-write: it is one letter apart"]);
        // `proc` and the like are everybody's words.
        let after = format!("{}dependencies = [\"proc-macro1\"]\n{}", lock(&["proc-macro2"]), lock(&["proc-macro1"]));
        let case = Case::new().lock(&after).before(&lock(&["proc-macro2"])).history("proc-macro1", &[("1.0.0", "2026-11-03")]);
        assert_eq!(case.run(&RULE).len(), 1);
        // Owners decide where both are known.
        for (parent, owner, expected) in [("other", 10, 0), ("lib", 77, 1)] {
            let case = new(parent).owned_by("lib-write", 10).owned_by("lib-writer", owner);
            assert_eq!(case.run(&RULE).len(), expected, "{parent} {owner}");
            // Of the look-alike, which did not change, the baseline knows them.
            let first_seen = "2026-01-01".parse().unwrap();
            let known = KnownOwner { owner: owner_of("10"), first_seen };
            let known = KnownCrate { owners: Some(vec![known]), ..KnownCrate::default() };
            let case = new(parent).known("lib-write", known).owned_by("lib-writer", owner);
            assert_eq!(case.run(&RULE).len(), expected, "{parent} {owner}");
        }
    }
}
