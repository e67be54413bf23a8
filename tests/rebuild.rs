//! The same sources in other folders: fixed names for the machine's folders, a second build, and a release that is built again by
//! somebody else. The projects have no dependencies, so that a build takes half a second.

use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use crate::line::statement;
use crate::support::Project;

/// A binary whose check can be weakened by whoever compiles it.
const MAIN: &str = r#"#[inline(never)]
fn check(number: u32) -> bool {
    if cfg!(tampered) { number > 3 } else { number == 42 }
}

fn main() {
    let number = std::env::args().count() as u32;
    if cfg!(own) {
        println!("the project's own flag is kept");
    }
    assert!(check(number), "refused");
}
"#;

fn app() -> Project {
    let project = Project::app();
    project.write("src/main.rs", MAIN);
    project.write(".gitignore", "/target\n");
    project
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn internal(release: &Utf8Path) -> Value {
    statement(&release.join("attestations/app.provenance.sigstore.json"))["predicate"]["buildDefinition"]["internalParameters"]
        .clone()
}

#[test]
fn no_folder_of_the_machine_is_in_what_is_compiled() {
    let project = app();
    project.run(&["build", "--profile", "dev", "--clean"]).expect(0);
    let release = project.release();
    let binary = fs::read(release.join("artifacts/app")).unwrap();
    assert!(!contains(&binary, project.root().as_str()));
    assert!(contains(&binary, "/workspace"));
    let said = internal(&release);
    assert_eq!(said["pathRemapping"]["workspace"], "/workspace");
    assert_eq!(said["pathRemapping"]["c"], "not needed");
    assert_eq!(said["rustflags"], serde_json::json!([]));

    // The twin: switched off, they are in it, and the provenance does not claim otherwise.
    project.append("supplychain.toml", "\n[build]\nremap-paths = false\n");
    project.run(&["build", "--profile", "dev", "--clean"]).expect(0);
    assert!(contains(&fs::read(release.join("artifacts/app")).unwrap(), project.root().as_str()));
    assert_eq!(internal(&release)["pathRemapping"], Value::Null);
}

/// Sources of the registry lie behind two links here: `CARGO_HOME` is one, and in it the folder of the index is another.
#[cfg(unix)]
#[test]
fn packages_behind_links_have_fixed_names() {
    let project = Project::example("minimal");
    let linked = project.root().join("linked");
    std::os::unix::fs::symlink(project.cargo_home(), &linked).unwrap();
    let index = project.cargo_home().join("registry/src").read_dir_utf8().unwrap().next().unwrap().unwrap().path().to_owned();
    let real = index.canonicalize_utf8().unwrap();
    let build = ["build", "--profile", "dev", "--clean"];
    project.command(&build).offline().env("CARGO_HOME", linked.as_str()).run().expect(0);
    let release = project.release();
    let file = release.join("artifacts").read_dir_utf8().unwrap().next().unwrap().unwrap().path().to_owned();
    let binary = fs::read(file).unwrap();
    assert!(contains(&binary, "/cargo/registry/src/"));
    for folder in [project.root(), &real] {
        assert!(!contains(&binary, folder.as_str()), "{folder}");
    }
}

#[test]
fn flags_of_the_project_are_kept() {
    let project = app();
    for (config, variable) in [
        ("[build]\nrustflags = [\"--cfg\", \"own\"]\n", None),
        ("[build]\nrustflags = \"--cfg own\"\n", None),
        ("[target.'cfg(all())']\nrustflags = [\"--cfg\", \"own\"]\n", None),
        ("[build]\nrustflags = [\"--cfg\", \"other\"]\n", Some("--cfg own")),
    ] {
        project.write(".cargo/config.toml", config);
        let command = project.command(&["build", "--profile", "dev", "--fail-on", "none"]).offline();
        let command = if let Some(flags) = variable { command.env("RUSTFLAGS", flags) } else { command };
        command.run().expect(0);
        let release = project.release();
        let binary = fs::read(release.join("artifacts/app")).unwrap();
        assert!(contains(&binary, "own flag is kept"), "{config}");
        assert!(!contains(&binary, project.root().as_str()), "{config}");
        assert_eq!(internal(&release)["rustflags"], serde_json::json!(["--cfg", "own"]), "{config}");
    }
}

#[test]
fn a_second_build_agrees_and_is_recorded() {
    let project = app();
    // Without a repository, at a commit, and with a change on top of it.
    for dirty in [Value::Null, Value::Bool(false), Value::Bool(true)] {
        if dirty == false {
            project.commit("all");
        } else if dirty == true {
            project.append("src/main.rs", "// changed\n");
        }
        let outcome = project.run(&["build", "--profile", "dev", "--reproduce", "--format", "json"]).expect(0);
        assert_eq!(outcome.findings(), Vec::<String>::new());
        let reproduced = &outcome.json()["release"]["reproduction"]["artifacts"][0];
        assert_eq!(reproduced["first"], reproduced["second"], "{outcome}");
        let said = internal(&project.release());
        assert_eq!((&said["reproduction"]["agrees"], &said["sourceIsDirty"]), (&Value::Bool(true), &dirty));
    }
}

#[test]
fn a_build_that_depends_on_the_moment_is_told_and_explained() {
    let project = app();
    let script = "fn main() {\n    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();\n    println!(\"cargo::rustc-env=BUILT={}\", now.as_nanos());\n}\n";
    project.write("build.rs", script);
    project.write("src/main.rs", "fn main() {\n    println!(\"built at {}\", env!(\"BUILT\"));\n}\n");
    let arguments = ["build", "--profile", "dev", "--reproduce", "--format", "json"];
    let outcome = project.run(&arguments).expect(0);
    let finding = outcome.finding("build/not-reproducible");
    assert_eq!(finding["severity"], "medium");
    assert!(finding["evidence"].to_string().contains("dates or times"), "{finding}");
    assert_eq!(internal(&project.release())["reproduction"]["agrees"], false);

    // Who does not want such a release says so, and there is none.
    fs::remove_dir_all(project.release()).unwrap();
    project.run(&[&arguments[..], &["--fail-on", "medium"]].concat()).expect(1);
    assert_eq!(project.releases().len(), 0);

    // The second build has only what git has.
    project.write("build.rs", "fn main() {}\n");
    project.write("src/main.rs", "fn main() {\n    print!(include_str!(\"../generated.txt\"));\n}\n");
    project.write("generated.txt", "text");
    project.write(".gitignore", "/target\n/generated.txt\n");
    project.commit("all");
    let outcome = project.run(&arguments).expect(0);
    assert_eq!(outcome.finding("build/not-reproducible")["message"], "a second build of the same sources failed");
}

#[test]
fn a_release_is_built_again_by_somebody_else() {
    let project = app();
    let key = project.key("publisher");
    let own = project.root().join("publisher.pem");
    project.key("rebuilder");
    project.commit("all");
    let build = ["build", "--profile", "dev", "--clean", "--key", own.as_str(), "--fail-on", "none"];
    project.run(&build).expect(0);
    let release = project.release();
    let before = project.contents(&release);

    let rebuilder = project.root().join("rebuilder.pem");
    let agreement = project.root().join("agreement.json");
    let verify = ["verify", release.as_str(), "--key", key.as_str(), "--rebuild"];
    let attest = ["--attest", "--signing-key", rebuilder.as_str(), "--output", agreement.as_str(), "--format", "json"];
    let outcome = project.run(&[&verify[..], &attest].concat()).expect(0);
    assert_eq!(outcome.json()["verdict"], "reproduced");
    assert!(project.contents(&release) == before, "the release was changed");
    // Its statement is about the released file, by the rebuilder's key.
    let said = statement(&agreement);
    assert!(said["predicate"]["buildDefinition"]["buildType"].as_str().unwrap().ends_with("/docs/rebuild-type-v1.md"), "{said}");
    fs::copy(release.join("artifacts/app"), project.root().join("app")).unwrap();
    let file = project.root().join("app");
    let by = project.root().join("rebuilder.pub");
    project.run(&["verify", file.as_str(), "--bundle", agreement.as_str(), "--key", by.as_str()]).expect(0);
    project.run(&["verify", file.as_str(), "--bundle", agreement.as_str(), "--key", key.as_str()]).expect(3);

    // A build machine that weakens one function, and signs what comes of it.
    project.script("../wrap", "#!/bin/sh\nexec \"$@\" --cfg tampered\n");
    let wrapper = project.root().join("wrap");
    project.command(&build).offline().env("RUSTC_WRAPPER", wrapper.as_str()).run().expect(0);
    project.run(&["verify", release.as_str(), "--key", key.as_str()]).expect(0);
    fs::remove_file(&agreement).unwrap();
    let outcome = project.run(&[&verify[..], &attest].concat()).expect(3);
    let causes = outcome.json()["results"][0]["reproduction"]["artifacts"][0]["difference"]["causes"].clone();
    assert_eq!(causes[0]["kind"], "code", "{causes}");
    assert!(causes[0]["examples"][0].as_str().unwrap().starts_with("`app::check`"), "{causes}");
    assert_eq!(causes[0]["total"], 1, "{causes}");
    assert!(!agreement.exists(), "what differs is not attested");
    let told = project.run(&verify).expect(3).stderr;
    assert!(told.contains("code of functions: `app::check`"), "{told}");
    assert!(!told.contains("Reproduced"), "{told}");
}

#[test]
fn what_cannot_be_built_again_is_no_agreement() {
    let project = app();
    let key = project.key("publisher");
    let own = project.root().join("publisher.pem");
    let build = ["build", "--profile", "dev", "--key", own.as_str()];
    project.commit("one");
    project.append("src/main.rs", "// changed\n");
    project.run(&build).expect(0);
    let verify = |more: &[&str]| {
        let release = project.release();
        project.run(&[&["verify", release.as_str(), "--key", key.as_str(), "--rebuild"], more].concat())
    };
    let dirty = verify(&[]).expect(4);
    assert!(dirty.stderr.contains("uncommitted changes"), "{dirty}");

    project.commit("two");
    project.run(&build).expect(0);
    project.write("../other/x", "x");
    project.commit_beside("other", "main");
    let other = project.root().join("other");
    let unknown = verify(&["--source", other.as_str()]).expect(4);
    assert!(unknown.stderr.contains("has no commit"), "{unknown}");
    let none = verify(&["--source", project.root().join("tmp").as_str()]).expect(2);
    assert!(none.stderr.contains("--source DIR"), "{none}");

    // A release that is not verified is not built.
    fs::write(project.release().join("artifacts/app"), "other").unwrap();
    let rejected = verify(&[]).expect(3);
    assert!(rejected.stderr.contains("attest/subject-digest-mismatch"), "{rejected}");

    project.run(&[&build[..], &["--config", "build.incremental=false"]].concat()).expect(0);
    let unrecorded = verify(&[]).expect(4);
    assert!(unrecorded.stderr.contains("--config build.incremental"), "{unrecorded}");
}
