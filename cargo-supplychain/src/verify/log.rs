//! What of a log entry has to hold besides what `sigstore-verify` looks at: the words that a bundle repeats outside of what is
//! signed have to be the signed ones, and entries of the form `dsse` 0.0.2, which it does not read, are judged here.

use serde_json::Value;
use sigstore_types::{KindVersion, PayloadBytes, Sha256Hash, TransparencyLogEntry};

use super::trust_root::Root;
use crate::attest::strict_json;
use crate::base::Sha256;

/// Checks the words of an entry that no signature covers; the error is a fragment.
pub(super) fn consistent(entry: &TransparencyLogEntry, root: &Root) -> Result<(), String> {
    let id = entry.log_id.key_id.as_bytes();
    if !root.logs.contains_key(id) {
        return Err("the entry is of a log that the trusted root does not name".into());
    }
    let Some(proof) = &entry.inclusion_proof else { return Ok(()) };
    let envelope = proof.checkpoint.envelope();
    let Some(checkpoint) = proof.checkpoint.checkpoint() else { return Err("there is no checkpoint".into()) };
    // A signed note: the signed text, one blank line, the signatures, and nothing else.
    let signatures = envelope.split_once("\n\n").map_or("", |(_, signatures)| signatures);
    let is_line = |line: &str| line.starts_with("\u{2014} ") && line.split(' ').count() == 3;
    if !signatures.ends_with('\n') || !signatures.lines().all(is_line) || signatures.contains('\r') {
        return Err("the checkpoint is not a signed note".into());
    }
    let origin = checkpoint.origin();
    let by_log = checkpoint.signatures().iter().find(|signature| id.starts_with(signature.key_id.as_bytes()));
    match by_log {
        None => return Err("the checkpoint is not signed by the log that the entry names".into()),
        Some(by_log) if by_log.name != origin && !origin.starts_with(&format!("{} - ", by_log.name)) => {
            return Err("the checkpoint is of another origin than its signer".into());
        }
        Some(_) => {}
    }
    let is_v2 = entry.kind_version == KindVersion::HashedRekordV002;
    let repeats = proof.log_index == entry.log_index
        && proof.tree_size == checkpoint.tree_size()
        && proof.root_hash == *checkpoint.root_hash()
        && entry.integrated_time.is_none()
        && entry.inclusion_promise.is_none();
    if is_v2 && !repeats {
        return Err("what the entry repeats of its checkpoint differs from it".into());
    }
    if !is_v2 && proof.tree_size != checkpoint.tree_size() {
        return Err("the tree size of the inclusion proof is not that of the checkpoint".into());
    }
    Ok(())
}

/// What an entry of the form `dsse` 0.0.2 has to be about.
pub(super) struct Logged<'a> {
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
    /// The signer's certificate, or public key, as DER.
    pub(super) verifier: Verifier<'a>,
}

pub(super) enum Verifier<'a> {
    Certificate(&'a [u8]),
    PublicKey(&'a [u8]),
}

/// Verifies an entry of the form `dsse` 0.0.2 (<https://github.com/sigstore/rekor-tiles>): that it is in the log and describes
/// this signature. `at` are the verified times of the signature, at each of which the log's key has to count.
pub(super) fn dsse_v2(entry: &TransparencyLogEntry, about: &Logged<'_>, root: &Root, at: &[i64]) -> Result<(), String> {
    consistent(entry, root)?;
    let body = entry.canonicalized_body.as_bytes();
    describes(body, about)?;
    let proof = entry.inclusion_proof.as_ref().ok_or("there is no inclusion proof")?;
    let checkpoint = proof.checkpoint.checkpoint().ok_or("there is no checkpoint")?;
    let leaf = sigstore_merkle::hash_leaf(body);
    sigstore_merkle::verify_inclusion_proof(
        &leaf,
        entry.log_index.get(),
        checkpoint.tree_size(),
        &proof.hashes,
        checkpoint.root_hash(),
    )
    .map_err(|error| format!("the inclusion proof does not hold: {error}"))?;
    let log = root.parsed.tlogs.iter().find(|log| log.log_id.key_id == entry.log_id.key_id);
    let key = &log.ok_or("the log is not in the trusted root")?.public_key;
    let counts = |time: i64| {
        key.valid_for.is_none_or(|range| range.start.as_second() <= time && range.end.is_none_or(|end| time <= end.as_second()))
    };
    if at.is_empty() || !at.iter().all(|&time| counts(time)) {
        return Err("the log's key did not count when this was signed".into());
    }
    let key = sigstore_crypto::VerificationKey::from_spki(&key.raw_bytes).map_err(|error| error.to_string())?;
    let id = Sha256Hash::try_from(entry.log_id.key_id.as_bytes()).map_err(|error| error.to_string())?;
    let by_log = checkpoint.signatures().iter().filter(|one| id.as_bytes().starts_with(one.key_id.as_bytes()));
    let mut by_log = by_log.map(|one| key.verify(checkpoint.signed_data(), &one.signature).is_ok());
    if by_log.any(|holds| holds) { Ok(()) } else { Err("the checkpoint is not signed by the log".into()) }
}

fn describes(body: &[u8], about: &Logged<'_>) -> Result<(), String> {
    let body = strict_json::parse_within(body, 1000).map_err(|error| format!("its body is no JSON: {error}"))?;
    let word = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let base64 = |bytes: &[u8]| PayloadBytes::from_bytes(bytes).to_base64();
    let signatures = body.pointer("/spec/dsseV002/signatures").and_then(Value::as_array);
    let (pointer, verifier) = match about.verifier {
        Verifier::Certificate(der) => ("/spec/dsseV002/signatures/0/verifier/x509Certificate/rawBytes", der),
        Verifier::PublicKey(der) => ("/spec/dsseV002/signatures/0/verifier/publicKey/rawBytes", der),
    };
    let payload = base64(Sha256::of(about.payload).as_bytes());
    let holds = word("/apiVersion") == Some("0.0.2")
        && word("/kind") == Some("dsse")
        && word("/spec/dsseV002/payloadHash/algorithm") == Some("SHA2_256")
        && word("/spec/dsseV002/payloadHash/digest") == Some(payload.as_str())
        && signatures.is_some_and(|list| list.len() == 1)
        && word("/spec/dsseV002/signatures/0/content") == Some(base64(about.signature).as_str())
        && word(pointer) == Some(base64(verifier).as_str());
    if holds { Ok(()) } else { Err("the log entry is about another signature".into()) }
}
