#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_supplychain::attest::{KeyAlgorithm, RELEASE_BUNDLE, RELEASE_MANIFEST, SHA256SUMS, Statement, sha256sums};
use cargo_supplychain::base::Sha256;
use cargo_supplychain::sign::{Content, Signer as _, key::KeySigner};
use cargo_supplychain::verify::{ReleaseContents, VerificationPolicy, needs_bytes, release};
use cargo_supplychain_fuzz::folder;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Map, Value};

static SIGNER: LazyLock<KeySigner> =
    LazyLock::new(|| KeySigner::create(&folder().join("signer.pem"), KeyAlgorithm::Ed25519, None).expect("a key can be made"));

// A release folder as one JSON object: content by path. A text is the file's bytes, an object the file's JSON, `null` a folder, a
// number something that is no file. Below `attestations/` an object is a statement, which is signed here: the signer is as
// hostile as the rest. Digests and sizes in `release.json` are put right, unless the object has the key `as it is`, and a
// `SHA256SUMS` is made where there is none.
fuzz_target!(|data: &[u8]| {
    let Ok(Value::Object(mut files)) = serde_json::from_slice(data) else { return };
    let as_it_is = files.remove("as it is").is_some();
    let Some(mut manifest) = files.remove(RELEASE_MANIFEST) else { return };
    if !as_it_is {
        put_right(&mut manifest, &files);
    }
    let manifest_bytes = bytes(&manifest);
    let word = |key: &str| manifest.get(key).and_then(Value::as_str).unwrap_or_default();
    let statement = Statement::release(&manifest_bytes, word("name"), word("version"), word("target"));
    let mut contents = ReleaseContents::default();
    let mut sums = BTreeMap::new();
    let mut insert = |path: &str, bytes: Vec<u8>| {
        sums.insert(path.to_owned(), Sha256::of(&bytes));
        if needs_bytes(path) {
            contents.insert_bytes(path, bytes);
        } else {
            contents.insert_digest(path, bytes.len() as u64, Sha256::of(&bytes));
        }
    };
    insert(RELEASE_BUNDLE, sign(&statement.to_bytes()));
    insert(RELEASE_MANIFEST, manifest_bytes);
    for (path, content) in files.iter().filter(|(_, content)| !content.is_null() && !content.is_number()) {
        insert(path, file(path, content));
    }
    if !files.contains_key(SHA256SUMS) {
        contents.insert_bytes(SHA256SUMS, sha256sums(&sums).into_bytes());
    }
    for (path, content) in &files {
        match content {
            Value::Null => contents.insert_folder(path),
            Value::Number(_) => contents.insert_other(path, "named pipe"),
            _ => {}
        }
    }
    let policy = VerificationPolicy::new(SIGNER.public_key().clone()).require_fresh_target(true);
    match release(&contents, &policy) {
        Ok(verified) => drop(serde_json::to_string(&verified)),
        Err(rejection) => drop(rejection.to_string()),
    }
});

fn sign(statement: &[u8]) -> Vec<u8> {
    SIGNER.sign(Content::Statement(statement)).expect("the key signs")
}

fn bytes(content: &Value) -> Vec<u8> {
    match content {
        Value::String(text) => text.clone().into_bytes(),
        other => serde_json::to_vec(other).unwrap_or_default(),
    }
}

fn file(path: &str, content: &Value) -> Vec<u8> {
    let is_statement = path.starts_with("attestations/") && content.is_object();
    if is_statement { sign(&bytes(content)) } else { bytes(content) }
}

fn put_right(manifest: &mut Value, files: &Map<String, Value>) {
    for list in ["files", "statements"] {
        for entry in manifest.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(content) = entry.get("path").and_then(Value::as_str).and_then(|path| files.get(path)) else { continue };
            let bytes = bytes(content);
            let Some(entry) = entry.as_object_mut() else { continue };
            entry.insert("sha256".into(), Sha256::of(&bytes).to_string().into());
            if list == "files" {
                entry.insert("size".into(), bytes.len().into());
            }
        }
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
