//! Package URLs as documents name components by them: what is left out is any.

use packageurl::PackageUrl;

/// A crate, or a library that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    is_crate: bool,
    name: String,
    version: Option<String>,
}

impl Pattern {
    /// `pkg:cargo/…` or `pkg:generic/…`. `None`: of another type, no package URL, or with qualifiers, which tell it from the package of the
    /// registry that everybody has.
    #[must_use]
    pub fn of(purl: &str) -> Option<Self> {
        let purl: PackageUrl<'_> = purl.parse().ok()?;
        let is_crate = match purl.ty() {
            "cargo" => true,
            "generic" => false,
            _ => return None,
        };
        if !purl.qualifiers().is_empty() || purl.namespace().is_some() {
            return None;
        }
        Some(Self { is_crate, name: purl.name().to_owned(), version: purl.version().map(str::to_owned) })
    }

    /// Whether it names this crate.
    #[must_use]
    pub fn is_crate(&self, name: &str, version: &str) -> bool {
        self.is_crate && self.name == name && self.version.as_deref().is_none_or(|wanted| wanted == version)
    }

    /// Whether it names this library.
    #[must_use]
    pub fn is_library(&self, name: &str, version: Option<&str>) -> bool {
        !self.is_crate && self.name == name && self.version.as_deref().is_none_or(|wanted| Some(wanted) == version)
    }

    /// Whether it says which version.
    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_any() {
        let crate_of = |purl: &str| Pattern::of(purl).is_some_and(|one| one.is_crate("openssl-src", "300.5.5+3.5.5"));
        for (purl, expected) in [
            ("pkg:cargo/openssl-src@300.5.5%2B3.5.5", true),
            ("pkg:cargo/openssl-src", true),
            ("pkg:cargo/openssl-src@300.5.5", false),
            ("pkg:cargo/openssl", false),
            ("pkg:generic/openssl-src", false),
            ("pkg:cargo/openssl-src?repository_url=https://example.org", false),
            ("pkg:rpm/redhat/openssl-src", false),
            ("openssl-src", false),
        ] {
            assert_eq!(crate_of(purl), expected, "{purl}");
        }
        let library = Pattern::of("pkg:generic/openssl@3.3.0").unwrap();
        assert!(library.is_library("openssl", Some("3.3.0")) && !library.is_library("openssl", None));
        assert!(Pattern::of("pkg:generic/openssl").unwrap().is_library("openssl", None));
    }
}
