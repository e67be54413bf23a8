//! `licence/native-differs`: a package carries native code whose licence is another than the one that it declares.

use crate::check::licensed::{self, Licensed};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::licence::Expression;

pub(super) static RULE: Rule = Rule {
    id: "licence/native-differs",
    severity: Severity::Info,
    area: Area::Licences,
    summary: "a package carries native code whose licence is another than the one that the package declares",
    docs: "\
The manifest of a `-sys` package often states the licence of its bindings only, while the C library inside it has its own:
`openssl-src` declares `MIT/Apache-2.0` and carries OpenSSL, whose licence leaves no such choice. NOTICE files and licence lists made
from manifests miss it.

From a short table of well-known packages (see docs/licences.md), nothing more: that a package is not in it says nothing. Whether the
code is compiled in is up to its build script, which often prefers a library of the system.

**Behind it:** no incident; a licence list that is wrong for almost every program with TLS.

```text
info  licence/native-differs  openssl-src 300.5.5+3.5.5  Cargo.lock:612
      openssl-src 300.5.5+3.5.5 declares MIT OR Apache-2.0 and carries OpenSSL, which is under Apache-2.0
```

**What to do:** add the library's licence to what you ship, or state it (`[licences] clarify`).
",
    options: &[],
    run,
};

/// A package that carries a native library, and the library's licence.
struct Carried {
    package: &'static str,
    /// From this major version on, and below that one.
    versions: std::ops::Range<u64>,
    library: &'static str,
    licence: &'static str,
    /// What an SPDX expression cannot say.
    note: &'static str,
}

const fn carried(package: &'static str, library: &'static str, licence: &'static str) -> Carried {
    Carried { package, versions: 0..u64::MAX, library, licence, note: "" }
}

/// By the licence files of the libraries inside the packages.
const TABLE: [Carried; 16] = [
    carried("bzip2-sys", "bzip2", "bzip2-1.0.6"),
    carried("curl-sys", "curl", "curl"),
    carried("freetype-sys", "FreeType", "FTL OR GPL-2.0-or-later"),
    carried("harfbuzz-sys", "HarfBuzz", "MIT-Modern-Variant"),
    carried("jemalloc-sys", "jemalloc", "BSD-2-Clause"),
    Carried {
        note: "libgit2's linking exception allows linking it with programs of any licence",
        ..carried("libgit2-sys", "libgit2", "GPL-2.0-only WITH GCC-exception-2.0")
    },
    carried("libsqlite3-sys", "SQLite", "blessing"),
    carried("libssh2-sys", "libssh2", "BSD-3-Clause"),
    carried("libz-ng-sys", "zlib-ng", "Zlib"),
    carried("libz-sys", "zlib", "Zlib"),
    carried("mozjpeg-sys", "mozjpeg", "IJG AND BSD-3-Clause AND Zlib"),
    carried("onig_sys", "Oniguruma", "BSD-2-Clause"),
    Carried { versions: 0..300, ..carried("openssl-src", "OpenSSL 1.1", "OpenSSL") },
    Carried { versions: 300..u64::MAX, ..carried("openssl-src", "OpenSSL", "Apache-2.0") },
    carried("tikv-jemalloc-sys", "jemalloc", "BSD-2-Clause"),
    carried("zstd-sys", "zstd", "BSD-3-Clause OR GPL-2.0-only"),
];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let packages = licensed::packages(facts);
    packages.iter().filter(|package| !package.is_clarified).filter_map(finding).collect()
}

fn finding(package: &Licensed<'_>) -> Option<Finding> {
    let (name, version) = (&package.component.name, &package.component.version);
    let major = version.split('.').next()?.parse().ok()?;
    let carried = TABLE.iter().find(|carried| carried.package == name && carried.versions.contains(&major))?;
    let declared = package.expression()?;
    let library = Expression::parse(carried.licence)?;
    // Does the declaration leave a choice that the library's licence does not?
    let terms = library.terms();
    if !declared.holds(|term| !terms.contains(term)) {
        return None;
    }
    let message = format!(
        "{name} {version} declares {} and carries {}, which is under {}",
        declared.text, carried.library, carried.licence
    );
    let mut finding = package.finding(RULE.id, RULE.severity, message);
    if !carried.note.is_empty() {
        finding = finding.because(carried.note);
    }
    let help = format!("where {} is compiled in, its licence belongs to what you ship", carried.library);
    Some(finding.help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::licensed::fixture;
    use crate::model::Role;

    #[test]
    fn the_table_is_sorted_and_its_licences_are_expressions() {
        assert!(
            TABLE
                .windows(2)
                .all(|pair| { (pair[0].package, pair[0].versions.start) < (pair[1].package, pair[1].versions.start) })
        );
        for carried in &TABLE {
            assert!(Expression::parse(carried.licence).is_some(), "{}", carried.licence);
        }
    }

    #[test]
    fn the_library_has_another_licence_than_its_bindings() {
        for (name, version, license, expected) in [
            (
                "openssl-src",
                "300.6.1+3.6.3",
                "MIT/Apache-2.0",
                &["openssl-src 300.6.1+3.6.3 declares MIT OR Apache-2.0 and carries OpenSSL, which is under Apache-2.0"][..],
            ),
            (
                "openssl-src",
                "111.28.2+1.1.1w",
                "MIT/Apache-2.0",
                &["openssl-src 111.28.2+1.1.1w declares MIT OR Apache-2.0 and carries OpenSSL 1.1, which is under OpenSSL"],
            ),
            ("openssl-src", "300.6.1+3.6.3", "Apache-2.0", &[]),
            (
                "zstd-sys",
                "2.0.15+zstd.1.5.7",
                "MIT/Apache-2.0",
                &[
                    "zstd-sys 2.0.15+zstd.1.5.7 declares MIT OR Apache-2.0 and carries zstd, which is under BSD-3-Clause OR GPL-2.0-only",
                ],
            ),
            ("zstd-sys", "2.1.3+zstd.1.5.7", "BSD-3-Clause AND BSD-2-Clause", &[]),
            ("ring", "0.17.14", "Apache-2.0 AND ISC", &[]),
            ("libz-sys", "1.1.0", "non-standard", &[]),
        ] {
            let case = fixture::case("MIT", &[(name, version, Some(license), Some(Role::Build))]);
            let found: Vec<_> = case.findings(&RULE).into_iter().map(|finding| finding.message).collect();
            assert_eq!(found, expected, "{name} {version} {license}");
        }
    }
}
