//! Affected functions in what was compiled: whether a file has a symbol of one, and whether anything that was compiled names one. Pure:
//! bytes of files in, facts out. What they amount to is `check`'s to say.
//!
//! That a function has no symbol proves nothing by itself: the compiler may have put its code into its callers. So the sources are
//! asked as well: code of a function that nothing names is in no file.

pub mod dep_info;
mod path;
mod source;
mod symbols;

use std::collections::BTreeMap;

pub use path::Path;
pub use source::{Definition, Names};
pub use symbols::{Found, find};

/// A function that is asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Package URL of the crate.
    pub purl: String,
    /// As an advisory writes it: `shlex::bytes::quote`.
    pub function: String,
}

/// What is known of the functions that were asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFacts {
    /// By artifact: what its symbols have of each function, or why they cannot be read, a fragment (`it has no symbols: it was stripped`).
    pub symbols: BTreeMap<String, Result<BTreeMap<Asked, Found>, String>>,
    /// What the sources say of each function, or why they cannot be read, a fragment.
    pub sources: Result<BTreeMap<Asked, Named>, String>,
}

/// What the sources of everything that was compiled say of a function's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many functions of this name its own crate defines.
    pub definitions: usize,
    /// Why one of them may be called without being named, a fragment: `it is a method of a trait`.
    pub implicit: Option<&'static str>,
    /// Whether its crate declares it as a function of another language.
    pub is_foreign: bool,
    /// The first place that names it beside definitions and imports: `tar 0.4.40, src/archive.rs:12`.
    pub mention: Option<String>,
}
