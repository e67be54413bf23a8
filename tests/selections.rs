//! What is built and described for which arguments of `cargo build`: kinds of artifacts, packages, binaries, features, resolvers.

use std::collections::BTreeSet;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::line::{components, names};
use crate::support::{POLICY, Project, files};

/// `(folder, rest of [package] and below, sources)`
type Package<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// A workspace of path packages; the lockfile is made by cargo itself.
fn workspace(root: &str, packages: &[Package<'_>]) -> Project {
    let project = Project::empty();
    project.write("Cargo.toml", root);
    for (name, manifest, sources) in packages {
        let head =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n{manifest}");
        project.write(&format!("{name}/Cargo.toml"), head);
        for (path, text) in *sources {
            project.write(&format!("{name}/{path}"), text);
        }
    }
    project.write("supplychain.toml", POLICY);
    project.advisory("RUSTSEC-2026-0001", "nothing", "2026-08-31", "");
    assert!(!project.is_sprung_by_cargo(&["generate-lockfile", "--offline"]));
    assert!(project.path("Cargo.lock").is_file());
    project
}

fn artifacts(project: &Project) -> Vec<String> {
    let release = project.release();
    files(&release).into_iter().filter_map(|path| path.strip_prefix("artifacts/").map(str::to_owned)).collect()
}

const MAIN: (&str, &str) = ("src/main.rs", "fn main() {}\n");

#[test]
fn libraries_of_every_kind() {
    let library = ("src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn answer() -> i32 { 42 }\n");
    let rust = ("src/lib.rs", "pub fn answer() -> i32 { 42 }\n");
    let project = workspace(
        "[workspace]\nresolver = \"2\"\nmembers = [\"both\", \"plain\"]\n",
        &[("both", "[lib]\ncrate-type = [\"cdylib\", \"staticlib\"]\n", &[library]), ("plain", "description = \"x\"\n", &[rust])],
    );
    project.run(&["build", "--no-sign", "-p", "both"]).expect(0);
    assert_eq!(artifacts(&project), ["libboth.a", "libboth.so"]);
    fs::remove_dir_all(project.release()).unwrap();
    project.run(&["build", "--no-sign", "-p", "plain"]).expect(0);
    assert_eq!(artifacts(&project), ["plain-0.1.0.crate"]);
    assert!(components(&project.release(), "plain").is_empty());
}

fn two_binaries() -> Project {
    let features = "[features]\ndefault = []\nextra = [\"dep:addition\"]\n[dependencies]\naddition = { path = \"../addition\", optional = true }\n";
    let binaries = "[[bin]]\nname = \"first\"\npath = \"src/main.rs\"\n[[bin]]\nname = \"second\"\npath = \"src/second.rs\"\n[[bin]]\nname = \"third\"\npath = \"src/main.rs\"\nrequired-features = [\"extra\"]\n";
    workspace(
        "[workspace]\nresolver = \"2\"\nmembers = [\"tools\", \"addition\", \"server\"]\n",
        &[
            ("tools", &format!("{features}{binaries}"), &[MAIN, ("src/second.rs", "fn main() {}\n")]),
            ("addition", "", &[("src/lib.rs", "")]),
            ("server", "", &[MAIN]),
        ],
    )
}

#[test]
fn packages_binaries_and_features() {
    let project = two_binaries();
    let none = BTreeSet::new();
    let addition = BTreeSet::from(["addition".to_owned()]);
    for (arguments, built, of_first) in [
        (&["-p", "tools"][..], &["first", "second"][..], &none),
        (&["-p", "tools", "--bin", "first"], &["first"], &none),
        (&["--bin", "first", "--bin", "server", "--workspace"], &["first", "server"], &none),
        (&["-p", "tools", "--features", "extra"], &["first", "second", "third"], &addition),
        (&["-p", "tools", "--all-features", "--bins"], &["first", "second", "third"], &addition),
        (
            &["--workspace", "--exclude", "server", "--bins", "--features", "tools/extra"],
            &["first", "second", "third"],
            &addition,
        ),
    ] {
        let mut build = vec!["build", "--no-sign"];
        build.extend(arguments);
        project.run(&build).expect(0);
        assert_eq!(artifacts(&project), built, "{arguments:?}");
        assert_eq!(&components(&project.release(), "first"), of_first, "{arguments:?}");
        fs::remove_dir_all(project.release()).unwrap();
    }
    // From a member's folder, the member is what is meant.
    project.command(&["build", "--no-sign", "--offline"]).cwd(project.path("server")).run().expect(0);
    assert_eq!(artifacts(&project), ["server"]);
    let sbom = project.command(&["sbom", "--offline"]).cwd(project.path("server")).run().expect(0).json();
    assert_eq!(sbom["metadata"]["component"]["name"], "server");
}

#[test]
fn one_sbom_or_a_folder_of_them() {
    let project = two_binaries();
    assert_snapshot!(project.run(&["sbom", "-p", "tools"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: the selection has 2 artifacts: first.cdx.json, second.cdx.json
help: write one file each with --output DIR, or select one with --bin NAME
");
    project.run(&["sbom", "--workspace", "--output", "sboms", "--format-sbom", "spdx-json"]).expect(0);
    let names: Vec<_> = files(&project.path("sboms"));
    assert_eq!(names, ["first.spdx.json", "second.spdx.json", "server.spdx.json"]);
    assert_eq!(project.json("sboms/server.spdx.json")["spdxVersion"], "SPDX-2.3");
}

#[test]
fn configuration_on_the_command_line_is_judged_and_passed_on() {
    let project = Project::app();
    let arguments = ["--config", "profile.release.opt-level=1", "--sandbox", "off", "--format", "json"];
    let outcome = project.run(&[&["build", "--no-sign"], &arguments[..]].concat()).expect(0);
    assert_eq!(outcome.findings(), ["low config/profile-override"]);
    let build: Value = serde_json::from_slice(&fs::read(project.release().join("evidence/build.json")).unwrap()).unwrap();
    assert_eq!(
        build["invocation"]["arguments"],
        serde_json::json!(["--profile", "release", "--config", "profile.release.opt-level=…"])
    );
    let wrapper = format!("build.rustc-wrapper={:?}", project.trap("../wrapper"));
    let outcome = project.run(&["build", "--no-sign", "--config", &wrapper, "--format", "json"]).expect(1);
    assert_eq!(outcome.findings(), ["critical config/compiler-override"]);
    assert!(!project.tripwire().exists());
}

#[test]
fn profiles_and_other_arguments_of_cargo_reach_it() {
    let project = Project::app();
    project.append("Cargo.toml", "[profile.dist]\ninherits = \"release\"\nopt-level = 0\n");
    project.run(&["build", "--no-sign", "--profile", "dist", "-j", "1", "--keep-going"]).expect(0);
    let build: Value = serde_json::from_slice(&fs::read(project.release().join("evidence/build.json")).unwrap()).unwrap();
    assert_eq!(build["invocation"]["profile"], "dist");
    assert!(project.path("target/supplychain/.build/dist/app").is_file());
}

/// The Cargo Book, "Features": resolver 1 unifies the features of a package that both a build script and the binary use, resolver 2
/// does not. `shared` turns on `extra` only for the build script; with resolver 1 the binary links `extra` too.
#[test]
fn resolvers_split_host_and_target_as_cargo_does() {
    for (resolver, expected) in [("1", "extra, shared"), ("2", "extra (build), shared")] {
        let project = workspace(
            &format!("[workspace]\nresolver = \"{resolver}\"\nmembers = [\"tool\", \"shared\", \"extra\"]\n"),
            &[
                (
                    "tool",
                    "[dependencies]\nshared = { path = \"../shared\" }\n[build-dependencies]\nshared = { path = \"../shared\", features = [\"more\"] }\n",
                    &[MAIN, ("build.rs", "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }\n")],
                ),
                (
                    "shared",
                    "[features]\nmore = [\"dep:extra\"]\n[dependencies]\nextra = { path = \"../extra\", optional = true }\n",
                    &[("src/lib.rs", "")],
                ),
                ("extra", "", &[("src/lib.rs", "")]),
            ],
        );
        project.run(&["build", "--no-sign", "-p", "tool"]).expect(0);
        let found: Vec<_> = components(&project.release(), "tool").into_iter().collect();
        assert_eq!(found.join(", "), expected, "resolver {resolver}");
        // Without a build the plan says the same.
        let sbom = project.run(&["sbom", "-p", "tool"]).expect(0).json();
        let planned = names(&sbom);
        assert_eq!(planned.into_iter().collect::<Vec<_>>().join(", "), expected, "resolver {resolver}, planned");
    }
}

/// `package [features]` of what the plan links into the only artifact.
fn linked(project: &Project, arguments: &[&str]) -> String {
    let plan = project.run(&[&["build", "--dry-run", "--format", "json"], arguments].concat()).expect(0).json();
    let uses = plan["plan"]["artifacts"][0]["linked"].as_array().unwrap().clone();
    let shown = uses.iter().map(|one| {
        let name = one["purl"].as_str().unwrap().trim_start_matches("pkg:cargo/").split('@').next().unwrap();
        let features: Vec<_> = one["features"].as_array().unwrap().iter().map(|feature| feature.as_str().unwrap()).collect();
        format!("{name} [{}]", features.join(" "))
    });
    shown.collect::<Vec<_>>().join(", ")
}

const LIB: (&str, &str) = ("src/lib.rs", "");

/// Cases in which tests/trial/selections.py found other answers than cargo's unit graph.
#[test]
fn features_are_unified_as_cargo_does() {
    let shared = ("shared", "[features]\nx = []\ny = []\n", &[LIB][..]);
    let tool = "[features]\nf = []\n[dependencies]\nshared = { path = \"../shared\" }\n[dev-dependencies]\nother = { path = \"../other\" }\n";
    let other = "[features]\nf = []\n[dependencies]\nshared = { path = \"../shared\", features = [\"x\"] }\n";
    let packages = [("tool", tool, &[MAIN][..]), ("other", other, &[LIB]), shared];
    // Before resolver 2, dev-dependencies count without any test; in a virtual workspace features go to every selected member.
    for (resolver, arguments, expected) in [
        ("1", &["-p", "tool"][..], "shared [x], tool []"),
        ("2", &["-p", "tool"], "shared [], tool []"),
        ("2", &["-p", "tool", "--tests", "--bins"], "shared [x], tool []"),
        ("1", &["-p", "tool", "--features", "f"], "shared [x], tool [f]"),
        ("2", &["-p", "tool", "--features", "shared/y"], "shared [y], tool []"),
    ] {
        let root = format!("[workspace]\nresolver = \"{resolver}\"\nmembers = [\"tool\", \"other\", \"shared\"]\n");
        assert_eq!(linked(&workspace(&root, &packages), arguments), expected, "resolver {resolver}: {arguments:?}");
    }
    // Before resolver 2, the package of the working folder takes part even where another is selected.
    let root = "[package]\nname = \"root\"\nversion = \"0.1.0\"\nedition = \"2018\"\n[lib]\npath = \"shared/src/lib.rs\"\n[features]\nf = [\"shared/y\"]\n[dependencies]\nshared = { path = \"shared\" }\n[workspace]\nmembers = [\"tool\", \"other\", \"shared\"]\n";
    let project = workspace(root, &packages);
    assert_eq!(linked(&project, &["-p", "tool", "--features", "f"]), "shared [x y], tool []");
    assert_eq!(linked(&project, &["-p", "tool", "--features", "tool/f"]), "shared [x], tool [f]");
}

/// A feature of a package that is no member may bring what all features of the members do not.
#[test]
fn features_of_dependencies_bring_their_own() {
    let project = workspace(
        "[workspace]\nresolver = \"2\"\nmembers = [\"tool\"]\nexclude = [\"outside\", \"further\"]\n",
        &[
            ("tool", "[dependencies]\noutside = { path = \"../outside\" }\nfurther = { path = \"../further\" }\n", &[MAIN]),
            (
                "outside",
                "[features]\nx = [\"dep:further\"]\n[dependencies]\nfurther = { path = \"../further\", optional = true, features = [\"y\"] }\n",
                &[LIB],
            ),
            ("further", "[features]\ny = []\n", &[LIB]),
        ],
    );
    assert_eq!(linked(&project, &["-p", "tool"]), "further [], outside [], tool []");
    assert_eq!(linked(&project, &["-p", "tool", "--features", "outside/x"]), "further [y], outside [x], tool []");
}
