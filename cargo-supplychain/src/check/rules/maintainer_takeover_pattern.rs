//! `maintainer/takeover-pattern`: several signs at once that a crate is in other hands.

use crate::base::Location;
use crate::check::kin::Family;
use crate::check::publishers::{Publications, brief, shown};
use crate::check::release_walk::{Walk, YOUNG_DAYS, walks};
use crate::check::takeover::{self, Score};
use crate::check::way_in::WaysIn;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "maintainer/takeover-pattern",
    severity: Severity::High,
    area: Area::Maintainers,
    summary: "a release that is brought in bears several signs of a takeover",
    docs: "\
A crate in other hands gives itself away by several small signs at once, each of them harmless alone. They are added up, from 3 points
medium, from 5 high, from 8 critical. Every release between the one that was locked and the one that is counts, so that an attack in
between is seen; the worst one is reported. What is not known adds nothing and is named.

| | sign | points |
|---|---|---|
| S1 | the publisher never published this crate before | 2 |
| S2 | the publisher is no owner, or one first seen less than 90 days before the release | 2 |
| S3 | the publisher's account was made less than 180 days before | 2 |
| S4 | no release for more than 180 days before this one | 1 |
| S5 | it adds a needed dependency that first appeared less than 14 days before, by other people (0.12 % of releases) | 3; guessed: 2 |
| S6 | that dependency's name looks like a known one (none measured) | 3 |
| S7 | a compatible release gains a build script, proc macro or `links`, or that dependency has one | 2 |
| S8 | another repository than before, or no trace of a clean commit where there was one | 1 |
| S9 | published less than the cooldown of `dep/too-fresh` ago (3 days) | 1 |
| S10 | a new executable, encoded data, or a build that reaches for the network | 2 |
| S11 | the versions before came by trusted publishing, this one by a token or from another repository | 3 |
| S12 | every former owner is gone | 3 |

Where the registry was not asked whose that dependency is, and its name imitates none, that it is by other people is a guess by names: in
487 real updates 101 packages showed that and nothing else, all well meant. So it counts 2, for releases of the last 90 days only, and its
build script counts for S7 only beside S10.

The same people are those who share an owner, a publisher or a team. A name or a repository URL, which anybody can write, counts only
where the registry was not asked about people. Without an earlier state, releases of the last 90 days are judged against the ones before.

**Behind it:** `event-stream` (2018): a new maintainer added a four days old dependency of a friend's; 7 points. `arrayref` (2026): the
owner's own account published a dependency that was minutes old, named `proc-macro1`, with a build script; 10 points and more. Whoever
looks for a change of publisher only does not see the second.

```text
estream 3.3.5 -> 3.3.6 looks like a takeover, score 7: published by r9 (user 77), adds flatmap-s
```

**What to do:** stay on the version that you had until somebody has read the difference; ask the maintainers by another way than the
registry. Once it is explained, exempt this version with the reason.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let family = Family::of(facts);
    let mut ways = None;
    let mut findings = Vec::new();
    for walk in walks(facts) {
        if is_itself_new(facts, &walk) {
            continue;
        }
        let Some(score) = takeover::worst(facts, &family, &walk) else { continue };
        let Some(severity) = score.severity() else { continue };
        let ways = ways.get_or_insert_with(|| WaysIn::of(facts));
        findings.push(finding(facts, &walk, &score, severity, ways));
    }
    findings
}

/// Whether the crate is new here and new to the registry: nothing is there to be taken over. It counts as a newcomer of what brings it in.
fn is_itself_new(facts: &Facts<'_>, walk: &Walk<'_>) -> bool {
    let history = facts.registry.histories.get(&walk.key).and_then(|history| history.as_ref().ok());
    let age = history.and_then(|history| {
        let published = history.release(&walk.package.version)?.published?;
        Some(published.days_since(history.first_published()?))
    });
    walk.change.previous.is_none() && age.is_some_and(|age| age < YOUNG_DAYS)
}

fn finding(facts: &Facts<'_>, walk: &Walk<'_>, score: &Score<'_, '_>, severity: Severity, ways: &WaysIn<'_>) -> Finding {
    let path = facts.lock.lockfile().map(|lockfile| lockfile.path.clone()).unwrap_or_default();
    let mut finding = Finding::new(RULE.id, severity, message(facts, walk, score))
        .about(&walk.package.name, &walk.package.version)
        .at(Location::line(path, walk.package.line));
    for signal in &score.signals {
        finding = finding.because(format!("S{} ({}): {}", signal.number, signal.points, signal.says));
    }
    finding = finding.because(format!("score {}: from 3 medium, from 5 high, from 8 critical", score.sum()));
    if !score.unknown.is_empty() {
        finding = finding.because(format!("not known: {}", score.unknown.join(", ")));
    }
    if let Some(way) = ways.to(walk.change.package) {
        finding = finding.because(way);
    }
    finding.help(help(walk))
}

fn message(facts: &Facts<'_>, walk: &Walk<'_>, score: &Score<'_, '_>) -> String {
    let version = &score.step.release.version;
    let which = if walk.is_locked(score.step) { String::new() } else { format!(" in its release {version}") };
    let mut parts = Vec::new();
    if let Some(published) = Publications::of(facts, &walk.key).version(version)
        && published.publisher != crate::model::registry::Publisher::Unknown
    {
        parts.push(format!("published by {}", shown(&published.publisher)));
    }
    let foreign: Vec<_> = score.newcomers.young.iter().filter(|one| one.is_foreign()).map(|one| brief(&one.key.name)).collect();
    if !foreign.is_empty() {
        parts.push(format!("adds {}", foreign.join(", ")));
    }
    let rest = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{} {} looks like a takeover{which}, score {}{rest}", brief(&walk.package.name), walk.versions(), score.sum())
}

fn help(walk: &Walk<'_>) -> String {
    let name = &walk.package.name;
    let stay = match &walk.change.previous {
        Some(previous) => {
            let spec = format!("{name}@{}", walk.package.version);
            format!("stay on {} (`cargo update -p {spec} --precise {}`)", previous.version, previous.version)
        }
        None => "do not build it".to_owned(),
    };
    format!(
        "{stay} until somebody has read what changed and the maintainers have confirmed it by another way; then exempt {name} {} with the reason",
        walk.package.version
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    /// The replays of incidents and their twins stand in `check::takeover::tests`.
    #[test]
    fn the_finding_names_crate_versions_publisher_newcomer_signals_and_way_in() {
        let case = Case::new()
            .locks(&["./app -> estream", "estream 3.3.6 -> flatmap-s", "flatmap-s 0.1.0"], Some(&["./app", "estream 3.3.5"]))
            .manifest("Cargo.toml", "[package]\nname = \"app\"\n[target.'cfg(windows)'.dependencies]\nestream = \"3\"\n")
            .release("estream", "3.3.5", "2018-08-01", &[])
            .release("estream", "3.3.6", "2018-09-09", &["flatmap-s"])
            .release("flatmap-s", "0.1.0", "2018-09-05", &[])
            .publisher("estream", "3.3.5", "10")
            .publisher("estream", "3.3.6", "77")
            .owned("estream", &["10", "77"])
            .publisher("flatmap-s", "0.1.0", "88");
        let message = "estream 3.3.5 -> 3.3.6 looks like a takeover, score 5: published by user77 (user 77), adds flatmap-s";
        assert_eq!(case.run(&RULE), [format!("high Cargo.lock:8: {message}")]);
        let finding = case.findings(&RULE).remove(0);
        assert_eq!(
            finding.evidence,
            [
                "S1 (2): published by user77 (user 77), who never published this crate before",
                "S5 (3): adds flatmap-s, first published 4 days before it, by somebody else; 0.12 % of releases do",
                "score 5: from 3 medium, from 5 high, from 8 critical",
                "not known: since when each owner is one, sources of 3.3.6",
                "path: app 1.0.0 -> estream 3.3.6 [cfg(windows)]",
            ]
        );
        assert!(finding.help.starts_with("stay on 3.3.5 (`cargo update -p estream@3.3.6 --precise 3.3.5`)"), "{}", finding.help);
        let twin = case.publisher("estream", "3.3.6", "10").publisher("flatmap-s", "0.1.0", "10");
        assert_eq!(twin.run(&RULE), [""; 0]);
    }
}
