//! `diff OLD NEW` with the real binary: revisions, lockfiles, folders; what a change brings.

use insta::assert_snapshot;

use super::support::Project;
use super::support::world::World;

fn world() -> World {
    World::new()
        .release("calm", "1.0.0", |r| r.published("2024-01-01T00:00:00Z").publisher(10, "alice"))
        .release("calm", "1.0.1", |r| {
            r.published("2026-08-20T00:00:00Z").publisher(11, "bob").dependency("old", "^1").build_script("fn main() {}")
        })
        .owner("calm", 10, "alice")
        .owner("calm", 11, "bob")
        .release("old", "1.0.0", |r| r.published("2019-01-01T00:00:00Z").publisher(10, "alice"))
        .release("gone", "1.0.0", |r| r.published("2019-01-01T00:00:00Z").publisher(10, "alice"))
}

fn project() -> (Project, String) {
    let world = world();
    let project = world.project(&[("calm", "1.0.0"), ("gone", "1.0.0")]);
    let before = project.commit("before");
    world.lock(&project, &[("calm", "1.0.1"), ("old", "1.0.0")]);
    (project, before)
}

#[test]
fn as_people_see_it() {
    let (project, before) = project();
    let diff = |more: &[&str]| {
        let arguments = [&["diff", &before, "--registry-snapshot", "../world"], more].concat();
        project.run(&arguments).expect(0)
    };
    assert_snapshot!(diff(&[]).text(), @"
    exit 0
        Checking 3 packages
    high[maintainer/takeover-pattern]: calm 1.0.0 -> 1.0.1 looks like a takeover, score 5: published by bob (user 11)
      --> Cargo.lock:12
       = S1 (2): published by bob (user 11), who never published this crate before
       = S4 (1): no release for 962 days before it
       = S7 (2): gains a build script
       = score 5: from 3 medium, from 5 high, from 8 critical
       = not known: age of the account bob, since when each owner is one
       = path: app 1.0.0 -> calm 1.0.1
       = help: stay on 1.0.0 (`cargo update -p calm@1.0.1 --precise 1.0.0`) until somebody has read what changed and the maintainers have confirmed it by another way; then exempt calm 1.0.1 with the reason
    medium[build/new-build-script]: calm 1.0.1 gained a build script
      --> Cargo.lock:12
       = compared with 1.0.0; a compatible update
       = help: read build.rs in https://docs.rs/crate/calm/1.0.1/source/ before anything is built; accept or exempt it if it is what you want
            fail 1 high, 1 medium, 1 info; 2 not evaluated (-v shows the 1 of info)
    --- stdout
    ^ calm 1.0.0 → 1.0.1  2026-08-20, 12 days before; by alice → bob; new: build script; new dependencies: old
    - gone 1.0.0
    + old 1.0.0  2019-01-01, 2800 days before; by alice; licence MIT
    1 added, 1 updated, 1 removed
    ");
    assert_snapshot!(diff(&["--format", "markdown"]).stdout.replace(&before, "[REV]"), @r"
    ## Dependencies: `[REV]` → `the work tree`

    1 added, 1 updated, 1 removed

    ### Findings

    | severity | finding | package | what | what to do |
    |---|---|---|---|---|
    | high | `maintainer/takeover-pattern` | calm 1.0.1 | calm 1.0.0 -&gt; 1.0.1 looks like a takeover, score 5: published by bob (user 11) | stay on 1.0.0 (\`cargo update -p calm&#64;1.0.1 --precise 1.0.0\`) until somebody has read what changed and the maintainers have confirmed it by another way; then exempt calm 1.0.1 with the reason |
    | medium | `build/new-build-script` | calm 1.0.1 | calm 1.0.1 gained a build script | read build.rs in https://docs.rs/crate/calm/1.0.1/source/ before anything is built; accept or exempt it if it is what you want |
    | info | `maintainer/new-publisher` | calm 1.0.1 | calm 1.0.1 was published by bob (user 11), who never published it before | look who published calm 1.0.1, and whether the maintainers know |

    ### Changes

    | crate | version | published | publisher | what it brings |
    |---|---|---|---|---|
    | calm | 1.0.0 → 1.0.1 | 2026-08-20, 12 days before | alice → bob | new: build script; new dependencies: old |
    | gone | 1.0.0 |  |  |  |
    | old | 1.0.0 | 2019-01-01, 2800 days before | alice | licence MIT |
    ");
    let json = diff(&["--format", "json"]).json();
    let kinds: Vec<_> = json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["name"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [("updated", "calm"), ("removed", "gone"), ("added", "old")]);
    assert_eq!(json["changes"][0]["publisher"], "bob");
    diff(&["--format", "json", "--only", "lock"]);
    project.run(&["diff", &before, "--format", "sarif"]).expect(2);
}

#[test]
fn sides_of_every_kind() {
    let (project, before) = project();
    let after = project.commit("after");
    project.write("../elsewhere/Cargo.lock", project.read("Cargo.lock"));
    let count = |old: &str, new: &str| {
        let outcome = project.run(&["diff", old, new, "--format", "json", "--registry-snapshot", "../world"]).expect(0);
        outcome.json()["changes"].as_array().unwrap().len()
    };
    assert_eq!((count(&before, &after), count(&after, &before), count(&after, &after)), (3, 3, 0));
    assert_eq!((count(&before, "../elsewhere"), count("../elsewhere/Cargo.lock", &before)), (3, 3));
    // Two lockfiles need no workspace.
    let alone = project.command(&["diff", "elsewhere", "project/Cargo.lock", "--format", "json"]).cwd(project.root().to_owned());
    assert_eq!(alone.offline().run().expect(0).json()["changes"].as_array().unwrap().len(), 0);
    for wrong in ["nowhere", "../cargo"] {
        let outcome = project.run(&["diff", wrong]).expect(2);
        assert!(outcome.stderr.contains(wrong), "{outcome}");
    }
}
