//! The signer of a build, and the `key` verbs.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Class, Error, Progress};
use crate::attest::KeyAlgorithm;
use crate::base::Context;
use crate::config::{Settings, SignMethod};
use crate::sign::{self, Signer as _, key::KeySigner};

/// The variable that holds the passphrase of the private key.
pub const PASSPHRASE: &str = "SUPPLYCHAIN_KEY_PASSPHRASE";

/// Asks the user for the passphrase of the key at the path; `None` where nobody can be asked.
pub type Prompt<'a> = dyn FnMut(&Utf8Path) -> Option<String> + 'a;

impl From<sign::Error> for Error {
    fn from(error: sign::Error) -> Self {
        let class = if error.is_output() { Class::Output } else { Class::Usage };
        let help = error.help();
        let error = Self::new(class, &error);
        if help.is_empty() { error } else { error.with_help(help) }
    }
}

/// The signer that command line and policy choose: `--key`, `[sign] key`, the user's own key, which is created on first use (never
/// silently in CI). `None` with `--no-sign` or `[sign] method = "none"`.
pub(super) fn signer(
    context: &Context,
    settings: &Settings,
    root: &Utf8Path,
    given: Option<&Utf8Path>,
    no_sign: bool,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Option<KeySigner>, Error> {
    if no_sign || (settings.sign.method == SignMethod::None && given.is_none()) {
        return Ok(None);
    }
    let configured = given.map(|path| context.cwd.join(path)).or_else(|| settings.sign.key.as_ref().map(|key| root.join(key)));
    let passphrase = context.var(PASSPHRASE);
    if let Some(path) = configured {
        return Ok(Some(KeySigner::load(&path, passphrase, prompt)?));
    }
    let own = sign::key::default_path(context)?;
    if own.exists() {
        return Ok(Some(KeySigner::load(&own, passphrase, prompt)?));
    }
    if context.in_ci() {
        return Err(Error::usage(&format!("there is no signing key at {own}, and none is created in CI"))
            .with_help("name a key with --key FILE, or say --no-sign"));
    }
    let signer = KeySigner::create(&own, KeyAlgorithm::EcdsaP256, passphrase)?;
    progress.note(&format!("created your signing key {own}; its public half is {}", sign::key::public_path(&own)));
    Ok(Some(signer))
}

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

/// `key public`: the public half, PEM.
pub fn public(context: &Context, key: Option<&Utf8Path>, prompt: &mut Prompt<'_>) -> Result<String, Error> {
    let path = match key {
        Some(path) => context.cwd.join(path),
        None => sign::key::default_path(context)?,
    };
    let signer = KeySigner::load(&path, context.var(PASSPHRASE), prompt)?;
    Ok(signer.public_key_pem().unwrap_or_default())
}
