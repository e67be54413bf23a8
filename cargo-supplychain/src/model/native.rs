//! [`NativeLibrary`]: code outside Rust that is in an artifact or that it needs, and how each word of it is known. `known` says which
//! crates bring what, `version` reads the version out of their sources, `imports` what a produced file itself asks the system for. Pure:
//! no file is opened here.

pub mod imports;
pub mod known;
pub mod version;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{Sha256, purl};

/// How a native library is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    Static,
    Dynamic,
    Framework,
    /// The build script left the kind to the linker, and the file does not tell either.
    Unspecified,
}

/// Where the library's code comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supply {
    /// Built by a build script: the static library lies in an `OUT_DIR` of this build.
    Bundled,
    /// The package brings the built library: it lies among its sources.
    Prebuilt,
    /// It belongs to the system that compiled, or to the one that the artifact runs on.
    System,
    /// Not known: before the build script ran, or where the linker found it by itself.
    Unknown,
}

/// What says that the library is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// The crate is known to bring it; nothing was compiled.
    Crate,
    /// A build script asked the linker for it (`cargo::rustc-link-lib`).
    BuildScript,
    /// The produced file needs it and no build script named it: an attribute in Rust code, or the standard library.
    Imports,
}

/// What the produced file says of a library that is not static.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Import {
    /// It needs it, by this name (`libz.so.1`).
    Needed { name: String },
    /// It does not need it: the linker left it out, or found a static one.
    Absent,
    /// Not looked for, and why.
    Unread { why: String },
}

/// The version of a native library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum NativeVersion {
    Known {
        version: String,
        evidence: Evidence,
    },
    /// Not established, and why, a fragment.
    Unknown {
        why: String,
    },
}

impl NativeVersion {
    /// The version, where it is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known { version, .. } => Some(version),
            Self::Unknown { .. } => None,
        }
    }
}

/// How the version of a native library is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Evidence {
    /// The build metadata of the version of the package that brings the sources (`300.5.5+3.5.5`).
    BuildMetadata { package: String },
    /// A file of that package.
    File { package: String, path: String, sha256: Sha256 },
}

/// One library outside Rust, of one artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NativeLibrary {
    /// Upstream's name (`zlib`) where the crate is a known one, else the name that the linker was given.
    pub name: String,
    pub version: NativeVersion,
    pub linkage: Linkage,
    pub supply: Supply,
    /// Package URL of the crate whose build script asked for it; of the artifact's own package where only the file tells.
    pub component: String,
    /// The names that the linker was given (`ssl`, `crypto`), sorted.
    pub link_names: Vec<String>,
    pub witness: Witness,
    /// None where it is static: it is in the file, and nothing is imported.
    pub import: Option<Import>,
    /// `pkg:generic/NAME[@VERSION]`, only of what is known by upstream's name.
    pub purl: Option<String>,
    /// A CPE 2.3 name, where vendor and product are known and the version is.
    pub cpe: Option<String>,
}

impl NativeLibrary {
    /// A library by the linker's name, of which nothing else is known yet.
    #[must_use]
    pub fn of_linker(name: &str, linkage: Linkage, component: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: NativeVersion::Unknown { why: "no version is stated where the sources are known to say it".to_owned() },
            linkage,
            supply: Supply::Unknown,
            component: component.to_owned(),
            link_names: vec![name.to_owned()],
            witness: Witness::BuildScript,
            import: None,
            purl: None,
            cpe: None,
        }
    }

    /// Gives it upstream's name and version, and the identifiers that follow from them.
    #[must_use]
    pub fn identified(mut self, part: &known::KnownPart, version: NativeVersion) -> Self {
        part.name.clone_into(&mut self.name);
        self.purl = Some(purl::generic(part.name, version.known()));
        self.cpe = part.cpe.zip(version.known()).and_then(|(product, version)| cpe(product, version));
        self.version = version;
        self
    }
}

/// `cpe:2.3:a:VENDOR:PRODUCT:VERSION:*:*:*:*:*:*:*` (NIST IR 7695, section 6.2); none where the version would need escapes.
fn cpe(product: &str, version: &str) -> Option<String> {
    let is_plain = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
    is_plain.then(|| format!("cpe:2.3:a:{product}:{version}:*:*:*:*:*:*:*"))
}

/// What was read on this machine of native libraries.
#[derive(Debug, Clone, Default)]
pub struct NativeFacts {
    /// Versions that sources say, by package URL of the package with the sources and upstream's name.
    pub versions: BTreeMap<(String, &'static str), NativeVersion>,
    /// Where a library lay: by `OUT_DIR` of the run that asked for it, and the linker's name.
    pub places: BTreeMap<(String, String), Supply>,
    /// By the artifact's name: what its file imports; none where it is no such file; an error says why it could not be read.
    pub imports: BTreeMap<String, Result<Option<Vec<String>>, String>>,
}

/// A library as a build script asked for it: `[KIND[:MODIFIERS]=]NAME[:RENAME]` (The rustc book, `-l`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkRequest {
    pub name: String,
    pub linkage: Linkage,
}

impl LinkRequest {
    /// None where there is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('=').unwrap_or(("", text));
        let mut kind = kind.split(':');
        let linkage = match kind.next().unwrap_or("") {
            "static" => Linkage::Static,
            "dylib" | "raw-dylib" => Linkage::Dynamic,
            "framework" => Linkage::Framework,
            _ => Linkage::Unspecified,
        };
        let name = name.split(':').next().unwrap_or(name);
        // `static:+verbatim=libfoo.a` names the file.
        let name = if kind.any(|modifiers| modifiers.split(',').any(|one| one == "+verbatim")) { stem(name) } else { name };
        (!name.is_empty()).then(|| Self { name: name.to_owned(), linkage })
    }
}

/// `libfoo.a` and `libfoo.so.1` without what is not the name.
#[must_use]
pub fn stem(file: &str) -> &str {
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let name = file.strip_prefix("lib").unwrap_or(file);
    let end = [".so", ".dylib", ".dll", ".a", ".lib", ".tbd"].iter().filter_map(|ending| name.find(ending)).min();
    let name = end.map_or(name, |end| &name[..end]);
    if name.is_empty() { file } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_linker_is_asked_for() {
        for (text, name, linkage) in [
            ("static=z", "z", Linkage::Static),
            ("static:+whole-archive=foo", "foo", Linkage::Static),
            ("static:+verbatim=libfoo.a", "foo", Linkage::Static),
            ("dylib=ssl:renamed", "ssl", Linkage::Dynamic),
            ("framework=Security", "Security", Linkage::Framework),
            ("stdc++", "stdc++", Linkage::Unspecified),
        ] {
            assert_eq!(LinkRequest::parse(text), Some(LinkRequest { name: name.to_owned(), linkage }), "{text}");
        }
        assert_eq!(LinkRequest::parse("static="), None);
    }

    #[test]
    fn names_in_file_names() {
        for (file, name) in [
            ("libz.so.1", "z"),
            ("libstdc++.so.6", "stdc++"),
            ("ld-linux-x86-64.so.2", "ld-linux-x86-64"),
            ("/usr/lib/libSystem.B.dylib", "System.B"),
            ("KERNEL32.dll", "KERNEL32"),
            ("lib.so", "lib.so"),
            ("", ""),
        ] {
            assert_eq!(stem(file), name, "{file}");
        }
    }

    #[test]
    fn identifiers_need_a_version_that_can_stand_in_them() {
        let part = known::KnownPart { cpe: Some("zlib:zlib"), ..known::parts("libz-sys")[0] };
        let plain = |version: &str| {
            let evidence = Evidence::BuildMetadata { package: "p".to_owned() };
            let version = NativeVersion::Known { version: version.to_owned(), evidence };
            let one = NativeLibrary::of_linker("z", Linkage::Static, "c").identified(&part, version);
            format!("{} {} {}", one.name, one.purl.unwrap(), one.cpe.unwrap_or_default())
        };
        assert_eq!(plain("1.3.2"), "zlib pkg:generic/zlib@1.3.2 cpe:2.3:a:zlib:zlib:1.3.2:*:*:*:*:*:*:*");
        assert_eq!(plain("1.3:*"), "zlib pkg:generic/zlib@1.3:* ");
    }
}
