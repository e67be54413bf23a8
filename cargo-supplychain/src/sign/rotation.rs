//! A key takes the place of another: the new one where the old one lay, the old one beside it under its fingerprint, and a statement by which
//! the old one vouches for the new one. At no moment is there no key at the place.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::key::{self, KeySigner};
use super::{Content, Error, Signer as _};
use crate::attest::{KEY_ROTATION, Statement};
use crate::base::{Sha256, Timestamp};

/// What lies where after a rotation.
#[derive(Debug)]
pub struct Rotated {
    pub new: KeySigner,
    pub public: Utf8PathBuf,
    /// The bundle about the new public key, signed by the old one.
    pub statement: Utf8PathBuf,
    pub former_private: Utf8PathBuf,
    pub former_public: Utf8PathBuf,
}

/// The statement (`docs/key-rotation-v1.md`) that the key of the first fingerprint gives way to the one in the file of these bytes.
fn statement(name: &str, from: &str, to: &KeySigner, now: Timestamp) -> Vec<u8> {
    let pem = to.public_key().to_pem();
    let predicate = json!({ "from": from, "to": to.public_key().fingerprint(), "date": now });
    Statement::new(name, Sha256::of(pem), KEY_ROTATION, predicate).to_bytes()
}

/// Puts a new key of the same algorithm in the place of this one. `passphrase` is the new one's.
///
/// # Errors
/// A file that would have to be written is there already, or cannot be written: then the old key is where it was.
pub fn rotate(old: &KeySigner, passphrase: Option<&str>, now: Timestamp) -> Result<Rotated, Error> {
    let path = old.path();
    let public = key::public_path(path);
    let statement_path = Utf8PathBuf::from(format!("{public}.sigstore.json"));
    let mark = &old.public_key().sha256().to_string()[..12];
    let former_private = beside(path, &format!("-{mark}"));
    let former_public = key::public_path(&former_private);
    let former_statement = Utf8PathBuf::from(format!("{former_public}.sigstore.json"));
    let next = beside(path, ".next");
    for taken in [&former_private, &former_public, &former_statement] {
        if taken.symlink_metadata().is_ok() {
            return Err(Error::Exists { path: taken.clone() });
        }
    }
    let new = KeySigner::create(&next, old.public_key().algorithm(), passphrase)?;
    let name = public.file_name().unwrap_or_default();
    let bundle = old.sign(Content::Statement(&statement(name, &old.public_key().fingerprint(), &new, now)))?;

    let (bytes, _) = key::read_bounded(path)?;
    key::write_new(&former_private, &bytes, 0o600)?;
    key::write_new(&former_public, old.public_key().to_pem().as_bytes(), 0o644)?;
    let unwritable = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| Error::Unwritable { path, source }
    };
    // How the old key came about stays beside it.
    if statement_path.is_file() {
        fs::rename(&statement_path, &former_statement).map_err(unwritable(&former_statement))?;
    }
    fs::rename(&next, path).map_err(unwritable(path))?;
    fs::rename(key::public_path(&next), &public).map_err(unwritable(&public))?;
    crate::files::write(&statement_path, &bundle).map_err(unwritable(&statement_path))?;
    Ok(Rotated { new: new.at(path), public, statement: statement_path, former_private, former_public })
}

/// `key.pem` → `key-0123.pem`.
fn beside(path: &Utf8Path, mark: &str) -> Utf8PathBuf {
    let stem = path.file_stem().unwrap_or_default();
    let extension = path.extension().map(|extension| format!(".{extension}")).unwrap_or_default();
    path.with_file_name(format!("{stem}{mark}{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::{Bundle, KeyAlgorithm};

    #[test]
    fn the_old_key_vouches_for_the_new_one_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("key.pem")).unwrap();
        let now: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
            let _ = fs::remove_dir_all(folder.path());
            let first = KeySigner::create(&path, algorithm, None).unwrap();
            let rotated = rotate(&first, Some("secret"), now).unwrap();
            let load = |path: &Utf8Path, secret| KeySigner::load(path, secret, &mut |_| None);
            assert_eq!(load(&path, Some("secret")).unwrap().public_key(), rotated.new.public_key());
            assert!(matches!(load(&path, None), Err(Error::PassphraseNeeded { .. })));
            assert_eq!(load(&rotated.former_private, None).unwrap().public_key(), first.public_key());
            assert_eq!(rotated.new.public_key().algorithm(), algorithm);
            let bundle = Bundle::parse(&fs::read(&rotated.statement).unwrap()).unwrap();
            assert!(first.public_key().verifies(&Bundle::to_be_signed(&bundle.payload), &bundle.signature));
            let statement = Statement::parse(&bundle.payload).unwrap();
            assert_eq!((&*statement.subjects[0].name, &*statement.predicate_type), ("key.pub", KEY_ROTATION));
            assert_eq!(statement.subjects[0].sha256, Sha256::of(fs::read(&rotated.public).unwrap()));
            assert_eq!(statement.predicate["to"], rotated.new.public_key().fingerprint());
            // Once more: the first statement stays beside the key that it is about.
            let second = load(&path, Some("secret")).unwrap();
            let again = rotate(&second, None, now).unwrap();
            assert_eq!(fs::read(format!("{}.sigstore.json", again.former_public)).unwrap(), bundle.to_bytes());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3 + 2 + 3);
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("key.pem")).unwrap();
        let key = KeySigner::create(&path, KeyAlgorithm::EcdsaP256, None).unwrap();
        let before = fs::read(&path).unwrap();
        fs::write(path.with_file_name("key.next.pub"), "x").unwrap();
        let now = "2026-09-01".parse().unwrap();
        assert!(matches!(rotate(&key, None, now), Err(Error::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(path.with_file_name("key.next.pub")).unwrap();
        rotate(&key, None, now).unwrap();
    }
}
