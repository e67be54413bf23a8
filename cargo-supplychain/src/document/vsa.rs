//! What a verifier says of a success: a SLSA verification summary v1 (<https://slsa.dev/spec/v1.2/verification_summary>), as
//! `docs/vsa.md` documents it. The statement around it is `attest`'s.

use serde_json::{Value, json};
use sigstore_types::PayloadBytes;

use super::{HOME, TOOL_VERSION};
use crate::base::{Sha256, Timestamp};

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// A success.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    /// Who verified, a URI; `None`: nobody named.
    pub verifier: Option<&'a str>,
    pub verified_at: Timestamp,
    /// What was verified, a URI.
    pub resource: &'a str,
    /// Signer and conditions, as the verification had them.
    pub policy: &'a Value,
    /// The bundles that were accepted: their places, and the digests of their bytes.
    pub inputs: &'a [(&'a str, Sha256)],
    /// `SLSA_BUILD_LEVEL_0` to `3`.
    pub level: &'a str,
}

/// The predicate.
#[must_use]
pub fn predicate(summary: Summary<'_>) -> Value {
    let policy = summary.policy.to_string();
    let input = |(place, sha256): &(&str, Sha256)| {
        let mut input = json!({ "digest": { "sha256": sha256 } });
        input[if place.contains("://") { "uri" } else { "name" }] = json!(place);
        input
    };
    json!({
        "verifier": {
            "id": summary.verifier.map_or_else(|| format!("{HOME}/blob/main/docs/vsa.md#verifier"), str::to_owned),
            "version": { "cargo-supplychain": TOOL_VERSION },
        },
        "timeVerified": summary.verified_at,
        "resourceUri": summary.resource,
        "policy": {
            "uri": format!("{HOME}/blob/main/docs/vsa.md#policy"),
            "digest": { "sha256": Sha256::of(&policy) },
            "mediaType": "application/json",
            "content": PayloadBytes::from_bytes(policy.as_bytes()).to_base64(),
        },
        "inputAttestations": summary.inputs.iter().map(input).collect::<Vec<_>>(),
        "verificationResult": "PASSED",
        "verifiedLevels": [summary.level],
        "slsaVersion": "1.2",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_what_the_specification_asks_for() {
        let policy = json!({ "signer": { "key": "SHA256:x" } });
        let digest = Sha256::of(b"b");
        let summary = Summary {
            verifier: None,
            verified_at: Timestamp::from_unix(0).unwrap(),
            resource: "pkg:generic/app@1.2.0",
            policy: &policy,
            inputs: &[("app.sigstore.json", digest), ("https://x/1", digest)],
            level: "SLSA_BUILD_LEVEL_2",
        };
        let found = predicate(summary);
        for required in ["verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"] {
            assert!(!found[required].is_null(), "{required}");
        }
        assert_eq!(found["timeVerified"], "1970-01-01T00:00:00Z");
        assert!(found["verifier"]["id"].as_str().unwrap().ends_with("/docs/vsa.md#verifier"));
        // The digest is that of the content.
        let content = PayloadBytes::from_base64(found["policy"]["content"].as_str().unwrap()).unwrap();
        assert_eq!(found["policy"]["digest"]["sha256"], json!(Sha256::of(content.as_bytes())));
        assert_eq!(serde_json::from_slice::<Value>(content.as_bytes()).unwrap(), policy);
        assert_eq!(found["inputAttestations"][0]["name"], "app.sigstore.json");
        assert_eq!(found["inputAttestations"][1]["uri"], "https://x/1");
        let named = predicate(Summary { verifier: Some("https://example.org/v"), ..summary });
        assert_eq!(named["verifier"]["id"], "https://example.org/v");
    }
}
