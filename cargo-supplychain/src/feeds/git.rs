//! The git program, started to fetch and for nothing else: never one of the project, without hooks, prompts and extensions, and only for
//! a while. It fetches into bare copies; libgit2 reads them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

/// Of the environment, what git needs for a path, a proxy or a certificate.
const PASSED: [&str; 15] = [
    "PATH",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
];
/// And what leads to the user's own settings and keys.
const PASSED_TO_OWN: [&str; 5] = ["HOME", "USERPROFILE", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "USER"];
/// So much is read of what git says of a failure, in bytes.
const MAX_MESSAGE: u64 = 16 << 10;
/// How often a running git is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Who named the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// The user or the policy: the user's settings of git, ssh and keys apply.
    User,
    /// A stranger's package: the user's settings could rewrite the URL or hand out credentials, so they are not read; https only, and
    /// http on this machine.
    Package,
}

/// One fetch.
pub(super) struct Fetch<'a> {
    pub env: &'a BTreeMap<String, String>,
    /// No program below it is run.
    pub workspace: Option<&'a Utf8Path>,
    /// The bare copy.
    pub into: &'a Utf8Path,
    pub url: &'a str,
    /// The URL as people see it.
    pub shown: &'a str,
    pub refspec: &'a str,
    pub named_by: NamedBy,
    pub patience: Duration,
    /// The most that the copy may grow to, in bytes.
    pub limit: u64,
}

impl Fetch<'_> {
    /// Fetches without history.
    pub(super) fn run(&self) -> Result<(), String> {
        let program = git_program(self.env, self.workspace).ok_or("there is no git program in PATH")?;
        let failed = |error: std::io::Error| format!("cannot start git: {error}");
        let mut said = tempfile::tempfile().map_err(failed)?;
        let mut command = self.command(&program);
        command.stderr(said.try_clone().map_err(failed)?);
        let status = self.wait(command.spawn().map_err(failed)?)?;
        if status.success() {
            return Ok(());
        }
        Err(message(&mut said).replace(self.url, self.shown))
    }

    fn command(&self, program: &Utf8Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).current_dir(self.into);
        let own: &[&str] = if self.named_by == NamedBy::User { &PASSED_TO_OWN } else { &[] };
        command.envs(PASSED.iter().chain(own).filter_map(|name| Some((name, self.env.get(*name)?))));
        let protocols = match self.named_by {
            NamedBy::User => "https:ssh:file",
            NamedBy::Package if self.url.starts_with("http://") => "http",
            NamedBy::Package => "https",
        };
        command.envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", protocols),
            ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=15"),
            ("GIT_DIR", "."),
            ("LC_ALL", "C"),
        ]);
        let mut settings = vec![
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "protocol.ext.allow=never",
            "gc.auto=0",
            "maintenance.auto=false",
            "http.lowSpeedLimit=1000",
            "http.lowSpeedTime=30",
        ];
        if self.named_by == NamedBy::Package {
            command.env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" });
            settings.extend(["credential.helper=", "core.askPass="]);
        }
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        command.args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--"]);
        command.args([self.url, self.refspec]);
        command
    }

    /// Waits for its end, which comes when it takes too long or too much.
    fn wait(&self, mut git: Child) -> Result<ExitStatus, String> {
        let begin = Instant::now();
        let mut looks = 0_u32;
        loop {
            let ended = git.try_wait().map_err(|error| format!("cannot wait for git: {error}"))?;
            if let Some(status) = ended {
                return Ok(status);
            }
            looks += 1;
            let why = if begin.elapsed() > self.patience {
                format!("it took longer than {} s", self.patience.as_secs())
            } else if looks.is_multiple_of(25) && size(&self.into.join("objects/pack")) > self.limit {
                format!("it is larger than {} MiB", self.limit >> 20)
            } else {
                std::thread::sleep(LOOK);
                continue;
            };
            // It may have ended by itself meanwhile; its children end with their pipes.
            let _ = git.kill();
            let _ = git.wait();
            return Err(why);
        }
    }
}

/// The bytes of the files of a folder.
fn size(folder: &Utf8Path) -> u64 {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

/// The line of git's words that says why.
fn message(said: &mut File) -> String {
    let mut bytes = Vec::new();
    // What cannot be read back is as good as nothing said.
    let _ = said.rewind().and_then(|()| said.take(MAX_MESSAGE).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:")).or(text.lines().next_back());
    line.unwrap_or("git failed").trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
}

/// Makes the bare repository `copy` in the folder `home`: `fetch` fills a temporary one, which takes its place only when it is complete.
pub(super) fn make_copy(
    home: &Utf8Path,
    copy: &Utf8Path,
    branch: &str,
    fetch: impl FnOnce(&Utf8Path) -> Result<(), String>,
) -> Result<(), String> {
    let io = |error: std::io::Error| format!("cannot write to {home}: {error}");
    std::fs::create_dir_all(home).map_err(io)?;
    let folder = tempfile::Builder::new().prefix("fetching-").tempdir_in(home).map_err(io)?;
    let path = Utf8Path::from_path(folder.path()).ok_or("the cache folder's name is not UTF-8")?;
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).external_template(false).initial_head(branch);
    git2::Repository::init_opts(path, &options).map_err(|error| error.message().to_owned())?;
    fetch(path)?;
    match std::fs::rename(path, copy) {
        // Another run was faster.
        Err(_) if copy.join("HEAD").exists() => Ok(()),
        other => other.map_err(io),
    }
}

/// The folder of a repository's copy in the cache: readable, and one a URL.
pub(super) fn folder_name(url: &str, shown: &str) -> String {
    let last = shown.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(64).collect();
    format!("{name}-{}", &crate::base::Sha256::of(url).to_string()[..16])
}

/// `git` in an absolute folder of PATH outside the workspace: a relative one, or one below it, would be the project's.
pub(super) fn git_program(env: &BTreeMap<String, String>, workspace: Option<&Utf8Path>) -> Option<Utf8PathBuf> {
    let name = if cfg!(windows) { "git.exe" } else { "git" };
    std::env::split_paths(env.get("PATH")?)
        .filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok())
        .filter(|folder| folder.is_absolute() && !workspace.is_some_and(|workspace| folder.starts_with(workspace)))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
