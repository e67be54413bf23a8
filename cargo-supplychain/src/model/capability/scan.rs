//! The scanner: files of a package in, [`Capabilities`] out. Pure and bounded; the order of the files does not matter. Nothing is
//! executed or expanded, so what code says in riddles is not seen: capabilities are evidence, never a proof of innocence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::lex::{Lexer, Token};
use super::package::{self, Package};
use super::reach::{self, SourceFile};
use super::{Capabilities, Reach, VcsInfo, blob};

/// Changes with what the scanner finds: what an older one found counts no longer.
pub const REVISION: u32 = 1;
/// So much of a source file is looked at.
const MAX_RUST: u64 = 16 << 20;
/// So much tells what kind of file it is.
const HEAD: u64 = 4 << 10;
/// The most files of a package.
pub const MAX_FILES: usize = 50_000;
/// Other files than Rust source are looked through for encoded bytes up to this size.
const MAX_TEXT: u64 = 1 << 20;
/// So many names that strings mention are kept, and so many paths of each kind.
const MAX_NAMES: usize = 50_000;
const MAX_PATHS: usize = 256;

/// How many bytes of a file of this size [`Scanner::file`] wants.
#[must_use]
pub fn wanted_bytes(path: &str, size: u64) -> usize {
    let limit = match path {
        _ if is_rust(path) || path == "Cargo.toml" => MAX_RUST,
        _ if size <= MAX_TEXT => MAX_TEXT,
        _ => HEAD,
    };
    usize::try_from(size.min(limit)).unwrap_or(usize::MAX)
}

/// Why the capabilities of a package are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// Collects what the files of one package say.
#[derive(Debug, Default)]
pub struct Scanner {
    files: usize,
    package: Option<Package>,
    vcs: Option<VcsInfo>,
    sources: BTreeMap<String, SourceFile>,
    /// Source files that are too long to be understood.
    too_long: BTreeSet<String>,
    blobs: BTreeSet<String>,
    /// Rust sources with encoded text.
    encoded: BTreeSet<String>,
    /// Other files with encoded text, which count where a source reads them.
    encoded_data: BTreeSet<String>,
    native_code: bool,
    uses_unsafe: bool,
    /// File names in strings of source code.
    names: BTreeSet<String>,
    /// `#[link(name = "…")]`.
    linked: BTreeSet<String>,
}

impl Scanner {
    /// Takes a file: its path in the package with `/`, and its bytes. `is_whole` is false where only its first bytes are handed in.
    pub fn file(&mut self, path: &str, bytes: &[u8], is_whole: bool) {
        self.files += 1;
        if self.files > MAX_FILES {
            return;
        }
        match path {
            "Cargo.toml" => self.package = package::manifest(bytes).filter(|_| is_whole),
            ".cargo_vcs_info.json" => self.vcs = package::vcs_info(bytes),
            _ if is_rust(path) => self.source(path, bytes, is_whole),
            _ if blob::is_executable(bytes) => insert(&mut self.blobs, path),
            _ => self.other(path, bytes, is_whole),
        }
    }

    fn source(&mut self, path: &str, bytes: &[u8], is_whole: bool) {
        let text = String::from_utf8_lossy(bytes);
        if is_whole && bytes.len() <= reach::MAX_SOURCE {
            self.sources.insert(path.to_owned(), reach::read(path, &text));
        } else {
            self.too_long.insert(path.to_owned());
        }
        if !is_test(path) {
            self.words(path, &text);
        }
    }

    /// What counts wherever it stands outside of tests: `unsafe`, names of files, encoded text.
    fn words(&mut self, path: &str, text: &str) {
        let mut tests = TestBlocks::default();
        let (mut before, mut last) = (Token::Mark(0), Token::Mark(0));
        for (token, _) in Lexer::new(text) {
            if !tests.contain(&token) {
                match &token {
                    Token::Word("unsafe") => self.uses_unsafe = true,
                    Token::Text(text) => {
                        if before.is_word("name") && last.is_mark(b'=') && text.len() < 128 && self.linked.len() < MAX_NAMES {
                            self.linked.insert(text.clone().into_owned());
                        }
                        let is_argument = before.is_mark(b'!') && last.is_mark(b'(');
                        self.text(path, text, is_argument);
                    }
                    _ => {}
                }
            }
            before = std::mem::replace(&mut last, token);
        }
    }

    /// A file is named by a path, by a name with an extension, or as the argument of a macro: `include_bytes!("tool")`.
    fn text(&mut self, path: &str, text: &str, is_argument: bool) {
        let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let is_file = is_argument || text.contains(['/', '\\', '.']);
        if is_file && (1..128).contains(&name.len()) && !name.contains(' ') && self.names.len() < MAX_NAMES {
            self.names.insert(name.to_owned());
        }
        if blob::is_encoded(text.as_bytes()) {
            insert(&mut self.encoded, path);
        }
    }

    fn other(&mut self, path: &str, bytes: &[u8], is_whole: bool) {
        if is_test(path) {
            return;
        }
        let extension = extension(path);
        if matches!(extension, "c" | "cc" | "cpp" | "cxx" | "m" | "mm" | "s" | "S" | "asm" | "f" | "f90" | "cu" | "zig" | "go") {
            self.native_code = true;
        } else if is_whole && blob::is_encoded(bytes) {
            insert(&mut self.encoded_data, path);
        }
    }

    /// What was found. An error when the package is not one, or too large to be understood.
    pub fn finish(self) -> Result<Capabilities, Unreadable> {
        if self.files > MAX_FILES {
            return Err(Unreadable(format!("it has more than {MAX_FILES} files")));
        }
        let package = self.package.as_ref().ok_or_else(|| Unreadable("its Cargo.toml cannot be read".into()))?;
        let exists = |path: &str| self.sources.contains_key(path) || self.too_long.contains(path);
        let scripts = match &package.build {
            Some(scripts) => scripts.clone(),
            None if exists("build.rs") => vec!["build.rs".to_owned()],
            None => Vec::new(),
        };
        let mut roots = scripts.clone();
        if package.proc_macro {
            roots.push(package.library.clone().unwrap_or_else(|| "src/lib.rs".to_owned()));
        }
        let at_build_time = self.modules(roots);
        if let Some(path) = at_build_time.iter().find(|path| self.too_long.contains(path.as_str())) {
            return Err(Unreadable(format!("{path}, which runs at build time, has more than {} MiB", reach::MAX_SOURCE >> 20)));
        }
        let files: Vec<&SourceFile> = at_build_time.iter().filter_map(|path| self.sources.get(path)).collect();
        let mut reaches: Vec<Reach> = files.iter().flat_map(|file| &file.reaches).cloned().collect();
        reaches.sort();
        let loaded_blobs = self.blobs.iter().filter(|path| self.is_loaded(path, &files)).cloned().collect();
        let mut encoded = self.encoded.clone();
        encoded.extend(self.encoded_data.iter().filter(|path| self.names.contains(file_name(path))).cloned());
        Ok(Capabilities {
            build_script: !scripts.is_empty(),
            proc_macro: package.proc_macro,
            links: package.links.clone(),
            native_code: self.native_code,
            loaded_blobs,
            build_reaches: reaches,
            encoded: encoded.into_iter().collect(),
            uses_unsafe: self.uses_unsafe,
            repository: package.repository.clone(),
            license: package.license.clone(),
            blobs: self.blobs.into_iter().collect(),
            vcs: self.vcs,
        })
    }

    /// The source files that these consist of: modules and included files, as far as they are there.
    fn modules(&self, roots: Vec<String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut waiting = roots;
        while let Some(path) = waiting.pop() {
            let is_there = self.sources.contains_key(&path) || self.too_long.contains(&path);
            if !is_there || !found.insert(path.clone()) {
                continue;
            }
            let Some(source) = self.sources.get(&path) else { continue };
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let own = path.strip_suffix(".rs").unwrap_or(&path);
            for module in &source.modules {
                for base in [folder, own] {
                    waiting.extend([joined(base, &format!("{module}.rs")), joined(base, &format!("{module}/mod.rs"))]);
                }
            }
            for included in &source.included {
                waiting.extend([joined(folder, included), joined("", included)]);
            }
        }
        found
    }

    /// Whether source code outside of tests reads, links or starts it.
    fn is_loaded(&self, path: &str, at_build_time: &[&SourceFile]) -> bool {
        let name = file_name(path);
        let stem = name.split('.').next().unwrap_or(name);
        let library = stem.strip_prefix("lib").unwrap_or(stem);
        let is_library = matches!(extension(path), "a" | "lib" | "so" | "dylib" | "dll" | "o" | "obj");
        let is_searched = |file: &&SourceFile| {
            file.search_paths.iter().any(|folder| {
                let mut folders = path.rsplit_once('/').map_or("", |(folders, _)| folders).split('/');
                folders.any(|one| one == file_name(folder))
            })
        };
        self.names.contains(name)
            || (is_library && (self.linked.contains(library) || self.linked.contains(stem)))
            || (is_library && at_build_time.iter().any(is_searched))
    }
}

/// Tells the blocks and items of `#[cfg(test)]`.
#[derive(Default)]
struct TestBlocks {
    /// How far `# [ cfg ( test )` was seen.
    seen: usize,
    pending: bool,
    depth: usize,
}

impl TestBlocks {
    /// Whether the token stands in one.
    fn contain(&mut self, token: &Token<'_>) -> bool {
        if self.depth > 0 {
            match token {
                Token::Mark(b'{') => self.depth += 1,
                Token::Mark(b'}') => self.depth -= 1,
                _ => {}
            }
            return true;
        }
        if self.pending {
            match token {
                Token::Mark(b'{') => (self.depth, self.pending) = (1, false),
                Token::Mark(b';' | b'}') => self.pending = false,
                _ => {}
            }
            return true;
        }
        let fits = match self.seen {
            0 => token.is_mark(b'#'),
            1 => token.is_mark(b'['),
            2 => token.is_word("cfg"),
            3 => token.is_mark(b'('),
            4 => token.is_word("test"),
            _ => token.is_mark(b')'),
        };
        self.seen = if fits { self.seen + 1 } else { usize::from(token.is_mark(b'#')) };
        if self.seen == 6 {
            (self.seen, self.pending) = (0, true);
        }
        false
    }
}

fn insert(paths: &mut BTreeSet<String>, path: &str) {
    if paths.len() < MAX_PATHS {
        paths.insert(path.to_owned());
    }
}

fn is_rust(path: &str) -> bool {
    extension(path) == "rs"
}

fn extension(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether the path is a test's, an example's, or data for one.
#[must_use]
pub fn is_test(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let is_test_name = |folder: &str| {
        let folder = folder.to_ascii_lowercase();
        folder.starts_with("test")
            || folder.starts_with("fixture")
            || folder.starts_with("bench")
            || folder.starts_with("example")
            || matches!(folder.as_str(), "fuzz" | "corpus" | "samples" | "snapshots" | "docs" | "doc")
    };
    let stem = file_name(path).split('.').next().unwrap_or_default();
    let is_test_file =
        matches!(stem, "test" | "tests") || stem.starts_with("test_") || stem.ends_with("_test") || stem.ends_with("_tests");
    is_test_file || folders.split('/').any(is_test_name)
}

/// A path below a folder, without `.` and `..`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['/', '\\']).take(64) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
