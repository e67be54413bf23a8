//! Which branches and tags are asked about first whether they lead to a commit. All are named; the order only saves requests. Pure.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::advertisement::{Advertisement, Reference};

/// The commits of all branches and tags, each once: the default branch, what is named as the comment behind the pinned commit says
/// (`# v4.1.2`), branches of releases, tags with the newest version first, and the other branches.
pub(super) fn candidates(list: &Advertisement, comment: Option<&str>) -> Vec<String> {
    let head = list.head.as_deref();
    let mut references: Vec<_> = list.references.iter().collect();
    references.sort_by_cached_key(|one| (rank(one, head, comment), Reverse(version(last(&one.name))), one.name.clone()));
    let mut seen = BTreeSet::new();
    let commits = head.into_iter().chain(references.into_iter().map(Reference::commit));
    commits.filter(|commit| seen.insert(*commit)).map(str::to_owned).collect()
}

fn rank(reference: &Reference, head: Option<&str>, comment: Option<&str>) -> u8 {
    let word = comment.and_then(|comment| comment.split_whitespace().next()).unwrap_or_default();
    let (name, word) = (last(&reference.name), last(word));
    let is_of_comment = !word.is_empty()
        && match (version(name), version(word)) {
            // `v4` and `v4.1` are of `v4.1.2`.
            (Some(of_name), Some(of_word)) => of_word.starts_with(&of_name),
            _ => name == word,
        };
    match () {
        () if head == Some(reference.commit()) => 0,
        () if is_of_comment => 1,
        () if !reference.is_tag && (version(name).is_some() || is_usual(&reference.name)) => 2,
        () if reference.is_tag => 3,
        () => 4,
    }
}

/// `v1` of `releases/v1`, `tag=v1` and `name@v1`.
fn last(name: &str) -> &str {
    name.rsplit(['/', '=', '@']).next().unwrap_or_default()
}

/// Branches that releases are usually made from.
fn is_usual(branch: &str) -> bool {
    matches!(branch, "main" | "master" | "stable") || branch.starts_with("release")
}

/// The numbers of `v1.2.3`; other words have none.
fn version(name: &str) -> Option<Vec<u64>> {
    let numbers = name.strip_prefix('v').unwrap_or(name);
    numbers.split('.').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likely_first_and_all_of_them_once() {
        let reference =
            |(name, is_tag, id): (&str, bool, &str)| Reference { name: name.to_owned(), is_tag, id: id.to_owned(), peeled: None };
        let list = Advertisement {
            head: Some("h".to_owned()),
            references: [
                ("a/feature", false, "f"),
                ("main", false, "h"),
                ("releases/v1", false, "r1"),
                ("releases/v2", false, "r2"),
                ("v1", true, "t1"),
                ("v1.2.0", true, "t12"),
                ("v1.10.0", true, "t110"),
                ("v1.10.0-copy", true, "t110"),
                ("nightly", true, "n"),
            ]
            .map(reference)
            .to_vec(),
        };
        for (comment, expected) in [
            (None, "h r2 r1 t110 t12 t1 n f"),
            (Some("v1.2.0"), "h t12 r1 t1 r2 t110 n f"),
            (Some("tag=v1 of yesterday"), "h r1 t1 r2 t110 t12 n f"),
            (Some("nightly"), "h n r2 r1 t110 t12 t1 f"),
            (Some(""), "h r2 r1 t110 t12 t1 n f"),
        ] {
            assert_eq!(candidates(&list, comment).join(" "), expected, "{comment:?}");
        }
        assert_eq!(candidates(&Advertisement::default(), None), Vec::<String>::new());
    }
}
