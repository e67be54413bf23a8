//! `supplychain.lock`: its verbs, the rules that stand on it, and who may change it (ATTACKS.md MNT-09, MNT-10, MNT-17). Each attack with
//! its benign twin; the registry is a folder.

use insta::assert_snapshot;

use crate::support::{Outcome, Project, World};

const SNAPSHOT: [&str; 2] = ["--registry-snapshot", "../world"];

/// `foo` 1.0.0 and 1.1.0 by alice, `bar` 0.1.0 by somebody else.
fn world() -> World {
    let by_alice = |r: crate::support::world::Release| r.publisher(42, "alice");
    World::new()
        .release("foo", "1.0.0", |r| by_alice(r).published("2024-01-01T10:00:00Z").dependency("bar", "^0.3"))
        .release("foo", "1.1.0", |r| by_alice(r).published("2026-03-01T10:00:00Z").dependency("bar", "^0.3"))
        .release("bar", "0.3.0", |r| r.publisher(7, "carol").published("2023-01-01T00:00:00Z"))
        .owner("foo", 42, "alice")
        .owner("bar", 7, "carol")
}

const LOCKED: [(&str, &str); 2] = [("foo", "1.0.0"), ("bar", "0.3.0")];

impl Project {
    /// Runs a verb that may write the baseline, against the world beside the project.
    fn baseline(&self, arguments: &[&str]) -> Outcome {
        let arguments = [&["baseline"], arguments, &SNAPSHOT].concat();
        self.command(&arguments).writes().run()
    }

    /// All findings of a check of the areas that need no build, info included, as `severity id package`.
    fn judged(&self, more: &[&str]) -> (i32, Vec<String>) {
        let arguments = [&["check", "--only", "lock,sources,maintainers", "--format", "json"], &SNAPSHOT[..], more].concat();
        let outcome = self.command(&arguments).run();
        let report = outcome.json();
        let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or("-").to_owned();
        let told = report["findings"].as_array().unwrap().iter();
        let about = |id: &str| {
            ["identity/", "policy/", "maintainer/owner", "maintainer/all", "lock/"].iter().any(|area| id.starts_with(area))
        };
        let told = told.filter(|finding| about(&word(finding, "id")));
        (outcome.code, told.map(|one| ["severity", "id", "package"].map(|key| word(one, key)).join(" ")).collect())
    }
}

/// A project whose baseline knows everybody.
fn accepted(world: &World) -> Project {
    let project = world.project(&LOCKED);
    project.baseline(&["accept"]).expect(0);
    project
}

#[test]
fn accept_writes_what_it_says_and_the_second_time_nothing() {
    let project = world().project(&LOCKED);
    assert_snapshot!(project.baseline(&["accept"]).expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
     Reading sources of 2 versions
+ bar 0.3.0
    owner: +user carol (7)
    publisher: +user carol (7)
+ foo 1.0.0
    owner: +user alice (42)
    publisher: +user alice (42)
    dependency: +bar
    Accepted [ROOT]/project/supplychain.lock: 2 crates added (2 crates)
");
    let text = project.read("supplychain.lock");
    let checksums = text.matches("checksum = \"").count();
    assert_eq!((text.matches("[[crate]]").count(), checksums), (2, 2));
    assert_snapshot!(project.run(&["baseline", "show"]).expect(0).text(), @"
exit 0
bar 0.3.0: 1 owner
foo 1.0.0: 1 owner
");
    assert_snapshot!(project.run(&["baseline", "show", "foo"]).expect(0).text(), @r#"
exit 0
[[crate]]
name = "foo"
build-script = false
proc-macro = false
native-code = false
blobs = false
owners = [
    { kind = "user", id = 42, login = "alice", first-seen = 2026-09-01 },
]
publishers = [
    { id = 42, login = "alice" },
]
dependencies = [
    "bar",
]
versions = [
    { version = "1.0.0", checksum = "[HEX]", published = 2024-01-01T10:00:00Z, publisher = { id = 42, login = "alice" } },
]
"#);
    assert_snapshot!(project.baseline(&["diff"]).expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Baseline says what is locked and known now
");
    assert_snapshot!(project.baseline(&["accept"]).expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Baseline [ROOT]/project/supplychain.lock says what is locked and known now (2 crates)
");
    assert_eq!(project.read("supplychain.lock"), text);
    assert_eq!(project.judged(&[]), (0, vec![]));
}

#[test]
fn what_changes_is_told_and_owners_keep_their_day() {
    let project = accepted(&world());
    let later = world()
        .release("foo", "1.2.0", |r| r.publisher(77, "r9").published("2026-08-30T00:00:00Z").dependency("baz", "^1"))
        .release("baz", "1.0.0", |r| r.publisher(88, "dave").published("2026-08-29T00:00:00Z"))
        .owner("foo", 77, "r9");
    later.write(&project);
    later.fetched(&project);
    later.lock(&project, &[("foo", "1.2.0"), ("baz", "1.0.0")]);
    assert_snapshot!(project.baseline(&["diff"]).expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
     Reading sources of 2 versions
    Baseline 1 crate added, 1 crate changed, 1 crate no longer locked
--- stdout
- bar 0.3.0
+ baz 1.0.0
    owner: +user dave (88)
    publisher: +user dave (88)
~ foo 1.0.0 -> 1.2.0
    owner: +user r9 (77)
    publisher: +user r9 (77)
    dependency: -bar
    dependency: +baz
");
    let json = project
        .command(&["baseline", "accept", "--format", "json", SNAPSHOT[0], SNAPSHOT[1]])
        .now("2026-09-05T01:00:00Z")
        .writes()
        .run()
        .expect(0)
        .json();
    assert_eq!((&json["schema_version"], &json["written"]), (&1.into(), &true.into()));
    let kinds: Vec<_> = json["crates"].as_array().unwrap().iter().map(|one| format!("{} {}", one["name"], one["kind"])).collect();
    assert_eq!(kinds, ["\"bar\" \"removed\"", "\"baz\" \"added\"", "\"foo\" \"changed\""]);
    assert_eq!(json["crates"][2]["changes"][0], serde_json::json!({ "what": "version", "before": "1.0.0", "after": null }));
    let shown = project.run(&["baseline", "show", "foo", "--format", "json"]).expect(0).json();
    let owner = |id: u64, login: &str, day: &str| serde_json::json!({ "kind": "user", "id": id, "login": login, "first_seen": format!("{day}T00:00:00Z") });
    assert_eq!(
        shown["crates"][0]["owners"],
        serde_json::json!([owner(42, "alice", "2026-09-01"), owner(77, "r9", "2026-09-05")])
    );
    let publishers = serde_json::json!([{ "id": 42, "login": "alice" }, { "id": 77, "login": "r9" }]);
    assert_eq!(shown["crates"][0]["publishers"], publishers);
}

/// Without network, API and baseline: what index and sources say, and that nobody was asked.
#[test]
fn accept_needs_nobody() {
    let project = world().project(&LOCKED);
    let accept = || project.command(&["baseline", "accept"]).offline().writes().run();
    assert_snapshot!(accept().expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
     Reading sources of 2 versions
+ bar 0.3.0
+ foo 1.0.0
    dependency: +bar
        Note the owners of 2 crates are not known (nobody is asked when a baseline is begun): bar, foo; `cargo supplychain baseline refresh` looks them up
    Accepted [ROOT]/project/supplychain.lock: 2 crates added (2 crates)
");
    assert!(!project.read("supplychain.lock").contains("owners = "));
    let check = project.run(&["check", "--format", "json"]).expect(0);
    assert_eq!((check.findings(), check.undetermined()), (vec![], vec![]));
    // What is there is not lost for want of an answer.
    project.baseline(&["refresh"]).expect(0);
    let text = project.read("supplychain.lock");
    accept().expect(0);
    assert_eq!(project.read("supplychain.lock"), text);
}

#[test]
fn refresh_fills_in_and_accepts_nobody() {
    let project = world().project(&LOCKED);
    assert_snapshot!(project.run(&["baseline", "refresh"]).expect(2).text(), @"
exit 2
error: --offline leaves nobody to ask about owners and publishers
help: run it without --offline, or name a snapshot with --registry-snapshot
");
    assert_snapshot!(project.baseline(&["refresh"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: there is no [ROOT]/project/supplychain.lock
help: `cargo supplychain baseline accept` writes it
");
    project.command(&["baseline", "accept"]).offline().writes().run().expect(0);
    assert_snapshot!(project.baseline(&["refresh"]).expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Fetching owners and publishers of 2 crates
~ bar
    owner: +user carol (7)
    publisher: +user carol (7)
~ foo
    owner: +user alice (42)
    publisher: +user alice (42)
       Wrote [ROOT]/project/supplychain.lock
");
    let known = project.read("supplychain.lock");
    assert!(known.contains("alice") && known.contains("carol"), "{known}");
    // Another login of the account is written, other accounts are not.
    let later = world().without_owner("foo", 42).owner("foo", 42, "alice-x").owner("foo", 77, "r9").not_in_api("bar");
    later.write(&project);
    assert_snapshot!(project.baseline(&["refresh"]).expect(4).text(), @"
exit 4
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Fetching owners and publishers of 2 crates
~ foo
    owner: user alice (42) -> user alice-x (42)
     Differs foo: user r9 (77) is an owner now; left as it was, `cargo supplychain baseline accept foo` takes it
     Unknown bar: the registry's API does not know it
       Wrote [ROOT]/project/supplychain.lock
");
    let json = project.baseline(&["refresh", "--format", "json"]).expect(4).json();
    assert_eq!(json["differs"], serde_json::json!({ "foo": ["user r9 (77) is an owner now"] }));
    assert_eq!(project.read("supplychain.lock"), known.replace("login = \"alice\", first", "login = \"alice-x\", first"));
    project.baseline(&["accept", "foo"]).expect(0);
    assert!(project.read("supplychain.lock").contains("{ kind = \"user\", id = 77, login = \"r9\", first-seen = 2026-09-01 }"));
}

/// Nothing is written when anything that is accepted cannot be held against the index.
#[test]
fn accept_refuses_what_is_not_what_it_was_said_to_be() {
    let project = accepted(&world());
    let (baseline, lock) = (project.read("supplychain.lock"), project.read("Cargo.lock"));
    let sum = world().checksum("foo", "1.0.0");
    project.write("Cargo.lock", lock.replace(&sum, &"0".repeat(64)));
    assert_snapshot!(project.baseline(&["accept"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: what is locked is not what it was said to be; nothing was written
  foo 1.0.0: Cargo.lock has the checksum [HEX], the index [HEX]
help: see who changed it with `git log -p Cargo.lock supplychain.lock`, and restore it; a crate that is named is accepted with another checksum than before, when the index has it
");
    assert_eq!(project.read("supplychain.lock"), baseline);
    let (code, found) = project.judged(&[]);
    assert_eq!(found, ["critical lock/checksum-changed-vs-baseline foo", "critical lock/checksum-mismatch foo"]);
    assert_eq!(code, 1);
    project.write("Cargo.lock", &lock);
    // The file itself is wrong: who names the crate says so.
    project.write("supplychain.lock", baseline.replace(&sum, &"0".repeat(64)));
    assert_eq!(project.judged(&[]), (1, vec!["critical lock/checksum-changed-vs-baseline foo".to_owned()]));
    project.baseline(&["accept"]).expect(2);
    assert_snapshot!(project.baseline(&["accept", "foo"]).expect(0).text(), @"
exit 0
     Reading [ROOT]/project (configuration, lockfile, metadata)
     Reading sources of 1 version
~ foo
    checksum: 1.0.0: [HEX] -> 1.0.0: [HEX]
    Accepted [ROOT]/project/supplychain.lock: 1 crate changed (2 crates)
");
    assert_eq!(project.read("supplychain.lock"), baseline);
    // A version that the index does not know.
    world().release("foo", "9.0.0", |r| r.dependency("bar", "^0.3")).lock(&project, &[("foo", "9.0.0"), ("bar", "0.3.0")]);
    assert_snapshot!(project.baseline(&["accept"]).expect(4).text(), @"
exit 4
     Reading [ROOT]/project (configuration, lockfile, metadata)
     Reading sources of 1 version
error: the registry index does not say what is locked; nothing was written
  foo 9.0.0: no such version in the index
help: run `cargo fetch` once with the network, which fills cargo's copy of the index
");
    assert_eq!(project.read("supplychain.lock"), baseline);
}

#[test]
fn usage() {
    let project = world().project(&LOCKED);
    let run = |arguments: &[&str]| project.run(&[&["baseline"], arguments].concat()).expect(2).text();
    assert_snapshot!(run(&["show"]), @"
exit 2
error: there is no [ROOT]/project/supplychain.lock
help: `cargo supplychain baseline accept` writes it
");
    assert_snapshot!(run(&["accept", "nothing"]), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: neither Cargo.lock nor supplychain.lock has a registry crate `nothing`
");
    assert_snapshot!(run(&["diff", "--format", "sarif"]), @"
exit 2
error: baseline has the formats human and json
");
    project.write("supplychain.lock", "version = 1\n\n[[crate]]\nname = \"foo\"\nowner = []\n");
    assert_snapshot!(project.run(&["check"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 3 packages
error: supplychain.lock:5:1: unknown key `owner`, expected one of `name`, `source`, `repository`, `build-script`, `proc-macro`, `native-code`, `blobs`, `links`, `owners`, `publishers`, `dependencies`, `versions`
 --> supplychain.lock:5:1
  |
5 | owner = []
  | ^^^^^
  |
  = help: take one side of a merge conflict, or restore supplychain.lock from its history; then `cargo supplychain baseline accept` what has changed since
");
    project.write("supplychain.lock", "version = 1\n<<<<<<< HEAD\n[[crate]]\nname = \"foo\"\n=======\n>>>>>>> theirs\n");
    assert_snapshot!(run(&["accept"]), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: supplychain.lock:2:1: an unresolved merge conflict
 --> supplychain.lock:2:1
  |
2 | <<<<<<< HEAD
  | ^^^^^^^^^^^^
  |
  = help: take one side of a merge conflict, or restore supplychain.lock from its history; then `cargo supplychain baseline accept` what has changed since
");
    project.write("supplychain.lock", "version = 2\n");
    let json = project.run(&["check", "--format", "json"]).expect(2).json();
    assert_eq!(json["error"]["class"], "usage");
    std::fs::remove_file(project.path("supplychain.lock")).unwrap();
    std::fs::remove_file(project.path("Cargo.lock")).unwrap();
    assert_snapshot!(run(&["accept"]), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: there is no Cargo.lock
help: run `cargo generate-lockfile` and commit the file
");
}

/// MNT-09: the login of a known account changes; the twin is another account of that login.
#[test]
fn logins() {
    let project = accepted(&world());
    let other = |id, login| {
        let world =
            world()
                .without_owner("foo", 42)
                .change("foo", "1.0.0", |r| r.publisher(id, login))
                .change("foo", "1.1.0", |r| r.publisher(id, login));
        world.owner("foo", id, login).write(&project);
    };
    other(42, "alice-x");
    assert_eq!(project.judged(&[]), (0, vec!["info identity/renamed -".to_owned()]));
    project.baseline(&["refresh"]).expect(0);
    assert_eq!(project.judged(&[]), (0, vec![]));
    let project = accepted(&world());
    let world = world()
        .release("foo", "1.2.0", |r| r.publisher(4242, "alice").published("2026-08-30T00:00:00Z").dependency("bar", "^0.3"));
    world.write(&project);
    world.lock(&project, &[("foo", "1.2.0"), ("bar", "0.3.0")]);
    let (code, found) = project.judged(&[]);
    assert_eq!(code, 1);
    assert!(found.contains(&"high identity/login-reused foo".to_owned()), "{found:?}");
}

/// MNT-10: user and team of one number; the twin is another order.
#[test]
fn owners_by_kind_and_number() {
    let team = || world().without_owner("foo", 42).owner("foo", 1, "foo").team("foo", 1, "github:test_org:team_sloth");
    let project = accepted(&team());
    world().without_owner("foo", 42).team("foo", 1, "github:test_org:team_sloth").owner("foo", 1, "foo").write(&project);
    assert_eq!(project.judged(&[]), (0, vec![]));
    world().without_owner("foo", 42).owner("foo", 1, "foo").write(&project);
    assert_eq!(project.judged(&[]), (0, vec!["info maintainer/owner-removed foo".to_owned()]));
    team().owner("foo", 2, "new").write(&project);
    assert_eq!(project.judged(&[]), (0, vec!["info maintainer/owner-added foo".to_owned()]));
    world().without_owner("foo", 42).owner("foo", 77, "r9").write(&project);
    let (code, found) = project.judged(&[]);
    assert!(found.contains(&"high maintainer/all-owners-replaced foo".to_owned()), "{found:?}");
    assert_eq!(code, 1);
    project.baseline(&["accept", "foo"]).expect(0);
    assert_eq!(project.judged(&[]), (0, vec![]));
}

/// MNT-17: a change accepts itself; the twin changes the baseline alone.
#[test]
fn what_judges_a_change_is_not_changed_by_it() {
    let project = accepted(&world());
    let before = project.commit("before");
    let base = ["--base", before.as_str()];
    assert_eq!(project.judged(&base), (0, vec![]));
    // The twin.
    let text = project.read("supplychain.lock");
    project.write("supplychain.lock", text.replace("login = \"carol\"", "login = \"carol-x\""));
    assert_eq!(project.judged(&base), (0, vec!["info policy/changed-in-same-change -".to_owned()]));
    // The attack: another version, its publisher made known, and nothing fails any more.
    let world = world()
        .release("foo", "1.2.0", |r| r.publisher(4242, "alice").published("2026-08-30T00:00:00Z").dependency("bar", "^0.3"))
        .without_owner("foo", 42)
        .owner("foo", 4242, "alice");
    world.write(&project);
    world.fetched(&project);
    world.lock(&project, &[("foo", "1.2.0"), ("bar", "0.3.0")]);
    project.baseline(&["accept"]).expect(0);
    project.append("supplychain.toml", "[build]\nfail-on = \"none\"\n");
    let (code, found) = project.judged(&base);
    assert_eq!(code, 1);
    for expected in
        ["high identity/login-reused foo", "high maintainer/all-owners-replaced foo", "high policy/changed-in-same-change -"]
    {
        assert!(found.contains(&expected.to_owned()), "{found:?}");
    }
    // By its own word it would pass.
    assert_eq!(project.judged(&[]).0, 0);
    // The policy alone.
    world.lock(&project, &LOCKED);
    project.write("supplychain.lock", text);
    let (code, found) = project.judged(&base);
    assert!(found.contains(&"medium policy/changed-in-same-change -".to_owned()), "{found:?}");
    assert_eq!(code, 1, "the owners were replaced all the same");
}

/// A baseline of the base that cannot be read is said with the revision; one of the work tree is not looked at.
#[test]
fn the_base_has_its_own_baseline() {
    let project = accepted(&world());
    let good = project.read("supplychain.lock");
    let before = project.commit("good");
    project.write("supplychain.lock", "version = 1\nbroken = 1\n");
    assert_eq!(project.judged(&["--base", &before]), (0, vec!["info policy/changed-in-same-change -".to_owned()]));
    let broken = project.commit("broken");
    project.write("supplychain.lock", good);
    let error = project.command(&["check", "--base", &broken, "--format", "json"]).offline().run().expect(2).json();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("supplychain.lock of {broken}:2:1: unknown key `broken`")), "{message}");
}
