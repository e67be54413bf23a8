//! A key that is not ours to hold: a program signs with it (an HSM, a KMS, a token), by the protocol of docs/keys.md. What it answers is
//! verified with the public key that the user configured before anything of it is used.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use sigstore_types::PayloadBytes;

use super::key::{key_bundle, key_verifies};
use super::{Content, Error, Signer, process};
use crate::attest::{Bundle, PAYLOAD_TYPE, PublicKey, strict_json};
use crate::base::{Context, Sha256};

/// Variables that every program needs to find its own things; the rest is named by the user.
const BASE_ENV: [&str; 8] = ["PATH", "HOME", "USER", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "SYSTEMROOT", "APPDATA"];

/// A program that signs.
pub struct CommandSigner {
    program: Utf8PathBuf,
    arguments: Vec<String>,
    env: BTreeMap<String, String>,
    public: PublicKey,
    patience: Duration,
}

impl CommandSigner {
    /// `command` is the program and its arguments, `allowed` the variables that it gets, `public` the key that its signatures have to be by.
    ///
    /// # Errors
    /// There is no such program.
    pub fn new(
        context: &Context,
        command: &[String],
        allowed: &[String],
        public: PublicKey,
        patience: Duration,
    ) -> Result<Self, Error> {
        let (name, arguments) = command.split_first().ok_or(Error::Backend("no program is named"))?;
        let absent = || Error::Setup { what: format!("the program {name}"), why: "it is not on PATH".to_owned() };
        let program = process::find(context, name).filter(|path| path.is_file()).ok_or_else(absent)?;
        let names = BASE_ENV.into_iter().chain(allowed.iter().map(String::as_str));
        let env = names.filter_map(|name| Some((name.to_owned(), context.env.get(name)?.clone()))).collect();
        Ok(Self { program, arguments: arguments.to_vec(), env, public, patience })
    }

    fn signature(&self, content: Content<'_>) -> Result<Vec<u8>, String> {
        let (message, payload_type) = match content {
            Content::Statement(statement) => (Bundle::to_be_signed(statement), Some(PAYLOAD_TYPE)),
            Content::Blob(bytes) => (bytes.to_vec(), None),
        };
        let request = json!({
            "version": 1,
            "payload_type": payload_type,
            "algorithm": self.public.algorithm().to_string(),
            "message": PayloadBytes::from_bytes(&message).to_base64(),
            "sha256": Sha256::of(&message).to_string(),
            "public_key": self.public.to_pem(),
        });
        let program = process::Program { path: &self.program, arguments: &self.arguments, env: &self.env, quiet: false };
        let answer = program.run(request.to_string().as_bytes(), self.patience)?;
        let answer = strict_json::parse(&answer).map_err(|_| "its answer is not JSON".to_owned())?;
        if let Some(key) = answer.get("public_key") {
            let key = key.as_str().and_then(|pem| PublicKey::from_pem(pem).ok());
            if key.is_none_or(|key| key != self.public) {
                return Err("it signs with another key than the configured one".to_owned());
            }
        }
        let signature = answer.get("signature").and_then(Value::as_str).ok_or("its answer holds no signature")?;
        let signature = PayloadBytes::from_base64(signature).map_err(|_| "its signature is not base64".to_owned())?.into_bytes();
        match self.public.verifies(&message, &signature) {
            true => Ok(signature),
            false => Err(format!("its signature is not by the key {}", self.public.fingerprint())),
        }
    }

    fn name(&self) -> &str {
        Utf8Path::file_name(&self.program).unwrap_or_default()
    }
}

impl Signer for CommandSigner {
    fn sign(&self, content: Content<'_>) -> Result<Vec<u8>, Error> {
        let signature = self.signature(content);
        let signature = signature.map_err(|why| Error::Unavailable { why: format!("the program {}: {why}", self.name()) })?;
        Ok(key_bundle(content, signature, &self.public))
    }

    fn verifies(&self, bundle: &[u8]) -> Result<(), String> {
        key_verifies(&self.public, bundle)
    }

    fn public_key(&self) -> Option<&PublicKey> {
        Some(&self.public)
    }

    fn describe(&self) -> String {
        format!("key {} (by {})", self.public.fingerprint(), self.program)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::attest::KeyAlgorithm;
    use crate::base::Timestamp;
    use crate::sign::key::KeySigner;

    struct World {
        _guard: tempfile::TempDir,
        folder: Utf8PathBuf,
        key: KeySigner,
    }

    impl World {
        fn new() -> Self {
            let guard = tempfile::tempdir().unwrap();
            let folder = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
            let key = KeySigner::create(&folder.join("key.pem"), KeyAlgorithm::EcdsaP256, None).unwrap();
            Self { _guard: guard, folder, key }
        }

        fn signer(&self, script: &str) -> CommandSigner {
            let path = self.folder.join("hsm");
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            let stamp = Timestamp::from_unix(0).unwrap();
            let env = [("PATH", "/usr/bin:/bin"), ("PIN", "1234"), ("OTHER", "secret")];
            let context = Context {
                cwd: self.folder.clone(),
                env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
                now: stamp,
                now_is_given: false,
                stamp,
                offline: true,
                cache_dir: "/".into(),
            };
            let public = self.key.public_key().clone();
            CommandSigner::new(&context, &["./hsm".to_owned()], &["PIN".to_owned()], public, Duration::from_secs(2)).unwrap()
        }

        /// What a right answer to this content is.
        fn answer(&self, content: Content<'_>) -> String {
            let bundle: Value = serde_json::from_slice(&self.key.sign(content).unwrap()).unwrap();
            format!("echo '{}'", json!({ "signature": bundle["dsseEnvelope"]["signatures"][0]["sig"] }))
        }
    }

    #[test]
    fn a_program_signs_and_only_a_right_signature_counts() {
        let world = World::new();
        let statement = Content::Statement(b"{}");
        let right = world.answer(statement);
        let good =
            world.signer(&format!("cat > request.json; env > env.txt; {right}").replace("> ", &format!("> {}/", world.folder)));
        let bundle = good.sign(statement).unwrap();
        good.verifies(&bundle).unwrap();
        world.key.verifies(&bundle).unwrap();
        let request: Value = serde_json::from_slice(&std::fs::read(world.folder.join("request.json")).unwrap()).unwrap();
        assert_eq!(request["message"], json!(PayloadBytes::from_bytes(&Bundle::to_be_signed(b"{}")).to_base64()));
        let env = std::fs::read_to_string(world.folder.join("env.txt")).unwrap();
        assert!(env.contains("PIN=1234") && !env.contains("secret"), "{env}");

        let other = World::new();
        let other_key = json!({ "signature": "AAAA", "public_key": other.key.public_key().to_pem() });
        for (script, why) in [
            ("exit 1".to_owned(), "it failed"),
            ("sleep 30".to_owned(), "in time"),
            ("echo nonsense".to_owned(), "not JSON"),
            ("echo '{}'".to_owned(), "no signature"),
            ("echo '{\"signature\":\"!\"}'".to_owned(), "not base64"),
            ("echo '{\"signature\":\"AAAA\"}'".to_owned(), "not by the key"),
            (world.answer(Content::Statement(b"{ }")), "not by the key"),
            (other.answer(statement), "not by the key"),
            (format!("printf '%s' '{other_key}'"), "another key"),
        ] {
            let error = world.signer(&script).sign(statement).unwrap_err();
            assert!(error.is_outage() && error.to_string().contains(why), "{script}: {error}");
        }
    }
}
