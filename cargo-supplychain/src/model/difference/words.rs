//! Text in sections: words that only one of the two files has, told apart into paths, times and the rest.

use std::collections::BTreeSet;

use super::{Cause, CauseKind};

/// Shorter runs of printable bytes are mostly numbers.
const MIN_WORD: usize = 6;
/// Words that are neither paths nor times say little when they are short.
const MIN_TEXT: usize = 8;
const MAX_WORD: usize = 2048;
const MAX_WORDS: usize = 500_000;

/// What the words say in which the sections differ.
pub(super) fn causes<'d>(pairs: impl Iterator<Item = (&'d [u8], &'d [u8])>) -> Vec<Cause> {
    let (mut first, mut second) = (BTreeSet::new(), BTreeSet::new());
    for (one, other) in pairs {
        collect(one, &mut first);
        collect(other, &mut second);
    }
    let only = |one: &BTreeSet<&'d str>, other: &BTreeSet<&'d str>, kind: CauseKind| -> Vec<String> {
        one.difference(other)
            .filter(|word| kind_of(word) == kind && (kind != CauseKind::Text || word.len() >= MIN_TEXT))
            .map(|word| shown(word, kind))
            .collect()
    };
    let mut causes = Vec::new();
    for kind in [CauseKind::Paths, CauseKind::Times, CauseKind::Text] {
        let (mut ones, mut others) = (only(&first, &second, kind), only(&second, &first, kind));
        if kind == CauseKind::Paths {
            align(&mut ones, &mut others);
        }
        let pairs = paired(&ones, &others);
        if !pairs.is_empty() {
            causes.push(Cause::new(kind, pairs));
        }
    }
    causes
}

/// The lines of `.comment`, in which compilers and linkers name themselves.
pub(super) fn compilers((first, second): (&[u8], &[u8])) -> Option<Cause> {
    let lines = |data: &[u8]| -> BTreeSet<String> {
        let parts = data.split(|byte| *byte == 0).filter(|part| !part.is_empty());
        parts.take(100).map(|part| String::from_utf8_lossy(&part[..part.len().min(MAX_WORD)]).into_owned()).collect()
    };
    let (first, second) = (lines(first), lines(second));
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    let pairs = paired(&only(&first, &second), &only(&second, &first));
    if pairs.is_empty() { None } else { Some(Cause::new(CauseKind::Compiler, pairs)) }
}

/// Brings paths that end alike to the same place; beyond a number that nobody reads they stay sorted.
fn align(first: &mut Vec<String>, second: &mut Vec<String>) {
    const MAX: usize = 200;
    first.dedup();
    second.dedup();
    let end = second.len().min(MAX);
    for (index, one) in first.iter().enumerate().take(end) {
        let common = |other: &str| one.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count();
        let best = (index..end).max_by_key(|&at| (common(&second[at]), std::cmp::Reverse(at))).unwrap_or(index);
        second.swap(index, best);
    }
}

/// `A in the first, B in the second`, in the order of each.
fn paired(first: &[String], second: &[String]) -> Vec<String> {
    let count = first.len().max(second.len());
    let quoted = |list: &[String], index: usize| list.get(index).map_or_else(|| "nothing".to_owned(), |word| format!("`{word}`"));
    (0..count).map(|index| format!("{} / {}", quoted(first, index), quoted(second, index))).collect()
}

fn collect<'d>(data: &'d [u8], words: &mut BTreeSet<&'d str>) {
    for run in data.split(|byte| !byte.is_ascii_graphic()) {
        for piece in run.chunks(MAX_WORD) {
            if words.len() >= MAX_WORDS {
                return;
            }
            if piece.len() >= MIN_WORD
                && let Ok(word) = std::str::from_utf8(piece)
            {
                words.insert(word);
            }
        }
    }
}

fn kind_of(word: &str) -> CauseKind {
    let is_path = |separator: char| {
        let parts = word.split(separator).filter(|part| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_graphic()));
        word.contains(separator) && parts.filter(|part| part.bytes().any(|byte| byte.is_ascii_alphabetic())).count() > 1
    };
    if is_time(word) {
        CauseKind::Times
    } else if is_path('/') || word.contains(":\\") && is_path('\\') {
        CauseKind::Paths
    } else {
        CauseKind::Text
    }
}

/// The path from its first separator on: constants stand in a file without anything between them.
fn shown(word: &str, kind: CauseKind) -> String {
    let start = if kind == CauseKind::Paths { word.find('/').filter(|start| word.len() - start >= MIN_WORD) } else { None };
    word[start.unwrap_or(0)..].to_owned()
}

/// A date (`2026-11-23`), a time of day (`22:54:13`), or seconds, milliseconds or nanoseconds since 1970 of this century.
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    let fits = |pattern: &[u8]| {
        bytes.windows(pattern.len()).any(|window| {
            window.iter().zip(pattern).all(|(byte, wanted)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted })
        })
    };
    let mut runs = bytes.split(|byte| !byte.is_ascii_digit());
    let is_epoch = |run: &[u8]| matches!(run.len(), 10 | 13 | 16 | 19) && matches!(run[0], b'1' | b'2');
    fits(b"0000-00-00") || fits(b"00:00:00") || runs.any(is_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        for (word, kind) in [
            ("/home/alice/src/main.rs", CauseKind::Paths),
            ("boom/tmp/one/out/x.rs", CauseKind::Paths),
            ("C:\\Users\\a\\main.rs", CauseKind::Paths),
            ("a/b", CauseKind::Text),
            ("2026-11-23T22:54:13Z", CauseKind::Times),
            ("built1763938453hello", CauseKind::Times),
            ("22:54:13", CauseKind::Times),
            ("12345678901", CauseKind::Text),
            ("hello!", CauseKind::Text),
        ] {
            assert_eq!(kind_of(word), kind, "{word}");
        }
    }

    fn causes_told(first: &[u8], second: &[u8]) -> Vec<String> {
        causes([(first, second)].into_iter()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_only_one_has_is_shown_beside_the_other() {
        let causes = causes(
            [(b"same text\0oops/home/a/main.rs\0abc".as_slice(), b"same text\0oops/srv/bb/main.rs\0".as_slice())].into_iter(),
        );
        let told: Vec<_> = causes.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["paths: `/home/a/main.rs` / `/srv/bb/main.rs`"]);
        let paths = causes_told(b"/aa/xx/deps.rs /aa/ws/main.rs", b"/cc/ws/main.rs /bb/xx/deps.rs /cc/xx/more.rs");
        let pairs = "`/aa/ws/main.rs` / `/cc/ws/main.rs`, `/aa/xx/deps.rs` / `/bb/xx/deps.rs`, nothing / `/cc/xx/more.rs`";
        assert_eq!(paths, [format!("paths: {pairs}")]);
        let gone = compilers((b"rustc 1.95\0GCC 13\0", b"GCC 13\0\0")).unwrap();
        assert_eq!(gone.to_string(), "compiler or linker: `rustc 1.95` / nothing");
    }
}
