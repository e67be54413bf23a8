//! The licence texts that packages carry, as files beside their manifests. Nobody looks at what they say: they are given on.

use std::collections::BTreeMap;

/// A file of a package that bears a licence or a notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LicenceFile {
    /// Its path within the package, with forward slashes.
    pub path: String,
    pub text: String,
}

/// The licence files of packages, by package URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicenceTexts(pub BTreeMap<String, Vec<LicenceFile>>);

impl LicenceTexts {
    #[must_use]
    pub fn of(&self, purl: &str) -> &[LicenceFile] {
        self.0.get(purl).map(Vec::as_slice).unwrap_or_default()
    }

    /// The text that a `LicenseRef-…` of a package's declaration stands for: the file of that name (REUSE specification 3.3), else the
    /// manifest's `license-file`, else the only file of a package that has one. None where that leaves it open.
    #[must_use]
    pub fn of_reference(&self, purl: &str, reference: &str, license_file: Option<&str>) -> Option<&LicenceFile> {
        let files = self.of(purl);
        let stem = |file: &LicenceFile| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
        };
        let named = files.iter().find(|file| stem(file) == reference);
        let declared =
            || files.iter().find(|file| Some(file.path.as_str()) == license_file.map(|path| path.trim_start_matches("./")));
        let only = || if let [file] = files { Some(file) } else { None };
        named.or_else(declared).or_else(only)
    }
}

/// Whether a file beside a manifest bears a licence or a notice, by its name.
#[must_use]
pub fn is_licence_name(name: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
    // What is code, or a manifest of a tool (`license.rs`, `licenses.toml`), is none.
    const OTHERS: [&str; 8] = ["RS", "TOML", "JSON", "YML", "YAML", "SH", "PY", "HBS"];
    let name = name.to_ascii_uppercase();
    let is_other = name.rsplit_once('.').is_some_and(|(_, extension)| OTHERS.contains(&extension));
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) && !is_other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_licence_files() {
        for (name, expected) in [
            ("LICENSE", true),
            ("License-MIT.txt", true),
            ("licence.md", true),
            ("COPYING.LESSER", true),
            ("NOTICE", true),
            ("UNLICENSE", true),
            ("license.rs", false),
            ("licenses.toml", false),
            ("README.md", false),
        ] {
            assert_eq!(is_licence_name(name), expected, "{name}");
        }
    }

    #[test]
    fn what_a_reference_stands_for() {
        let file = |path: &str| LicenceFile { path: path.to_owned(), text: path.to_owned() };
        let texts =
            |files: &[&str]| LicenceTexts(BTreeMap::from([("p".to_owned(), files.iter().map(|path| file(path)).collect())]));
        let path = |files: &[&str], license_file| {
            texts(files).of_reference("p", "LicenseRef-X", license_file).map(|file| file.path.clone())
        };
        assert_eq!(path(&["LICENSE", "LICENSES/LicenseRef-X.txt"], None).as_deref(), Some("LICENSES/LicenseRef-X.txt"));
        assert_eq!(path(&["COPYING", "LICENSE"], Some("./COPYING")).as_deref(), Some("COPYING"));
        assert_eq!(path(&["LICENSE"], None).as_deref(), Some("LICENSE"));
        assert_eq!(path(&["LICENSE-MIT", "LICENSE-X"], None), None);
        assert_eq!(LicenceTexts::default().of_reference("p", "LicenseRef-X", None), None);
    }
}
