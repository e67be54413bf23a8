//! A small Sigstore on this machine: an OIDC issuer as GitHub Actions has one, Fulcio, Rekor v1 and a timestamp authority, with faults on demand. Good enough to
//! sign by and to be verified; it checks what it is sent as little as the real ones would let pass.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use cargo_supplychain::base::Sha256;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose, PublicKeyData,
    SanType, SignatureAlgorithm,
};
use serde_json::{Value, json};

use super::loopback::{Request, respond};
use super::tsa::Tsa;

pub const WORKFLOW: &str = "example-org/app/.github/workflows/release.yml@refs/tags/v1.0.0";
const REQUEST_TOKEN: &str = "request-token-that-nobody-may-see";
const ORIGIN: &str = "log.example.org";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This path (its beginning) answers 500.
    Broken(&'static str),
    /// This path answers what is neither JSON nor a certificate.
    Garbage(&'static str),
    /// This path answers nothing, ever.
    Hang(&'static str),
    /// This path answers byte after byte, and never an end.
    Trickle(&'static str),
    /// The certificate is for somebody else, for another key, by another authority.
    WrongName,
    WrongKey,
    WrongAuthority,
    /// The log's promise, its checkpoint or its entry is not what it signed.
    BadPromise,
    BadCheckpoint,
    BadBody,
    /// The log says that it was a month ago.
    OldTime,
    /// The timestamp is over something else, of another day, by another authority, or the authority refused.
    WrongImprint,
    OldStamp,
    WrongTsa,
    NotGranted,
}

/// Which of its services are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    Log,
    LogAndTsa,
    /// As instances for private repositories are: no log at all.
    Tsa,
}

pub struct Sigstore {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    authority: Issuer<'static, rcgen::KeyPair>,
    root: Vec<u8>,
    other: Issuer<'static, rcgen::KeyPair>,
    log: EcdsaKeyPair,
    tsa: Tsa,
    other_tsa: Tsa,
    fault: Mutex<Option<Fault>>,
    asked: Mutex<Vec<String>>,
}

impl Sigstore {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ((authority, root), (other, _)) = (authority(), authority());
        let log = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let (fault, asked) = (Mutex::default(), Mutex::default());
        let (tsa, other_tsa) = (Tsa::new(), Tsa::new());
        let shared = Arc::new(Shared { url: url.clone(), authority, root, other, log, tsa, other_tsa, fault, asked });
        let own = Arc::clone(&shared);
        // Ends with the process: a hanging answer keeps its thread.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let own = Arc::clone(&own);
                // A client that goes away early is one of the things that are tried.
                std::thread::spawn(move || drop(own.serve(stream.unwrap())));
            }
        });
        Self { url, shared }
    }

    /// From now on this goes wrong; `None`: nothing.
    pub fn fault(&self, fault: Option<Fault>) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// The paths that were asked since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }

    /// What a CI job has in its environment.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("CI", "true".to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/oidc/token?v=1", self.url)),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ]
    }

    pub fn identity() -> String {
        format!("https://github.com/{WORKFLOW}")
    }

    pub fn issuer(&self) -> String {
        format!("{}/oidc", self.url)
    }

    /// `signing_config.json`: a log of version 1, and no timestamp authority.
    pub fn signing_config(&self) -> String {
        signing_config(&self.url)
    }

    /// The configuration and the root of an instance that has these parts.
    pub fn of(&self, parts: Parts) -> (String, String) {
        let mut config: Value = serde_json::from_str(&self.signing_config()).unwrap();
        let mut root: Value = serde_json::from_str(&self.trusted_root()).unwrap();
        if parts != Parts::Log {
            config["tsaUrls"] = config["caUrls"].clone();
            config["tsaUrls"][0]["url"] = json!(format!("{}/tsa", self.url));
            root["timestampAuthorities"] = json!([self.shared.tsa.trusted()]);
        }
        if parts == Parts::Tsa {
            config["rekorTlogUrls"] = json!([]);
            root["tlogs"] = json!([]);
        }
        (config.to_string(), root.to_string())
    }

    pub fn trusted_root(&self) -> String {
        let valid = json!({ "start": "2020-01-01T00:00:00Z" });
        let key = self.shared.log.public_key().as_der().unwrap().as_ref().to_vec();
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{
                "baseUrl": format!("https://{ORIGIN}"),
                "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": base64(&key), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid },
                "logId": { "keyId": base64(Sha256::of(&key).as_bytes()) },
            }],
            "certificateAuthorities": [{
                "subject": { "organization": "example", "commonName": "authority" },
                "uri": self.url,
                "certChain": { "certificates": [{ "rawBytes": base64(&self.shared.root) }] },
                "validFor": valid,
            }],
            "ctlogs": [],
            "timestampAuthorities": [],
        })
        .to_string()
    }

    /// What nobody may see.
    pub fn secrets(&self) -> [&'static str; 1] {
        [REQUEST_TOKEN]
    }
}

/// The configuration of a Sigstore at this URL.
pub fn signing_config(url: &str) -> String {
    let service =
        json!([{ "url": url, "majorApiVersion": 1, "validFor": { "start": "2020-01-01T00:00:00Z" }, "operator": "example" }]);
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service,
        "oidcUrls": [],
        "rekorTlogUrls": service,
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaUrls": [],
        "tsaConfig": { "selector": "ANY" },
    })
    .to_string()
}

fn authority() -> (Issuer<'static, rcgen::KeyPair>, Vec<u8>) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2100, 1, 1);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    (Issuer::new(params, key), der)
}

/// The key that a certificate is asked for.
struct Key(Vec<u8>);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
        let path = request.path.as_str();
        self.asked.lock().unwrap().push(path.to_owned());
        let fault = *self.fault.lock().unwrap();
        match fault {
            Some(Fault::Broken(at)) if path.starts_with(at) => return answer(&mut stream, 500, b"boom"),
            Some(Fault::Garbage(at)) if path.starts_with(at) => return answer(&mut stream, 200, b"\xff{{{"),
            Some(Fault::Hang(at)) if path.starts_with(at) => loop {
                std::thread::sleep(Duration::from_secs(60));
            },
            Some(Fault::Trickle(at)) if path.starts_with(at) => {
                stream.write_all(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")?;
                loop {
                    stream.write_all(b" ")?;
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            _ => {}
        }
        if path == "/tsa" {
            let (status, stamp) = self.stamp(&request.body, fault);
            return answer(&mut stream, status, &stamp);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if path.starts_with("/oidc/token") {
            assert_eq!(request.header("authorization"), Some(format!("bearer {REQUEST_TOKEN}")));
            assert!(path.contains("&audience=sigstore"), "{path}");
            answer(&mut stream, 200, json!({ "value": self.token() }).to_string().as_bytes())
        } else if path == "/api/v2/signingCert" {
            answer(&mut stream, 201, self.certificate(&body, fault).to_string().as_bytes())
        } else if path == "/api/v1/log/entries" {
            answer(&mut stream, 201, self.entry(&body, fault).to_string().as_bytes())
        } else {
            answer(&mut stream, 404, b"{}")
        }
    }

    fn stamp(&self, request: &[u8], fault: Option<Fault>) -> (u16, Vec<u8>) {
        let imprint = (fault == Some(Fault::WrongImprint)).then(|| Sha256::of("another signature"));
        let days = if fault == Some(Fault::OldStamp) { 30 } else { 0 };
        let at = time::OffsetDateTime::now_utc() - time::Duration::days(days);
        let tsa = if fault == Some(Fault::WrongTsa) { &self.other_tsa } else { &self.tsa };
        let mut response = tsa.answer(request, imprint, at);
        if fault == Some(Fault::NotGranted) {
            let status = response.windows(5).position(|five| five == [0x30, 3, 2, 1, 0]).unwrap();
            response[status + 4] = 2;
        }
        (201, response)
    }

    fn token(&self) -> String {
        let claims = json!({ "iss": format!("{}/oidc", self.url), "aud": "sigstore", "sub": "repo:example-org/app", "job_workflow_ref": WORKFLOW });
        let part = |value: &Value| {
            base64(value.to_string().as_bytes()).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
        };
        format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "RS256" })), part(&claims))
    }

    fn certificate(&self, body: &Value, fault: Option<Fault>) -> Value {
        assert_eq!(body["credentials"]["oidcIdentityToken"], json!(self.token()));
        let pem = body["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap();
        let spki = unbase64(&pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>());
        let mut point = spki[spki.len() - 65..].to_vec();
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1, &point);
        let proof = unbase64(body["publicKeyRequest"]["proofOfPossession"].as_str().unwrap());
        public.verify(b"repo:example-org/app", &proof).expect("the key was not proved to be the sender's");
        if fault == Some(Fault::WrongKey) {
            point = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap().public_key().as_ref().to_vec();
        }
        let name = match fault {
            Some(Fault::WrongName) => "https://github.com/evil/app/.github/workflows/x.yml@refs/heads/main".to_owned(),
            _ => Sigstore::identity(),
        };
        let issuer = format!("{}/oidc", self.url);
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(name.try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.not_before = (SystemTime::now() - Duration::from_secs(60)).into();
        params.not_after = (SystemTime::now() + Duration::from_secs(600)).into();
        let mut utf8 = vec![0x0c, u8::try_from(issuer.len()).unwrap()];
        utf8.extend(issuer.bytes());
        params.custom_extensions = vec![
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, 1], issuer.into_bytes()),
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, 8], utf8),
        ];
        let authority = if fault == Some(Fault::WrongAuthority) { &self.other } else { &self.authority };
        let leaf = params.signed_by(&Key(point), authority).unwrap();
        json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": [leaf.pem()] } } })
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.log.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec()
    }

    /// Each entry in a tree of its own, of one leaf.
    fn entry(&self, body: &Value, fault: Option<Fault>) -> Value {
        let entry = match body["kind"].as_str().unwrap() {
            "dsse" => {
                let proposed = &body["spec"]["proposedContent"];
                let text = proposed["envelope"].as_str().unwrap();
                let envelope: Value = serde_json::from_str(text).unwrap();
                let payload = unbase64(envelope["payload"].as_str().unwrap());
                let payload = if fault == Some(Fault::BadBody) { Vec::new() } else { payload };
                json!({
                    "apiVersion": "0.0.1",
                    "kind": "dsse",
                    "spec": {
                        "envelopeHash": { "algorithm": "sha256", "value": Sha256::of(text).to_string() },
                        "payloadHash": { "algorithm": "sha256", "value": Sha256::of(&payload).to_string() },
                        "signatures": [{ "signature": envelope["signatures"][0]["sig"], "verifier": proposed["verifiers"][0] }],
                    },
                })
            }
            _ => body.clone(),
        };
        let body = entry.to_string().into_bytes();
        let key = self.log.public_key().as_der().unwrap().as_ref().to_vec();
        let id = Sha256::of(&key);
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let seconds = if fault == Some(Fault::OldTime) { seconds - 30 * 86_400 } else { seconds };
        // RFC 8785: the keys in order, as they stand here.
        let promise =
            format!("{{\"body\":\"{}\",\"integratedTime\":{seconds},\"logID\":\"{id}\",\"logIndex\":0}}", base64(&body));
        let promise = if fault == Some(Fault::BadPromise) { self.sign(b"x") } else { self.sign(promise.as_bytes()) };
        let root = Sha256::of([&[0], body.as_slice()].concat());
        let note = format!("{ORIGIN} - 1\n1\n{}\n", base64(root.as_bytes()));
        let signed = if fault == Some(Fault::BadCheckpoint) { self.sign(b"x") } else { self.sign(note.as_bytes()) };
        let signature = base64(&[&id.as_bytes()[..4], &signed].concat());
        json!({
            root.to_string(): {
                "body": base64(&body),
                "integratedTime": seconds,
                "logID": id.to_string(),
                "logIndex": 0,
                "verification": {
                    "inclusionProof": {
                        "checkpoint": format!("{note}\n\u{2014} {ORIGIN} {signature}\n"),
                        "hashes": [],
                        "logIndex": 0,
                        "rootHash": root.to_string(),
                        "treeSize": 1,
                    },
                    "signedEntryTimestamp": base64(&promise),
                },
            }
        })
    }
}

fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) -> std::io::Result<()> {
    respond(stream, status, "content-type: application/json\r\n", body)
}

fn base64(bytes: &[u8]) -> String {
    sigstore_types::PayloadBytes::from_bytes(bytes).to_base64()
}

fn unbase64(text: &str) -> Vec<u8> {
    sigstore_types::PayloadBytes::from_base64(text).unwrap().into_bytes()
}
