//! SARIF for code scanning: compressed, in base64, about a commit and a ref.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sigstore_types::PayloadBytes;

use super::{Ask, Error, Host};
use crate::base::http::Method;

const WHAT: &str = "the SARIF file";

/// Hands a SARIF file over.
///
/// # Errors
/// The host refused, or did not answer.
///
/// # Panics
/// Never: compressing into memory cannot fail.
pub fn upload(host: &Host<'_>, sarif: &[u8], commit: &str, reference: &str) -> Result<(), Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(sarif).and_then(|()| encoder.finish()).expect("memory takes what is written");
    let body = json!({
        "commit_sha": commit,
        "ref": reference,
        "sarif": PayloadBytes::from_bytes(&packed).to_base64(),
        "tool_name": "cargo-supplychain",
    });
    host.ask(&Ask {
        what: WHAT,
        permission: "security-events: write",
        method: Method::Post,
        url: &host.url("code-scanning/sarifs"),
        body: Some(("application/json", body.to_string().as_bytes())),
        repeats: true,
    })
    .map(drop)
}
