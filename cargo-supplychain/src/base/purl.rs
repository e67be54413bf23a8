//! Package URLs (ECMA-427, type `cargo`): the identity of a component in every document.

use packageurl::PackageUrl;

/// Where a crate comes from, as far as its package URL tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier<'a> {
    /// crates.io: the type's default, no qualifier.
    CratesIo,
    /// Another registry: `repository_url`, the index URL without credentials.
    Registry(&'a str),
    /// A git repository at a revision: `vcs_url=git+URL@REV` (SPDX download location form).
    Git { url: &'a str, rev: &'a str },
    /// A folder: the package was not published; no qualifier can locate it.
    Local,
    /// A folder that stands for a published package of that name and version: `download_url=file:FOLDER`, so that nobody takes it for
    /// the published one.
    Instead { folder: &'a str },
}

/// `pkg:cargo/NAME@VERSION` with the qualifier of its source.
#[must_use]
pub fn cargo(name: &str, version: &str, source: Qualifier<'_>) -> String {
    // The type `cargo` is valid and crate names and versions need no more than percent-encoding, which the library does.
    let mut purl = PackageUrl::new("cargo", name).expect("`cargo` is a valid purl type");
    purl.with_version(version).expect("a purl version may be any text");
    match source {
        Qualifier::CratesIo | Qualifier::Local => {}
        Qualifier::Registry(url) => {
            purl.add_qualifier("repository_url", url.to_owned()).expect("the key is valid");
        }
        Qualifier::Instead { folder } => {
            purl.add_qualifier("download_url", format!("file:{folder}")).expect("the key is valid");
        }
        Qualifier::Git { url, rev } => {
            purl.add_qualifier("vcs_url", format!("git+{url}@{rev}")).expect("the key is valid");
        }
    }
    purl.to_string()
}

/// `pkg:generic/NAME@VERSION`: something that no registry has, by its name.
#[must_use]
pub fn generic(name: &str, version: Option<&str>) -> String {
    let mut purl = PackageUrl::new("generic", name).expect("`generic` is a valid purl type");
    if let Some(version) = version {
        purl.with_version(version).expect("a purl version may be any text");
    }
    purl.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(cargo("itoa", "1.0.15", Qualifier::CratesIo), "pkg:cargo/itoa@1.0.15");
        assert_eq!(cargo("openssl-src", "300.5.5+3.5.5", Qualifier::CratesIo), "pkg:cargo/openssl-src@300.5.5%2B3.5.5");
        assert_eq!(generic("my app", Some("1+2")), "pkg:generic/my%20app@1%2B2");
        assert_eq!(generic("app", None), "pkg:generic/app");
        let instead = Qualifier::Instead { folder: "patched/a" };
        assert_eq!(cargo("a", "1.0.0", instead), "pkg:cargo/a@1.0.0?download_url=file:patched%2Fa");
        let git = Qualifier::Git { url: "https://example.org/a.git", rev: "0123" };
        assert_eq!(cargo("a", "1.0.0", git), "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fa.git%400123");
    }
}
