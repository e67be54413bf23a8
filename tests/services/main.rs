//! The stand-ins of the test suite as a program, for `tests/trial/action.py`: an issuer of identity tokens and a Sigstore on this machine.
//!
//!     cargo build --example services
//!     services FOLDER      # writes signing.json and root.json there, then a line of JSON: the variables of a job, who its identity is
//!
//! Each line of standard input is answered by a line: the paths that were asked since the last one. It ends with standard input.

#![allow(clippy::disallowed_methods, reason = "a program of the tests does IO")]
// The modules are the test suite's, which uses more of them.
#![allow(dead_code)]

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/loopback.rs"]
mod loopback;
#[path = "../support/sigstore.rs"]
mod sigstore;
#[path = "../support/tsa.rs"]
mod tsa;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::PathBuf;

use serde_json::json;
use sigstore::Sigstore;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: services FOLDER"));
    let sigstore = Sigstore::start();
    std::fs::write(folder.join("signing.json"), sigstore.signing_config()).expect("the folder can be written to");
    std::fs::write(folder.join("root.json"), sigstore.trusted_root()).expect("the folder can be written to");
    let variables: BTreeMap<_, _> = sigstore.environment().into_iter().collect();
    println!(
        "{}",
        json!({ "variables": variables, "identity": Sigstore::identity(), "issuer": sigstore.issuer(), "secrets": sigstore.secrets() })
    );
    for _ in std::io::stdin().lock().lines() {
        println!("{}", json!(sigstore.asked()));
    }
}
