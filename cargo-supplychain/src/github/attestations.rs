//! Attestations of a repository: a finished bundle is handed over, so that `gh attestation verify` finds it.

use serde_json::value::RawValue;

use super::{Ask, Error, Host, json};
use crate::base::http::Method;

const WHAT: &str = "the attestation";

/// Hands over a Sigstore bundle; the id that the repository knows it by. The same bundle twice is two entries about the same, no harm.
///
/// # Errors
/// The host refused, or did not answer.
pub fn post(host: &Host<'_>, bundle: &[u8]) -> Result<u64, Error> {
    let no_bundle = |why: String| Error::Refused { what: WHAT, status: 0, why: format!(": the bundle is not JSON: {why}") };
    let bundle: &RawValue = serde_json::from_slice(bundle).map_err(|error| no_bundle(error.to_string()))?;
    let body = format!("{{\"bundle\":{bundle}}}");
    let answer = host.ask(&Ask {
        what: WHAT,
        permission: "attestations: write",
        method: Method::Post,
        url: &host.url("attestations"),
        body: Some(("application/json", body.as_bytes())),
        repeats: true,
    })?;
    let value = json(WHAT, &answer)?;
    let id = value.get("id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    id.ok_or_else(|| Error::NoAnswer { what: WHAT, why: "the answer names no id".to_owned() })
}
