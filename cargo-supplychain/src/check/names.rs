//! Names that can be taken for others: which well-known or already locked crate a name looks like. Whether that matters is the rules'
//! business: real crates have such names too (sha1 and sha2), so a rule asks only about crates that are young or unknown.
//!
//! Two names are compared through keys that look-alikes share (the name without separators, with a letter left out, …), so that ten
//! thousand names against thousands of known ones are look-ups, not comparisons.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::Facts;

/// Names of crates.io packages in the lockfiles of 25 large public projects: a line each, sorted.
const WELL_KNOWN: &str = include_str!("names/well-known-crates.txt");
/// The longest name that is looked at, in bytes: crates.io allows no longer one.
const MAX_NAME: usize = 64;
/// Names with fewer letters than this differ from each other in one letter by chance.
const MIN_FOR_ONE_LETTER: usize = 5;
/// Fewer letters than this say nothing, whatever is left out.
const MIN_LETTERS: usize = 3;

/// What a name can be taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LookAlike {
    /// The crate that is meant, perhaps.
    pub of: String,
    /// How the two differ, as the rest of a sentence about the name: `is one letter apart`.
    pub how: &'static str,
}

/// The known names of a run: the shipped list, what the policy adds, and the registry packages that were locked before.
pub(super) struct Names<'f> {
    members: BTreeSet<String>,
    known: Index<'f>,
}

impl<'f> Names<'f> {
    /// `more` are further well-known names.
    pub(super) fn of(facts: &Facts<'f>, more: &'f [String]) -> Self {
        let mut members: BTreeSet<_> = facts.manifests.iter().filter_map(|manifest| manifest.package.as_deref()).collect();
        let mut known: Vec<&str> = more.iter().map(String::as_str).collect();
        if let Some(lockfile) = facts.lock.lockfile() {
            let changed: BTreeSet<_> = facts.changes.changes.iter().map(|change| change.package).collect();
            for (index, package) in lockfile.packages.iter().enumerate() {
                if package.source.is_none() {
                    members.insert(&package.name);
                } else if package.is_registry() && !changed.contains(&index) {
                    known.push(&package.name);
                }
            }
        }
        let earlier = facts.changes.earlier.iter().filter(|package| package.source.is_some());
        known.extend(earlier.map(|package| package.name.as_str()));
        let members: BTreeSet<_> = members.into_iter().map(canonical).collect();
        known.retain(|name| !members.contains(&canonical(name)));
        Self { members, known: Index::new(known) }
    }

    /// Whether it is a known name itself.
    pub(super) fn is_known(&self, name: &str) -> bool {
        let canonical = canonical(name);
        self.known.has(&canonical) || well_known().has(&canonical)
    }

    /// The known crate that this name looks like; `None` for a known name itself and for members of the workspace.
    pub(super) fn look_alike(&self, name: &str) -> Option<LookAlike> {
        let canonical = canonical(name);
        if !is_comparable(&canonical) || self.members.contains(&canonical) {
            return None;
        }
        let indexes = [&self.known, well_known()];
        if self.is_known(name) {
            return None;
        }
        let found = indexes.iter().flat_map(|index| index.alike(&canonical));
        let (likeness, of) = found.filter(|(_, of)| !self.members.contains(&self::canonical(of))).min()?;
        Some(LookAlike { of: of.to_owned(), how: likeness.how() })
    }
}

/// How two names can be alike, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Separators,
    Glyphs,
    Number,
    Words,
    Letter,
}

impl Likeness {
    const ALL: [Self; 5] = [Self::Separators, Self::Glyphs, Self::Number, Self::Words, Self::Letter];

    fn how(self) -> &'static str {
        match self {
            Self::Separators => "differs only in its separators",
            Self::Glyphs => "differs only in letters that look alike (0 and o; 1, i and l)",
            Self::Number => "differs only in the number at its end",
            Self::Words => "has the same words in another order",
            Self::Letter => "is one letter apart",
        }
    }

    /// What names that are alike in this way have in common, at least one of them.
    fn keys(self, canonical: &str) -> Vec<String> {
        let squeezed = || canonical.replace('-', "");
        match self {
            Self::Separators => vec![squeezed()],
            Self::Glyphs => vec![squeezed().chars().map(glyph).collect()],
            Self::Number => {
                let squeezed = squeezed();
                let stem = squeezed.trim_end_matches(|c: char| c.is_ascii_digit());
                if stem.len() < MIN_LETTERS { Vec::new() } else { vec![stem.to_owned()] }
            }
            Self::Words => {
                let mut words: Vec<_> = canonical.split('-').collect();
                words.sort_unstable();
                if words.len() < 2 { Vec::new() } else { vec![words.join("-")] }
            }
            // Deletion neighbourhoods: two names at distance 1 meet when at most one letter is left out of each.
            Self::Letter if canonical.len() < MIN_FOR_ONE_LETTER => Vec::new(),
            Self::Letter => {
                let without = (0..canonical.len()).map(|at| [&canonical[..at], &canonical[at + 1..]].concat());
                std::iter::once(canonical.to_owned()).chain(without).collect()
            }
        }
    }

    /// Whether names that share a key are alike.
    fn holds(self, one: &str, other: &str) -> bool {
        self != Self::Letter || strsim::osa_distance(one, other) == 1
    }
}

/// A name as crates.io compares names: `-` and `_` are one letter, and so are upper and lower case.
fn canonical(name: &str) -> String {
    name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn is_comparable(canonical: &str) -> bool {
    let letters = canonical.bytes().filter(|byte| *byte != b'-').count();
    canonical.is_ascii() && canonical.len() <= MAX_NAME && letters >= MIN_LETTERS
}

fn glyph(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | 'i' => 'l',
        other => other,
    }
}

fn well_known() -> &'static Index<'static> {
    static INDEX: OnceLock<Index<'static>> = OnceLock::new();
    INDEX.get_or_init(|| Index::new(WELL_KNOWN.lines().collect()))
}

/// Names by the hashes of their keys. A hash that two keys share by chance costs a comparison.
struct Index<'n> {
    names: Vec<(String, &'n str)>,
    /// Hash of a key, and the name that has it; sorted.
    keys: Vec<(u64, usize)>,
}

impl<'n> Index<'n> {
    fn new(names: Vec<&'n str>) -> Self {
        let mut names: Vec<_> = names.into_iter().map(|name| (canonical(name), name)).collect();
        names.retain(|(canonical, _)| is_comparable(canonical));
        names.sort_unstable();
        names.dedup_by(|a, b| a.0 == b.0);
        let mut keys = Vec::new();
        for (index, (canonical, _)) in names.iter().enumerate() {
            for likeness in Likeness::ALL {
                keys.extend(likeness.keys(canonical).iter().map(|key| (hash(likeness, key), index)));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        Self { names, keys }
    }

    fn has(&self, canonical: &str) -> bool {
        self.names.binary_search_by(|(known, _)| known.as_str().cmp(canonical)).is_ok()
    }

    /// The known names that are alike, with how.
    fn alike(&self, canonical: &str) -> Vec<(Likeness, &'n str)> {
        let mut found = Vec::new();
        for likeness in Likeness::ALL {
            let own = likeness.keys(canonical);
            for hash in own.iter().map(|key| hash(likeness, key)) {
                let start = self.keys.partition_point(|(key, _)| *key < hash);
                let same = self.keys[start..].iter().take_while(|(key, _)| *key == hash);
                let candidates = same.filter_map(|(_, index)| self.names.get(*index));
                let alike = candidates.filter(|(known, _)| {
                    likeness.holds(canonical, known) && likeness.keys(known).iter().any(|key| own.contains(key))
                });
                found.extend(alike.map(|(_, name)| (likeness, *name)));
            }
        }
        found
    }
}

/// FNV-1a, 64 bits: the same on every machine, and quick on short text.
fn hash(likeness: Likeness, key: &str) -> u64 {
    let start = (0xcbf2_9ce4_8422_2325_u64 ^ likeness as u64).wrapping_mul(0x0100_0000_01b3);
    key.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::case::Case;

    fn alike(known: &[&str], name: &str) -> Option<String> {
        let known: Vec<_> = known.iter().map(|name| (*name).to_owned()).collect();
        Case::new().with(|facts| Names::of(facts, &known).look_alike(name)).map(|found| format!("{}: {}", found.of, found.how))
    }

    #[test]
    fn look_alikes_and_names_that_are_none() {
        for (name, expected) in [
            ("rustdecimal", Some("rust_decimal: differs only in its separators")),
            ("rust-decimal", None),
            ("rust_decimal", None),
            ("proc-macro1", Some("proc-macro2: differs only in the number at its end")),
            ("macro2-proc", Some("proc-macro2: has the same words in another order")),
            ("serdee", Some("serde: is one letter apart")),
            ("sedre", Some("serde: is one letter apart")),
            ("t0kio", Some("tokio: differs only in letters that look alike (0 and o; 1, i and l)")),
            ("toklo", Some("tokio: differs only in letters that look alike (0 and o; 1, i and l)")),
            ("Serde", None),
            // Short names differ in one letter by chance.
            ("libz", None),
            ("tim", None),
            ("log2", Some("log: differs only in the number at its end")),
            ("a-thing-of-its-own", None),
            ("serdé", None),
        ] {
            assert_eq!(alike(&[], name).as_deref(), expected, "{name}");
        }
        assert_eq!(alike(&["company-auth"], "company-atuh").as_deref(), Some("company-auth: is one letter apart"));
        let long = "a".repeat(300);
        assert_eq!(alike(&[&long], &format!("{long}b")), None);
    }

    #[test]
    fn members_are_neither_taken_for_others_nor_others_for_them() {
        let lock = "[[package]]\nname = \"serdes\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"something-old\"\nversion = \"1.0.0\"\nsource = \"CRATES_IO\"\n";
        let of = |case: &Case, name: &str| case.with(|facts| Names::of(facts, &[]).look_alike(name)).map(|found| found.of);
        let case = Case::new().lock(lock).manifest("Cargo.toml", "[package]\nname = \"our-program\"\n");
        assert_eq!(of(&case, "serdes"), None);
        assert_eq!(of(&case, "our-programs"), None);
        assert_eq!(of(&case, "our-program"), None);
        // What is locked is known, unless it is what just came in.
        assert_eq!(of(&case, "somethingold").as_deref(), Some("something-old"));
        let all_new = Case::new().lock(lock).before("version = 4\n");
        assert_eq!(of(&all_new, "somethingold"), None);
        let replaced = Case::new().lock("version = 4\n").before(lock);
        assert_eq!(of(&replaced, "somethingold").as_deref(), Some("something-old"));
    }

    #[test]
    fn the_list_is_sorted_and_has_each_crate_once() {
        let names: Vec<_> = WELL_KNOWN.lines().collect();
        assert!(names.is_sorted() && names.len() > 2000);
        let canonical: BTreeSet<_> = names.iter().map(|name| canonical(name)).collect();
        assert_eq!(canonical.len(), names.len());
    }

    proptest! {
        #[test]
        fn any_name_is_compared_as_by_the_definition(name in "[a-c1_-]{0,9}", known in "[a-c1_-]{0,9}") {
            let by_index = Index::new(vec![&known]).alike(&canonical(&name));
            let (one, other) = (canonical(&name), canonical(&known));
            let by_definition = is_comparable(&other)
                && one.len() >= MIN_FOR_ONE_LETTER
                && other.len() >= MIN_FOR_ONE_LETTER
                && strsim::osa_distance(&one, &other) == 1;
            prop_assert_eq!(by_index.iter().any(|(likeness, _)| *likeness == Likeness::Letter), by_definition);
        }

        #[test]
        fn no_name_panics(name in "\\PC{0,80}") {
            let _ = alike(&[&name], &name);
        }
    }
}
