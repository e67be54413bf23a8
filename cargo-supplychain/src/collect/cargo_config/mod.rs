//! Reads cargo's configuration hierarchy as cargo does (cargo book, "Configuration"; tried with cargo 1.95.0): command line,
//! environment, files from the working folder outwards, `$CARGO_HOME`. Nothing here is executed, and what the settings mean is not
//! judged: that is `check`'s.

mod error;
mod parse;
mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::Location;
use crate::files;
use crate::model::cargo_config::environment;
use crate::model::{CargoConfig, ConfigEntry, Scope};

pub use crate::model::cargo_config::allow_listed;
pub use error::Error;
use paths::Places;
pub use paths::cargo_home;

/// Largest file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;
/// Most files that are read, and the deepest chain of `include`.
const FILES_MAX: usize = 128;
const INCLUDE_DEPTH_MAX: usize = 16;
/// Most settings of the whole hierarchy: each carries its whole key.
const SETTINGS_MAX: usize = 10_000;

/// What determines the hierarchy.
#[derive(Debug, Clone, Copy)]
pub struct ConfigRequest<'a> {
    /// The folder that cargo is started in for the build, absolute: discovery starts there.
    pub cwd: &'a Utf8Path,
    /// The folder of the workspace's root manifest, absolute: what lies there and above is judged even where this call of cargo
    /// would not discover it.
    pub workspace_root: &'a Utf8Path,
    /// The folder with `.git`, if there is one; without it the workspace root counts as the repository.
    pub repository_root: Option<&'a Utf8Path>,
    /// `$CARGO_HOME`, absolute; see [`cargo_home`].
    pub cargo_home: Option<&'a Utf8Path>,
    /// The environment that cargo will see.
    pub env: &'a BTreeMap<String, String>,
    /// The values of `--config`, in the order of the command line: `KEY=VALUE` or the path of a file.
    pub config_args: &'a [String],
}

/// Reads the whole hierarchy.
///
/// # Errors
/// A file that cannot be read, is broken, too large or no regular file; an `include` that is missing or goes in a circle; a
/// `--config` argument that cargo would refuse. Each names the file and, where there is one, the line.
pub fn read(request: &ConfigRequest<'_>) -> Result<CargoConfig, Error> {
    let mut reader = Reader { places: Places::new(request), config: CargoConfig::default(), known: BTreeSet::new(), loaded: 0 };
    for argument in request.config_args.iter().rev() {
        reader.argument(argument)?;
    }
    reader.config.entries.extend(environment::entries(request.env, request.cwd.as_str()));
    for folder in reader.places.cwd.clone().ancestors() {
        reader.folder(&folder.join(".cargo"), true)?;
    }
    if let Some(home) = reader.places.home.clone() {
        reader.folder(&home, true)?;
    }
    for folder in reader.places.workspace.clone().ancestors() {
        reader.folder(&folder.join(".cargo"), false)?;
    }
    reader.config.cargo_home_in_repository = reader.places.home_in_repository();
    Ok(reader.config)
}

/// On whose behalf a file is read.
#[derive(Clone, Copy)]
struct Cause {
    scope: Scope,
    effective: bool,
    depth: usize,
}

struct Reader {
    places: Places,
    config: CargoConfig,
    /// Discovered files, by canonical path: a folder may be on the way from both starting points, or be `$CARGO_HOME`.
    known: BTreeSet<Utf8PathBuf>,
    loaded: usize,
}

impl Reader {
    /// The file of one folder: `config` (the legacy name, which cargo prefers where both exist), else `config.toml`.
    fn folder(&mut self, folder: &Utf8Path, effective: bool) -> Result<(), Error> {
        // As cargo does: what cannot be looked at, a dangling link say, does not exist.
        let Some(path) = ["config", "config.toml"].map(|name| folder.join(name)).into_iter().find(|path| path.exists()) else {
            return Ok(());
        };
        if !self.known.insert(paths::canonical(&path)) {
            return Ok(());
        }
        let scope = self.places.scope_of_folder(folder);
        self.file(&path, Cause { scope, effective, depth: 0 }, &mut BTreeSet::new())
    }

    /// One file, and behind it, because weaker, what it includes: the last first.
    fn file(&mut self, path: &Utf8Path, cause: Cause, chain: &mut BTreeSet<Utf8PathBuf>) -> Result<(), Error> {
        let shown = self.places.shown(path);
        self.loaded += 1;
        if self.loaded > FILES_MAX {
            return Err(Error::Refused { path: shown, line: 0, reason: format!("more than {FILES_MAX} configuration files") });
        }
        chain.insert(paths::canonical(path));
        let text = read_text(path, &shown)?;
        let leaves = parse::leaves(&text).map_err(|broken| Error::Broken {
            path: shown.clone(),
            line: broken.line,
            column: broken.column,
            reason: broken.reason,
        })?;
        if self.config.entries.len() + leaves.len() > SETTINGS_MAX {
            let reason = format!("more than {SETTINGS_MAX} settings in all configuration files");
            return Err(Error::Refused { path: shown, line: 0, reason });
        }
        let base = path.parent().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new("/")).to_string();
        let includes = leaves.iter().filter(|leaf| leaf.key[0] == "include").map(|leaf| (leaf.line, leaf.value.clone()));
        let includes: Vec<_> = includes.collect();
        self.config.files.push(shown.clone());
        self.config.entries.extend(leaves.into_iter().map(|leaf| ConfigEntry {
            key: leaf.key,
            value: leaf.value,
            location: Location { file: shown.clone(), line: leaf.line, column: leaf.column },
            scope: cause.scope,
            base: base.clone(),
            effective: cause.effective,
        }));
        let folder = path.parent().unwrap_or(Utf8Path::new("/"));
        for (line, value) in includes {
            self.includes(&value, &Includer { shown: &shown, line, folder, cause }, chain)?;
        }
        Ok(())
    }

    fn includes(&mut self, value: &toml::Value, by: &Includer<'_>, chain: &mut BTreeSet<Utf8PathBuf>) -> Result<(), Error> {
        for include in wanted(value).map_err(|reason| by.refused(reason))?.into_iter().rev() {
            if !include.path.ends_with(".toml") {
                return Err(by.refused(format!("include `{}`: the name must end with .toml", include.path)));
            }
            let path = by.folder.join(&include.path);
            if include.optional && !path.exists() {
                continue;
            }
            if by.cause.depth >= INCLUDE_DEPTH_MAX {
                return Err(by.refused(format!("includes are nested deeper than {INCLUDE_DEPTH_MAX}")));
            }
            if chain.contains(&paths::canonical(&path)) {
                return Err(by.refused(format!("include `{}`: included twice, or in a circle", include.path)));
            }
            let scope = self.places.scope_of_include(by.cause.scope, &path);
            self.file(&path, Cause { scope, depth: by.cause.depth + 1, ..by.cause }, chain)?;
        }
        Ok(())
    }

    /// One value of `--config`: a file where there is one of that name, else a dotted key with its value.
    fn argument(&mut self, argument: &str) -> Result<(), Error> {
        let cause = Cause { scope: Scope::CommandLine, effective: true, depth: 0 };
        let cwd = self.places.cwd.clone();
        let path = cwd.join(argument);
        if !argument.is_empty() && path.exists() {
            return self.file(&path, cause, &mut BTreeSet::new());
        }
        // The argument may hold a secret: only what stands left of the `=` is ever shown.
        let key = argument.split('=').next().unwrap_or_default().trim().to_owned();
        let refused = |reason: &str| Error::Argument { key: key.clone(), reason: reason.to_owned() };
        let leaves = parse::leaves(argument).map_err(|_| refused("neither a file nor KEY=VALUE in TOML"))?;
        let [leaf] = <[_; 1]>::try_from(leaves).map_err(|_| refused("expected one KEY=VALUE"))?;
        if leaf.key.last().is_some_and(|last| last == "token" || last == "secret-key") {
            return Err(refused("cargo takes no credentials on the command line"));
        }
        let include = (leaf.key == ["include"]).then(|| leaf.value.clone());
        self.config.entries.push(ConfigEntry {
            key: leaf.key,
            value: leaf.value,
            location: Location::file("--config"),
            scope: Scope::CommandLine,
            base: cwd.to_string(),
            effective: true,
        });
        match include {
            Some(value) => {
                let by = Includer { shown: "--config", line: 0, folder: &cwd, cause };
                self.includes(&value, &by, &mut BTreeSet::new())
            }
            None => Ok(()),
        }
    }
}

/// The file that an include stands in.
struct Includer<'a> {
    shown: &'a str,
    line: u32,
    folder: &'a Utf8Path,
    cause: Cause,
}

impl Includer<'_> {
    fn refused(&self, reason: String) -> Error {
        Error::Refused { path: self.shown.to_owned(), line: self.line, reason }
    }
}

struct Include {
    path: String,
    optional: bool,
}

/// The forms of `include`: a list of paths or of tables. Cargo 1.95 refuses a single one outside a list, other versions took it.
fn wanted(value: &toml::Value) -> Result<Vec<Include>, String> {
    let one = |value: &toml::Value| match value {
        toml::Value::String(path) => Some(Include { path: path.clone(), optional: false }),
        toml::Value::Table(table) => {
            let optional = table.get("optional").and_then(toml::Value::as_bool).unwrap_or(false);
            table.get("path").and_then(toml::Value::as_str).map(|path| Include { path: path.to_owned(), optional })
        }
        _ => None,
    };
    let all: Option<Vec<_>> = match value {
        toml::Value::Array(items) => items.iter().map(one).collect(),
        single => one(single).map(|include| vec![include]),
    };
    all.ok_or_else(|| "include: expected a list of paths, or of tables with `path`".to_owned())
}

fn read_text(path: &Utf8Path, shown: &str) -> Result<String, Error> {
    files::read_text(path, FILE_MAX).map_err(|source| match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::FileTooLarge | ErrorKind::InvalidData => {
            Error::Refused { path: shown.to_owned(), line: 0, reason: source.to_string() }
        }
        _ => Error::Io { path: shown.to_owned(), source },
    })
}

#[cfg(test)]
mod tests;
