//! Functions by their symbols: those whose instructions differ, those that only refer to other data, those that only one file has.
//!
//! A change in one function moves the others, and with them every distance that is written into calls and references. On x86-64 such a
//! field of four bytes counts as the same where it leads to the same place of the same function, or to the same bytes. On other
//! architectures bytes are compared as they are, which is said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use object::Architecture;

use super::image::{Function, Image};
use super::{Cause, CauseKind, MAX_EXAMPLES};

/// The longest name that is made readable; longer ones stay as they are.
const MAX_NAME: usize = 4096;
/// How many bytes of referenced data are compared.
const GLANCE: usize = 16;

/// What differs in the code; the caller knows that something does.
pub(super) fn causes(first: &Image<'_>, second: &Image<'_>) -> Vec<Cause> {
    if first.functions.is_empty() || second.functions.is_empty() {
        let why = "the code differs, and without symbols no function can be named".to_owned();
        return vec![Cause::new(CauseKind::NotExplained, [why])];
    }
    let mut comparison = Comparison::new(first, second);
    let mut causes = Vec::new();
    if !comparison.changed.is_empty() {
        // What both files have comes first: it is what was changed, the rest may follow from it.
        comparison.changed.sort_by_key(|(_, how)| *how);
        let examples = comparison.changed.iter().take(MAX_EXAMPLES).map(|(name, how)| format!("`{}` {how}", readable(name)));
        let mut cause = Cause::new(CauseKind::Code, examples);
        cause.total = comparison.changed.len();
        causes.push(cause);
        if first.architecture != Architecture::X86_64 {
            let why = "functions that only refer to moved ones are named as well on this architecture".to_owned();
            causes.push(Cause::new(CauseKind::NotExplained, [why]));
        }
    }
    if !comparison.referring.is_empty() {
        let examples = comparison.referring.iter().take(MAX_EXAMPLES).map(|name| format!("`{}`", readable(name)));
        let mut cause = Cause::new(CauseKind::References, examples);
        cause.total = comparison.referring.len();
        causes.push(cause);
    }
    if causes.is_empty() {
        causes.push(Cause::new(CauseKind::Moved, []));
    }
    if comparison.renamed > 0 {
        causes.push(Cause { kind: CauseKind::SymbolNames, total: comparison.renamed, examples: Vec::new() });
    }
    causes
}

/// How a function differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Instructions { bytes: usize },
    Size { first: usize, second: usize },
    OnlyFirst,
    OnlySecond,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instructions { bytes } => write!(f, "({bytes} bytes, other instructions)"),
            Self::Size { first, second } => write!(f, "({first} and {second} bytes)"),
            Self::OnlyFirst => f.write_str("(only in the first)"),
            Self::OnlySecond => f.write_str("(only in the second)"),
        }
    }
}

#[derive(Default)]
struct Comparison<'d> {
    changed: Vec<(&'d str, How)>,
    referring: Vec<&'d str>,
    /// Functions whose names differ by their hash.
    renamed: usize,
}

/// Functions of one name, of either file.
type Namesakes<'i, 'd> = (Vec<&'i Function<'d>>, Vec<&'i Function<'d>>);

impl<'d> Comparison<'d> {
    fn new(first: &Image<'d>, second: &Image<'d>) -> Self {
        let mut comparison = Self::default();
        let mut groups: BTreeMap<&str, Namesakes<'_, 'd>> = BTreeMap::new();
        for function in &first.functions {
            groups.entry(stem(function.name)).or_default().0.push(function);
        }
        for function in &second.functions {
            groups.entry(stem(function.name)).or_default().1.push(function);
        }
        for (mut ones, mut others) in groups.into_values() {
            // Instances of one generic function differ by their hash alone: those of the same whole name belong together.
            let names = |functions: &[&Function<'d>]| functions.iter().map(|function| function.name).collect::<BTreeSet<_>>();
            let (of_ones, of_others) = (names(&ones), names(&others));
            ones.sort_by_key(|one| (!of_others.contains(one.name), one.name, one.bytes.len(), one.address));
            others.sort_by_key(|other| (!of_ones.contains(other.name), other.name, other.bytes.len(), other.address));
            for index in 0..ones.len().max(others.len()) {
                match (ones.get(index), others.get(index)) {
                    (Some(one), Some(other)) => comparison.judge((first, one), (second, other)),
                    (Some(one), None) => comparison.changed.push((one.name, How::OnlyFirst)),
                    (None, Some(other)) => comparison.changed.push((other.name, How::OnlySecond)),
                    (None, None) => {}
                }
            }
        }
        comparison
    }

    fn judge(&mut self, (first, one): (&Image<'d>, &Function<'d>), (second, other): (&Image<'d>, &Function<'d>)) {
        self.renamed += usize::from(one.name != other.name);
        let (from, to) = (one.bytes.len(), other.bytes.len());
        match compare((first, one), (second, other)) {
            Same::Yes => {}
            Same::ButForData => self.referring.push(one.name),
            Same::No if from == to => self.changed.push((one.name, How::Instructions { bytes: from })),
            Same::No => self.changed.push((one.name, How::Size { first: from, second: to })),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Same {
    Yes,
    ButForData,
    No,
}

fn compare((first, one): (&Image<'_>, &Function<'_>), (second, other): (&Image<'_>, &Function<'_>)) -> Same {
    if one.bytes.len() != other.bytes.len() {
        return Same::No;
    }
    let mut same = Same::Yes;
    let mut at = 0;
    while let Some(differs) = (at..one.bytes.len()).find(|&index| one.bytes[index] != other.bytes[index]) {
        if first.architecture != Architecture::X86_64 {
            return Same::No;
        }
        // The field may begin up to three bytes before the first one that differs.
        let starts = (differs.saturating_sub(3).max(at)..=differs).rev();
        let field = starts.filter_map(|start| Some((start, leads_alike((first, one), (second, other), start)?)));
        match field.min_by_key(|(start, outcome)| (*outcome != Same::Yes, std::cmp::Reverse(*start))) {
            Some((start, outcome)) => {
                if outcome != Same::Yes {
                    same = outcome;
                }
                at = start + 4;
            }
            None => return Same::No,
        }
    }
    same
}

/// Whether the four bytes at `start`, read as a distance from their end, lead to the same place in both; `None`: not at all alike.
fn leads_alike(
    (first, one): (&Image<'_>, &Function<'_>),
    (second, other): (&Image<'_>, &Function<'_>),
    start: usize,
) -> Option<Same> {
    let target = |function: &Function<'_>| {
        let field: [u8; 4] = function.bytes.get(start..start.checked_add(4)?)?.try_into().ok()?;
        let end = function.address.wrapping_add(start as u64 + 4);
        Some(end.wrapping_add_signed(i64::from(i32::from_le_bytes(field))))
    };
    let (one, other) = (target(one)?, target(other)?);
    let (section, second_section) = (first.place_of(one)?, second.place_of(other)?);
    if section.name != second_section.name {
        return None;
    }
    if section.is_code {
        return match (first.function_at(one), second.function_at(other)) {
            (Some((a, from)), Some((b, to))) => (stem(a.name) == stem(b.name) && from == to).then_some(Same::Yes),
            // A stub of the linker, which has no name.
            (None, None) => {
                Some(if one - section.address == other - second_section.address { Same::Yes } else { Same::ButForData })
            }
            _ => None,
        };
    }
    Some(match (glance(first, one), glance(second, other)) {
        // All zero: only where in it is known, which moves with the rest.
        (None, None) => Same::Yes,
        (Some(a), Some(b)) if is_alike(first, (one, a), second, (other, b)) => Same::Yes,
        _ => Same::ButForData,
    })
}

/// The bytes at an address.
fn glance<'d>(image: &Image<'d>, address: u64) -> Option<&'d [u8]> {
    let section = image.section_at(address)?;
    let rest = section.data.get(usize::try_from(address - section.address).ok()?..)?;
    Some(&rest[..rest.len().min(GLANCE)])
}

/// Whether referenced data is the same: the same bytes, a table of distances to the same places (`match` and `switch`), or pointers to
/// the same functions and bytes (tables of methods, places of a panic).
fn is_alike(first: &Image<'_>, (one, a): (u64, &[u8]), second: &Image<'_>, (other, b): (u64, &[u8])) -> bool {
    let to_same_code = |one: u64, other: u64| match (first.function_at(one), second.function_at(other)) {
        (Some((a, from)), Some((b, to))) => stem(a.name) == stem(b.name) && from == to,
        _ => false,
    };
    let distances = |bytes: &[u8]| -> Vec<i64> {
        let fields = bytes.chunks_exact(4);
        fields.map(|field| i64::from(i32::from_le_bytes(field.try_into().unwrap_or_default()))).collect()
    };
    let is_table = || {
        let (a, b) = (distances(a), distances(b));
        // What stands behind a short table is no part of it.
        let pair = a.first().zip(b.first());
        pair.is_some_and(|(from, to)| to_same_code(one.wrapping_add_signed(*from), other.wrapping_add_signed(*to)))
    };
    let pointers = |bytes: &[u8]| -> Vec<u64> {
        bytes.chunks_exact(8).map(|field| u64::from_le_bytes(field.try_into().unwrap_or_default())).collect()
    };
    let are_pointers = || {
        let (a, b) = (pointers(a), pointers(b));
        let is_same = |(from, to): (&u64, &u64)| {
            let same_bytes = || glance(first, *from).is_some_and(|bytes| Some(bytes) == glance(second, *to));
            from == to || to_same_code(*from, *to) || same_bytes()
        };
        !a.is_empty() && a.len() == b.len() && a.iter().zip(&b).all(is_same)
    };
    a == b || is_table() || are_pointers()
}

/// The name without the hash of rustc's older mangling (`17h` and 16 digits before the final `E`).
fn stem(name: &str) -> &str {
    let hash = |name: &str| {
        let rest = name.strip_suffix('E')?;
        let start = rest.len().checked_sub(19)?;
        let (before, hash) = (rest.get(..start)?, rest.get(start..)?);
        let digits = hash.strip_prefix("17h")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(before.len())
    };
    if name.starts_with("_ZN") { hash(name).map_or(name, |end| &name[..end]) } else { name }
}

fn readable(name: &str) -> String {
    match rustc_demangle::try_demangle(name) {
        Ok(readable) if name.len() <= MAX_NAME => format!("{readable:#}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let name = "_ZN3app5check17h0123456789abcdefE";
        assert_eq!((stem(name), readable(name).as_str()), ("_ZN3app5check", "app::check"));
        for odd in ["", "E", "_ZN", "_ZN17h0123456789abcdefE", "_ZNé17h012345678abcdefE", "main"] {
            let _ = (stem(odd), readable(odd));
        }
        assert_eq!(stem("main"), "main");
    }
}
