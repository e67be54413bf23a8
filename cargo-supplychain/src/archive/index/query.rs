//! What is asked of the index: components by name with the releases that they are in, releases by their entries. Pruned releases are in no
//! answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;

use super::Index;
use crate::archived::Head;
use crate::archived::answer::InReleases;
use crate::archived::history::History;
use crate::archived::index::Corrupt;
use crate::archived::index::segment::{self, ComponentKey, Detail, IndexedComponent, IndexedRelease, Releases};
use crate::base::Sha256;

impl Index {
    /// The archive's identity: the digest of its first entry.
    #[must_use]
    pub fn archive(&self) -> Sha256 {
        self.state.archive
    }

    /// The entry up to which it says what the archive says.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { sequence: self.state.sequence, sha256: self.state.sha256 }
    }

    /// What rescans have recorded.
    ///
    /// # Errors
    /// It is not as it was written.
    pub fn history(&self) -> Result<History, Corrupt> {
        self.state.history()
    }

    /// Releases that are kept and whose inventory could not be read, with the reason: nobody knows what is in them.
    pub fn unreadable(&self) -> impl Iterator<Item = (u64, &str)> {
        let kept = self.state.unreadable.iter().filter(|(sequence, _)| !self.state.pruned.contains(sequence));
        kept.map(|(sequence, unreadable)| (*sequence, unreadable.why.as_str()))
    }

    /// How many distinct components it has.
    ///
    /// # Errors
    /// A table is not as it was written.
    pub fn component_count(&self) -> Result<u64, Corrupt> {
        self.all_components().map(|components| components.len() as u64)
    }

    /// How many releases it has, pruned ones left out.
    #[must_use]
    pub fn release_count(&self) -> u64 {
        let all: u64 = self.state.segments.iter().map(|segment| segment.releases).sum();
        all.saturating_sub(self.state.pruned_in_tables)
    }

    /// How many bytes its tables have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The components of these names, sorted by name, version and source.
    ///
    /// # Errors
    /// A table is not as it was written.
    pub fn components(&self, names: &BTreeSet<String>) -> Result<Vec<InReleases>, Corrupt> {
        let mut found = Vec::new();
        for table in &self.tables {
            found.extend(segment::components(table, names)?);
        }
        Ok(self.joined(found))
    }

    /// Every component, sorted.
    ///
    /// # Errors
    /// A table is not as it was written.
    pub fn all_components(&self) -> Result<Vec<InReleases>, Corrupt> {
        let mut found = Vec::new();
        for table in &self.tables {
            segment::all_components(table, |component| found.push(component))?;
        }
        Ok(self.joined(found))
    }

    /// One component of each key, without pruned releases; a component of pruned releases only is left out.
    fn joined(&self, components: Vec<IndexedComponent>) -> Vec<InReleases> {
        let mut joined: BTreeMap<ComponentKey, BTreeMap<Detail, Vec<u64>>> = BTreeMap::new();
        for component in components {
            let places = joined.entry(component.key).or_default();
            for mut posting in component.postings {
                posting.releases.retain(|release| !self.state.pruned.contains(release));
                if !posting.releases.is_empty() {
                    places.entry(posting.detail).or_default().extend(posting.releases);
                }
            }
        }
        let sorted = |(key, places): (ComponentKey, BTreeMap<Detail, Vec<u64>>)| {
            let places = places.into_iter().map(|(detail, mut releases)| {
                releases.sort_unstable();
                (detail, releases)
            });
            InReleases { key, library: None, places: places.collect() }
        };
        joined.into_iter().map(sorted).filter(|component| !component.places.is_empty()).collect()
    }

    /// The releases of these entries.
    ///
    /// # Errors
    /// A table is not as it was written.
    pub fn releases(&self, sequences: &BTreeSet<u64>) -> Result<Releases, Corrupt> {
        let mut found = Vec::new();
        for table in &self.tables {
            found.extend(segment::releases(table, sequences)?);
        }
        Ok(self.kept(found))
    }

    fn kept(&self, releases: Vec<Arc<IndexedRelease>>) -> Releases {
        let kept = releases.into_iter().filter(|release| !self.state.pruned.contains(&release.sequence));
        kept.map(|release| (release.sequence, release)).collect()
    }

    /// Every release, by its entry.
    ///
    /// # Errors
    /// A table is not as it was written.
    pub fn all_releases(&self) -> Result<Releases, Corrupt> {
        let mut found = Vec::new();
        for table in &self.tables {
            found.extend(segment::all_releases(table)?);
        }
        Ok(self.kept(found))
    }

    /// Where the index of an archive is.
    #[must_use]
    pub fn folder(cache_dir: &Utf8Path, archive: Sha256) -> camino::Utf8PathBuf {
        super::folder(cache_dir, archive)
    }
}
