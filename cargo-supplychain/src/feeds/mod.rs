//! Layer 3 (IO): intelligence, one file a source, each with revision and date.

pub mod crates_io;
mod git;
pub mod github_attestations;
pub mod github_refs;
pub mod origins;
mod parsed;
pub mod rustsec;
pub mod sources;
pub mod tuf;
mod which;

pub use which::Which;
