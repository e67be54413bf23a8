//! Which crates bring which native libraries, under which names the linker hears of them, and where their sources say the version: a
//! table, and what may be asked of it without compiling anything. A crate that is not in it is not guessed about.
//!
//! Each row was looked up in the published crate (`tests/trial/native_parts.py` builds the common ones and reads every version file).

use std::collections::BTreeSet;

use super::version::{self, Pattern};
use super::{Evidence, NativeVersion};
use crate::base::Sha256;
use Pattern::{After, Assignments, Numbers, Text};
use Source::{BuildMetadata, File};

/// Gives a file of a package by its path in it; none where there is no such file.
pub type ReadFile<'a> = dyn FnMut(&str) -> Result<Option<Vec<u8>>, String> + 'a;

/// A native library that a crate brings or asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPart {
    /// Upstream's name, as it stands in `pkg:generic/NAME`.
    pub name: &'static str,
    /// `VENDOR:PRODUCT` of the CPE dictionary.
    pub cpe: Option<&'static str>,
    /// The linker's names; one that ends in `*` is the beginning of a name.
    pub libraries: &'static [&'static str],
    /// Where its version is said, best first.
    pub versions: &'static [Source],
    /// The package with the sources, where it is another one (`openssl-src` for `openssl-sys`).
    pub sources_in: Option<&'static str>,
    /// When its sources are compiled into what is built.
    pub bundled: Bundled,
    /// It is there only with this feature, or only without it.
    pub only_with: Option<&'static str>,
    pub only_without: Option<&'static str>,
    /// It is compiled into the library of another part, in versions of the crate that have its sources: there is no library of its own, and
    /// none of the system's stands for it.
    pub is_inside: bool,
    /// Why no version will be found, where that is so: the code has no upstream release.
    pub no_upstream: Option<&'static str>,
}

/// Where a version is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The build metadata of the package's version.
    BuildMetadata,
    /// A file of the package.
    File(&'static str, Pattern),
}

/// When a part is compiled from the package's sources, as far as that can be told without compiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundled {
    Always,
    /// With this feature.
    With(&'static str),
    /// Where the package with the sources takes part in the build.
    WithSources,
    /// The build script decides by what it finds on the machine.
    Depends,
}

const PART: KnownPart = KnownPart {
    name: "",
    cpe: None,
    libraries: &[],
    versions: &[BuildMetadata],
    sources_in: None,
    bundled: Bundled::Always,
    only_with: None,
    only_without: None,
    is_inside: false,
    no_upstream: None,
};

/// The parts of a crate, by its name; empty where none is known.
#[must_use]
pub fn parts(crate_name: &str) -> &'static [KnownPart] {
    TABLE.iter().find(|(name, _)| *name == crate_name).map_or(&[], |(_, parts)| parts)
}

/// The parts whose sources lie in this package: what its version and files say something of.
pub fn sources_in(package: &str) -> impl Iterator<Item = &'static KnownPart> {
    let in_package = move |(name, part): &(&str, &KnownPart)| part.sources_in.unwrap_or(name) == package;
    let all = TABLE.iter().flat_map(|(name, parts)| parts.iter().map(move |part| (*name, part)));
    all.filter(in_package).map(|(_, part)| part)
}

/// The crates that are known to bring, or ask for, a library that is wanted by its upstream name.
pub fn bringing(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(move |(_, parts)| parts.iter().any(|part| wanted(part.name))).map(|(name, _)| *name)
}

/// The libraries that crates are known to bring, by upstream's names.
#[must_use]
pub fn libraries() -> BTreeSet<&'static str> {
    TABLE.iter().flat_map(|(_, parts)| parts.iter().map(|part| part.name)).collect()
}

impl KnownPart {
    /// Whether the linker's name is one of this part's.
    #[must_use]
    pub fn has_library(&self, link_name: &str) -> bool {
        self.libraries.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => link_name.starts_with(beginning),
            None => *known == link_name,
        })
    }

    /// Whether the part is there with these features of its crate.
    #[must_use]
    pub fn is_with(&self, features: &[String]) -> bool {
        let on = |feature: &str| features.iter().any(|one| one == feature);
        self.only_with.is_none_or(on) && self.only_without.is_none_or(|feature| !on(feature))
    }

    /// The version that the sources say; `read` gives files of the package.
    pub fn version(&self, package: &str, package_version: &str, read: &mut ReadFile<'_>) -> NativeVersion {
        let mut why = None;
        for source in self.versions {
            match *source {
                BuildMetadata => {
                    if let Some(version) = version::of_build_metadata(package_version) {
                        return NativeVersion::Known {
                            version,
                            evidence: Evidence::BuildMetadata { package: package.to_owned() },
                        };
                    }
                }
                File(path, pattern) => match read(path) {
                    Ok(Some(bytes)) => {
                        if let Some(version) = version::read(pattern, &String::from_utf8_lossy(&bytes)) {
                            let (package, path) = (package.to_owned(), path.to_owned());
                            let evidence = Evidence::File { package, path, sha256: Sha256::of(&bytes) };
                            return NativeVersion::Known { version, evidence };
                        }
                    }
                    Ok(None) => {}
                    Err(error) => why = Some(error),
                },
            }
        }
        let why = self.no_upstream.map(str::to_owned).or(why);
        NativeVersion::Unknown { why: why.unwrap_or_else(|| "the sources in the package do not say it".to_owned()) }
    }
}

const ZLIB: KnownPart = KnownPart { name: "zlib", cpe: Some("zlib:zlib"), libraries: &["z", "zlib", "zlibstatic"], ..PART };
const OPENSSL: KnownPart = KnownPart {
    name: "openssl",
    cpe: Some("openssl:openssl"),
    libraries: &["ssl", "crypto", "libssl", "libcrypto", "ssleay32", "libeay32"],
    ..PART
};
const XZ: KnownPart = KnownPart { name: "xz", cpe: Some("tukaani:xz"), libraries: &["lzma", "liblzma"], ..PART };
const WEBP: KnownPart =
    KnownPart { name: "libwebp", cpe: Some("webmproject:libwebp"), libraries: &["webp*", "sharpyuv"], ..PART };
const FREETYPE: &[&str] = &["FREETYPE_MAJOR", "FREETYPE_MINOR", "FREETYPE_PATCH"];

/// By crate.
static TABLE: &[(&str, &[KnownPart])] = &[
    (
        "aws-lc-sys",
        &[KnownPart {
            name: "aws-lc",
            libraries: &["aws_lc_*"],
            versions: &[File("aws-lc/include/openssl/base.h", Text("AWSLC_VERSION_NUMBER_STRING"))],
            ..PART
        }],
    ),
    (
        "aws-lc-fips-sys",
        &[KnownPart {
            name: "aws-lc",
            libraries: &["aws_lc_*"],
            versions: &[File("aws-lc/include/openssl/base.h", Text("AWSLC_VERSION_NUMBER_STRING"))],
            ..PART
        }],
    ),
    ("brotli-sys", &[KnownPart { name: "brotli", cpe: Some("google:brotli"), libraries: &["brotli"], versions: &[], ..PART }]),
    (
        "bzip2-sys",
        &[KnownPart { name: "bzip2", cpe: Some("bzip:bzip2"), libraries: &["bz2"], bundled: Bundled::Depends, ..PART }],
    ),
    (
        "curl-sys",
        &[KnownPart { name: "curl", cpe: Some("haxx:curl"), libraries: &["curl", "libcurl"], bundled: Bundled::Depends, ..PART }],
    ),
    (
        "expat-sys",
        &[KnownPart {
            name: "expat",
            cpe: Some("libexpat_project:libexpat"),
            libraries: &["expat"],
            versions: &[File("expat/lib/expat.h", Numbers(&["XML_MAJOR_VERSION", "XML_MINOR_VERSION", "XML_MICRO_VERSION"]))],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    (
        "freetype-sys",
        &[KnownPart {
            name: "freetype",
            cpe: Some("freetype:freetype"),
            libraries: &["freetype", "freetype2"],
            versions: &[File("freetype2/include/freetype/freetype.h", Numbers(FREETYPE))],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    (
        "harfbuzz-sys",
        &[KnownPart {
            name: "harfbuzz",
            cpe: Some("harfbuzz_project:harfbuzz"),
            libraries: &["harfbuzz*", "embedded_harfbuzz"],
            versions: &[File("harfbuzz/src/hb-version.h", Text("HB_VERSION_STRING"))],
            bundled: Bundled::With("bundled"),
            ..PART
        }],
    ),
    (
        "libffi-sys",
        &[KnownPart {
            name: "libffi",
            cpe: Some("libffi_project:libffi"),
            libraries: &["ffi", "libffi"],
            versions: &[File("libffi/configure.ac", After("AC_INIT([libffi],"))],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    (
        "libgit2-sys",
        &[
            KnownPart {
                name: "libgit2",
                cpe: Some("libgit2:libgit2"),
                libraries: &["git2"],
                versions: &[File("libgit2/include/git2/version.h", Text("LIBGIT2_VERSION")), BuildMetadata],
                bundled: Bundled::Depends,
                ..PART
            },
            KnownPart {
                name: "llhttp",
                cpe: Some("llhttp:llhttp"),
                libraries: &["git2"],
                versions: &[File(
                    "libgit2/deps/llhttp/llhttp.h",
                    Numbers(&["LLHTTP_VERSION_MAJOR", "LLHTTP_VERSION_MINOR", "LLHTTP_VERSION_PATCH"]),
                )],
                bundled: Bundled::Depends,
                is_inside: true,
                ..PART
            },
            KnownPart {
                name: "pcre2",
                cpe: Some("pcre:pcre2"),
                libraries: &["git2"],
                versions: &[File("libgit2/deps/pcre2/pcre2.h", Numbers(&["PCRE2_MAJOR", "PCRE2_MINOR"]))],
                bundled: Bundled::Depends,
                is_inside: true,
                ..PART
            },
            KnownPart {
                name: "pcre",
                cpe: Some("pcre:pcre"),
                libraries: &["git2"],
                versions: &[File("libgit2/deps/pcre/pcre.h", Numbers(&["PCRE_MAJOR", "PCRE_MINOR"]))],
                bundled: Bundled::Depends,
                is_inside: true,
                ..PART
            },
        ],
    ),
    ("liblzma-sys", &[KnownPart { bundled: Bundled::Depends, versions: XZ_FILE, ..XZ }]),
    ("lzma-sys", &[KnownPart { bundled: Bundled::Depends, versions: LZMA_SYS_FILE, ..XZ }]),
    ("libnghttp2-sys", &[KnownPart { name: "nghttp2", cpe: Some("nghttp2:nghttp2"), libraries: &["nghttp2"], ..PART }]),
    (
        "libsqlite3-sys",
        &[KnownPart {
            name: "sqlite",
            cpe: Some("sqlite:sqlite"),
            libraries: &["sqlite3"],
            versions: &[File("sqlite3/sqlite3.h", Text("SQLITE_VERSION"))],
            bundled: Bundled::With("bundled"),
            only_without: Some("bundled-sqlcipher"),
            ..PART
        }],
    ),
    (
        "libssh2-sys",
        &[KnownPart {
            name: "libssh2",
            cpe: Some("libssh2:libssh2"),
            libraries: &["ssh2", "libssh2"],
            versions: &[File("libssh2/include/libssh2.h", Text("LIBSSH2_VERSION"))],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    (
        "libusb1-sys",
        &[KnownPart {
            name: "libusb",
            cpe: Some("libusb:libusb"),
            libraries: &["usb-1.0", "usb-vendored"],
            versions: &[File("libusb/libusb/version.h", Numbers(&["LIBUSB_MAJOR", "LIBUSB_MINOR", "LIBUSB_MICRO"]))],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    ("libwebp-sys", &[KnownPart { versions: &[File("vendor/configure.ac", After("AC_INIT([libwebp],"))], ..WEBP }]),
    (
        "libwebp-sys2",
        &[KnownPart { bundled: Bundled::Depends, versions: &[File("c_src/configure.ac", After("AC_INIT([libwebp],"))], ..WEBP }],
    ),
    (
        "libz-sys",
        &[
            KnownPart {
                versions: &[File("src/zlib/zlib.h", Text("ZLIB_VERSION"))],
                bundled: Bundled::Depends,
                only_without: Some("zlib-ng"),
                ..ZLIB
            },
            KnownPart {
                name: "zlib-ng",
                cpe: None,
                versions: &[File("src/zlib-ng/zlib-ng.h.in", Text("ZLIBNG_VERSION"))],
                only_with: Some("zlib-ng"),
                ..ZLIB
            },
        ],
    ),
    ("lz4-sys", &[KnownPart { name: "lz4", cpe: Some("lz4_project:lz4"), libraries: &["lz4"], ..PART }]),
    (
        "onig_sys",
        &[KnownPart {
            name: "oniguruma",
            cpe: Some("oniguruma_project:oniguruma"),
            libraries: &["onig"],
            versions: &[File(
                "oniguruma/src/oniguruma.h",
                Numbers(&["ONIGURUMA_VERSION_MAJOR", "ONIGURUMA_VERSION_MINOR", "ONIGURUMA_VERSION_TEENY"]),
            )],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    (
        "openssl-sys",
        &[KnownPart {
            versions: &[File("openssl/VERSION.dat", Assignments(&["MAJOR", "MINOR", "PATCH"])), BuildMetadata],
            sources_in: Some("openssl-src"),
            bundled: Bundled::WithSources,
            ..OPENSSL
        }],
    ),
    (
        "pcre2-sys",
        &[KnownPart {
            name: "pcre2",
            cpe: Some("pcre:pcre2"),
            libraries: &["pcre2", "pcre2-8"],
            versions: &[File("upstream/include/pcre2.h", Numbers(&["PCRE2_MAJOR", "PCRE2_MINOR"]))],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
    ("rdkafka-sys", &[KnownPart { name: "librdkafka", libraries: &["rdkafka"], bundled: Bundled::Depends, ..PART }]),
    (
        "ring",
        &[KnownPart {
            name: "ring-core",
            libraries: &["ring_core_*"],
            versions: &[],
            no_upstream: Some(
                "its C and assembly come from BoringSSL and OpenSSL and are kept in the crate; no upstream version is stated",
            ),
            ..PART
        }],
    ),
    ("tikv-jemalloc-sys", &[KnownPart { name: "jemalloc", libraries: &["jemalloc*"], ..PART }]),
    (
        "zstd-sys",
        &[KnownPart {
            name: "zstd",
            cpe: Some("facebook:zstandard"),
            libraries: &["zstd", "zstd_static", "zstd_seekable"],
            versions: &[
                File("zstd/lib/zstd.h", Numbers(&["ZSTD_VERSION_MAJOR", "ZSTD_VERSION_MINOR", "ZSTD_VERSION_RELEASE"])),
                BuildMetadata,
            ],
            bundled: Bundled::Depends,
            ..PART
        }],
    ),
];

const XZ_NUMBERS: Pattern = Numbers(&["LZMA_VERSION_MAJOR", "LZMA_VERSION_MINOR", "LZMA_VERSION_PATCH"]);
const XZ_FILE: &[Source] = &[File("xz/src/liblzma/api/lzma/version.h", XZ_NUMBERS)];
const LZMA_SYS_FILE: &[Source] = &[File("xz-5.2/src/liblzma/api/lzma/version.h", XZ_NUMBERS)];
