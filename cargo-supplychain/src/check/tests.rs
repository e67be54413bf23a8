use std::collections::BTreeMap;

use super::case::{Case, HEX, advisory, lock_with_lib, rated};
use super::*;
use crate::advisory::{Advisory, Kind};
use crate::finding::NotEvaluated;
use crate::model::action_commit::Belonging;
use crate::model::build::{Artifact, ArtifactKind, Component, Origin, Role, TargetFolder, Use};
use crate::model::index::{IndexGap, IndexVersion};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, CrateRecord, NoRecord, NotAsked};
use crate::model::{Build, Invocation, Source, Toolchain};

fn judged(case: &Case, scope: &Scope) -> ReportInput {
    case.with(|facts| check(facts, scope))
}

/// The best-effort checks that this version does not have are in every report; the tests look at the others.
fn not_evaluated(case: &Case, scope: &Scope) -> Vec<String> {
    let list = judged(case, scope).not_evaluated;
    assert!(list.iter().all(|check| !check.help.is_empty()));
    let of_every_report = ["build plan", "licences", "lockfile complete below the workspace"];
    let others = list
        .into_iter()
        .filter(|check| check.why != "not part of this version" && !of_every_report.contains(&check.check.as_str()));
    others.map(|NotEvaluated { area, check, why, required, .. }| format!("{area} {check} {required}: {why}")).collect()
}

fn vulnerable() -> Case {
    let indexed = Ok(IndexVersion { checksum: HEX.parse().unwrap(), yanked: false, published: None });
    Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", "1.0.0", indexed).advisory(advisory(Kind::Vulnerability))
}

#[test]
fn exemptions_by_rule_by_advisory_and_by_alias_narrowed_by_package_and_version() {
    for (exemption, exempts) in [
        ("id = \"RUSTSEC-2026-0001\"", true),
        ("id = \"CVE-2026-1000\"", true),
        ("id = \"advisory/vulnerability\"\npackage = \"lib\"\nversion = \"1.0.0\"", true),
        ("id = \"RUSTSEC-2026-0001\"\npackage = \"other\"", false),
        ("id = \"RUSTSEC-2026-0001\"\npackage = \"lib\"\nversion = \"1.0.1\"", false),
        ("id = \"RUSTSEC-2026-0002\"", false),
    ] {
        let case = vulnerable().policy(&format!("[[exemptions]]\n{exemption}\nreason = \"because\"\nexpires = 2027-01-01\n"));
        let output = judged(&case, &Scope::default());
        assert_eq!(output.exempted.len(), usize::from(exempts), "{exemption}");
        assert_eq!(
            output.findings.iter().filter(|finding| finding.id == "advisory/vulnerability").count(),
            usize::from(!exempts)
        );
        assert!(output.exempted.iter().all(|exempted| exempted.reason == "because"));
    }
}

#[test]
fn expired_exemption_brings_the_finding_back_and_the_policy_cannot_exempt_itself() {
    let expired = "[[exemptions]]\nid = \"RUSTSEC-2026-0001\"\nreason = \"r\"\nexpires = 2026-11-01\n";
    let itself = "[[exemptions]]\nid = \"policy/exemption-expired\"\nreason = \"r\"\nexpires = 2027-01-01\n";
    let output = judged(&vulnerable().policy(&format!("{expired}{itself}")), &Scope::default());
    let ids: Vec<_> = output.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["advisory/vulnerability", "policy/exemption-expired", "policy/exemption-unused"]);
    assert!(output.exempted.is_empty());
}

#[test]
fn levels_of_the_policy() {
    let of = |case: Case, level: &str| {
        let case = case.policy(&format!("[rules]\n\"advisory/vulnerability\" = \"{level}\"\n"));
        judged(&case, &Scope::default()).findings.into_iter().map(|finding| finding.severity).collect::<Vec<_>>()
    };
    assert_eq!(of(vulnerable(), "off"), []);
    assert_eq!(of(vulnerable(), "low"), [Severity::Low]);
    let low = |score| Advisory { ratings: rated(Some(score)), ..advisory(Kind::Vulnerability) };
    let scored = || Case::new().lock(&lock_with_lib("1.0.0")).advisory(low(20));
    assert_eq!(of(scored(), "critical"), [Severity::Critical]);
}

/// A plan with one artifact of `app`, into which `linked` is linked; `lib` and `app` are its components.
fn build(linked: &[&str]) -> Build {
    let component = |name: &str| Component {
        purl: format!("pkg:cargo/{name}@1.0.0"),
        name: name.into(),
        version: "1.0.0".into(),
        origin: Origin::Registry { index: "i".into(), crates_io: true },
        checksum: None,
        license: Some("MIT".into()),
        license_file: None,
        authors: Vec::new(),
        description: None,
        repository: None,
        links: None,
        has_build_script: false,
        is_proc_macro: false,
        replaces: None,
    };
    let uses = |name: &&str| Use { purl: component(name).purl, role: Role::Runtime, features: Vec::new() };
    let artifact = Artifact {
        name: "app".into(),
        kind: ArtifactKind::Bin,
        package: component("app").purl,
        linked: linked.iter().map(uses).collect(),
        host: Vec::new(),
        dependencies: BTreeMap::new(),
        native: Vec::new(),
        file: None,
    };
    let toolchain = Toolchain {
        rustc: "1.95.0".into(),
        rustc_commit: None,
        host: "h".into(),
        llvm: None,
        cargo: "1.95.0".into(),
        channel: None,
    };
    let invocation = Invocation {
        arguments: Vec::new(),
        profile: "release".into(),
        target: "t".into(),
        target_is_explicit: false,
        features: Vec::new(),
        all_features: false,
        default_features: true,
        manifest: "Cargo.toml".into(),
        rustflags: Vec::new(),
        rustflags_from: crate::model::cargo_config::FlagsFrom::default(),
        path_remapping: None,
        audit_data: false,
        target_folder: TargetFolder::Unused,
        environment: BTreeMap::new(),
        profile_overrides: BTreeMap::new(),
        sides: crate::model::surroundings::Sides::default(),
        sandbox: crate::model::sandbox::SandboxRecord::of_a_plan(),
    };
    Build {
        name: "app".into(),
        version: "1.0.0".into(),
        invocation,
        source: Source::default(),
        toolchain,
        ci: None,
        stamp: "2026-11-23".parse().unwrap(),
        components: ["app", "lib"].map(|name| (component(name).purl, component(name))).into(),
        artifacts: vec![artifact],
        resolved_only: Vec::new(),
        gaps: Vec::new(),
        reproduction: None,
    }
}

#[test]
fn advisory_on_what_is_not_built_is_info_whatever_the_level() {
    for (linked, policy, expected) in [
        (&["app", "lib"][..], "", "high RUSTSEC-2026-0001: Something is wrong"),
        (&["app"], "", "info RUSTSEC-2026-0001: Something is wrong (not in this build)"),
        (
            &["app"],
            "[rules]\n\"advisory/vulnerability\" = \"critical\"\n",
            "info RUSTSEC-2026-0001: Something is wrong (not in this build)",
        ),
    ] {
        let mut case = vulnerable().policy(policy);
        case.build = Ok(build(linked));
        let found = judged(&case, &Scope::default()).findings;
        let shown: Vec<_> = found.iter().map(|finding| format!("{} {}", finding.severity, finding.message)).collect();
        assert_eq!(shown, [expected], "{linked:?} {policy}");
    }
    let mut case = vulnerable();
    case.build = Ok(Build { artifacts: Vec::new(), ..build(&[]) });
    assert_eq!(judged(&case, &Scope::default()).findings[0].severity, Severity::High, "no artifact: nothing is known to be out");
}

#[test]
fn scope_narrows_rules_and_unmade_checks() {
    let lock_only = Scope { only: vec![Area::Lock], ..Scope::default() };
    let mut case = vulnerable();
    case.database = Err("gone".into());
    assert_eq!(not_evaluated(&case, &Scope::default()), ["advisories advisories true: gone"]);
    assert!(not_evaluated(&case, &lock_only).is_empty());
    assert!(judged(&vulnerable(), &lock_only).findings.is_empty());
}

#[test]
fn age_of_the_database_is_judged_by_the_clock_of_the_run() {
    for (date, policy, expected) in [
        (Some("2026-11-22"), "", &[][..]),
        (Some("2026-11-16"), "", &[]),
        (Some("2026-10-24"), "", &["advisories advisories true: db-stale, age 30d > 7d"]),
        (None, "", &["advisories advisories true: db-stale, the age of the advisory database is not known"]),
        (Some("2026-10-24"), "[advisories]\nmax-age = \"30d\"\n", &[]),
        (
            Some("2020-01-01"),
            "[advisories]\nmax-age = \"none\"\n",
            &["advisories advisories false: the age of the advisory database is not judged: `max-age` is \"none\""],
        ),
    ] {
        let mut case = Case::new().policy(policy);
        case.database.as_mut().unwrap().info.date = date.map(|day| day.parse().unwrap());
        assert_eq!(not_evaluated(&case, &Scope::default()), expected, "{date:?} {policy}");
    }
}

#[test]
fn index_gaps_are_told_once_a_reason_and_required_on_demand() {
    let case = Case::new().lock(&lock_with_lib("1.0.0"));
    let why = "cargo's index cache has no entry of 1 package: lib 1.0.0";
    assert_eq!(not_evaluated(&case, &Scope::default()), [format!("lock yanked, checksum in the index false: {why}")]);
    let required = Scope { require: vec![Area::Lock], ..Scope::default() };
    assert_eq!(not_evaluated(&case, &required), [format!("lock yanked, checksum in the index true: {why}")]);
    let known = case.indexed("lib", "1.0.0", Err(IndexGap::NoSuchVersion));
    let why = "cargo's index cache does not know the version of 1 package: lib 1.0.0";
    assert_eq!(not_evaluated(&known, &Scope::default()), [format!("lock yanked, checksum in the index false: {why}")]);
}

/// MNT-08: nobody is recorded before 2019; both versions are named, and nothing is found.
#[test]
fn publishers_of_legacy_versions_are_told_and_later_ones_are_findings() {
    let of = |first: &str, second: &str| {
        let case = Case::new()
            .locks(&["lib 0.9.1"], Some(&["lib 0.9.0"]))
            .release("lib", "0.9.0", first, &[])
            .release("lib", "0.9.1", second, &["gone"])
            .publisher("lib", "0.9.0", "")
            .publisher("lib", "0.9.1", "")
            .owned("lib", &["1"]);
        let maintainers = Scope { only: vec![Area::Maintainers, Area::Lock], ..Scope::default() };
        let findings: Vec<_> = judged(&case, &maintainers).findings.into_iter().map(|finding| finding.id).collect();
        let told = not_evaluated(&case, &maintainers).into_iter().filter(|told| !told.contains("index cache"));
        (findings, told.collect::<Vec<_>>())
    };
    let age = "lock age of new dependencies false: the index does not say when they first appeared: 1 package: gone";
    let why = "maintainers publisher false: the registry did not record publishers yet, or never does, of";
    let (findings, told) = of("2016-01-01", "2017-01-01");
    assert_eq!(findings, [""; 0]);
    assert_eq!(told, [format!("{why} 2 packages: lib 0.9.0, lib 0.9.1"), age.to_owned()]);
    let (findings, told) = of("2017-01-01", "2026-02-01");
    assert_eq!(findings, ["maintainer/publisher-unknown"]);
    assert_eq!(told, [format!("{why} 1 package: lib 0.9.0"), age.to_owned()]);
}

#[test]
fn without_a_lockfile_advisories_are_undetermined() {
    let mut case = Case::new();
    case.lock = LockState::Missing { path: "Cargo.lock".into() };
    assert_eq!(not_evaluated(&case, &Scope::default()), ["advisories advisories true: there is no Cargo.lock"]);
}

/// Who merely narrows to owners and publishers is not failed by a registry that does not answer (ATTACKS.md, MNT-08 and MNT-15).
#[test]
fn owners_and_publishers_are_best_effort_until_they_are_required() {
    let key = |name: &str| CrateKey { name: name.into(), source: CRATES_IO[0].into() };
    let mut case = Case::new();
    case.registry.not_asked = Some(NotAsked { why: "--offline".into(), help: "go online".into() });
    let answer = |owners| CrateRecord { repository: None, trusted_publishing_only: None, owners, versions: BTreeMap::new() };
    case.registry.records = BTreeMap::from([
        (key("answered"), Ok(answer(Some(Vec::new())))),
        (key("down"), Err(NoRecord::Unknown("crates.io answered 500".into()))),
        (key("gone"), Err(NoRecord::Gone)),
        (key("missing"), Err(NoRecord::NotFound)),
        (key("off"), Err(NoRecord::Unknown("crates.io answered 500".into()))),
        (key("private"), Ok(answer(None))),
    ]);
    let whys = [
        "--offline",
        "crates.io answered 500: 2 packages: down, off",
        "the registry's API answered 404 for what is not known to be removed: 1 package: missing",
        "the registry's API did not tell the owners: 1 package: private",
    ];
    let expected = |required: bool| whys.map(|why| format!("maintainers owners and publishers {required}: {why}"));
    let scope = |only: &[Area], require: &[Area]| Scope { only: only.to_vec(), require: require.to_vec() };
    assert_eq!(not_evaluated(&case, &scope(&[], &[])), expected(false));
    assert_eq!(not_evaluated(&case, &scope(&[Area::Maintainers], &[])), expected(false));
    assert_eq!(not_evaluated(&case, &scope(&[], &[Area::Maintainers])), expected(true));
    assert_eq!(not_evaluated(&case, &scope(&[Area::Lock], &[])), Vec::<String>::new());
}

#[test]
fn pinned_commits_are_best_effort_until_they_are_required() {
    let uses = |digit: &str| format!("x/y@{}", digit.repeat(40));
    let unknown = |why: &str| Belonging::Unknown(why.to_owned());
    let case = Case::new().pinned(&uses("1"), unknown("down")).pinned(&uses("2"), unknown("answered 403"));
    let case = case.pinned(&uses("3"), unknown("down")).pinned(&uses("4"), Belonging::Proved);
    let case = case.pinned(&uses("5"), Belonging::ToNone { branches: 1, tags: 0 });
    let whys = ["answered 403: 1 commit: x/y@222222222222", "down: 2 commits: x/y@111111111111, x/y@333333333333"];
    let expected = |required: bool| whys.map(|why| format!("workflows pinned commits of actions {required}: {why}"));
    let scope = |only: &[Area], require: &[Area]| Scope { only: only.to_vec(), require: require.to_vec() };
    assert_eq!(not_evaluated(&case, &scope(&[Area::Workflows], &[])), expected(false));
    assert_eq!(not_evaluated(&case, &scope(&[Area::Workflows], &[Area::Workflows])), expected(true));
    assert_eq!(not_evaluated(&case, &scope(&[Area::Lock], &[])), Vec::<String>::new());
}

#[test]
fn licences_need_a_plan_and_are_required_of_who_has_a_policy() {
    for (policy, planned, expected) in [
        ("", false, Some(false)),
        ("[licences]\nallow = ['MIT']\n", false, Some(true)),
        ("[licences]\ndeny = ['AGPL-3.0']\n", false, Some(true)),
        ("[licences]\nallow = ['MIT']\n", true, None),
    ] {
        let mut case = Case::new().policy(policy);
        if planned {
            case.build = Ok(build(&["app"]));
        }
        let list = judged(&case, &Scope::default()).not_evaluated;
        let found = list.iter().find(|check| check.area == Area::Licences).map(|check| check.required);
        assert_eq!(found, expected, "{policy} {planned}");
    }
}

#[test]
fn sources_that_were_not_compared_are_told() {
    use crate::model::integrity::NOT_FETCHED;
    let told = |case: &Case, scope: &Scope| {
        let list = judged(case, scope).not_evaluated;
        let integrity = list.into_iter().filter(|check| [Area::Integrity, Area::Sources].contains(&check.area));
        integrity.map(|check| format!("{} {} {}: {}", check.area, check.required, check.check, check.why)).collect::<Vec<_>>()
    };
    let asked = Scope { require: vec![Area::Integrity], ..Scope::default() };
    let key = |name: &str| (name.to_owned(), "1.0.0".parse().unwrap(), "registry+https://x/i".to_owned());
    let mut case = Case::new();
    let facts = case.integrity.as_mut().unwrap();
    facts.packages.extend([
        (key("a"), Err(NOT_FETCHED.to_owned())),
        (key("b"), Err(NOT_FETCHED.to_owned())),
        (key("c"), Ok(Vec::new())),
    ]);
    facts.by_list_only.insert(key("c"));
    let sources = "sources against their checksums: its source is not on this machine: 2 packages: a 1.0.0, b 1.0.0";
    let list = "vendored files against the .crate: the .crate is not in cargo's cache, so the list beside the files is all they are compared with, of 1 package: c 1.0.0";
    // No plan: what takes part in the build is not known.
    for (scope, required) in [(&Scope::default(), false), (&asked, true)] {
        assert_eq!(told(&case, scope), [format!("integrity {required} {sources}"), format!("integrity {required} {list}")]);
    }
    // What is there and cannot be compared is never a pass.
    case.integrity.as_mut().unwrap().packages = [(key("a"), Err("no .crate".to_owned()))].into();
    let expected = "integrity true sources against their checksums: no .crate: 1 package: a 1.0.0";
    assert_eq!(told(&case, &Scope::default())[0], expected);
    case.integrity = Err("not asked for".into());
    let expected = ["sources false archives of packages: they are read together with the area `integrity`"];
    assert_eq!(told(&case, &Scope { only: vec![Area::Sources], ..Scope::default() }), expected);
}
