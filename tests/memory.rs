//! What is remembered of cargo's answers is never older than what determined them: after each change, a run with the memory of the run
//! before says what a run without any memory says.

use std::fs;

use serde_json::Value;

use crate::support::{POLICY, Project};

fn plan(project: &Project, cache: &str) -> Value {
    let cache = project.root().join(cache);
    let arguments = ["build", "--offline", "--dry-run", "--workspace", "--format", "json", "--cache-dir", cache.as_str()];
    let outcome = project.command(&arguments).run();
    // The stages have times of their own.
    let mut value = outcome.json();
    value.as_object_mut().unwrap().remove("stages");
    value
}

fn workspace() -> Project {
    let project = Project::empty();
    project.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"2\"\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"1.0.0\"\n",
    );
    project.write(
        "crates/app/Cargo.toml",
        "[package]\nname = \"app\"\nversion.workspace = true\nedition = \"2021\"\n[features]\ndefault = []\nextra = [\"dep:lib\"]\n[dependencies]\nlib = { path = \"../lib\", optional = true }\n",
    );
    project.write("crates/app/src/main.rs", "fn main() {}\n");
    project.write("crates/lib/Cargo.toml", "[package]\nname = \"lib\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
    project.write("crates/lib/src/lib.rs", "");
    project.write("supplychain.toml", POLICY);
    project.advisory("RUSTSEC-2026-0001", "nothing", "2026-08-31", "");
    assert!(!project.is_sprung_by_cargo(&["generate-lockfile", "--offline"]));
    project
}

type Change = fn(&Project);

#[test]
fn an_answer_is_not_remembered_past_a_change() {
    let changes: [(&str, Change); 11] = [
        ("a feature", |project| {
            let text = project.read("crates/app/Cargo.toml").replace("default = []", "default = [\"extra\"]");
            project.write("crates/app/Cargo.toml", text);
        }),
        ("a binary", |project| project.write("crates/app/src/bin/second.rs", "fn main() {}\n")),
        ("a binary in a folder", |project| {
            project.write("crates/app/src/bin/third/main.rs", "fn main() {}\n");
        }),
        ("a folder becomes a binary", |project| {
            project.write("crates/app/src/bin/fourth/part.rs", "");
            plan(project, "cache");
            project.write("crates/app/src/bin/fourth/main.rs", "fn main() {}\n");
        }),
        ("a member", |project| {
            project.write("crates/new/Cargo.toml", "[package]\nname = \"new\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
            project.write("crates/new/src/main.rs", "fn main() {}\n");
            project.append("Cargo.lock", "\n[[package]]\nname = \"new\"\nversion = \"1.0.0\"\n");
        }),
        ("the workspace's version", |project| {
            project.write("Cargo.toml", project.read("Cargo.toml").replace("1.0.0", "1.1.0"));
            project.write("Cargo.lock", project.read("Cargo.lock").replacen("version = \"1.0.0\"", "version = \"1.1.0\"", 1));
        }),
        ("a build script", |project| project.write("crates/app/build.rs", "fn main() {}\n")),
        ("a stale lockfile", |project| {
            project.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n");
        }),
        ("no library", |project| fs::remove_file(project.path("crates/lib/src/lib.rs")).unwrap()),
        ("another resolver", |project| {
            project.write("Cargo.toml", project.read("Cargo.toml").replace("\"2\"", "\"1\""));
        }),
        ("configuration of the user", |project| {
            project.write("../cargo/config.toml", "build.target = \"wasm32-unknown-unknown\"\n");
        }),
    ];
    for (name, change) in changes {
        let project = workspace();
        let before = plan(&project, "cache");
        assert!(plan(&project, "cache") == before, "{name}: remembered, it is the same");
        change(&project);
        let after = plan(&project, "cache");
        assert!(after == plan(&project, "fresh"), "{name}: {after:#}");
        // A resolver makes no difference to so small a workspace; everything else does.
        assert!(after != before || name == "another resolver", "{name} changes nothing");
    }
}

#[test]
fn in_ci_nothing_is_remembered() {
    let project = workspace();
    project.command(&["check", "--offline"]).env("CI", "true").run().expect(0);
    assert!(!project.root().join("cache/cargo-supplychain/memo").exists());
    project.command(&["check", "--offline"]).run().expect(0);
    assert!(project.root().join("cache/cargo-supplychain/memo").exists());
}
