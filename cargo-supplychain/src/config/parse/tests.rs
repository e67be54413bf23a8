use proptest::prelude::*;

use super::exemptions::MAX_EXEMPTIONS;
use super::*;
use crate::config::settings::Level;
use crate::finding::{Area, Severity};
use crate::model::sandbox::SandboxMode;

const KNOWN: &[KnownRule<'_>] = &[
    KnownRule { id: "lock/missing", options: &[] },
    KnownRule { id: "source/registry-not-allowed", options: &[RuleOption::allow("index URLs")] },
    KnownRule { id: "advisory/unmaintained", options: &[RuleOption::word("scope", &["all", "workspace"], "of which packages")] },
    KnownRule { id: "dep/too-fresh", options: &[RuleOption::number("days", "age in days")] },
];

const FULL: &str = r#"
[build]
fail-on = "medium"

[release]
name = "app"
version = "1.0.0"
package = ["./pack.sh", "--all"]
artifacts = ["dist/*.deb"]

[rules]
require = ["maintainers", "licences"]
"lock/missing" = "off"
"source/registry-not-allowed" = { level = "critical", allow = ["sparse+https://registry.example.org/index/"] }

[advisories]
database = "advisory-db"
max-age = "30d"

[bans]
deny = ["openssl*", { name = "time", version = "<0.2", reason = "unsound", wrappers = ["chrono"] }]

[[exemptions]]
id = "RUSTSEC-2023-0071"
package = "rsa"
version = "0.9.6"
reason = "no private key operation in this program"
expires = 2027-01-31

[[exemptions]]
id = "registry/yanked"
reason = "waiting for a release"
expires = "2027-02-01T12:00:00+01:00"

[sandbox]
mode = "require"
read = ["/opt/vendor-sdk"]
allow = [{ crate = "rsa", version = "0.9.6", read = ["~/x"], net = true, reason = "r", expires = 2027-01-31 }]

[documents]
author = "Example GmbH"

[sign]
method = "key"
key = "keys/release.pem"

[archive]
store = "s3://releases/team"
endpoint = "https://s3.example.org"
region = "eu-central-1"

[verify]
key = "keys/release.pub"
require-fresh-target = true
"#;

#[test]
fn every_key_is_read() {
    let settings = parse("supplychain.toml", FULL, KNOWN).unwrap();
    assert_eq!(settings.file.as_deref(), Some("supplychain.toml"));
    assert_eq!(settings.build.fail_on, FailOn::Level(Severity::Medium));
    assert_eq!(settings.release.package, ["./pack.sh", "--all"]);
    assert_eq!(settings.release.artifacts, ["dist/*.deb"]);
    assert_eq!(settings.require, [Area::Maintainers, Area::Licences]);
    assert_eq!(settings.rules["lock/missing"].level, Some(Level::Off));
    let sources = &settings.rules["source/registry-not-allowed"];
    assert_eq!(sources.level, Some(Level::Severity(Severity::Critical)));
    assert_eq!(settings.list("source/registry-not-allowed", "allow"), ["sparse+https://registry.example.org/index/"]);
    assert_eq!(settings.advisories.database.as_deref(), Some("advisory-db"));
    assert_eq!(settings.advisories.max_age, MaxAge::Days(30));
    let places: Vec<_> = settings.exemptions.iter().map(|exemption| exemption.location.to_string()).collect();
    assert_eq!(places, ["supplychain.toml:23:1", "supplychain.toml:30:1"]);
    let [any, old] = &settings.bans[..] else { panic!("{:?}", settings.bans) };
    assert_eq!((any.name.as_str(), &any.version, any.location.line), ("openssl*", &None, 21));
    assert_eq!((old.version.as_ref().unwrap().to_string(), &old.wrappers[..]), ("<0.2".into(), &["chrono".to_owned()][..]));
    assert_eq!((old.reason.as_deref(), old.location.column), (Some("unsound"), 21));
    let expiries: Vec<_> = settings.exemptions.iter().map(|exemption| exemption.expires.to_string()).collect();
    assert_eq!(expiries, ["2027-01-31T00:00:00Z", "2027-02-01T11:00:00Z"]);
    assert_eq!((settings.sign.method, settings.sign.key.as_deref()), (SignMethod::Key, Some("keys/release.pem")));
    assert!(settings.verify.require_fresh_target);
    let archive = &settings.archive;
    assert_eq!((archive.endpoint.as_deref(), archive.region.as_deref()), (Some("https://s3.example.org"), Some("eu-central-1")));
    assert_eq!((settings.sandbox.mode, settings.sandbox.allow[0].location.line), (SandboxMode::Require, 38));
}

#[test]
fn empty_file_is_the_default_policy() {
    let expected = Settings { file: Some("p".into()), ..Settings::default() };
    assert_eq!(parse("p", "", KNOWN).unwrap(), expected);
    assert_eq!(parse("p", "[advisories]\nmax-age = \"none\"", KNOWN).unwrap().advisories.max_age, MaxAge::Unlimited);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_have_a_place_and_a_suggestion() {
    let exemption = |rest: &str| format!("[[exemptions]]\nid = \"x/y\"\n{rest}");
    for (text, expected, suggestion) in [
        (
            "[build]\nfail_on = \"low\"".to_owned(),
            "p:2:1: unknown key `fail_on`, expected one of `fail-on`, `remap-paths`, `embed-audit-data`",
            Some("fail-on"),
        ),
        (
            "[advisory]\n".into(),
            "p:1:2: unknown key `advisory`, expected one of `build`, `release`, `rules`, `advisories`, `triage`, `registry`, `bans`, `licences`, `exemptions`, `vex`, `sandbox`, `documents`, `sign`, `trust-root`, `verify`, `archive`",
            Some("advisories"),
        ),
        (
            "[build]\nfail-on = \"hihg\"".into(),
            "p:2:11: unknown level `hihg`: use critical, high, medium, low or none",
            Some("high"),
        ),
        ("[build]\nfail-on = 3".into(), "p:2:11: invalid type: integer `3`, expected a string", None),
        ("[rules]\n\"lock/mising\" = \"off\"".into(), "p:2:1: unknown rule `lock/mising`", Some("lock/missing")),
        (
            "[rules]\n\"lock/missing\" = \"of\"".into(),
            "p:2:18: unknown level `of`: use off, info, low, medium, high, critical",
            Some("off"),
        ),
        ("[rules]\n\"lock/missing\" = 1".into(), "p:2:18: rule `lock/missing` takes a level, or a table with `level`", None),
        (
            "[rules]\n\"lock/missing\" = { allow = [] }".into(),
            "p:2:18: unknown key `allow`, rule `lock/missing` takes `level`",
            None,
        ),
        (
            "[rules]\n\"source/registry-not-allowed\" = { alow = [] }".into(),
            "p:2:33: unknown key `alow`, rule `source/registry-not-allowed` takes `level`, `allow`",
            Some("allow"),
        ),
        (
            "[rules]\nrequire = [\"maintainer\"]".into(),
            "p:2:11: unknown area `maintainer`: use one of lock, sources, config, integrity, maintainers, capabilities, sandbox, advisories, licences, workflows, policy",
            Some("maintainers"),
        ),
        ("[rules]\n\"advisory/unmaintained\" = { scope = \"al\" }".into(), "p:2:27: `scope` is not one of all, workspace", None),
        ("[advisories]\nmax-age = \"-1d\"".into(), "p:2:11: `max-age` is `-1d`: write days such as \"7d\", or \"none\"", None),
        (exemption(""), "p:1:1: exemption of `x/y` has no `reason`", None),
        (exemption("reason = \" \""), "p:3:10: exemption of `x/y` has an empty `reason`", None),
        (exemption("reason = \"r\""), "p:1:1: exemption of `x/y` has no `expires`", None),
        (
            exemption("reason = \"r\"\nexpires = \"never\""),
            "p:4:11: exemption of `x/y` has `expires` = `never`: expected an RFC 3339 time such as 2026-11-23T16:00:00Z, or a date such as 2026-11-23",
            None,
        ),
        (
            exemption("reason = \"r\"\nexpires = 2026-01-01\nversion = \"1.0.0\""),
            "p:1:1: exemption of `x/y` has a `version` but no `package`",
            None,
        ),
        (
            exemption("reson = \"r\""),
            "p:3:1: unknown key `reson`, expected one of `id`, `package`, `version`, `reason`, `expires`",
            Some("reason"),
        ),
        (
            "[sign]\nmethod = \"keyles\"".into(),
            "p:2:10: unknown signing method `keyles`: use auto, keyless, key or none",
            Some("keyless"),
        ),
        ("[build\n".into(), "p:1:7: unclosed table, expected `]`", None),
    ] {
        let error = parse("p", &text, KNOWN).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.suggestion, suggestion.map(|word| format!("did you mean `{word}`?")), "{text}");
        assert!(error.span.is_some_and(|span| text.get(span).is_some()), "{text}");
    }
}

#[test]
fn mistakes_in_bans() {
    for (text, expected, suggestion) in [
        ("[bans]\ndenny = []", "p:2:1: unknown key `denny`, expected `deny`", Some("deny")),
        (
            "[bans]\ndeny = ['a', { nam = 'b' }]",
            "p:2:14: unknown key `nam`, a ban takes `name`, `version`, `reason`, `wrappers`",
            Some("name"),
        ),
        ("[bans]\ndeny = [3]", "p:2:9: a ban is a name, or a table with `name`, `version`, `reason`, `wrappers`", None),
        ("[bans]\ndeny = [{ reason = 'r' }]", "p:2:9: a ban has no `name` of 1 to 255 bytes", None),
        ("[bans]\ndeny = [{ name = 'a', wrappers = 'b' }]", "p:2:9: `wrappers` of a ban is not a list of strings", None),
        (
            "[bans]\ndeny = [{ name = 'a', version = '1.y' }]",
            "p:2:9: a ban has the version `1.y`: unexpected character 'y' while parsing minor version number",
            None,
        ),
    ] {
        let error = parse("p", text, KNOWN).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.suggestion, suggestion.map(|word: &str| format!("did you mean `{word}`?")), "{text}");
    }
}

#[test]
fn mistakes_in_the_archive() {
    for (text, expected) in [
        ("endpoint = \"http://s3.example.org\"", "p:2:12: `endpoint` is neither https nor http on this machine"),
        (
            "endpoint = \"https://me:hunter2@s3.example.org\"",
            "p:2:12: `endpoint` holds more than a host and a path: credentials come from the environment",
        ),
        ("region = \"x.evil.example/\"", "p:2:10: `region` is no name such as eu-central-1"),
        ("region = \"\"", "p:2:10: `region` is no name such as eu-central-1"),
        (
            "store = \"gs://b/a\"\nendpoint = \"https://s3.example.org\"",
            "p:3:12: `endpoint` is for a `store` that begins with s3://",
        ),
        ("store = \"../releases\"\nregion = \"x\"", "p:3:10: `region` is for a `store` that begins with s3://"),
    ] {
        let error = parse("p", &format!("[archive]\n{text}"), KNOWN).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
        // What may be a secret is not shown.
        assert_eq!(error.span.is_none(), expected.contains("endpoint") && !expected.contains("store"), "{text}");
    }
    let local = parse("p", "[archive]\nendpoint = \"http://127.0.0.1:9000\"", KNOWN).unwrap();
    assert_eq!(local.archive.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
    for key in ["access-key-id", "secret-access-key", "token"] {
        let error = parse("p", &format!("[archive]\n{key} = \"x\""), KNOWN).unwrap_err();
        assert!(error.message.starts_with(&format!("unknown key `{key}`")), "{error}");
    }
}

#[test]
fn exemptions_are_counted() {
    // Ten thousand of them and as many findings are a hundred million comparisons.
    let one = "[[exemptions]]\nid = 'a'\nreason = 'b'\nexpires = 2026-01-01\n";
    assert_eq!(parse("p", &one.repeat(MAX_EXEMPTIONS), KNOWN).unwrap().exemptions[999].location.line, 3997);
    let bans = format!("[bans]\ndeny = [{}]", "'a', ".repeat(bans::MAX_BANS + 1));
    assert_eq!(parse("p", &bans, KNOWN).unwrap_err().message, "more than 1000 bans");
    let error = parse("p", &one.repeat(MAX_EXEMPTIONS + 1), KNOWN).unwrap_err();
    assert_eq!(error.to_string(), "p:4001:1: more than 1000 exemptions");
}

#[test]
fn long_words_get_no_suggestion() {
    // Comparing a word of one mebibyte with every rule's id would take seconds.
    let error = parse("p", &format!("[rules]\n{} = 'off'\n", "a".repeat(MAX_BYTES - 100)), KNOWN).unwrap_err();
    assert_eq!((error.line, error.suggestion), (2, None));
}

proptest! {
    #[test]
    fn mutated_files_never_panic(at in 0usize..FULL.len(), with in "\\PC{0,6}", cut in 0usize..40) {
        let end = (at + cut).min(FULL.len());
        let _ = parse("p", &format!("{}{with}{}", &FULL[..at], &FULL[end..]), KNOWN);
    }
}
