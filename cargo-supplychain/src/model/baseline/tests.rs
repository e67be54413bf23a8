mod renewal;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::OwnerKind;

const EXAMPLE: &str = r#"
version = 1

[[crate]]
name = "foo"
repository = "https://example.org/foo"
build-script = true
proc-macro = false
links = "z"
owners = [
    { kind = "user", id = 42, login = "alice", first-seen = 2026-01-02 },
    { kind = "team", id = 42, login = "github:org:team", first-seen = "2026-01-02T03:04:05Z" },
]
publishers = [
    { id = 42, login = "alice" },
    { provider = "github", repository = "org/foo" },
]
dependencies = ["b", "a"]
versions = [
    { version = "1.0.0", checksum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", published = 2025-12-31T23:59:59Z, publisher = { id = 42, login = "alice" } },
    { version = "2.0.0-rc.1+x" },
]

[[crate]]
name = "foo"
source = "sparse+https://corp.example/index/"
owners = []
"#;

fn read(text: &str) -> Baseline {
    parse("supplychain.lock", text).unwrap()
}

#[test]
fn everything_is_read_and_written_sorted() {
    let baseline = read(EXAMPLE);
    let foo = &baseline.crates[&CrateKey { name: "foo".into(), source: CRATES_IO[0].into() }];
    assert_eq!(foo.dependencies, ["a", "b"]);
    assert_eq!(
        foo.owners.as_ref().unwrap().iter().map(|known| known.owner.kind).collect::<Vec<_>>(),
        [OwnerKind::User, OwnerKind::Team]
    );
    let text = baseline.to_text();
    insta::assert_snapshot!(text, @r#"
# What was accepted of every crate of Cargo.lock: owners, publishers, capabilities, versions.
# It is not edited by hand: `cargo supplychain baseline diff` shows what has changed since, `cargo supplychain baseline accept` writes
# it. After a merge conflict take one side and run the latter.
version = 1

[[crate]]
name = "foo"
repository = "https://example.org/foo"
build-script = true
proc-macro = false
links = "z"
owners = [
    { kind = "user", id = 42, login = "alice", first-seen = 2026-01-02 },
    { kind = "team", id = 42, login = "github:org:team", first-seen = 2026-01-02T03:04:05Z },
]
publishers = [
    { id = 42, login = "alice" },
    { provider = "github", repository = "org/foo" },
]
dependencies = [
    "a",
    "b",
]
versions = [
    { version = "1.0.0", checksum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", published = 2025-12-31T23:59:59Z, publisher = { id = 42, login = "alice" } },
    { version = "2.0.0-rc.1+x" },
]

[[crate]]
name = "foo"
source = "sparse+https://corp.example/index/"
owners = []
"#);
    assert_eq!(read(&text), baseline);
    // Another end of line, and the order of a merge, are the same baseline.
    assert_eq!(read(&text.replace('\n', "\r\n")), baseline);
    assert_eq!(read(&Baseline::default().to_text()), Baseline::default());
}

#[test]
fn what_is_not_as_it_is_written_is_an_error_with_its_place() {
    let with = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        EXAMPLE.replacen(from, to, 1)
    };
    let broken = [
        String::new(),
        with("version = 1", "version = 2"),
        with("version = 1", "version = 9\nnew = true"),
        with("version = 1", "version = 0"),
        with("version = 1", "version = 1\nother = 1"),
        with("links", "link"),
        with("kind = \"user\"", "kind = \"robot\""),
        with("id = 42, login = \"alice\", first", "id = -1, login = \"alice\", first"),
        with("2026-01-02 }", "2026-13-02 }"),
        with("2026-01-02 }", "12 }"),
        with("kind = \"team\"", "kind = \"user\""),
        with("{ provider = \"github\", repository = \"org/foo\" }", "{ id = 42, login = \"bob\" }"),
        with("{ provider = \"github\",", "{ id = 1,"),
        with("e3b0", "E3b0"),
        with("2.0.0-rc.1+x", "2.0"),
        with("2.0.0-rc.1+x", "1.0.0"),
        with("source = \"sparse+https://corp.example/index/\"", ""),
        with("\"foo\"", "\"\""),
        with("\"foo\"", "\"foo"),
        with("[[crate]]", "[[crates]]"),
        with("owners = []", "[crate.owners]"),
        with("dependencies", "<<<<<<< HEAD\ndependencies"),
        with("dependencies", "=======\r\ndependencies"),
    ];
    let messages: Vec<_> = broken
        .iter()
        .map(|text| {
            let error = parse("supplychain.lock", text).unwrap_err();
            assert!(error.span.clone().is_none_or(|span| text.get(span).is_some()));
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
supplychain.lock:1:1: missing field `version`
supplychain.lock: format `version = 2` is of a newer cargo-supplychain, this one reads 1: update cargo-supplychain
supplychain.lock: format `version = 9` is of a newer cargo-supplychain, this one reads 1: update cargo-supplychain
supplychain.lock:2:11: format `version = 0` is not known: 1 is
supplychain.lock:3:1: unknown key `other`, expected `version`
supplychain.lock:9:1: unknown key `link`, expected one of `name`, `source`, `repository`, `build-script`, `proc-macro`, `native-code`, `blobs`, `links`, `owners`, `publishers`, `dependencies`, `versions`
supplychain.lock:11:14: unknown variant `robot`, expected `user` or `team`
supplychain.lock:11:27: invalid value: integer `-1`, expected u64
supplychain.lock:11:61: invalid date, expected month between 01 and 12
supplychain.lock:11:61: expected an RFC 3339 time such as 2026-11-23T16:00:00Z, or a date such as 2026-11-23
supplychain.lock:12:27: owner user github:org:team (42) is listed twice
supplychain.lock:16:5: publisher user bob (42) is listed twice
supplychain.lock:16:5: a publisher has `id` and `login`, or `provider` and `repository`
supplychain.lock:20:37: a sha256 digest is 64 lower-case hexadecimal digits
supplychain.lock:21:17: not a version: unexpected end of input while parsing minor version number
supplychain.lock:21:17: a version that is listed twice
supplychain.lock:25:8: crate `foo` is listed twice
supplychain.lock:5:8: a text of 0 bytes, 1 to 2048 are allowed
supplychain.lock:5:12: invalid basic string, expected `"`
supplychain.lock:4:3: unknown key `crates`, expected `version`
supplychain.lock:27:1: invalid type: map, expected a sequence
supplychain.lock:18:1: an unresolved merge conflict
supplychain.lock:18:1: an unresolved merge conflict
"#);
}

#[test]
fn bounds() {
    let long = format!("version = 1\n[[crate]]\nname = \"{}\"\n", "x".repeat(300_000));
    let many = format!("version = 1\n{}", "[[crate]]\n".repeat(100_001));
    let huge = " ".repeat(MAX_BYTES + 1);
    for (text, expected) in [
        (long, "supplychain.lock:2:1: a block of 300020 bytes, the limit is 262144"),
        (many, "supplychain.lock:100002:1: more than 100000 crates"),
        (huge, "supplychain.lock: baseline has 67108865 bytes, the limit is 67108864"),
    ] {
        assert_eq!(parse("supplychain.lock", &text).unwrap_err().to_string(), expected);
    }
}

fn text() -> impl Strategy<Value = String> {
    "[ -~äß\u{202e}\u{1b}\n\u{1f980}\"\\\\]{1,12}"
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![(0..40_000i64).prop_map(|day| day * 86_400), 0..4_000_000_000i64]
        .prop_map(|seconds| Timestamp::from_unix(seconds).unwrap())
}

fn publisher() -> impl Strategy<Value = KnownPublisher> {
    prop_oneof![
        (0..5u64, text()).prop_map(|(id, login)| KnownPublisher::User { id, login }),
        (text(), text()).prop_map(|(provider, repository)| KnownPublisher::Trusted { provider, repository }),
    ]
}

fn owners() -> impl Strategy<Value = Option<Vec<KnownOwner>>> {
    let kind = prop_oneof![Just(OwnerKind::User), Just(OwnerKind::Team)];
    let owner = ((kind, 0..=i64::MAX as u64), (text(), time()));
    let sorted = |map: BTreeMap<(OwnerKind, u64), (String, Timestamp)>| {
        let owner = |((kind, id), (login, first_seen))| KnownOwner { owner: Owner { kind, id, login }, first_seen };
        map.into_iter().map(owner).collect()
    };
    proptest::option::of(proptest::collection::btree_map(owner.0, owner.1, 0..4).prop_map(sorted))
}

fn version() -> impl Strategy<Value = (semver::Version, KnownVersion)> {
    let checksum = proptest::option::of(any::<[u8; 4]>().prop_map(Sha256::of));
    let number = (0..3u64, 0..3u64, proptest::option::of(Just("-rc.1+x")));
    let number =
        number.prop_map(|(major, minor, rest)| format!("{major}.{minor}.0{}", rest.unwrap_or_default()).parse().unwrap());
    let known = (checksum, proptest::option::of(time()), proptest::option::of(publisher()));
    (number, known.prop_map(|(checksum, published, publisher)| KnownVersion { checksum, published, publisher }))
}

fn known_crate() -> impl Strategy<Value = KnownCrate> {
    let flag = proptest::option::of(any::<bool>());
    let flags = (flag.clone(), flag.clone(), proptest::option::of(text()), flag.clone(), flag);
    let flags = flags.prop_map(|(build_script, proc_macro, links, blobs, native_code)| KnownFlags {
        build_script,
        proc_macro,
        links,
        blobs,
        native_code,
    });
    let publishers = proptest::collection::vec(publisher(), 0..3).prop_map(|mut list| {
        list.sort();
        list.dedup_by(|a, b| a.is_same(b));
        list
    });
    let dependencies = proptest::collection::btree_set(text(), 0..3).prop_map(|set| set.into_iter().collect());
    let versions = proptest::collection::vec(version(), 0..3).prop_map(|list| list.into_iter().collect());
    (owners(), publishers, proptest::option::of(text()), flags, dependencies, versions).prop_map(
        |(owners, publishers, repository, flags, dependencies, versions)| KnownCrate {
            owners,
            publishers,
            repository,
            flags,
            dependencies,
            versions,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_back(crates in proptest::collection::btree_map((text(), any::<bool>()), known_crate(), 0..4)) {
        let key = |(name, other): (String, bool)| CrateKey { name, source: if other { "sparse+x".into() } else { CRATES_IO[0].into() } };
        let baseline = Baseline { crates: crates.into_iter().map(|(name, known)| (key(name), known)).collect() };
        let text = baseline.to_text();
        prop_assert_eq!(parse("supplychain.lock", &text).unwrap(), baseline.clone());
        prop_assert_eq!(text.lines().filter(|line| *line == "[[crate]]").count(), baseline.crates.len());
        prop_assert!(text.chars().all(|one| one == '\n' || !one.is_control()));
    }

    #[test]
    fn hostile_text_never_panics(text in "[\\[\\]a-z=\"{}, \n0-9<>-]{0,200}", at in 0..800usize) {
        let _ = parse("supplychain.lock", &text);
        let at = (0..=at.min(EXAMPLE.len())).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap_or(0);
        let _ = parse("supplychain.lock", &format!("{}{text}{}", &EXAMPLE[..at], &EXAMPLE[at..]));
    }
}
