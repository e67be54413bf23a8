//! What a bill of materials of one artifact lists, the same for every format: what is linked, what only helped to build it, the
//! edges among them and the native libraries. What Cargo.lock merely resolves is not in it (ARCHITECTURE.md, invariant 2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::base::text::{counted, plain};
use crate::model::{Artifact, ArtifactKind, Build, Component, NativeLibrary, Use};

/// The model names a component that it does not describe: it was put together wrongly, and nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownComponent {
    pub artifact: String,
    pub purl: String,
}

impl fmt::Display for UnknownComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the build model names `{}` in artifact `{}` without describing it", self.purl, self.artifact)
    }
}

impl std::error::Error for UnknownComponent {}

/// Why no bill of materials was written: but for [`Error::NotBuilt`] a fault of the model that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    UnknownComponent(UnknownComponent),
    /// The format's library does not take what was built for it; `reason` is what it says.
    Invalid {
        format: &'static str,
        artifact: String,
        reason: String,
    },
    /// The format describes released files, and this one is only planned.
    NotBuilt {
        format: &'static str,
        artifact: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownComponent(error) => error.fmt(f),
            Self::NotBuilt { format, artifact } => {
                write!(f, "`{}` is not built: {format} describes released files, which `build` writes", plain(artifact))
            }
            Self::Invalid { format, artifact, reason } => write!(f, "no valid {format} document of `{artifact}`: {reason}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<UnknownComponent> for Error {
    fn from(error: UnknownComponent) -> Self {
        Self::UnknownComponent(error)
    }
}

/// A listed component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub part: &'a Use,
    pub component: &'a Component,
    /// Its part on the host side, where it is linked and helped to build as well.
    pub also_host: Option<&'a Use>,
    pub is_linked: bool,
}

/// See the module's head. References to the artifact are [`Inventory::root`], all others package URLs.
#[derive(Debug)]
pub(super) struct Inventory<'a> {
    /// The artifact's reference: its package's URL, so that edges to its own package are edges to it.
    pub root: String,
    /// The artifact's own package, which the artifact itself stands for.
    pub own: Option<&'a Component>,
    pub own_part: Option<&'a Use>,
    /// Linked ones first, each group sorted by package URL, the own package excepted.
    pub entries: Vec<Entry<'a>>,
    /// From every listed reference, the root included, to its direct dependencies, sorted.
    pub edges: BTreeMap<String, BTreeSet<String>>,
    /// By the reference of the crate that asked for them; the root's where that crate is not listed.
    pub native: BTreeMap<String, BTreeSet<&'a NativeLibrary>>,
    /// What is left out, where only so many steps of dependencies are listed.
    pub cut: Option<Cut>,
}

/// What a limit of depth leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub depth: u32,
    /// The references whose dependencies are not all listed.
    pub at: BTreeSet<String>,
    /// How many components are not listed.
    pub left_out: usize,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} further away than that are not listed", self.depth, counted(self.left_out, "component"))
    }
}

impl<'a> Inventory<'a> {
    pub(super) fn of(build: &'a Build, artifact: &'a Artifact) -> Result<Self, UnknownComponent> {
        let describe = |purl: &str| {
            let unknown = || UnknownComponent { artifact: artifact.name.clone(), purl: purl.to_owned() };
            build.components.get(purl).ok_or_else(unknown)
        };
        let own = if artifact.package.is_empty() { None } else { Some(describe(&artifact.package)?) };
        let root = match own {
            Some(_) => artifact.package.clone(),
            None => format!("artifact:{}", artifact.name),
        };
        let linked: BTreeMap<&str, &Use> = by_purl(&artifact.linked);
        let host: BTreeMap<&str, &Use> = by_purl(&artifact.host);
        let mut entries = Vec::new();
        for (&purl, &part) in linked.iter().filter(|(purl, _)| **purl != artifact.package) {
            entries.push(Entry { part, component: describe(purl)?, also_host: host.get(purl).copied(), is_linked: true });
        }
        for (&purl, &part) in host.iter().filter(|(purl, _)| **purl != artifact.package && !linked.contains_key(**purl)) {
            entries.push(Entry { part, component: describe(purl)?, also_host: None, is_linked: false });
        }
        let edges = edges(artifact, &root, &entries);
        let mut native: BTreeMap<String, BTreeSet<&NativeLibrary>> = BTreeMap::new();
        for library in &artifact.native {
            let holder = if edges.contains_key(&library.component) { library.component.clone() } else { root.clone() };
            native.entry(holder).or_default().insert(library);
        }
        let own_part = linked.get(artifact.package.as_str()).copied();
        Ok(Self { root, own, own_part, entries, edges, native, cut: None })
    }

    /// Only what is at most `depth` steps away from the artifact. What that leaves out, `cut` says.
    pub(super) fn cut_at(mut self, depth: u32) -> Self {
        let mut near: BTreeSet<String> = BTreeSet::from([self.root.clone()]);
        let mut edge: Vec<String> = vec![self.root.clone()];
        for _ in 0..depth {
            let next = edge.iter().filter_map(|from| self.edges.get(from)).flatten().filter(|to| !near.contains(*to));
            let next: BTreeSet<String> = next.cloned().collect();
            near.extend(next.iter().cloned());
            edge = next.into_iter().collect();
        }
        let before = self.entries.len();
        self.entries.retain(|entry| near.contains(&entry.part.purl));
        self.edges.retain(|from, _| near.contains(from));
        self.native.retain(|holder, _| near.contains(holder));
        let mut at = BTreeSet::new();
        for (from, to) in &mut self.edges {
            let all = to.len();
            to.retain(|to| near.contains(to));
            if to.len() < all {
                at.insert(from.clone());
            }
        }
        self.cut = Some(Cut { depth, at, left_out: before - self.entries.len() });
        self
    }
}

/// Whether the standard library of the toolchain is in the artifact: it is in every linked file, and in no source package.
pub(super) fn has_standard_library(artifact: &Artifact) -> bool {
    !matches!(artifact.kind, ArtifactKind::Crate | ArtifactKind::Derived)
}

fn by_purl(uses: &[Use]) -> BTreeMap<&str, &Use> {
    uses.iter().map(|part| (part.purl.as_str(), part)).collect()
}

/// The edges among what is listed. An artifact without a package of its own (a derived one) has edges to all that nothing
/// else listed depends on.
fn edges(artifact: &Artifact, root: &str, entries: &[Entry<'_>]) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::from([(root.to_owned(), BTreeSet::new())]);
    edges.extend(entries.iter().map(|entry| (entry.part.purl.clone(), BTreeSet::new())));
    let mut has_parent = BTreeSet::new();
    for (from, targets) in &artifact.dependencies {
        let known: BTreeSet<String> = targets.iter().filter(|to| *to != from && edges.contains_key(*to)).cloned().collect();
        if let Some(listed) = edges.get_mut(from) {
            has_parent.extend(known.iter().cloned());
            listed.extend(known);
        }
    }
    if artifact.package.is_empty() {
        let tops: Vec<String> =
            entries.iter().map(|entry| entry.part.purl.clone()).filter(|purl| !has_parent.contains(purl)).collect();
        if let Some(listed) = edges.get_mut(root) {
            listed.extend(tops);
        }
    }
    edges
}
