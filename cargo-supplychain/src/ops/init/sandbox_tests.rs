//! Exceptions of the sandbox that `init` proposes.
#![expect(clippy::disallowed_methods, reason = "a test makes the files that it is about")]

use camino::{Utf8Path, Utf8PathBuf};

use super::sandbox_allow;
use crate::base::Context;
use crate::model::sandbox::{Act, Actor, ActorKind, Attempt, Enforcement, SandboxFacts, Seal};
use crate::ops::denied;

/// A workspace whose last build was refused something.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(policy: Option<&str>, attempts: Vec<Attempt>) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(world.path("Cargo.toml"), "[package]\nname = 'app'\nversion = '0.1.0'\n").unwrap();
        if let Some(policy) = policy {
            std::fs::write(world.path("supplychain.toml"), policy).unwrap();
        }
        world.record(attempts);
        world
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name)
    }

    fn record(&self, attempts: Vec<Attempt>) {
        let facts = SandboxFacts { enforcement: Enforcement::Linux(Seal::default()), attempts, unlisted: 0 };
        denied::record(&self.path("target/supplychain"), &facts).unwrap();
    }

    fn policy(&self) -> String {
        std::fs::read_to_string(self.path("supplychain.toml")).unwrap()
    }

    fn propose(&self, dry_run: bool) -> Result<super::Proposed, crate::ops::Error> {
        let now = "2026-11-23".parse().unwrap();
        let context = Context {
            cwd: self.path(""),
            env: std::collections::BTreeMap::new(),
            now,
            now_is_given: true,
            stamp: now,
            offline: true,
            cache_dir: self.path("cache"),
        };
        sandbox_allow(&context, None, dry_run)
    }
}

fn read(name: &str, path: &str) -> Attempt {
    let actor = Actor { name: name.into(), version: "1.2.3".into(), kind: ActorKind::BuildScript, program: "b".into() };
    Attempt { actor, act: Act::Read { path: path.into(), is_secret: false }, count: 2 }
}

#[test]
fn appended_to_the_policy_which_is_refused_until_there_is_a_reason() {
    let world = World::new(Some("[build]\nfail-on = 'low'"), vec![read("b", "/opt/b"), read("a-sys", "/opt/a"), read("", "/x")]);
    let proposed = world.propose(false).unwrap();
    assert_eq!(proposed.crates, [("a-sys".to_owned(), "1.2.3".to_owned()), ("b".to_owned(), "1.2.3".to_owned())]);
    assert_eq!((proposed.written, proposed.by_nobody), (Some(world.path("supplychain.toml")), 1));
    insta::assert_snapshot!(world.policy(), @r#"
    [build]
    fail-on = 'low'

    [[sandbox.allow]]
    crate = "a-sys"
    version = "1.2.3"
    read = ["/opt/a"]
    reason = "" # say why it needs this: the policy is refused until then
    expires = 2027-02-21

    [[sandbox.allow]]
    crate = "b"
    version = "1.2.3"
    read = ["/opt/b"]
    reason = "" # say why it needs this: the policy is refused until then
    expires = 2027-02-21
    "#);
    // Not twice: first the reasons.
    let error = world.propose(false).unwrap_err();
    assert!(error.message.contains("has an empty `reason`"), "{error}");
}

#[test]
fn shown_only() {
    for (policy, dry_run) in [(Some("[build]\nfail-on = 'low'\n"), true), (None, false)] {
        let world = World::new(policy, vec![read("a-sys", "/opt/a")]);
        let proposed = world.propose(dry_run).unwrap();
        assert_eq!((proposed.written, proposed.crates.len()), (None, 1));
        assert!(proposed.text.starts_with("[[sandbox.allow]]\ncrate = \"a-sys\"\n"), "{}", proposed.text);
        assert_eq!(world.path("supplychain.toml").exists(), policy.is_some());
        assert!(policy.is_none_or(|policy| world.policy() == policy));
    }
}

#[test]
fn nothing_refused_nothing_proposed() {
    let world = World::new(Some(""), vec![read("a-sys", "/opt/a")]);
    world.record(Vec::new());
    assert!(!world.path("target/supplychain/denied.json").exists(), "a build that was refused nothing leaves no record");
    assert!(world.propose(false).unwrap().crates.is_empty());
    assert_eq!(world.policy(), "");
}

#[test]
fn a_policy_that_cannot_take_them_is_left_alone() {
    let text = "sandbox = { mode = 'auto' }\n";
    let world = World::new(Some(text), vec![read("a-sys", "/opt/a")]);
    assert!(world.propose(false).unwrap_err().message.starts_with("cannot append to "));
    assert_eq!(world.policy(), text);
}

#[test]
fn a_hostile_record_is_an_error_and_nothing_else() {
    let world = World::new(Some(""), vec![read("a-sys", "/opt/a")]);
    let path = world.path("target/supplychain/denied.json");
    for text in ["", "{", "[]", &"[".repeat(100_000), &format!("{{\"attempts\": \"{}\"}}", "a".repeat(9 << 20))] {
        std::fs::write(&path, text).unwrap();
        assert!(world.propose(false).is_err());
    }
    #[cfg(unix)]
    {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(world.path("secret"), "x").unwrap();
        std::os::unix::fs::symlink(world.path("secret"), &path).unwrap();
        let error = world.propose(false).unwrap_err();
        assert!(error.message.starts_with("cannot read "), "{error}");
    }
    assert_eq!(world.policy(), "");
}
