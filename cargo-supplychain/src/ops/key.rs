//! The `key` verbs.

use camino::{Utf8Path, Utf8PathBuf};

use super::Error;
use crate::attest::KeyAlgorithm;
use crate::base::Context;
use crate::sign::{self, key::KeySigner, rotation};

/// The variable that holds the passphrase of the private key.
pub const PASSPHRASE: &str = "SUPPLYCHAIN_KEY_PASSPHRASE";

/// Asks the user for the passphrase of the key at the path; `None` where nobody can be asked.
pub type Prompt<'a> = dyn FnMut(&Utf8Path) -> Option<String> + 'a;

/// `key generate`: a new key pair, and where its halves are.
pub fn generate(context: &Context, output: Option<&Utf8Path>, passphrase: Option<&str>) -> Result<Generated, Error> {
    let path = match output {
        Some(path) => context.cwd.join(path),
        None => sign::key::default_path(context)?,
    };
    let signer = KeySigner::create(&path, KeyAlgorithm::EcdsaP256, passphrase)?;
    Ok(Generated { public: sign::key::public_path(&path), fingerprint: signer.public_key().fingerprint(), private: path })
}

/// A new key pair.
#[derive(Debug)]
pub struct Generated {
    pub private: Utf8PathBuf,
    pub public: Utf8PathBuf,
    pub fingerprint: String,
}

/// `key rotate`: a new key in the place of another one. Without a passphrase of its own it gets the old one's.
pub fn rotate(
    context: &Context,
    key: Option<&Utf8Path>,
    passphrase: Option<&str>,
    prompt: &mut Prompt<'_>,
) -> Result<Rotated, Error> {
    let path = match key {
        Some(path) => context.cwd.join(path),
        None => sign::key::default_path(context)?,
    };
    let mut typed = None;
    let mut ask = |path: &Utf8Path| {
        typed = prompt(path);
        typed.clone()
    };
    let old = KeySigner::load(&path, context.var(PASSPHRASE), &mut ask)?;
    let passphrase = passphrase.or(context.var(PASSPHRASE)).or(typed.as_deref());
    let rotated = rotation::rotate(&old, passphrase, context.stamp)?;
    Ok(Rotated { former: old.public_key().fingerprint(), encrypted: passphrase.is_some(), rotated })
}

/// What a rotation made.
#[derive(Debug)]
pub struct Rotated {
    /// Fingerprint of the old key.
    pub former: String,
    pub encrypted: bool,
    pub rotated: rotation::Rotated,
}

/// `key public`: the public half, PEM.
pub fn public(context: &Context, key: Option<&Utf8Path>, prompt: &mut Prompt<'_>) -> Result<String, Error> {
    let path = match key {
        Some(path) => context.cwd.join(path),
        None => sign::key::default_path(context)?,
    };
    let signer = KeySigner::load(&path, context.var(PASSPHRASE), prompt)?;
    Ok(signer.public_key().to_pem())
}
