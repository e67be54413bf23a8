//! Layer 5: the command line: arguments, output, exit codes. Nothing here judges; `ops` does the work.

mod action;
mod args;
mod commands;
mod exit;
mod handed;
mod render;
mod shell;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::Parser as _;

use crate::base::{Context, Timestamp};
use crate::collect::toolchain::home_folder;
use crate::ops::{self, Class, Interrupt};
use crate::sandbox;
use args::{Cli, Command, Global};
use exit::Exit;
use shell::Shell;

/// The program: `cargo supplychain …`, or `cargo-supplychain supplychain …`, which is the same.
#[must_use]
pub fn main() -> ExitCode {
    // Before our memory is hidden: the supervisor has to read that of a sealed process.
    if std::env::args_os().nth(1).is_some_and(|first| first == sandbox::LAUNCH) {
        if let Some(error) = sandbox::launch() {
            eprintln!("error: cannot start the sealed build: {error}");
        }
        return Exit::Bug.into();
    }
    hide_memory();
    std::panic::set_hook(Box::new(|info| {
        eprintln!("error: this is a bug in cargo-supplychain: {info}");
        eprintln!("help: please report it at {}/issues, with the command that you ran", env!("CARGO_PKG_REPOSITORY"));
    }));
    std::panic::catch_unwind(run).unwrap_or(Exit::Bug).into()
}

/// Build children must not read our memory or environment, which may hold a passphrase or a token.
fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        // A kernel that refuses leaves us as any other process; docs/keys.md says what a build script can read.
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

fn run() -> Exit {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows where each goes and survives a closed pipe.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Pass };
        }
    };
    let mut shell = Shell::new(&cli.global);
    let exit = match context(&cli.global) {
        Ok(context) => dispatch(&mut shell, &context, cli.command),
        Err(error) => commands::failed(&mut shell, &error),
    };
    if let Some(error) = shell.lost_output.take() {
        shell.line(&format!("error: cannot write to standard output: {error}"));
        return Exit::Output;
    }
    exit
}

/// Cargo calls its subcommands with the subcommand's name as the first argument; it is the name of our command line.
fn arguments(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.collect();
    if arguments.get(1).is_some_and(|first| first == "supplychain") {
        arguments.remove(1);
    }
    arguments
}

/// Clock and environment are read here, once.
fn context(global: &Global) -> Result<Context, ops::Error> {
    let cwd = std::env::current_dir()
        .map_err(|error| ops::Error::usage(&format!("cannot tell the working folder: {error}")))
        .and_then(|path| {
            Utf8PathBuf::from_path_buf(path)
                .map_err(|path| ops::Error::usage(&format!("the working folder {} is not UTF-8", path.display())))
        })?;
    let mut env: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    handed::receive(&mut env).map_err(|error| ops::Error::usage(&format!("what was handed over cannot be read: {error}")))?;
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let clock = i64::try_from(seconds).ok().and_then(Timestamp::from_unix);
    let now = global.now.or(clock).ok_or_else(|| ops::Error::usage(&"the clock is out of range"))?;
    let stamp = match env.get("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) {
        None => now,
        Some(text) => text.parse().ok().and_then(Timestamp::from_unix).ok_or_else(|| {
            ops::Error::usage(&format!("SOURCE_DATE_EPOCH is `{text}`"))
                .with_help("it has to be a number of seconds since 1970-01-01T00:00:00Z")
        })?,
    };
    let mut context = Context {
        cwd,
        env,
        now,
        now_is_given: global.now.is_some(),
        stamp,
        offline: global.offline,
        cache_dir: Utf8PathBuf::new(),
    };
    context.cache_dir = cache_folder(&context, global)?;
    Ok(context)
}

/// `--cache-dir`, else `$XDG_CACHE_HOME/cargo-supplychain`, else the platform's cache folder below the user's home.
fn cache_folder(context: &Context, global: &Global) -> Result<Utf8PathBuf, ops::Error> {
    if let Some(folder) = &global.cache_dir {
        return Ok(context.cwd.join(folder));
    }
    let base = match context.var("XDG_CACHE_HOME").or_else(|| context.var("LOCALAPPDATA")) {
        Some(folder) => Some(Utf8PathBuf::from(folder)),
        None => home_folder(context).map(|home| home.join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" })),
    };
    base.map(|base| base.join("cargo-supplychain"))
        .ok_or_else(|| ops::Error::usage(&"no home folder to keep a cache in").with_help("name one with --cache-dir DIR"))
}

fn dispatch(shell: &mut Shell, context: &Context, command: Command) -> Exit {
    let interrupt = Interrupt::default();
    on_interrupt(&interrupt);
    let outcome = match command {
        Command::Build(args) => commands::build::run(shell, context, &args, &interrupt),
        Command::Check(args) => commands::check::run(shell, context, &args),
        Command::Diff(args) => commands::diff::run(shell, context, &args),
        Command::Sbom(args) => commands::sbom::run(shell, context, &args),
        Command::Sign(args) => commands::sign::run(shell, context, args, &interrupt),
        Command::Verify(args) => commands::verify::run(shell, context, *args, &interrupt),
        Command::Archive(command) => commands::archive::run(shell, context, command),
        Command::Affected(args) => commands::afterlife::affected(shell, context, &args),
        Command::Rescan(args) => commands::afterlife::rescan(shell, context, &args),
        Command::Psirt(command) => commands::psirt::run(shell, context, command),
        Command::Evidence(command) => commands::evidence::run(shell, context, &command),
        Command::Vex(command) => commands::vex::run(shell, context, command),
        Command::Baseline(command) => commands::baseline::run(shell, context, command),
        Command::Fetch(args) => commands::data::fetch(shell, context, &args),
        Command::Key(command) => commands::key::run(shell, context, &command),
        Command::Init(args) => commands::project::init(shell, context, &args),
        Command::Explain(args) => commands::project::explain(shell, &args),
        Command::Schema(args) => commands::data::schema(shell, &args),
        Command::Completions(args) => commands::data::completions(shell, &args),
        Command::Man => commands::data::man(shell),
        Command::Action => Ok(action::run(context, &interrupt)),
    };
    outcome.unwrap_or_else(|error| commands::failed(shell, &error))
}

/// Ctrl-C ends the build child, removes the staging folder and exits with 130; a commit that has begun is finished first.
fn on_interrupt(interrupt: &Interrupt) {
    let interrupt = interrupt.clone();
    // Without a handler the default stays: the process ends, and the next build removes what it left.
    let _ = ctrlc::set_handler(move || {
        let state = interrupt.lock();
        #[cfg(unix)]
        if let Some(child) = state.child.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::INT);
        }
        if state.sealed.is_some() {
            sandbox::end_all();
        }
        for folder in [&state.sealed, &state.staging, &state.elsewhere].into_iter().flatten() {
            remove(folder.as_std_path());
        }
        eprintln!("\ninterrupted: no release was written");
        std::process::exit(Exit::Interrupted as i32);
    });
}

/// Removes a folder. Whoever was ended a moment ago may still write into it, so that the first try can fail; what is left in the end, the next
/// build removes.
fn remove(folder: &std::path::Path) {
    for _ in 0..50 {
        let removed = std::fs::remove_dir_all(folder);
        if removed.is_ok() || !folder.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// The exit code of an error's class.
fn exit_of(class: Class) -> Exit {
    match class {
        Class::Usage => Exit::Usage,
        Class::Refused => Exit::Finding,
        Class::Rejected => Exit::Rejected,
        Class::Undetermined => Exit::Undetermined,
        Class::Output => Exit::Output,
        Class::BuildFailed => Exit::BuildFailed,
        Class::Interrupted => Exit::Interrupted,
    }
}
