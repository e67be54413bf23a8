//! PKCS#8 private keys in PEM (RFC 5958, RFC 7468), plain or encrypted with PBES2 (RFC 8018); cosign's form is `cosign`'s. No IO here; what is secret is
//! wiped when it is dropped.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use pkcs8::der::SecretDocument;
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2;
use pkcs8::{EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo};

use crate::attest::{KeyAlgorithm, PublicKey};

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// Bounds for the key derivation that a file asks for: at most 1 GiB of memory (128 · r · N bytes) and some seconds of work.
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
const MAX_SCRYPT_PARALLEL: u16 = 16;
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// Why a text is no private key that we can use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PemError {
    Format(String),
    Encrypted,
    WrongPassphrase,
}

/// A private key, ready to sign.
pub(super) enum PrivateKey {
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl PrivateKey {
    /// The signature of `message`: ASN.1 DER for ECDSA, 64 bytes for Ed25519.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::P256(key) => key.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec()),
            Self::Ed25519(key) => key.try_sign(message).ok().map(|signature| signature.as_ref().to_vec()),
        }
    }

    /// Its public half.
    pub(super) fn public_key(&self) -> Option<PublicKey> {
        let spki = match self {
            Self::P256(key) => key.public_key().as_der().ok()?.as_ref().to_vec(),
            Self::Ed25519(key) => key.public_key().as_der().ok()?.as_ref().to_vec(),
        };
        PublicKey::from_spki(&spki).ok()
    }
}

/// Reads a private key; `passphrase` is asked only for an encrypted one.
pub(super) fn read(text: &str, passphrase: impl FnOnce() -> Option<Zeroizing<String>>) -> Result<PrivateKey, PemError> {
    let format = |why: &str| PemError::Format(why.to_owned());
    if text.contains("-----BEGIN PUBLIC KEY-----") {
        return Err(format("it holds a public key"));
    }
    if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return Err(format("OpenSSH keys are not supported"));
    }
    if text.contains("-----BEGIN EC PRIVATE KEY-----") {
        return Err(format("SEC 1 form; convert it with `openssl pkcs8 -topk8 -in FILE -out NEW`"));
    }
    if let Some(inside) = super::cosign::inside(text) {
        return super::cosign::read(&inside, passphrase);
    }
    let (label, document) =
        SecretDocument::from_pem(text).map_err(|error| PemError::Format(format!("not PEM of one key: {error}")))?;
    match label {
        PLAIN => from_der(document.as_bytes()),
        ENCRYPTED => {
            let info = EncryptedPrivateKeyInfo::try_from(document.as_bytes())
                .map_err(|_| format("the encryption is not PBES2 with scrypt or PBKDF2 and AES"))?;
            check_cost(&info.encryption_algorithm)?;
            let passphrase = passphrase().ok_or(PemError::Encrypted)?;
            let plain = info.decrypt(passphrase.as_bytes()).map_err(|_| PemError::WrongPassphrase)?;
            from_der(plain.as_bytes())
        }
        other => Err(PemError::Format(format!("it holds `{other}`"))),
    }
}

pub(super) fn from_der(der: &[u8]) -> Result<PrivateKey, PemError> {
    let unsupported = |_| PemError::Format("neither ECDSA P-256 nor Ed25519, or damaged".to_owned());
    let info = PrivateKeyInfo::try_from(der).map_err(|_| PemError::Format("not PKCS#8".to_owned()))?;
    if info.algorithm.oid == pkcs8::ObjectIdentifier::new_unwrap("1.3.101.112") {
        return Ed25519KeyPair::from_pkcs8(der).map(|key| PrivateKey::Ed25519(Box::new(key))).map_err(unsupported);
    }
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der).map(|key| PrivateKey::P256(Box::new(key))).map_err(unsupported)
}

/// Refuses a key derivation that would take the machine's memory or minutes before the passphrase is even asked for.
fn check_cost(scheme: &EncryptionScheme<'_>) -> Result<(), PemError> {
    let pbes2 = scheme.pbes2().ok_or_else(|| PemError::Format("the encryption is not PBES2".to_owned()))?;
    let affordable = match &pbes2.kdf {
        pbes2::Kdf::Scrypt(params) => {
            is_affordable(params.cost_parameter, params.block_size.into(), params.parallelization.into())
        }
        pbes2::Kdf::Pbkdf2(params) => params.iteration_count <= MAX_PBKDF2_ITERATIONS,
        _ => false,
    };
    if affordable { Ok(()) } else { Err(PemError::Format("its key derivation asks for too much work".to_owned())) }
}

/// Whether scrypt with these parameters (N, r, p) stays within bounds.
pub(super) fn is_affordable(cost: u64, block_size: u64, parallel: u64) -> bool {
    cost.is_power_of_two()
        && cost > 1
        && parallel <= u64::from(MAX_SCRYPT_PARALLEL)
        && block_size.checked_mul(128).and_then(|block| block.checked_mul(cost)).is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES)
}

/// Makes a new key: its PEM text, encrypted when there is a passphrase (scrypt N=2^15, r=8, p=1 and AES-256-CBC).
pub(super) fn generate(algorithm: KeyAlgorithm, passphrase: Option<&str>) -> Option<Zeroizing<String>> {
    let random = SystemRandom::new();
    let document = match algorithm {
        KeyAlgorithm::EcdsaP256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).ok()?,
        // Version 1, without the public key: the form that OpenSSL reads and writes.
        KeyAlgorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&random).ok()?,
    };
    let info = PrivateKeyInfo::try_from(document.as_ref()).ok()?;
    let Some(passphrase) = passphrase else {
        return SecretDocument::encode_msg(&info).ok()?.to_pem(PLAIN, LineEnding::LF).ok();
    };
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    random.fill(&mut salt).ok()?;
    random.fill(&mut iv).ok()?;
    let parameters = pbes2::Parameters::scrypt_aes256cbc(scrypt_parameters()?, &salt, &iv).ok()?;
    info.encrypt_with_params(parameters, passphrase).ok()?.to_pem(ENCRYPTED, LineEnding::LF).ok()
}

fn scrypt_parameters() -> Option<scrypt::Params> {
    scrypt::Params::new(15, 8, 1, 32).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 1000`, ECDSA P-256, passphrase `secret`.
    const OPENSSL_PBKDF2: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAidpbZt4h9fGgICA+gw\n\
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEK9rF4jckBS1Ky0GCQ2lxYEEgZD2\n\
        ybBs80ep/9I/hAjC50e2vlIbOQwviRR8sHgN0nlZglw3JFlazw1DXGdyzTZZrcb1\n\
        D48LQorT2ex7PReuUg4iAOTo+fOvI7miObc5VQsaqtvlety9qBx9BR+wr3rzqJcL\n\
        oBynnt12rSjD3thia+e+SIM4TSRj/TFc6ruTGLNop8nUqxZJSVc71fGfrWqV7Tk=\n\
        -----END ENCRYPTED PRIVATE KEY-----\n";
    /// `openssl pkcs8 -topk8 -scrypt -scrypt_N 16 -scrypt_r 1 -scrypt_p 1`, Ed25519, passphrase `secret`.
    const OPENSSL_SCRYPT: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
        MIGSME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAg11u//2tDjnwIBEAIB\n\
        AQIBATAdBglghkgBZQMEASoEEPflIYycYbmNZr4PU0XYCWMEQJ8f1v0nKVtokA7K\n\
        c2HjEGL8G+Ke+aJDjKSOH8BIswjbnZozihPdEfERFgiV3lCHaStISY8p6T8nsLPM\n\
        TbmH9Zk=\n\
        -----END ENCRYPTED PRIVATE KEY-----\n";

    fn with(passphrase: &str) -> impl FnOnce() -> Option<Zeroizing<String>> {
        let passphrase = Zeroizing::new(passphrase.to_owned());
        move || Some(passphrase)
    }

    fn never() -> Option<Zeroizing<String>> {
        panic!("asked for a passphrase of a plain key")
    }

    #[test]
    fn new_keys_sign_and_are_read_back() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
            let plain = generate(algorithm, None).unwrap();
            let key = read(&plain, never).ok().unwrap();
            let public = key.public_key().unwrap();
            assert_eq!(public.algorithm(), algorithm);
            let signature = key.sign(b"message").unwrap();
            assert!(public.verifies(b"message", &signature));
            assert!(!public.verifies(b"massage", &signature));
        }
    }

    #[test]
    fn a_passphrase_is_needed_and_has_to_be_right() {
        let text = generate(KeyAlgorithm::EcdsaP256, Some("correct horse")).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        assert!(read(&text, with("correct horse")).is_ok());
        assert_eq!(read(&text, with("wrong horse")).err(), Some(PemError::WrongPassphrase));
        assert_eq!(read(&text, || None).err(), Some(PemError::Encrypted));
    }

    #[test]
    fn keys_of_openssl_are_read() {
        for (text, algorithm) in [(OPENSSL_PBKDF2, KeyAlgorithm::EcdsaP256), (OPENSSL_SCRYPT, KeyAlgorithm::Ed25519)] {
            let key = read(text, with("secret")).ok().unwrap();
            assert_eq!(key.public_key().unwrap().algorithm(), algorithm);
        }
    }

    #[test]
    fn other_forms_are_refused_with_a_reason() {
        let plain = generate(KeyAlgorithm::EcdsaP256, None).unwrap();
        let public = read(&plain, never).ok().unwrap().public_key().unwrap().to_pem();
        for (text, why) in [
            (public.as_str(), "public key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "OpenSSH"),
            ("-----BEGIN EC PRIVATE KEY-----\n", "openssl pkcs8"),
            ("", "not PEM"),
            ("hello\nworld\n", "not PEM"),
            (&plain.replace("PRIVATE KEY", "CERTIFICATE"), "it holds `CERTIFICATE`"),
            (&plain[..plain.len() / 2], "not PEM"),
            ("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "not PKCS#8"),
        ] {
            match read(text, never).err() {
                Some(PemError::Format(found)) => assert!(found.contains(why), "{found}: {why}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_key_derivation_without_bounds_is_refused() {
        let (salt, iv) = ([0; 16], [0; 16]);
        let scheme =
            |kdf| EncryptionScheme::Pbes2(pbes2::Parameters { kdf, encryption: pbes2::EncryptionScheme::Aes256Cbc { iv: &iv } });
        let scrypt = |cost_parameter, block_size| {
            pbes2::Kdf::Scrypt(pbes2::ScryptParams {
                salt: &salt,
                cost_parameter,
                block_size,
                parallelization: 1,
                key_length: None,
            })
        };
        for (cost, block, fine) in
            [(1 << 15, 8, true), (1 << 20, 8, true), (1 << 21, 8, false), (0, 8, false), (3, 8, false), (1 << 63, 65535, false)]
        {
            assert_eq!(check_cost(&scheme(scrypt(cost, block))).is_ok(), fine, "{cost} {block}");
        }
        let pbkdf2 = pbes2::Pbkdf2Params {
            salt: &salt,
            iteration_count: u32::MAX,
            key_length: None,
            prf: pbes2::Pbkdf2Prf::HmacWithSha256,
        };
        assert!(check_cost(&scheme(pbes2::Kdf::Pbkdf2(pbkdf2))).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(at in 0usize..1000, byte in any::<u8>()) {
            let mut bytes = OPENSSL_PBKDF2.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&String::from_utf8_lossy(&bytes), || None);
        }
    }
}
