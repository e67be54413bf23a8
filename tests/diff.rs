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
    undetermined[maintainers]: owners and publishers: not part of this version
       = help: leave `maintainers` out of `--only`, `--require` and `[rules] require`, or check it otherwise
    undetermined[capabilities]: new build scripts and proc macros: not part of this version
       = help: leave `capabilities` out of `--only`, `--require` and `[rules] require`, or check it otherwise
    undetermined no findings; 2 not evaluated
    --- stdout
    ^ calm 1.0.0 → 1.0.1  2026-08-20, 12 days before; new dependencies: old
    - gone 1.0.0
    + old 1.0.0  2019-01-01, 2800 days before
    1 added, 1 updated, 1 removed
    ");
    assert_snapshot!(diff(&["--format", "markdown"]).stdout.replace(&before, "[REV]"), @"
    ## Dependencies: `[REV]` → `the work tree`

    1 added, 1 updated, 1 removed

    ### Changes

    | crate | version | published | publisher | what it brings |
    |---|---|---|---|---|
    | calm | 1.0.0 → 1.0.1 | 2026-08-20, 12 days before |  | new dependencies: old |
    | gone | 1.0.0 |  |  |  |
    | old | 1.0.0 | 2019-01-01, 2800 days before |  |  |
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
