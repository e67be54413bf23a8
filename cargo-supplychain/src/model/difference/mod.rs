//! In what two builds of one file differ, by section and symbol: build id, paths, times, functions. Two byte strings in, an explanation
//! out; pure, and bounded in what it looks at whatever the bytes are. That they differ is told by the bytes alone: an explanation that
//! finds little says so, and never makes a difference smaller than it is.

mod code;
mod image;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use self::image::{Image, Section};

/// The most examples of one cause.
pub const MAX_EXAMPLES: usize = 20;
/// The most examples that a line shows of what is no code.
const MAX_SHOWN: usize = 4;
/// The most sections that are listed.
const MAX_SECTIONS: usize = 100;
/// The longest example, in characters.
const MAX_EXAMPLE: usize = 300;

/// The difference of two files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `ELF`, `Mach-O`, `PE`; none where the format is not understood.
    pub format: Option<&'static str>,
    /// Sizes in bytes, of the first and the second file.
    pub sizes: (u64, u64),
    /// Sections that differ, in the order of the first file; at most 100.
    pub sections: Vec<SectionDifference>,
    /// The heaviest first; never empty.
    pub causes: Vec<Cause>,
}

/// A section whose bytes differ; its size in each file, none where the file has no such section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionDifference {
    pub name: String,
    pub sizes: (Option<u64>, Option<u64>),
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub kind: CauseKind,
    /// How many there are; `examples` names the first.
    pub total: usize,
    pub examples: Vec<String>,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// Functions whose instructions differ, or that only one file has.
    Code,
    /// Functions whose instructions are the same, and that refer to other data.
    References,
    /// Text with a path in it.
    Paths,
    /// Text with a date or a time in it.
    Times,
    /// Other text.
    Text,
    /// What compiler and linker say of themselves.
    Compiler,
    /// Names of functions, by their hash alone: the compiler was told other crates, features or paths.
    SymbolNames,
    /// Only what the linker computes from all the rest.
    BuildId,
    /// The same functions at other addresses.
    Moved,
    /// Sections that hold none of the above.
    Data,
    /// Bytes outside of all sections.
    Headers,
    /// Why there is no more to say.
    NotExplained,
}

impl CauseKind {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Code => "code of functions",
            Self::References => "data that functions refer to",
            Self::Paths => "paths",
            Self::Times => "dates or times",
            Self::Text => "text",
            Self::Compiler => "compiler or linker",
            Self::SymbolNames => "hashes in names of functions",
            Self::BuildId => "build id",
            Self::Moved => "code at other addresses",
            Self::Data => "sections",
            Self::Headers => "headers, or bytes outside of sections",
            Self::NotExplained => "not explained",
        }
    }
}

impl Cause {
    fn new(kind: CauseKind, examples: impl IntoIterator<Item = String>) -> Self {
        let mut total = 0;
        let mut kept = Vec::new();
        for example in examples {
            total += 1;
            if kept.len() < MAX_EXAMPLES {
                kept.push(shortened(&example));
            }
        }
        Self { kind, total: total.max(1), examples: kept }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.words())?;
        let is_code = matches!(self.kind, CauseKind::Code | CauseKind::References);
        let shown = if is_code { MAX_EXAMPLES } else { MAX_SHOWN }.min(self.examples.len());
        for (index, example) in self.examples[..shown].iter().enumerate() {
            write!(f, "{}{example}", if index == 0 { ": " } else { ", " })?;
        }
        match self.total.saturating_sub(shown) {
            0 => Ok(()),
            _ if self.examples.is_empty() => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

fn shortened(text: &str) -> String {
    let mut out: String = text.chars().take(MAX_EXAMPLE).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

/// Explains in what two files differ; `None` when they are the same.
#[must_use]
pub fn explain(first: &[u8], second: &[u8]) -> Option<Difference> {
    if first == second {
        return None;
    }
    let sizes = (first.len() as u64, second.len() as u64);
    let unexplained = |format, why: &str| Difference {
        format,
        sizes,
        sections: Vec::new(),
        causes: vec![Cause::new(CauseKind::NotExplained, [why.to_owned()])],
    };
    Some(match (Image::parse(first), Image::parse(second)) {
        (Some(one), Some(other)) if one.kind() == other.kind() => {
            let mut sections = sections(&one, &other);
            let causes = causes(&one, &other, &sections);
            sections.truncate(MAX_SECTIONS);
            let shown = sections.iter().map(Pair::difference).collect();
            Difference { format: Some(one.format), sizes, sections: shown, causes }
        }
        (Some(one), Some(_)) => unexplained(Some(one.format), "the files are of different formats or architectures"),
        _ => unexplained(None, "format"),
    })
}

/// A section of either file, or of both, whose bytes differ.
struct Pair<'i, 'd> {
    name: &'i str,
    first: Option<&'i Section<'d>>,
    second: Option<&'i Section<'d>>,
}

impl Pair<'_, '_> {
    fn difference(&self) -> SectionDifference {
        let size = |section: Option<&Section<'_>>| section.map(|section| section.size);
        SectionDifference { name: shortened(self.name), sizes: (size(self.first), size(self.second)) }
    }

    fn any(&self, test: impl Fn(&Section<'_>) -> bool) -> bool {
        [self.first, self.second].into_iter().flatten().any(test)
    }

    fn data(&self) -> (&[u8], &[u8]) {
        (self.first.map_or(&[], |section| section.data), self.second.map_or(&[], |section| section.data))
    }
}

/// Sections are told by name, and those of one name by their order.
fn sections<'i, 'd>(first: &'i Image<'d>, second: &'i Image<'d>) -> Vec<Pair<'i, 'd>> {
    let mut others: BTreeMap<&str, std::collections::VecDeque<&Section<'_>>> = BTreeMap::new();
    for section in &second.sections {
        others.entry(&section.name).or_default().push_back(section);
    }
    let mut pairs = Vec::new();
    for section in &first.sections {
        let other = others.get_mut(section.name.as_str()).and_then(std::collections::VecDeque::pop_front);
        if other.is_none_or(|other| other.data != section.data || other.size != section.size) {
            pairs.push(Pair { name: &section.name, first: Some(section), second: other });
        }
    }
    let rest = others.into_values().flatten().map(|section| Pair { name: &section.name, first: None, second: Some(section) });
    pairs.extend(rest);
    pairs
}

fn causes(first: &Image<'_>, second: &Image<'_>, sections: &[Pair<'_, '_>]) -> Vec<Cause> {
    let mut causes = Vec::new();
    if sections.iter().any(|pair| pair.any(|section| section.is_code)) {
        causes.extend(code::causes(first, second));
    }
    let texts = || sections.iter().filter(|pair| pair.any(|section| section.holds_text));
    causes.extend(words::causes(texts().map(Pair::data)));
    let compilers = sections.iter().filter(|pair| pair.name == ".comment");
    causes.extend(compilers.flat_map(|pair| words::compilers(pair.data())));
    if sections.iter().any(|pair| pair.name == ".note.gnu.build-id") {
        causes.push(Cause::new(CauseKind::BuildId, []));
    }
    let says_something = |cause: &Cause| !matches!(cause.kind, CauseKind::BuildId | CauseKind::NotExplained);
    let others: Vec<_> = sections.iter().map(|pair| pair.name).filter(|name| *name != ".note.gnu.build-id").collect();
    if !others.is_empty() && !causes.iter().any(says_something) {
        causes.push(Cause::new(CauseKind::Data, others.into_iter().map(str::to_owned)));
    }
    if causes.is_empty() {
        causes.push(Cause::new(CauseKind::Headers, []));
    }
    if first.is_cut || second.is_cut {
        causes.push(Cause::new(CauseKind::NotExplained, ["more sections or symbols than are looked at".to_owned()]));
    }
    causes.sort_by_key(|cause| cause.kind);
    causes
}

#[cfg(test)]
mod tests;
