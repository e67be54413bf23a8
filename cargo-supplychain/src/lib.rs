//! `cargo supplychain`: builds a Rust workspace into a release that can be proved: what was compiled, from which sources, by whom,
//! under which policy, signed and verified. `ARCHITECTURE.md` is the map; imports go down the list of layers only.

// L0
pub mod base;
// L1
pub mod attest;
pub mod finding;
pub mod model;
// L1, upper step: these speak of findings, of the model and of feeds
pub mod advisory;
pub mod archived;
pub mod bom;
pub mod config;
pub mod vex;
// L2
pub mod assemble;
pub mod check;
pub mod document;
pub mod verify;
// L3
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod archive;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod collect;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod feeds;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod files;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod github;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod http;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod sandbox;
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod sign;
// L4
pub mod ops;
// L5
#[allow(clippy::disallowed_methods, reason = "this layer does the IO")]
pub mod cli;
