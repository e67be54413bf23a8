//! Gathers what `build`, `check` and `sbom` stand on: workspace, policy, cargo configuration, toolchain, lockfile, metadata, and the
//! plan that follows from them. Executes nothing of the project (ARCHITECTURE.md, invariant 1).
//! What needs no plan is judged without cargo: a lockfile can be checked where nothing is but it and the manifests.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::before::{Base, POLICY_FILE};
use super::progress::Stage;
use super::workspace::{self, Workspace};
use super::{Class, Error, Progress};
use crate::assemble::{self, Evidence, Plan, Platforms, Resolver};
use crate::base::Context;
use crate::base::text::counted;
use crate::check::{LockState, ToolchainFile, rules};
use crate::collect::cargo_config::cargo_home;
use crate::collect::toolchain::Programs;
use crate::collect::{self, cargo, ci, environment, toolchain, vcs};
use crate::config::{self, Settings};
use crate::files;
use crate::model::cargo_config::{FlagsFrom, build_targets, rustflags};
use crate::model::manifest::Manifest;
use crate::model::sandbox::SandboxRecord;
use crate::model::{CargoConfig, ConfigEntry, Gap, Invocation, Origin, Selection, TargetFolder, Toolchain};

const POLICY_HELP: &str =
    "name a file with --policy, or leave it out: supplychain.toml at the workspace root, or the default policy";

/// The largest policy file that is read.
const POLICY_LIMIT: u64 = 1 << 20;

/// What a verb is asked about.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub manifest_path: Option<Utf8PathBuf>,
    pub selection: Selection,
    /// `--config` arguments for cargo.
    pub config: Vec<String>,
    pub policy: Option<Utf8PathBuf>,
    /// Everything else that is passed to `cargo build` (`--jobs 2`, …).
    pub passed: Vec<String>,
    /// `--base`: the revision that the change is judged against, and whose policy counts.
    pub base: Option<String>,
    /// Nothing is asked about what would be compiled: neither compiler nor cargo is called.
    pub without_plan: bool,
}

/// All that was gathered.
#[derive(Debug)]
pub struct Gathered {
    pub workspace: Workspace,
    pub settings: Settings,
    /// The bytes of the policy file.
    pub policy: Option<Vec<u8>>,
    pub cargo_config: CargoConfig,
    pub toolchain_file: Option<ToolchainFile>,
    /// None where nothing is asked about what would be compiled.
    pub compiler: Option<Compiler>,
    pub base: Option<Base>,
    pub lock: LockState,
    /// The bytes of Cargo.lock.
    pub lock_bytes: Vec<u8>,
    pub manifests: Vec<Manifest>,
    /// The planned build, or why there is none.
    pub plan: Result<Plan, NoPlan>,
    /// The target folder of the workspace.
    pub target_directory: Utf8PathBuf,
}

/// The toolchain: where it is and what it says of itself.
#[derive(Debug)]
pub struct Compiler {
    pub programs: Programs,
    pub toolchain: Toolchain,
}

/// Why nothing could be planned.
#[derive(Debug, Clone)]
pub struct NoPlan {
    pub why: String,
    pub fault: Fault,
}

/// What keeps a plan from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The lockfile is missing or out of date.
    Lock,
    /// A checksum of the lockfile is not the registry's.
    Checksum,
    /// Data could not be had: no network.
    Unreachable,
    /// The configuration puts other packages in the place of locked ones, which nothing says the identity of.
    Replaced,
    /// [`Request::without_plan`].
    NotAsked,
}

/// Gathers.
pub fn gather(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Gathered, Error> {
    let workspace = workspace::find(context, request.manifest_path.as_deref())?;
    let stage = Stage::begin(progress, "read", &format!("{} (configuration, lockfile, metadata)", workspace.root));
    let base = request.base.as_deref().map(|given| Base::open(&workspace.root, given)).transpose()?;
    let (settings, policy) = settings(context, request.policy.as_deref(), &workspace.root, base.as_ref())?;
    let cargo_config = cargo_config(context, request, &workspace.root)?;
    let toolchain_file = collect::toolchain_file::read(&workspace.root).map_err(|error| Error::usage(&error))?;
    let compiler = match request.without_plan {
        true => None,
        false => Some(compiler(context, &workspace.root, toolchain_file.as_ref())?),
    };
    let target_directory = workspace::target_directory(context, &workspace.root);
    let (mut lock, lock_bytes) = lock(&workspace.root)?;
    let mut gathered = Gathered {
        settings,
        policy,
        cargo_config,
        toolchain_file,
        compiler,
        base,
        lock: LockState::Missing { path: "Cargo.lock".to_owned() },
        lock_bytes,
        manifests: Vec::new(),
        plan: Err(NoPlan { why: "Cargo.lock is missing".to_owned(), fault: Fault::Lock }),
        target_directory,
        workspace,
    };
    if request.without_plan {
        gathered.plan = Err(NoPlan { why: "not asked for".to_owned(), fault: Fault::NotAsked });
    } else if let LockState::Present { lockfile, stale } = &mut lock {
        match metadata(context, request, &gathered, progress)? {
            Ok(metadata) => {
                gathered.plan = match replaced_by_paths(&gathered.cargo_config) {
                    Some(why) => Err(NoPlan { why, fault: Fault::Replaced }),
                    None => Ok(plan(context, request, &gathered, lockfile, &metadata)?),
                }
            }
            Err(Missing::Stale(message)) => {
                gathered.plan = Err(NoPlan { why: "Cargo.lock is out of date".to_owned(), fault: Fault::Lock });
                *stale = Some(message);
            }
            Err(Missing::Checksum(message)) => gathered.plan = Err(NoPlan { why: message, fault: Fault::Checksum }),
            Err(Missing::Unreachable(message)) => gathered.plan = Err(NoPlan { why: message, fault: Fault::Unreachable }),
        }
    }
    gathered.lock = lock;
    gathered.manifests = manifests(context, &gathered)?;
    let packages = gathered.lock.lockfile().map_or(0, |lockfile| lockfile.packages.len());
    stage.end(progress, &format!("{} in Cargo.lock", counted(packages, "package")));
    Ok(gathered)
}

fn compiler(context: &Context, root: &Utf8Path, file: Option<&ToolchainFile>) -> Result<Compiler, Error> {
    let programs = toolchain::locate(context, root, file.and_then(|file| file.channel.as_deref()))?;
    let toolchain = toolchain::describe(context, &programs)?;
    Ok(Compiler { programs, toolchain })
}

/// The policy: `--policy`, else `supplychain.toml` of the base or at the workspace root, else the defaults.
pub(super) fn settings(
    context: &Context,
    given: Option<&Utf8Path>,
    root: &Utf8Path,
    base: Option<&Base>,
) -> Result<(Settings, Option<Vec<u8>>), Error> {
    let (path, shown) = match given {
        Some(path) => (context.cwd.join(path), path.to_string()),
        None => (root.join(POLICY_FILE), POLICY_FILE.to_owned()),
    };
    let of_base = if given.is_none() { base } else { None };
    let text = match of_base {
        Some(base) => base.own_file(POLICY_FILE)?,
        None if given.is_none() && !path.exists() => None,
        None => Some(
            files::read_text(&path, POLICY_LIMIT)
                .map_err(|error| Error::usage(&format!("cannot read the policy {path}: {error}")).with_help(POLICY_HELP))?,
        ),
    };
    let Some(text) = text else { return Ok((Settings::default(), None)) };
    let settings = config::parse(&shown, &text, &rules::known().collect::<Vec<_>>()).map_err(|error| {
        let snippet = error.span.clone().map(|span| {
            Box::new(super::error::Snippet {
                file: path.to_string(),
                text: text.clone(),
                span,
                label: error.suggestion.clone().unwrap_or_default(),
            })
        });
        Error { snippet, ..Error::usage(&error) }
    })?;
    Ok((settings, Some(text.into_bytes())))
}

fn cargo_config(context: &Context, request: &Request, root: &Utf8Path) -> Result<CargoConfig, Error> {
    let repository = root.ancestors().find(|folder| folder.join(".git").exists());
    let home = cargo_home(&context.env, &context.cwd);
    collect::cargo_config::read(&collect::cargo_config::ConfigRequest {
        cwd: &context.cwd,
        workspace_root: root,
        repository_root: repository,
        cargo_home: home.as_deref(),
        env: &context.env,
        config_args: &request.config,
    })
    .map_err(|error| Error::usage(&error))
}

fn lock(root: &Utf8Path) -> Result<(LockState, Vec<u8>), Error> {
    let path = root.join("Cargo.lock");
    let unreadable = |error| {
        Error::usage(&error)
            .with_help("restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference")
    };
    Ok(match collect::lockfile::read(&path, "Cargo.lock").map_err(unreadable)? {
        Some(read) => (LockState::Present { lockfile: read.lockfile, stale: None }, read.bytes),
        None => (LockState::Missing { path: "Cargo.lock".to_owned() }, Vec::new()),
    })
}

enum Missing {
    Stale(String),
    Checksum(String),
    Unreachable(String),
}

fn metadata(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    progress: &mut dyn Progress,
) -> Result<Result<String, Missing>, Error> {
    let config = collect::cargo_config::allow_listed(&gathered.cargo_config);
    let home = untrusted_home(context, gathered);
    let manifest = &gathered.workspace.manifest;
    let features = &request.selection.features;
    let request = cargo::MetadataRequest { manifest, config: &config, untrusted_home: home.as_deref(), no_deps: false, features };
    match cargo::metadata(context, &gathered.compiler()?.programs, request, &mut |line| progress.status(line)) {
        Ok(metadata) => Ok(Ok(metadata)),
        Err(cargo::Error::LockOutOfDate(message)) => Ok(Err(Missing::Stale(message))),
        Err(cargo::Error::ChecksumChanged(message)) => Ok(Err(Missing::Checksum(message))),
        Err(cargo::Error::Unreachable(message)) => Ok(Err(Missing::Unreachable(message))),
        Err(error) => Err(Error::usage(&format!("cargo metadata refused {}\n{error}", gathered.workspace.manifest))),
    }
}

fn untrusted_home(context: &Context, gathered: &Gathered) -> Option<Utf8PathBuf> {
    if gathered.cargo_config.cargo_home_in_repository { cargo_home(&context.env, &context.cwd) } else { None }
}

fn plan(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    lockfile: &crate::model::Lockfile,
    metadata: &str,
) -> Result<Plan, Error> {
    let (platforms, invocation) = platforms(context, request, gathered)?;
    let (source, mut gaps) = vcs::read(&gathered.workspace.root, &gathered.target_directory);
    gaps.extend(config_gaps(&gathered.compiler()?.programs));
    Ok(assemble::plan(Evidence {
        metadata,
        lockfile,
        selection: &request.selection,
        manifest: &gathered.workspace.manifest,
        resolver: Resolver::of_root_manifest(&gathered.workspace.table),
        platforms: &platforms,
        invocation,
        source,
        toolchain: gathered.compiler()?.toolchain.clone(),
        ci: ci::read(context),
        stamp: context.stamp,
        release: &gathered.settings.release,
        gaps,
    })?)
}

/// `paths` of the configuration: cargo takes the packages there for locked ones of the same name, and the lockfile does not change. What
/// is listed then would not be what is compiled.
fn replaced_by_paths(config: &CargoConfig) -> Option<String> {
    let is_set = |entry: &&ConfigEntry| entry.is(&["paths"]) && entry.value.as_array().is_none_or(|folders| !folders.is_empty());
    let entry = config.effective().find(is_set)?;
    Some(format!("`paths` of {} puts other packages in the place of locked ones", entry.location))
}

/// What differs from what the project asks for, and may change what is compiled.
fn config_gaps(programs: &Programs) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if let Some(channel) = &programs.missing_channel {
        gaps.push(Gap {
            subject: "toolchain".to_owned(),
            message: format!("the toolchain file asks for `{channel}`, which is not installed; another one was used"),
        });
    }
    gaps
}

fn platforms(context: &Context, request: &Request, gathered: &Gathered) -> Result<(Platforms, Invocation), Error> {
    let cargo_config = &gathered.cargo_config;
    let Compiler { programs, toolchain } = gathered.compiler()?;
    let targets = match &request.selection.target {
        Some(target) => vec![target.clone()],
        None => build_targets(cargo_config),
    };
    if let [first, second, ..] = targets.as_slice() {
        return Err(Error::usage(&format!("several targets in one build: {first}, {second}"))
            .with_help("cargo unifies features over them; build a release for each target with --target"));
    }
    let explicit = targets.first();
    let target = explicit.map_or(toolchain.host.as_str(), String::as_str);
    let print = |triple: Option<&str>, flags: &[String]| {
        toolchain::cfgs(context, programs, triple, flags).map_err(|error| match triple {
            Some(triple) => Error::usage(&format!("rustc does not know the target `{triple}`\n{error}"))
                .with_help("`rustc --print target-list` lists the targets"),
            None => Error::from(error),
        })
    };
    let parse = Platforms::cfgs;
    // `[target.'cfg(…)'] rustflags` depends on cfgs, which depend on flags: cargo, too, asks rustc without flags first.
    let plain = print(explicit.map(String::as_str), &[])?;
    let plain_cfgs = parse(&plain);
    let flags = rustflags(cargo_config, &context.env, target, &plain_cfgs);
    let shaping = toolchain::cfg_flags(&flags);
    let of_target = if shaping.is_empty() { plain } else { print(explicit.map(String::as_str), &shaping)? };
    // With an explicit target, flags do not reach the host.
    let of_host = if explicit.is_some() { print(None, &[])? } else { of_target.clone() };
    let platforms = Platforms::new((target, &of_target), (&toolchain.host, &of_host));
    let selection = &request.selection;
    let mut arguments = selection.to_arguments();
    arguments.extend(request.config.iter().flat_map(|entry| ["--config".to_owned(), redacted(entry)]));
    arguments.extend(request.passed.iter().cloned());
    let invocation = Invocation {
        arguments,
        profile: selection.profile.clone(),
        target: target.to_owned(),
        target_is_explicit: explicit.is_some(),
        features: sorted(&selection.features),
        all_features: selection.all_features,
        default_features: !selection.no_default_features,
        manifest: relative(&gathered.workspace.manifest, &gathered.workspace.root),
        rustflags: flags,
        rustflags_from: FlagsFrom::of(cargo_config, &context.env, target, &plain_cfgs),
        path_remapping: None,
        audit_data: false,
        target_folder: TargetFolder::Unused,
        environment: environment::recorded(&context.env),
        profile_overrides: profile_overrides(cargo_config),
        sides: platforms.sides(),
        sandbox: SandboxRecord::of_a_plan(),
    };
    Ok((platforms, invocation))
}

/// What the configuration says of profiles, the strongest of each key. None of it is a secret.
fn profile_overrides(config: &CargoConfig) -> BTreeMap<String, String> {
    let entries = config.effective().filter(|entry| entry.starts_with(&["profile", "*"]));
    // The strongest last.
    entries.rev().map(|entry| (entry.dotted(), entry.value.to_string())).collect()
}

/// With forward slashes, so that it means the same on every system.
fn relative(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).as_str().replace('\\', "/")
}

fn sorted(values: &[String]) -> Vec<String> {
    let mut values = values.to_vec();
    values.sort();
    values.dedup();
    values
}

/// A `--config` argument without its value, which may be a secret; a file's path is kept by its name.
fn redacted(entry: &str) -> String {
    match entry.split_once('=') {
        Some((key, _)) => format!("{}=…", key.trim()),
        None => Utf8Path::new(entry).file_name().unwrap_or("…").to_owned(),
    }
}

/// The manifests of the workspace's members and of path dependencies below its root.
fn manifests(context: &Context, gathered: &Gathered) -> Result<Vec<Manifest>, Error> {
    let root = &gathered.workspace.root;
    let members: Vec<Utf8PathBuf> = match &gathered.plan {
        Ok(plan) => {
            let local = plan.build.components.values().filter_map(|component| match &component.origin {
                Origin::Workspace { path } => Some(root.join(path).join("Cargo.toml")),
                _ => None,
            });
            local.collect()
        }
        Err(NoPlan { fault: Fault::NotAsked, .. }) => collect::members::find(root, &gathered.workspace.table),
        Err(_) => members_without_lock(context, gathered)?,
    };
    collect::manifests::read(root, &members).map_err(|error| Error::usage(&error))
}

/// `cargo metadata --no-deps` needs neither lockfile nor network.
fn members_without_lock(context: &Context, gathered: &Gathered) -> Result<Vec<Utf8PathBuf>, Error> {
    let home = untrusted_home(context, gathered);
    let manifest = &gathered.workspace.manifest;
    let request = cargo::MetadataRequest { manifest, config: &[], untrusted_home: home.as_deref(), no_deps: true, features: &[] };
    let refused =
        |error: &dyn std::fmt::Display| Error::usage(&format!("cargo metadata refused {}\n{error}", gathered.workspace.manifest));
    let programs = &gathered.compiler()?.programs;
    let text = cargo::metadata(context, programs, request, &mut |_| {}).map_err(|error| refused(&error))?;
    let metadata: cargo_metadata::Metadata = serde_json::from_str(&text).map_err(|error| refused(&error))?;
    Ok(metadata.packages.into_iter().map(|package| package.manifest_path).collect())
}

impl Gathered {
    /// The plan, or the error that the lack of one is.
    pub fn planned(&self) -> Result<&Plan, Error> {
        self.plan.as_ref().map_err(|missing| {
            let (class, help) = match missing.fault {
                Fault::Lock => (
                    Class::Usage,
                    "run `cargo generate-lockfile` or `cargo update --workspace`, look at the change, and commit Cargo.lock",
                ),
                Fault::Checksum => (Class::Usage, "see who changed the checksum with `git log -p Cargo.lock`, and restore it"),
                Fault::Unreachable => (Class::Undetermined, "run `cargo fetch --locked` with network first"),
                Fault::Replaced => (Class::Undetermined, "remove `paths`; use `[patch]` in Cargo.toml for a changed dependency"),
                Fault::NotAsked => (Class::Usage, "leave out what narrows the check"),
            };
            Error::new(class, &format!("cannot tell what would be built: {}", missing.why)).with_help(help)
        })
    }

    /// The toolchain.
    pub fn compiler(&self) -> Result<&Compiler, Error> {
        self.compiler.as_ref().ok_or_else(|| Error::usage(&"the toolchain was not looked for"))
    }

    /// The environment of build children, and what the build is going to be called with.
    #[must_use]
    pub fn build_environment(&self, context: &Context) -> BTreeMap<String, String> {
        environment::for_build(&context.env)
    }
}
