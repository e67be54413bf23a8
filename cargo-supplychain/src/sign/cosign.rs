//! Private keys as cosign writes them: PKCS#8 in NaCl's secretbox under a key that scrypt derives from the passphrase, as JSON in PEM
//! (<https://docs.sigstore.dev/cosign/system_config/specifications/>, go-securesystemslib's `encrypted`). Read only; no IO.

use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use pkcs8::der::zeroize::Zeroizing;
use serde::Deserialize;
use sigstore_types::PayloadBytes;

use super::pem::{self, PemError, PrivateKey};
use crate::attest::strict_json;

/// The labels of today and of before.
const LABELS: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The JSON in the PEM, where it is a key of cosign's.
pub(super) fn inside(text: &str) -> Option<String> {
    LABELS.iter().find_map(|label| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        Some(body.split_whitespace().collect())
    })
}

/// Reads the key; `passphrase` is asked where an empty one, which cosign takes for none, does not open it.
pub(super) fn read(base64: &str, passphrase: impl FnOnce() -> Option<Zeroizing<String>>) -> Result<PrivateKey, PemError> {
    let format = |why: &str| PemError::Format(why.to_owned());
    let bytes =
        |text: &str| PayloadBytes::from_base64(text).map(PayloadBytes::into_bytes).map_err(|_| format("damaged: not base64"));
    let value = strict_json::parse(&bytes(base64)?).map_err(|_| format("damaged: not JSON"))?;
    let sealed: Sealed = serde_json::from_value(value).map_err(|_| format("damaged: not a sealed key"))?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(format("not sealed with scrypt and nacl/secretbox"));
    }
    let Params { n, r, p } = sealed.kdf.params;
    let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
    if !pem::is_affordable(n, r.into(), p.into()) {
        return Err(format("its key derivation asks for too much work"));
    }
    let params = scrypt::Params::new(log_n, r, p, 32).map_err(|_| format("its key derivation cannot be used"))?;
    let (salt, nonce, ciphertext) = (bytes(&sealed.kdf.salt)?, bytes(&sealed.cipher.nonce)?, bytes(&sealed.ciphertext)?);
    if nonce.len() != 24 {
        return Err(format("damaged: its nonce has not 24 bytes"));
    }
    let open = |passphrase: &str| {
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(passphrase.as_bytes(), &salt, &params, key.as_mut()).ok()?;
        let cipher = XSalsa20Poly1305::new(key.as_ref().into());
        cipher.decrypt(Nonce::from_slice(&nonce), ciphertext.as_slice()).ok().map(Zeroizing::new)
    };
    if let Some(der) = open("") {
        return pem::from_der(&der);
    }
    let passphrase = passphrase().ok_or(PemError::Encrypted)?;
    pem::from_der(&open(&passphrase).ok_or(PemError::WrongPassphrase)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::PublicKey;

    /// Made with PyNaCl's SecretBox and Python's hashlib.scrypt (N=1024), passphrase `secret`.
    const KEY: &str = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n\
        eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjoxMDI0LCJyIjo4\n\
        LCJwIjoxfSwic2FsdCI6Ilh3S3NhYU9mNlJOTlA1bXo0bUFUQ0prY1doaGxwWVdy\n\
        ekxrZkswZGtYMjQ9In0sImNpcGhlciI6eyJuYW1lIjoibmFjbC9zZWNyZXRib3gi\n\
        LCJub25jZSI6IlhDZ1A1WkpQeE92TkEwcE5tYk5kM2RpakJ4eTk1UXdEIn0sImNp\n\
        cGhlcnRleHQiOiJXZHIwRnRVVWg3MTUrVU8xUlRXQ3VndUJwc094a0ZQSjRwcFl4\n\
        SUhJK201ZDRWUElDazBPczc3SXl1U1hCYzJxSDBGL1p4cm82SWdjMyt6enVnenZ0\n\
        NUdlOHRvbldHYnBJajJONHFQaDZoQ2JzaUxMSzlWVVJLMXVGS3VYM3NZSzRUS3Zp\n\
        V0plZ2IySFFHeEtKSExHZU4wdEJHVjAwOWZtY0xBQ2tSMVU5Tkh0OExIaGJmZFg1\n\
        bktzNFhSeHhsd0Z5ZjBNdEdqWDFKV0M4Zz09In0=\n\
        -----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0LozXTsTJXDAhGqbmMrEs1FQzbPa\n\
        9ZKbtOf+yzDZprhf4p8cfJvTIwHDrEpVHWi2HnravBNxRMeVL8h7vNVoAQ==\n\
        -----END PUBLIC KEY-----\n";

    fn of(text: &str, passphrase: Option<&str>) -> Result<PublicKey, PemError> {
        let passphrase = passphrase.map(|text| Zeroizing::new(text.to_owned()));
        pem::read(text, || passphrase).map(|key| key.public_key().unwrap())
    }

    #[test]
    fn keys_of_cosign_are_read() {
        let public = PublicKey::from_pem(PUBLIC).unwrap();
        assert_eq!(of(KEY, Some("secret")).unwrap(), public);
        assert_eq!(of(&KEY.replace("SIGSTORE", "COSIGN"), Some("secret")).unwrap(), public);
        assert_eq!(of(KEY, Some("wrong")).unwrap_err(), PemError::WrongPassphrase);
        assert_eq!(of(KEY, None).unwrap_err(), PemError::Encrypted);
    }

    #[test]
    fn damaged_and_greedy_keys_are_refused() {
        let json = String::from_utf8(PayloadBytes::from_base64(&inside(KEY).unwrap()).unwrap().into_bytes()).unwrap();
        for (from, to, why) in [
            ("\"N\":1024", "\"N\":1025", "too much work"),
            ("\"N\":1024", "\"N\":0", "too much work"),
            ("\"N\":1024", "\"N\":1073741824", "too much work"),
            ("\"p\":1", "\"p\":4000000", "too much work"),
            ("scrypt", "argon2", "not sealed with"),
            ("nacl/secretbox", "none", "not sealed with"),
            ("\"kdf\"", "\"kdf\":{},\"kdf\"", "not JSON"),
            ("\"nonce\":\"", "\"nonce\":\"AAAA", "24 bytes"),
            ("{", "[", "not JSON"),
        ] {
            let bad = json.replacen(from, to, 1);
            assert_ne!(bad, json);
            match read(&PayloadBytes::from_bytes(bad.as_bytes()).to_base64(), || None).err() {
                Some(PemError::Format(found)) => assert!(found.contains(why), "{from}: {found}"),
                other => panic!("{from}: {other:?}"),
            }
        }
    }
}
