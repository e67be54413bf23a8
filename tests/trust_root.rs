//! Trusted roots that are renewed by The Update Framework, from a repository of the tests' own: every attack of its specification (section
//! 1.5.2) beside the honest repository, that what was trusted before still is, and how old it may be (ATT-15).

use std::fs;

use camino::Utf8PathBuf;
use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};

use crate::keyless::{BYTES, statement};
use crate::support::authority::{Authority, Holder};
use crate::support::server::{Answer, Server};
use crate::support::sigstore::Sigstore;
use crate::support::tuf::{EXPIRES, Keys, Repository};
use crate::support::{Outcome, Project};

/// A project whose policy names a repository, with a bundle under the root that it publishes.
struct World {
    project: Project,
    authority: Authority,
    repository: Repository,
    server: Server,
}

impl World {
    /// Versions 1 and 2 are published, the second was fetched.
    fn new() -> Self {
        let project = Project::empty();
        let folder = project.root().join("tuf");
        let mut repository = Repository::new(&folder);
        let authority = Authority::new();
        let server = Server::new(folder);
        project.write("root-1.json", repository.read("1.root.json"));
        project.write("supplychain.toml", format!("[trust-root]\nurl = \"{}\"\nroot = \"root-1.json\"\n", server.url));
        project.write("app", BYTES);
        let bundle = authority.bundle(&Holder::github(), &statement("app", BYTES, cargo_supplychain::attest::PROVENANCE));
        project.write("app.sigstore.json", bundle.to_string());
        let root = authority.root().to_string();
        repository.publish(&[("trusted_root.json", b"{}")]);
        repository.publish(&[("trusted_root.json", root.as_bytes())]);
        let world = Self { project, authority, repository, server };
        world.fetch().expect(0);
        world
    }

    fn fetch(&self) -> Outcome {
        self.project.command(&["fetch", "trust-root"]).run()
    }

    fn verify(&self, more: &[&str]) -> Outcome {
        self.project.run(&[&["verify", "app", "--repo", "org/app", "--format", "json"], more].concat())
    }

    /// What verifications trust, and until when it was known to be current.
    fn trusted(&self) -> (String, String) {
        let json = self.verify(&[]).expect(0).json();
        let root = json["results"][0]["verified"]["signatures"][0]["trusted_root"].clone();
        assert_eq!((&root["source"], &root["name"]), (&json!("tuf"), &json!(self.server.url)), "{root}");
        (root["sha256"].as_str().unwrap().to_owned(), root["current_until"].as_str().unwrap().to_owned())
    }

    fn state(&self) -> Utf8PathBuf {
        let folder = self.project.root().join("cache/cargo-supplychain/trust-roots");
        let mut files: Vec<_> = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_owned()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

#[test]
fn a_root_is_fetched_once_and_used_without_a_network() {
    let world = World::new();
    let root = world.authority.root().to_string();
    world.server.asked();
    assert_eq!(world.trusted(), (Sha256::of(&root).to_string(), EXPIRES.to_owned()));
    assert!(world.server.asked().is_empty(), "a verification asked the repository");
    let again = world.project.command(&["fetch", "trust-root", "--format", "json"]).run().expect(0).json();
    let fetched = &again["trusted_roots"][0];
    assert_eq!((&fetched["is_new"], &fetched["version"], &fetched["root_version"]), (&json!(false), &json!(2), &json!(1)));
    assert_eq!(world.server.asked(), ["/2.root.json", "/timestamp.json"]);
    let text = world.project.run(&["verify", "app", "--repo", "org/app"]).expect(0).stderr;
    assert!(text.contains(&format!("{} (renewed, current until 2026-09-08)", world.server.url)), "{text}");
    // A file outranks it, and needs no repository.
    world.project.write("file.json", &root);
    let named = world.verify(&["--trusted-root", "file.json"]).expect(0).json();
    assert_eq!(named["results"][0]["verified"]["signatures"][0]["trusted_root"]["source"], "file");
    let offline = world.project.run(&["fetch", "trust-root"]).expect(2);
    assert!(offline.stderr.contains("nothing to fetch with"), "{offline}");
    let misplaced = world.project.command(&["fetch", "trust-root", "--advisory-db", "https://example.org/db"]).run().expect(2);
    assert!(misplaced.stderr.contains("fetch advisories"), "{misplaced}");
}

/// What a repository, or whoever stands before it, can do; the exit code and a word of the message.
type Attack = (&'static str, fn(&mut World), i32, &'static str);

const ATTACKS: [Attack; 18] = [
    ("timestamp rolled back", |w| w.repository.timestamp(1, 1, EXPIRES), 3, "rollback"),
    ("snapshot rolled back", |w| w.repository.timestamp(3, 1, EXPIRES), 3, "rollback"),
    (
        "targets rolled back",
        |w| {
            w.repository.snapshot(3, 1);
            w.repository.timestamp(3, 3, EXPIRES);
        },
        3,
        "rollback",
    ),
    ("held back", |w| w.repository.timestamp(3, 2, "2026-09-01T11:59:59Z"), 4, "expired"),
    (
        "mixed: another snapshot under the number",
        |w| {
            w.repository.write("3.snapshot.json", w.repository.read("1.snapshot.json"));
            w.repository.timestamp(3, 3, EXPIRES);
        },
        3,
        "does not match",
    ),
    (
        "mixed: other targets under the number",
        |w| {
            w.repository.write("3.targets.json", w.repository.read("2.targets.json"));
            w.repository.snapshot(3, 3);
            w.repository.timestamp(3, 3, EXPIRES);
        },
        3,
        "version",
    ),
    (
        "another target",
        |w| {
            w.repository.publish(&[("trusted_root.json", b"as signed")]);
            w.repository.write(&format!("targets/{}.trusted_root.json", Sha256::of(b"as signed")), b"as it is!");
        },
        3,
        "mismatch",
    ),
    (
        "a longer target",
        |w| {
            w.repository.publish(&[("trusted_root.json", b"as signed")]);
            w.repository.write(&format!("targets/{}.trusted_root.json", Sha256::of(b"as signed")), b"as signed and more");
        },
        3,
        "more than 9 bytes",
    ),
    ("endless data", |w| w.server.answer("/timestamp.json", Answer::Endless), 3, "more than"),
    ("an endless root", |w| w.server.answer("/2.root.json", Answer::Endless), 3, "more than"),
    (
        "root by one of the old keys",
        |w| {
            let keys = Keys::new();
            let signers = [&w.repository.keys.root[0], &keys.root[0], &keys.root[1]];
            w.repository.sign("2.root.json", &w.repository.root(2, &keys, "2027-03-01T00:00:00Z"), &signers);
        },
        3,
        "threshold",
    ),
    (
        "root by one of the new keys",
        |w| {
            let keys = Keys::new();
            let signers = [&w.repository.keys.root[0], &w.repository.keys.root[1], &keys.root[1]];
            w.repository.sign("2.root.json", &w.repository.root(2, &keys, "2027-03-01T00:00:00Z"), &signers);
        },
        3,
        "threshold",
    ),
    (
        "a root is left out",
        |w| {
            let old = &w.repository.keys.root;
            w.repository.sign(
                "2.root.json",
                &w.repository.root(3, &w.repository.keys, "2027-03-01T00:00:00Z"),
                &[&old[0], &old[1]],
            );
        },
        3,
        "increment by one",
    ),
    (
        "root expired",
        |w| {
            let old = &w.repository.keys.root;
            w.repository.sign(
                "2.root.json",
                &w.repository.root(2, &w.repository.keys, "2026-08-31T00:00:00Z"),
                &[&old[0], &old[1]],
            );
        },
        4,
        "expired",
    ),
    (
        "targets by another role",
        |w| {
            w.repository.targets(3, &[("trusted_root.json", b"x")], &w.repository.keys.timestamp);
            w.repository.snapshot(3, 3);
            w.repository.timestamp(3, 3, EXPIRES);
        },
        3,
        "threshold",
    ),
    ("not metadata", |w| w.repository.write("timestamp.json", "<html>"), 3, "JSON"),
    ("an outage", |w| w.server.answer("/timestamp.json", Answer::Status(500, "")), 4, "status 500"),
    ("not a root", |w| w.repository.publish(&[("trusted_root.json", b"{}")]), 4, "cannot be used"),
];

#[test]
fn what_no_honest_repository_publishes_changes_nothing() {
    let mut world = World::new();
    let (trusted, files, state) = (world.trusted(), world.repository.files(), fs::read(world.state()).unwrap());
    for (what, attack, code, why) in ATTACKS {
        attack(&mut world);
        let begin = std::time::Instant::now();
        let outcome = world.fetch().expect(code);
        assert!(outcome.stderr.contains(why) && outcome.stderr.contains(&world.server.url), "{what}: {outcome}");
        assert!(begin.elapsed().as_secs() < 10, "{what} took {:?}", begin.elapsed());
        assert_eq!(world.trusted(), trusted, "{what}");
        // Without the attack; what the attack left behind is forgotten, which only we can do.
        world.repository.restore(&files);
        world.repository.version = 2;
        for path in ["/timestamp.json", "/2.root.json"] {
            world.server.answer(path, Answer::Slow(std::time::Duration::ZERO));
        }
        fs::write(world.state(), &state).unwrap();
        world.fetch().expect(0);
    }
}

#[test]
fn a_renewal_that_failed_half_way_counts_against_rollbacks_and_for_nothing_else() {
    let mut world = World::new();
    let (trusted, files) = (world.trusted(), world.repository.files());
    world.repository.publish(&[("trusted_root.json", b"{\"new\":1}")]);
    let newer = world.repository.files();
    world.repository.remove("3.snapshot.json");
    let outcome = world.fetch().expect(4);
    assert!(outcome.stderr.contains("3.snapshot.json not found"), "{outcome}");
    assert_eq!(world.trusted(), trusted);
    world.repository.restore(&files);
    let outcome = world.fetch().expect(3);
    assert!(outcome.stderr.contains("rollback"), "{outcome}");
    world.repository.restore(&newer);
    let root = world.authority.root().to_string();
    world.repository.publish(&[("trusted_root.json", root.as_bytes())]);
    world.fetch().expect(0);
    assert_eq!(world.trusted(), trusted);
}

#[test]
fn keys_rotate_and_old_bundles_stay_good() {
    let mut world = World::new();
    let before = world.trusted();
    // Twice between two fetches, with other keys for everything; and a root that has one authority more.
    world.repository.rotate(Keys::new());
    world.repository.rotate(Keys::new());
    let mut root = world.authority.root();
    let more = Authority::new().root()["certificateAuthorities"][0].clone();
    root["certificateAuthorities"].as_array_mut().unwrap().push(more);
    let root = root.to_string();
    world.repository.publish(&[("trusted_root.json", root.as_bytes())]);
    let fetched = world.project.command(&["fetch", "trust-root", "--format", "json"]).run().expect(0).json();
    assert_eq!((&fetched["trusted_roots"][0]["root_version"], &fetched["trusted_roots"][0]["is_new"]), (&json!(3), &json!(true)));
    let after = world.trusted();
    assert_ne!(after, before);
    assert_eq!(after.0, Sha256::of(&root).to_string());
    // Those who signed before do not count any more.
    let mut theirs = Repository::new(&world.project.root().join("theirs"));
    std::mem::swap(&mut theirs.keys, &mut world.repository.keys);
    world.repository.timestamp(9, 3, EXPIRES);
    let outcome = world.fetch().expect(3);
    assert!(outcome.stderr.contains("threshold"), "{outcome}");
    assert_eq!(world.trusted(), after);
}

/// Whoever writes to the cache can make us forget, and nothing else.
#[test]
fn a_cache_that_was_changed_is_none() {
    let world = World::new();
    let good = fs::read_to_string(world.state()).unwrap();
    let state: Value = serde_json::from_str(&good).unwrap();
    let root = state["complete"]["targets/trusted_root.json"].as_str().unwrap();
    let mut other = state.clone();
    other["complete"]["targets/trusted_root.json"] = json!(root.replace("log.example.org", "log.example.com"));
    let mut older = state.clone();
    older["complete"]["timestamp.json"] = json!(String::from_utf8(world.repository.read("1.targets.json")).unwrap());
    for bad in
        [other.to_string(), older.to_string(), String::new(), "{".repeat(100_000), good.replace("\"format\":1", "\"format\":2")]
    {
        fs::write(world.state(), &bad).unwrap();
        let outcome = world.verify(&[]).expect(4);
        assert!(outcome.stderr.contains("fetch trust-root"), "{outcome}");
    }
    fs::write(world.state(), &good).unwrap();
    world.verify(&[]).expect(0);
}

#[test]
fn a_root_that_nobody_vouched_for_too_long_is_undetermined() {
    let world = World::new();
    let verify = |now: &str| world.project.command(&["verify", "app", "--repo", "org/app"]).now(now).run();
    verify("2027-09-08T11:00:00Z").expect(0);
    let old = verify("2027-09-08T13:00:00Z").expect(4);
    assert!(old.stderr.contains("more than 365 days ago") && old.stderr.contains("fetch trust-root"), "{old}");
    assert!(!old.stderr.contains("Verified"), "{old}");
    let policy = world.project.read("supplychain.toml");
    world.project.write("supplychain.toml", format!("{policy}max-age = \"30d\"\n"));
    verify("2026-10-08T11:00:00Z").expect(0);
    verify("2026-10-09T13:00:00Z").expect(4);
    world.project.write("supplychain.toml", format!("{policy}max-age = \"none\"\n"));
    verify("2036-01-01").expect(0);
    // A rejection is one however old the root is.
    world.project.write("supplychain.toml", &policy);
    world.project.write("app", b"other");
    verify("2027-09-08T13:00:00Z").expect(3);
}

#[test]
fn the_policy_says_where_from() {
    let world = World::new();
    let policy = world.project.read("supplychain.toml");
    let cases = [
        ("root = \"root-1.json\"\n", "", "needs `root`"),
        ("url = ", "#", "needs `url`"),
        ("http://127.0.0.1", "http://example.org", "neither https"),
        ("root-1.json", "absent.json", "cannot read"),
    ];
    for (from, to, why) in cases {
        world.project.write("supplychain.toml", policy.replace(from, to));
        let outcome = world.fetch().expect(2);
        assert!(outcome.stderr.contains(why), "{to}: {outcome}");
    }
    // A root of another repository: nothing that is published is by it.
    let other = Repository::new(&world.project.root().join("other"));
    world.project.write("root-1.json", other.read("1.root.json"));
    world.project.write("supplychain.toml", &policy);
    world.fetch().expect(3);
    world.verify(&[]).expect(4);
}

#[test]
fn signing_renews_what_it_signs_by() {
    let sigstore = Sigstore::start();
    let project = Project::app();
    let mut repository = Repository::new(&project.root().join("tuf"));
    let server = Server::new(project.root().join("tuf"));
    let (root, config) = (sigstore.trusted_root(), sigstore.signing_config());
    project.write("root-1.json", repository.read("1.root.json"));
    project.append("supplychain.toml", &format!("[trust-root]\nurl = \"{}\"\nroot = \"root-1.json\"\n", server.url));
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        for (name, value) in sigstore.environment() {
            command = command.env(name, value);
        }
        command.run()
    };
    // Nothing is compiled where it is not known whom to ask.
    let outcome = run(&["build"]).expect(4);
    assert!(outcome.stderr.contains(&server.url) && project.releases().is_empty(), "{outcome}");
    repository.publish(&[("trusted_root.json", root.as_bytes()), ("signing_config.v0.2.json", config.as_bytes())]);
    let outcome = run(&["build"]).expect(0);
    let release = project.release();
    assert_eq!(fs::read_to_string(release.join("evidence/trusted_root.json")).unwrap(), root);
    assert!(outcome.stderr.contains("signer not pinned"), "{outcome}");
    let identity = ["--identity", &Sigstore::identity(), "--issuer", &sigstore.issuer()];
    let verified = project.run(&[&["verify", release.as_str(), "--format", "json"], &identity[..]].concat()).expect(0).json();
    let used = &verified["results"][0]["verified"]["signatures"][0]["trusted_root"];
    assert_eq!((&used["source"], &used["sha256"]), (&json!("tuf"), &json!(Sha256::of(&root).to_string())));
    // While it is current, nobody is asked again; then an outage of the repository stops nobody.
    server.asked();
    let file = project.root().join("notes.txt");
    fs::write(&file, "notes").unwrap();
    run(&["sign", file.as_str()]).expect(0);
    assert!(server.asked().is_empty());
    server.answer("/timestamp.json", Answer::Status(503, ""));
    let mut late = project.command(&["sign", file.as_str()]).now("2026-10-01T00:00:00Z");
    for (name, value) in sigstore.environment() {
        late = late.env(name, value);
    }
    let outcome = late.run().expect(0);
    assert!(outcome.stderr.contains("cannot renew the trusted root"), "{outcome}");
}
