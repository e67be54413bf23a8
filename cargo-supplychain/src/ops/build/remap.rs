//! Fixed names for the machine's folders (docs/rebuild.md): what a call of cargo gets besides, and what is recorded of it. The project's
//! own flags stay, and our own stand behind them; where that cannot be, nothing is added and the record says so.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::Context;
use crate::collect::c_compiler;
use crate::collect::cargo_config::cargo_home;
use crate::model::cargo_config::{Appended, append};
use crate::model::remap::{CARGO_HOME, PathRemapping, Prefixes, REPOSITORY, TARGET_FOLDER, WORKSPACE, flag_variables};
use crate::model::{Build, Origin};
use crate::ops::gather::Gathered;

/// What a call of cargo gets.
#[derive(Debug, Default)]
pub(in crate::ops) struct Remapped {
    /// Arguments behind those of the user.
    pub arguments: Vec<String>,
    /// Variables over those of the user.
    pub environment: BTreeMap<String, String>,
    /// None where it is switched off.
    pub recorded: Option<PathRemapping>,
}

/// How this build is called. `environment` is what its children get otherwise.
pub(in crate::ops) fn remap(
    context: &Context,
    gathered: &Gathered,
    build: &Build,
    target_folder: &Utf8Path,
    environment: &BTreeMap<String, String>,
) -> Remapped {
    let has_outside =
        build.components.values().any(|one| matches!(&one.origin, Origin::Path { path } if Utf8Path::new(path).is_absolute()));
    let repository = if has_outside { repository(&gathered.workspace.root) } else { None };
    let prefixes = prefixes(context, gathered, repository.as_deref(), target_folder);
    let invocation = &build.invocation;
    let own = prefixes.rustc();
    let Appended { environment: mut variables, config } =
        append(&gathered.cargo_config, invocation.rustflags_from, &invocation.target, &invocation.rustflags, &own);
    let c = match c_flags(context, gathered, build, &prefixes, environment) {
        Ok(None) => "not needed".to_owned(),
        Ok(Some(flags)) => {
            variables.extend(flags);
            "applied".to_owned()
        }
        Err(why) => format!("not applied: {why}"),
    };
    Remapped {
        arguments: config.into_iter().flat_map(|entry| ["--config".to_owned(), entry]).collect(),
        environment: variables,
        recorded: Some(PathRemapping {
            workspace: WORKSPACE,
            cargo_home: CARGO_HOME,
            target_folder: TARGET_FOLDER,
            repository: repository.map(|_| REPOSITORY),
            c,
        }),
    }
}

fn repository(root: &Utf8Path) -> Option<Utf8PathBuf> {
    root.ancestors().find(|folder| folder.join(".git").exists()).map(Utf8Path::to_owned)
}

/// As given and as it really is: cargo hands paths on as it got them, and compilers may resolve links.
fn prefixes(context: &Context, gathered: &Gathered, repository: Option<&Utf8Path>, target_folder: &Utf8Path) -> Prefixes {
    let mut folders = Vec::new();
    let mut name = |folder: &Utf8Path, name: &str| {
        folders.push((folder.to_owned(), name.to_owned()));
        folders.extend(folder.canonicalize_utf8().ok().map(|real| (real, name.to_owned())));
    };
    name(&gathered.workspace.root, WORKSPACE);
    name(target_folder, TARGET_FOLDER);
    if let Some(home) = cargo_home(&context.env, &context.cwd) {
        name(&home, CARGO_HOME);
        for below in ["registry/src", "git/checkouts"] {
            name(&home.join(below), &format!("{CARGO_HOME}/{below}"));
            for link in links(&home.join(below)) {
                name(&home.join(below).join(&link), &format!("{CARGO_HOME}/{below}/{link}"));
            }
        }
    }
    if let Some(repository) = repository {
        name(repository, REPOSITORY);
    }
    Prefixes::new(folders)
}

/// Names of the links in a folder: caches of CI systems are often linked there.
fn links(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    let mut names: Vec<_> = links.map(|entry| entry.file_name().to_owned()).collect();
    names.sort();
    names
}

/// Flags for compilers that build scripts start by the crate `cc`; none where no package needs it.
///
/// A variable of the target alone is set where none is: `CFLAGS` itself would take the place of the defaults of configure scripts and
/// makefiles.
fn c_flags(
    context: &Context,
    gathered: &Gathered,
    build: &Build,
    prefixes: &Prefixes,
    environment: &BTreeMap<String, String>,
) -> Result<Option<BTreeMap<String, String>>, String> {
    let host = build.artifacts.iter().flat_map(|artifact| &artifact.host);
    let names = host.filter_map(|part| build.components.get(&part.purl)).map(|component| component.name.as_str());
    if !names.into_iter().any(|name| name == "cc") {
        return Ok(None);
    }
    let is_set_by_project = gathered.cargo_config.under(&["env"]).filter(|entry| entry.effective).any(|entry| {
        let name = entry.key.get(1).map(String::as_str).unwrap_or_default();
        name.contains("CFLAGS") || name.contains("CXXFLAGS") || name == "CC" || name.starts_with("CC_") || name.ends_with("_CC")
    });
    if is_set_by_project {
        return Err("[env] of the cargo configuration sets the C compiler or its flags".to_owned());
    }
    let own = prefixes.c()?;
    let target = &build.invocation.target;
    c_compiler::takes_prefix_map(context, &gathered.workspace.root, &build.toolchain.host, target)?;
    let mut flags = BTreeMap::new();
    for language in ["CFLAGS", "CXXFLAGS"] {
        let variables = flag_variables(language, target);
        let set: Vec<_> = variables.iter().filter_map(|name| Some((name, environment.get(name)?))).collect();
        if set.is_empty() {
            flags.insert(variables[1].clone(), own.clone());
        }
        flags.extend(set.into_iter().map(|(name, value)| (name.clone(), format!("{value} {own}").trim_start().to_owned())));
    }
    Ok(Some(flags))
}
