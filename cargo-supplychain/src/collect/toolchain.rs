//! Which cargo and rustc to run, by absolute path, and what they say of themselves. Never a toolchain that the repository brought:
//! a `path` in `rust-toolchain.toml` is not followed, and programs below the workspace are refused.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::{memo, process};
use crate::base::Context;
use crate::model::Toolchain;

/// The programs of one toolchain.
#[derive(Debug, Clone)]
pub struct Programs {
    pub cargo: Utf8PathBuf,
    pub rustc: Utf8PathBuf,
    /// The rustup toolchain's name, where rustup manages it.
    pub name: Option<String>,
    /// Set when the channel that the toolchain file asks for is not installed: its name.
    pub missing_channel: Option<String>,
}

/// Why no toolchain could be used.
#[derive(Debug)]
pub enum Error {
    NotFound {
        program: &'static str,
    },
    Process(process::Error),
    /// A program answered something unexpected.
    Unreadable {
        program: Utf8PathBuf,
        output: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { program } => write!(
                f,
                "cannot find `{program}` in PATH\nhelp: install Rust (https://rustup.rs) or put its bin folder into PATH"
            ),
            Self::Process(error) => error.fmt(f),
            Self::Unreadable { program, output } => {
                write!(f, "cannot understand what {program} says of itself: {}", crate::base::text::plain(output))
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<process::Error> for Error {
    fn from(error: process::Error) -> Self {
        Self::Process(error)
    }
}

/// Finds the programs. `channel` is what the repository's toolchain file asks for, honoured where rustup has it installed;
/// the order is rustup's own: `RUSTUP_TOOLCHAIN`, the file, the default.
pub fn locate(context: &Context, workspace: &Utf8Path, channel: Option<&str>) -> Result<Programs, Error> {
    if let Some(programs) = calling_cargo(context, workspace) {
        return Ok(programs);
    }
    let cargo = find_in_path(context, "cargo", workspace).ok_or(Error::NotFound { program: "cargo" })?;
    if is_rustup_proxy(&cargo)
        && let Some(programs) = rustup_toolchain(context, channel)
    {
        return Ok(programs);
    }
    let rustc = sibling(&cargo, "rustc")
        .or_else(|| find_in_path(context, "rustc", workspace))
        .ok_or(Error::NotFound { program: "rustc" })?;
    Ok(Programs { cargo, rustc, name: None, missing_channel: None })
}

/// The cargo that called us (`CARGO`, set for subcommands): rustup has chosen it already.
fn calling_cargo(context: &Context, workspace: &Utf8Path) -> Option<Programs> {
    let cargo = Utf8PathBuf::from(context.var("CARGO")?);
    if !cargo.is_absolute() || cargo.starts_with(workspace) || is_rustup_proxy(&cargo) {
        return None;
    }
    let rustc = sibling(&cargo, "rustc")?;
    let name = cargo
        .ancestors()
        .nth(3)
        .filter(|folder| folder.file_name() == Some("toolchains"))
        .and_then(|_| cargo.ancestors().nth(2).and_then(Utf8Path::file_name).map(str::to_owned));
    Some(Programs { cargo, rustc, name, missing_channel: None })
}

fn rustup_toolchain(context: &Context, channel: Option<&str>) -> Option<Programs> {
    let home = match context.var("RUSTUP_HOME") {
        Some(home) => Utf8PathBuf::from(home),
        None => home_folder(context)?.join(".rustup"),
    };
    let settings = crate::files::read_text(&home.join("settings.toml"), 1 << 20).unwrap_or_default();
    let settings: toml::Table = settings.parse().unwrap_or_default();
    let setting = |key: &str| settings.get(key).and_then(toml::Value::as_str);
    let open = |name: &str| open_toolchain(&home, name, setting("default_host_triple"));
    let forced = context.var("RUSTUP_TOOLCHAIN");
    let wanted = forced.or(channel);
    if let Some(programs) = wanted.and_then(open) {
        return Some(programs);
    }
    let default = open(setting("default_toolchain")?)?;
    Some(Programs { missing_channel: wanted.map(str::to_owned), ..default })
}

fn open_toolchain(home: &Utf8Path, name: &str, host: Option<&str>) -> Option<Programs> {
    // A channel is a word; anything with a separator is a path, which the repository must not choose.
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return None;
    }
    let folders = home.join("toolchains");
    let full = host.map_or_else(|| for_this_machine(&folders, name), |host| vec![format!("{name}-{host}")]);
    std::iter::once(name.to_owned()).chain(full).find_map(|name| {
        let cargo = folders.join(&name).join("bin").join(executable("cargo"));
        let rustc = sibling(&cargo, "rustc")?;
        cargo.is_file().then_some(Programs { cargo, rustc, name: Some(name), missing_channel: None })
    })
}

/// The installed toolchains of a channel whose host is this machine's architecture and system, where rustup's settings do not name the
/// host triple.
fn for_this_machine(folders: &Utf8Path, channel: &str) -> Vec<String> {
    let (beginning, system) = (format!("{channel}-{}-", std::env::consts::ARCH), std::env::consts::OS);
    let system = if system == "macos" { "darwin" } else { system };
    let entries = folders.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| name.strip_prefix(&beginning).is_some_and(|rest| rest.contains(system)))
        .collect();
    names.sort();
    names
}

fn find_in_path(context: &Context, program: &str, workspace: &Utf8Path) -> Option<Utf8PathBuf> {
    std::env::split_paths(context.var("PATH")?)
        .filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok())
        .filter(|folder| folder.is_absolute() && !folder.starts_with(workspace))
        .map(|folder| folder.join(executable(program)))
        .find(|path| path.is_file())
}

fn sibling(program: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    Some(program.parent()?.join(executable(name))).filter(|path| path.is_file())
}

fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// rustup installs its proxies as links to itself, or as copies beside `rustup`.
fn is_rustup_proxy(cargo: &Utf8Path) -> bool {
    let target = cargo.canonicalize_utf8().unwrap_or_else(|_| cargo.to_owned());
    target.file_stem() == Some("rustup") || sibling(&target, "rustup").is_some()
}

/// The user's home folder.
#[must_use]
pub fn home_folder(context: &Context) -> Option<Utf8PathBuf> {
    context.var("HOME").or_else(|| context.var("USERPROFILE")).map(Utf8PathBuf::from)
}

/// `rustc -vV` and `cargo -V`.
pub fn describe(context: &Context, programs: &Programs) -> Result<Toolchain, Error> {
    let rustc = ask(context, &programs.rustc, &["-vV"])?;
    let cargo = ask(context, &programs.cargo, &["-V"])?;
    let fields: BTreeMap<_, _> = rustc.lines().filter_map(|line| line.split_once(": ")).collect();
    let field = |name: &str| fields.get(name).map(|value| (*value).to_owned());
    let known = |value: &String| value != "unknown";
    let unreadable = || Error::Unreadable { program: programs.rustc.clone(), output: rustc.clone() };
    Ok(Toolchain {
        rustc: field("release").ok_or_else(unreadable)?,
        rustc_commit: field("commit-hash").filter(known),
        host: field("host").ok_or_else(unreadable)?,
        llvm: field("LLVM version").filter(known),
        cargo: cargo.trim().strip_prefix("cargo ").unwrap_or(cargo.trim()).to_owned(),
        channel: programs.name.clone(),
    })
}

/// `rustc --print cfg` for a target with those flags that shape cfgs; see [`cfg_flags`].
pub fn cfgs(context: &Context, programs: &Programs, target: Option<&str>, flags: &[String]) -> Result<Vec<String>, Error> {
    let mut arguments = vec!["--print", "cfg"];
    if let Some(target) = target {
        arguments.extend(["--target", target]);
    }
    arguments.extend(flags.iter().map(String::as_str));
    Ok(ask(context, &programs.rustc, &arguments)?.lines().map(str::to_owned).collect())
}

/// The flags of `rustflags` that can change `--print cfg` and cannot run code: `--cfg`, `-C target-cpu`, `-C target-feature`,
/// `-C panic`, `-C debug-assertions`, `-C opt-level` and `-O` (they turn debug assertions off), `-C relocation-model`. The rest
/// (linkers, plugins, codegen backends) stays out of analysis.
#[must_use]
pub fn cfg_flags(rustflags: &[String]) -> Vec<String> {
    const HARMLESS: [&str; 7] =
        ["target-cpu", "target-feature", "panic", "debug-assertions", "opt-level", "relocation-model", "overflow-checks"];
    let mut kept = Vec::new();
    let mut flags = rustflags.iter().map(String::as_str);
    while let Some(flag) = flags.next() {
        let (option, value) = match flag {
            "-O" => ("-C", Some("opt-level=3")),
            "--cfg" | "-C" | "--codegen" => (flag, flags.next()),
            _ => match flag.strip_prefix("-C").or_else(|| flag.strip_prefix("--codegen=")) {
                Some(value) => ("-C", Some(value)),
                None => match flag.strip_prefix("--cfg=") {
                    Some(value) => ("--cfg", Some(value)),
                    None => continue,
                },
            },
        };
        let Some(value) = value else { continue };
        let name = value.split('=').next().unwrap_or(value).replace('_', "-");
        if option == "--cfg" || HARMLESS.contains(&name.as_str()) {
            kept.extend([option.to_owned(), value.to_owned()]);
        }
    }
    kept
}

fn ask(context: &Context, program: &Utf8Path, arguments: &[&str]) -> Result<String, Error> {
    let mut command = process::analysis(context, program);
    command.args(arguments);
    let question = format!("{command:?}");
    let witness = |_: &str| vec![memo::Witness::stat(program.to_owned())];
    Ok(memo::remembered(context, "toolchain", &question, || process::output(command), witness)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flags_that_shape_cfgs_reach_the_compiler_in_analysis() {
        let flags = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (given, kept) in [
            ("-C target-cpu=native", "-C target-cpu=native"),
            ("-Ctarget-feature=+avx2 --cfg tokio_unstable", "-C target-feature=+avx2 --cfg tokio_unstable"),
            ("-Zcodegen-backend=./evil.so -Clinker=./evil -C link-arg=-fuse-ld=mold --cfg=x", "--cfg x"),
            ("-O -Copt-level=1 -g", "-C opt-level=3 -C opt-level=1"),
            ("-C", ""),
        ] {
            assert_eq!(cfg_flags(&flags(given)).join(" "), kept, "{given}");
        }
    }

    #[test]
    fn a_channel_is_a_word_never_a_path() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let bin = home.join("toolchains/1.80-x86_64-unknown-linux-gnu/bin");
        std::fs::create_dir_all(&bin).unwrap();
        for program in ["cargo", "rustc"] {
            std::fs::write(bin.join(executable(program)), "").unwrap();
        }
        let host = Some("x86_64-unknown-linux-gnu");
        assert!(open_toolchain(home, "1.80", host).is_some());
        if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
            assert!(open_toolchain(home, "1.80", None).is_some());
        }
        for bad in ["../x", "/tmp/evil", "", ".", "1.81"] {
            assert!(open_toolchain(home, bad, host).is_none(), "{bad}");
        }
    }
}
