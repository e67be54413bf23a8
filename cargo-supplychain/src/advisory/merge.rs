//! One vulnerability that several databases know by several ids is one advisory with all of them. Which ids are of one vulnerability the
//! databases themselves say, as aliases; nothing is guessed from titles.

use std::collections::BTreeSet;

use super::{Advisory, Kind};

/// Advisories that apply to one version of one crate, those of one vulnerability as one: RustSec's with what others add to it. Two of RustSec's
/// stay two, whatever they share: it says different things in them (that a crate is unsound, and that nobody maintains it).
#[must_use]
pub fn merged(mut applying: Vec<Advisory>) -> Vec<Advisory> {
    if applying.len() < 2 {
        return applying;
    }
    // RustSec's own, which no alias leads away from, first; a copy of it in another database has the same id and comes after.
    applying.sort_by(|a, b| (!is_rustsec(a), &a.id).cmp(&(!is_rustsec(b), &b.id)));
    let mut groups: Vec<Advisory> = Vec::new();
    for advisory in applying {
        let mut is_known = false;
        for group in groups.iter_mut().filter(|group| is_same(group, &advisory)) {
            add(group, &advisory);
            is_known = true;
        }
        if !is_known {
            groups.push(advisory);
        }
    }
    groups
}

fn is_rustsec(advisory: &Advisory) -> bool {
    advisory.id.starts_with("RUSTSEC-")
}

fn is_same(group: &Advisory, other: &Advisory) -> bool {
    if group.id == other.id {
        return true;
    }
    let ids: BTreeSet<_> = group.ids().collect();
    !is_rustsec(other) && other.ids().any(|id| ids.contains(id))
}

fn add(group: &mut Advisory, other: &Advisory) {
    for id in other.ids() {
        if id != group.id && !group.aliases.iter().any(|known| known == id) {
            group.aliases.push(id.to_owned());
        }
    }
    for rating in &other.ratings {
        // The same vector from a copy says nothing new.
        if !group.ratings.iter().any(|known| known.vector == rating.vector) {
            group.ratings.push(rating.clone());
        }
    }
    if other.kind == Kind::Malicious {
        group.kind = Kind::Malicious;
    }
    // Who says where it is says all of it: two lists are not made one.
    if group.affects.is_empty() {
        group.affects.clone_from(&other.affects);
    }
    if group.title.is_empty() {
        group.title.clone_from(&other.title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{Affects, Rating};

    fn advisory(id: &str, aliases: &[&str], kind: Kind, vector: Option<&str>) -> Advisory {
        Advisory {
            id: id.into(),
            aliases: aliases.iter().map(ToString::to_string).collect(),
            package: "lib".into(),
            title: String::new(),
            kind,
            ratings: vector
                .map(|vector| Rating { vector: vector.into(), source: "x".into(), score: Some(50) })
                .into_iter()
                .collect(),
            url: None,
            date: "2026-01-01".into(),
            source: None,
            affects: Affects::default(),
            versions: rustsec::advisory::Versions::new(Vec::new(), Vec::new()).unwrap(),
        }
    }

    fn shown(applying: Vec<Advisory>) -> Vec<String> {
        let one = |advisory: Advisory| {
            format!("{} {:?} {}", advisory.ids().collect::<Vec<_>>().join(" "), advisory.kind, advisory.ratings.len())
        };
        merged(applying).into_iter().map(one).collect()
    }

    #[test]
    fn several_ids_are_one_vulnerability() {
        use Kind::{Malicious, Unmaintained, Unsound, Vulnerability};
        assert_eq!(
            shown(vec![
                advisory("GHSA-1", &["CVE-1"], Vulnerability, Some("v4")),
                advisory("RUSTSEC-1", &["CVE-1"], Vulnerability, Some("v3")),
                // OSV's copy.
                advisory("RUSTSEC-1", &["CVE-1", "GHSA-1"], Vulnerability, Some("v3")),
            ]),
            ["RUSTSEC-1 CVE-1 GHSA-1 Vulnerability 2"]
        );
        assert_eq!(
            shown(vec![advisory("CVE-2", &["GHSA-2"], Vulnerability, None), advisory("GHSA-2", &["OSV-2"], Vulnerability, None)]),
            ["CVE-2 GHSA-2 OSV-2 Vulnerability 0"]
        );
        // `failure`: unsound and unmaintained, one CVE.
        assert_eq!(
            shown(vec![
                advisory("RUSTSEC-2", &["CVE-3"], Unsound, None),
                advisory("RUSTSEC-3", &["CVE-3"], Unmaintained, None),
                advisory("GHSA-3", &["CVE-3"], Vulnerability, Some("v")),
            ]),
            ["RUSTSEC-2 CVE-3 GHSA-3 Unsound 1", "RUSTSEC-3 CVE-3 GHSA-3 Unmaintained 1"]
        );
        assert_eq!(
            shown(vec![advisory("RUSTSEC-4", &[], Vulnerability, None), advisory("MAL-4", &["RUSTSEC-4"], Malicious, None)]),
            ["RUSTSEC-4 MAL-4 Malicious 0"]
        );
        assert_eq!(shown(vec![advisory("A", &[], Vulnerability, None), advisory("B", &[], Vulnerability, None)]).len(), 2);
    }
}
