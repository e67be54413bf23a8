//! Rows of ATTACKS.md section 5 beside those that run code in `tripwires.rs`: each way to write a setting at each place where cargo looks
//! for it, and what is recorded of a build. [`crate::support::Command::run`] asserts of every analysis that nothing was executed.

use std::fs;

use crate::support::{Project, files_of};

const COMPILER: &str = "config/compiler-override";

/// `check` finds exactly this, `sbom` and `diff` run beside it; none springs the trap.
#[track_caller]
fn assert_found(project: &Project, code: i32, expected: &[&str], what: &str) {
    let check = project.check().expect(code);
    assert_eq!(check.findings(), expected, "{what}: {check}");
    project.run(&["sbom"]).expect(0);
    project.run(&["diff", "Cargo.lock", "Cargo.lock"]).expect(0);
    assert!(!project.tripwire().exists(), "{what}");
}

/// CFG-01, CFG-02: every key at every place.
#[test]
fn compilers_at_every_place() {
    for key in [
        "build.rustc-wrapper = \"{trap}\"\n",
        "build.rustc = \"{trap}\"\n",
        "[build]\n\"rustc\\u002dworkspace-wrapper\" = \"{trap}\"\n",
        "env = { RUSTC_WRAPPER = { value = \"{trap}\", force = true } }\n",
    ] {
        for (place, severity) in [
            (".cargo/config", "critical"),
            (".cargo/config.toml", "critical"),
            ("../.cargo/config.toml", "critical"),
            ("../.cargo/config", "critical"),
            ("included.toml", "critical"),
            ("../cargo/config.toml", "low"),
            ("../cargo/config", "low"),
        ] {
            let project = Project::app();
            let trap = project.trap("tools/trap");
            if place == "included.toml" {
                project.write(".cargo/config.toml", "include = [{ path = \"../included.toml\", optional = true }]\n");
            }
            project.write(place, key.replace("{trap}", trap.as_str()));
            let found = format!("{severity} {COMPILER}");
            assert_found(&project, i32::from(severity == "critical"), &[&found], &format!("{key} in {place}"));
            let file = project.check().finding(COMPILER)["locations"][0]["file"].as_str().unwrap_or_default().to_owned();
            assert!(file.ends_with(place.trim_start_matches("../").trim_start_matches("cargo/")), "{place}: {file}");
        }
    }
    // Twin: settings of no consequence at all these places.
    let project = Project::app();
    for place in [".cargo/config.toml", "../.cargo/config", "../cargo/config.toml"] {
        project.write(place, "[term]\nquiet = false\n[net]\nretry = 3\n");
    }
    assert_found(&project, 0, &[], "twin");
}

/// CFG-03: cargo takes another package for a locked one, and the lockfile does not change.
#[test]
fn paths_override() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    let components = project.run(&["sbom"]).expect(0).json()["components"].clone();
    assert_eq!(components[0]["purl"], "pkg:cargo/fig@1.2.3", "{components}");
    for (path, text) in files_of("fig", "1.2.3") {
        project.write(&format!("../evil/{path}"), text);
    }
    project.write(".cargo/config.toml", "paths = [\"../evil\"]\n");
    assert_eq!(project.check().expect(1).findings(), ["critical config/source-override"]);
    project.run(&["build", "--no-sign"]).expect(1);
    assert!(!project.path("target").exists());
    // What is not what is compiled is not listed: no crates.io identity, no digest of its package.
    for arguments in [&["sbom"][..], &["build", "--no-sign", "--fail-on", "none"]] {
        let refused = project.run(arguments).expect(4);
        assert!(!refused.stdout.contains("pkg:cargo/fig") && project.releases().is_empty(), "{refused}");
        assert!(refused.stderr.contains("`paths` of .cargo/config.toml:1:1 puts other packages in the place"), "{refused}");
    }
    // Twin: an empty list replaces nothing.
    project.write(".cargo/config.toml", "paths = []\n");
    assert_eq!(project.check().expect(0).findings(), Vec::<String>::new());
    assert_eq!(project.run(&["sbom"]).expect(0).json()["components"], components);
}

/// CFG-05: each setting by itself stops; what is common is low.
#[test]
fn tools_of_the_build() {
    let host = "x86_64-unknown-linux-gnu";
    for (text, severity) in [
        (format!("[target.{host}]\nlinker = \"tools/ld\"\n"), "high"),
        (format!("[target.{host}]\nlinker = \"./clang\"\n"), "high"),
        (format!("[target.{host}]\nrunner = \"tools/run\"\n"), "high"),
        ("[build]\nrustflags = [\"-C\", \"link-arg=tools/x.o\"]\n".to_owned(), "high"),
        ("[build]\nrustflags = [\"--codegen\", \"linker=tools/ld\"]\n".to_owned(), "high"),
        ("[build]\nrustflags = \"-Clinker=tools/ld\"\n".to_owned(), "high"),
        ("[build]\nrustflags = [\"--cfg\", \"x\"]\n".to_owned(), "high"),
        ("[build]\nrustflags = [\"-Zunstable-options\"]\n".to_owned(), "high"),
        ("[target.'cfg(all())']\nrustflags = [\"@tools/args\"]\n".to_owned(), "high"),
        ("[env]\nLD_PRELOAD = \"tools/x.so\"\n".to_owned(), "high"),
        ("[env]\nRUSTC_BOOTSTRAP = \"1\"\n".to_owned(), "high"),
        ("[env]\nCC = { value = \"tools/cc\", relative = true }\n".to_owned(), "high"),
        ("[env]\nLIBRARY_PATH = \"tools\"\n".to_owned(), "high"),
        (format!("[target.{host}]\nlinker = \"clang\"\n"), "low"),
        ("[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n".to_owned(), "low"),
    ] {
        let project = Project::app();
        project.write(".cargo/config.toml", &text);
        let found = format!("{severity} config/build-tool-override");
        assert_eq!(project.check().expect(i32::from(severity == "high")).findings(), [found], "{text}");
    }
}

/// CFG-07: the binary is called directly; an alias of another name, and one that leads to us, is nobody's harm.
#[test]
fn an_alias_that_disarms_us() {
    for alias in ["supplychain = \"version\"", "\"supplychain\" = [\"version\"]"] {
        let project = Project::app();
        project.write(".cargo/config.toml", format!("[alias]\n{alias}\n"));
        assert_found(&project, 1, &["critical config/alias-shadows-tool"], alias);
    }
    let project = Project::app();
    project.write(".cargo/config.toml", "[alias]\nb = \"build\"\n");
    assert_found(&project, 0, &[], "twin");
}

/// CFG-10: told, and recorded by the build.
#[test]
fn a_profile_of_the_configuration() {
    let project = Project::app();
    project.write(".cargo/config.toml", "[profile.release]\noverflow-checks = true\nstrip = true\ndebug = 1\n");
    assert_found(&project, 0, &["low config/profile-override"], "profile");
    project.run(&["build", "--no-sign"]).expect(0);
    let evidence: serde_json::Value =
        serde_json::from_slice(&fs::read(project.release().join("evidence/build.json")).unwrap()).unwrap();
    let recorded = serde_json::json!({
        "profile.release.debug": "1", "profile.release.overflow-checks": "true", "profile.release.strip": "true"
    });
    assert_eq!(evidence["invocation"]["profile_overrides"], recorded);
}
