//! What registries say of crates: index and API, from a snapshot folder and from a server on this machine (ATTACKS.md MNT-15).

use std::time::Duration;

use crate::support::server::{Answer, Server};
use crate::support::{Outcome, Project, World};

/// The fixture world is one that cargo itself accepts: the lockfile is in order, the packages unpack, the checksums hold.
#[test]
fn the_fixture_world_is_a_registry() {
    let world = World::new()
        .release("fig", "1.2.3", |r| r.dependency("grape", "^0.1").dev_dependency("nothing", "1").build_script("fn main() {}"))
        .release("grape", "0.1.0", |r| r.file("src/lib.rs", "pub fn grape() {}").licence("Apache-2.0"));
    let project = world.project(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let check = project.check().expect(0);
    assert_eq!((check.findings(), check.undetermined()), (vec![], vec![]));
    project.run(&["build", "--no-sign"]).expect(0);
    let snapshot = project.run(&["check", "--registry-snapshot", "../world", "--format", "json"]).expect(0);
    assert_eq!((snapshot.findings(), snapshot.undetermined()), (vec![], vec![]));
    // The `.crate` is one that others can unpack.
    let unpacked =
        std::process::Command::new("tar").args(["-xzf", "world/crates/grape-0.1.0.crate"]).current_dir(project.root()).status();
    if unpacked.is_ok_and(|status| status.success()) {
        assert_eq!(project.read("../grape-0.1.0/src/lib.rs"), "pub fn grape() {}");
    }
}

const AREAS: &str = "lock,sources,maintainers";

/// `fig` 1.2.3 and `grape` 0.1.0 locked, both by their old publishers.
fn two() -> World {
    World::new()
        .release("fig", "1.2.3", |r| r.dependency("grape", "^0.1"))
        .release("fig", "1.2.4", |r| r.dependency("grape", "^0.1").published("2026-08-01T00:00:00Z"))
        .release("grape", "0.1.0", |r| r.publisher(2, "other"))
        .release("grape", "0.1.1", |r| r.publisher(2, "other"))
}

/// A project whose lockfile was updated since `before`, and a server for its world.
fn updated(world: &World) -> (Project, String, Server) {
    let project = world.project(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let before = project.commit("before");
    world.lock(&project, &[("fig", "1.2.4"), ("grape", "0.1.1")]);
    let server = Server::new(project.root().join("world"));
    (project, before, server)
}

fn check(project: &Project, before: &str, server: &Server, more: &[&str]) -> Outcome {
    let mut arguments =
        vec!["check", "--format", "json", "--only", AREAS, "--base", before, "--registry-api", server.url.as_str()];
    arguments.extend(more);
    project.command(&arguments).run()
}

/// `why`, and whether it was required, of the checks of owners and publishers that were not made.
fn unknown(outcome: &Outcome) -> Vec<(String, bool)> {
    let report = outcome.json();
    let checks = report["not_evaluated"].as_array().unwrap().iter().filter(|check| check["area"] == "maintainers");
    checks.map(|check| (check["why"].as_str().unwrap().to_owned(), check["required"] == true)).collect()
}

/// MNT-15, from a snapshot: what vanished is found, the others are judged all the same; and the twin.
#[test]
fn vanished_from_a_snapshot() {
    let run = |world: World, more: &[&str]| {
        let project = two().project(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
        world.write(&project);
        let mut arguments = vec!["check", "--format", "json", "--only", AREAS, "--registry-snapshot", "../world"];
        arguments.extend(more);
        project.run(&arguments)
    };
    let gone = run(two().gone("grape"), &[]).expect(1);
    assert_eq!(gone.findings(), ["critical registry/crate-removed grape 0.1.0"]);
    assert_eq!((gone.undetermined(), unknown(&gone)), (vec![], vec![]));
    assert_eq!(run(two().gone("grape"), &["--only", "lock"]).expect(1).findings(), gone.findings());
    let version = run(two().without_version("grape", "0.1.0"), &[]).expect(1);
    assert_eq!(version.findings(), ["critical registry/version-removed grape 0.1.0"]);
    // The index has it: a page of the API that is not there is something that is not known, no finding.
    let owners = "the registry's API did not tell the owners: 1 package: grape";
    let versions = "its versions: answered 404: 1 package: grape";
    let all = "the registry's API answered 404 for what is not known to be removed: 1 package: grape";
    for (world, why) in [
        (two().unanswered("grape", "owners"), owners),
        (two().unanswered("grape", "versions"), versions),
        (two().not_in_api("grape"), all),
    ] {
        let twin = run(world.clone(), &[]).expect(0);
        assert_eq!((twin.findings(), unknown(&twin)), (vec![], vec![(why.to_owned(), false)]));
        let required = run(world, &["--require", "maintainers"]).expect(4);
        assert_eq!(unknown(&required), [(why.to_owned(), true)]);
    }
    // What the API has and the index lacks is a snapshot that is not whole.
    let odd = run(two().not_in_index("grape"), &[]).expect(0);
    assert_eq!(odd.findings(), Vec::<String>::new());
    assert!(odd.stdout.contains("the registry snapshot has no entry of 1 package: grape 0.1.0"), "{odd}");
    assert_eq!(unknown(&run(two(), &[]).expect(0)), vec![]);
}

/// A snapshot that is not there is a mistake; one without an index says nothing of what vanished.
#[test]
fn snapshots_that_are_none() {
    let project = two().project(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let missing = project.run(&["check", "--registry-snapshot", "nowhere"]).expect(2);
    assert!(missing.stderr.contains("no such folder"), "{missing}");
    std::fs::remove_dir_all(project.path("../world/index")).unwrap();
    let check = project.run(&["check", "--format", "json", "--only", AREAS, "--registry-snapshot", "../world"]).expect(0);
    assert_eq!(check.findings(), Vec::<String>::new());
    // Hostile answers: said, survived.
    project.write("../world/api/crates/fig.json", "[".repeat(100_000));
    project.write("../world/api/crates/grape/versions.json", [0xff, 0xfe]);
    let check = project.run(&["check", "--format", "json", "--only", AREAS, "--registry-snapshot", "../world"]).expect(0);
    let why = "answered what cannot be read: 1 package: fig";
    assert_eq!(unknown(&check), [(why.to_owned(), false), (format!("its versions: {}", why.replace("fig", "grape")), false)]);
}

/// MNT-15, live: what changed is asked about, each part once; a second run asks nothing; what vanished from API and index is found.
#[test]
fn the_api_is_asked_about_what_changed() {
    let world = two().release("kiwi", "1.0.0", |r| r);
    let project = world.project(&[("fig", "1.2.3"), ("grape", "0.1.0"), ("kiwi", "1.0.0")]);
    let before = project.commit("before");
    world.lock(&project, &[("fig", "1.2.4"), ("grape", "0.1.0"), ("kiwi", "1.0.0")]);
    let server = Server::new(project.root().join("world"));
    let first = check(&project, &before, &server, &[]).expect(0);
    assert_eq!((first.findings(), unknown(&first)), (vec![], vec![]));
    let fig = ["/api/v1/crates/fig", "/api/v1/crates/fig/owners", "/api/v1/crates/fig/versions?per_page=100"];
    assert_eq!(server.asked(), fig);
    assert!(first.stderr.contains("asking for owners and publishers of fig (1 of 1)"), "{first}");
    let second = check(&project, &before, &server, &[]).expect(0);
    assert_eq!((second.stdout, server.asked()), (first.stdout, vec![]));
    // Published since: the entry in cargo's copy of the index is another.
    world.clone().release("fig", "1.2.5", |r| r).fetched(&project);
    check(&project, &before, &server, &[]).expect(0);
    assert_eq!(server.asked(), fig);

    world.clone().gone("fig").write(&project);
    world.clone().release("fig", "1.2.6", |r| r).fetched(&project);
    let gone = check(&project, &before, &server, &[]).expect(1);
    assert_eq!(gone.findings(), ["critical registry/crate-removed fig 1.2.4"]);
    assert_eq!(server.asked(), [fig[0], "/index/config.json", "/index/3/f/fig"]);
    world.clone().without_version("fig", "1.2.4").write(&project);
    let removed = check(&project, &before, &server, &[]).expect(1);
    assert_eq!(removed.findings(), ["critical registry/version-removed fig 1.2.4"]);
}

/// Nothing is asked offline, without an earlier state, or when owners and publishers are not judged.
#[test]
fn the_api_is_left_alone() {
    let (project, before, server) = updated(&two());
    let offline = check(&project, &before, &server, &["--offline"]).expect(0);
    assert_eq!(unknown(&offline), [("--offline, and the cache does not have them".to_owned(), false)]);
    check(&project, &before, &server, &["--offline", "--require", "maintainers"]).expect(4);
    let api = ["--registry-api", server.url.as_str()];
    let no_before = project.command(&[&["check", "--format", "json", "--only", AREAS][..], &api].concat()).run().expect(0);
    let why = "there is no earlier state to compare with: no supplychain.lock, no --base";
    assert_eq!(unknown(&no_before), [(why.to_owned(), false)]);
    let only = ["check", "--only", "lock,sources", "--base", before.as_str()];
    project.command(&[&only[..], &api].concat()).run().expect(0);
    assert_eq!(server.asked(), Vec::<String>::new());
    // What was asked before is there offline.
    check(&project, &before, &server, &[]).expect(0);
    assert_eq!(server.asked().len(), 6);
    assert_eq!(unknown(&check(&project, &before, &server, &["--offline"]).expect(0)), vec![]);
    assert_eq!(server.asked(), Vec::<String>::new());
}

/// However a server answers for one crate, the others are judged, and what is not known is said.
#[test]
fn answers_of_every_kind() {
    let not_http =
        |url: &str| format!("{}: not reachable: it does not speak HTTP as expected", url.trim_start_matches("http://"));
    for (answer, why, requests) in [
        (Answer::Status(500, "oops"), "HOST answered 500".to_owned(), 4),
        (Answer::Status(403, ""), "HOST answered 403".to_owned(), 4),
        (Answer::Status(200, "<html>login</html>"), "answered what cannot be read".to_owned(), 4),
        (Answer::Status(429, ""), "HOST answered 429".to_owned(), 2),
        (Answer::Endless, "HOST: the answer is larger than the limit of 33554432 bytes".to_owned(), 4),
        (Answer::Garbage, not_http("HOST"), 4),
        (Answer::Redirect("http://example.org/"), "HOST: neither https nor http on this machine".to_owned(), 4),
    ] {
        let (project, before, server) = updated(&two());
        server.answer("/api/v1/crates/fig", answer);
        let check = check(&project, &before, &server, &[]).expect(0);
        let why = why.replace("HOST", server.url.trim_start_matches("http://"));
        let mut expected = vec![(format!("{why}: 1 package: fig"), false)];
        if requests == 2 {
            // Who asks for fewer requests gets fewer.
            let fewer = format!("{} asks for fewer requests (429): 1 package: grape", server.url.trim_start_matches("http://"));
            expected.push((fewer, false));
        }
        assert_eq!((check.findings(), unknown(&check)), (vec![], expected));
        assert_eq!(server.asked().len(), requests, "{why}");
    }
    let (project, before, server) = updated(&two());
    server.answer("/api/v1/crates/fig", Answer::Slow(Duration::from_millis(800)));
    assert_eq!(unknown(&check(&project, &before, &server, &[]).expect(0)), vec![]);
    // Nobody there: three attempts, then no more.
    let (project, before, server) = updated(&two());
    let url = server.url.clone();
    drop(server);
    let arguments = ["check", "--format", "json", "--only", AREAS, "--base", &before, "--registry-api", &url];
    let down = project.command(&arguments).run().expect(0);
    let why = format!("{}: not reachable: connection refused: 2 packages: fig, grape", url.trim_start_matches("http://"));
    assert_eq!(unknown(&down), [(why, false)]);
}

/// Where the API is: an option, else the policy; a URL that is none is a mistake.
#[test]
fn where_the_api_is() {
    let world = two();
    let project = world.project(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let server = Server::new(project.root().join("world"));
    project.append("supplychain.toml", &format!("[registry]\napi = \"{}/\"\n", server.url));
    let before = project.commit("before");
    world.lock(&project, &[("fig", "1.2.4"), ("grape", "0.1.0")]);
    project.command(&["check", "--only", AREAS, "--base", &before]).run().expect(0);
    assert_eq!(server.asked().len(), 3);
    for url in ["http://example.org", "crates.io", "file:///tmp", "https://user:secret@crates.io/?x=1"] {
        let wrong = project.run(&["check", "--only", AREAS, "--registry-api", url]).expect(2);
        assert!(wrong.stderr.contains("is not the URL of a registry's API") && !wrong.stderr.contains("secret"), "{wrong}");
    }
}
