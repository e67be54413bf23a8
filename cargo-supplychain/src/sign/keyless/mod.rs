//! Keyless signing: an identity token becomes a certificate that lives for minutes (Fulcio), the signature an entry of a public log
//! (Rekor) or a timestamp (RFC 3161). Every answer comes from a network: each step has a deadline, is repeated where that can help, and a
//! bundle that does not verify is never handed out.

mod ask;
mod check;
mod services;
mod token;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

use sigstore_crypto::KeyPair;
use sigstore_types::{DerCertificate, DsseEnvelope, DsseSignature, KeyId, PayloadBytes, Sha256Hash};
use sigstore_verify::bundle::BundleV03;

pub use check::{Identity, MAX_ROOT_BYTES, TrustRoot};
pub use services::{MAX_CONFIG_BYTES, Services};
pub use token::TokenSource;

use super::{Content, Error, Signer};
use crate::attest::{Bundle, PAYLOAD_TYPE, PublicKey, Statement};
use crate::base::Http;
use token::Token;

/// Tries of one signature.
const TRIES: u32 = 4;
/// Before the second try; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// One certificate signs this long, of the ten minutes that Fulcio's live.
const CERTIFICATE_LIVES: Duration = Duration::from_secs(7 * 60);
/// The whole of a run's signing takes at most so many times the patience with one statement.
const RUN: u32 = 5;

/// Why a step did not lead on.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    service: String,
    why: String,
    /// Whether asking again may help.
    may_pass: bool,
}

impl Failure {
    fn of(service: &str, why: impl Into<String>, may_pass: bool) -> Self {
        Self { service: service.to_owned(), why: why.into(), may_pass }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service, self.why)
    }
}

/// What a keyless signer needs.
pub struct Setup {
    pub http: Box<dyn Http>,
    pub services: Services,
    pub root: TrustRoot,
    pub token: TokenSource,
    /// How long one signature may take, repetitions included.
    pub patience: Duration,
}

/// Signs by an identity.
pub struct KeylessSigner {
    setup: Setup,
    session: RefCell<Option<Session>>,
    identity: RefCell<Option<Identity>>,
    /// Nothing is asked after it: set by the first signature.
    until: Cell<Option<Instant>>,
}

/// A key that never leaves the memory, and who it belongs to for some minutes.
struct Session {
    key: KeyPair,
    certificate: DerCertificate,
    token: Token,
    since: Instant,
}

impl fmt::Debug for KeylessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeylessSigner({})", self.describe())
    }
}

impl KeylessSigner {
    /// Asks nobody yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self { setup, session: RefCell::default(), identity: RefCell::default(), until: Cell::default() }
    }

    /// The trust root that its bundles are judged by.
    #[must_use]
    pub fn root(&self) -> &TrustRoot {
        &self.setup.root
    }

    fn bundle(&self, content: &Content<'_>) -> Result<Vec<u8>, Failure> {
        let begin = Instant::now();
        let end = self.until.get().unwrap_or(begin + self.setup.patience * RUN);
        self.until.set(Some(end));
        let until = end.min(begin + self.setup.patience);
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let failure = match self.once(content, until) {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            if !failure.may_pass || attempt == TRIES || Instant::now() + pause >= until {
                return Err(failure);
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        unreachable!("the last try returns")
    }

    fn once(&self, content: &Content<'_>, until: Instant) -> Result<Vec<u8>, Failure> {
        let mut session = self.session.borrow_mut();
        if session.as_ref().is_none_or(|session| session.since.elapsed() > CERTIFICATE_LIVES) {
            *session = None;
            *session = Some(self.begin(until)?);
        }
        let current = session.as_ref().expect("it was made above");
        let bytes = self.sign_with(current, content, until)?;
        let wanted = check::Wanted {
            issuer: &current.token.issuer,
            identity: &current.token.identity,
            logged: self.setup.services.log.is_some(),
            subject: content.subject().ok_or_else(|| Failure::of("the statement", "it names no subject", false))?,
        };
        match check::check(&bytes, &wanted, &self.setup.root) {
            Ok(identity) => {
                *self.identity.borrow_mut() = Some(identity);
                Ok(bytes)
            }
            Err(why) => {
                // The certificate may be what is wrong.
                *session = None;
                Err(Failure::of("the finished signature does not verify", why, true))
            }
        }
    }

    fn begin(&self, until: Instant) -> Result<Session, Failure> {
        let Setup { http, services, token, .. } = &self.setup;
        let token = token.fetch(http.as_ref(), left(until)?)?;
        let key = KeyPair::generate_ecdsa_p256().map_err(|_| Failure::of("this machine", "no key could be made", false))?;
        let certificate = self.asker(until)?.certificate(&services.fulcio, &token, &key)?;
        Ok(Session { key, certificate, token, since: Instant::now() })
    }

    fn asker(&self, until: Instant) -> Result<ask::Asker<'_>, Failure> {
        Ok(ask::Asker { http: self.setup.http.as_ref(), within: left(until)? })
    }

    fn sign_with(&self, session: &Session, content: &Content<'_>, until: Instant) -> Result<Vec<u8>, Failure> {
        let Session { key, certificate, .. } = session;
        let message = content.to_be_signed();
        let digest = sigstore_crypto::sha256(&message);
        let signature = key.sign(&message).map_err(|_| Failure::of("this machine", "the key did not sign", false))?;
        let log = self.setup.services.log.as_ref();
        let (mut bundle, entry) = match content {
            Content::Statement(statement) => {
                let signed = DsseSignature::new(signature.clone(), KeyId::new(""));
                let envelope = DsseEnvelope::new(PAYLOAD_TYPE, PayloadBytes::from_bytes(statement), signed);
                let entry = log.map(|log| self.asker(until)?.log_envelope(log, &envelope, &digest, certificate)).transpose()?;
                (BundleV03::with_certificate_and_dsse(certificate.clone(), envelope), entry)
            }
            Content::Blob(_) => {
                let entry = log.map(|log| self.asker(until)?.log_signature(log, &digest, &signature, certificate)).transpose()?;
                (BundleV03::with_certificate_and_signature(certificate.clone(), signature.clone(), digest), entry)
            }
        };
        if let Some(entry) = entry {
            bundle = bundle.with_tlog_entry(entry);
        }
        if let Some(tsa) = &self.setup.services.tsa {
            bundle = bundle.with_rfc3161_timestamp(self.asker(until)?.timestamp(tsa, &signature)?);
        }
        serde_json::to_vec(&bundle.into_bundle()).map_err(|error| Failure::of("this machine", error.to_string(), false))
    }
}

/// What is left of the time; nothing is asked without any.
fn left(until: Instant) -> Result<Duration, Failure> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Failure::of("signing", "no answer in time", false)) } else { Ok(left) }
}

impl Content<'_> {
    /// The digest that a bundle about it has to be about.
    fn subject(&self) -> Option<Sha256Hash> {
        match self {
            Self::Blob(bytes) => Some(sigstore_crypto::sha256(bytes)),
            Self::Statement(bytes) => {
                let statement = Statement::parse(bytes).ok()?;
                Some(Sha256Hash::new(*statement.subjects.first()?.sha256.as_bytes()))
            }
        }
    }

    fn to_be_signed(self) -> Vec<u8> {
        match self {
            Self::Statement(statement) => Bundle::to_be_signed(statement),
            Self::Blob(bytes) => bytes.to_vec(),
        }
    }
}

impl Signer for KeylessSigner {
    fn sign(&self, content: Content<'_>) -> Result<Vec<u8>, Error> {
        self.bundle(&content).map_err(|failure| Error::Unavailable { why: failure.to_string() })
    }

    fn verifies(&self, bundle: &[u8]) -> Result<(), String> {
        let identity = self.identity.borrow();
        let identity = identity.as_ref().ok_or("nothing was signed yet")?;
        let statement = crate::attest::payload_of(bundle).map_err(|error| error.to_string())?;
        let wanted = check::Wanted {
            issuer: &identity.issuer,
            identity: &token::Expected::Exactly(identity.name.clone()),
            logged: self.setup.services.log.is_some(),
            subject: Content::Statement(&statement).subject().ok_or("its statement names no subject")?,
        };
        check::check(bundle, &wanted, &self.setup.root).map(|_| ())
    }

    fn public_key(&self) -> Option<&PublicKey> {
        None
    }

    fn identity(&self) -> Option<Identity> {
        self.identity.borrow().clone()
    }

    fn trusted_root(&self) -> Option<&[u8]> {
        Some(self.setup.root.json())
    }

    fn describe(&self) -> String {
        match &*self.identity.borrow() {
            Some(identity) => format!("identity {} ({})", identity.name, identity.issuer),
            None => self.setup.token.describe(),
        }
    }
}
