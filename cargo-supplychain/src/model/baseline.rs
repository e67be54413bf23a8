//! `supplychain.lock`: what was known and accepted of each crate: owners, publishers, capabilities. Pure types, parser and writer of
//! a committed file that others can change: bounded, sorted, one block a crate. Where it lies and who may write it is `ops::baseline`'s.

mod complete;
mod difference;
mod read;
mod renew;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

pub use complete::Completed;
pub use difference::{Change, CrateDifference, Difference, Kind, What};
pub use read::{Error, MAX_BYTES, parse};
pub use renew::{Known, Obstacle};

use super::registry::{CrateKey, Owner, Publisher};
use crate::base::{Sha256, Timestamp};

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    pub crates: BTreeMap<CrateKey, KnownCrate>,
}

/// What was accepted of one crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownCrate {
    /// With the day on which each was first seen; `None`: owners were not looked up yet.
    pub owners: Option<Vec<KnownOwner>>,
    /// Everybody who published a version that was locked, as far as known; sorted.
    pub publishers: Vec<KnownPublisher>,
    pub repository: Option<String>,
    pub flags: KnownFlags,
    /// Names of the direct dependencies (normal and build) of the newest locked version.
    pub dependencies: Vec<String>,
    pub versions: BTreeMap<semver::Version, KnownVersion>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownOwner {
    pub owner: Owner,
    /// The day on which it was first accepted as an owner: the same for all that were owners when the crate's were looked up first.
    pub first_seen: Timestamp,
}

/// A publisher by what identifies it: the account's number, or provider and repository. The login is for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownPublisher {
    User { id: u64, login: String },
    Trusted { provider: String, repository: String },
}

/// Capabilities that were accepted; `None`: not known when it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFlags {
    pub build_script: Option<bool>,
    pub proc_macro: Option<bool>,
    pub links: Option<String>,
    pub blobs: Option<bool>,
    pub native_code: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownVersion {
    pub checksum: Option<Sha256>,
    pub published: Option<Timestamp>,
    pub publisher: Option<KnownPublisher>,
}

impl KnownPublisher {
    /// Of a version's publisher; `None` where the registry does not say.
    #[must_use]
    pub fn of(publisher: &Publisher) -> Option<Self> {
        match publisher {
            Publisher::User(account) => Some(Self::User { id: account.id, login: account.login.clone() }),
            Publisher::Trusted { provider, repository } => {
                Some(Self::Trusted { provider: provider.clone(), repository: repository.clone() })
            }
            Publisher::Unknown => None,
        }
    }

    /// Whether both are the same identity: the login of an account may change, its number does not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::User { id, .. }, Self::User { id: other, .. }) => id == other,
            (Self::Trusted { .. }, Self::Trusted { .. }) => self == other,
            _ => false,
        }
    }
}

impl std::fmt::Display for KnownPublisher {
    /// `user alice (42)`, `github org/repo`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User { id, login } => write!(f, "user {login} ({id})"),
            Self::Trusted { provider, repository } => write!(f, "{provider} {repository}"),
        }
    }
}
