//! The project's decisions about vulnerabilities (`[[vex]]`) as statements for others: which product, which component in it, what was decided.
//! Here is what is said, in no format's words; the formats are files beside this one. Only what a person decided is ever said.

pub(super) mod csaf;
mod cyclonedx;
pub mod list;
mod openvex;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Sha256, Timestamp, purl};
use crate::config::{DocumentSettings, VexDecision};
use crate::model::{Artifact, Build};

pub use csaf::document as csaf;
pub use cyclonedx::document as cyclonedx;
pub use openvex::document as openvex;

/// What is released, as far as statements name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    pub name: String,
    pub version: String,
    /// By package URL.
    pub products: BTreeMap<String, Product>,
    /// Components that the lockfile names and that are in no product.
    pub aside: BTreeSet<Component>,
}

/// A package of the workspace whose targets are released.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    pub name: String,
    pub version: String,
    /// Names and digests of its files; none before a build.
    pub files: BTreeMap<String, Sha256>,
    /// What is linked into them or helped to build them.
    pub components: BTreeSet<Component>,
}

/// A crate, or a library that is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    pub purl: String,
    pub name: String,
    pub version: Option<String>,
    pub is_crate: bool,
}

impl Component {
    fn is_meant_by(&self, decision: &VexDecision) -> bool {
        match self.is_crate {
            true => decision.component.is_crate(&self.name, self.version.as_deref().unwrap_or_default()),
            false => decision.component.is_library(&self.name, self.version.as_deref()),
        }
    }
}

impl Released {
    /// Of a build, planned or made. What a command of the user's made of the built files is no product here: nothing says what is in it.
    #[must_use]
    pub fn of(build: &Build) -> Self {
        let component = |purl: &String| {
            let one = build.components.get(purl)?;
            Some(Component { purl: purl.clone(), name: one.name.clone(), version: Some(one.version.clone()), is_crate: true })
        };
        let mut products: BTreeMap<String, Product> = BTreeMap::new();
        for artifact in &build.artifacts {
            let Some(package) = build.components.get(&artifact.package) else { continue };
            let product = products.entry(package.purl.clone()).or_default();
            (product.name, product.version) = (package.name.clone(), package.version.clone());
            product.files.extend(artifact.file.as_ref().map(|file| (file.name.clone(), file.sha256)));
            product.components.extend(artifact.linked.iter().chain(&artifact.host).filter_map(|one| component(&one.purl)));
            product.components.extend(libraries(artifact));
        }
        let aside = build.resolved_only.iter().filter_map(component).collect();
        Self { name: build.name.clone(), version: build.version.clone(), products, aside }
    }
}

fn libraries(artifact: &Artifact) -> impl Iterator<Item = Component> {
    artifact.native.iter().map(|one| {
        let version = one.version.known().map(str::to_owned);
        let purl = one.purl.clone().unwrap_or_else(|| purl::generic(&one.name, version.as_deref()));
        Component { purl, name: one.name.clone(), version, is_crate: false }
    })
}

/// All that is said of one vulnerability.
#[derive(Debug)]
struct Vulnerability<'a> {
    /// The CVE id where it has one, else the first of the entries.
    id: &'a str,
    /// The others, sorted.
    aliases: BTreeSet<&'a str>,
    statements: Vec<Statement<'a>>,
}

/// One decision, and the components that it is about, by the package URL of their product.
#[derive(Debug)]
struct Statement<'a> {
    decision: &'a VexDecision,
    about: BTreeMap<&'a str, BTreeSet<&'a Component>>,
}

/// What is said of a release.
#[derive(Debug)]
pub struct Statements<'a> {
    released: &'a Released,
    settings: &'a DocumentSettings,
    vulnerabilities: Vec<Vulnerability<'a>>,
    /// Decisions that are not stated, and why not.
    pub left_out: Vec<(&'a VexDecision, &'static str)>,
}

impl<'a> Statements<'a> {
    /// The decisions that count at `now` and are about something that is released.
    #[must_use]
    pub fn new(released: &'a Released, settings: &'a DocumentSettings, decisions: &'a [VexDecision], now: Timestamp) -> Self {
        let mut left_out = Vec::new();
        let mut stated: Vec<&VexDecision> = Vec::new();
        for decision in decisions {
            if !decision.is_in_force(now) {
                left_out.push((decision, "it has expired"));
            } else if about(released, decision).is_empty() {
                left_out.push((decision, "nothing that is released has its component"));
            } else {
                stated.push(decision);
            }
        }
        stated.sort_by_cached_key(|one| (std::cmp::Reverse(one.date), one.status.exempts(), one.id.clone(), one.block()));
        let mut vulnerabilities: Vec<_> = groups(&stated).into_iter().map(|group| vulnerability(released, &group)).collect();
        vulnerabilities.sort_by_key(|one| one.id);
        Self { released, settings, vulnerabilities, left_out }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vulnerabilities.is_empty()
    }

    /// How many decisions are stated.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vulnerabilities.iter().map(|one| one.statements.len()).sum()
    }

    fn decisions(&self) -> impl Iterator<Item = &'a VexDecision> {
        self.vulnerabilities.iter().flat_map(|one| &one.statements).map(|one| one.decision)
    }

    /// The days of the decisions, each once, in their order: each is a revision of the document.
    fn days(&self) -> BTreeSet<Timestamp> {
        self.decisions().map(|one| one.date).collect()
    }

    /// Who says so: the publisher, else the author of the documents, else those who decided.
    fn author(&self) -> String {
        let publisher = self.settings.publisher.as_ref().map(|publisher| publisher.name.clone());
        publisher.or_else(|| super::identity::stated(self.settings.author.as_ref()).map(str::to_owned)).unwrap_or_else(|| {
            let authors: BTreeSet<_> = self.decisions().map(|one| one.author.as_str()).collect();
            authors.into_iter().collect::<Vec<_>>().join(", ")
        })
    }

    /// What the documents about this release have in common, whatever they say: their identity.
    fn identity(&self, format: &str) -> String {
        let Released { name, version, products, .. } = self.released;
        let products: Vec<_> = products.keys().map(String::as_str).collect();
        let words = [format, &self.author(), name, version, &products.join("\n")];
        super::identity::uuid(words.join("\n").as_bytes())
    }
}

/// The components that a decision is about, by product; of what is in none, all products are said not to have it or to be free of it.
fn about<'a>(released: &'a Released, decision: &VexDecision) -> BTreeMap<&'a str, BTreeSet<&'a Component>> {
    let meant = |components: &'a BTreeSet<Component>| -> BTreeSet<&'a Component> {
        components.iter().filter(|one| one.is_meant_by(decision)).collect()
    };
    let mut found: BTreeMap<&str, BTreeSet<&Component>> =
        released.products.iter().map(|(purl, product)| (purl.as_str(), meant(&product.components))).collect();
    let aside = meant(&released.aside);
    found.values_mut().for_each(|components| components.extend(&aside));
    found.retain(|_, components| !components.is_empty());
    found
}

/// Decisions that share an id are about one vulnerability.
fn groups<'a>(decisions: &[&'a VexDecision]) -> Vec<Vec<&'a VexDecision>> {
    let mut groups: Vec<Vec<&VexDecision>> = Vec::new();
    for decision in decisions {
        let ids: BTreeSet<_> = decision.ids().collect();
        let is_same = |group: &Vec<&VexDecision>| group.iter().any(|one| one.ids().any(|id| ids.contains(id)));
        let (same, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_same);
        groups = others;
        groups.push(same.into_iter().flatten().chain([*decision]).collect());
    }
    groups
}

/// What a group says: of each component in each product only the newest decision, which stands first.
fn vulnerability<'a>(released: &'a Released, group: &[&'a VexDecision]) -> Vulnerability<'a> {
    let mut ids: BTreeSet<&str> = group.iter().flat_map(|decision| decision.ids()).collect();
    let id = ids.iter().copied().find(|id| id.starts_with("CVE-")).unwrap_or(&group[0].id);
    ids.remove(id);
    let mut said = BTreeSet::new();
    let mut statements = Vec::new();
    for decision in group {
        let mut about = about(released, decision);
        about.iter_mut().for_each(|(product, components)| components.retain(|one| said.insert((*product, one.purl.as_str()))));
        about.retain(|_, components| !components.is_empty());
        if !about.is_empty() {
            statements.push(Statement { decision, about });
        }
    }
    Vulnerability { id, aliases: ids, statements }
}

#[cfg(test)]
#[allow(clippy::too_many_lines, reason = "inline snapshots count as lines")]
mod tests;
