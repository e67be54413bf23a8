//! Layer 3 (IO): where releases are kept: the release folder today, stores later.

pub mod folder;
pub mod index;
mod platform;
pub mod store;
