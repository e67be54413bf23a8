//! What the rules about capabilities share: each changed package beside the version that it is compared with.

use crate::base::{Location, text};
use crate::finding::Finding;
use crate::model::baseline::KnownFlags;
use crate::model::capability::{Capabilities, Gains, Reach, ReachKind};
use crate::model::change::Change;
use crate::model::registry::CrateKey;
use crate::model::{LockedPackage, Lockfile};

use super::Facts;

/// A crate whose first release is younger is nobody's habit yet, in days.
pub(super) const YOUNG: i64 = 14;
/// So many words are shown of a list.
const SHOWN: usize = 3;

/// A changed package of a registry, with what it can do.
pub(super) struct Update<'a> {
    pub lockfile: &'a Lockfile,
    pub package: &'a LockedPackage,
    pub key: CrateKey,
    pub now: &'a Capabilities,
    pub earlier: Earlier<'a>,
}

/// What it is compared with.
pub(super) enum Earlier<'a> {
    Version(&'a semver::Version, &'a Capabilities),
    /// What the baseline accepted, where the version before is not at hand.
    Accepted(&'a KnownFlags),
    /// The crate is new here: it has nothing that it could have gained since.
    Nothing,
}

/// A package, or the version before it, of which it is not known what it can do: which, and why not.
pub(super) struct Unknown {
    pub package: String,
    pub why: String,
}

/// Every changed registry package, in the order of the lockfile; what is not known is in the second list.
pub(super) fn updates<'a>(facts: &Facts<'a>) -> (Vec<Update<'a>>, Vec<Unknown>) {
    let (mut updates, mut unknown) = (Vec::new(), Vec::new());
    let Some(lockfile) = facts.lock.lockfile() else { return (updates, unknown) };
    for change in &facts.changes.changes {
        let Some(package) = lockfile.packages.get(change.package) else { continue };
        let Some(key) = package.crate_key() else { continue };
        match update(facts, lockfile, package, key, change) {
            Ok(update) => updates.push(update),
            Err(one) => unknown.push(one),
        }
    }
    (updates, unknown)
}

fn update<'a>(
    facts: &Facts<'a>,
    lockfile: &'a Lockfile,
    package: &'a LockedPackage,
    key: CrateKey,
    change: &'a Change,
) -> Result<Update<'a>, Unknown> {
    let of = |version: &semver::Version| match facts.capabilities.get(&(key.clone(), version.clone())) {
        Some(Ok(capabilities)) => Ok(capabilities),
        Some(Err(why)) => Err(why.clone()),
        None => Err("it was not looked at".to_owned()),
    };
    let unknown = |what: String, why| Unknown { package: what, why };
    let now = of(&package.version).map_err(|why| unknown(format!("{} {}", package.name, package.version), why))?;
    // Against an earlier state, what was not in it is new, whatever its own past.
    let is_new = facts.changes.before.is_some() && change.previous.is_none();
    let before = change.release_before(&key, &package.version, &facts.registry.histories).filter(|_| !is_new);
    let earlier = match before {
        None => Earlier::Nothing,
        Some((version, _)) => match (of(version), accepted(facts, &key)) {
            (Ok(before), _) => Earlier::Version(version, before),
            (Err(_), Some(flags)) => Earlier::Accepted(flags),
            (Err(why), None) => {
                return Err(unknown(format!("{} {version} (the one before {})", package.name, package.version), why));
            }
        },
    };
    Ok(Update { lockfile, package, key, now, earlier })
}

fn accepted<'a>(facts: &Facts<'a>, key: &CrateKey) -> Option<&'a KnownFlags> {
    let flags = &facts.baseline?.crates.get(key)?.flags;
    let is_known = flags.build_script.is_some() || flags.proc_macro.is_some() || flags.blobs.is_some();
    is_known.then_some(flags)
}

impl<'a> Update<'a> {
    /// Against the version before, where that is at hand.
    pub(super) fn gains(&self) -> Option<Gains<'a>> {
        match self.earlier {
            Earlier::Version(_, before) => Some(self.now.gains(before)),
            _ => None,
        }
    }

    /// Whether it has something now that it had not: by the version before, else by what the baseline knows.
    pub(super) fn gained(&self, by_version: impl Fn(&Gains<'a>) -> bool, accepted: impl Fn(&KnownFlags) -> Option<bool>) -> bool {
        match &self.earlier {
            Earlier::Version(_, before) => by_version(&self.now.gains(before)),
            Earlier::Accepted(flags) => accepted(flags) == Some(false),
            Earlier::Nothing => false,
        }
    }

    /// The days since the crate's first release, while they are few.
    pub(super) fn young_for(&self, facts: &Facts<'_>) -> Option<i64> {
        let history = facts.registry.histories.get(&self.key)?.as_ref().ok()?;
        let days = facts.now.days_since(history.first_published()?);
        (0..YOUNG).contains(&days).then_some(days)
    }

    /// Whether the step breaks compatibility by cargo's rules: a rewrite may well bring a build script.
    pub(super) fn is_incompatible(&self) -> bool {
        let Earlier::Version(before, _) = self.earlier else { return false };
        let left = |version: &semver::Version| match (version.major, version.minor) {
            (0, 0) => (0, 0, version.patch),
            (0, minor) => (0, minor, 0),
            (major, _) => (major, 0, 0),
        };
        left(before) != left(&self.package.version)
    }

    /// A finding about the package, with what it is compared with.
    pub(super) fn finding(&self, rule: &super::Rule, severity: crate::finding::Severity, what: &str) -> Finding {
        let message = format!("{} {} {what}", self.package.name, self.package.version);
        let finding = Finding::new(rule.id, severity, message)
            .about(&self.package.name, &self.package.version)
            .at(Location::line(&self.lockfile.path, self.package.line));
        match self.earlier {
            Earlier::Version(before, _) => {
                let kind = if self.is_incompatible() { "an incompatible update" } else { "a compatible update" };
                finding.because(format!("compared with {before}; {kind}"))
            }
            Earlier::Accepted(_) => finding.because("compared with what supplychain.lock accepted of the crate"),
            Earlier::Nothing => finding,
        }
    }

    /// Where its source can be read without building it.
    pub(super) fn source_page(&self, path: &str) -> String {
        let path = text::plain(path);
        format!(
            "read {path} in https://docs.rs/crate/{}/{}/source/ before anything is built",
            self.package.name, self.package.version
        )
    }
}

/// `the network (TcpStream in build.rs:3) and a shell (sh in build.rs:4)`; `None` when there is nothing to tell.
pub(super) fn reached<'r>(reaches: &(impl Iterator<Item = &'r Reach> + Clone)) -> Option<String> {
    let kinds = [(ReachKind::Network, "the network"), (ReachKind::Shell, "a shell"), (ReachKind::Webhook, "a web hook")];
    let parts: Vec<_> = kinds
        .iter()
        .filter_map(|(kind, name)| {
            let of_kind: Vec<_> = reaches.clone().filter(|reach| reach.kind == *kind).collect();
            let shown = of_kind.iter().take(SHOWN);
            let places: Vec<_> = shown
                .map(|reach| format!("{} in {}:{}", text::one_line(&reach.word), text::plain(&reach.path), reach.line))
                .collect();
            if places.is_empty() { None } else { Some(format!("{name} ({})", places.join(", "))) }
        })
        .collect();
    if parts.is_empty() { None } else { Some(parts.join(" and ")) }
}

/// `a, b, c, …`
pub(super) fn shown(paths: &[&str]) -> String {
    let more = if paths.len() > SHOWN { ", …" } else { "" };
    let paths: Vec<_> = paths.iter().take(SHOWN).map(|path| text::plain(path)).collect();
    format!("{}{more}", paths.join(", "))
}

#[cfg(test)]
pub(super) mod fixture {
    //! A lockfile where `lib` went from one version to another, and what both can do.

    use crate::check::case::{Case, lock_with_lib};
    use crate::model::capability::{Capabilities, Reach, ReachKind};
    use crate::model::index::parse_release;
    use crate::model::lockfile::CRATES_IO;
    use crate::model::registry::{CrateKey, History};

    pub(crate) fn key() -> CrateKey {
        CrateKey { name: "lib".into(), source: CRATES_IO[0].into() }
    }

    /// Without a version before, `lib` is new.
    pub(crate) fn case(before: Option<(&str, Capabilities)>, version: &str, now: Capabilities) -> Case {
        let earlier = before.as_ref().map_or("version = 4\n".to_owned(), |(version, _)| lock_with_lib(version));
        let mut case = Case::new().lock(&lock_with_lib(version)).before(&earlier);
        case.capabilities.insert((key(), version.parse().unwrap()), Ok(now));
        if let Some((version, before)) = before {
            case.capabilities.insert((key(), version.parse().unwrap()), Ok(before));
        }
        case
    }

    /// The index knows `lib` since `first`.
    pub(crate) fn published(mut case: Case, version: &str, first: &str) -> Case {
        let line = format!(
            "{{\"name\":\"lib\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"{}\",\"pubtime\":\"{first}\"}}",
            crate::check::case::HEX
        );
        let history = History { releases: vec![parse_release(line.as_bytes()).unwrap()] };
        case.registry.histories.insert(key(), Ok(history));
        case
    }

    pub(crate) fn reaching(kind: ReachKind, word: &str) -> Capabilities {
        let reach = Reach { kind, word: word.into(), path: "build.rs".into(), line: 3 };
        Capabilities { build_script: true, build_reaches: vec![reach], ..Capabilities::default() }
    }

    pub(crate) fn with_script() -> Capabilities {
        Capabilities { build_script: true, ..Capabilities::default() }
    }
}
