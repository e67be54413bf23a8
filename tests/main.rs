//! The integration tests: the real binary over small real projects, with a scrubbed environment and a fixed clock. One binary, so that
//! it is linked once; one module an area. No test needs the network or anything outside this repository.

#![allow(clippy::disallowed_methods, reason = "tests do IO")]
#![allow(clippy::too_many_lines, reason = "inline snapshots count as lines")]

mod advisories;
mod bad_input;
mod integrity;
mod interface;
mod layers;
mod line;
mod lock;
mod memory;
mod secrets;
mod selections;
mod support;
mod tripwires;
mod trust;
