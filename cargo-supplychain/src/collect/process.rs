//! Children: started by absolute path, with an environment that is said here. Analysis children run in the root folder, so that cargo
//! discovers no project configuration (ARCHITECTURE.md, invariant 1), and see allow-listed variables only.

use std::fmt;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::Context;

/// Variables that analysis children see: where things are, how the network is reached, how registries are reached. Nothing that names
/// a compiler, a wrapper or flags.
const ANALYSIS_VARIABLES: [&str; 24] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SYSTEMROOT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PATHEXT",
    "COMSPEC",
    "WINDIR",
    "TERM",
];
const ANALYSIS_PREFIXES: [&str; 4] = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRY_", "CARGO_REGISTRIES_"];
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// A child could not be started, or failed.
#[derive(Debug)]
pub enum Error {
    Start { program: Utf8PathBuf, source: std::io::Error },
    Failed { program: Utf8PathBuf, code: Option<i32>, stderr: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { program, source } => write!(f, "cannot start {program}: {source}"),
            Self::Failed { program, code, stderr } => {
                let code = code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
                write!(f, "{program} ended with {code}\n{}", stderr.trim_end())
            }
        }
    }
}

impl std::error::Error for Error {}

/// A command for analysis.
#[must_use]
pub fn analysis(context: &Context, program: &Utf8Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(root_folder()).stdin(Stdio::null());
    for (name, value) in &context.env {
        let lower = name.to_ascii_lowercase();
        if ANALYSIS_VARIABLES.contains(&name.as_str())
            || ANALYSIS_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || PROXIES.contains(&lower.as_str())
        {
            command.env(name, value);
        }
    }
    command
}

/// Only the system's administrator can put a `.cargo` folder here, and no project lies above it.
fn root_folder() -> &'static str {
    if cfg!(windows) { "C:\\" } else { "/" }
}

/// Runs to the end; standard output as text.
pub fn output(mut command: Command) -> Result<String, Error> {
    let program = Utf8PathBuf::from(command.get_program().to_string_lossy().into_owned());
    let output = command.output().map_err(|source| Error::Start { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::Failed { program, code: output.status.code(), stderr: String::from_utf8_lossy(&output.stderr).into_owned() })
}
