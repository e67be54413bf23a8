//! Releases pushed to and pulled from a registry in memory, which behaves as the specification says, in its variants, or badly.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use camino::Utf8Path;

use super::*;
use crate::archive::oci::manifest::{IMAGE_MANIFEST, Manifest, fallback_tag, referrer, to_bytes};
use crate::base::http::{Exchange, Method, Stream};
use crate::base::{Http, Sha256};

const DIGEST: &str = "sha256:";

#[derive(Default)]
struct Fake {
    /// Keeps lists of referrers.
    lists: bool,
    /// Wants a token, which it gives to user and password `dTpw` (u:p).
    wants_token: bool,
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// By tag and by digest.
    manifests: Mutex<BTreeMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
}

fn answer(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Stream, crate::base::http::Error> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Stream { status, headers, body: Box::new(std::io::Cursor::new(body)) })
}

impl Http for Fake {
    fn get(&self, _: &crate::base::http::Request<'_>) -> Result<crate::base::http::Response, crate::base::http::Error> {
        unreachable!("a registry is asked by exchange")
    }

    fn exchange(&self, exchange: Exchange<'_>) -> Result<Stream, crate::base::http::Error> {
        let Exchange { method, url, headers, body, .. } = exchange;
        self.asked.lock().unwrap().push(format!("{} {}", method.name(), url));
        let mut sent = Vec::new();
        if let Some(content) = body {
            content.bytes.take(content.length).read_to_end(&mut sent).unwrap();
        }
        let authorization = headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| *value);
        let path =
            url.strip_prefix("https://registry.example").unwrap_or_else(|| url.strip_prefix("https://tokens.example").unwrap());
        if path.starts_with("/token?") {
            assert_eq!(path, "/token?service=s&scope=repository%3Aapp%3Apull%2Cpush");
            let is_known = authorization == Some("Basic dTpw");
            return if is_known { answer(200, &[], b"{\"token\":\"t0k\"}".to_vec()) } else { answer(401, &[], Vec::new()) };
        }
        if self.wants_token && authorization != Some("Bearer t0k") {
            let wants = "Bearer realm=\"https://tokens.example/token\",service=\"s\"";
            return answer(401, &[("www-authenticate", wants)], Vec::new());
        }
        let rest = path.strip_prefix("/v2/app/").unwrap();
        let (kind, name) = rest.split_once('/').unwrap();
        let found = |map: &Mutex<BTreeMap<String, Vec<u8>>>| map.lock().unwrap().get(name).cloned();
        match (method, kind) {
            (Method::Post, "blobs") => answer(202, &[("location", "/v2/app/blobs/uploads/1?state=x")], Vec::new()),
            (Method::Put, "blobs") => {
                let digest = name.rsplit_once("digest=").unwrap().1;
                assert_eq!(digest, format!("{DIGEST}{}", Sha256::of(&sent)));
                self.blobs.lock().unwrap().insert(digest.to_owned(), sent);
                answer(201, &[], Vec::new())
            }
            (Method::Put, "manifests") => {
                let manifest: serde_json::Value = serde_json::from_slice(&sent).unwrap();
                let blobs = self.blobs.lock().unwrap();
                for part in manifest["layers"].as_array().into_iter().flatten().chain(manifest.get("config")) {
                    assert!(blobs.contains_key(part["digest"].as_str().unwrap()), "{name} before its blobs");
                }
                let mut manifests = self.manifests.lock().unwrap();
                manifests.insert(format!("{DIGEST}{}", Sha256::of(&sent)), sent.clone());
                manifests.insert(name.to_owned(), sent);
                let subject = manifest["subject"]["digest"].as_str().filter(|_| self.lists);
                answer(201, &subject.map(|subject| ("oci-subject", subject)).into_iter().collect::<Vec<_>>(), Vec::new())
            }
            (Method::Get | Method::Head, "blobs") => {
                found(&self.blobs).map_or(answer(404, &[], Vec::new()), |bytes| answer(200, &[], bytes))
            }
            (Method::Get, "manifests") => {
                found(&self.manifests).map_or(answer(404, &[], Vec::new()), |bytes| answer(200, &[], bytes))
            }
            (Method::Get, "referrers") if self.lists => {
                let mut listed = Vec::new();
                for (key, bytes) in self.manifests.lock().unwrap().iter().filter(|(key, _)| key.starts_with(DIGEST)) {
                    let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else { continue };
                    if manifest.subject.as_ref().is_some_and(|subject| subject.digest == name) {
                        assert_eq!(*key, format!("{DIGEST}{}", Sha256::of(bytes)));
                        listed.push(referrer(&manifest, bytes));
                    }
                }
                answer(200, &[], to_bytes(&manifest::Index::new(listed)))
            }
            (Method::Get, "referrers") => answer(404, &[], Vec::new()),
            _ => panic!("{} {url}", method.name()),
        }
    }
}

const FILES: [(&str, &[u8]); 4] = [
    ("release.json", b"{}"),
    ("artifacts/app", b"\x7fELF"),
    ("attestations/app.provenance.sigstore.json", b"{\"a\":1}"),
    ("attestations/release.sigstore.json", b"{\"a\":2}"),
];

fn files() -> Vec<File> {
    let file = |(path, bytes): &(&str, &[u8])| File {
        path: (*path).to_owned(),
        sha256: Sha256::of(bytes),
        size: bytes.len() as u64,
        executable: *path == "artifacts/app",
    };
    FILES.iter().map(file).collect()
}

fn content(file: &File) -> std::io::Result<Box<dyn Read + Send>> {
    let (_, bytes) = FILES.iter().find(|(path, _)| *path == file.path).unwrap();
    Ok(Box::new(*bytes))
}

fn registry<'f>(fake: &'f Fake, reference: &str, credentials: Credentials) -> Registry<'f> {
    Registry::new(fake, Reference::parse(reference).unwrap(), credentials, true)
}

fn nobody() -> Credentials {
    Credentials::Nobody { helper: None }
}

fn push_to(fake: &Fake, reference: &str, files: &[File]) -> Result<Pushed, Error> {
    let release = Release { name: "app", version: "1.0.0+b", target: "x86_64-linux", files, open: &content };
    push(&registry(fake, reference, nobody()), &release)
}

/// Paths and bytes, sorted.
type Contents = Vec<(String, Vec<u8>)>;

fn pull_from(fake: &Fake, reference: &str) -> Result<(Pulled, Contents), Error> {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let pulled = pull(&registry(fake, reference, nobody()), root, 1 << 20)?;
    let mut found: Vec<_> =
        FILES.iter().filter_map(|(path, _)| Some(((*path).to_owned(), std::fs::read(root.join(path)).ok()?))).collect();
    found.sort();
    Ok((pulled, found))
}

fn expected() -> Contents {
    let mut files: Vec<_> = FILES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    files.sort();
    files
}

#[test]
fn what_was_pushed_is_pulled_with_and_without_lists_of_referrers() {
    for lists in [true, false] {
        let fake = Fake { lists, ..Fake::default() };
        let pushed = push_to(&fake, "oci://registry.example/app", &files()).unwrap();
        assert_eq!((pushed.bundles, pushed.has_referrers), (2, lists));
        assert_eq!(pushed.reference, format!("oci://registry.example/app:1.0.0_b-x86_64-linux@sha256:{}", pushed.digest));
        assert_eq!(fake.manifests.lock().unwrap().contains_key(&fallback_tag(pushed.digest)), !lists);
        // The tag comes last.
        let puts: Vec<_> = fake.asked.lock().unwrap().iter().filter(|one| one.starts_with("PUT")).cloned().collect();
        assert!(puts.last().unwrap().ends_with("/manifests/1.0.0_b-x86_64-linux"), "{puts:?}");
        for place in ["oci://registry.example/app:1.0.0_b-x86_64-linux", &pushed.reference] {
            let (pulled, found) = pull_from(&fake, place).unwrap();
            assert_eq!((pulled.digest, pulled.bundles, pulled.name.as_str()), (pushed.digest, 2, "app"));
            assert_eq!(found, expected());
        }
        // The same again changes nothing.
        let before = fake.manifests.lock().unwrap().clone();
        let again = push_to(&fake, "oci://registry.example/app", &files()).unwrap();
        assert_eq!((again.digest, again.uploaded), (pushed.digest, 0));
        assert_eq!(*fake.manifests.lock().unwrap(), before);
    }
}

#[test]
fn a_tag_is_not_moved() {
    let fake = Fake::default();
    push_to(&fake, "oci://registry.example/app:stable", &files()).unwrap();
    let error = push_to(&fake, "oci://registry.example/app:stable", &files()[..1]).unwrap_err();
    assert!(error.to_string().starts_with("oci://registry.example/app:stable is another release already (sha256:"), "{error}");
    assert_eq!(pull_from(&fake, "oci://registry.example/app:stable").unwrap().1, expected());
}

#[test]
fn tokens_are_got_with_the_credentials_of_the_registry() {
    let fake = Fake { wants_token: true, ..Fake::default() };
    let release = Release { name: "app", version: "1", target: "t", files: &files(), open: &content };
    let known = Credentials::Password { user: "u".into(), password: "p".into() };
    push(&registry(&fake, "oci://registry.example/app", known), &release).unwrap();
    for (credentials, help) in [
        (nobody(), "~/.docker/config.json"),
        (Credentials::Password { user: "u".into(), password: "wrong".into() }, "~/.docker/config.json"),
        (Credentials::Nobody { helper: Some("docker-credential-x".into()) }, "docker-credential-x"),
    ] {
        let error = push(&registry(&fake, "oci://registry.example/app", credentials), &release).unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
        assert!(error.help().unwrap().contains(help), "{error}");
    }
}

#[test]
fn what_the_registry_changed_is_found() {
    let reference = "oci://registry.example/app:t";
    let pushed = || {
        let fake = Fake::default();
        let pushed = push_to(&fake, reference, &files()).unwrap();
        (fake, pushed)
    };
    // Each blob, one bit; and shorter, longer.
    for (path, bytes) in FILES {
        for change in [
            |bytes: &mut Vec<u8>| bytes[0] ^= 1,
            |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
            |bytes: &mut Vec<u8>| bytes.push(0),
        ] {
            let (fake, _) = pushed();
            change(fake.blobs.lock().unwrap().get_mut(&format!("{DIGEST}{}", Sha256::of(bytes))).unwrap());
            assert!(pull_from(&fake, reference).unwrap_err().is_corrupt(), "{path}");
        }
    }
    // A manifest that is asked by its digest.
    let (fake, pushed) = pushed();
    let key = format!("{DIGEST}{}", pushed.digest);
    fake.manifests.lock().unwrap().get_mut(&key).unwrap().push(b' ');
    assert!(pull_from(&fake, &format!("oci://registry.example/app@{key}")).unwrap_err().is_corrupt());
}

#[test]
fn what_others_put_beside_a_release_is_theirs() {
    let fake = Fake { lists: true, ..Fake::default() };
    let reference = "oci://registry.example/app:t";
    let pushed = push_to(&fake, reference, &files()).unwrap();
    let key = format!("{DIGEST}{}", pushed.digest);
    let release = fake.manifests.lock().unwrap()[&key].clone();
    let add = |layer: manifest::Layer, is_titled: bool| {
        let mut other = manifest::of_bundle(&layer, None, &release);
        if !is_titled {
            other.layers[0].annotations.clear();
        }
        let bytes = to_bytes(&other);
        fake.manifests.lock().unwrap().insert(format!("{DIGEST}{}", Sha256::of(&bytes)), bytes);
    };
    let layer = |path: &str| manifest::Layer { path: path.into(), sha256: Sha256::of(b"x"), size: 1, executable: false };
    add(layer("attestations/x.sigstore.json"), false);
    add(layer("artifacts/app2"), true);
    assert_eq!(pull_from(&fake, reference).unwrap().0.bundles, 2);
    // One that claims the place of another file.
    add(layer("attestations/release.sigstore.json"), true);
    let error = pull_from(&fake, reference).unwrap_err();
    assert!(
        error.is_corrupt() && error.to_string().ends_with("\"attestations/release.sigstore.json\" is there twice"),
        "{error}"
    );
    assert_eq!(IMAGE_MANIFEST, "application/vnd.oci.image.manifest.v1+json");
}
