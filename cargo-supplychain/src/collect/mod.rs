//! Layer 3 (IO): evidence from the machine: cargo configuration, metadata, lockfile, toolchain, version control, CI, files.

pub mod cargo_config;
pub mod toolchain_file;
