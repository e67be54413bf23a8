//! What differs between two baselines: what the file says and what is known now. Pure; lists in the order of the crates.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Baseline, KnownCrate, KnownVersion};
use crate::model::registry::CrateKey;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub crates: Vec<CrateDifference>,
}

/// The difference of one crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrateDifference {
    #[serde(flatten)]
    pub key: CrateKey,
    pub kind: Kind,
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// One thing that differs, as text for people; `None` stands for what is not there or not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub what: What,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Version,
    Checksum,
    Published,
    /// Who published a version.
    PublishedBy,
    Owner,
    Publisher,
    Repository,
    BuildScript,
    ProcMacro,
    NativeCode,
    Blobs,
    Links,
    Dependency,
    /// Owners were looked up, or are no longer known.
    OwnersKnown,
}

impl What {
    /// The word in JSON, for people with blanks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Checksum => "checksum",
            Self::Published => "published",
            Self::PublishedBy => "published by",
            Self::Owner => "owner",
            Self::Publisher => "publisher",
            Self::Repository => "repository",
            Self::BuildScript => "build script",
            Self::ProcMacro => "proc macro",
            Self::NativeCode => "native code",
            Self::Blobs => "binary files",
            Self::Links => "links",
            Self::Dependency => "dependency",
            Self::OwnersKnown => "owners known",
        }
    }
}

impl Difference {
    /// From one baseline to the other.
    #[must_use]
    pub fn between(before: &Baseline, after: &Baseline) -> Self {
        let keys: BTreeSet<_> = before.crates.keys().chain(after.crates.keys()).collect();
        let nothing = KnownCrate::default();
        let mut crates = Vec::new();
        for key in keys {
            let (old, new) = (before.crates.get(key), after.crates.get(key));
            let kind = match (old, new) {
                (None, _) => Kind::Added,
                (_, None) => Kind::Removed,
                _ => Kind::Changed,
            };
            let changes = changes(old.unwrap_or(&nothing), new.unwrap_or(&nothing));
            if kind != Kind::Changed || !changes.is_empty() {
                crates.push(CrateDifference { key: key.clone(), kind, changes });
            }
        }
        Self { crates }
    }

    /// How many crates differ in this way.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.crates.iter().filter(|one| one.kind == kind).count()
    }
}

fn changes(old: &KnownCrate, new: &KnownCrate) -> Vec<Change> {
    let mut found = Vec::new();
    versions(&mut found, old, new);
    let known = |one: &KnownCrate| one.owners.is_some().then(|| "yes".to_owned());
    compare(&mut found, What::OwnersKnown, known(old), known(new));
    let owners = |one: &KnownCrate| -> Vec<_> {
        one.owners.iter().flatten().map(|known| (known.owner.key(), known.owner.to_string())).collect()
    };
    entries(&mut found, What::Owner, &owners(old), &owners(new));
    let publishers = |one: &KnownCrate| -> Vec<_> {
        one.publishers.iter().map(|publisher| (super::read::identity(publisher), publisher.to_string())).collect()
    };
    entries(&mut found, What::Publisher, &publishers(old), &publishers(new));
    compare(&mut found, What::Repository, old.repository.clone(), new.repository.clone());
    let (was, is) = (&old.flags, &new.flags);
    for (what, was, is) in [
        (What::BuildScript, was.build_script, is.build_script),
        (What::ProcMacro, was.proc_macro, is.proc_macro),
        (What::NativeCode, was.native_code, is.native_code),
        (What::Blobs, was.blobs, is.blobs),
    ] {
        let word = |flag: Option<bool>| flag.map(|flag| if flag { "yes" } else { "no" }.to_owned());
        compare(&mut found, what, word(was), word(is));
    }
    compare(&mut found, What::Links, was.links.clone(), is.links.clone());
    let dependencies = |one: &KnownCrate| one.dependencies.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
    entries(&mut found, What::Dependency, &dependencies(old), &dependencies(new));
    found
}

fn versions(found: &mut Vec<Change>, old: &KnownCrate, new: &KnownCrate) {
    let names = |one: &KnownCrate| one.versions.keys().map(|version| (version.clone(), version.to_string())).collect::<Vec<_>>();
    entries(found, What::Version, &names(old), &names(new));
    for (version, was) in &old.versions {
        let Some(is) = new.versions.get(version) else { continue };
        for ((what, was), (_, is)) in parts(was).into_iter().zip(parts(is)) {
            let of_version = |value: Option<String>| value.map(|value| format!("{version}: {value}"));
            compare(found, what, of_version(was), of_version(is));
        }
    }
}

/// What is known of a version, as text.
fn parts(version: &KnownVersion) -> [(What, Option<String>); 3] {
    [
        (What::Checksum, version.checksum.map(|sum| sum.to_string())),
        (What::Published, version.published.map(|time| time.to_string())),
        (What::PublishedBy, version.publisher.as_ref().map(ToString::to_string)),
    ]
}

fn compare(found: &mut Vec<Change>, what: What, before: Option<String>, after: Option<String>) {
    if before != after {
        found.push(Change { what, before, after });
    }
}

/// Entries by what identifies each: those that went, those that came, and those that are written otherwise.
fn entries<K: Ord>(found: &mut Vec<Change>, what: What, old: &[(K, String)], new: &[(K, String)]) {
    let mut both = BTreeMap::<&K, (Option<&String>, Option<&String>)>::new();
    old.iter().for_each(|(key, text)| both.entry(key).or_default().0 = Some(text));
    new.iter().for_each(|(key, text)| both.entry(key).or_default().1 = Some(text));
    for (before, after) in both.into_values() {
        compare(found, what, before.cloned(), after.cloned());
    }
}
