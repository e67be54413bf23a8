//! Statements that are not signed yet (docs/signing.md, "Pending statements"): the statement's bytes, as they will be signed, in a file
//! of their own beside the place of the bundle.

use sigstore_types::SignatureContent;

use super::{Error, MAX_BUNDLE_BYTES, PAYLOAD_TYPE, strict_json};

const SIGNED: &str = ".sigstore.json";
const PENDING: &str = ".pending.json";

/// Where a statement waits for its signature: `attestations/x.sigstore.json` → `attestations/x.pending.json`.
#[must_use]
pub fn pending_path(bundle: &str) -> String {
    format!("{}{PENDING}", bundle.strip_suffix(SIGNED).unwrap_or(bundle))
}

/// The statement in a bundle, whoever signed it: **nothing is verified**.
///
/// # Errors
/// The bytes are no bundle with a DSSE envelope of an in-toto statement.
pub fn payload_of(bundle: &[u8]) -> Result<Vec<u8>, Error> {
    const WHAT: &str = "Sigstore bundle";
    if bundle.len() > MAX_BUNDLE_BYTES {
        return Err(Error::TooLarge { what: WHAT, limit: MAX_BUNDLE_BYTES });
    }
    let malformed = |why: String| Error::malformed(WHAT, why);
    let value = strict_json::parse(bundle).map_err(|error| malformed(error.to_string()))?;
    let bundle: sigstore_types::Bundle = serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
    let SignatureContent::DsseEnvelope(envelope) = bundle.content else {
        return Err(malformed("the content is no DSSE envelope".to_owned()));
    };
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Error::PayloadType(envelope.payload_type));
    }
    Ok(envelope.payload.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::Bundle;
    use super::*;

    #[test]
    fn a_pending_statement_has_a_place_of_its_own() {
        assert_eq!(pending_path("attestations/rg.spdx.sigstore.json"), "attestations/rg.spdx.pending.json");
        let bundle = Bundle { payload: b"{}".to_vec(), signature: vec![1], hint: "x".to_owned() }.to_bytes();
        assert_eq!(payload_of(&bundle).unwrap(), b"{}");
        assert!(payload_of(b"{}").is_err());
        let text = String::from_utf8(bundle).unwrap();
        assert!(payload_of(text.replace("in-toto+json", "other+json").as_bytes()).is_err());
    }
}
