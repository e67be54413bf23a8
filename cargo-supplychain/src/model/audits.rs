//! Audits that others made, as `cargo vet` keeps them in `supply-chain/`: `audits.toml` (the project's own), `imports.lock` (those of
//! the projects that it trusts) and `config.toml` (what their criteria mean here). Pure parser of files that others can write: bounded,
//! no panic. The format: the cargo-vet book, "Configuration" and "Audit entries".

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use semver::{Version, VersionReq};
use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::{Lines, Location};

/// The largest file that is read, in bytes; the largest real ones have about two mebibytes.
pub const MAX_BYTES: usize = 4 << 20;
/// The most audits of one crate: chains of them are searched.
const MAX_AUDITS: usize = 2000;
/// The most criteria of one set of audits.
const MAX_CRITERIA: usize = 256;

/// Who uses it in production is no worse off for it: the criterion of cargo vet that counts here.
pub const SAFE_TO_DEPLOY: &str = "safe-to-deploy";
const SAFE_TO_RUN: &str = "safe-to-run";

/// The files, as text; a project that does not use `cargo vet` has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFiles {
    pub audits: Option<String>,
    pub imports: Option<String>,
    pub config: Option<String>,
}

/// All audits, by crate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audits {
    pub of: BTreeMap<String, Vec<Audit>>,
}

/// One audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    pub what: Audited,
    /// For a version or a delta: the criteria of this project that it meets, with what they imply. For a violation: those that are
    /// said not to be met, as listed.
    pub criteria: BTreeSet<String>,
    /// Who vouches for it; several are joined.
    pub who: String,
    pub notes: Option<String>,
    /// Where it stands.
    pub location: Location,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Audited {
    Version(Version),
    Delta {
        from: Version,
        to: Version,
    },
    /// These versions do *not* meet the criteria.
    Violation(VersionReq),
}

/// Why a file could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub location: Location,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl std::error::Error for Error {}

impl Audits {
    /// The audits by which this version is safe to deploy: one of just it, or deltas that lead to it from an audited version or from
    /// one of `trusted`. The fewest; none when there is a violation of it.
    #[must_use]
    pub fn cover(&self, name: &str, version: &Version, trusted: &[&Version]) -> Option<Vec<&Audit>> {
        let audits = self.of.get(name)?;
        if audits.iter().any(|audit| audit.is_violated_by(version)) {
            return None;
        }
        let safe = |audit: &&Audit| audit.criteria.contains(SAFE_TO_DEPLOY);
        let mut open = VecDeque::new();
        let mut seen = BTreeSet::new();
        for audit in audits.iter().filter(safe) {
            if let Audited::Version(audited) = &audit.what {
                open.push_back((audited, vec![audit]));
            }
        }
        open.extend(trusted.iter().map(|version| (*version, Vec::new())));
        while let Some((at, chain)) = open.pop_front() {
            if at == version && !chain.is_empty() {
                return Some(chain);
            }
            if !seen.insert(at) {
                continue;
            }
            for audit in audits.iter().filter(safe) {
                if let Audited::Delta { from, to } = &audit.what
                    && from == at
                {
                    open.push_back((to, chain.iter().copied().chain([audit]).collect()));
                }
            }
        }
        None
    }

    /// The audits that say that this version is not safe to run or to deploy.
    pub fn violations<'a>(&'a self, name: &str, version: &'a Version) -> impl Iterator<Item = &'a Audit> {
        self.of.get(name).into_iter().flatten().filter(move |audit| audit.is_violated_by(version))
    }
}

impl Audit {
    /// What is not safe to run is not safe to deploy either; what other criteria mean is their authors' business.
    fn is_violated_by(&self, version: &Version) -> bool {
        let is_meant = self.criteria.contains(SAFE_TO_DEPLOY) || self.criteria.contains(SAFE_TO_RUN);
        matches!(&self.what, Audited::Violation(versions) if is_meant && matches(versions, version))
    }
}

/// As cargo vet matches: a pre-release falls under an open requirement too, or `*` would spare it.
fn matches(versions: &VersionReq, version: &Version) -> bool {
    versions.matches(version) || versions.matches(&Version::new(version.major, version.minor, version.patch))
}

/// Reads them. What cannot be an audit of a released version (`1.0.0@git:…`) is left out; a violation that cannot be read is an
/// error, since leaving it out would let pass what somebody warned of.
pub fn parse(folder: &str, files: &AuditFiles) -> Result<Audits, Error> {
    let mut audits = Audits::default();
    let empty = String::new();
    let (own, imports) = (files.audits.as_ref().unwrap_or(&empty), files.imports.as_ref().unwrap_or(&empty));
    let config = files.config.as_ref().unwrap_or(&empty);
    let own = File::parse(format!("{folder}/audits.toml"), own)?;
    let imports = File::parse(format!("{folder}/imports.lock"), imports)?;
    let config = File::parse(format!("{folder}/config.toml"), config)?;
    let local = criteria(table(own.root(), "criteria"));
    let here = BTreeMap::new();
    own.audits(own.root(), &Meaning { theirs: &local, map: None, local: &local }, &[], &mut audits)?;
    let known = table(config.root(), "imports");
    for (name, peer) in table(imports.root(), "audits").into_iter().flatten() {
        // What is no longer imported no longer counts.
        let Some(import) = known.and_then(|known| table(known, name.get_ref())) else { continue };
        let Some(peer) = peer.get_ref().as_table() else { continue };
        let theirs = criteria(table(peer, "criteria"));
        let map = table(import, "criteria-map").map_or_else(|| here.clone(), mapping);
        let excluded = import.get("exclude").map(|list| words(list.get_ref())).unwrap_or_default();
        imports.audits(peer, &Meaning { theirs: &theirs, map: Some(&map), local: &local }, &excluded, &mut audits)?;
    }
    Ok(audits)
}

/// A file and its text.
struct File<'t> {
    path: String,
    text: &'t str,
    document: Spanned<DeTable<'t>>,
}

/// What criteria each criterion implies.
type Criteria = BTreeMap<String, Vec<String>>;

/// What the criteria of a set of audits mean here.
struct Meaning<'a> {
    theirs: &'a Criteria,
    /// None: they are our own.
    map: Option<&'a Criteria>,
    local: &'a Criteria,
}

impl Meaning<'_> {
    /// The criteria of this project that an audit with these criteria meets.
    fn met(&self, listed: &[String]) -> BTreeSet<String> {
        let theirs = closure(listed.iter().cloned(), self.theirs);
        closure(theirs.into_iter().flat_map(|criterion| self.mapped(criterion)), self.local)
    }

    /// The criteria of this project that are violated when these are.
    fn violated(&self, listed: &[String]) -> BTreeSet<String> {
        listed.iter().cloned().flat_map(|criterion| self.mapped(criterion)).collect()
    }

    fn mapped(&self, criterion: String) -> Vec<String> {
        let Some(map) = self.map else { return vec![criterion] };
        match map.get(&criterion) {
            Some(local) => local.clone(),
            None if [SAFE_TO_DEPLOY, SAFE_TO_RUN].contains(&criterion.as_str()) => vec![criterion],
            None => Vec::new(),
        }
    }
}

fn closure(of: impl Iterator<Item = String>, implies: &Criteria) -> BTreeSet<String> {
    let mut open: Vec<_> = of.collect();
    let mut met = BTreeSet::new();
    while let Some(criterion) = open.pop() {
        // The built-in ones cannot be defined anew.
        if criterion == SAFE_TO_DEPLOY {
            open.push(SAFE_TO_RUN.to_owned());
        } else if criterion != SAFE_TO_RUN && !met.contains(&criterion) {
            open.extend(implies.get(&criterion).into_iter().flatten().cloned());
        }
        met.insert(criterion);
    }
    met
}

fn criteria(table: Option<&DeTable<'_>>) -> Criteria {
    let entries = table.into_iter().flatten().take(MAX_CRITERIA).map(|(name, criterion)| {
        let implies = criterion.get_ref().as_table().and_then(|criterion| criterion.get("implies"));
        (name.get_ref().to_string(), implies.map(|implies| words(implies.get_ref())).unwrap_or_default())
    });
    entries.collect()
}

fn mapping(table: &DeTable<'_>) -> Criteria {
    table.iter().take(MAX_CRITERIA).map(|(name, to)| (name.get_ref().to_string(), words(to.get_ref()))).collect()
}

impl<'t> File<'t> {
    fn parse(path: String, text: &'t str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            let message = format!("{} bytes, the limit is {MAX_BYTES}", text.len());
            return Err(Error { location: Location::file(path), message });
        }
        let document = DeTable::parse(text).map_err(|error| Error {
            location: error
                .span()
                .map_or_else(|| Location::file(path.clone()), |span| Location::at(path.clone(), text, span.start)),
            message: format!("not valid TOML: {}", error.message()),
        })?;
        Ok(Self { path, text, document })
    }

    fn root(&self) -> &DeTable<'t> {
        self.document.get_ref()
    }

    /// The `[[audits.CRATE]]` of a table.
    fn audits(&self, of: &DeTable<'t>, meaning: &Meaning<'_>, excluded: &[String], into: &mut Audits) -> Result<(), Error> {
        let mut lines = Lines::new(self.text);
        for (name, entries) in table(of, "audits").into_iter().flatten() {
            if excluded.iter().any(|one| one == name.get_ref()) {
                continue;
            }
            let entries = entries.get_ref().as_array().map(|entries| entries.iter()).into_iter().flatten();
            for entry in entries {
                let Some(fields) = entry.get_ref().as_table() else { continue };
                let (line, _) = lines.at(entry.span().start);
                let location = Location::line(self.path.clone(), line);
                if let Some(audit) = audit(name.get_ref(), fields, meaning, location.clone())? {
                    let list = into.of.entry(name.get_ref().to_string()).or_default();
                    list.push(audit);
                    if list.len() > MAX_AUDITS {
                        let message = format!("more than {MAX_AUDITS} audits of `{}`", name.get_ref());
                        return Err(Error { location, message });
                    }
                }
            }
        }
        Ok(())
    }
}

fn audit(name: &str, fields: &DeTable<'_>, meaning: &Meaning<'_>, location: Location) -> Result<Option<Audit>, Error> {
    let text = |key: &str| fields.get(key).and_then(|value| value.get_ref().as_str());
    let listed = fields.get("criteria").map(|criteria| words(criteria.get_ref())).unwrap_or_default();
    let (what, criteria) = if let Some(violation) = fields.get("violation") {
        let versions = violation.get_ref().as_str().map(VersionReq::parse);
        let Some(Ok(versions)) = versions else {
            let message = format!("the violation of `{name}` is no version requirement");
            return Err(Error { location, message });
        };
        (Audited::Violation(versions), meaning.violated(&listed))
    } else if let Some(delta) = text("delta") {
        let Some((from, to)) = delta.split_once("->") else { return Ok(None) };
        let (Ok(from), Ok(to)) = (Version::parse(from.trim()), Version::parse(to.trim())) else { return Ok(None) };
        (Audited::Delta { from, to }, meaning.met(&listed))
    } else {
        let Some(Ok(version)) = text("version").map(Version::parse) else { return Ok(None) };
        (Audited::Version(version), meaning.met(&listed))
    };
    let who = fields.get("who").map(|who| words(who.get_ref()).join(", ")).unwrap_or_default();
    Ok(Some(Audit { what, criteria, who, notes: text("notes").map(str::to_owned), location }))
}

fn table<'a, 't>(of: &'a DeTable<'t>, key: &str) -> Option<&'a DeTable<'t>> {
    of.get(key)?.get_ref().as_table()
}

/// A string, or a list of strings.
fn words(value: &DeValue<'_>) -> Vec<String> {
    match (value.as_str(), value.as_array()) {
        (Some(word), _) => vec![word.to_owned()],
        (_, Some(list)) => list.iter().take(MAX_CRITERIA).filter_map(|item| item.get_ref().as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: &str = r#"
[criteria.reviewed]
implies = "safe-to-deploy"

[criteria.crypto]
description = "cryptography was looked at"

[[audits.a]]
who = "Alice <a@example.org>"
criteria = "safe-to-deploy"
version = "1.0.0"

[[audits.a]]
who = ["Alice", "Bob"]
criteria = ["reviewed", "crypto"]
delta = "1.0.0 -> 1.1.0"

[[audits.a]]
criteria = "safe-to-run"
delta = "1.1.0 -> 1.2.0"

[[audits.a]]
criteria = "safe-to-deploy"
delta = "1.0.0@git:0123 -> 1.3.0"

[[audits.bad]]
who = "Alice"
criteria = "safe-to-run"
violation = "<2"
notes = "steals"

[[audits.hash]]
criteria = "crypto"
violation = "*"
"#;

    const IMPORTS: &str = r#"
[[audits.peer.audits.b]]
who = "Peer"
criteria = "strong"
version = "1.0.0"

[[audits.peer.audits.b]]
criteria = "other"
version = "2.0.0"

[audits.peer.criteria.strong]
implies = ["mid"]

[audits.peer.criteria.mid]
implies = "safe-to-deploy"

[[audits.peer.audits.no]]
criteria = "safe-to-deploy"
version = "1.0.0"

[[audits.gone.audits.b]]
criteria = "safe-to-deploy"
version = "3.0.0"

[[audits.weak.audits.b]]
criteria = "safe-to-deploy"
version = "4.0.0"

[[audits.weak.wildcard-audits.b]]
criteria = "safe-to-deploy"
user-id = 1
start = "2020-01-01"
end = "2030-01-01"
"#;

    const CONFIG: &str = r#"
[imports.peer]
url = "https://example.org/audits.toml"
exclude = ["no"]

[imports.weak.criteria-map]
safe-to-deploy = "safe-to-run"
"#;

    fn audits() -> Audits {
        let files = AuditFiles { audits: Some(OWN.into()), imports: Some(IMPORTS.into()), config: Some(CONFIG.into()) };
        parse("supply-chain", &files).unwrap()
    }

    #[test]
    fn what_covers_a_version() {
        let audits = audits();
        let old = Version::new(0, 9, 0);
        let one = Version::new(1, 1, 0);
        for (name, version, trusted, expected) in [
            ("a", "1.0.0", None, Some("supply-chain/audits.toml:8")),
            ("a", "1.1.0", None, Some("supply-chain/audits.toml:8 supply-chain/audits.toml:13")),
            // The last step is only safe to run.
            ("a", "1.2.0", None, None),
            ("a", "1.2.0", Some(&one), None),
            // A version of a repository is none of the registry.
            ("a", "1.3.0", None, None),
            ("a", "0.9.0", Some(&old), None),
            ("b", "1.0.0", None, Some("supply-chain/imports.lock:2")),
            ("b", "2.0.0", None, None),
            ("b", "3.0.0", None, None),
            ("b", "4.0.0", None, None),
            // Trust in a publisher is no audit of a version.
            ("b", "5.0.0", None, None),
            ("no", "1.0.0", None, None),
            ("none", "1.0.0", None, None),
        ] {
            let trusted: Vec<_> = trusted.into_iter().collect();
            let chain = audits.cover(name, &version.parse().unwrap(), &trusted);
            let shown = chain.map(|chain| chain.iter().map(|audit| audit.location.to_string()).collect::<Vec<_>>().join(" "));
            assert_eq!(shown.as_deref(), expected, "{name} {version}");
        }
    }

    #[test]
    fn a_delta_leads_on_from_a_trusted_version() {
        let own = "[[audits.a]]\ncriteria = 'safe-to-deploy'\ndelta = '1.0.0 -> 1.0.1'\n\
                   [[audits.a]]\ncriteria = 'safe-to-deploy'\ndelta = '1.0.1 -> 1.0.2'\n\
                   [[audits.a]]\ncriteria = 'safe-to-deploy'\ndelta = '1.0.2 -> 1.0.0'\n";
        let audits = parse("s", &AuditFiles { audits: Some(own.into()), ..AuditFiles::default() }).unwrap();
        let (from, to) = (Version::new(1, 0, 0), Version::new(1, 0, 2));
        assert_eq!(audits.cover("a", &to, &[&from]).unwrap().len(), 2);
        assert!(audits.cover("a", &to, &[]).is_none());
        assert!(audits.cover("a", &Version::new(1, 0, 3), &[&from]).is_none());
    }

    #[test]
    fn violations_of_what_counts() {
        let audits = audits();
        let of = |name, version: &str| {
            let version = version.parse().unwrap();
            audits.violations(name, &version).map(|audit| audit.notes.clone().unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(of("bad", "1.5.0"), ["steals"]);
        assert_eq!(of("bad", "1.5.0-rc.1"), ["steals"]);
        assert!(of("bad", "2.0.0").is_empty());
        // That a crate implements cryptography says nothing of its safety.
        assert!(of("hash", "1.0.0").is_empty());
    }

    #[test]
    fn a_violation_outweighs_an_audit() {
        let own = "[[audits.a]]\ncriteria = 'safe-to-deploy'\nversion = '1.0.0'\n\
                   [[audits.a]]\ncriteria = 'safe-to-deploy'\nviolation = '=1.0.0'\n";
        let audits = parse("s", &AuditFiles { audits: Some(own.into()), ..AuditFiles::default() }).unwrap();
        assert!(audits.cover("a", &Version::new(1, 0, 0), &[]).is_none());
    }

    #[test]
    fn hostile_files() {
        let files = |text: String| AuditFiles { audits: Some(text), ..AuditFiles::default() };
        let circle =
            "[criteria.x]\nimplies = 'y'\n[criteria.y]\nimplies = 'x'\n[[audits.a]]\ncriteria = 'x'\nversion = '1.0.0'\n";
        let audits = parse("s", &files(circle.into())).unwrap();
        assert!(audits.cover("a", &Version::new(1, 0, 0), &[]).is_none());
        for (text, expected) in [
            ("[[audits.a]]\nviolation = 'x y'".to_owned(), "s/audits.toml:1: the violation of `a` is no version requirement"),
            ("[[audits.a]]\nviolation = 3".into(), "s/audits.toml:1: the violation of `a` is no version requirement"),
            ("[[audits.a".into(), "s/audits.toml:1:11: not valid TOML: unclosed array table, expected `]]`"),
            ("#".repeat(MAX_BYTES + 1), "s/audits.toml: 4194305 bytes, the limit is 4194304"),
            ("[[audits.a]]\nversion = '1.0.0'\n".repeat(MAX_AUDITS + 1), "s/audits.toml:4001: more than 2000 audits of `a`"),
        ] {
            assert_eq!(parse("s", &files(text)).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn mutated_files_never_panic(at in 0usize..IMPORTS.len(), with in "\\PC{0,6}", cut in 0usize..40) {
            let change = |text: &str| {
                let end = (at + cut).min(text.len());
                format!("{}{with}{}", text.get(..at).unwrap_or(text), text.get(end..).unwrap_or_default())
            };
            let files =
                AuditFiles { audits: Some(change(OWN)), imports: Some(change(IMPORTS)), config: Some(CONFIG.into()) };
            if let Ok(audits) = parse("s", &files) {
                let _ = audits.cover("a", &Version::new(1, 1, 0), &[&Version::new(1, 0, 0)]);
            }
        }
    }
}
