#![no_main]

use cargo_supplychain::attest::PublicKey;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = PublicKey::from_spki(data);
    let Some(Ok(key)) = text(data).map(PublicKey::from_pem) else { return };
    assert_eq!(PublicKey::from_pem(&key.to_pem()).as_ref(), Ok(&key));
    let _ = (key.fingerprint(), key.hint(), key.verifies(b"message", data));
});
