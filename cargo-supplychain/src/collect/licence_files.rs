//! Licence files of packages, read from the sources that cargo compiles. Bounded; links are not followed; nothing is judged.

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::licence_text::{LicenceFile, LicenceTexts, is_licence_name};

/// The largest file that is taken for a licence, in bytes: the longest texts of the SPDX list have less than 100 KiB.
const MAX_BYTES: u64 = 1 << 20;
/// The most files of one package.
const MAX_FILES: usize = 64;
/// The most names that are looked at in one folder.
const MAX_NAMES: usize = 10_000;
/// Where the REUSE specification (3.3) has licences.
const REUSE: &str = "LICENSES";

/// A package whose files are looked for.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    pub purl: &'a str,
    pub folder: Utf8PathBuf,
    /// The manifest's `license-file`.
    pub license_file: Option<&'a str>,
}

/// The licence files of all of them. What cannot be read is not there: the documents say which packages have none.
#[must_use]
pub fn read<'a>(packages: impl IntoIterator<Item = Package<'a>>) -> LicenceTexts {
    let texts = packages.into_iter().map(|package| (package.purl.to_owned(), of(&package)));
    LicenceTexts(texts.filter(|(_, files)| !files.is_empty()).collect())
}

fn of(package: &Package<'_>) -> Vec<LicenceFile> {
    let mut paths: Vec<String> = names(&package.folder).into_iter().filter(|name| is_licence_name(name)).collect();
    paths.extend(names(&package.folder.join(REUSE)).into_iter().map(|name| format!("{REUSE}/{name}")));
    if let Some(named) = package.license_file.map(|path| path.trim_start_matches("./")) {
        // A path out of the package (`../LICENSE`) is of no use to who has the package alone, and leads where others want.
        let is_inside = Utf8Path::new(named).components().all(|part| matches!(part, camino::Utf8Component::Normal(_)));
        paths.extend(is_inside.then(|| named.to_owned()));
    }
    paths.sort();
    paths.dedup();
    paths.truncate(MAX_FILES);
    let file = |path: String| {
        let text = text(&package.folder.join(&path))?;
        Some(LicenceFile { path, text })
    };
    paths.into_iter().filter_map(file).collect()
}

/// The names in a folder; none where it cannot be listed.
fn names(folder: &Utf8Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let entries = entries.take(MAX_NAMES).filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).map(|entry| entry.file_name().to_owned()).collect()
}

/// Old licences are in other encodings than UTF-8: what is not UTF-8 in them is replaced.
fn text(path: &Utf8Path) -> Option<String> {
    let file = files::open_no_follow(path).ok()?;
    let bytes = files::read_open(&file, MAX_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_files_are_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        std::fs::create_dir_all(root.join("LICENSES")).unwrap();
        std::fs::create_dir_all(root.join("LICENSE.d")).unwrap();
        std::fs::create_dir_all(root.join("legal")).unwrap();
        for (path, text) in [
            ("LICENSE-MIT", "mit"),
            ("COPYING", " \n"),
            ("README.md", "no"),
            ("LICENSES/LicenseRef-X.txt", "x"),
            ("legal/terms", "terms"),
        ] {
            std::fs::write(root.join(path), text).unwrap();
        }
        std::fs::write(root.join("NOTICE"), b"caf\xe9").unwrap();
        std::fs::write(root.join("LICENSE-LONG"), vec![b'a'; (MAX_BYTES + 1) as usize]).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("README.md", root.join("LICENSE-LINK")).unwrap();
        let package = |license_file| Package { purl: "p", folder: root.clone(), license_file };
        let found = |license_file| -> Vec<(String, String)> {
            let texts = read([package(license_file)]);
            texts.of("p").iter().map(|file| (file.path.clone(), file.text.clone())).collect()
        };
        let pair = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let both = [pair("LICENSE-MIT", "mit"), pair("LICENSES/LicenseRef-X.txt", "x"), pair("NOTICE", "caf\u{fffd}")];
        assert_eq!(found(None), both);
        assert_eq!(found(Some("../README.md")), both);
        assert!(found(Some("./legal/terms")).contains(&pair("legal/terms", "terms")));
        assert_eq!(read([Package { purl: "q", folder: root.join("gone"), license_file: None }]), LicenceTexts::default());
    }
}
