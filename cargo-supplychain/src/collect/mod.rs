//! Layer 3 (IO): evidence from the machine: cargo configuration, metadata, lockfile, toolchain, version control, CI, files.

pub mod release_folder;
