//! What of an RFC 3161 timestamp no signature covers, and `sigstore-verify` does not compare: the status of the response, the algorithms that
//! are named twice, certificates that it brings along. The time itself and its signature are judged there.

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::{Decode as _, Encode as _, Header, Reader as _, SliceReader};

use super::trust_root::Root;

/// The status `granted`, and nothing beside it.
const GRANTED: [u8; 5] = [0x30, 3, 2, 1, 0];

/// Checks a timestamp's token, or the response that holds it; the error is a fragment.
pub(super) fn consistent(stamp: &[u8], root: &Root) -> Result<(), String> {
    let invalid = |error: der::Error| format!("the timestamp is not DER: {error}");
    let info = ContentInfo::from_der(token(stamp)?).map_err(invalid)?;
    let signed: SignedData = info.content.decode_as().map_err(invalid)?;
    let [signer] = signed.signer_infos.0.as_slice() else { return Err("the timestamp has not exactly one signer".into()) };
    let (digest, signature) = (&signer.digest_alg, signer.signature_algorithm.oid.to_string());
    let agrees = match digest.oid.to_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => signature == "1.2.840.10045.4.3.2",
        "2.16.840.1.101.3.4.2.2" => signature == "1.2.840.10045.4.3.3",
        "2.16.840.1.101.3.4.2.3" => signature == "1.2.840.10045.4.3.4",
        _ => false,
    };
    if signed.digest_algorithms.as_slice().iter().any(|one| one.oid != digest.oid)
        || !(agrees || signature == "1.2.840.10045.2.1")
    {
        return Err("the timestamp names algorithms that are not those of its signature".into());
    }
    if signed.crls.is_some() || signer.unsigned_attrs.is_some() {
        return Err("the timestamp holds what its signature does not cover".into());
    }
    for certificate in signed.certificates.iter().flat_map(|set| set.0.iter()) {
        let CertificateChoices::Certificate(certificate) = certificate else {
            return Err("the timestamp holds a certificate of another kind than X.509".into());
        };
        if !root.has_timestamp_certificate(&certificate.to_der().map_err(invalid)?) {
            return Err("the timestamp holds a certificate that is not in the trusted root".into());
        }
    }
    Ok(())
}

/// The token of a response, or the token itself: only a response begins with another sequence, its status.
fn token(stamp: &[u8]) -> Result<&[u8], String> {
    let invalid = |error: der::Error| format!("the timestamp is not DER: {error}");
    let mut reader = SliceReader::new(stamp).map_err(invalid)?;
    Header::decode(&mut reader).map_err(invalid)?;
    let rest = reader.read_slice(reader.remaining_len()).map_err(invalid)?;
    match rest.strip_prefix(&GRANTED) {
        Some(token) => Ok(token),
        None if rest.first() == Some(&6) => Ok(stamp),
        None => Err("the timestamp was not granted".into()),
    }
}
