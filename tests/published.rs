//! `source/package-differs-from-repo`: published packages against a repository on this machine, fetched by the real git over HTTP.

use serde_json::Value;

use crate::support::git_server::GitServer;
use crate::support::{Outcome, Project, World};

const ORIGINAL: &str = "[package]\nname = \"lib\"\nversion = \"1.0.1\"\n";
const ASKED: &str = "[rules]\n\"source/package-differs-from-repo\" = { crates = [\"li*\"] }\n";

/// The project that moves to `lib` 1.0.1, packaged from `crates/lib` of a commit, with these files besides.
fn updated(url: &str, commit: &str, dirty: bool, files: &[(&str, &str)], policy: &str) -> (Project, String) {
    let info = format!("{{\"git\": {{\"sha1\": \"{commit}\", \"dirty\": {dirty}}}, \"path_in_vcs\": \"crates/lib\"}}");
    let world = World::new().release("lib", "1.0.0", |r| r).release("lib", "1.0.1", |mut r| {
        for (path, text) in files {
            r = r.file(path, text);
        }
        r.repository(url).file("Cargo.toml.orig", ORIGINAL).file(".cargo_vcs_info.json", info)
    });
    let project = world.project(&[("lib", "1.0.0")]);
    project.append("supplychain.toml", policy);
    let before = project.commit("before");
    world.lock(&project, &[("lib", "1.0.1")]);
    (project, before)
}

fn check(project: &Project, base: &str, more: &[&str]) -> Outcome {
    let arguments = ["check", "--format", "json", "--only", "sources", "--base", base];
    project.command(&[&arguments, more].concat()).run()
}

fn not_evaluated(outcome: &Outcome) -> Vec<String> {
    let list = outcome.report()["not_evaluated"].as_array().unwrap().clone();
    let ours = |entry: &&Value| entry["check"] == "changed packages against their repositories";
    list.iter().filter(ours).map(|entry| format!("{} {}", entry["required"], entry["why"].as_str().unwrap())).collect()
}

const REPOSITORY: [(&str, &str); 3] =
    [("crates/lib/Cargo.toml", ORIGINAL), ("crates/lib/src/lib.rs", "pub fn a() {}\n"), ("README.md", "read\n")];

/// A build script that only the package has, a source file that differs; the twin is the same but for what git and cargo do.
#[test]
fn what_only_the_package_has() {
    let server = GitServer::new();
    let commit = server.commit(&REPOSITORY);
    server.commit(&[("crates/lib/build.rs", "later\n")]);
    let same = [("src/lib.rs", "pub fn a() {}\r\n"), ("README.md", "read\n"), ("Cargo.lock", "")];
    for (more, expected, code) in [
        (&[][..], &[][..], 0),
        (&[("build.rs", "fn main() {}\n")], &["its build script", "build.rs is not in the repository"], 1),
        (&[("src/lib.rs", "pub fn b() {}\n")], &["its source code", "src/lib.rs differs"], 1),
    ] {
        let (project, base) = updated(&server.url, &commit, false, &[&same, more].concat(), ASKED);
        let outcome = check(&project, &base, &[]).expect(code);
        assert_eq!(not_evaluated(&outcome), Vec::<String>::new());
        if expected.is_empty() {
            assert_eq!(outcome.findings(), Vec::<String>::new());
        } else {
            let finding = outcome.finding("source/package-differs-from-repo").to_string();
            assert!(expected.iter().all(|part| finding.contains(part)), "{finding}");
        }
        assert!(server.asked() > 0);
        // The copy in the cache is enough from now on.
        let again = check(&project, &base, &["--offline"]).expect(code);
        assert_eq!((again.findings(), server.asked()), (outcome.findings(), 0));
    }
}

/// Nothing is fetched that nobody asked for, and what cannot be compared is said.
#[test]
fn what_is_not_compared() {
    let server = GitServer::new();
    let commit = server.commit(&REPOSITORY);
    let files = [("src/lib.rs", "other\n")];
    let (url, nowhere) = (server.url.as_str(), "0123456789012345678901234567890123456789");
    for (policy, url, commit, dirty, more, expected) in [
        ("", url, commit.as_str(), false, &[][..], None),
        (ASKED, url, &commit, false, &["--offline"], Some("its repository is not in the cache, and the network may not be used")),
        (ASKED, url, &commit, true, &[], Some("it was packaged with changes that were not committed")),
        (ASKED, url, "--upload-pack=touch", false, &[], Some("its .cargo_vcs_info.json names no commit")),
        (ASKED, "file:///etc", &commit, false, &[], Some("its manifest names no repository that is fetched from (https)")),
        (ASKED, "ext::sh -c x", &commit, false, &[], Some("its manifest names no repository that is fetched from (https)")),
        (ASKED, url, nowhere, false, &[], Some("cannot fetch 0123456789012345678901234567890123456789 of")),
    ] {
        let (project, base) = updated(url, commit, dirty, &files, policy);
        let outcome = check(&project, &base, more).expect(0);
        assert_eq!(outcome.findings(), Vec::<String>::new(), "{expected:?}");
        let said = not_evaluated(&outcome).join("; ");
        match expected {
            Some(why) => assert!(said.starts_with(&format!("false {why}")) && said.contains("lib 1.0.1"), "{said}"),
            None => assert_eq!(said, ""),
        }
        assert_eq!(server.asked() > 0, commit == nowhere, "{expected:?}");
        // Who requires the area does not get a pass for want of an answer; that nothing was asked for fails nothing.
        let required = check(&project, &base, &[&["--require", "sources"], more].concat());
        assert_eq!(required.code, if expected.is_some() { 4 } else { 0 }, "{required}");
        let line = if expected.is_some() { "true" } else { "false the policy lists no crates for it" };
        assert!(not_evaluated(&required).join("; ").starts_with(line), "{required}");
        server.asked();
    }
    server.forget();
    let (project, base) = updated(url, &commit, false, &files, ASKED);
    assert!(not_evaluated(&check(&project, &base, &[]).expect(0))[0].contains("cannot fetch"));
}
