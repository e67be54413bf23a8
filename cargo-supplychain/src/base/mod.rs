//! Layer 0: the small words that every layer speaks: digests, package URLs, places in files, times, and the
//! [`Context`] of a run. Pure: nothing here does IO, reads the clock or the environment.

pub mod context;
pub mod digest;
pub mod http;
pub mod parallel;
pub mod purl;
pub mod span;
pub mod text;
pub mod time;

pub use context::Context;
pub use digest::{Sha256, Sha512};
pub use http::Http;
pub use span::{Lines, Location};
pub use time::Timestamp;
