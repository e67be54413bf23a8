//! Layer 3 (IO): evidence from the machine: cargo configuration, metadata, lockfile, toolchain, version control, CI, files.

pub mod audits;
pub mod c_compiler;
pub mod capabilities;
pub mod cargo;
pub mod cargo_config;
pub mod ci;
pub mod elsewhere;
pub mod environment;
pub mod git_database;
pub mod index;
pub mod licence_files;
pub mod lockfile;
pub mod manifests;
pub mod members;
pub mod memo;
pub mod places;
pub mod process;
pub mod programs;
pub mod published;
pub mod release_folder;
pub mod revision;
pub mod sources;
pub mod toolchain;
pub mod toolchain_file;
pub mod vcs;
pub mod workflows;
