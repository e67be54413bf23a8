//! `--embed-audit-data`: the calls of cargo that link cargo-auditable's data into each artifact, and the proof that it is in there
//! (docs/audit-data.md).
//!
//! `cargo rustc` hands arguments to the compiler of one target and of nothing else: the project's rustflags stay as they are, no wrapper
//! stands between cargo and the compiler, and what a compiler cache knows stays known. It takes one package and one target at a time, so the
//! targets are built one after the other; of what they share nothing is compiled twice.

use camino::Utf8Path;
use cargo_platform::Cfg;

use super::compile::{Call, Made};
use super::{Request, output_error};
use crate::assemble::Plan;
use crate::base::Sha256;
use crate::document::audit_data;
use crate::document::audit_data::object::{MAX_FILE, ObjectTarget, embedded, object_file};
use crate::files;
use crate::model::{Artifact, ArtifactKind, Build, Selection};
use crate::ops::Error;
use crate::ops::gather::Gathered;

/// `--embed-audit-data`, or `[build] embed-audit-data`.
pub(super) fn is_wanted(request: &Request, gathered: &Gathered) -> bool {
    request.embed_audit_data || gathered.settings.build.embed_audit_data
}

/// Says before the compilation what cannot be.
pub(super) fn refuse(selection: &Selection, plan: &Plan) -> Result<(), Error> {
    only_package(selection, plan)?;
    let target = object_target(&plan.build.invocation.target, &plan.target_cfgs);
    object_file(&target, &[]).map(drop).map_err(|error| Error::usage(&error))
}

/// One call of `cargo rustc`.
#[derive(Debug)]
pub(super) struct Step {
    /// The target, instead of what the user selected.
    pub selection: Selection,
    /// What stands behind `--`.
    pub compiler: Vec<String>,
}

/// The calls that build the planned artifacts, and what is embedded in each, by the artifact's name.
#[derive(Debug, Default)]
pub(super) struct Embedding {
    pub steps: Vec<Step>,
    expected: Vec<(String, Vec<u8>)>,
}

/// Writes the objects for the linker into the target folder.
///
/// # Errors
/// The selection or the target does not allow it, and why.
pub(super) fn prepare(call: &Call<'_>, plan: &Plan) -> Result<Embedding, Error> {
    let package = only_package(&call.gather.selection, plan)?;
    let target = object_target(&plan.build.invocation.target, &plan.target_cfgs);
    let folder = call.target.join("audit-data");
    let mut embedding = Embedding::default();
    let mut artifacts: Vec<&Artifact> = plan.build.artifacts.iter().collect();
    // A library that is built without the arguments, for a binary, would be put in the place of the one that was built with them.
    artifacts.sort_by_key(|artifact| artifact.kind != ArtifactKind::Bin);
    for artifact in artifacts {
        let content = audit_data::content(&plan.build, artifact).map_err(|error| Error::usage(&error))?;
        let object = object_file(&target, &content).map_err(|error| Error::usage(&error))?;
        // Named by its content: cargo builds again when the arguments have changed, not when a file has.
        let path = folder.join(format!("{}.o", Sha256::of(&object.bytes)));
        files::write(&path, &object.bytes).map_err(|error| output_error(&path, &error))?;
        let mut compiler = vec![format!("-Clink-arg={path}")];
        compiler.extend(object.linker_arguments.iter().map(|argument| format!("-Clink-arg={argument}")));
        // Cargo counts these arguments in the names of files, unless this one is among them (`has_remap_path_prefix` of cargo).
        compiler.push(format!("--remap-path-prefix={folder}=/audit-data"));
        let selection = of_target(&call.gather.selection, &plan.build, artifact, &package);
        embedding.steps.push(Step { selection, compiler });
        embedding.expected.push((artifact.name.clone(), content));
    }
    Ok(embedding)
}

/// The selection with one target in the place of those that were selected.
fn of_target(selection: &Selection, build: &Build, artifact: &Artifact, package: &str) -> Selection {
    let is_bin = artifact.kind == ArtifactKind::Bin;
    // Where the library has the binary's name, the artifacts have their kinds behind it.
    let target = artifact.name.strip_suffix("-bin").filter(|stem| {
        let library = |kind: &str| format!("{stem}-{kind}");
        ["cdylib", "dylib"].iter().any(|kind| build.artifacts.iter().any(|other| other.name == library(kind)))
    });
    Selection {
        packages: vec![package.to_owned()],
        lib: !is_bin,
        bin: if is_bin { vec![target.unwrap_or(&artifact.name).to_owned()] } else { Vec::new() },
        workspace: false,
        exclude: Vec::new(),
        bins: false,
        ..selection.clone()
    }
}

/// Features are unified over all packages that are selected, and with dev-dependencies where their targets are: another selection would
/// build something else.
fn only_package(selection: &Selection, plan: &Plan) -> Result<String, Error> {
    let refuse = |why: &str, help: &str| Err(Error::usage(&format!("audit data cannot be embedded: {why}")).with_help(help));
    let [package] = plan.packages.as_slice() else {
        return refuse("several packages are selected, and cargo gives linker arguments to one", "select one with --package");
    };
    if selection.dev_units() {
        return refuse("examples, tests or benches are selected", "build binaries or a library: --bins, --bin NAME or --lib");
    }
    for artifact in &plan.build.artifacts {
        match artifact.kind {
            ArtifactKind::Bin | ArtifactKind::Cdylib | ArtifactKind::Dylib => {}
            _ => {
                let why = format!("no linker makes `{}`", artifact.name);
                return refuse(&why, "static libraries and .crate files have no place for it; select binaries with --bins");
            }
        }
    }
    let component = plan.build.components.get(package);
    let Some(component) = component else { return refuse("the selected package is not known", "this is a bug") };
    Ok(format!("{}@{}", component.name, component.version))
}

fn object_target(triple: &str, cfgs: &[Cfg]) -> ObjectTarget {
    let values = |key: &str| -> Vec<String> {
        let value = |cfg: &Cfg| match cfg {
            Cfg::KeyPair(name, value) if name.as_str() == key => Some(value.clone()),
            _ => None,
        };
        cfgs.iter().filter_map(value).collect()
    };
    let first = |key: &str| values(key).into_iter().next().unwrap_or_default();
    ObjectTarget {
        triple: triple.to_owned(),
        arch: first("target_arch"),
        os: first("target_os"),
        env: first("target_env"),
        vendor: first("target_vendor"),
        endian: first("target_endian"),
        pointer_width: first("target_pointer_width"),
        features: values("target_feature"),
    }
}

impl Embedding {
    /// Whether each file that was made holds its data, byte for byte: a linker, a script or a build script could have lost it.
    pub(super) fn check(&self, made: &Made) -> Result<(), Error> {
        for (name, content) in &self.expected {
            let Some(path) = made.files.iter().find(|file| file.artifact == *name).map(|file| &file.path) else { continue };
            let bytes = files::read(path, MAX_FILE).map_err(|error| Error::usage(&format!("cannot read {path}: {error}")))?;
            if embedded(&bytes) != Some(content) {
                return Err(Error::usage(&format!("the audit data is not in {}", file_name(path))).with_help(
                    "the linker, or a setting of it, left the section .dep-v0 out; build without --embed-audit-data",
                ));
            }
        }
        Ok(())
    }
}

fn file_name(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or(path.as_str())
}
