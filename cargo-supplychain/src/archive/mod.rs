//! Layer 3 (IO): where releases are kept: the release folder today, stores later.

pub mod folder;
pub mod generations;
pub mod oci;
mod platform;
pub mod remote;
pub mod store;
