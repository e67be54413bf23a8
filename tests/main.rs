//! The integration tests: the real binary over small real projects, with a scrubbed environment and a fixed clock. One binary, so that
//! it is linked once; one module an area. No test needs the network or anything outside this repository.

#![allow(clippy::disallowed_methods, reason = "tests do IO")]
#![allow(clippy::too_many_lines, reason = "inline snapshots count as lines")]

#[cfg(unix)]
mod action;
mod advisories;
mod advisory_sources;
mod afterlife;
mod archive;
mod archive_export;
mod archive_hostile;
mod archive_registry;
mod archived_libraries;
mod attestation_api;
mod audits;
mod bad_input;
mod baseline;
mod build_level;
mod capabilities;
mod configuration;
mod diff;
mod formats;
mod hostile;
mod incidents;
mod init_from;
mod integrity;
mod interface;
mod keyless;
mod keyless_hostile;
mod keys;
mod layers;
mod licences;
mod line;
mod lock;
mod lock_changes;
mod memory;
mod native;
mod origins;
mod psirt;
mod published;
mod reach;
mod rebuild;
mod registry;
mod sandbox;
mod sandbox_policy;
mod sbom_check;
mod secrets;
mod selections;
mod signing;
mod support;
mod takeover;
mod tripwires;
mod trust;
mod trust_root;
mod vex;
mod vsa;
mod workflows;
