//! Which advisories apply to which locked packages.

use semver::{Op, Version};

use super::merge::merged;
use super::{Advisory, AdvisoryDatabase, Hit};
use crate::model::Lockfile;
use crate::model::lockfile::CRATES_IO;

/// The advisories that apply, in the order of the lockfile, then of the database; those of one vulnerability as one. An advisory is about the crate of that name on
/// crates.io, or about the one from its own `source`: a git or path package that merely has the same name is another program.
#[must_use]
pub fn hits(database: &AdvisoryDatabase, lockfile: &Lockfile) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (index, package) in lockfile.packages.iter().enumerate() {
        let applying = applying(database, &package.name, &package.version, package.source.as_deref());
        let merged = merged(applying.cloned().collect());
        hits.extend(merged.into_iter().map(|advisory| Hit { advisory, package: index }));
    }
    hits
}

/// The advisories that apply to this version of a crate from this source (as a lockfile writes it), in the order of the database.
pub fn applying<'d>(
    database: &'d AdvisoryDatabase,
    name: &str,
    version: &Version,
    source: Option<&str>,
) -> impl Iterator<Item = &'d Advisory> {
    let start = database.advisories.partition_point(|advisory| advisory.package.as_str() < name);
    let named = database.advisories[start..].iter().take_while(move |advisory| advisory.package == name);
    named.filter(move |advisory| applies(advisory, name, version, source))
}

/// Whether the advisory applies to this version of a crate from this source: what [`applying`] asks of each.
#[must_use]
pub fn applies(advisory: &Advisory, name: &str, version: &Version, source: Option<&str>) -> bool {
    advisory.package == name && is_about(advisory, source) && advisory.versions.is_vulnerable(version)
}

fn is_about(advisory: &Advisory, source: Option<&str>) -> bool {
    match (&advisory.source, source) {
        (None, source) => source.is_some_and(|source| CRATES_IO.contains(&source)),
        (Some(wanted), Some(locked)) => locked.split('#').next() == wanted.split('#').next(),
        (Some(_), None) => false,
    }
}

/// The smallest version above `version` that the advisory calls patched, as far as its requirements name one.
#[must_use]
pub fn first_patched(advisory: &Advisory, version: &Version) -> Option<Version> {
    let named = advisory.versions.patched().iter().flat_map(|requirement| {
        let bounds = requirement.comparators.iter().filter_map(|comparator| {
            let mut bound = Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0));
            bound.pre = comparator.pre.clone();
            match comparator.op {
                Op::Exact | Op::GreaterEq | Op::Caret | Op::Tilde => Some(bound),
                Op::Greater => {
                    bound.patch = bound.patch.checked_add(1)?;
                    Some(bound)
                }
                _ => None,
            }
        });
        bounds.filter(|bound| requirement.matches(bound))
    });
    named.filter(|bound| bound > version).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{Affects, FeedInfo, Kind};
    use crate::base::Sha256;
    use crate::model::lockfile;

    fn advisory(package: &str, patched: &[&str], unaffected: &[&str], source: Option<&str>) -> Advisory {
        let requirements = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Advisory {
            id: format!("RUSTSEC-2026-0001-{package}"),
            aliases: Vec::new(),
            package: package.into(),
            title: String::new(),
            kind: Kind::Vulnerability,
            ratings: Vec::new(),
            url: None,
            date: "2026-01-01".into(),
            source: source.map(str::to_owned),
            affects: Affects::default(),
            versions: rustsec::advisory::Versions::new(requirements(patched), requirements(unaffected)).unwrap(),
        }
    }

    fn hit(advisory: Advisory, version: &str, source: &str) -> bool {
        let text = format!("[[package]]\nname = \"lib\"\nversion = \"{version}\"\n{source}");
        let lock = lockfile::parse("Cargo.lock", text.as_bytes()).unwrap();
        let info =
            FeedInfo { name: "r".into(), origin: "o".into(), revision: None, date: None, sha256: Sha256::of(b""), entries: 3 };
        let advisories = vec![self::advisory("aaa", &[], &[], None), advisory, self::advisory("zzz", &[], &[], None)];
        let found = hits(&AdvisoryDatabase { info, advisories }, &lock);
        assert!(found.iter().all(|hit| hit.package == 0 && hit.advisory.package == "lib"));
        !found.is_empty()
    }

    #[test]
    fn versions_and_sources_decide() {
        let crates_io = format!("source = \"{}\"\n", CRATES_IO[0]);
        let fork = "source = \"git+https://example.org/lib?rev=1#0123456789012345678901234567890123456789\"\n";
        for (patched, unaffected, source, version, locked_source, expected) in [
            (&[">= 1.2.0"][..], &[][..], None, "1.1.9", crates_io.as_str(), true),
            (&[">= 1.2.0"], &[], None, "1.2.0", &crates_io, false),
            (&["~1.1.5", ">= 1.2.0"], &[], None, "1.1.6", &crates_io, false),
            (&[], &["<= 0.3.9"], None, "0.3.10", &crates_io, true),
            (&[], &["<= 0.3.9"], None, "0.3.9", &crates_io, false),
            (&[">= 1.2.0"], &[], None, "1.2.0-rc.1", &crates_io, true),
            (&[], &[], None, "1.0.0", fork, false),
            (&[], &[], None, "1.0.0", "", false),
            (&[], &[], Some("git+https://example.org/lib?rev=1"), "1.0.0", fork, true),
            (&[], &[], Some("git+https://example.org/lib?rev=1"), "1.0.0", &crates_io, false),
        ] {
            let found = hit(advisory("lib", patched, unaffected, source), version, locked_source);
            assert_eq!(found, expected, "{patched:?} {unaffected:?} {version} {locked_source}");
        }
    }

    #[test]
    fn smallest_patched_version_above() {
        for (patched, version, expected) in [
            (&["^1.1.5", ">= 2.0.0"][..], "1.1.0", Some("1.1.5")),
            (&["^1.1.5", ">= 2.0.0"], "1.2.0", Some("2.0.0")),
            (&["> 1.0.3"], "1.0.0", Some("1.0.4")),
            (&[">= 0.3.1, < 0.4.0"], "0.3.0", Some("0.3.1")),
            (&[], "1.0.0", None),
        ] {
            let found = first_patched(&advisory("lib", patched, &[], None), &version.parse().unwrap());
            assert_eq!(found.map(|version| version.to_string()).as_deref(), expected, "{patched:?} {version}");
        }
    }
}
