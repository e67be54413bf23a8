//! Layer 1: the immutable model of a build and the evidence that it is assembled from. Pure types and pure parsers:
//! no IO (that is `collect`), no judgement (that is `check`).

pub mod action_commit;
pub mod asset_name;
pub mod audits;
pub mod baseline;
pub mod build;
pub mod capability;
pub mod cargo_config;
pub mod change;
pub mod difference;
pub mod events;
pub mod feed;
pub mod functions;
pub mod index;
pub mod integrity;
pub mod licence;
pub mod licence_text;
pub mod lockfile;
pub mod machine;
pub mod manifest;
pub mod native;
pub mod published;
pub mod registry;
pub mod release;
pub mod release_path;
pub mod remap;
pub mod reproduction;
pub mod sandbox;
pub mod selection;
pub mod ssvc;
pub mod surroundings;
pub mod toolchain_file;
pub mod workflow;

pub use build::{Artifact, ArtifactFile, ArtifactKind, Build, Component, Gap, Origin, Role, TargetFolder, Use};
pub use cargo_config::{CargoConfig, ConfigEntry, Scope};
pub use lockfile::{LockedPackage, Lockfile};
pub use native::{Linkage, NativeLibrary};
pub use reproduction::{Reproduced, Reproduction};
pub use selection::Selection;
pub use surroundings::{CiRun, Invocation, Source, Toolchain};
pub use toolchain_file::ToolchainFile;
