//! Public keys: PEM SubjectPublicKeyInfo (RFC 7468 section 13, RFC 5480, RFC 8410), ECDSA P-256 or Ed25519, and nothing else.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey};
use sigstore_crypto::{SigningScheme, VerificationKey};
use sigstore_types::{DerPublicKey, SignatureBytes};

use crate::base::Sha256;

/// More than any PEM file of one public key needs.
const MAX_PEM_BYTES: usize = 16 * 1024;

/// The key algorithms that sign and verify here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// ECDSA over P-256 with SHA-256, signatures in ASN.1 DER (FIPS 186-5).
    EcdsaP256,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// The text is not a public key that we accept; the fragment says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidKey(pub String);

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidKey {}

/// A public key whose point is on its curve.
#[derive(Clone)]
pub struct PublicKey {
    spki: DerPublicKey,
    algorithm: KeyAlgorithm,
}

impl PublicKey {
    /// Reads one `PUBLIC KEY` PEM block.
    ///
    /// # Errors
    /// Why it is none, or which algorithm is not supported.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let invalid = |why: &str| Err(InvalidKey(why.to_owned()));
        if text.len() > MAX_PEM_BYTES {
            return invalid("too large for a public key");
        }
        if text.contains("PRIVATE KEY-----") {
            return invalid("this is a private key: give the public one (PEM `PUBLIC KEY`)");
        }
        if text.matches("-----BEGIN").count() != 1 {
            return invalid("expected exactly one PEM block `PUBLIC KEY`");
        }
        let spki = DerPublicKey::from_pem(text)
            .map_err(|_| InvalidKey("not a PEM block `PUBLIC KEY` (SubjectPublicKeyInfo)".to_owned()))?;
        Self::from_spki(spki.as_bytes())
    }

    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// Why it is none, or which algorithm is not supported.
    pub fn from_spki(der: &[u8]) -> Result<Self, InvalidKey> {
        let spki = DerPublicKey::from_bytes(der);
        let key = VerificationKey::from_spki(&spki).map_err(|error| InvalidKey(error.to_string()))?;
        let (algorithm, curve): (_, &'static dyn aws_lc_rs::signature::VerificationAlgorithm) = match key.scheme() {
            SigningScheme::EcdsaP256Sha256 => (KeyAlgorithm::EcdsaP256, &ECDSA_P256_SHA256_ASN1),
            SigningScheme::Ed25519 => (KeyAlgorithm::Ed25519, &ED25519),
            other => {
                let name = other.name();
                return Err(InvalidKey(format!("a key for {name}: only ECDSA P-256 and Ed25519 are supported")));
            }
        };
        if algorithm == KeyAlgorithm::EcdsaP256 && key.as_bytes().first() != Some(&0x04) {
            return Err(InvalidKey("the point is compressed: only the uncompressed form is supported".to_owned()));
        }
        ParsedPublicKey::new(curve, key.as_bytes())
            .map_err(|_| InvalidKey("the public key is not a point on its curve".to_owned()))?;
        Ok(Self { spki, algorithm })
    }

    pub(crate) fn spki(&self) -> &DerPublicKey {
        &self.spki
    }

    /// Whether `signature` is this key's signature of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        VerificationKey::from_spki(&self.spki).and_then(|key| key.verify(message, &SignatureBytes::from_bytes(signature))).is_ok()
    }

    /// SHA-256 of the DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.spki.as_bytes())
    }

    /// `SHA256:` and the hexadecimal SHA-256 of the DER SubjectPublicKeyInfo: the key's name for people.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", self.sha256())
    }

    /// The key's name in bundles (`publicKey.hint`): the same digest in base64, as cosign and sigstore-go write it.
    #[must_use]
    pub fn hint(&self) -> String {
        SignatureBytes::from_bytes(self.sha256().as_bytes()).to_base64()
    }

    /// PEM `PUBLIC KEY`, lines of 64 characters, LF.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let base64 = self.spki.to_base64();
        let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = next;
        }
        text.push_str("-----END PUBLIC KEY-----\n");
        text
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki.as_bytes() == other.spki.as_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made with `openssl genpkey` and `openssl pkey -pubout`.
    const P256: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhRbG98sxawhx6qZ7NN3vUHQl8caS\n\
        1EZxeXllQp0gXEK6Fvue79lBxQmq051SbqRvbGxrLXtTt2KBIduNOLSLNg==\n\
        -----END PUBLIC KEY-----\n";
    const ED25519_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAV5iwqjXGd96wxDn5ArQWJ3nsRYONjoY+g8jBuevZfWc=\n\
        -----END PUBLIC KEY-----\n";
    const RSA: &str = "-----BEGIN PUBLIC KEY-----\n\
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA46gyjXB3bimwEMLH7BYu\n\
        CLCIf0no86YRQh1goLJfltKcTW1Z34i5+cXvSLbhBvrQQn0OQi9fgmEWNscD+o4f\n\
        0zA0S3Rzdcv039w+XX1QA1RhkpFxMtPewTp8wd+tjiSFxxKUlGDaOiVteorSFHKx\n\
        +9yhK/dmpBAl+KBZKD8xmPTvCbB36OLhlPgD+n7hGBmIJVHqcv2jECxXTE8uaGN5\n\
        csdiNiYQHmLXD9+RrKpe40Tpfj2bl+U/rPpgNlhqACeAei9aVhBUIXBFMgetC6tT\n\
        mcZ1GhEqTUE3KDr4bE+fKO5muI04RJHVXqBl0DsdpP4Nva2uEUTng23P/jFbXKTP\n\
        8wIDAQAB\n\
        -----END PUBLIC KEY-----\n";
    const P384: &str = "-----BEGIN PUBLIC KEY-----\n\
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEDGBww5pDbvMl74DnZFscWf7LMup6II8i\n\
        6zPE37f6X/ry3nbCXIP5EXAbtmireYByQBpeXU40fcOBh6dJedwV5n9vhZ6xh2tA\n\
        8xy7PzeunlImF/hW7BWgpca9IFEAgwwD\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn reads_both_algorithms_and_writes_them_back() {
        for (pem, algorithm, fingerprint) in [
            (P256, KeyAlgorithm::EcdsaP256, "cfa5afeee66ea417283bd936999c68620f0a187d5b5febc6eb7c0b174c30f87b"),
            (ED25519_KEY, KeyAlgorithm::Ed25519, "431b0610cab5feee35ee37a1c80c5c7a16fc765cbfda44fd3a3a8ea591c76967"),
        ] {
            let key = PublicKey::from_pem(pem).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(key.to_pem(), pem);
            assert_eq!(key.fingerprint(), format!("SHA256:{fingerprint}"));
            assert_eq!(key.hint().len(), 44);
            assert_eq!(PublicKey::from_pem(&pem.replace('\n', "\r\n")).unwrap(), key);
        }
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        let off_curve = {
            let mut der = DerPublicKey::from_pem(P256).unwrap().into_bytes();
            *der.last_mut().unwrap() ^= 1;
            DerPublicKey::new(der).to_pem()
        };
        for (text, why) in [
            (String::new(), "exactly one PEM block"),
            ("ssh-ed25519 AAAA".to_owned(), "exactly one PEM block"),
            (format!("{P256}{ED25519_KEY}"), "exactly one PEM block"),
            (P256.replace("PUBLIC", "PRIVATE"), "private key"),
            (P256.replace("PUBLIC KEY", "CERTIFICATE"), "not a PEM block `PUBLIC KEY`"),
            (RSA.to_owned(), "only ECDSA P-256 and Ed25519"),
            (P384.to_owned(), "only ECDSA P-256 and Ed25519"),
            (off_curve, "not a point"),
            ("x".repeat(MAX_PEM_BYTES + 1), "too large"),
        ] {
            let error = PublicKey::from_pem(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}: {why}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120), at in 0usize..200, byte in any::<u8>()) {
            let _ = PublicKey::from_spki(&bytes);
            let mut der = DerPublicKey::from_pem(P256).unwrap().into_bytes();
            let at = at % der.len();
            der[at] = byte;
            let _ = PublicKey::from_spki(&der);
            let _ = PublicKey::from_pem(&String::from_utf8_lossy(&bytes));
        }
    }
}
