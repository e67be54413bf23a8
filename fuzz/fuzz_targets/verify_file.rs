#![no_main]

use std::sync::LazyLock;

use cargo_supplychain::attest::KeyAlgorithm;
use cargo_supplychain::base::Sha256;
use cargo_supplychain::sign::{Content, Signer as _, key::KeySigner};
use cargo_supplychain::verify::{BundleFile, FileEvidence, Origin, VerificationPolicy, file};
use cargo_supplychain_fuzz::folder;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;

static SIGNER: LazyLock<KeySigner> =
    LazyLock::new(|| KeySigner::create(&folder().join("signer.pem"), KeyAlgorithm::Ed25519, None).expect("a key can be made"));

// A statement, or a list of statements, which a hostile signer signs, about the file `tool` whose digest the first one names.
fuzz_target!(|data: &[u8]| {
    let Ok(parsed) = serde_json::from_slice::<Value>(data) else { return };
    let statements = parsed.as_array().map_or(std::slice::from_ref(&parsed), Vec::as_slice);
    let subject = statements.first().and_then(|first| first.pointer("/subject/0"));
    let named = subject.and_then(|subject| subject.get("name")).and_then(Value::as_str).unwrap_or("tool");
    let digest = subject.and_then(|subject| subject.pointer("/digest/sha256")).and_then(Value::as_str).unwrap_or_default();
    let sha256 = digest.parse().unwrap_or_else(|_| Sha256::of("tool"));
    let bundles = statements.iter().enumerate().map(|(number, statement)| BundleFile {
        path: format!("{number}.sigstore.json"),
        bytes: SIGNER.sign(Content::Statement(statement.to_string().as_bytes())).expect("the key signs"),
        origin: [Origin::Given, Origin::Beside, Origin::Offered][number % 3],
    });
    let evidence =
        FileEvidence { name: Some(named.to_owned()), sha256, sha512: None, bytes: None, bundles: bundles.take(16).collect() };
    let policy = VerificationPolicy::new(SIGNER.public_key().clone()).require_fresh_target(true);
    match file(&evidence, &policy.expect_version(Some("1.0.0".into()))) {
        Ok(verified) => drop(serde_json::to_string(&verified)),
        Err(rejection) => drop(rejection.to_string()),
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
