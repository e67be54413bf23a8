//! From a bundle's bytes to a statement that the policy's key signed. The statement is read only after its signature holds.

use super::{Reason, ReasonId};
use crate::attest::{Bundle, Error, PublicKey, Statement};
use crate::base::Sha256;

/// A statement whose signature was verified.
#[derive(Debug)]
pub(super) struct Authentic {
    pub(super) statement: Statement,
    /// Digest of the statement's bytes (the DSSE payload).
    pub(super) sha256: Sha256,
}

/// Verifies the bundle at `path`.
pub(super) fn authenticate(path: &str, bytes: &[u8], key: &PublicKey) -> Result<Authentic, Reason> {
    let reject = |id, message: String| Reason::new(id, path, message);
    let bundle = Bundle::parse(bytes).map_err(|error| reject(id_of(&error), error.to_string()))?;
    if bundle.hint != key.hint() {
        return Err(reject(ReasonId::WrongSigner, format!("it was signed by another key than {}", key.fingerprint())));
    }
    if !key.verifies(&Bundle::to_be_signed(&bundle.payload), &bundle.signature) {
        return Err(reject(ReasonId::SignatureInvalid, format!("its signature is not by the key {}", key.fingerprint())));
    }
    let statement = Statement::parse(&bundle.payload).map_err(|error| reject(ReasonId::Malformed, error.to_string()))?;
    Ok(Authentic { statement, sha256: Sha256::of(&bundle.payload) })
}

fn id_of(error: &Error) -> ReasonId {
    match error {
        Error::TooLarge { .. } | Error::Malformed { .. } => ReasonId::Malformed,
        Error::PayloadType(_) => ReasonId::PayloadType,
        Error::NotKeySigned("a certificate") => ReasonId::WrongSigner,
        Error::NotKeySigned(_) => ReasonId::LogInvalid,
    }
}
