//! Layer 3 (IO): who signs. [`Signer`] is the seam: a key ([`key::KeySigner`]), an identity ([`keyless::KeylessSigner`]). Reads and
//! writes private keys, asks the services of keyless signing; never decides whether a signature of others counts, which is `verify`'s.

pub mod command;
mod cosign;
pub mod key;
pub mod keyless;
mod pem;
mod process;
pub mod rotation;

use camino::{Utf8Path, Utf8PathBuf};

use crate::attest::{InvalidKey, PublicKey};

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// The bytes of an in-toto statement ([`crate::attest::Statement::to_bytes`]), in a DSSE envelope.
    Statement(&'a [u8]),
    /// Any bytes; the bundle holds their digest and signature only.
    Blob(&'a [u8]),
}

/// Signs.
pub trait Signer {
    /// The Sigstore bundle (JSON bytes) of a signature that was verified before it is given here.
    ///
    /// # Errors
    /// Why there is none; [`Error::is_outage`] where it may be had later.
    fn sign(&self, content: Content<'_>) -> Result<Vec<u8>, Error>;

    /// Whether this signer signed the statement in a bundle that was there before.
    ///
    /// # Errors
    /// Why it is not proved, a fragment.
    fn verifies(&self, bundle: &[u8]) -> Result<(), String>;

    /// The public key, where the signer is a key; `signer.pub` of the release, a convenience for people.
    fn public_key(&self) -> Option<&PublicKey>;

    /// Whom the certificates of this run name; none before the first signature, and for a key.
    fn identity(&self) -> Option<keyless::Identity> {
        None
    }

    /// The trust root (JSON) that its bundles were judged by; none for a key.
    fn trusted_root(&self) -> Option<&[u8]> {
        None
    }

    /// Who signs, for people: `key SHA256:… (~/.config/…/key.pem)`.
    fn describe(&self) -> String;
}

/// Why there is no signer or no signature. Every variant about a file names it.
#[derive(Debug)]
pub enum Error {
    /// The file could not be read (absent, no permission, …).
    Unreadable { path: Utf8PathBuf, source: std::io::Error },
    /// The file is a folder, a pipe or the like, or larger than any key.
    NotAKeyFile { path: Utf8PathBuf },
    /// Others than the owner may read the private key; `mode` are its permission bits.
    TooOpen { path: Utf8PathBuf, mode: u32 },
    /// Not a PKCS#8 private key in PEM; why, a fragment.
    Format { path: Utf8PathBuf, why: String },
    /// It is encrypted and no passphrase was given.
    PassphraseNeeded { path: Utf8PathBuf },
    /// The passphrase does not open it.
    WrongPassphrase { path: Utf8PathBuf },
    /// A key file is there already; it is never overwritten.
    Exists { path: Utf8PathBuf },
    /// The key could not be written.
    Unwritable { path: Utf8PathBuf, source: std::io::Error },
    /// A public key could not be read as such.
    PublicKey { path: Utf8PathBuf, source: InvalidKey },
    /// Neither `XDG_CONFIG_HOME` nor `HOME` says where the user's key lies.
    NoHome,
    /// The cryptographic library failed (no randomness, …).
    Backend(&'static str),
    /// Keyless signing is not set up as it has to be; why, a fragment.
    Setup { what: String, why: String },
    /// A service or program that signs did not do so in time, or not so that it verifies; why, a fragment.
    Unavailable { why: String },
}

impl Error {
    /// What to do next; empty where the message says it all.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "make one with `cargo supplychain key generate`, or name another with `--key FILE`".into()
            }
            Self::TooOpen { path, .. } => format!("chmod 600 '{path}'"),
            Self::Format { .. } | Self::NotAKeyFile { .. } => {
                "expected PEM `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (PKCS#8), or a key of cosign, ECDSA P-256 or Ed25519"
                    .into()
            }
            Self::PassphraseNeeded { .. } | Self::WrongPassphrase { .. } => {
                "set SUPPLYCHAIN_KEY_PASSPHRASE, or run where a terminal can ask for it".into()
            }
            Self::Exists { .. } => "move it away first, or name another file; a key is never overwritten".into(),
            Self::PublicKey { .. } => "expected PEM `PUBLIC KEY` with an ECDSA P-256 or Ed25519 key".into(),
            Self::NoHome => "set HOME, or name the key with `--key FILE` or `[sign] key`".into(),
            Self::Unwritable { .. } => {
                "name another place with `key generate --output FILE`, or for your own key with XDG_CONFIG_HOME".into()
            }
            Self::Unavailable { .. } => "complete it later with `cargo supplychain sign --pending RELEASE`".into(),
            Self::Unreadable { .. } | Self::Backend(_) | Self::Setup { .. } => String::new(),
        }
    }

    /// Whether the same may succeed later: the statement stays pending, and nothing else is lost.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether output could not be written (exit 74) rather than input not be used (exit 2).
    #[must_use]
    pub fn is_output(&self) -> bool {
        matches!(self, Self::Unwritable { .. })
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "cannot read the key {path}: {source}"),
            Self::NotAKeyFile { path } => write!(f, "{path} is not a key file"),
            Self::TooOpen { path, mode } => {
                write!(f, "the private key {path} can be read by others (mode {mode:04o})")
            }
            Self::Format { path, why } => write!(f, "{path} is not a private key that can be used: {why}"),
            Self::PassphraseNeeded { path } => write!(f, "the private key {path} is encrypted and no passphrase was given"),
            Self::WrongPassphrase { path } => write!(f, "the passphrase does not open the private key {path}"),
            Self::Exists { path } => write!(f, "{path} exists already"),
            Self::Unwritable { path, source } => write!(f, "cannot write the key {path}: {source}"),
            Self::PublicKey { path, source } => write!(f, "{path} is not a public key that can be used: {source}"),
            Self::NoHome => f.write_str("where the signing key lies is unknown: HOME is not set"),
            Self::Backend(what) => write!(f, "the cryptographic library failed: {what}"),
            Self::Setup { what, why } => write!(f, "{what} cannot be used for signing: {why}"),
            Self::Unavailable { why } => write!(f, "not signed: {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } | Self::Unwritable { source, .. } => Some(source),
            Self::PublicKey { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Reads a public key (PEM `PUBLIC KEY`) from a file.
///
/// # Errors
/// The file cannot be read, or is no public key.
pub fn read_public_key(path: &Utf8Path) -> Result<PublicKey, Error> {
    let bytes = key::read_bounded(path)?.0;
    let invalid = |source| Error::PublicKey { path: path.to_owned(), source };
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid(InvalidKey("not a text file".into())))?;
    PublicKey::from_pem(text).map_err(invalid)
}
