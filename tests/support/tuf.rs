//! A repository of The Update Framework in a folder, as `tuf-on-ci` writes it: consistent snapshots, a root by threshold. Signs whatever it is
//! told, so that a test can publish what no honest repository would.

use std::collections::BTreeMap;
use std::fs;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_supplychain::attest::PublicKey;
use cargo_supplychain::base::Sha256;
use serde_json::{Map, Value, json};

/// Of three root keys.
const THRESHOLD: usize = 2;
pub const EXPIRES: &str = "2026-09-08T12:00:00Z";
const LATER: &str = "2027-03-01T00:00:00Z";

/// A key and its name in metadata.
pub struct Key {
    pair: EcdsaKeyPair,
    id: String,
}

impl Key {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let id = Sha256::of(pair.public_key().as_ref()).to_string();
        Self { pair, id }
    }

    fn public(&self) -> Value {
        let pem = PublicKey::from_spki(self.pair.public_key().as_der().unwrap().as_ref()).unwrap().to_pem();
        json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": pem } })
    }
}

/// The keys of a root.
pub struct Keys {
    pub root: Vec<Key>,
    pub timestamp: Key,
    pub snapshot: Key,
    pub targets: Key,
}

impl Keys {
    pub fn new() -> Self {
        let key = Key::new;
        Self { root: vec![key(), key(), key()], timestamp: key(), snapshot: key(), targets: key() }
    }
}

pub struct Repository {
    folder: Utf8PathBuf,
    pub keys: Keys,
    pub root_version: u64,
    pub version: u64,
}

impl Repository {
    /// With the root 1, and nothing else yet.
    pub fn new(folder: &Utf8Path) -> Self {
        let repository = Self { folder: folder.to_owned(), keys: Keys::new(), root_version: 1, version: 0 };
        fs::create_dir_all(folder.join("targets")).unwrap();
        let root = repository.root(1, &repository.keys, LATER);
        repository.sign("1.root.json", &root, &repository.keys.root[..THRESHOLD].iter().collect::<Vec<_>>());
        repository
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.join(name), bytes).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).unwrap();
    }

    /// All of its files: to be put back.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        super::files(&self.folder).into_iter().map(|name| (name.clone(), self.read(&name))).collect()
    }

    pub fn restore(&self, files: &BTreeMap<String, Vec<u8>>) {
        super::files(&self.folder).iter().for_each(|name| self.remove(name));
        files.iter().for_each(|(name, bytes)| self.write(name, bytes));
    }

    pub fn root(&self, version: u64, keys: &Keys, expires: &str) -> Value {
        let all = keys.root.iter().chain([&keys.timestamp, &keys.snapshot, &keys.targets]);
        let role = |keys: &[&Key], threshold: usize| json!({ "keyids": keys.iter().map(|key| &key.id).collect::<Vec<_>>(), "threshold": threshold });
        json!({
            "_type": "root",
            "spec_version": "1.0.31",
            "version": version,
            "expires": expires,
            "consistent_snapshot": true,
            "keys": all.map(|key| (key.id.clone(), key.public())).collect::<Map<_, _>>(),
            "roles": {
                "root": role(&keys.root.iter().collect::<Vec<_>>(), THRESHOLD),
                "timestamp": role(&[&keys.timestamp], 1),
                "snapshot": role(&[&keys.snapshot], 1),
                "targets": role(&[&keys.targets], 1),
            },
        })
    }

    /// Writes metadata, signed by these keys; its bytes.
    pub fn sign(&self, name: &str, signed: &Value, keys: &[&Key]) -> Vec<u8> {
        let mut canonical = String::new();
        write_canonical(signed, &mut canonical);
        let signature = |key: &&Key| {
            let bytes = key.pair.sign(&SystemRandom::new(), canonical.as_bytes()).unwrap();
            let hex: String = bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "keyid": key.id, "sig": hex })
        };
        let bytes = json!({ "signatures": keys.iter().map(signature).collect::<Vec<_>>(), "signed": signed }).to_string();
        self.write(name, &bytes);
        bytes.into_bytes()
    }

    /// The next root, with these keys, signed by the threshold of both; they sign from now on.
    pub fn rotate(&mut self, keys: Keys) {
        let signers: Vec<_> = self.keys.root[..THRESHOLD].iter().chain(&keys.root[..THRESHOLD]).collect();
        self.root_version += 1;
        let root = self.root(self.root_version, &keys, LATER);
        self.sign(&format!("{}.root.json", self.root_version), &root, &signers);
        self.keys = keys;
    }

    /// The next version of everything below the root, with these targets.
    pub fn publish(&mut self, targets: &[(&str, &[u8])]) {
        self.version += 1;
        self.targets(self.version, targets, &self.keys.targets);
        self.snapshot(self.version, self.version);
        self.timestamp(self.version, self.version, EXPIRES);
    }

    pub fn targets(&self, version: u64, targets: &[(&str, &[u8])], key: &Key) {
        let mut listed = Map::new();
        for (name, bytes) in targets {
            let sha256 = Sha256::of(bytes).to_string();
            self.write(&format!("targets/{sha256}.{name}"), bytes);
            listed.insert((*name).to_owned(), json!({ "length": bytes.len(), "hashes": { "sha256": sha256 } }));
        }
        let signed =
            json!({ "_type": "targets", "spec_version": "1.0.31", "version": version, "expires": LATER, "targets": listed });
        self.sign(&format!("{version}.targets.json"), &signed, &[key]);
    }

    pub fn snapshot(&self, version: u64, targets: u64) {
        let meta = json!({ "targets.json": { "version": targets } });
        let signed = json!({ "_type": "snapshot", "spec_version": "1.0.31", "version": version, "expires": LATER, "meta": meta });
        self.sign(&format!("{version}.snapshot.json"), &signed, &[&self.keys.snapshot]);
    }

    pub fn timestamp(&self, version: u64, snapshot: u64, expires: &str) {
        let meta = json!({ "snapshot.json": { "version": snapshot } });
        let signed =
            json!({ "_type": "timestamp", "spec_version": "1.0.31", "version": version, "expires": expires, "meta": meta });
        self.sign("timestamp.json", &signed, &[&self.keys.timestamp]);
    }
}

/// OLPC's canonical JSON: members sorted, no spaces, two escapes.
fn write_canonical(value: &Value, out: &mut String) {
    let text = |text: &str, out: &mut String| {
        *out += "\"";
        *out += &text.replace('\\', "\\\\").replace('"', "\\\"");
        *out += "\"";
    };
    let mut comma = "";
    match value {
        Value::String(word) => text(word, out),
        Value::Array(items) => {
            *out += "[";
            for item in items {
                *out += std::mem::replace(&mut comma, ",");
                write_canonical(item, out);
            }
            *out += "]";
        }
        Value::Object(members) => {
            *out += "{";
            for (name, value) in members.iter().collect::<BTreeMap<_, _>>() {
                *out += std::mem::replace(&mut comma, ",");
                text(name, out);
                *out += ":";
                write_canonical(value, out);
            }
            *out += "}";
        }
        other => *out += &other.to_string(),
    }
}
