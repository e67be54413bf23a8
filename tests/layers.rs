//! The order of the layers (ARCHITECTURE.md): imports go down only, siblings of a layer never import each other. And the shape of the
//! sources: every file says at its head what lives there, none is too long.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// The modules of each layer, from the bottom. L1 has three steps: configuration speaks of severities, advisories of
/// locked packages, the records of an archive of both.
/// L3 stands on `files`, how a file is opened, read and written, and `http`, how a server is asked.
const LAYERS: [(&str, &[&str]); 9] = [
    ("L0", &["base"]),
    ("L1", &["attest", "finding", "model"]),
    ("L1, upper step", &["advisory", "bom", "config", "vex"]),
    ("L1, top step", &["archived"]),
    ("L2", &["assemble", "check", "document", "verify"]),
    ("L3, ground floor", &["files", "http"]),
    ("L3", &["archive", "collect", "feeds", "github", "sandbox", "sign"]),
    ("L4", &["ops"]),
    ("L5", &["cli"]),
];

const MAX_LINES: usize = 600;

fn source() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files() -> Vec<Utf8PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![source()]);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().path().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, layer)| layer.contains(&module))
}

/// The top module that a file belongs to, and how many modules deep its own path is (`check/rules/x.rs` is 3 deep).
fn place_of(path: &Utf8Path) -> (String, usize) {
    let relative = path.strip_prefix(source()).unwrap().with_extension("");
    let mut parts: Vec<_> = relative.components().map(|part| part.as_str().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    (parts[0].clone(), parts.len())
}

/// The top modules that a line of code names: `crate::x`, `crate::{x, y::z}`, and `super::` where it leads up to the root.
fn named(line: &str, depth: usize) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("crate::") {
        let is_whole_word = !rest[..at].ends_with(|one: char| one.is_alphanumeric() || one == '_');
        rest = &rest[at + "crate::".len()..];
        if is_whole_word {
            found.extend(first_names(rest));
        }
    }
    let up = "super::".repeat(depth);
    if let Some(at) = code.find(&up) {
        found.extend(first_names(&code[at + up.len()..]));
    }
    found
}

/// `x::…` names x; `{x, y::{a, b}}` names x and y.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut names, mut current) = (0, Vec::new(), String::new());
    for one in group.chars() {
        match one {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut current)),
            _ if depth == 0 => current.push(one),
            _ => {}
        }
    }
    names.push(current);
    names.iter().map(|text| name(text.trim())).filter(|name| !name.is_empty()).collect()
}

/// Logical lines: a `use` that is broken over several lines is one.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        if is_open {
            lines.last_mut().unwrap().1.push_str(line.trim());
        } else {
            lines.push((number + 1, line.to_owned()));
        }
        let (_, last) = lines.last().unwrap();
        is_open = last.trim_start().trim_start_matches("pub ").starts_with("use ") && !last.contains(';');
    }
    lines
}

#[test]
fn imports_go_down_and_siblings_do_not_import_each_other() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in rust_files() {
        let (module, depth) = place_of(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let layer = layer_of(&module).unwrap_or_else(|| panic!("{path}: the module {module} is in no layer"));
        for (number, line) in logical_lines(&fs::read_to_string(&path).unwrap()) {
            for name in named(&line, depth) {
                let Some(other) = layer_of(&name).filter(|_| name != module) else { continue };
                seen.insert((module.clone(), name.clone()));
                if other >= layer {
                    let (of, to) = (LAYERS[layer].0, LAYERS[other].0);
                    wrong.push(format!("{path}:{number}: {module} ({of}) imports {name} ({to}): {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The reader of imports reads them: some that are there for certain.
    for (module, name) in [("cli", "ops"), ("ops", "collect"), ("check", "finding"), ("verify", "attest"), ("model", "base")] {
        assert!(seen.contains(&(module.to_owned(), name.to_owned())), "{module} imports {name}");
    }
}

#[test]
fn imports_are_read_in_every_form() {
    for (line, depth, names) in [
        ("use crate::base::Sha256;", 1, "base"),
        ("pub use crate::{base::{Sha256, Timestamp}, model::Build, ops};", 1, "base model ops"),
        ("    let x = crate::verify::release(&crate::model::Build::new());", 2, "verify model"),
        ("use super::super::cli::args;", 2, "cli"),
        ("use super::super::cli::args;", 3, ""),
        ("// use crate::cli::args;", 1, ""),
        ("macro_rules! x { () => { $crate::y } }", 1, "y"),
    ] {
        assert_eq!(named(line, depth).join(" "), names, "{line}");
    }
    let broken = "use crate::base::{\n    Sha256,\n};\nuse crate::{\n    model::x,\n};\n";
    let lines = logical_lines(broken);
    assert_eq!((lines.len(), lines[1].0, named(&lines[1].1, 1)), (2, 4, vec!["model".to_owned()]));
}

#[test]
fn every_module_of_the_library_is_in_a_layer() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let modules: BTreeSet<_> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")).map(|name| name.trim_end_matches(';')).collect();
    let layered: BTreeSet<_> = LAYERS.iter().flat_map(|(_, layer)| layer.iter().copied()).collect();
    assert_eq!(modules, layered);
}

#[test]
fn every_source_file_has_a_head_and_a_sensible_length() {
    let mut wrong = Vec::new();
    let mut tests: Vec<_> = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests")
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().path().to_owned())
        .filter(|path| path.extension() == Some("rs"))
        .collect();
    tests.extend(rust_files());
    for path in tests {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{path}: {lines} lines, at most {MAX_LINES}"));
        }
        // A `tests.rs` is part of the module beside it, whose head speaks for both.
        let is_unit_test = path.file_name() == Some("tests.rs") && path.starts_with(source());
        if !text.starts_with("//!") && !is_unit_test {
            wrong.push(format!("{path}:1: no `//!` head that says what lives here"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// "Each invariant is enforced by a test that names it": the tests that ARCHITECTURE.md names exist.
#[test]
fn the_tests_that_the_architecture_names_exist() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let invariants = architecture.split("\n## ").find(|part| part.starts_with("Invariants and the tests")).unwrap();
    let mut sources: String = rust_files().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for entry in root.join("tests").read_dir_utf8().unwrap() {
        let path = entry.unwrap().path().to_owned();
        if path.extension() == Some("rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    // Every second part stands between backticks; a name may be broken off its file over two lines.
    let quoted = invariants.split('`').skip(1).step_by(2).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let last = |text: String| text.rsplit([':', ' ']).next().unwrap_or_default().to_owned();
    let names: BTreeSet<_> = quoted
        .map(last)
        .filter(|name| name.matches('_').count() >= 2 && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_'))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names tests that are not there: {missing:?}");
}
