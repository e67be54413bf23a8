//! What a change of Cargo.lock brings in, judged against the commit before it, and what the lockfile says of sources (ATTACKS.md sections 2
//! and 3). Most of it without cargo: `--only lock,sources` needs nothing but the lockfile and the manifests.

use insta::assert_snapshot;

use crate::support::{Outcome, Project, checksum, locked};

/// `check --only lock,sources` where there is neither cargo nor rustup nor anything else to start.
fn judged(project: &Project, more: &[&str]) -> Outcome {
    let arguments = [&["check", "--only", "lock,sources", "--format", "json"], more].concat();
    project.command(&arguments).offline().env("PATH", "/nowhere").without("RUSTUP_HOME").without("RUSTUP_TOOLCHAIN").run()
}

fn exemption(id: &str, package: &str) -> String {
    format!(
        "\n[[exemptions]]\nid = \"{id}\"\npackage = \"{package}\"\nreason = \"1.4.2 does not build on our target\"\nexpires = 2026-12-01\n"
    )
}

/// LCK-05, and its twin: the same with an exemption in the policy of the base.
#[test]
fn downgrade() {
    let project = Project::with_packages(&[("fig", "1.4.2")]);
    project.publish("fig", &[("1.4.0", ""), ("1.4.2", "")]);
    project.write("Cargo.toml", project.read("Cargo.toml").replace("\"1.4.2\"", "\"1.4\""));
    project.advisory_with("RUSTSEC-2026-0002", "fig", "2026-08-30", "", "patched = [\">= 1.4.1\"]");
    project.commit("c");
    let check = |project: &Project| project.run(&["check", "--base", "main", "--format", "json"]);
    assert!(check(&project).expect(0).findings().is_empty());
    let back = project.read("Cargo.lock").replace("1.4.2", "1.4.0").replace(&checksum("fig", "1.4.2"), &checksum("fig", "1.4.0"));
    project.write("Cargo.lock", back);
    let found = check(&project).expect(1);
    assert_eq!(found.findings(), ["high advisory/vulnerability fig 1.4.0", "medium lock/downgrade fig 1.4.0"]);
    assert_eq!(found.finding("lock/downgrade")["evidence"][0], "locked at main: 1.4.2");
    // Without cargo, too; and without a base there is nothing to go back from.
    assert_eq!(judged(&project, &["--base", "main"]).expect(0).findings(), ["medium lock/downgrade fig 1.4.0"]);
    assert!(judged(&project, &[]).expect(0).findings().is_empty());

    let project = Project::with_packages(&[("fig", "1.4.2")]);
    project.publish("fig", &[("1.4.0", ""), ("1.4.2", "")]);
    project.write("Cargo.toml", project.read("Cargo.toml").replace("\"1.4.2\"", "\"1.4\""));
    project.append("supplychain.toml", &exemption("lock/downgrade", "fig"));
    project.commit("c");
    let back = project.read("Cargo.lock").replace("1.4.2", "1.4.0").replace(&checksum("fig", "1.4.2"), &checksum("fig", "1.4.0"));
    project.write("Cargo.lock", back);
    let accepted = check(&project).expect(0);
    assert!(accepted.findings().is_empty());
    assert_eq!(accepted.report()["exempted"][0]["id"], "lock/downgrade", "{accepted}");
}

/// NAM-03.
#[test]
fn private_name_from_crates_io() {
    const CORP: &str = "sparse+https://registry.example.org/index/";
    let project = Project::with_packages(&[("corp-auth", "99.0.0")]);
    project.write(".cargo/config.toml", format!("[registries.corp]\nindex = \"{CORP}\"\n"));
    project.write("Cargo.toml", project.read("Cargo.toml").replace("\"99.0.0\"", "\">=1, <100\""));
    assert!(project.check().expect(0).findings().is_empty(), "nobody has said that the name is private");
    project.append("supplychain.toml", "\n[rules]\n\"source/private-name-from-public\" = { private-names = [\"corp-*\"] }\n");
    let critical = ["critical source/private-name-from-public corp-auth 99.0.0"];
    assert_eq!(project.check().expect(1).findings(), critical);
    let found = judged(&project, &[]).expect(1);
    assert_eq!(found.findings(), critical);
    let places = &found.finding("source/private-name-from-public")["locations"];
    let files: Vec<_> = places.as_array().unwrap().iter().map(|place| place["file"].as_str().unwrap_or_default()).collect();
    assert_eq!(files, ["Cargo.lock", "Cargo.toml"], "{places}");

    let lock = project.read("Cargo.lock").replace("registry+https://github.com/rust-lang/crates.io-index", CORP);
    project.write("Cargo.lock", lock);
    let manifest = project.read("Cargo.toml").replace("\">=1, <100\"", "{ version = \">=1, <100\", registry = \"corp\" }");
    project.write("Cargo.toml", manifest);
    project.append("supplychain.toml", &format!("\"source/registry-not-allowed\" = {{ allow = [\"{CORP}\"] }}\n"));
    assert!(judged(&project, &[]).expect(0).findings().is_empty());
}

const OLD: &str = "0123456789012345678901234567890123456789";
const NEW: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// An `app` with a git dependency `gd`, locked at a commit.
fn with_git(requirement: &str, reference: &str, revision: &str) -> Project {
    let project = Project::app();
    project.append("Cargo.toml", &format!("\n[dependencies]\ngd = {{ git = \"https://example.org/gd\", {requirement} }}\n"));
    let app = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"gd\",\n]\n";
    let gd = format!(
        "\n[[package]]\nname = \"gd\"\nversion = \"1.0.0\"\nsource = \"git+https://example.org/gd?{reference}#{revision}\"\n"
    );
    project.write("Cargo.lock", format!("{app}{gd}"));
    project.commit("c");
    project
}

/// NAM-05.
#[test]
fn git_dependency_on_a_branch() {
    let project = with_git("branch = \"rel\"", "branch=rel", OLD);
    let not_pinned = "medium source/git-not-pinned";
    assert_eq!(judged(&project, &["--base", "main"]).expect(0).findings(), [not_pinned]);
    project.write("Cargo.lock", project.read("Cargo.lock").replace(OLD, NEW));
    let found = judged(&project, &["--base", "main"]).expect(0);
    assert_eq!(found.findings(), ["medium lock/git-rev-moved gd 1.0.0", not_pinned]);
    assert_eq!(found.finding("lock/git-rev-moved")["evidence"][0], format!("{OLD}..{NEW}"));
    judged(&project, &["--base", "main", "--fail-on", "medium"]).expect(1);

    let project = with_git(&format!("rev = \"{OLD}\""), &format!("rev={OLD}"), OLD);
    assert!(judged(&project, &["--base", "main"]).expect(0).findings().is_empty());
    // Cargo builds what stands after `#`, whatever the manifest pins.
    project.write("Cargo.lock", project.read("Cargo.lock").replace(&format!("#{OLD}"), &format!("#{NEW}")));
    let found = judged(&project, &["--base", "main"]).expect(1).findings();
    assert!(found.contains(&"high source/git-rev-unreachable gd 1.0.0".to_owned()), "{found:?}");
}

/// A commit that the branch no longer leads to, by what cargo itself has fetched; the twin is the same before the branch was rewritten.
#[test]
fn commit_on_no_branch() {
    let project = Project::app();
    project.write("../up/Cargo.toml", "[package]\nname = \"gd\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n");
    project.write("../up/src/lib.rs", "");
    project.commit_beside("up", "rel");
    let url = format!("file://{}/up", project.root());
    project.append("Cargo.toml", &format!("\n[dependencies]\ngd = {{ git = \"{url}\", branch = \"rel\" }}\n"));
    project.plain_cargo(&["generate-lockfile"]);
    let before = project.read("Cargo.lock");
    assert!(before.contains("branch=rel#"), "{before}");
    assert_eq!(judged(&project, &[]).expect(0).findings(), ["medium source/git-not-pinned"]);

    std::fs::remove_dir_all(project.root().join("up/.git")).unwrap();
    project.write("../up/src/lib.rs", "// other history\n");
    project.commit_beside("up", "rel");
    project.plain_cargo(&["update"]);
    assert_ne!(project.read("Cargo.lock"), before, "cargo has fetched the new branch");
    project.write("Cargo.lock", before);
    let found = judged(&project, &[]).expect(1);
    assert_eq!(found.findings(), ["high source/git-rev-unreachable gd 1.0.0", "medium source/git-not-pinned"]);
}

/// NAM-07: through a link inside of the workspace; the twin leads to a member.
#[cfg(unix)]
#[test]
fn path_dependency_through_a_link() {
    let lock = |name: &str| {
        let app = format!("version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"{name}\",\n]\n");
        format!("{app}\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n")
    };
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
    let project = Project::app();
    project.write("../outside/Cargo.toml", package("outside"));
    project.write("../outside/src/lib.rs", "");
    project.append("Cargo.toml", "\n[dependencies]\noutside = { path = \"libs/x\" }\n\n[workspace]\n");
    project.write("libs/README", "");
    std::os::unix::fs::symlink(project.root().join("outside"), project.path("libs/x")).unwrap();
    project.write("Cargo.lock", lock("outside"));
    for found in [judged(&project, &[]), project.check()] {
        let found = found.expect(1);
        assert_eq!(found.findings(), ["high source/path-outside-workspace"], "{found}");
        let message = found.finding("source/path-outside-workspace")["message"].as_str().unwrap().to_owned();
        assert!(message.contains("libs/x, a link to /"), "{message}");
    }

    let project = Project::app();
    project.write("libs/inside/Cargo.toml", package("inside"));
    project.write("libs/inside/src/lib.rs", "");
    project.append("Cargo.toml", "\n[dependencies]\ninside = { path = \"libs/inside\" }\n\n[workspace]\n");
    project.write("Cargo.lock", lock("inside"));
    for found in [judged(&project, &[]), project.check()] {
        assert!(found.expect(0).findings().is_empty());
    }
}

/// LCK-08 where nobody can ask cargo.
#[test]
fn out_of_date_without_cargo() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    assert!(judged(&project, &[]).expect(0).findings().is_empty());
    project.append("Cargo.toml", "grape = \"0.1\"\n");
    assert_eq!(judged(&project, &[]).expect(1).findings(), ["high lock/out-of-date"]);
    let shown = project.command(&["check", "--only", "lock,sources"]).offline().env("PATH", "/nowhere").run().expect(1).text();
    assert_snapshot!(shown, @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    high[lock/out-of-date]: Cargo.lock does not satisfy the manifests: `--locked` would fail
      --> Cargo.toml:9:1
       = `app` asks for grape 0.1, which it does not lock
       = help: run `cargo update --workspace`, look at the difference and commit it
            fail 1 high; 2 not evaluated
    ");
    // Cargo is of the same opinion.
    assert_eq!(project.check().expect(1).findings(), ["high lock/out-of-date"]);
}

#[test]
fn parked_entries() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.append("Cargo.lock", &locked("parked", "0.1.7"));
    project.publish("parked", &[("0.1.7", "")]);
    assert_eq!(judged(&project, &[]).expect(0).findings(), ["medium lock/not-minimal parked 0.1.7"]);
    assert_eq!(project.check().expect(1).findings(), ["high lock/out-of-date", "medium lock/not-minimal parked 0.1.7"]);
}

#[test]
fn bans_and_duplicates() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project
        .append("supplychain.toml", "\n[bans]\ndeny = [{ name = \"f*\", version = \"<1.3\", reason = \"old\" }, \"nobody\"]\n");
    let found = judged(&project, &[]).expect(1);
    assert_eq!(found.findings(), ["high dep/banned fig 1.2.3"]);
    assert_eq!(found.finding("dep/banned")["evidence"][0], "needed by app 1.0.0");
    project.write("supplychain.toml", project.read("supplychain.toml").replace("reason = \"old\"", "wrappers = [\"app\"]"));
    assert!(judged(&project, &[]).expect(0).findings().is_empty());
    project.write("supplychain.toml", project.read("supplychain.toml").replace("wrappers", "wrapers"));
    judged(&project, &[]).expect(2);
}
