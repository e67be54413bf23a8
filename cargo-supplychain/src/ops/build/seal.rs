//! What a build is sealed with: the walls from what was gathered, and the one place where cargo is started inside them, or not.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::process::{Child, Command};

use camino::{Utf8Path, Utf8PathBuf};

use super::sealed;
use crate::assemble::Plan;
use crate::base::Context;
use crate::collect::cargo_config::cargo_home;
use crate::collect::toolchain::home_folder;
use crate::collect::vcs;
use crate::files;
use crate::model::Origin;
use crate::model::sandbox::{SandboxFacts, SandboxMode};
use crate::ops::Error;
use crate::ops::gather::Gathered;
use crate::sandbox::{self, Exception, Launcher, Sealed};

/// How the next child of a build is started.
pub(in crate::ops) enum Seal {
    /// Inside these walls. The first child has a launcher that waits already.
    Walls(Box<sandbox::Request>, Cell<Option<Launcher>>),
    /// As always, and why.
    Open(SandboxFacts),
}

impl Seal {
    /// Before anything runs. `missing`: why nothing can enclose a build here, where the build may go on without.
    pub(in crate::ops) fn new(
        context: &Context,
        gathered: &Gathered,
        (mode, missing): (SandboxMode, Option<String>),
        plan: &Plan,
        target: &Utf8Path,
    ) -> Result<Self, Error> {
        if mode == SandboxMode::Off || missing.is_some() {
            return Ok(Self::Open(sealed::unsealed(mode, missing.as_deref())));
        }
        // It starts up while we find out what its walls are. One that could not be started is told when it is needed.
        let launcher = Cell::new(Launcher::start().ok());
        request(context, gathered, plan, target).map(|request| Self::Walls(Box::new(request), launcher))
    }

    /// Keeps a private key from all that is built.
    pub(in crate::ops) fn hide(&mut self, key: Option<Utf8PathBuf>) {
        if let Self::Walls(request, _) = self {
            request.hidden.extend(key);
        }
    }

    pub(in crate::ops) fn is_closed(&self) -> bool {
        matches!(self, Self::Walls(..))
    }

    /// The private folder, where there are walls.
    pub(in crate::ops) fn private(&self) -> Option<Utf8PathBuf> {
        match self {
            Self::Walls(request, _) => Some(request.private.clone()),
            Self::Open(_) => None,
        }
    }

    /// The environment of the build's children, where it would be this one without walls.
    pub(in crate::ops) fn environment(&self, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        match self {
            Self::Walls(request, _) => request.sealed_environment(environment),
            Self::Open(_) => environment.clone(),
        }
    }

    pub(in crate::ops) fn start(&self, command: Command) -> std::io::Result<(Child, Option<Sealed>)> {
        match self {
            Self::Open(_) => {
                let mut command = command;
                command.spawn().map(|child| (child, None))
            }
            Self::Walls(request, waiting) => {
                let launcher = waiting.take().map_or_else(Launcher::start, Ok);
                match launcher.and_then(|launcher| launcher.run(&command, request)) {
                    Ok((child, sealed)) => Ok((child, Some(sealed))),
                    Err(sandbox::Error::Start(error)) => Err(error),
                    Err(error) => Err(std::io::Error::other(error)),
                }
            }
        }
    }

    /// What was enforced and tried, after the child has ended; `None`: it was never started.
    pub(in crate::ops) fn finish(&self, sealed: Option<Sealed>) -> SandboxFacts {
        match (self, sealed) {
            (Self::Walls(request, _), Some(sealed)) => sealed.finish(request),
            (Self::Walls(..), None) => sealed::unsealed(SandboxMode::Auto, Some("cargo was not started")),
            (Self::Open(facts), _) => facts.clone(),
        }
    }
}

fn request(context: &Context, gathered: &Gathered, plan: &Plan, target: &Utf8Path) -> Result<sandbox::Request, Error> {
    let root = &gathered.workspace.root;
    let home = home_folder(context);
    let programs = &gathered.compiler()?.programs;
    let git = vcs::places(root);
    let settings = &gathered.settings.sandbox;
    let resolve = |paths: &[crate::config::SandboxPath]| -> Vec<Utf8PathBuf> {
        paths.iter().filter_map(|path| path.resolve(home.as_deref(), root)).collect()
    };
    let exceptions = settings.in_force(context.now).map(|allow| Exception {
        name: allow.package.clone(),
        version: allow.version.clone(),
        read: resolve(&allow.read),
        write: resolve(&allow.write),
        net: allow.net,
    });
    let components = plan.build.components.values();
    Ok(sandbox::Request {
        workspace: root.clone(),
        repository: git.work_tree,
        git_folders: git.data,
        further: further(context, gathered, plan),
        cargo_home: cargo_home(&context.env, &context.cwd),
        rustup_home: context
            .var("RUSTUP_HOME")
            .map(|folder| context.cwd.join(folder))
            .or_else(|| home.as_ref().map(|home| home.join(".rustup"))),
        toolchain: toolchain(&programs.rustc),
        target: target.to_owned(),
        private: target.with_file_name(PRIVATE),
        environment: gathered.build_environment(context),
        exceptions: exceptions.collect(),
        members: components
            .clone()
            .filter(|one| matches!(one.origin, Origin::Workspace { .. }))
            .map(|one| (one.name.clone(), one.version.clone()))
            .collect(),
        packages: components.map(|one| (one.name.clone(), one.version.clone())).collect(),
        read: resolve(&settings.read),
        hidden: hidden(context, gathered),
        home,
    })
}

/// Beside our target folder.
const PRIVATE: &str = ".sealed";

/// `…/bin/rustc` is in the toolchain.
fn toolchain(rustc: &Utf8Path) -> Utf8PathBuf {
    let real = rustc.canonicalize_utf8().unwrap_or_else(|_| rustc.to_owned());
    real.parent().and_then(Utf8Path::parent).unwrap_or(&real).to_owned()
}

/// The configured key, and configuration of cargo's that holds credentials.
fn hidden(context: &Context, gathered: &Gathered) -> Vec<Utf8PathBuf> {
    let root = &gathered.workspace.root;
    let key = gathered.settings.sign.key.iter().map(|key| root.join(key));
    let home = cargo_home(&context.env, &context.cwd);
    let folders = context.cwd.ancestors().chain(root.ancestors()).map(|folder| folder.join(".cargo")).chain(home);
    let files = folders.flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)));
    key.chain(files.filter(|file| files::read_text(file, 1 << 20).is_ok_and(|text| holds_credentials(&text)))).collect()
}

/// Whether a configuration file of cargo's holds a token (cargo book, "Configuration": `registries.<name>.token`, `secret-key`) or a URL
/// with a password. A comment that looks like it counts: then cargo alone reads the file, which is enough.
fn holds_credentials(text: &str) -> bool {
    let is_key = |line: &str| {
        let key = line.split('=').next().unwrap_or_default();
        line.contains('=') && ["token", "secret-key"].iter().any(|word| key.trim().trim_matches('"').ends_with(word))
    };
    let has_password = |line: &str| {
        line.split("://").skip(1).any(|rest| rest.split(['/', '"', '\'']).next().is_some_and(|host| host.contains('@')))
    };
    text.lines().any(|line| is_key(line) || has_password(line) || line.contains("token") && line.contains('{'))
}

/// Path dependencies and vendored sources outside the workspace, and the files that cargo reads on its way to it.
fn further(context: &Context, gathered: &Gathered, plan: &Plan) -> Vec<Utf8PathBuf> {
    let root = &gathered.workspace.root;
    let mut further = Vec::new();
    for component in plan.build.components.values() {
        match &component.origin {
            Origin::Path { path } => further.push(root.join(path)),
            Origin::Replaced { by } if by.starts_with('/') => further.push(by.into()),
            _ => {}
        }
    }
    for entry in &gathered.cargo_config.entries {
        // Which the policy has judged.
        let is_program = ["rustc", "rustc-wrapper", "rustc-workspace-wrapper"].iter().any(|key| entry.is(&["build", key]));
        let is_source = entry.is(&["source", "*", "directory"]) || entry.is(&["source", "*", "local-registry"]);
        if let Some(folder) = entry.value.as_str().filter(|_| is_source || is_program || entry.is(&["target", "*", "linker"])) {
            further.push(Utf8Path::new(&entry.base).join(folder));
        }
    }
    for folder in context.cwd.ancestors().chain(root.ancestors()) {
        further.extend([".cargo/config", ".cargo/config.toml", "Cargo.toml"].map(|name| folder.join(name)));
    }
    further.extend(gathered.cargo_config.files.iter().map(|file| context.cwd.join(file)));
    further
}

#[cfg(test)]
mod tests {
    use super::holds_credentials;

    #[test]
    fn configuration_with_credentials_is_known() {
        for (text, holds) in [
            ("[registry]\ntoken = \"x\"\n", true),
            ("[registries.corp]\nindex = \"sparse+https://corp.example/\"\n", false),
            ("[registries]\ncorp = { token = \"x\" }\n", true),
            ("registries.corp.token=\"x\"\n", true),
            ("[registries.corp]\nsecret-key = \"k3.secret\"\n", true),
            ("[http]\nproxy = \"http://user:word@proxy.example\"\n", true),
            ("[http]\nproxy = \"http://proxy.example\"\n[build]\njobs = 4\n", false),
            ("[source.x]\ngit = \"ssh://git@host.example/x\"\n", true),
        ] {
            assert_eq!(holds_credentials(text), holds, "{text}");
        }
    }
}
