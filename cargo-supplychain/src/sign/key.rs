//! The signing key in a file: found, loaded, made. A private key file is readable by its owner only, appears complete or
//! not at all, and is never overwritten.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use pkcs8::der::zeroize::Zeroizing;
use sigstore_types::{HashAlgorithm, MessageDigest, MessageSignature, SignatureBytes, SignatureContent};
use sigstore_verify::bundle::{BundleV03, VerificationMaterialV03};

use super::pem::{self, PemError, PrivateKey};
use super::{Content, Error, Signer};
use crate::attest::{Bundle, KeyAlgorithm, PublicKey};
use crate::base::Context;

/// Larger than any key file.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Where the user's own key lies: `$XDG_CONFIG_HOME/cargo-supplychain/key.pem`, else `~/.config/cargo-supplychain/key.pem`
/// (XDG Base Directory Specification: a relative `XDG_CONFIG_HOME` is ignored).
///
/// # Errors
/// The environment names no home.
pub fn default_path(context: &Context) -> Result<Utf8PathBuf, Error> {
    let absolute = |name| context.var(name).map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .or_else(|| absolute("APPDATA"))
        .ok_or(Error::NoHome)?;
    Ok(config.join("cargo-supplychain").join("key.pem"))
}

/// Where the public key of the private key at `path` lies: `key.pem` → `key.pub`.
#[must_use]
pub fn public_path(path: &Utf8Path) -> Utf8PathBuf {
    path.with_extension("pub")
}

/// A key that signs.
pub struct KeySigner {
    path: Utf8PathBuf,
    private: PrivateKey,
    public: PublicKey,
}

impl std::fmt::Debug for KeySigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySigner({} {:?})", self.path, self.public)
    }
}

impl KeySigner {
    /// Loads the private key at `path`: PEM `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY`. For an encrypted one `passphrase` is
    /// used, or `prompt` (which gets the path) where there is none; an empty passphrase counts as none.
    ///
    /// # Errors
    /// The file cannot be read, can be read by others, is no such key, or its passphrase is missing or wrong.
    pub fn load(
        path: &Utf8Path,
        passphrase: Option<&str>,
        prompt: &mut dyn FnMut(&Utf8Path) -> Option<String>,
    ) -> Result<Self, Error> {
        let (bytes, mode) = read_bounded(path)?;
        if let Some(mode) = mode.filter(|mode| mode & 0o077 != 0) {
            return Err(Error::TooOpen { path: path.to_owned(), mode });
        }
        let format = |why: String| Error::Format { path: path.to_owned(), why };
        let text = std::str::from_utf8(&bytes).map_err(|_| format("not a text file".into()))?;
        let ask = || {
            let given = passphrase.map(str::to_owned).or_else(|| prompt(path));
            given.filter(|text| !text.is_empty()).map(Zeroizing::new)
        };
        let private = pem::read(text, ask).map_err(|error| match error {
            PemError::Format(why) => format(why),
            PemError::Encrypted => Error::PassphraseNeeded { path: path.to_owned() },
            PemError::WrongPassphrase => Error::WrongPassphrase { path: path.to_owned() },
        })?;
        Self::new(path, private)
    }

    /// Makes a new key at `path` and its public key beside it ([`public_path`]). A folder that is not there is made for the
    /// owner only. An empty passphrase counts as none.
    ///
    /// # Errors
    /// One of the two files is there already, or cannot be written.
    pub fn create(path: &Utf8Path, algorithm: KeyAlgorithm, passphrase: Option<&str>) -> Result<Self, Error> {
        let public_path = public_path(path);
        for file in [path, &public_path] {
            if file.symlink_metadata().is_ok() {
                return Err(Error::Exists { path: file.to_owned() });
            }
        }
        let text =
            pem::generate(algorithm, passphrase.filter(|text| !text.is_empty())).ok_or(Error::Backend("could not make a key"))?;
        // From here on the key that is used is the one that a later run will read.
        let secret = passphrase.unwrap_or_default().to_owned();
        let private =
            pem::read(&text, || Some(Zeroizing::new(secret))).map_err(|_| Error::Backend("the new key cannot be read"))?;
        let signer = Self::new(path, private)?;
        make_folder(path)?;
        write_new(path, text.as_bytes(), 0o600)?;
        write_new(&public_path, signer.public.to_pem().as_bytes(), 0o644)?;
        Ok(signer)
    }

    fn new(path: &Utf8Path, private: PrivateKey) -> Result<Self, Error> {
        let public = private.public_key().ok_or(Error::Backend("the key has no public half"))?;
        Ok(Self { path: path.to_owned(), private, public })
    }

    /// The public key that verifies what this key signs.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The same key, moved.
    pub(super) fn at(self, path: &Utf8Path) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// The file it came from.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Signer for KeySigner {
    fn sign(&self, content: Content<'_>) -> Result<Vec<u8>, Error> {
        let message = match content {
            Content::Statement(statement) => Bundle::to_be_signed(statement),
            Content::Blob(bytes) => bytes.to_vec(),
        };
        let signature = self.private.sign(&message).ok_or(Error::Backend("it did not sign"))?;
        // A signature that a fault damaged must not leave the machine: it would be found by the user's users.
        if !self.public.verifies(&message, &signature) {
            return Err(Error::Backend("its signature does not verify"));
        }
        Ok(key_bundle(content, signature, &self.public))
    }

    fn verifies(&self, bundle: &[u8]) -> Result<(), String> {
        key_verifies(&self.public, bundle)
    }

    fn public_key(&self) -> Option<&PublicKey> {
        Some(&self.public)
    }

    fn describe(&self) -> String {
        format!("key {} ({})", self.public.fingerprint(), self.path)
    }
}

/// Whether a key signed the statement in a bundle.
pub(super) fn key_verifies(public: &PublicKey, bundle: &[u8]) -> Result<(), String> {
    let bundle = Bundle::parse(bundle).map_err(|error| error.to_string())?;
    match public.verifies(&Bundle::to_be_signed(&bundle.payload), &bundle.signature) {
        true => Ok(()),
        false => Err(format!("its signature is not by the key {}", public.fingerprint())),
    }
}

/// The bundle of a key's signature.
pub(super) fn key_bundle(content: Content<'_>, signature: Vec<u8>, public: &PublicKey) -> Vec<u8> {
    match content {
        Content::Statement(statement) => Bundle { payload: statement.to_vec(), signature, hint: public.hint() }.to_bytes(),
        Content::Blob(bytes) => {
            let digest = sigstore_crypto::sha256(bytes);
            let signed = MessageSignature::new(SignatureBytes::new(signature))
                .with_message_digest(MessageDigest::new(HashAlgorithm::Sha2256, digest.into()));
            let key = VerificationMaterialV03::PublicKey { hint: public.hint() };
            let bundle = BundleV03::new(key, SignatureContent::MessageSignature(signed)).into_bundle();
            serde_json::to_vec(&bundle).expect("a bundle of strings always serialises")
        }
    }
}

/// The file's bytes (wiped when dropped) and, where the system has them, its permission bits.
pub(super) fn read_bounded(path: &Utf8Path) -> Result<(Zeroizing<Vec<u8>>, Option<u32>), Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    // A pipe or a device would block or never end: look before opening, and again at what was opened.
    let regular = |metadata: &fs::Metadata| metadata.is_file() && metadata.len() <= MAX_KEY_BYTES;
    if !regular(&fs::metadata(path).map_err(unreadable)?) {
        return Err(Error::NotAKeyFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !regular(&metadata) {
        return Err(Error::NotAKeyFile { path: path.to_owned() });
    }
    // The whole capacity at once: growing would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_BYTES as usize + 1));
    file.take(MAX_KEY_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok((bytes, permission_bits(&metadata)))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn permission_bits(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn permission_bits(_metadata: &fs::Metadata) -> Option<u32> {
    None
}

fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

fn make_folder(path: &Utf8Path) -> Result<(), Error> {
    let folder = folder_of(path);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Error::Unwritable { path: folder.to_owned(), source })
}

/// Writes a file that is not there yet: complete or not at all, `mode` on systems that have modes.
pub(super) fn write_new(path: &Utf8Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let unwritable = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::Unwritable { path: path.to_owned(), source },
    };
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".key-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder).map_err(unwritable)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
    file.persist_noclobber(path).map_err(|error| unwritable(error.error))?;
    crate::files::sync_folder(folder).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Timestamp;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    fn no_prompt(_: &Utf8Path) -> Option<String> {
        None
    }

    #[test]
    fn a_new_key_signs_and_is_the_owners_alone() {
        let (_guard, folder) = folder();
        let path = folder.join("deep/er/key.pem");
        let signer = KeySigner::create(&path, KeyAlgorithm::EcdsaP256, None).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().unwrap()), 0o700);
        }
        assert_eq!(crate::sign::read_public_key(&folder.join("deep/er/key.pub")).unwrap(), *signer.public_key());
        let loaded = KeySigner::load(&path, None, &mut no_prompt).unwrap();
        let bundle = Bundle::parse(&loaded.sign(Content::Statement(b"{}")).unwrap()).unwrap();
        assert_eq!(bundle.payload, b"{}");
        assert_eq!(bundle.hint, signer.public_key().hint());
        assert!(signer.public_key().verifies(&Bundle::to_be_signed(b"{}"), &bundle.signature));
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 2, "nothing but the two keys");
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let (_guard, folder) = folder();
        for taken in ["key.pem", "key.pub"] {
            let inner = folder.join(taken);
            fs::create_dir(&inner).unwrap();
            fs::write(inner.join(taken), "mine").unwrap();
            let error = KeySigner::create(&inner.join("key.pem"), KeyAlgorithm::Ed25519, None).unwrap_err();
            assert!(matches!(&error, Error::Exists { path } if *path == inner.join(taken)), "{error}");
            assert_eq!(fs::read_to_string(inner.join(taken)).unwrap(), "mine");
        }
        // Also when it appears between the look and the writing.
        assert!(matches!(write_new(&folder.join("key.pem/key.pem"), b"x", 0o600), Err(Error::Exists { .. })));
    }

    #[test]
    fn an_encrypted_key_asks_once_and_only_when_needed() {
        let (_guard, folder) = folder();
        let path = folder.join("key.pem");
        KeySigner::create(&path, KeyAlgorithm::Ed25519, Some("pass")).unwrap();
        let mut asked = 0;
        KeySigner::load(&path, None, &mut |_| {
            asked += 1;
            Some("pass".into())
        })
        .unwrap();
        assert_eq!(asked, 1);
        KeySigner::load(&path, Some("pass"), &mut |_| panic!("asked for what was given")).unwrap();
        for (given, wrong) in [(Some("nope"), true), (Some(""), false), (None, false)] {
            let error = KeySigner::load(&path, given, &mut no_prompt).unwrap_err();
            assert_eq!(matches!(error, Error::WrongPassphrase { .. }), wrong, "{error}");
            assert_eq!(matches!(error, Error::PassphraseNeeded { .. }), !wrong, "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, folder) = folder();
        let path = folder.join("key.pem");
        KeySigner::create(&path, KeyAlgorithm::EcdsaP256, None).unwrap();
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = KeySigner::load(&path, None, &mut no_prompt).unwrap_err();
            assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
            assert_eq!(error.help(), format!("chmod 600 '{path}'"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(KeySigner::load(&path, None, &mut no_prompt).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_path() {
        let (_guard, folder) = folder();
        let write = |name: &str, bytes: &[u8]| {
            write_new(&folder.join(name), bytes, 0o600).unwrap();
            folder.join(name)
        };
        let absent = folder.join("absent.pem");
        let text = write("text.pem", b"hello");
        let bytes = write("bytes.pem", &[0xff; 10]);
        let huge = write("huge.pem", &vec![b'x'; MAX_KEY_BYTES as usize + 1]);
        for path in [&absent, &text, &bytes, &huge, &folder] {
            let error = KeySigner::load(path, None, &mut no_prompt).unwrap_err();
            assert!(error.to_string().contains(path.as_str()), "{error}");
            assert!(!error.help().is_empty(), "{error}");
            assert!(crate::sign::read_public_key(path).unwrap_err().to_string().contains(path.as_str()));
        }
    }

    #[test]
    fn the_default_place_follows_the_environment() {
        let context = |pairs: &[(&str, &str)]| Context {
            cwd: "/w".into(),
            env: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
            now: Timestamp::from_unix(0).unwrap(),
            now_is_given: false,
            stamp: Timestamp::from_unix(0).unwrap(),
            offline: true,
            cache_dir: "/c".into(),
        };
        for (pairs, expected) in [
            (&[("HOME", "/h")][..], Some("/h/.config/cargo-supplychain/key.pem")),
            (&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")], Some("/x/cargo-supplychain/key.pem")),
            (&[("HOME", "/h"), ("XDG_CONFIG_HOME", "rel")], Some("/h/.config/cargo-supplychain/key.pem")),
            (&[], None),
        ] {
            assert_eq!(default_path(&context(pairs)).ok().as_deref(), expected.map(Utf8Path::new));
        }
    }
}
