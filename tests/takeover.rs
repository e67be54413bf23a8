//! Takeovers as registries saw them, end to end (ATTACKS.md section 1 and 12), each with its benign twin: from the lockfile, the
//! manifests and what a registry says, without a cargo call.

use crate::support::world::Release;
use crate::support::{Outcome, Project, World};

/// Judges the change since `before` by the world beside the project.
fn check(project: &Project, before: &str, now: &str) -> Outcome {
    let areas = "lock,sources,maintainers";
    let snapshot = ["--registry-snapshot", "../world", "--base", before];
    project.command(&[&["check", "--format", "json", "--only", areas][..], &snapshot].concat()).now(now).run()
}

/// The change from one set of locked packages to another.
fn update(world: &World, before: &[(&str, &str)], after: &[(&str, &str)], now: &str) -> Outcome {
    let project = world.project(before);
    let base = project.commit("before");
    world.lock(&project, after);
    check(&project, &base, now)
}

/// The findings of the rules about people and about new dependencies.
fn takeover(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let is_ours = |id: &str| ["maintainer/", "campaign/", "dep/new-young"].iter().any(|area| id.starts_with(area));
    let ours = report["findings"].as_array().unwrap().iter().filter(|finding| is_ours(finding["id"].as_str().unwrap()));
    ours.map(|finding| ["severity", "id", "package", "version"].map(|key| finding[key].as_str().unwrap_or_default()).join(" "))
        .collect()
}

fn evidence(outcome: &Outcome, id: &str) -> Vec<String> {
    let finding = outcome.finding(id);
    finding["evidence"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// MNT-01: event-stream (2018), in the terms of crates.io.
fn event_stream(publisher: (u64, &str, &str), dependency: &str) -> World {
    let (id, login, since) = publisher;
    World::new()
        .release("estream", "3.3.4", |r| r.published("2017-10-15T00:00:00Z").publisher(10, "alice"))
        .release("estream", "3.3.5", |r| r.published("2018-04-15T00:00:00Z").publisher(10, "alice"))
        .release("flatmap-s", "0.1.0", |r| {
            r.published("2018-09-05T00:00:00Z").publisher_since(88, "hugeglass", "2018-01-01T00:00:00Z")
        })
        .release("old-s", "0.1.0", |r| r.published("2014-09-05T00:00:00Z").publisher(88, "hugeglass"))
        .release("estream", "3.3.6", |r| {
            r.published("2018-09-09T00:00:00Z").publisher_since(id, login, since).dependency(dependency, "^0.1")
        })
        .release("estream", "4.0.0", |r| r.published("2018-09-16T00:00:00Z").publisher_since(id, login, since))
        .owner("estream", 10, "alice")
        .owner("flatmap-s", 88, "hugeglass")
}

const RIGHT9: (u64, &str, &str) = (77, "r9", "2018-01-01T00:00:00Z");

#[test]
fn event_stream_is_found_and_its_twin_passes() {
    let now = "2018-10-26T00:00:00Z";
    let attack = event_stream(RIGHT9, "flatmap-s");
    let after = [("estream", "3.3.6"), ("flatmap-s", "0.1.0")];
    let found = update(&attack, &[("estream", "3.3.5")], &after, now).expect(1);
    assert_eq!(
        takeover(&found),
        [
            "high maintainer/takeover-pattern estream 3.3.6",
            "info dep/new-young-dependency flatmap-s 0.1.0",
            "info maintainer/new-publisher estream 3.3.6",
        ]
    );
    let says = evidence(&found, "maintainer/takeover-pattern");
    let expected = [
        "S1 (2): published by r9 (user 77), who never published this crate before",
        "S2 (2): r9 is not an owner of the crate",
        "S5 (3): adds flatmap-s, first published 4 days before it, by somebody else; 0.12 % of releases do",
        "score 7: from 3 medium, from 5 high, from 8 critical",
        "path: app 1.0.0 -> estream 3.3.6",
    ];
    assert!(expected.iter().all(|line| says.iter().any(|other| other == line)), "{says:#?}");
    // The update goes past it to a release that has no trace of it.
    let past = update(&attack, &[("estream", "3.3.5")], &[("estream", "4.0.0")], now).expect(1);
    let message = past.finding("maintainer/takeover-pattern")["message"].to_string();
    assert!(message.contains("estream 3.3.5 -> 4.0.0 looks like a takeover in its release 3.3.6, score 7"), "{message}");
    // MNT-01b.
    let twin = event_stream((10, "alice", "2014-11-20T00:00:00Z"), "old-s");
    let quiet = update(&twin, &[("estream", "3.3.5")], &[("estream", "3.3.6"), ("old-s", "0.1.0")], now).expect(0);
    assert_eq!(takeover(&quiet), [""; 0]);
}

/// MNT-03: arrayref (2026), the publisher is the one it always was; and a second crate of the same account.
fn arrayref() -> World {
    let download = "fn main() { std::process::Command::new(\"curl\").status().ok(); }";
    World::new()
        .release("proc-macro2", "1.0.106", |r| r.published("2025-01-01T00:00:00Z").publisher(3, "dtolnay"))
        .release("arrayref", "0.3.9", |r| r.published("2024-09-14T12:24:40Z").publisher(20, "droundy"))
        .release("internment", "0.8.6", |r| r.published("2025-01-01T00:00:00Z").publisher(20, "droundy"))
        .release("proc-macro1", "1.0.106", |r| r.published("2026-08-20T02:11:00Z").publisher(99, "dtolney"))
        .release("proc-macro1", "1.0.107", |r| {
            r.published("2026-08-20T07:11:00Z").publisher(99, "dtolney").build_script(download)
        })
        .release("arrayref", "0.3.10", |r| {
            r.published("2026-08-20T07:15:00Z").publisher(20, "droundy").dependency("proc-macro1", "^1.0.106")
        })
        .release("internment", "0.8.7", |r| {
            r.published("2026-08-20T07:34:07Z").publisher(20, "droundy").dependency("proc-macro1", "^1.0.106")
        })
}

#[test]
fn arrayref_is_found_though_its_publisher_never_changed() {
    let before = [("arrayref", "0.3.9"), ("internment", "0.8.6"), ("proc-macro2", "1.0.106")];
    let one = [("arrayref", "0.3.10"), ("internment", "0.8.6"), ("proc-macro1", "1.0.107"), ("proc-macro2", "1.0.106")];
    let now = "2026-08-20T07:40:00Z";
    let found = update(&arrayref(), &before, &one, now).expect(1);
    let findings = takeover(&found);
    assert_eq!(findings[0], "critical maintainer/takeover-pattern arrayref 0.3.10", "{findings:?}");
    assert!(!findings.iter().any(|line| line.contains("new-publisher arrayref")), "{findings:?}");
    let message = found.finding("maintainer/takeover-pattern")["message"].to_string();
    assert!(message.contains("published by droundy (user 20), adds proc-macro1"), "{message}");
    // A day later the other crate of the account is in, too.
    let both = [("arrayref", "0.3.10"), ("internment", "0.8.7"), ("proc-macro1", "1.0.107"), ("proc-macro2", "1.0.106")];
    let campaign = takeover(&update(&arrayref(), &before, &both, now).expect(1));
    assert!(campaign.contains(&"critical campaign/shared-new-dependency proc-macro1 1.0.107".to_owned()), "{campaign:?}");
    assert!(campaign.contains(&"critical maintainer/takeover-pattern internment 0.8.7".to_owned()), "{campaign:?}");
}

/// The twin of MNT-03: a dormant crate that gains a sibling of the same minute and the same people.
#[test]
fn serde_core_passes() {
    let world = World::new()
        .release("serde", "1.0.219", |r| r.published("2025-03-09T19:00:00Z").publisher(3618, "dtolnay"))
        .release("serde_core", "1.0.220", |r| {
            r.published("2025-09-13T22:00:00Z").publisher(3618, "dtolnay").build_script("fn main() {}")
        })
        .release("serde", "1.0.220", |r| {
            r.published("2025-09-13T22:00:00Z").publisher(3618, "dtolnay").dependency("serde_core", "=1.0.220")
        });
    let after = [("serde", "1.0.220"), ("serde_core", "1.0.220")];
    let quiet = update(&world, &[("serde", "1.0.219")], &after, "2025-09-20T00:00:00Z").expect(0);
    assert_eq!(takeover(&quiet), [""; 0]);
}

/// MNT-05 and what looks like it: a workflow of the crate's repository, of a fork, and a token after the workflow.
#[test]
fn trusted_publishing_adopted_forged_and_left() {
    let by = |repository: Option<&str>| {
        let old = |release: Release| release.published("2026-01-01T00:00:00Z").repository("https://github.com/org/foo");
        let mut world = World::new().repository("foo", "https://github.com/org/foo");
        // The first version of a crate always comes by a token.
        world = world.release("foo", "1.2.0", |r| old(r).publisher(42, "alice"));
        for version in ["1.3.0", "1.4.0"] {
            let by_token = |r| old(r).publisher(42, "alice");
            let by_workflow = |r| old(r).trusted("github", "org/foo");
            world = match repository {
                Some(_) => world.release("foo", version, by_token),
                None => world.release("foo", version, by_workflow),
            };
        }
        world.owner("foo", 42, "alice").release("foo", "1.5.0", |r| {
            let r = r.published("2026-02-01T00:00:00Z").repository("https://github.com/org/foo");
            match repository {
                Some(repository) => r.trusted("github", repository),
                None => r.publisher(42, "alice"),
            }
        })
    };
    let run = |repository, code| {
        takeover(&update(&by(repository), &[("foo", "1.4.0")], &[("foo", "1.5.0")], "2026-03-01T00:00:00Z").expect(code))
    };
    assert_eq!(run(Some("org/foo"), 0), ["info maintainer/trusted-publishing-adopted foo 1.5.0"]);
    let forged = run(Some("evil/foo"), 1);
    assert!(forged.contains(&"high maintainer/publisher-repository-mismatch foo 1.5.0".to_owned()), "{forged:?}");
    let left = run(None, 0);
    assert!(left.contains(&"medium maintainer/trusted-publishing-downgrade foo 1.5.0".to_owned()), "{left:?}");
    assert!(left.contains(&"medium maintainer/takeover-pattern foo 1.5.0".to_owned()), "{left:?}");
}

/// MNT-08: nobody recorded publishers then; now somebody is missing.
#[test]
fn a_missing_publisher_is_a_finding_since_they_are_recorded() {
    let run = |published: &str| {
        let world = World::new().release("fig", "0.9.0", |r| r.published("2016-01-01T00:00:00Z").by_nobody()).release(
            "fig",
            "0.9.1",
            |r| r.published(published).by_nobody(),
        );
        update(&world, &[("fig", "0.9.0")], &[("fig", "0.9.1")], "2026-11-23T00:00:00Z").expect(0)
    };
    let legacy = run("2017-01-01T00:00:00Z");
    assert_eq!(takeover(&legacy), [""; 0]);
    assert!(legacy.stdout.contains("of 2 packages: fig 0.9.0, fig 0.9.1"), "{legacy}");
    assert_eq!(takeover(&run("2026-02-01T00:00:00Z")), ["medium maintainer/publisher-unknown fig 0.9.1"]);
}

/// MNT-13: five edges deep, through an optional dependency of one platform; and the twin, which nobody builds.
#[test]
fn a_takeover_far_from_the_workspace_is_found_with_the_way_to_it() {
    let chain = |world: World| {
        let link = |world: World, name: &str, next: &str| {
            world.release(name, "1.0.0", |r| r.published("2020-01-01T00:00:00Z").dependency(next, "*"))
        };
        let world = link(link(world, "one", "two"), "two", "three");
        world
            .release("three", "1.0.0", |r| {
                r.published("2020-01-01T00:00:00Z")
                    .target_dependency("cfg(windows)", "four", "*", true)
                    .feature("on", &["dep:four"])
            })
            .release("four", "1.0.0", |r| r.published("2020-01-01T00:00:00Z").dependency("estream", "*"))
    };
    let world = chain(event_stream(RIGHT9, "flatmap-s"));
    let rest = [("four", "1.0.0"), ("one", "1.0.0"), ("three", "1.0.0"), ("two", "1.0.0")];
    let before = [&[("estream", "3.3.5")][..], &rest].concat();
    let after = [&[("estream", "3.3.6"), ("flatmap-s", "0.1.0")][..], &rest].concat();
    let found = update(&world, &before, &after, "2018-10-26T00:00:00Z").expect(1);
    let says = evidence(&found, "maintainer/takeover-pattern");
    let path = "path: app 1.0.0 -> one 1.0.0 -> two 1.0.0 -> three 1.0.0 -> four 1.0.0 [cfg(windows), optional] -> estream 3.3.6";
    assert!(says.iter().any(|line| line == path), "{says:#?}");
    // Only a dependency for development of a dependency: it is not in the lock.
    let twin = event_stream(RIGHT9, "flatmap-s").release("one", "1.0.0", |r| r.published("2018-01-01T00:00:00Z")).release(
        "one",
        "1.0.1",
        |r| r.published("2018-10-01T00:00:00Z").dev_dependency("estream", "^3.3.6"),
    );
    let quiet = update(&twin, &[("one", "1.0.0")], &[("one", "1.0.1")], "2018-10-26T00:00:00Z").expect(0);
    assert_eq!(takeover(&quiet), [""; 0]);
}
