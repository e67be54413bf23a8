//! Owners and publishers from the API of crates.io, or from a folder that stands for it. What they mean is `check`'s to judge. A crate
//! that cannot be learnt about never keeps the others from being learnt about.

pub mod answer;
mod cache;
mod live;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use tame_index::KrateName;

use crate::base::Sha256;
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, CrateRecord, NoRecord};

pub use live::{ApiRequest, DEFAULT_API, DEFAULT_INDEX, live};
pub use snapshot::snapshot;

/// Records by crate.
pub type Records = BTreeMap<CrateKey, Result<CrateRecord, NoRecord>>;

/// The largest answer that is read, in bytes; a page of a hundred versions has a few hundred kibibytes.
const MAX_ANSWER: u64 = 32 << 20;
/// Pages of versions that are asked for; no crate has had more than a few thousand versions.
const MAX_PAGES: usize = 200;

/// What is wanted of a crate.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The versions that are locked: an answer from before one of them was published is no answer.
    pub versions: BTreeSet<semver::Version>,
    /// Digest of the crate's index entry, where there is one: while it is the same, nothing was published or yanked.
    pub entry: Option<Sha256>,
}

/// Why a part of the API gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NoAnswer {
    NotFound,
    Unknown(String),
}

impl NoAnswer {
    fn why(&self) -> &str {
        match self {
            Self::NotFound => "answered 404",
            Self::Unknown(why) => why,
        }
    }
}

/// The parts of the API, below `api/v1/crates/NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'p> {
    Crate,
    Owners,
    /// With the query of the page.
    Versions(&'p str),
}

/// Asks for a part.
type Ask<'a> = dyn FnMut(Part<'_>) -> Result<Vec<u8>, NoAnswer> + 'a;

/// Whether a crate is one that crates.io can have; its name is safe in a path and a URL then.
fn is_askable(key: &CrateKey) -> Result<(), NoRecord> {
    if !CRATES_IO.contains(&key.source.as_str()) {
        return Err(NoRecord::Unknown("the registry has no such API".to_owned()));
    }
    match KrateName::crates_io(&key.name) {
        Ok(_) => Ok(()),
        Err(_) => Err(NoRecord::Unknown("crates.io can have no crate of this name".to_owned())),
    }
}

/// The whole record of a crate.
fn record(name: &str, ask: &mut Ask<'_>) -> Result<CrateRecord, NoRecord> {
    let mut record = head(name, ask)?;
    record.versions = all_versions(name, ask).map_err(|gap| NoRecord::Unknown(format!("its versions: {}", gap.why())))?;
    Ok(record)
}

/// The record without its versions. Owners that cannot be had are unknown, the rest counts.
fn head(name: &str, ask: &mut Ask<'_>) -> Result<CrateRecord, NoRecord> {
    let krate = match ask(Part::Crate) {
        Ok(bytes) => answer::krate(&bytes, name).map_err(|why| NoRecord::Unknown(why.to_owned()))?,
        Err(NoAnswer::NotFound) => return Err(NoRecord::NotFound),
        Err(NoAnswer::Unknown(why)) => return Err(NoRecord::Unknown(why)),
    };
    let owners = ask(Part::Owners).ok().and_then(|bytes| answer::owners(&bytes).ok());
    Ok(CrateRecord { owners, ..krate })
}

fn all_versions(name: &str, ask: &mut Ask<'_>) -> Result<answer::Versions, NoAnswer> {
    let unknown = |why: &str| NoAnswer::Unknown(why.to_owned());
    let (mut found, mut query) = (BTreeMap::new(), "?per_page=100".to_owned());
    for _ in 0..MAX_PAGES {
        let bytes = ask(Part::Versions(&query))?;
        let page = answer::versions(&bytes, name).map_err(unknown)?;
        found.extend(page.versions);
        match page.next {
            answer::Page::Next(next) if next == query => return Err(unknown("a page leads to itself")),
            answer::Page::Next(next) => query = next,
            answer::Page::Last => return Ok(found),
        }
    }
    Err(unknown("too many pages"))
}

#[cfg(test)]
mod tests;
