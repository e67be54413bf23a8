use proptest::prelude::*;

use super::super::settings::RuleOption;
use super::super::{Level, MaxAge, OptionValue, Settings};
use super::*;
use crate::finding::Severity;

/// The rules that these tests are about; the table of all is in a layer above, and tried in `ops::init`.
const KNOWN: &[KnownRule<'_>] = &[
    KnownRule { id: "advisory/vulnerability", options: &[] },
    KnownRule { id: "advisory/notice", options: &[] },
    KnownRule { id: "advisory/unsound", options: &[] },
    KnownRule {
        id: "advisory/unmaintained",
        options: &[RuleOption::word("scope", &["all", "workspace", "transitive", "none"], "")],
    },
    KnownRule { id: "registry/yanked", options: &[] },
    KnownRule { id: "policy/exemption-unused", options: &[] },
    KnownRule { id: "licence/missing", options: &[] },
    KnownRule { id: "licence/denied", options: &[] },
    KnownRule { id: "licence/copyleft-static", options: &[RuleOption::allow("")] },
    KnownRule { id: "dep/wildcard-requirement", options: &[RuleOption::allow("")] },
    KnownRule { id: "source/registry-not-allowed", options: &[RuleOption::allow("")] },
    KnownRule { id: "source/git-not-allowed", options: &[RuleOption::allow("")] },
    KnownRule { id: "source/git-not-pinned", options: &[RuleOption::allow("")] },
    KnownRule { id: "dep/duplicate-version", options: &[RuleOption::allow("")] },
    KnownRule { id: "build/script-not-allowed", options: &[RuleOption::allow("")] },
];

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

/// The policy that is made, read by our own parser, and the notes.
fn imported(text: &str) -> (Settings, Vec<String>) {
    let imported = import("deny.toml", text, now(), KNOWN).unwrap();
    let settings = super::super::parse("supplychain.toml", &imported.text, KNOWN)
        .unwrap_or_else(|error| panic!("{error}\n{}", imported.text));
    let notes = imported.notes.into_iter().map(|note| format!("{}: {}", note.line, note.message)).collect();
    (settings, notes)
}

fn level(settings: &Settings, rule: &str) -> Option<Severity> {
    match settings.rules.get(rule)?.level? {
        Level::Severity(severity) => Some(severity),
        Level::Off => None,
    }
}

/// As version 1 of the formats had it: levels for everything.
const OLD: &str = r#"
targets = [{ triple = "x86_64-unknown-linux-gnu" }]

[advisories]
db-path = "~/.cargo/advisory-db"
db-url = "https://github.com/rustsec/advisory-db"
vulnerability = "deny"
unmaintained = "warn"
yanked = "deny"
notice = "allow"
severity-threshold = "Low"
ignore = [
    "RUSTSEC-2020-0001", # only its name is bad
    # Two lines of why,
    # above it.
    "RUSTSEC-2020-0002",

    "RUSTSEC-2020-0003",
]

[licenses]
unlicensed = "deny"
copyleft = "deny"
default = "warn"
confidence-threshold = 0.9
allow = ["MIT", "GPL-3.0", "Nokia-Own", "ISC"]
deny = ["ISC"]
exceptions = [{ name = "ring", version = "0.17", allow = ["OpenSSL"] }]

[[licenses.clarify]]
name = "old"
version = "*"
expression = "MIT/Apache-2.0"
license-files = [{ path = "LICENSE", hash = 0xbd0eed23 }]

[licenses.private]
ignore = true

[bans]
multiple-versions = "deny"
wildcards = "deny"
highlight = "all"
skip = [{ name = "syn", version = "=1.0.109" }, "bitflags"]
skip-tree = [{ name = "windows-sys", depth = 2 }]
deny = [{ name = "openssl" }]

[sources]
unknown-registry = "deny"
unknown-git = "deny"
allow-registry = ["https://github.com/rust-lang/crates.io-index", "https://registry.example.org/index"]
allow-git = []
"#;

#[test]
fn the_old_form() {
    let (settings, notes) = imported(OLD);
    for (rule, expected) in [
        ("advisory/vulnerability", Severity::High),
        ("advisory/unmaintained", Severity::Medium),
        ("registry/yanked", Severity::High),
        ("advisory/notice", Severity::Info),
        ("licence/missing", Severity::High),
        ("licence/copyleft-static", Severity::High),
        ("licence/denied", Severity::Medium),
        ("dep/wildcard-requirement", Severity::High),
        ("dep/duplicate-version", Severity::High),
        ("source/registry-not-allowed", Severity::High),
        ("source/git-not-allowed", Severity::High),
    ] {
        assert_eq!(level(&settings, rule), Some(expected), "{rule}");
    }
    let reasons: Vec<_> =
        settings.exemptions.iter().map(|one| format!("{} {} {}", one.id, one.expires.date(), one.reason)).collect();
    assert_eq!(
        reasons,
        [
            "RUSTSEC-2020-0001 2027-02-21 only its name is bad",
            "RUSTSEC-2020-0002 2027-02-21 Two lines of why, above it.",
            "RUSTSEC-2020-0003 2027-02-21 imported from deny.toml",
        ]
    );
    let allowed: Vec<_> = settings.licences.allow.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["GPL-3.0", "MIT"]);
    assert_eq!(settings.licences.exceptions[0].allow[0].to_string(), "OpenSSL");
    assert_eq!(settings.licences.clarify[0].expression, "MIT OR Apache-2.0");
    assert_eq!(settings.list("dep/duplicate-version", "allow"), ["bitflags", "syn", "windows-sys"]);
    assert_eq!(settings.list("source/registry-not-allowed", "allow"), ["registry+https://registry.example.org/index"]);
    // Without a list any repository would be allowed; nobody asked for that.
    assert_eq!(settings.list("source/git-not-allowed", "allow"), ["none"]);
    insta::assert_snapshot!(notes.join("\n"), @r"
    2: `graph.targets` is an argument here: `--target`; the lock is judged for all of them
    5: `advisories.db-path` has no counterpart: the database is in our cache (`--cache-dir`)
    11: `advisories.severity-threshold` has no counterpart: findings are rated by their score, `--fail-on` says which fail
    25: `licenses.confidence-threshold` has no counterpart: licence files are not read
    26: `Nokia-Own` is not on the SPDX licence list
    34: the digests of licence files of `old` are not compared: narrow its `version` instead
    36: `licenses.private` is not needed: packages of the workspace are not judged
    42: `bans.highlight` is about the output of cargo-deny
    44: `bans.skip-tree` is carried over for the named packages, not for what is below them
    45: `bans.deny` has no counterpart in this version
    ");
}

/// As version 2 has it.
const NEW: &str = r#"
[graph]
all-features = true
exclude = ["fuzz"]

[output]
feature-depth = 1

[advisories]
version = 2
unmaintained = "workspace"
unsound = "workspace"
unused-ignored-advisory = "allow"
maximum-db-staleness = "P30D"
ignore = [
    { id = "RUSTSEC-2025-0001", reason = "not \"called\" \\ here" },
    { crate = "yanked@1.2.3", reason = "waiting" },
    "loose@0.1",
]
db-urls = ["https://example.org/advisories"]

[licenses]
version = 2
allow = ["Apache-2.0 WITH LLVM-exception"]
exceptions = [{ crate = "a:<=1.2", allow = ["LicenseRef-own"] }, { allow = ["Zlib"] }]

[bans]
allow-wildcard-paths = true
deny = ["openssl", { crate = "x", use-instead = "y" }]
features = []

[bans.build]
allow-build-scripts = ["cc"]
executables = "deny"

[sources]
unknown-git = "warn"
allow-git = ["https://github.com/a/b?branch=main", "https://github.com/a/b.git"]
private = ["https://git.example.org"]
required-git-spec = "rev"

[sources.allow-org]
github = ["our-org"]
gitlab = ["them"]
"#;

#[test]
fn the_new_form() {
    let (settings, notes) = imported(NEW);
    assert_eq!(settings.word("advisory/unmaintained", "scope"), Some("workspace"));
    assert_eq!(settings.advisories.max_age, MaxAge::Days(30));
    assert_eq!(settings.advisories.database.as_deref(), Some("https://example.org/advisories"));
    let exempted: Vec<_> =
        settings.exemptions.iter().map(|one| format!("{} {:?} {:?} {}", one.id, one.package, one.version, one.reason)).collect();
    assert_eq!(
        exempted,
        [
            r#"RUSTSEC-2025-0001 None None not "called" \ here"#,
            r#"registry/yanked Some("yanked") Some("1.2.3") waiting"#,
            r#"registry/yanked Some("loose") None imported from deny.toml"#,
        ]
    );
    assert_eq!(
        settings.list("source/git-not-allowed", "allow"),
        [
            "https://git.example.org/",
            "https://github.com/a/b",
            "https://github.com/a/b.git",
            "https://github.com/our-org/",
            "https://gitlab.com/them/",
        ]
    );
    assert_eq!(level(&settings, "source/git-not-pinned"), Some(Severity::High));
    assert_eq!(settings.rules["build/script-not-allowed"].options["allow"], OptionValue::List(vec!["cc".into()]));
    insta::assert_snapshot!(notes.join("\n"), @r"
    3: `graph.all-features` is an argument of `check` and `build` here
    4: `graph.exclude` is an argument here: `--exclude`
    7: `output.feature-depth` is about the output of cargo-deny
    12: `advisories.unsound` has no counterpart: unsound packages are told of wherever they are
    18: the exemption of the yanked `loose` holds for all its versions: ours take exact versions only
    25: an entry of `licenses.exceptions` names no package
    28: `bans.allow-wildcard-paths` has no counterpart
    29: `bans.deny` has no counterpart in this version
    34: `bans.build.executables` has no counterpart in this version
    ");
}

#[test]
fn free_licences_are_written_out() {
    let text = "[licenses]\nallow-osi-fsf-free = 'either'\ndeny = ['AGPL-3.0-only']\n";
    let (settings, _) = imported(text);
    let allowed: Vec<_> = settings.licences.allow.iter().map(ToString::to_string).collect();
    assert!(["MIT", "Apache-2.0", "GPL-3.0-or-later"].iter().all(|free| allowed.iter().any(|one| one == free)), "{allowed:?}");
    assert!(!allowed.contains(&"AGPL-3.0-only".to_owned()));
}

#[test]
fn package_specs() {
    for (text, expected) in [
        ("simple", Some(("simple", None))),
        ("simple@0.1.0", Some(("simple", Some("=0.1.0")))),
        ("simple:<=0.1,>0.2", Some(("simple", Some("<=0.1,>0.2")))),
        ("windows-sys<=0.52", Some(("windows-sys", Some("<=0.52")))),
        ("simple:*", Some(("simple", None))),
        ("", None),
        ("@1", None),
    ] {
        let spec = Spec::of_text(text);
        let shown = spec.as_ref().map(|spec| (spec.name.as_str(), spec.version.as_deref()));
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn hostile_files() {
    let error = import("d", "[a", now(), KNOWN).unwrap_err();
    assert_eq!(error.to_string(), "d:1:3: not valid TOML: unclosed table, expected `]`");
    assert!(import("d", &"#".repeat(MAX_BYTES + 1), now(), KNOWN).is_err());
    // Values of other types, and text that would end a comment or a string.
    let (settings, _) = imported(
        "advisories = 3\nlicenses = []\n[bans]\ndeny = 7\nskip = [[[]]]\n[sources]\nallow-git = [\"a\\\"b\\nc = 1\"]\nunknown-git = {}\n",
    );
    assert_eq!(settings.list("source/git-not-allowed", "allow"), ["a\"b\\u{a}c = 1"]);
    imported("[\"x\\n[rules]\"]\n[advisories]\nignore = [{ id = \"RUSTSEC-1\", reason = \"a\\n\\u001b[31m\\\"\" }]\n");
}

proptest! {
    #[test]
    fn what_is_made_is_always_a_policy(at in 0usize..OLD.len(), with in "\\PC{0,6}", cut in 0usize..40, new in any::<bool>()) {
        let text = if new { NEW } else { OLD };
        let (at, end) = (at.min(text.len()), (at + cut).min(text.len()));
        let text = format!("{}{with}{}", &text[..at], &text[end..]);
        if import("deny.toml", &text, now(), KNOWN).is_ok() {
            imported(&text);
        }
    }
}
