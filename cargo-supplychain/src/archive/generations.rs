//! Objects that may be removed while others add, without a lock: a name that was given up is never used again. [`Store`] over another one.
//!
//! Where stores cannot hold writers off (object stores), pruning races with a writer who finds an object in place and relies on it. The chain decides
//! it, since its entries have one order. The entry of a prune gives up the objects that only the pruned releases had; what comes after it and
//! needs such an object again keeps it under a name of the next generation: `objects/ab/<digest>.<number of that entry>`. So a remover, however late
//! it wakes, removes only names that no release after the prune uses. Needed of a writer: it claims its entry only after it
//! has read all entries before it and, where one of them gave up objects, has put its own again.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{PoisonError, RwLock};

use super::store::{Creation, Error, Listed, Store};
use crate::base::Sha256;

const OBJECTS: &str = "objects/";

/// A store whose objects have generations.
pub struct Generations<S> {
    inner: S,
    /// The last entry that gave an object up, by the object's path.
    given_up: RwLock<BTreeMap<String, u64>>,
}

impl<S: Store> Generations<S> {
    /// Nothing is given up yet.
    pub fn new(inner: S) -> Self {
        Self { inner, given_up: RwLock::default() }
    }

    /// Notes that the entry `by` gave up these objects. Entries may be noted in any order, and again.
    pub fn give_up(&self, objects: impl IntoIterator<Item = Sha256>, by: u64) {
        let mut given_up = self.given_up.write().unwrap_or_else(PoisonError::into_inner);
        for digest in objects {
            let hex = digest.to_string();
            let last = given_up.entry(format!("{OBJECTS}{}/{hex}", &hex[..2])).or_default();
            *last = by.max(*last);
        }
    }

    /// Removes what was given up, as far as it is still there; how many files. Whoever may remove can do it at any time and any number of times.
    ///
    /// # Errors
    /// They cannot be listed or removed.
    pub fn sweep(&self) -> Result<usize, Error> {
        let mut removed = 0;
        for one in self.inner.list(OBJECTS)? {
            let Some((path, generation)) = parts(&one.path) else { continue };
            if generation < self.generation(path) {
                self.inner.remove(&one.path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn generation(&self, path: &str) -> u64 {
        self.given_up.read().unwrap_or_else(PoisonError::into_inner).get(path).copied().unwrap_or(0)
    }

    /// Where a path is in the store below.
    fn below(&self, path: &str) -> String {
        match self.generation(path) {
            0 => path.to_owned(),
            generation => format!("{path}.{generation}"),
        }
    }
}

/// An object's path and its generation; `None`: it is the path of no object.
fn parts(path: &str) -> Option<(&str, u64)> {
    let name = path.strip_prefix(OBJECTS)?.split_once('/')?.1;
    let (digest, generation) = match name.split_once('.') {
        Some((digest, number)) => (digest, number.parse().ok().filter(|&one: &u64| one > 0 && number == one.to_string())?),
        None => (name, 0),
    };
    digest.parse::<Sha256>().ok()?;
    Some((&path[..path.len() - (name.len() - digest.len())], generation))
}

impl<S: Store> Store for Generations<S> {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        self.inner.read(&self.below(path), limit)
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + Send>, Error> {
        self.inner.open(&self.below(path))
    }

    fn create(&self, path: &str, content: &mut dyn Read) -> Result<Creation, Error> {
        self.inner.create(&self.below(path), content)
    }

    /// Objects by the names without generation; those that were given up are not there.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        for one in self.inner.list(prefix)? {
            match parts(&one.path) {
                Some((path, generation)) if generation == self.generation(path) => {
                    found.push(Listed { path: path.to_owned(), size: one.size });
                }
                // Given up; or of a prune that is not noted here, and so of an entry after those that are.
                Some(_) => {}
                None => found.push(one),
            }
        }
        found.sort();
        Ok(found)
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        self.inner.remove(&self.below(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_generation() {
        let digest = Sha256::of(b"x");
        let path = format!("objects/2d/{digest}");
        assert_eq!(parts(&path), Some((path.as_str(), 0)));
        assert_eq!(parts(&format!("{path}.12")), Some((path.as_str(), 12)));
        for other in [
            format!("{path}.0"),
            format!("{path}.01"),
            format!("{path}.1.2"),
            format!("{path}."),
            "objects/x".into(),
            "log/1".into(),
        ] {
            assert_eq!(parts(&other), None, "{other}");
        }
    }

    #[cfg(feature = "remote-stores")]
    #[test]
    fn a_late_remover_removes_nothing_that_is_used() {
        let bucket = crate::archive::remote::in_memory();
        let (digest, other) = (Sha256::of(b"x"), Sha256::of(b"y"));
        let at = |digest: Sha256| format!("objects/{}/{digest}", &digest.to_string()[..2]);
        let adder = Generations::new(bucket.clone());
        for bytes in [b"x", b"y"] {
            assert_eq!(adder.create(&at(Sha256::of(bytes)), &mut &bytes[..]).unwrap(), Creation::Created);
        }
        // Entry 5 prunes the only release with x. Its remover sleeps; another finds x in place, then sees entry 5.
        let remover = Generations::new(bucket.clone());
        remover.give_up([digest], 5);
        assert_eq!(adder.create(&at(digest), &mut &b"x"[..]).unwrap(), Creation::Exists);
        adder.give_up([digest], 5);
        assert!(matches!(adder.read(&at(digest), 1), Err(Error::NotFound { .. })));
        assert_eq!(adder.create(&at(digest), &mut &b"x"[..]).unwrap(), Creation::Created);
        // The remover wakes, twice.
        assert_eq!((remover.sweep().unwrap(), remover.sweep().unwrap()), (1, 0));
        assert_eq!(adder.read(&at(digest), 1).unwrap(), b"x");
        assert_eq!(adder.list(OBJECTS).unwrap().into_iter().map(|one| one.path).collect::<Vec<_>>(), [at(digest), at(other)]);
        // And once more at entry 9.
        for one in [&adder, &remover] {
            one.give_up([digest], 9);
            one.give_up([digest], 5);
        }
        assert_eq!(adder.create(&at(digest), &mut &b"x"[..]).unwrap(), Creation::Created);
        assert_eq!(remover.sweep().unwrap(), 1);
        assert_eq!(adder.read(&at(digest), 1).unwrap(), b"x");
        assert_eq!(adder.read(&at(other), 1).unwrap(), b"y");
    }
}
