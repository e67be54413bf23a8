//! Starting the binary: its environment is said here, whole. Cargo sets many variables for tests, none of which may reach it.

use std::collections::BTreeMap;
use std::process::{self, Stdio};

use camino::Utf8PathBuf;

use super::{NOW, Outcome, Project};

/// Variables of the surroundings that say where the toolchain is.
const KEPT: [&str; 8] =
    ["PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "LD_LIBRARY_PATH"];

/// A call of the binary.
pub struct Command<'p> {
    project: &'p Project,
    cwd: Utf8PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    now: Option<String>,
    writes: bool,
}

impl<'p> Command<'p> {
    pub(super) fn new(project: &'p Project, arguments: &[&str]) -> Self {
        Self {
            project,
            cwd: project.folder(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: environment(project),
            now: Some(NOW.to_owned()),
            writes: arguments.first().is_some_and(|verb| *verb == "init") || arguments.contains(&"--output"),
        }
    }

    pub fn offline(mut self) -> Self {
        self.arguments.push("--offline".to_owned());
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Without a variable that runs have otherwise.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    pub fn cwd(mut self, folder: Utf8PathBuf) -> Self {
        self.cwd = folder;
        self
    }

    pub fn now(mut self, now: &str) -> Self {
        self.now = Some(now.to_owned());
        self
    }

    /// Without `--now`, as people call it.
    pub fn no_now(mut self) -> Self {
        self.now = None;
        self
    }

    /// The build changes files of the project on purpose.
    pub fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    /// The process, to be started by the test itself.
    pub fn process(&self) -> process::Command {
        let mut command = process::Command::new(env!("CARGO_BIN_EXE_cargo-supplychain"));
        command.arg("supplychain").args(&self.arguments);
        if let Some(now) = &self.now {
            command.args(["--now", now]);
        }
        command.env_clear().envs(&self.environment).current_dir(&self.cwd).stdin(Stdio::null());
        command
    }

    /// Runs, and asserts what holds of every run: it did not panic, no file of the project has changed, nothing half done was left,
    /// and what only analyses wrote nothing and executed nothing of the project.
    pub fn run(self) -> Outcome {
        let project = self.project;
        let before = project.contents(&project.folder());
        let had_target = project.path("target").exists();
        let was_sprung = project.tripwire().exists();
        let output = self.process().output().unwrap();
        let outcome = Outcome::new(project, &self.arguments, &output);
        assert!(!outcome.stderr.contains("this is a bug in cargo-supplychain") && outcome.code != 70, "{outcome}");
        if !self.writes {
            assert!(project.contents(&project.folder()) == before, "files of the project changed\n{outcome}");
        }
        assert_eq!(outcome.half_done(), Vec::<String>::new(), "{outcome}");
        let compiles = self.arguments.first().is_some_and(|verb| verb == "build")
            && !self.arguments.iter().any(|argument| argument == "--dry-run");
        if !compiles {
            assert!(was_sprung || !project.tripwire().exists(), "code of the project was executed\n{outcome}");
            assert!(had_target || !project.path("target").exists(), "an analysis made target/\n{outcome}");
        }
        outcome
    }
}

/// What a run has in its environment, whole.
pub fn environment(project: &Project) -> BTreeMap<String, String> {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    let mut environment: BTreeMap<_, _> = kept.collect();
    // Cargo puts its own library folders there for tests; a user's shell has none.
    environment.remove("LD_LIBRARY_PATH");
    if !environment.contains_key("RUSTUP_HOME")
        && let Ok(home) = std::env::var("HOME")
    {
        environment.insert("RUSTUP_HOME".to_owned(), format!("{home}/.rustup"));
    }
    for (name, folder) in [
        ("HOME", "home"),
        ("USERPROFILE", "home"),
        ("CARGO_HOME", "cargo"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("LOCALAPPDATA", "cache"),
        ("TMPDIR", "tmp"),
    ] {
        environment.insert(name.to_owned(), project.root().join(folder).into_string());
    }
    environment
}

/// Cargo as the project's own user would start it, in the project; its outcome does not matter.
pub(super) fn plain_cargo(project: &Project, arguments: &[&str]) {
    cargo(project, arguments, environment(project));
}

/// As [`plain_cargo`], where rustup chooses the toolchain, by the project's toolchain file.
pub fn plain_cargo_without_toolchain(project: &Project, arguments: &[&str]) {
    let mut environment = environment(project);
    environment.remove("RUSTUP_TOOLCHAIN");
    // `cargo test` puts the toolchain's own folder before rustup's proxies.
    if let Ok(home) = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo"))) {
        environment.insert("PATH".to_owned(), format!("{home}/bin:{}", std::env::var("PATH").unwrap_or_default()));
    }
    cargo(project, arguments, environment);
}

fn cargo(project: &Project, arguments: &[&str], environment: BTreeMap<String, String>) {
    let path = environment.get("PATH").cloned().unwrap_or_default();
    let program = std::env::split_paths(&path).map(|folder| folder.join("cargo")).find(|path| path.is_file()).unwrap();
    let mut command = process::Command::new(program);
    command.args(arguments).env_clear().envs(environment).current_dir(project.folder()).stdin(Stdio::null());
    command.env("CARGO_TARGET_DIR", project.root().join("plain-target").as_str());
    command.output().unwrap();
}
