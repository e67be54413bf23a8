//! The sources of packages as they lie on this machine.

pub mod crate_file;
