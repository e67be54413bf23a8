//! An OCI registry on this machine, in memory: blobs, manifests, and where it is told to a list of what refers to a manifest (OCI distribution
//! specification 1.1). It refuses what real ones refuse: other bytes than a digest names, a manifest before its blobs.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};

use super::loopback::{Listening, Request, respond};

pub struct OciRegistry {
    /// `127.0.0.1:PORT`.
    pub host: String,
    shared: Arc<Shared>,
    _listening: Listening,
}

#[derive(Default)]
struct Shared {
    keeps_lists: bool,
    /// What it wants to be presented: `Basic …`.
    wants: Option<&'static str>,
    /// By digest.
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// By tag and by digest.
    manifests: Mutex<BTreeMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
}

struct Answer(u16, Vec<(&'static str, String)>, Vec<u8>);

impl OciRegistry {
    /// `keeps_lists`: whether it lists what refers to a manifest; else a tag does. `wants`: the credentials of everybody.
    pub fn start(keeps_lists: bool, wants: Option<&'static str>) -> Self {
        let shared = Arc::new(Shared { keeps_lists, wants, ..Shared::default() });
        let own = Arc::clone(&shared);
        let listening = Listening::start(|_| move |stream| own.serve(stream));
        Self { host: listening.address().to_owned(), shared, _listening: listening }
    }

    /// `METHOD path` of each request since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }

    /// What stands under a tag or digest.
    pub fn manifest(&self, name: &str) -> Option<Value> {
        self.shared.manifests.lock().unwrap().get(name).map(|bytes| serde_json::from_slice(bytes).unwrap())
    }

    /// Puts other bytes where a tag or digest is.
    pub fn replace_manifest(&self, name: &str, manifest: &Value) {
        self.shared.manifests.lock().unwrap().insert(name.to_owned(), manifest.to_string().into_bytes());
    }

    /// Other bytes under the digest of a blob.
    pub fn change_blob(&self, digest: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.shared.blobs.lock().unwrap().get_mut(digest).unwrap());
    }

    /// A blob of these bytes; its digest.
    pub fn add_blob(&self, bytes: &[u8]) -> String {
        let digest = named(bytes);
        self.shared.blobs.lock().unwrap().insert(digest.clone(), bytes.to_owned());
        digest
    }
}

fn named(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::of(bytes))
}

fn said(status: u16) -> Answer {
    Answer(status, Vec::new(), Vec::new())
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(asked) = Request::read(&mut stream)? else { return Ok(()) };
        let path = asked.path.strip_prefix("/v2/team/app/").unwrap();
        self.asked.lock().unwrap().push(format!("{} {path}", asked.method));
        let Answer(status, headers, body) = match self.wants {
            Some(wanted) if asked.header("authorization").as_deref() != Some(wanted) => {
                Answer(401, vec![("www-authenticate", "Basic realm=\"tests\"".to_owned())], Vec::new())
            }
            _ => self.answer(&asked.method, path, &asked.body),
        };
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        respond(&mut stream, status, &lines, if asked.method == "HEAD" { b"" } else { &body })
    }

    fn answer(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let (kind, name) = path.split_once('/').unwrap();
        let found = |map: &Mutex<BTreeMap<String, Vec<u8>>>| match map.lock().unwrap().get(name) {
            Some(bytes) => Answer(200, Vec::new(), bytes.clone()),
            None => said(404),
        };
        match (method, kind) {
            ("GET" | "HEAD", "blobs") => found(&self.blobs),
            ("GET", "manifests") => found(&self.manifests),
            ("POST", "blobs") => Answer(202, vec![("location", "/v2/team/app/blobs/uploads/1?state=x".to_owned())], Vec::new()),
            ("PUT", "blobs") => {
                let digest = name.rsplit_once("digest=").unwrap().1;
                if digest != named(body) {
                    return said(400);
                }
                self.blobs.lock().unwrap().insert(digest.to_owned(), body.to_owned());
                said(201)
            }
            ("PUT", "manifests") => self.put_manifest(name, body),
            ("GET", "referrers") if self.keeps_lists => self.referrers(name),
            _ => said(404),
        }
    }

    fn put_manifest(&self, name: &str, bytes: &[u8]) -> Answer {
        let manifest: Value = serde_json::from_slice(bytes).unwrap();
        let blobs = self.blobs.lock().unwrap();
        let parts = manifest["layers"].as_array().into_iter().flatten().chain(manifest.get("config"));
        if parts.into_iter().any(|part| !blobs.contains_key(part["digest"].as_str().unwrap())) {
            return said(400);
        }
        let mut manifests = self.manifests.lock().unwrap();
        manifests.insert(named(bytes), bytes.to_owned());
        manifests.insert(name.to_owned(), bytes.to_owned());
        let subject = manifest["subject"]["digest"].as_str().filter(|_| self.keeps_lists);
        Answer(201, subject.map(|subject| ("oci-subject", subject.to_owned())).into_iter().collect(), Vec::new())
    }

    fn referrers(&self, subject: &str) -> Answer {
        let manifests = self.manifests.lock().unwrap();
        let refers = |(name, bytes): (&String, &Vec<u8>)| {
            let manifest: Value = serde_json::from_slice(bytes).unwrap();
            (name.starts_with("sha256:") && manifest["subject"]["digest"] == subject).then(|| {
                json!({ "mediaType": manifest["mediaType"], "digest": name, "size": bytes.len(),
                        "artifactType": manifest["artifactType"], "annotations": manifest["annotations"] })
            })
        };
        let listed: Vec<_> = manifests.iter().filter_map(refers).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed });
        Answer(200, Vec::new(), index.to_string().into_bytes())
    }
}
