//! Who signs, as command line, policy and surroundings choose; and the statements of a run, signed one after the other.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::key::{PASSPHRASE, Prompt};
use super::{Class, Error, Progress, trust_root};
use crate::attest::KeyAlgorithm;
use crate::base::Context;
use crate::config::{Settings, SignMethod, SignSettings};
use crate::files;
use crate::http::{Client, Patience};
use crate::sign::command::CommandSigner;
use crate::sign::key::{self, KeySigner};
use crate::sign::keyless::{self, KeylessSigner, Services, TokenSource, TrustRoot};
use crate::sign::{self, Content, Signer};
use crate::verify::{IdentityConditions, IdentityPolicy, PublicInstance, TrustRoots, VerificationPolicy};

/// Seconds for one signature by a service or program, repetitions included.
const PATIENCE: u32 = 60;
/// The longest that one answer of a service is waited for.
const ANSWER: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(10);

/// What the command line says of signing, over the policy.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub no_sign: bool,
    /// Private key PEM.
    pub key: Option<Utf8PathBuf>,
    /// An OIDC token: a file, or `env:NAME`.
    pub identity_token: Option<String>,
    pub signing_config: Option<Utf8PathBuf>,
    pub trusted_root: Option<Utf8PathBuf>,
}

/// The signer of a run.
pub struct Chosen {
    pub signer: Box<dyn Signer>,
    /// The public half outside the release, where there is such a file.
    pub public_key: Option<Utf8PathBuf>,
    /// What keyless signatures are judged by.
    pub roots: Option<TrustRoots>,
}

impl From<sign::Error> for Error {
    fn from(error: sign::Error) -> Self {
        let class = match &error {
            error if error.is_output() => Class::Output,
            error if error.is_outage() => Class::Undetermined,
            _ => Class::Usage,
        };
        let help = error.help();
        let error = Self::new(class, &error);
        if help.is_empty() { error } else { error.with_help(help) }
    }
}

/// The signer; `None` with `--no-sign` or `[sign] method = "none"`. `auto`: keyless where the surroundings offer an identity and the
/// network may be used, unless `[verify] key` says that releases are signed by a key; else the key: `[sign] command`, `[sign] key`, or the user's own, which is created on first use, never in CI.
/// `root` is what the policy's paths are relative to.
pub(super) fn choose(
    context: &Context,
    settings: &Settings,
    root: &Utf8Path,
    request: &Request,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Option<Chosen>, Error> {
    if request.no_sign {
        return Ok(None);
    }
    let pins_key = !settings.verify.key.is_empty();
    let whole = settings;
    let settings = &settings.sign;
    if let Some(path) = &request.key {
        return of_file(context, &context.cwd.join(path), prompt).map(Some);
    }
    if let Some(place) = &request.identity_token {
        let token = TokenSource::given(context, place).map_err(|why| Error::usage(&why))?;
        refuse_pinned(pins_key)?;
        return keyless(context, whole, root, request, token, progress).map(Some);
    }
    match settings.method {
        SignMethod::None => Ok(None),
        SignMethod::Keyless => {
            let token = TokenSource::ambient(context).ok_or_else(no_identity)?;
            refuse_pinned(pins_key)?;
            keyless(context, whole, root, request, token, progress).map(Some)
        }
        SignMethod::Auto if !context.offline && !pins_key => match TokenSource::ambient(context) {
            Some(token) => keyless(context, whole, root, request, token, progress).map(Some),
            None => own_key(context, settings, root, prompt, progress).map(Some),
        },
        SignMethod::Auto | SignMethod::Key => own_key(context, settings, root, prompt, progress).map(Some),
    }
}

/// A release that its own policy rejects is not worth a build.
fn refuse_pinned(pins_key: bool) -> Result<(), Error> {
    if !pins_key {
        return Ok(());
    }
    Err(Error::usage(&"[verify] key pins a key, and this release would be signed keyless")
        .with_help("sign with the key ([sign] method = \"key\"), or take [verify] key out of the policy"))
}

fn no_identity() -> Error {
    Error::usage(&"there is no identity to sign with: no CI system offers an OIDC token")
        .with_help("GitHub Actions: `permissions: id-token: write`; GitLab: `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`")
        .with_help("or give a token with --identity-token FILE, or sign with a key: [sign] method = \"key\"")
}

fn keyless(
    context: &Context,
    settings: &Settings,
    root: &Utf8Path,
    request: &Request,
    token: TokenSource,
    progress: &mut dyn Progress,
) -> Result<Chosen, Error> {
    let place = |given: &Option<Utf8PathBuf>, configured: &Option<String>| {
        given.as_ref().map(|path| context.cwd.join(path)).or_else(|| configured.as_ref().map(|path| root.join(path)))
    };
    let config = place(&request.signing_config, &settings.sign.signing_config);
    let trust = place(&request.trusted_root, &settings.sign.trusted_root);
    let services = config.map(|path| read(&path, keyless::MAX_CONFIG_BYTES, Services::parse)).transpose()?;
    let trust = trust.map(|path| Ok::<_, Error>((read(&path, keyless::MAX_ROOT_BYTES, TrustRoot::parse)?, path))).transpose()?;
    let is_foreign = services.as_ref().is_some_and(|services| !services.are_public_good());
    if trust.is_none() && is_foreign && settings.trust_root.url.is_none() {
        return Err(Error::usage(&"a signing configuration of one's own needs the trust root of the same instance")
            .with_help("name it with --trusted-root FILE, or [sign] trusted-root"));
    }
    pinned_identity(settings)?;
    let fetched = match (&services, &trust) {
        (Some(_), Some(_)) => None,
        _ => trust_root::for_signing(context, settings, root, progress)?,
    };
    let (their_services, their_root) = fetched.map(|one| (one.services, (one.root, one.roots))).unzip();
    let embedded = |why: String| Error::usage(&format!("what is built in for keyless signing cannot be used: {why}"));
    let services = services.or(their_services).map_or_else(Services::public_good, Ok).map_err(embedded)?;
    let (root, roots) = match (trust, their_root) {
        (Some((root, path)), _) => {
            let roots = TrustRoots::parse(path.as_str(), root.json());
            let roots = roots.map_err(|error| Error::usage(&format!("{path} cannot be used: {error}")))?;
            (root, roots)
        }
        (None, Some(theirs)) => theirs,
        (None, None) => (TrustRoot::public_good().map_err(embedded)?, TrustRoots::embedded_of(PublicInstance::Sigstore)),
    };
    let patience = patience(&settings.sign);
    let client = Client::new(&context.env, Patience { connect: CONNECT, whole: ANSWER.min(patience) });
    let http: Box<dyn crate::base::Http> = if context.offline { Box::new(Nowhere) } else { Box::new(client) };
    let signer = KeylessSigner::new(keyless::Setup { http, services, root, token, patience });
    Ok(Chosen { signer: Box::new(signer), public_key: None, roots: Some(roots) })
}

/// Whom a release is verified against after it was signed.
pub(super) struct Expected {
    pub(super) policy: VerificationPolicy,
    /// Whether `[verify]` says so; else it is whoever has just signed, which proves the bytes but not the person.
    pub(super) is_pinned: bool,
}

/// Whom `[verify]` pins, else who has just signed. `None` before anything was signed keyless.
pub(super) fn expected(chosen: &Chosen, settings: &Settings, root: &Utf8Path) -> Result<Option<Expected>, Error> {
    if let Some(key) = chosen.signer.public_key() {
        let mut pinned = Vec::new();
        for path in &settings.verify.key {
            pinned.push(sign::read_public_key(&root.join(path))?);
        }
        let is_pinned = !pinned.is_empty();
        let mut keys = if is_pinned { pinned.into_iter() } else { vec![key.clone()].into_iter() };
        let first = keys.next().map(VerificationPolicy::new);
        return Ok(first.map(|first| Expected { policy: keys.fold(first, VerificationPolicy::or_key), is_pinned }));
    }
    let (Some(signed), Some(roots)) = (chosen.signer.identity(), &chosen.roots) else { return Ok(None) };
    let pinned = pinned_identity(settings)?;
    let is_pinned = pinned.is_some();
    let exactly =
        || IdentityConditions { identity: Some(signed.name.clone()), issuer: Some(signed.issuer.clone()), ..Default::default() };
    let identity = match pinned {
        Some(pinned) => pinned,
        None => IdentityPolicy::new(&exactly())
            .map_err(|error| Error::new(Class::Rejected, &format!("{} cannot be verified against: {error}", signed.name)))?,
    };
    Ok(Some(Expected { policy: VerificationPolicy::keyless(identity, roots.clone()), is_pinned }))
}

/// The identity that `[verify]` pins.
fn pinned_identity(settings: &Settings) -> Result<Option<IdentityPolicy>, Error> {
    let conditions = super::verify::merged(&IdentityConditions::default(), &settings.verify);
    if conditions.is_empty() {
        return Ok(None);
    }
    let unusable = |error| Error::usage(&format!("[verify]: {error}")).with_help("for example repo = \"OWNER/NAME\"");
    IdentityPolicy::new(&conditions).map(Some).map_err(unusable)
}

/// `--offline`: nobody is asked, and what needs it stays pending.
struct Nowhere;

impl crate::base::Http for Nowhere {
    fn get(&self, _: &crate::base::http::Request<'_>) -> Result<crate::base::http::Response, crate::base::http::Error> {
        Err(crate::base::http::Error::Refused)
    }
}

fn patience(settings: &SignSettings) -> Duration {
    Duration::from_secs(settings.timeout.unwrap_or(PATIENCE).into())
}

/// A file of the user's.
fn read<T>(path: &Utf8Path, limit: u64, parse: fn(&[u8]) -> Result<T, String>) -> Result<T, Error> {
    let bytes = files::read(path, limit).map_err(|error| Error::usage(&format!("cannot read {path}: {error}")))?;
    parse(&bytes).map_err(|why| Error::usage(&format!("{path} cannot be used: {why}")))
}

fn of_file(context: &Context, path: &Utf8Path, prompt: &mut Prompt<'_>) -> Result<Chosen, Error> {
    Ok(chosen(KeySigner::load(path, context.var(PASSPHRASE), prompt)?))
}

fn chosen(signer: KeySigner) -> Chosen {
    let public_key = Some(key::public_path(signer.path())).filter(|path| path.is_file());
    Chosen { signer: Box::new(signer), public_key, roots: None }
}

fn own_key(
    context: &Context,
    settings: &SignSettings,
    root: &Utf8Path,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Chosen, Error> {
    if let (false, Some(public)) = (settings.command.is_empty(), &settings.public_key) {
        let path = root.join(public);
        let public = sign::read_public_key(&path)?;
        let signer = CommandSigner::new(context, &settings.command, &settings.command_env, public, patience(settings))?;
        return Ok(Chosen { signer: Box::new(signer), public_key: Some(path), roots: None });
    }
    if let Some(path) = &settings.key {
        return of_file(context, &root.join(path), prompt);
    }
    let own = key::default_path(context)?;
    if own.exists() {
        return of_file(context, &own, prompt);
    }
    if context.in_ci() {
        return Err(Error::usage(&format!("there is no signing key at {own}, and none is created in CI"))
            .with_help("give the job an identity (GitHub Actions: `permissions: id-token: write`), name a key with --key FILE, or say --no-sign"));
    }
    let signer = KeySigner::create(&own, KeyAlgorithm::EcdsaP256, context.var(PASSPHRASE))?;
    progress.note(&format!("created your signing key {own}; its public half is {}", key::public_path(&own)));
    Ok(chosen(signer))
}

/// Signs the statements of a run. The first outage ends it: what comes after stays pending as well, so that a dead service costs its
/// deadline once.
pub(super) struct Statements<'a> {
    signer: Option<&'a dyn Signer>,
    outage: Option<String>,
}

impl<'a> Statements<'a> {
    pub(super) fn new(chosen: Option<&'a Chosen>) -> Self {
        Self { signer: chosen.map(|chosen| chosen.signer.as_ref()), outage: None }
    }

    /// The statement's bundle; `None`: it is pending.
    pub(super) fn sign(&mut self, statement: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let (Some(signer), None) = (self.signer, &self.outage) else { return Ok(None) };
        match signer.sign(Content::Statement(statement)) {
            Ok(bundle) => Ok(Some(bundle)),
            Err(error) if error.is_outage() => {
                self.outage = Some(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Why statements are pending although somebody was to sign them.
    pub(super) fn outage(&self) -> Option<&str> {
        self.outage.as_deref()
    }
}
