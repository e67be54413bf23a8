//! What is refused quietly, with the twin that is told. Paths of a temporary folder; the asking process is this one.

use std::os::unix::fs::symlink;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::actors::Unit;
use super::*;
use crate::model::sandbox::{Actor, ActorKind};

/// A machine below a temporary folder: `home/.cargo`, `tools`, `project`, `project/target`.
struct Machine {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    judge: Judge,
}

fn machine() -> Machine {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    for place in ["home/.cargo/registry/src/evil/bin", "tools/bin", "project/target"] {
        std::fs::create_dir_all(root.join(place)).unwrap();
    }
    let request = Request {
        workspace: root.join("project"),
        cargo_home: Some(root.join("home/.cargo")),
        home: Some(root.join("home")),
        target: root.join("project/target"),
        private: root.join("project/private"),
        environment: [("PATH".to_owned(), format!("{root}/tools/bin:{root}/home/.cargo/bin"))].into(),
        ..Request::default()
    };
    let judge = Judge::new(&request, &request.walls());
    Machine { _folder: folder, root, judge }
}

#[test]
fn a_link_in_what_the_build_writes_is_followed_wherever_that_lies() {
    let mut machine = machine();
    let target = machine.root.join("tools/target");
    std::fs::create_dir_all(&target).unwrap();
    let request = Request {
        workspace: machine.root.join("project"),
        home: Some(machine.root.join("home")),
        target: target.clone(),
        private: machine.root.join("project/private"),
        environment: [("PATH".to_owned(), format!("{}/tools/bin", machine.root))].into(),
        ..Request::default()
    };
    machine.judge = Judge::new(&request, &request.walls());
    std::fs::write(machine.root.join("home/notes"), "").unwrap();
    symlink(machine.root.join("home/notes"), target.join("trap")).unwrap();
    assert!(matches!(machine.judge(&Wish::Read(target.join("trap").into())), Verdict::Tell(Act::Read { .. }, _)));
    assert!(matches!(machine.read("tools/bin/cc"), Verdict::Go));
}

/// Whoever asks stands there.
struct Always(Place);

impl Who for Always {
    fn is_cargo(&self, _: Process) -> bool {
        self.0 == Place::Cargo
    }

    fn place(&self, _: Process) -> Place {
        self.0.clone()
    }
}

impl Machine {
    fn judge(&self, wish: &Wish) -> Verdict {
        let actor = Actor { name: "dep".into(), version: "1.0.0".into(), kind: ActorKind::BuildScript, program: String::new() };
        let unit = Unit { actor, out_dir: Some(self.root.join("project/target").into()), outputs: Vec::new(), mark: None };
        let unit = std::sync::Arc::new(unit);
        self.judge.judge(Process(std::process::id()), wish, &Always(Place::In(unit, 0)))
    }

    fn read(&self, path: &str) -> Verdict {
        std::fs::write(self.root.join(path), "").unwrap();
        self.judge(&Wish::Read(self.root.join(path).into()))
    }

    fn write(&self, path: &str) -> Verdict {
        self.judge(&Wish::Write { path: self.root.join(path).into(), follows: true })
    }
}

#[test]
fn notes_of_cargo_are_refused_quietly() {
    let machine = machine();
    for name in NOTES_OF_CARGO {
        let path = format!("home/.cargo/{name}");
        assert!(matches!(machine.write(&path), Verdict::Quiet(_)), "{name}");
        assert!(matches!(machine.read(&path), Verdict::Quiet(_)), "{name}");
        assert!(matches!(machine.judge(&Wish::Run(machine.root.join(&path).into())), Verdict::Tell(..)), "{name}");
    }
    assert!(matches!(machine.write("home/.cargo/.package-cache2"), Verdict::Tell(..)));
    assert!(matches!(machine.write("home/.cargo/config.toml"), Verdict::Tell(..)));
    assert!(matches!(machine.read("home/.cargo/credentials.toml"), Verdict::Tell(Act::Read { is_secret: true, .. }, _)));
    assert!(matches!(machine.read("home/.package-cache"), Verdict::Tell(..)), "it is not cargo's home");
}

#[test]
fn what_is_above_programs_is_listed_in_passing() {
    let machine = machine();
    let list = |path: &str| machine.judge(&Wish::Read(machine.root.join(path).into()));
    assert!(matches!(list("home/.cargo"), Verdict::Quiet(_)));
    assert!(matches!(machine.read("home/.cargo/credentials.toml"), Verdict::Tell(..)), "what is in it is another matter");
    assert!(matches!(list("home"), Verdict::Tell(..)));
    assert!(matches!(machine.judge(&Wish::Run(machine.root.join("home/.cargo").into())), Verdict::Tell(..)));
}

#[test]
fn a_device_is_one_by_any_name() {
    let machine = machine();
    symlink("/dev/null", machine.root.join("project/target/sink")).unwrap();
    symlink(machine.root.join("home/.bashrc"), machine.root.join("project/target/trap")).unwrap();
    assert!(matches!(machine.write("project/target/sink"), Verdict::Go));
    assert!(matches!(machine.write("project/target/trap"), Verdict::Tell(Act::Write { .. }, _)));
}

#[test]
fn tools_are_the_machines() {
    let machine = machine();
    let is_tool = |path: &str| machine.judge.is_tool(machine.root.join(path).as_std_path(), "cmake");
    assert!(is_tool("tools/bin/cmake"));
    assert!(machine.judge.is_tool(Path::new("/usr/bin/cmake"), "cmake"));
    assert!(!is_tool("tools/bin/cmake2"));
    assert!(!is_tool("project/target/cmake"), "a build script can have written it");
    assert!(!is_tool("home/.cargo/registry/src/evil/bin/cmake"), "a crate can have brought it");
    assert!(!is_tool("home/cmake"));
}

#[test]
fn links_of_proc_lead_where_the_caller_is() {
    let own = std::process::id();
    assert_eq!(led(own, &["root", "etc", "shadow"]), Some("/etc/shadow".into()));
    assert_eq!(led(own, &["cwd", "x"]), Some(std::env::current_dir().unwrap().join("x")));
    assert_eq!(led(own, &["fd", "99999"]), None);
    assert_eq!(led(own, &["environ"]), None);
}
