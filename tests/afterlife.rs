//! What is known of released files for years: `affected`, `rescan`, its history, supported releases, and the index behind them, with the real
//! binary. Each answer is held against what the releases say.

use std::fs;

use cargo_supplychain::archived::Event;
use cargo_supplychain::model::Role;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::archive::Archive;
use crate::support::{Outcome, POLICY, Project};

const SCORED: &str =
    "aliases = [\"CVE-2026-1000\", \"GHSA-aaaa-bbbb-cccc\"]\ncvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"";

/// A folder with a policy and an advisory database that is about nothing, and an archive beside it.
pub(crate) fn start() -> (Project, Archive) {
    let project = Project::empty();
    project.write("supplychain.toml", POLICY);
    project.advisory("RUSTSEC-2026-0001", "nothing", "2026-08-01", "");
    let archive = Archive::new(project.root().join("archive"));
    (project, archive)
}

pub(crate) fn run(project: &Project, arguments: &[&str]) -> Outcome {
    project.run(&[arguments, &["--archive", "../archive"]].concat())
}

/// `name version: part`, a line for each release.
fn told(outcome: &Outcome) -> Vec<String> {
    let value = outcome.json();
    let line = |release: &Value| {
        let parts = release["components"].as_array().unwrap();
        let parts: Vec<_> =
            parts.iter().map(|one| format!("{} {}", one["version"].as_str().unwrap(), one["part"].as_str().unwrap())).collect();
        format!("{} {}: {}", release["name"].as_str().unwrap(), release["version"].as_str().unwrap(), parts.join(", "))
    };
    value["releases"].as_array().unwrap().iter().map(line).collect()
}

/// `id purl: releases`, a line for each finding of a rescan.
pub(crate) fn found(outcome: &Outcome) -> Vec<String> {
    let value = outcome.json();
    let version = |place: &Value| {
        let releases = value["releases"].as_array().unwrap();
        releases.iter().find(|one| one["sequence"] == place["sequence"]).unwrap()["version"].as_str().unwrap().to_owned()
    };
    let line = |finding: &Value| {
        let releases: Vec<_> = finding["releases"].as_array().unwrap().iter().map(version).collect();
        format!(
            "{} {} {}: {}",
            finding["severity"].as_str().unwrap(),
            finding["advisory"].as_str().unwrap(),
            finding["purl"].as_str().unwrap(),
            releases.join(" ")
        )
    };
    value["findings"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn affected_names_exactly_the_releases_and_files() {
    let (project, mut archive) = start();
    let linked = [("app", Role::Runtime)];
    let both = [("app", Role::Runtime), ("tool", Role::Build)];
    let build = [("tool", Role::Build)];
    archive.release_of("2026-02-01", "app", "1.0.0", &[("fig 1.2.3", &both), ("oak 1.0.0", &linked)]);
    archive.release_of("2026-03-01", "app", "1.1.0", &[("fig 1.2.3", &build), ("oak 1.0.0", &linked)]);
    archive.release_of("2026-04-01", "app", "1.2.0", &[("fig 1.2.3", &[]), ("oak 1.0.0", &linked)]);
    archive.release_of("2026-05-01", "app", "1.3.0", &[("fig 1.3.0", &linked), ("fig 1.2.9", &linked)]);
    archive.release_of("2026-06-01", "app", "1.10.0", &[("fig 1.3.0", &linked)]);
    archive.release_of("2026-06-02", "figs", "0.1.0", &[("figs 1.2.3", &linked)]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = [\">= 1.3.0\"]");

    let outcome = run(&project, &["affected", "RUSTSEC-2026-0100"]).expect(1);
    assert_snapshot!(outcome.text(), @"
    exit 1
    RUSTSEC-2026-0100 (CVE-2026-1000, GHSA-aaaa-bbbb-cccc): fig: A flaw in fig; patched in >=1.3.0
    app 1.0.0 [HOST]
        pkg:cargo/fig@1.2.3: linked
            artifacts/app (linked, features std)
            artifacts/tool (build, features std)
    app 1.1.0 [HOST]
        pkg:cargo/fig@1.2.3: only helped to build
            artifacts/tool (build, features std)
    app 1.2.0 [HOST]
        pkg:cargo/fig@1.2.3: only locked, in no released file
    app 1.3.0 [HOST]
        pkg:cargo/fig@1.2.9: linked
            artifacts/app (linked, features std)
    4 releases affected: 2 linked; 1 only helped to build; 1 only locked, in no released file
    ");
    let expected =
        ["app 1.0.0: 1.2.3 linked", "app 1.1.0: 1.2.3 build-only", "app 1.2.0: 1.2.3 locked-only", "app 1.3.0: 1.2.9 linked"];
    for id in ["RUSTSEC-2026-0100", "CVE-2026-1000", "cve-2026-1000", "GHSA-aaaa-bbbb-cccc", "pkg:cargo/fig@<1.3"] {
        assert_eq!(told(&run(&project, &["affected", id, "--format", "json"]).expect(1)), expected, "{id}");
    }
    assert_eq!(
        told(&run(&project, &["affected", "pkg:cargo/fig@1.2.9", "--format", "json"]).expect(1)),
        ["app 1.3.0: 1.2.9 linked"]
    );
    assert_eq!(told(&run(&project, &["affected", "pkg:cargo/fig@>=1.3.0", "--format", "json"]).expect(1)).len(), 2);
    run(&project, &["affected", "pkg:cargo/fig@^2"]).expect(0);
    run(&project, &["affected", "RUSTSEC-2026-0001"]).expect(0);
    assert!(run(&project, &["affected", "RUSTSEC-2026-0100", "--format", "markdown"]).expect(1).stdout.contains("| app 1.0.0 |"));
}

#[test]
fn what_cannot_be_told_is_no_answer() {
    let (project, mut archive) = start();
    let (sequence, inventory) = archive.release_of("2026-02-01", "app", "1.0.0", &[("fig 1.2.3", &[("app", Role::Runtime)])]);
    assert_eq!(sequence, 2);
    run(&project, &["affected", "CVE-2026-9999"]).expect(4);
    run(&project, &["affected", "fig"]).expect(2);
    run(&project, &["affected", "pkg:cargo/fig@new"]).expect(2);
    run(&project, &["affected", "pkg:cargo/fig", "--format", "sarif"]).expect(2);
    run(&project, &["affected", "CVE-2026-1000", "--advisory-db", "missing"]).expect(2);
    project.run(&["affected", "pkg:cargo/fig", "--archive", "../nothing"]).expect(2);
    project.run(&["affected", "pkg:cargo/fig"]).expect(2);
    // An old database may have an older range.
    project.write("supplychain.toml", "[advisories]\ndatabase = \"advisory-db\"\nmax-age = \"7d\"\n");
    run(&project, &["affected", "RUSTSEC-2026-0001"]).expect(4);
    project.write("supplychain.toml", POLICY);
    // Nobody knows what is in a release whose inventory is lost, once the index has to ask.
    fs::remove_dir_all(project.root().join("cache/cargo-supplychain/archive-index")).unwrap();
    let bytes = fs::read(archive.object_path(inventory)).unwrap();
    fs::remove_file(archive.object_path(inventory)).unwrap();
    let outcome = run(&project, &["affected", "pkg:cargo/fig"]).expect(4);
    assert!(outcome.stderr.contains("what is in the release of entry 2 is not known"), "{outcome}");
    run(&project, &["rescan"]).expect(4);
    archive.put(&bytes);
    run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
}

#[test]
fn rescan_tells_what_is_new_and_remembers_it() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3", "oak 1.0.0"]);
    archive.release("2026-03-01", "app", "1.1.0", &["fig 1.2.3"]);
    archive.release("2026-03-01", "other", "0.1.0", &["oak 1.0.0"]);
    run(&project, &["rescan"]).expect(0);
    assert_eq!(archive.entries(), 4, "nothing new is not recorded");

    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = [\">= 1.3.0\"]");
    let json = ["rescan", "--format", "json"];
    let before = run(&project, &[&json[..], &["--no-record"]].concat()).expect(1);
    assert_eq!(found(&before), ["critical RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3: 1.0.0 1.1.0"]);
    assert_eq!(archive.entries(), 4);
    let first = run(&project, &["rescan"]).expect(1);
    assert_snapshot!(first.text(), @"
    exit 1
    critical[advisory/vulnerability]: RUSTSEC-2026-0100: A flaw in fig (in 2 archived releases)
       = also known as CVE-2026-1000, GHSA-aaaa-bbbb-cccc
       = score 9.8, CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
       = patched in >=1.3.0
       = not triaged: there is no KEV catalogue, no EPSS scores and no CVE records
       = app 1.0.0 [HOST] (entry 2): linked artifacts/app
       = app 1.1.0 [HOST] (entry 3): linked artifacts/app
       = help: run `cargo update -p fig --precise 1.3.0`
            fail 1 critical; 1 not evaluated
          Judged 3 releases, 1 component that an advisory names; 0 known or not listed
        Recorded in the archive, which is at 5@sha256:[HEX] now
    ");
    assert_eq!((archive.entries(), archive.event(5)["kind"].as_str()), (5, Some("rescan")));
    let again = run(&project, &json).expect(0);
    assert_eq!((found(&again), again.json()["known"].as_u64(), archive.entries()), (vec![], Some(1), 5));
    assert_eq!(found(&run(&project, &[&json[..], &["--all"]].concat()).expect(1)).len(), 1);

    // A release that came in since, with what is known: only it is told.
    archive.release("2026-08-25", "app", "1.2.0", &["fig 1.2.3"]);
    let outcome = run(&project, &json).expect(1);
    assert_eq!(found(&outcome), ["critical RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3: 1.2.0"]);
    assert_eq!((found(&run(&project, &json).expect(0)).len(), archive.entries()), (0, 7));

    // The range is corrected: it is gone, and that is recorded once.
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = [\">= 1.2.0\"]");
    let gone = run(&project, &json).expect(0);
    assert_eq!(gone.json()["disappeared"][0]["purl"], "pkg:cargo/fig@1.2.3");
    assert_eq!(run(&project, &json).expect(0).json()["disappeared"], serde_json::json!([]));
    assert_eq!(archive.entries(), 8);
    run(&project, &["rescan", "--record"]).expect(0);
    assert_eq!(archive.entries(), 9);
}

#[test]
fn the_policy_counts_as_in_check() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = []");
    let exemption = "[[exemptions]]\nid = \"CVE-2026-1000\"\nreason = \"not reached\"\nexpires = 2026-10-01\n";
    project.write("supplychain.toml", format!("{POLICY}{exemption}"));
    let exempted = run(&project, &["rescan", "--format", "json"]).expect(0);
    assert_eq!((exempted.json()["exempted"][0]["reason"].as_str(), archive.entries()), (Some("not reached"), 2));
    // When the exemption ends, it is new: nobody was told of it yet.
    let later =
        project.command(&["rescan", "--format", "json", "--archive", "../archive"]).offline().now("2026-10-02T00:00:00Z").run();
    assert_eq!(found(&later.expect(1)).len(), 1);
    project.write("supplychain.toml", format!("{POLICY}[rules]\n\"advisory/vulnerability\" = \"low\"\n"));
    assert_eq!(found(&run(&project, &["rescan", "--all", "--format", "json"]).expect(0))[0].split(' ').next(), Some("low"));
    project.write("supplychain.toml", format!("{POLICY}[rules]\n\"advisory/vulnerability\" = \"off\"\n"));
    run(&project, &["rescan", "--all"]).expect(0);
    run(&project, &["rescan", "--all", "--fail-on", "none"]).expect(0);
    // No database, one that is too old, one that is older than the last time: undetermined, and nothing is recorded.
    let entries = archive.entries();
    project.write("supplychain.toml", "[advisories]\ndatabase = \"advisory-db\"\nmax-age = \"7d\"\n");
    run(&project, &["rescan"]).expect(4);
    project.write("supplychain.toml", "[advisories]\ndatabase = \"file:///nowhere\"\nmax-age = \"none\"\n");
    run(&project, &["rescan", "--record"]).expect(4);
    project.write("supplychain.toml", POLICY);
    fs::remove_dir_all(project.path("advisory-db/crates/fig")).unwrap();
    let older = run(&project, &["rescan", "--format", "json"]).expect(4);
    assert_eq!(older.json()["disappeared"], serde_json::json!([]));
    assert_eq!(archive.entries(), entries);
}

#[test]
fn every_format_tells_the_same() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = [\">= 1.3.0\"]");
    let as_format = |format: &str| run(&project, &["rescan", "--no-record", "--format", format]).expect(1).stdout;
    let sarif: Value = serde_json::from_str(&as_format("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "advisory/vulnerability");
    assert!(as_format("github").starts_with("::error title=advisory/vulnerability (critical)::RUSTSEC-2026-0100"));
    assert!(as_format("markdown").starts_with("## 1 new finding in archived releases\n"));
    assert!(as_format("human").is_empty());
}

#[test]
fn days_to_fix_come_from_the_history() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    archive.release("2026-02-01", "done", "1.0.0", &["fig 1.2.3"]);
    archive.release("2026-08-01", "done", "1.1.0", &["fig 1.3.0"]);
    archive.release("2026-02-01", "open", "1.0.0", &["fig 1.2.3"]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = [\">= 1.3.0\"]");
    assert!(run(&project, &["rescan", "--history"]).expect(0).stdout.contains("no rescan has recorded anything"));
    run(&project, &["rescan"]).expect(1);
    archive.release("2026-09-05", "app", "1.0.1", &["fig 1.2.3", "oak 1.0.0"]);
    archive.release("2026-09-11", "app", "1.1.0", &["fig 1.3.0"]);
    let history = ["rescan", "--history", "--archive", "../archive"];
    let outcome = project.command(&history).offline().now("2026-09-21T12:00:00Z").run().expect(0);
    assert_snapshot!(outcome.stdout, @"
    2026-09-01 RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3 app x86_64-unknown-linux-gnu: fixed by 1.1.0 after 9 days
    2026-09-01 RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3 done x86_64-unknown-linux-gnu: 1.1.0 was free of it already
    2026-09-01 RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3 open x86_64-unknown-linux-gnu: open for 20 days
    median of the days to fix: 9
    ");
    let json = project
        .command(&[&history[..], &["--format", "json"]].concat())
        .offline()
        .now("2026-09-21T12:00:00Z")
        .run()
        .expect(0)
        .json();
    assert_eq!((json["median_days_to_fix"].as_i64(), json["history"][0]["days"].as_i64()), (Some(9), Some(9)));
}

#[test]
fn supported_releases_are_told_apart() {
    let (project, mut archive) = start();
    for version in ["1.0.0", "1.4.0", "2.0.0"] {
        archive.release("2026-02-01", "app", version, &["fig 1.2.3"]);
    }
    archive.release("2026-02-01", "lib", "1.0.0", &["fig 1.2.3"]);
    let listed = run(&project, &["archive", "supported"]).expect(0);
    assert!(
        listed.stdout.contains("app 1.0.0 x86_64-unknown-linux-gnu: not said") && listed.stderr.contains("archive.supported"),
        "{listed}"
    );
    let supported = "[[archive.supported]]\nname = \"app\"\nversion = \">=1.4, <2\"\nuntil = 2026-12-31\n\n\
                     [[archive.supported]]\nname = \"app\"\nversion = \"2\"\n\n[[archive.supported]]\nname = \"l*\"\nuntil = 2026-08-31\n";
    project.write("supplychain.toml", format!("{POLICY}{supported}"));
    assert_snapshot!(run(&project, &["archive", "supported"]).expect(0).stdout, @"
    app 1.0.0 x86_64-unknown-linux-gnu: not supported
    app 1.4.0 x86_64-unknown-linux-gnu: supported until 2026-12-31
    app 2.0.0 x86_64-unknown-linux-gnu: supported
    lib 1.0.0 x86_64-unknown-linux-gnu: ended 2026-08-31
    ");
    let json = ["affected", "pkg:cargo/fig", "--format", "json"];
    assert_eq!(told(&run(&project, &json).expect(1)).len(), 4);
    let only = run(&project, &[&json[..], &["--supported"]].concat()).expect(1);
    assert_eq!((told(&only).len(), only.json()["not_listed"].as_u64()), (2, Some(2)));
    assert_eq!(only.json()["releases"][0]["supported_until"], "2026-12-31T00:00:00Z");
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = []");
    let rescan = run(&project, &["rescan", "--supported", "--format", "json"]).expect(1);
    assert_eq!(found(&rescan), ["critical RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3: 1.4.0 2.0.0"]);
    for (line, why) in [
        ("until = 2026-12-31T10:00:00Z", "`until` is no day"),
        ("version = \"new\"", "`version` is no requirement"),
        ("untill = 2026-12-31", "did you mean `until`?"),
    ] {
        project.write("supplychain.toml", format!("{POLICY}[[archive.supported]]\nname = \"app\"\n{line}\n"));
        let outcome = run(&project, &["archive", "supported"]).expect(2);
        assert!(outcome.stderr.contains(why), "{outcome}");
    }
}

#[test]
fn pruned_releases_are_not_named() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    archive.release("2026-03-01", "app", "1.1.0", &["fig 1.2.3"]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = []");
    run(&project, &["rescan"]).expect(1);
    archive.append("2026-08-30", Event::Prune { releases: vec![2], reason: "old".into() });
    let json = ["affected", "pkg:cargo/fig", "--format", "json"];
    assert_eq!(told(&run(&project, &json).expect(1)), ["app 1.1.0: 1.2.3 linked"]);
    assert_eq!(found(&run(&project, &["rescan", "--all", "--format", "json"]).expect(1))[0].rsplit(' ').next(), Some("1.1.0"));
    archive.append("2026-08-30", Event::Prune { releases: vec![3], reason: "old".into() });
    run(&project, &json).expect(0);
    let outcome = run(&project, &["rescan", "--all", "--format", "json"]).expect(0);
    assert_eq!(outcome.json()["disappeared"], serde_json::json!([]), "a release that is gone is no advisory that is gone");
}

#[test]
fn the_index_is_a_cache() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
    let folder = project.root().join("cache/cargo-supplychain/archive-index");
    let tables = || -> Vec<_> {
        let archive = folder.read_dir_utf8().unwrap().next().unwrap().unwrap().path().to_owned();
        let files = archive.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_owned());
        files.filter(|path| path.file_name() != Some("lock")).collect()
    };
    for path in tables() {
        for at in [0, 30, 200] {
            let mut bytes = fs::read(&path).unwrap();
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            let outcome = run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
            assert!(outcome.stderr.contains("made again"), "{path} {at}\n{outcome}");
            run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
    let status = run(&project, &["archive", "index", "status", "--format", "json"]).expect(0).json();
    assert_eq!((status["releases"].as_u64(), status["components"].as_u64()), (Some(1), Some(1)));
    run(&project, &["archive", "index", "rebuild"]).expect(0);
}

#[test]
fn an_archive_that_was_set_back_is_told() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    archive.release("2026-03-01", "app", "1.1.0", &["fig 1.2.3"]);
    run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
    fs::remove_file(archive.entry_path(3)).unwrap();
    let asking: [&[&str]; 5] = [
        &["affected", "pkg:cargo/fig"],
        &["rescan"],
        &["rescan", "--history"],
        &["archive", "index", "status"],
        &["archive", "supported"],
    ];
    for command in asking {
        let outcome = run(&project, command).expect(1);
        assert!(outcome.stderr.contains("archive/rollback"), "{outcome}");
        assert_eq!(outcome.stdout, "", "nothing is answered");
    }
    run(&project, &["archive", "index", "forget"]).expect(0);
    assert_eq!(told(&run(&project, &["affected", "pkg:cargo/fig", "--format", "json"]).expect(1)).len(), 1);
}

/// As `archive` does it: what goes on from a head that was kept elsewhere is answered, anything else is refused, on a machine that never saw
/// the archive before.
#[test]
fn a_head_that_was_kept_elsewhere_counts() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    let kept =
        run(&project, &["archive", "list", "--format", "json"]).expect(0).json()["archive"]["head"].as_str().unwrap().to_owned();
    archive.release("2026-03-01", "app", "1.1.0", &["fig 1.2.3"]);
    let newer =
        run(&project, &["archive", "list", "--format", "json"]).expect(0).json()["archive"]["head"].as_str().unwrap().to_owned();
    let ask = |head: &str, code: i32| {
        for command in [&["affected", "pkg:cargo/fig"][..], &["rescan", "--no-record"], &["archive", "verify"]] {
            let cache = project.path(&format!("../cache-{code}"));
            let outcome = run(&project, &[command, &["--expect-head", head, "--cache-dir", cache.as_str()]].concat());
            let expected = if code == 0 && command[0] == "affected" { 1 } else { code };
            let outcome = outcome.expect(expected);
            assert_eq!(outcome.stderr.contains("archive/rollback"), code == 1, "{outcome}");
            fs::remove_dir_all(cache).unwrap_or_default();
        }
    };
    ask(&kept, 0);
    ask(&newer, 0);
    fs::remove_file(archive.entry_path(3)).unwrap();
    ask(&kept, 0);
    ask(&newer, 1);
    ask(&format!("2{}", &newer[1..]), 1);
}

#[test]
fn an_entry_that_was_taken_out_is_told_by_every_command() {
    let (project, mut archive) = start();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        archive.release("2026-02-01", "app", version, &["fig 1.2.3"]);
    }
    // Longer than a folder's time of change may hide a further one: the list of entries is remembered then.
    std::thread::sleep(std::time::Duration::from_secs(4));
    for _ in 0..2 {
        run(&project, &["affected", "pkg:cargo/fig"]).expect(1);
    }
    fs::remove_file(archive.entry_path(3)).unwrap();
    for command in [&["affected", "pkg:cargo/fig"][..], &["rescan"], &["archive", "verify"], &["archive", "list"]] {
        let outcome = run(&project, command).expect(3);
        assert!(outcome.stderr.contains("archive/corrupt") && outcome.stderr.contains("entry 3"), "{outcome}");
    }
}

#[test]
fn the_policy_names_the_archive() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = []");
    project.write("supplychain.toml", format!("{POLICY}\n[archive]\nstore = \"../archive\"\n"));
    let answer = project.run(&["affected", "RUSTSEC-2026-0100", "--format", "json"]).expect(1);
    assert_eq!(told(&answer), ["app 1.0.0: 1.2.3 linked"]);
    let rescan = project.run(&["rescan", "--format", "json"]).expect(1);
    assert_eq!(found(&rescan), ["critical RUSTSEC-2026-0100 pkg:cargo/fig@1.2.3: 1.0.0"]);
    assert_eq!(archive.entries(), 3, "what is new is recorded where it was found");
    // A policy that was named counts, and the command line before it.
    project.write("supplychain.toml", POLICY);
    project.write("../other.toml", format!("{POLICY}\n[archive]\nstore = \"../archive\"\n"));
    project.run(&["affected", "RUSTSEC-2026-0100", "--policy", "../other.toml"]).expect(1);
    project.run(&["affected", "RUSTSEC-2026-0100", "--policy", "../other.toml", "--archive", "../nothing"]).expect(2);
}

#[cfg(unix)]
#[test]
fn tables_are_exported_and_stay_byte_for_byte() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app", "1.0.0", &["fig 1.2.3"]);
    let export = |folder: &str| run(&project, &["archive", "index", "export", folder, "--format", "json"]);
    let first = export("../tables").expect(0).json();
    let names = ["releases", "artifacts", "components", "uses", "natives"];
    let mut expected: Vec<_> = names.iter().map(|name| format!("{name}/0000000000-0000004095.parquet")).collect();
    expected.push("hits/all.parquet".to_owned());
    expected.sort();
    assert_eq!(first["written"], serde_json::json!(expected));
    let bytes = fs::read(project.path("../tables/components/0000000000-0000004095.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let again = export("../tables").expect(0).json();
    assert_eq!((again["written"].clone(), again["unchanged"].as_u64()), (serde_json::json!([]), Some(6)));
    let damaged = project.path("../tables/uses/0000000000-0000004095.parquet");
    fs::write(&damaged, b"PAR1").unwrap();
    let again = export("../tables").expect(0).json();
    assert_eq!(again["written"], serde_json::json!(["uses/0000000000-0000004095.parquet"]), "one that is not as it was written");
    export("../other").expect(0);
    assert_eq!(fs::read(project.path("../other/components/0000000000-0000004095.parquet")).unwrap(), bytes);
    archive.append("2026-08-30", Event::Prune { releases: vec![2], reason: "old".into() });
    export("../tables").expect(0);
    assert!(!project.path("../tables/components/0000000000-0000004095.parquet").exists());
    project.write("../tables/export.json", "{}");
    export("../tables").expect(2);
    fs::remove_file(project.path("../tables/export.json")).unwrap();
    export("../tables").expect(0);
}

#[test]
fn names_of_others_are_shown_harmless() {
    let (project, mut archive) = start();
    archive.release("2026-02-01", "app\u{1b}[31m\n::error::x", "1.0.0", &["fig 1.2.3"]);
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", SCORED, "patched = []");
    for command in [&["affected", "RUSTSEC-2026-0100"][..], &["rescan", "--no-record"], &["archive", "supported"]] {
        for format in ["human", "markdown", "github"] {
            let outcome = run(&project, &[command, &["--format", format]].concat());
            let text = outcome.stdout.clone() + &outcome.stderr;
            assert!(!text.contains('\u{1b}') && !text.contains("\n::error::x"), "{outcome}");
        }
    }
}
