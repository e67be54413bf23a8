//! An archived release as the index keeps it, and its bytes in a table: numbers and texts one after the other, because an answer may be about
//! every release there is.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Corrupt, Cursor, put_number};
use crate::archived::InventoryArtifact;
use crate::base::{Sha256, Timestamp};

const DIGEST: usize = 32;

/// An archived release. Its texts are shared with the other releases that were read with it: most say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedRelease {
    /// Of its entry in the chain.
    pub sequence: u64,
    pub name: Arc<str>,
    pub version: Arc<str>,
    pub target: Arc<str>,
    /// When it came in, by its entry.
    pub archived: Timestamp,
    pub record: Sha256,
    pub rustc: Arc<str>,
    pub artifacts: Vec<IndexedArtifact>,
}

/// A file of an archived release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedArtifact {
    pub name: Arc<str>,
    pub path: Arc<str>,
    pub sha256: Sha256,
}

impl From<InventoryArtifact> for IndexedArtifact {
    fn from(artifact: InventoryArtifact) -> Self {
        Self { name: artifact.name.into(), path: artifact.path.into(), sha256: artifact.sha256 }
    }
}

/// The texts that were read, each once.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: HashSet<Arc<str>>,
    /// Of the release before, in the order in which they are read: mostly the next one says the same there, which costs no look-up.
    before: Vec<Arc<str>>,
}

impl Texts {
    /// The text of this number in a release.
    fn read(&mut self, number: usize, cursor: &mut Cursor<'_>) -> Result<Arc<str>, Corrupt> {
        let bytes = cursor.text()?;
        if let Some(before) = self.before.get(number)
            && before.as_bytes() == bytes
        {
            return Ok(Arc::clone(before));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Corrupt::new("a text is none"))?;
        let text = match self.all.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = text.into();
                self.all.insert(Arc::clone(&new));
                new
            }
        };
        match self.before.get_mut(number) {
            Some(before) => *before = Arc::clone(&text),
            None => self.before.push(Arc::clone(&text)),
        }
        Ok(text)
    }
}

/// Releases by their entries. Each is shared by all that is answered of it, and moved by nobody.
pub type Releases = BTreeMap<u64, Arc<IndexedRelease>>;

impl IndexedRelease {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, self.sequence);
        for text in [&self.name, &self.version, &self.target, &self.rustc] {
            put_text(&mut out, text);
        }
        put_number(&mut out, self.archived.unix().cast_unsigned());
        out.extend_from_slice(self.record.as_bytes());
        put_number(&mut out, self.artifacts.len() as u64);
        for artifact in &self.artifacts {
            put_text(&mut out, &artifact.name);
            put_text(&mut out, &artifact.path);
            out.extend_from_slice(artifact.sha256.as_bytes());
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8], texts: &mut Texts) -> Result<Self, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let sequence = cursor.number()?;
        let mut number = 0..;
        let mut text = |cursor: &mut Cursor<'_>| texts.read(number.next().unwrap_or(usize::MAX), cursor);
        let [name, version, target, rustc] = [text(&mut cursor)?, text(&mut cursor)?, text(&mut cursor)?, text(&mut cursor)?];
        let archived = Timestamp::from_unix(cursor.number()?.cast_signed()).ok_or_else(|| Corrupt::new("a time is none"))?;
        let record = digest(&mut cursor)?;
        let count = usize::try_from(cursor.number()?).map_err(|_| Corrupt::new("a length is too large"))?;
        let mut artifacts = Vec::with_capacity(count.min(bytes.len() / DIGEST));
        for _ in 0..count {
            let (name, path) = (text(&mut cursor)?, text(&mut cursor)?);
            artifacts.push(IndexedArtifact { name, path, sha256: digest(&mut cursor)? });
        }
        if !cursor.is_empty() {
            return Err(Corrupt::new("more follows than a release has"));
        }
        Ok(Self { sequence, name, version, target, archived, record, rustc, artifacts })
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn digest(cursor: &mut Cursor<'_>) -> Result<Sha256, Corrupt> {
    let bytes: [u8; DIGEST] = cursor.bytes(DIGEST)?.try_into().map_err(|_| Corrupt::new("it is cut short"))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            (sequence, unix, texts) in (any::<u64>(), -1_000_000_000_i64..5_000_000_000, proptest::array::uniform4(".{0,9}")),
            artifacts in proptest::collection::vec((".{0,9}", ".{0,9}"), 0..4),
        ) {
            let [name, version, target, rustc] = texts.map(Arc::from);
            let artifact = |(name, path): (String, String)| IndexedArtifact { sha256: Sha256::of(&path), name: name.into(), path: path.into() };
            let release = IndexedRelease {
                sequence, name, version, target, rustc,
                archived: Timestamp::from_unix(unix).unwrap(),
                record: Sha256::of(sequence.to_be_bytes()),
                artifacts: artifacts.into_iter().map(artifact).collect(),
            };
            let bytes = release.to_bytes();
            prop_assert_eq!(IndexedRelease::from_bytes(&bytes, &mut Texts::default()), Ok(release));
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = IndexedRelease::from_bytes(&bytes, &mut Texts::default());
        }
    }
}
