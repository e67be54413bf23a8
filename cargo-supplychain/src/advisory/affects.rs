//! Where a vulnerability is, below the crate: functions, systems, architectures (RustSec, `[affected]`; OSV, `ecosystem_specific.affects`).

use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

/// What an advisory narrows itself to; empty: the whole crate, everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affects {
    /// Paths of functions (`shlex::bytes::quote`), each with the versions in which it is affected; none: in all that the advisory is about.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, Vec<VersionReq>>,
    /// Systems as `target_os` names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<String>,
    /// Architectures as `target_arch` names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arch: Vec<String>,
}

/// The words of `target_os` and `target_arch` that advisories may use (the Rust reference, "Conditional compilation"). What another word means
/// is not known, so nothing follows from it.
const SYSTEMS: [&str; 25] = [
    "aix",
    "android",
    "cygwin",
    "dragonfly",
    "emscripten",
    "espidf",
    "freebsd",
    "fuchsia",
    "haiku",
    "hermit",
    "horizon",
    "hurd",
    "illumos",
    "ios",
    "linux",
    "macos",
    "netbsd",
    "nto",
    "openbsd",
    "redox",
    "solaris",
    "tvos",
    "vxworks",
    "wasi",
    "windows",
];
const ARCHITECTURES: [&str; 18] = [
    "aarch64",
    "arm",
    "arm64ec",
    "avr",
    "bpf",
    "csky",
    "hexagon",
    "loongarch64",
    "m68k",
    "mips",
    "mips64",
    "powerpc",
    "powerpc64",
    "riscv32",
    "riscv64",
    "s390x",
    "x86",
    "x86_64",
];

impl Affects {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.os.is_empty() && self.arch.is_empty()
    }

    /// The functions that are affected in this version. A requirement never matches a version before a release, so that nothing is left out
    /// of those.
    pub fn functions_of<'a>(&'a self, version: &'a Version) -> impl Iterator<Item = &'a str> {
        let applies = |requirements: &[VersionReq]| {
            requirements.is_empty() || !version.pre.is_empty() || requirements.iter().any(|one| one.matches(version))
        };
        self.functions.iter().filter(move |(_, requirements)| applies(requirements)).map(|(function, _)| function.as_str())
    }

    /// Whether it is about this system and architecture. True as well where a word of it is none that is known.
    #[must_use]
    pub fn is_about(&self, os: &str, arch: &str) -> bool {
        let has = |list: &[String], known: &[&str], own: &str| {
            list.is_empty() || list.iter().any(|one| one == own || !known.contains(&one.as_str()))
        };
        has(&self.os, &SYSTEMS, os) && has(&self.arch, &ARCHITECTURES, arch)
    }

    /// What it is about, for people: `windows`, `linux or freebsd on x86_64`.
    #[must_use]
    pub fn platforms(&self) -> String {
        match (self.os.join(" or "), self.arch.join(" or ")) {
            (os, arch) if os.is_empty() => arch,
            (os, arch) if arch.is_empty() => os,
            (os, arch) => format!("{os} on {arch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affects(os: &[&str], arch: &[&str]) -> Affects {
        let words = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Affects { functions: BTreeMap::new(), os: words(os), arch: words(arch) }
    }

    #[test]
    fn systems_and_architectures() {
        for (os, arch, own, expected) in [
            (&[][..], &[][..], ("linux", "x86_64"), true),
            (&["windows"], &[], ("linux", "x86_64"), false),
            (&["windows", "linux"], &[], ("linux", "x86_64"), true),
            (&["linux"], &["aarch64"], ("linux", "x86_64"), false),
            (&["linux"], &["x86_64"], ("linux", "x86_64"), true),
            (&[], &["x86"], ("linux", "x86_64"), false),
            // Nobody knows what that means.
            (&["darwin"], &[], ("linux", "x86_64"), true),
            (&["windows"], &["i686"], ("linux", "x86_64"), false),
        ] {
            assert_eq!(affects(os, arch).is_about(own.0, own.1), expected, "{os:?} {arch:?} {own:?}");
        }
        assert_eq!(affects(&["linux", "macos"], &["x86"]).platforms(), "linux or macos on x86");
    }

    #[test]
    fn functions_have_versions() {
        let requirements = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let functions = BTreeMap::from([
            ("a::old".to_owned(), requirements(&["< 1.0.0"])),
            ("a::new".to_owned(), requirements(&[">= 1.0.0, < 1.2.0", ">= 2.0.0"])),
            ("a::always".to_owned(), Vec::new()),
        ]);
        let affects = Affects { functions, ..Affects::default() };
        for (version, expected) in [
            ("0.9.0", "a::always a::old"),
            ("1.1.0", "a::always a::new"),
            ("1.3.0", "a::always"),
            ("2.0.0-rc.1", "a::always a::new a::old"),
        ] {
            let version = version.parse().unwrap();
            assert_eq!(affects.functions_of(&version).collect::<Vec<_>>().join(" "), expected, "{version}");
        }
    }
}
