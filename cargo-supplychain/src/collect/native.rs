//! What this machine says of native libraries: version files of the packages that bring them, where the libraries of build scripts lay,
//! and what produced files import. Judges nothing; `assemble` joins it with the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::events::ScriptRun;
use crate::model::native::known;
use crate::model::native::{LinkRequest, Linkage, NativeVersion, Supply, imports, version};

/// A package whose files may say the version of a native library.
#[derive(Debug, Clone, Copy)]
pub struct Package<'p> {
    pub purl: &'p str,
    pub name: &'p str,
    pub version: &'p str,
    pub folder: &'p Utf8Path,
}

/// The versions of known native parts, by package URL and upstream's name.
#[must_use]
pub fn versions<'p>(packages: impl IntoIterator<Item = Package<'p>>) -> BTreeMap<(String, &'static str), NativeVersion> {
    let mut versions = BTreeMap::new();
    for package in packages {
        for part in known::sources_in(package.name) {
            let version = part.version(package.purl, package.version, &mut |path| read(package.folder, path));
            versions.insert((package.purl.to_owned(), part.name), version);
        }
    }
    versions
}

/// A file of a package; messages name it by its path in there.
fn read(folder: &Utf8Path, path: &str) -> Result<Option<Vec<u8>>, String> {
    match files::read(&folder.join(path), version::MAX_FILE) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(format!("{path} cannot be read: {}", error.kind())),
    }
}

/// Where each library lay that a build script asked for, by the script's `OUT_DIR` and the linker's name; those that lie nowhere where a
/// script points are left out. `folders`: of packages, by cargo's package id.
#[must_use]
pub fn places(scripts: &[ScriptRun], folders: &BTreeMap<String, Utf8PathBuf>) -> BTreeMap<(String, String), Supply> {
    let real = |path: &Utf8Path| path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let out_dirs: BTreeSet<_> = scripts.iter().map(|run| real(&run.out_dir)).collect();
    let all: BTreeSet<&str> = scripts.iter().flat_map(|run| &run.linked_paths).map(|path| search_path(path)).collect();
    let mut places = BTreeMap::new();
    for run in scripts {
        let folder = folders.get(&run.package_id).map(|folder| real(folder));
        let own: Vec<&str> = run.linked_paths.iter().map(|path| search_path(path)).collect();
        for request in run.linked_libs.iter().filter_map(|text| LinkRequest::parse(text)) {
            // The linker hears the paths of all scripts, a crate's own first.
            let paths = own.iter().chain(&all);
            let Some(found) = paths.map(Utf8Path::new).find(|path| holds(path, &request)).map(real) else { continue };
            let supply = if out_dirs.iter().any(|out_dir| found.starts_with(out_dir)) {
                Supply::Bundled
            } else if folder.as_ref().is_some_and(|folder| found.starts_with(folder)) {
                Supply::Prebuilt
            } else {
                Supply::System
            };
            places.insert((run.out_dir.to_string(), request.name), supply);
        }
    }
    places
}

/// `[KIND=]PATH` (The Cargo Book, `cargo::rustc-link-search`).
fn search_path(text: &str) -> &str {
    let kinds = ["dependency", "crate", "native", "framework", "all"];
    text.split_once('=').filter(|(kind, _)| kinds.contains(kind)).map_or(text, |(_, path)| path)
}

/// Whether a folder holds a file that the linker takes for the library.
fn holds(folder: &Utf8Path, request: &LinkRequest) -> bool {
    let name = &request.name;
    let static_names = [format!("lib{name}.a"), format!("{name}.lib"), format!("lib{name}.lib"), format!("{name}.a")];
    let dynamic_names = [
        format!("lib{name}.so"),
        format!("lib{name}.dylib"),
        format!("lib{name}.tbd"),
        format!("{name}.dll"),
        format!("lib{name}.dll.a"),
        format!("{name}.lib"),
    ];
    let any = |names: &[String]| names.iter().any(|name| folder.join(name).is_file());
    match request.linkage {
        Linkage::Static => any(&static_names),
        Linkage::Dynamic => any(&dynamic_names),
        Linkage::Framework => folder.join(format!("{name}.framework")).is_dir(),
        Linkage::Unspecified => any(&dynamic_names) || any(&static_names),
    }
}

/// What a produced file imports; see [`imports::needed`].
///
/// # Errors
/// Why it cannot be read, a fragment.
pub fn imported(file: &Utf8Path) -> Result<Option<Vec<String>>, String> {
    let bytes = files::read(file, imports::MAX_FILE).map_err(|error| error.to_string())?;
    imports::needed(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, out: &Utf8Path, libs: &[&str], paths: &[String]) -> ScriptRun {
        ScriptRun {
            package_id: id.to_owned(),
            linked_libs: libs.iter().map(|&text| text.to_owned()).collect(),
            linked_paths: paths.to_vec(),
            out_dir: out.to_owned(),
        }
    }

    #[test]
    fn where_a_library_lay() {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap();
        for (folder, file) in [("out/lib", "libz.a"), ("package/lib", "libpre.a"), ("system", "libssl.so"), ("other", "w.lib")] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
            std::fs::write(root.join(folder).join(file), "").unwrap();
        }
        let path = |kind: &str, folder: &str| format!("{kind}{}", root.join(folder));
        let own = [path("native=", "out/lib"), path("", "package/lib"), path("all=", "system")];
        let libs = ["static=z", "static=pre", "ssl", "static=ssl", "static=w", "static=none"];
        let scripts = [run("a", &root.join("out"), &libs, &own), run("b", &root.join("out2"), &[], &[path("native=", "other")])];
        let folders = BTreeMap::from([("a".to_owned(), root.join("package"))]);
        let found: Vec<_> =
            places(&scripts, &folders).into_iter().map(|((_, name), supply)| format!("{name} {supply:?}")).collect();
        assert_eq!(found, ["pre Prebuilt", "ssl System", "w System", "z Bundled"]);
    }

    #[test]
    fn version_files_are_read_within_bounds() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(temporary.path()).unwrap();
        let say = |version: &str| {
            let package = Package { purl: "pkg:cargo/libz-sys@1.1.0", name: "libz-sys", version, folder };
            versions([package])[&("pkg:cargo/libz-sys@1.1.0".to_owned(), "zlib")].clone()
        };
        let why = |version: NativeVersion| match version {
            NativeVersion::Unknown { why } => why,
            NativeVersion::Known { version, .. } => version,
        };
        assert_eq!(why(say("1.1.0")), "the sources in the package do not say it");
        std::fs::create_dir_all(folder.join("src/zlib")).unwrap();
        let header = folder.join("src/zlib/zlib.h");
        std::fs::write(&header, "#define ZLIB_VERSION \"1.3.2\"\n").unwrap();
        assert_eq!(why(say("1.1.0")), "1.3.2");
        std::fs::File::create(&header).unwrap().set_len(version::MAX_FILE + 1).unwrap();
        assert_eq!(why(say("1.1.0")), "src/zlib/zlib.h cannot be read: file too large");
    }
}
