//! Two listings compared: what came, went, and what is another version, source or content of the same thing. Pure; what a change means is
//! judged elsewhere.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::listing::Listed;
use crate::model::lockfile::CRATES_IO;

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Added,
    Updated,
    Downgraded,
    /// The same version from another source.
    Moved,
    /// The same version from the same source, of which something else is said.
    Changed,
    Removed,
}

/// A thing that is not in both listings as it is in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'l> {
    pub kind: Kind,
    pub old: Option<&'l Listed>,
    pub new: Option<&'l Listed>,
}

impl<'l> Change<'l> {
    /// The thing as it is now, else as it was.
    #[must_use]
    pub fn thing(&self) -> Option<&'l Listed> {
        self.new.or(self.old)
    }
}

/// Compares. A changed thing stands in the place of the earlier version that is gone, the nearest one where several are; when none is gone it
/// is compared with the nearest earlier one. By name, then version.
#[must_use]
pub fn compare<'l>(old: &'l [Listed], new: &'l [Listed]) -> Vec<Change<'l>> {
    let (was, is) = (by_key(old), by_key(new));
    let mut changes = Vec::new();
    let mut replaced: BTreeSet<*const Listed> = BTreeSet::new();
    for (key, now) in &is {
        let before: &[&Listed] = was.get(key).map_or(&[], Vec::as_slice);
        for thing in now {
            if let Some(same) = before.iter().find(|one| is_same(one, thing)) {
                changes.extend(differs(same, thing).then_some(Change { kind: Kind::Changed, old: Some(same), new: Some(thing) }));
                continue;
            }
            let gone = before.iter().copied().filter(|one| !now.iter().any(|other| is_same(one, other)));
            let previous = nearest(gone, &thing.version).or_else(|| nearest(before.iter().copied(), &thing.version));
            replaced.extend(previous.map(std::ptr::from_ref));
            let kind = match previous.map(|previous| compare_versions(&previous.version, &thing.version)) {
                None => Kind::Added,
                Some(Ordering::Less) => Kind::Updated,
                Some(Ordering::Greater) => Kind::Downgraded,
                Some(Ordering::Equal) => Kind::Moved,
            };
            changes.push(Change { kind, old: previous, new: Some(thing) });
        }
    }
    for (key, before) in &was {
        let now: &[&Listed] = is.get(key).map_or(&[], Vec::as_slice);
        let gone = before
            .iter()
            .filter(|one| !replaced.contains(&std::ptr::from_ref(**one)) && !now.iter().any(|other| is_same(one, other)));
        changes.extend(gone.map(|one| Change { kind: Kind::Removed, old: Some(one), new: None }));
    }
    fn order<'c>(change: &Change<'c>) -> (&'c str, Option<&'c str>, Option<&'c str>) {
        let version = |one: Option<&'c Listed>| one.map(|one| one.version.as_str());
        (change.thing().map_or("", |one| &one.name), version(change.old), version(change.new))
    }
    changes.sort_by(|a, b| order(a).cmp(&order(b)));
    changes
}

/// Each thing of a listing once: of what is listed twice the first counts.
fn by_key(list: &[Listed]) -> BTreeMap<&str, Vec<&Listed>> {
    let mut map = BTreeMap::<&str, Vec<&Listed>>::new();
    let mut seen = BTreeSet::new();
    for one in list {
        if seen.insert((&one.key, &one.version, &one.source)) {
            map.entry(&one.key).or_default().push(one);
        }
    }
    map
}

fn is_same(a: &Listed, b: &Listed) -> bool {
    a.version == b.version && is_same_source(a, b)
}

/// A document that does not say where a crate is from means crates.io or a folder of its own.
fn is_same_source(a: &Listed, b: &Listed) -> bool {
    let is_plain = |one: &Listed| one.source.as_deref().is_none_or(|source| CRATES_IO.contains(&source));
    let is_sure = a.is_source_sure && b.is_source_sure;
    normal_source(a) == normal_source(b) || (!is_sure && is_plain(a) && is_plain(b))
}

/// The source as far as every form can say it: without the branch of a repository and the protocol of a registry, with the revision. Both
/// spellings of crates.io are one.
fn normal_source(one: &Listed) -> Option<(&str, Option<&str>)> {
    let source = one.source.as_deref()?;
    if CRATES_IO.contains(&source) {
        return Some((CRATES_IO[0], None));
    }
    let (url, revision) = source.split_once('#').map_or((source, None), |(url, revision)| (url, Some(revision)));
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    Some((url.strip_prefix("sparse+").or_else(|| url.strip_prefix("registry+")).unwrap_or(url), revision))
}

/// Whether something is said on both sides, and not the same. Who lists features lists capabilities and native libraries as well.
fn differs(old: &Listed, new: &Listed) -> bool {
    let is_other_license = old.license.is_some() && new.license.is_some() && old.license != new.license;
    let are_told = old.features.is_some() && new.features.is_some();
    let is_other_content = || old.features != new.features || old.capabilities != new.capabilities || old.native != new.native;
    is_other_license || old.scope != new.scope || other_bytes(old, new) || (are_told && is_other_content())
}

/// Whether digests by the same algorithm have no value in common.
#[must_use]
pub fn other_bytes(old: &Listed, new: &Listed) -> bool {
    let algorithm = |hash: &str| hash.split(':').next().unwrap_or_default().to_owned();
    old.hashes.iter().any(|hash| {
        let mut same = new.hashes.iter().filter(|other| algorithm(other) == algorithm(hash)).peekable();
        same.peek().is_some() && same.all(|other| other != hash) && !new.hashes.contains(hash)
    })
}

/// The greatest version below, else the smallest above.
fn nearest<'l>(of: impl Iterator<Item = &'l Listed>, version: &str) -> Option<&'l Listed> {
    let (below, above): (Vec<_>, Vec<_>) = of.partition(|one| compare_versions(&one.version, version).is_lt());
    let by = |a: &&Listed, b: &&Listed| compare_versions(&a.version, &b.version);
    below.into_iter().max_by(by).or_else(|| above.into_iter().min_by(by))
}

/// As cargo orders versions where both are such; else number by number and word by word.
#[must_use]
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    match (a.parse::<semver::Version>(), b.parse::<semver::Version>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => pieces(a).cmp(&pieces(b)).then_with(|| a.cmp(b)),
    }
}

/// Numbers, without leading zeros, by their length first; words before numbers.
fn pieces(version: &str) -> Vec<(bool, usize, &str)> {
    let is_digit = |one: char| one.is_ascii_digit();
    let mut pieces = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|one: char| is_digit(one) != is_digit(first)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        if is_digit(first) {
            let number = piece.trim_start_matches('0');
            pieces.push((true, number.len(), number));
        } else {
            let word = piece.trim_matches(|one: char| !one.is_alphanumeric());
            pieces.extend((!word.is_empty()).then_some((false, 0, word)));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bom::Scope;

    fn thing(name: &str, version: &str) -> Listed {
        Listed {
            key: format!("pkg:cargo/{name}"),
            name: name.to_owned(),
            version: version.to_owned(),
            source: Some(CRATES_IO[0].to_owned()),
            is_source_sure: true,
            license: None,
            features: None,
            capabilities: Vec::new(),
            native: Vec::new(),
            dependencies: None,
            hashes: Vec::new(),
            scope: Scope::Included,
        }
    }

    fn lines(old: &[Listed], new: &[Listed]) -> Vec<String> {
        let version = |one: Option<&Listed>| one.map_or("-".to_owned(), |one| one.version.clone());
        let line = |change: &Change<'_>| {
            format!("{:?} {} {} {}", change.kind, change.thing().unwrap().name, version(change.old), version(change.new))
        };
        compare(old, new).iter().map(line).collect()
    }

    #[test]
    fn each_change_stands_in_the_place_of_what_is_gone() {
        let old = [("a", "1.0.0"), ("b", "1.0.0"), ("b", "2.0.0"), ("c", "1.0.0"), ("d", "2.0.0"), ("f", "1.0.0")];
        let new =
            [("a", "1.0.0"), ("b", "1.0.1"), ("b", "2.0.0"), ("c", "1.0.0"), ("c", "2.0.0"), ("d", "1.0.0"), ("e", "1.0.0")];
        let of = |list: &[(&str, &str)]| list.iter().map(|(name, version)| thing(name, version)).collect::<Vec<_>>();
        let expected = [
            "Updated b 1.0.0 1.0.1",
            "Updated c 1.0.0 2.0.0",
            "Downgraded d 2.0.0 1.0.0",
            "Added e - 1.0.0",
            "Removed f 1.0.0 -",
        ];
        assert_eq!(lines(&of(&old), &of(&new)), expected);
        assert_eq!(lines(&of(&old), &of(&old)), Vec::<String>::new());
    }

    #[test]
    fn sources_contents_and_what_is_not_said() {
        let one = thing("a", "1.0.0");
        let with = |change: &dyn Fn(&mut Listed)| {
            let mut other = one.clone();
            change(&mut other);
            lines(std::slice::from_ref(&one), &[other])
        };
        let source = |text: &str| Some(text.to_owned());
        assert_eq!(with(&|other| other.source = source(CRATES_IO[1])), Vec::<String>::new());
        assert_eq!(with(&|other| other.source = source("git+https://x/a#1")), ["Moved a 1.0.0 1.0.0"]);
        assert_eq!(with(&|other| other.source = None), ["Moved a 1.0.0 1.0.0"]);
        assert_eq!(with(&|other| (other.source, other.is_source_sure) = (None, false)), Vec::<String>::new());
        // What only one side says is no change.
        assert_eq!(with(&|other| other.license = source("MIT")), Vec::<String>::new());
        assert_eq!(with(&|other| other.hashes = vec!["SHA256:aa".to_owned()]), Vec::<String>::new());
        let git = |query: &str| Listed { source: source(&format!("git+https://x/a{query}#1")), ..one.clone() };
        assert_eq!(lines(&[git("?branch=b")], &[git("")]), Vec::<String>::new());
        let licensed = |text: &str| Listed { license: source(text), ..one.clone() };
        assert_eq!(lines(&[licensed("MIT")], &[licensed("ISC")]), ["Changed a 1.0.0 1.0.0"]);
        let hashed = |text: &str| Listed { hashes: vec![text.to_owned()], ..one.clone() };
        assert_eq!(lines(&[hashed("SHA256:aa")], &[hashed("SHA256:bb")]), ["Changed a 1.0.0 1.0.0"]);
        assert_eq!(lines(&[hashed("SHA256:aa")], &[hashed("SHA512:bb")]), Vec::<String>::new());
    }

    #[test]
    fn versions_of_other_ecosystems() {
        for (a, b, expected) in [
            ("1.10.0", "1.9.0", Ordering::Greater),
            ("1.0.0-rc.1", "1.0.0", Ordering::Less),
            ("2:1.10-3ubuntu2", "2:1.9-3", Ordering::Greater),
            ("1.1.1w", "1.1.1za", Ordering::Less),
            ("v1.2", "v1.2", Ordering::Equal),
            ("", "1", Ordering::Less),
        ] {
            assert_eq!(compare_versions(a, b), expected, "{a} {b}");
        }
    }
}
