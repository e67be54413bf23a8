//! Layer 1: what an archive of releases is made of: the chain of its entries, the record of a release, and what is inside of it. Pure types with
//! strict readers and one canonical form; where they are kept is `crate::archive`'s. The whole form is described in docs/archive-format-v1.md.

pub mod answer;
pub mod history;
pub mod index;
pub mod inventory;
pub mod query;

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::advisory::FeedInfo;
use crate::base::{Sha256, Timestamp};
use crate::model::{Role, release_path};

pub mod retention;
mod state;

pub use state::{ArchivedRelease, ReleaseKey, State};

/// From so many releases on another thread is worth its start.
pub(crate) const RELEASES_PER_THREAD: usize = 500;
/// Version of the form of everything here.
pub const FORMAT_VERSION: u32 = 1;

/// An entry of the chain. Its place is `log/<sequence>`; each names the digest of the bytes of the one before, so that none can be
/// changed, left out or put in between without being seen, and its own ([`Entry::to_bytes`]). The first one's digest is the archive's identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub format_version: u32,
    /// From 1, without gaps.
    pub sequence: u64,
    /// SHA-256 of the previous entry's bytes; none in the first.
    pub previous: Option<Sha256>,
    /// The clock of whoever wrote it: a claim, for people and for ages.
    pub time: Timestamp,
    pub event: Event,
}

/// What an entry says happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The archive began. `nonce` makes its identity its own.
    Begin { nonce: String },
    /// A release came in: `record` is the digest of its [`Record`].
    Release { name: String, version: String, target: String, record: Sha256 },
    /// The releases of these entries are not kept any more. Their entries stay.
    Prune { releases: Vec<u64>, reason: String },
    /// The release of this entry is kept whatever the retention says.
    Hold { release: u64, reason: String },
    /// It is not any more.
    Unhold { release: u64, reason: String },
    /// No kept release needs these objects, sorted. Whoever needs one after this entry keeps it under a new name (`archive::generations`).
    GiveUp { objects: Vec<Sha256> },
    /// All releases were judged again: `outcome` is the digest of what was new ([`Rescan`]).
    Rescan { outcome: Sha256 },
}

/// What the archive keeps of one release for one target: the folder as it was, and what stood beside it on the day that it came in. It
/// holds no time: the same release under the same roots and feeds has the same record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub format_version: u32,
    pub name: String,
    pub version: String,
    pub target: String,
    /// Every file of the release folder, sorted by path; the bytes are objects by their digests.
    pub files: Vec<RecordFile>,
    /// Who was found to have signed it.
    pub admission: Admission,
    /// The trust roots of the day (`trusted_root.json`), by which it can be verified again: digests of objects, sorted.
    pub trusted_roots: Vec<Sha256>,
    /// The feeds that it was judged with when it was built (`evidence/feeds.json`).
    pub feeds: Vec<FeedInfo>,
    /// Digest of its [`Inventory`].
    pub inventory: Sha256,
}

/// A file of an archived release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFile {
    pub path: String,
    pub size: u64,
    pub sha256: Sha256,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// On what ground a release came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Admission {
    /// It was verified: signed by this key (fingerprint, PEM).
    Key { fingerprint: String, pem: String },
    /// It was verified: signed by this identity.
    Identity { subject: String, issuer: String },
    /// Everything but its signatures was judged, and whoever added it said so.
    Unsigned,
}

/// What is inside of a release: the components of each artifact. Made from the release's own signed evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    pub format_version: u32,
    /// Sorted by name.
    pub artifacts: Vec<InventoryArtifact>,
    /// Sorted by package URL.
    pub components: Vec<InventoryComponent>,
    /// `rustc` as `rustc -V` says it.
    pub rustc: String,
}

/// A released file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryArtifact {
    pub name: String,
    /// Path within the release.
    pub path: String,
    pub sha256: Sha256,
}

/// A component and which artifacts it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryComponent {
    pub purl: String,
    pub name: String,
    pub version: String,
    /// Where it came from, as a lockfile writes it (`registry+https://…`), without credentials; none: a path or member.
    pub source: Option<String>,
    pub checksum: Option<Sha256>,
    pub license: Option<String>,
    /// Its part in each artifact that it takes part in, sorted; empty: Cargo.lock names it, and it is in none.
    pub uses: Vec<InventoryUse>,
    /// Native libraries that its build script asked the linker for, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub native: Vec<InventoryNative>,
}

/// The part of a component in one artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryUse {
    /// Index into [`Inventory::artifacts`].
    pub artifact: u32,
    pub role: Role,
    /// Sorted.
    pub features: Vec<String>,
}

/// A library outside of Rust.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryNative {
    pub name: String,
    /// None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `static`, `dynamic`, `framework` or `unspecified`.
    pub linkage: String,
}

/// What a rescan found that no rescan before it had: the chain of these is the history of every finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescan {
    pub format_version: u32,
    /// The last entry whose release was judged.
    pub up_to: u64,
    pub feeds: Vec<FeedInfo>,
    /// Sorted by advisory, then component.
    pub appeared: Vec<Hit>,
    /// What was known and does not apply any more: the advisory was withdrawn or its range corrected.
    pub disappeared: Vec<Hit>,
}

/// An advisory applies to a component; the releases follow from the inventories.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hit {
    pub advisory: String,
    pub purl: String,
}

/// A place in the chain and what stands there: what `add` prints, to be kept elsewhere. Text form: `42@sha256:<hex>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub sequence: u64,
    pub sha256: Sha256,
}

/// The text is no head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHead;

impl fmt::Display for InvalidHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a head of an archive is a number, @sha256: and 64 lower-case hexadecimal digits")
    }
}

impl std::error::Error for InvalidHead {}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@sha256:{}", self.sequence, self.sha256)
    }
}

impl FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (sequence, digest) = text.split_once("@sha256:").ok_or(InvalidHead)?;
        let sequence = sequence.parse().ok().filter(|&number| number > 0).ok_or(InvalidHead)?;
        Ok(Self { sequence, sha256: digest.parse().map_err(|_| InvalidHead)? })
    }
}

/// The canonical bytes: one line of JSON, keys in the order of the type, and a newline.
///
/// # Panics
/// When the value has keys that are no text, which no type here has.
#[must_use]
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("the types of an archive have string keys and cannot fail to serialise");
    bytes.push(b'\n');
    bytes
}

/// Reads what [`to_bytes`] wrote, and nothing else: no other order of keys, no key twice, no space.
///
/// # Errors
/// Why the bytes are not the canonical form of such a value, a fragment.
pub fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let value: T = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if to_bytes(&value) != bytes {
        return Err("it is not in canonical form".to_owned());
    }
    Ok(value)
}

/// How the line of a document ends.
const END: &str = "}\n";
/// What stands between an entry and its own digest.
const SEAL: &str = ",\"sha256\":\"";

impl Entry {
    /// The bytes of its file: the canonical form, with the digest of that form as its last key. So damage shows in the last entry, too, which
    /// none after it pins. Who changes it on purpose can compute that digest as well: it takes a head that was kept elsewhere to see that.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = to_bytes(self);
        let digest = Sha256::of(&bytes);
        bytes.truncate(bytes.len() - END.len());
        bytes.extend_from_slice(format!("{SEAL}{digest}\"{END}").as_bytes());
        bytes
    }

    /// Reads what [`Entry::to_bytes`] wrote, and nothing else.
    ///
    /// # Errors
    /// Why the bytes are no entry, a fragment.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        let sealed = text.strip_suffix(END).and_then(|text| text.strip_suffix('"')).and_then(|text| text.rsplit_once(SEAL));
        let (line, digest) = sealed.ok_or("it does not end with its digest")?;
        let line = format!("{line}{END}");
        if Sha256::of(&line).to_string() != digest {
            return Err("it does not have the digest that it ends with".to_owned());
        }
        let entry: Self = from_bytes(line.as_bytes())?;
        if entry.format_version != FORMAT_VERSION {
            return Err(format!("its format version is not {FORMAT_VERSION}: a newer cargo-supplychain may read it"));
        }
        Ok(entry)
    }
}

impl Record {
    /// Whether the paths are such as a release may have, sorted, and each there once, whatever case a file system folds.
    ///
    /// # Errors
    /// What is wrong, a fragment.
    pub fn check(&self) -> Result<(), String> {
        if self.format_version != FORMAT_VERSION {
            return Err(format!("its format version is not {FORMAT_VERSION}: a newer cargo-supplychain may read it"));
        }
        if !self.files.is_sorted_by(|a, b| a.path < b.path) {
            return Err("its files are not sorted by path, or one is there twice".to_owned());
        }
        let mut folded = std::collections::BTreeSet::new();
        for file in &self.files {
            release_path::check(&file.path).map_err(|why| format!("the path {:?}: {why}", file.path))?;
            if !folded.insert(release_path::fold(&file.path)) {
                return Err(format!("{:?} differs from another path in upper and lower case only", file.path));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_they_are_written() {
        let head = Head { sequence: 42, sha256: Sha256::of(b"x") };
        assert_eq!(head.to_string().parse(), Ok(head));
        let digest = Sha256::of(b"x");
        for text in [
            String::new(),
            "42".into(),
            format!("0@sha256:{digest}"),
            format!("x@sha256:{digest}"),
            format!("1@{digest}"),
            "1@sha256:ab".into(),
        ] {
            assert_eq!(text.parse::<Head>(), Err(InvalidHead), "{text}");
        }
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let entry = Entry {
            format_version: FORMAT_VERSION,
            sequence: 1,
            previous: None,
            time: "2026-11-29T00:00:00Z".parse().unwrap(),
            event: Event::Begin { nonce: "n".into() },
        };
        let bytes = to_bytes(&entry);
        insta::assert_snapshot!(String::from_utf8_lossy(&bytes), @r#"{"format_version":1,"sequence":1,"previous":null,"time":"2026-11-29T00:00:00Z","event":{"kind":"begin","nonce":"n"}}"#);
        let sealed = entry.to_bytes();
        insta::assert_snapshot!(String::from_utf8_lossy(&sealed), @r#"{"format_version":1,"sequence":1,"previous":null,"time":"2026-11-29T00:00:00Z","event":{"kind":"begin","nonce":"n"},"sha256":"7ce10e09931693032dcce9cd581fcdd1447e0995f8a1e5e6cb9742db5bb0dc73"}"#);
        assert_eq!(Entry::from_bytes(&sealed), Ok(entry.clone()));
        for at in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(Entry::from_bytes(&flipped).is_err(), "bit {at}");
        }
        assert_eq!(from_bytes::<Entry>(&bytes), Ok(entry));
        let text = String::from_utf8(bytes).unwrap();
        for other in [
            text.trim_end().to_owned(),
            text.replace(":1,", ": 1,"),
            text.replace("\"sequence\":1,", "\"sequence\":1,\"sequence\":1,"),
            text.replace("\"sequence\":1,", "\"more\":1,\"sequence\":1,"),
            text.clone() + "\n",
        ] {
            assert!(from_bytes::<Entry>(other.as_bytes()).is_err(), "{other}");
        }
    }
}
