#![no_main]

use cargo_supplychain::sign::key::KeySigner;
use cargo_supplychain::sign::{Content, Signer as _};
use cargo_supplychain_fuzz::write;
use libfuzzer_sys::fuzz_target;

// No passphrase: what an encrypted key asks for is judged before one is asked, and deriving a key takes long by design.
fuzz_target!(|data: &[u8]| {
    let path = write("key.pem", data);
    match KeySigner::load(&path, None, &mut |_| None) {
        Ok(signer) => assert!(signer.sign(Content::Statement(b"{}")).is_ok()),
        Err(error) => drop((error.to_string(), error.help())),
    }
});
