//! What was compiled, read for the functions that advisories name: symbols of the produced files, and the sources that the compiler says it read.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::functions::{Asked, Found, Named, Names, Path, dep_info, find};

/// The largest produced file that is read, in bytes.
const MAX_PRODUCED: u64 = 2 << 30;
/// The largest source, and how much is read of all together.
const MAX_SOURCE: u64 = 64 << 20;
const MAX_SOURCES: u64 = 4 << 30;

/// A crate that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub purl: String,
    /// Name and version of its package, for people.
    pub package: String,
    /// The crate's own name, where it is a library.
    pub library: Option<String>,
    /// What the compiler wrote.
    pub files: Vec<Utf8PathBuf>,
    /// The package's folder.
    pub folder: Utf8PathBuf,
}

/// What the symbols of a produced file have of the functions.
///
/// # Errors
/// Why they do not tell, a fragment.
pub fn symbols(file: &Utf8Path, asked: &[(Asked, Path)]) -> Result<BTreeMap<Asked, Found>, String> {
    let bytes = files::read(file, MAX_PRODUCED).map_err(|error| format!("it cannot be read: {}", error.kind()))?;
    find(&bytes, asked)
}

/// What the sources of all that was compiled say of the functions. `root` is where the compiler ran for packages of the workspace; `depends` tells whether
/// a package (URL) may have another among its dependencies, however far.
///
/// # Errors
/// Why they do not tell all of it, a fragment.
pub fn sources(
    units: &[Unit],
    root: &Utf8Path,
    asked: &[(Asked, Path)],
    depends: &dyn Fn(&str, &str) -> bool,
) -> Result<BTreeMap<Asked, Named>, String> {
    let mut found: BTreeMap<Asked, Named> = asked.iter().map(|(asked, _)| (asked.clone(), Named::default())).collect();
    let mut read = 0;
    for (path, compiled_in) in &compiled(units, root)? {
        let Some(first) = compiled_in.first() else { continue };
        // Cargo's own lists have what build scripts watch as well (`rerun-if-changed`); a folder is nothing that the compiler can have read.
        if path.is_dir() {
            continue;
        }
        let shown = || path.strip_prefix(&first.folder).map_or(path.file_name().unwrap_or_default(), Utf8Path::as_str);
        let bytes = files::read(path, MAX_SOURCE)
            .map_err(|error| format!("{} of {} cannot be read: {}", shown(), first.package, error.kind()))?;
        read += bytes.len() as u64;
        if read > MAX_SOURCES {
            return Err(format!("they are more than {MAX_SOURCES} bytes"));
        }
        let text = String::from_utf8_lossy(&bytes);
        for (asked, path) in asked.iter().filter(|(_, path)| text.contains(path.name())) {
            let names = Names::of(&text, path.name());
            let Some(named) = found.get_mut(asked) else { continue };
            if compiled_in.iter().any(|unit| unit.purl == asked.purl) {
                names.add_definitions_to(named);
            }
            let of_dependent = compiled_in.iter().any(|unit| depends(&unit.purl, &asked.purl));
            if let (None, Some(line)) = (&named.mention, names.mention(of_dependent)) {
                named.mention = Some(format!("{}, {}:{line}", first.package, shown()));
            }
        }
    }
    Ok(found)
}

/// Every file that the compiler read, with the crates that it read it for.
fn compiled<'u>(units: &'u [Unit], root: &Utf8Path) -> Result<BTreeMap<Utf8PathBuf, Vec<&'u Unit>>, String> {
    let mut all: BTreeMap<Utf8PathBuf, Vec<&Unit>> = BTreeMap::new();
    for unit in units {
        let lists: BTreeSet<_> = unit.files.iter().filter_map(|file| list_of(file)).collect();
        let mut is_listed = false;
        for list in lists {
            let text = files::read_text(&list, dep_info::MAX_FILE)
                .map_err(|error| format!("the list of files of {} cannot be read: {}", unit.package, error.kind()))?;
            for file in dep_info::files(&text) {
                is_listed = true;
                // Absolute stays absolute.
                all.entry(root.join(file)).or_default().push(unit);
            }
        }
        if !is_listed {
            return Err(format!("the compiler has left no list of the files of {}", unit.package));
        }
    }
    Ok(all)
}

/// The list beside a file that the compiler wrote: `deps/x-1.d` beside `deps/libx-1.rlib`; cargo's own, of the same form, beside what it puts into
/// the folder of the profile (`x.d`, `libx.d`).
fn list_of(file: &Utf8Path) -> Option<Utf8PathBuf> {
    let stem = file.file_stem()?;
    let names = [stem.strip_prefix("lib").unwrap_or(stem), stem];
    names.iter().map(|name| file.with_file_name(format!("{name}.d"))).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_compiler_are_read_for_names() {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap();
        let write = |path: &str, text: &str| {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        };
        let unit = |name: &str, file: &str| Unit {
            purl: format!("pkg:cargo/{name}@1.0.0"),
            package: format!("{name} 1.0.0"),
            library: Some(name.to_owned()),
            files: vec![root.join(file)],
            folder: root.join(name),
        };
        write("fig/src/lib.rs", "pub fn peel() {}\npub fn slice() {}\n#[cfg(test)] mod tests;");
        write("fig/src/tests.rs", "super::peel()");
        write("src/main.rs", "fn main() {\n    fig::slice();\n}");
        write("t/deps/fig-1.d", &format!("{root}/t/deps/libfig-1.rlib: {root}/fig/src/lib.rs\n"));
        write("t/app.d", "t/app: src src/main.rs\n");
        let units = [unit("fig", "t/deps/libfig-1.rlib"), Unit { folder: root.to_owned(), ..unit("app", "t/app") }];
        let asked = ["fig::peel", "fig::slice", "fig::eat"]
            .map(|function| (Asked { purl: units[0].purl.clone(), function: function.to_owned() }, Path::parse(function)));
        let found = sources(&units, root, &asked, &|_, _| true).unwrap();
        let told: Vec<_> = found.values().map(|named| (named.definitions, named.mention.as_deref())).collect();
        assert_eq!(told, [(0, None), (1, None), (1, Some("app 1.0.0, src/main.rs:2"))]);
        let none = sources(&units, root, &asked, &|_, _| false).unwrap();
        assert!(none.values().all(|named| named.mention.is_none()));
        let sources = |units| sources(units, root, &asked, &|_, _| true);
        std::fs::remove_file(root.join("src/main.rs")).unwrap();
        assert_eq!(sources(&units).unwrap_err(), "src/main.rs of app 1.0.0 cannot be read: entity not found");
        std::fs::remove_file(root.join("t/app.d")).unwrap();
        assert_eq!(sources(&units).unwrap_err(), "the compiler has left no list of the files of app 1.0.0");
        assert_eq!(symbols(&root.join("fig/src/lib.rs"), &asked).unwrap_err(), "its format is not read here");
    }
}
