//! A realistic build and report for the tests of every format, and hostile text to put into them.

use std::collections::BTreeMap;

use crate::base::purl::{Qualifier, cargo};
use crate::base::{Location, Sha256, Sha512, Timestamp};
use crate::finding::{
    Area, Exempted, FailOn, Finding, FunctionAnswer, FunctionReach, NotEvaluated, Reach, Report, ReportInput, Severity,
};
use crate::model::licence_text::{LicenceFile, LicenceTexts};
use crate::model::native::{Evidence, Import, NativeVersion, Supply, known};
use crate::model::{
    Artifact, ArtifactFile, ArtifactKind, Build, CiRun, Component, Gap, Invocation, Linkage, NativeLibrary, Origin, Role, Source,
    TargetFolder, Toolchain, Use,
};

/// Quotes, line ends, escapes, markup, workflow commands, bidirectional text and a NUL in one name.
pub(super) const HOSTILE: &str = "x\"'\r\n\t|`<b>&::error file=a,b::%0A\u{1b}[31m\u{202e}\u{0}\\日本 [l](j) $(id) -->";

pub(super) fn stamp() -> Timestamp {
    "2026-11-23T16:33:14Z".parse().unwrap()
}

pub(super) fn crates_io(name: &str, version: &str) -> Component {
    Component {
        purl: cargo(name, version, Qualifier::CratesIo),
        name: name.to_owned(),
        version: version.to_owned(),
        origin: Origin::Registry { index: "https://github.com/rust-lang/crates.io-index".to_owned(), crates_io: true },
        replaces: None,
        checksum: Some(Sha256::of(format!("{name}-{version}.crate"))),
        license: Some("MIT OR Apache-2.0".to_owned()),
        license_file: None,
        authors: vec![format!("The {name} developers <{name}@example.org>")],
        description: Some(format!("What {name} does.")),
        repository: Some(format!("https://github.com/example/{name}")),
        links: None,
        has_build_script: false,
        is_proc_macro: false,
    }
}

fn local(name: &str, version: &str, path: &str) -> Component {
    Component {
        purl: cargo(name, version, Qualifier::Local),
        origin: Origin::Workspace { path: path.to_owned() },
        checksum: None,
        authors: Vec::new(),
        repository: None,
        ..crates_io(name, version)
    }
}

fn components() -> Vec<Component> {
    const REV: &str = "0123456789abcdef0123456789abcdef01234567";
    let git_url = "https://example.org/parser.git";
    vec![
        local("demo", "1.2.0", "."),
        local("demo-core", "1.2.0", "core"),
        crates_io("itoa", "1.0.15"),
        Component { license: Some("MIT/Apache-2.0".to_owned()), ..crates_io("serde", "1.0.228") },
        Component { is_proc_macro: true, ..crates_io("serde_derive", "1.0.228") },
        Component { license: Some("(MIT OR Apache-2.0) AND Unicode-3.0".to_owned()), ..crates_io("unicode-ident", "1.0.22") },
        Component { has_build_script: true, links: Some("z".to_owned()), ..crates_io("libz-sys", "1.1.23+1.3.1") },
        crates_io("cc", "1.2.40"),
        Component { license: Some("LicenseRef-Odd-1.0 OR MIT".to_owned()), authors: Vec::new(), ..crates_io("odd", "0.3.0") },
        Component { license: Some("as is".to_owned()), ..crates_io("loose", "0.1.0") },
        Component { license: None, license_file: Some("COPYING".to_owned()), ..crates_io("filed", "2.0.0") },
        Component { license: None, ..crates_io("silent", "0.0.1") },
        Component {
            purl: cargo("parser", "0.9.0", Qualifier::Git { url: git_url, rev: REV }),
            origin: Origin::Git { url: git_url.to_owned(), rev: REV.to_owned() },
            checksum: None,
            ..crates_io("parser", "0.9.0")
        },
        Component {
            purl: cargo("inner", "4.0.0", Qualifier::Registry("https://crates.example.org/index")),
            origin: Origin::Registry { index: "https://crates.example.org/index".to_owned(), crates_io: false },
            ..crates_io("inner", "4.0.0")
        },
        crates_io("winapi", "0.3.9"),
    ]
}

fn part(components: &BTreeMap<String, Component>, name: &str, role: Role, features: &[&str]) -> Use {
    let component = components.values().find(|component| component.name == name).unwrap();
    Use { purl: component.purl.clone(), role, features: features.iter().map(|&feature| feature.to_owned()).collect() }
}

fn zlib(component: &str) -> NativeLibrary {
    let sha256 = Sha256::of("zlib.h");
    let evidence = Evidence::File { package: component.to_owned(), path: "src/zlib/zlib.h".to_owned(), sha256 };
    let version = NativeVersion::Known { version: "1.3.1".to_owned(), evidence };
    let library = NativeLibrary::of_linker("z", Linkage::Static, component).identified(&known::parts("libz-sys")[0], version);
    NativeLibrary { supply: Supply::Bundled, ..library }
}

fn artifact(components: &BTreeMap<String, Component>) -> Artifact {
    let purl = |name: &str| part(components, name, Role::Runtime, &[]).purl;
    let linked = ["demo", "demo-core", "itoa", "libz-sys", "odd", "loose", "filed", "silent", "parser", "inner"];
    let mut linked: Vec<Use> = linked.iter().map(|name| part(components, name, Role::Runtime, &["default", "std"])).collect();
    linked.push(part(components, "serde", Role::Runtime, &["default", "derive", "std"]));
    linked.sort();
    let mut host = vec![
        part(components, "cc", Role::Build, &[]),
        part(components, "itoa", Role::Build, &[]),
        part(components, "serde_derive", Role::ProcMacro, &["default"]),
        part(components, "unicode-ident", Role::ProcMacro, &[]),
    ];
    host.sort();
    let edges = [
        ("demo", &["demo-core", "serde", "libz-sys", "odd", "loose", "filed", "silent", "parser", "inner"] as &[&str]),
        ("demo-core", &["itoa", "serde"]),
        ("serde", &["serde_derive"]),
        ("serde_derive", &["unicode-ident", "itoa"]),
        ("libz-sys", &["cc"]),
    ];
    let sorted = |names: &[&str]| {
        let mut purls: Vec<String> = names.iter().map(|name| purl(name)).collect();
        purls.sort();
        purls
    };
    Artifact {
        name: "demo".to_owned(),
        kind: ArtifactKind::Bin,
        package: purl("demo"),
        linked,
        host,
        dependencies: edges.into_iter().map(|(from, to)| (purl(from), sorted(to))).collect(),
        native: vec![
            NativeLibrary {
                supply: Supply::System,
                import: Some(Import::Needed { name: "libm.so.6".to_owned() }),
                ..NativeLibrary::of_linker("m", Linkage::Dynamic, &purl("demo"))
            },
            zlib(&purl("libz-sys")),
        ],
        file: Some(ArtifactFile {
            name: "demo".to_owned(),
            size: 4_242_424,
            sha256: Sha256::of("demo"),
            sha512: Sha512::of("demo"),
        }),
    }
}

pub(super) fn build() -> Build {
    let components: BTreeMap<_, _> = components().into_iter().map(|component| (component.purl.clone(), component)).collect();
    let artifacts = vec![artifact(&components)];
    Build {
        name: "demo".to_owned(),
        version: "1.2.0".to_owned(),
        invocation: Invocation {
            arguments: vec!["--bins".to_owned(), "--features".to_owned(), "tls".to_owned()],
            profile: "release".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            target_is_explicit: false,
            features: vec!["tls".to_owned()],
            all_features: false,
            default_features: true,
            manifest: "Cargo.toml".into(),
            rustflags: vec!["-Ctarget-cpu=native".to_owned()],
            rustflags_from: crate::model::cargo_config::FlagsFrom::default(),
            path_remapping: None,
            audit_data: false,
            target_folder: TargetFolder::Fresh,
            environment: BTreeMap::from([("CARGO_PROFILE_RELEASE_LTO".to_owned(), "thin".to_owned())]),
            profile_overrides: BTreeMap::new(),
            sides: crate::model::surroundings::Sides::default(),
            sandbox: crate::model::sandbox::SandboxRecord::of_a_plan(),
        },
        source: Source {
            commit: Some("89abcdef0123456789abcdef0123456789abcdef".to_owned()),
            commit_time: Some("2026-11-20T08:00:00Z".parse().unwrap()),
            tags: vec!["v1.2.0".to_owned()],
            branch: Some("main".to_owned()),
            dirty: Some(false),
            remote: Some("https://github.com/example/demo".to_owned()),
            subdirectory: Some(".".to_owned()),
        },
        toolchain: Toolchain {
            rustc: "1.95.0".to_owned(),
            rustc_commit: Some("f8297e351a40c1439a467bbbb6879088047f50b3".to_owned()),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            llvm: Some("21.1.8".to_owned()),
            cargo: "1.95.0 (f2d3ce0bd 2026-02-01)".to_owned(),
            channel: Some("1.95.0-x86_64-unknown-linux-gnu".to_owned()),
        },
        ci: Some(CiRun {
            provider: "github-actions".to_owned(),
            run_url: Some("https://github.com/example/demo/actions/runs/42/attempts/1".to_owned()),
            facts: BTreeMap::from([("GITHUB_REPOSITORY".to_owned(), "example/demo".to_owned())]),
        }),
        stamp: stamp(),
        resolved_only: vec![cargo("winapi", "0.3.9", Qualifier::CratesIo)],
        components,
        artifacts,
        gaps: Vec::new(),
        reproduction: None,
    }
}

/// Licence files of some of its packages.
pub(super) fn texts() -> LicenceTexts {
    let file = |path: &str, text: &str| vec![LicenceFile { path: path.to_owned(), text: text.to_owned() }];
    LicenceTexts(BTreeMap::from([
        (crates_io("itoa", "1.0.15").purl, file("LICENSE", "Do what you want.")),
        (crates_io("odd", "0.3.0").purl, file("LICENSE", "Do what you want.")),
        (crates_io("filed", "2.0.0").purl, file("COPYING", "As is.\n\n::error file=a::b\u{c}\n")),
    ]))
}

/// The same build before compilation, with something not established.
pub(super) fn planned() -> Build {
    let mut build = build();
    build.artifacts[0].file = None;
    build.ci = None;
    build.source = Source::default();
    build.gaps = vec![Gap { subject: "libz-sys".to_owned(), message: "its build script was not run".to_owned() }];
    build
}

/// The build with [`HOSTILE`] wherever others can write.
pub(super) fn hostile() -> Build {
    let mut build = build();
    let evil = Component {
        purl: cargo(HOSTILE, HOSTILE, Qualifier::Registry(HOSTILE)),
        name: HOSTILE.to_owned(),
        version: HOSTILE.to_owned(),
        origin: Origin::Git { url: HOSTILE.to_owned(), rev: HOSTILE.to_owned() },
        license: Some(HOSTILE.to_owned()),
        license_file: Some(HOSTILE.to_owned()),
        authors: vec![HOSTILE.to_owned(), String::new()],
        description: Some(HOSTILE.to_owned()),
        repository: Some(HOSTILE.to_owned()),
        ..crates_io("evil", "1.0.0")
    };
    let artifact = &mut build.artifacts[0];
    artifact.linked.push(Use { purl: evil.purl.clone(), role: Role::Runtime, features: vec![HOSTILE.to_owned()] });
    artifact.linked.sort();
    artifact.dependencies.entry(artifact.package.clone()).or_default().push(evil.purl.clone());
    artifact.native.push(NativeLibrary::of_linker(HOSTILE, Linkage::Unspecified, &evil.purl));
    artifact.name = HOSTILE.to_owned();
    artifact.file = Some(ArtifactFile { name: HOSTILE.to_owned(), size: 1, sha256: Sha256::of("x"), sha512: Sha512::of("x") });
    build.components.insert(evil.purl.clone(), evil);
    build.name = HOSTILE.to_owned();
    build.source.remote = Some(HOSTILE.to_owned());
    build.source.tags = vec![HOSTILE.to_owned()];
    build.gaps = vec![Gap { subject: HOSTILE.to_owned(), message: HOSTILE.to_owned() }];
    build
}

pub(super) fn report() -> Report {
    let advisory = Finding::new("advisory/vulnerability", Severity::High, "RUSTSEC-2026-0001 affects libz-sys 1.1.23")
        .about("libz-sys", &"1.1.23+1.3.1")
        .at(Location::line("Cargo.lock", 42))
        .because("patched in 1.1.24")
        .reaching(Some(Reach::of_functions(
            vec![FunctionReach {
                function: "libz_sys::inflate".to_owned(),
                answer: FunctionAnswer::Linked,
                why: "`inflate` in demo".to_owned(),
            }],
            "1 of 1 functions",
        )))
        .help("update to 1.1.24 or later");
    let unpinned = Finding::new("toolchain/unpinned", Severity::Low, "no toolchain is pinned").help("add rust-toolchain.toml");
    let outside = Finding::new("config/source-override", Severity::Critical, "`paths` replaces a crate").at(Location {
        file: "/home/me/my project/.cargo/config.toml".to_owned(),
        line: 3,
        column: 7,
    });
    let exempted = Finding::new("advisory/unmaintained", Severity::Medium, "odd is unmaintained").about("odd", &"0.3.0");
    let input = ReportInput {
        findings: vec![unpinned, advisory, outside],
        exempted: vec![Exempted {
            finding: exempted,
            reason: "replaced in the next release".to_owned(),
            expires: "2027-01-01".parse().ok(),
        }],
        not_evaluated: vec![NotEvaluated {
            area: Area::Advisories,
            check: "advisories".to_owned(),
            why: "database is 30 days old, the limit is 7".to_owned(),
            required: true,
            help: "run `cargo supplychain fetch`".to_owned(),
        }],
    };
    Report::new(input, FailOn::default(), stamp(), true)
}

/// The report with [`HOSTILE`] wherever others can write.
pub(super) fn hostile_report() -> Report {
    let finding = |severity| {
        Finding::new("dep/banned", severity, HOSTILE)
            .about(HOSTILE, &HOSTILE)
            .at(Location { file: format!("../{HOSTILE}"), line: 1, column: 2 })
            .because(HOSTILE)
            .help(HOSTILE)
    };
    let input = ReportInput {
        findings: vec![finding(Severity::High)],
        exempted: vec![Exempted { finding: finding(Severity::Low), reason: HOSTILE.to_owned(), expires: Some(stamp()) }],
        not_evaluated: vec![NotEvaluated {
            area: Area::Lock,
            check: HOSTILE.to_owned(),
            why: HOSTILE.to_owned(),
            required: false,
            help: HOSTILE.to_owned(),
        }],
    };
    Report::new(input, FailOn::default(), stamp(), false)
}
