//! Decisions about vulnerabilities (VEX): written once, they exempt and they are published.

use insta::assert_snapshot;

use crate::support::{Outcome, Project};

const ADD: [&str; 13] = [
    "vex",
    "add",
    "RUSTSEC-2026-0002",
    "--package",
    "fig@^1",
    "--status",
    "not_affected",
    "--reason",
    "only cold paths call it",
    "--author",
    "Example PSIRT",
    "--expires",
    "2026-12-01",
];

fn fig() -> Project {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.advisory("RUSTSEC-2026-0002", "fig", "2026-08-20", "aliases = [\"CVE-2026-1234\"]");
    project
}

/// A run that changes the policy on purpose.
fn add(project: &Project, arguments: &[&str]) -> Outcome {
    project.command(arguments).offline().writes().run()
}

#[test]
fn a_decision_is_appended_exempts_and_is_listed() {
    let project = fig();
    project.check().expect(1);
    project.append("supplychain.toml", "\n# kept as it is");
    let before = project.read("supplychain.toml");
    let justified = [&ADD[..], &["--justification", "vulnerable_code_not_in_execute_path"]].concat();
    assert_snapshot!(project.run(&[&justified[..], &["--dry-run"]].concat()).expect(0).text(), @r#"
    exit 0
         Decided RUSTSEC-2026-0002 in fig ^1: not_affected, until 2026-12-01; nothing was written
    --- stdout
    [[vex]]
    id = "RUSTSEC-2026-0002"
    aliases = ["CVE-2026-1234"]
    package = "fig"
    version = "^1"
    status = "not_affected"
    justification = "vulnerable_code_not_in_execute_path"
    reason = "only cold paths call it"
    author = "Example PSIRT"
    date = 2026-09-01
    expires = 2026-12-01
    "#);
    assert_eq!(project.read("supplychain.toml"), before);
    assert_snapshot!(add(&project, &justified).expect(0).text(), @"
    exit 0
         Decided RUSTSEC-2026-0002 in fig ^1: not_affected, until 2026-12-01; appended to [ROOT]/project/supplychain.toml
    ");
    assert!(project.read("supplychain.toml").starts_with(&before));
    assert_snapshot!(project.run(&["check", "-v"]).expect(0).text(), @r#"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
       = help: write the version into rust-toolchain.toml: [toolchain] channel = "[CHANNEL]"
    exempted[advisory/vulnerability] fig 1.2.3: VEX: not_affected (vulnerable_code_not_in_execute_path), by Example PSIRT on 2026-09-01, supplychain.toml:7: only cold paths call it (until 2026-12-01)
    not evaluated[maintainers]: owners and publishers: there is no earlier state to compare with: no supplychain.lock, no --base
       = help: record one with `cargo supplychain baseline accept`, or name a revision with --base
    not evaluated[advisories]: advisories: the age of the advisory database is not judged: `max-age` is "none"
       = help: set `[advisories] max-age`, for example to "7d"
    not evaluated[advisories]: known exploited: whether 1 vulnerability is known to be exploited: there is no KEV catalogue
       = help: run `cargo supplychain fetch kev`, or name a file with `--feed kev=PATH`
            pass 1 low; 1 exempted; 3 not evaluated
    "#);
    let check = project.check().expect(0);
    let exempted = &check.json()["exempted"][0];
    assert_eq!(exempted["decisions"][0]["author"], "Example PSIRT");
    assert_eq!(exempted["ids"][1], "CVE-2026-1234");
    assert_snapshot!(project.run(&["vex", "list"]).expect(0).text(), @"
    exit 0
    RUSTSEC-2026-0002 CVE-2026-1234 fig ^1: not_affected (vulnerable_code_not_in_execute_path), until 2026-12-01
      Example PSIRT on 2026-09-01: only cold paths call it
    ");
    assert_eq!(project.run(&["vex", "list", "--format", "json"]).expect(0).json()["decisions"][0]["aliases"][0], "CVE-2026-1234");
    // From its day on the finding is back.
    let later = project.command(&["check", "--offline", "--format", "json"]).now("2026-12-01").run().expect(1);
    assert_eq!(later.findings(), ["high advisory/vulnerability fig 1.2.3", "medium policy/vex-expired"]);
}

#[test]
fn a_decision_that_is_none_is_refused_and_nothing_is_written() {
    let project = fig();
    let before = project.read("supplychain.toml");
    let affected: Vec<_> = ADD.iter().map(|word| if *word == "not_affected" { "affected" } else { word }).collect();
    assert_snapshot!(project.run(&affected).expect(2).text(), @"
    exit 2
    error: this is no decision that supplychain.toml takes: decision about `RUSTSEC-2026-0002` has the status affected and no `action`: what users are told to do
    help: see docs/vex.md, or `--help`
    ");
    let past: Vec<_> = ADD.iter().map(|word| if *word == "2026-12-01" { "2026-08-01" } else { word }).collect();
    assert_snapshot!(project.run(&past).expect(2).text(), @"
    exit 2
    error: this is no decision that supplychain.toml takes: decision about `RUSTSEC-2026-0002` expires on 2026-08-01, and is of 2026-09-01
    help: see docs/vex.md, or `--help`
    ");
    let unknown: Vec<_> = ADD.iter().map(|word| if *word == "not_affected" { "safe" } else { word }).collect();
    assert_snapshot!(project.run(&unknown).expect(2).text(), @"
    exit 2
    error: invalid value 'safe' for '--status <STATUS>': unknown status `safe`: use one of not_affected, affected, fixed, under_investigation

    For more information, try '--help'.
    ");
    let nobody: Vec<_> = ADD.iter().filter(|word| !["--author", "Example PSIRT"].contains(word)).copied().collect();
    assert_snapshot!(project.run(&nobody).expect(2).text(), @"
    exit 2
    error: nobody is named who decides
    help: name somebody with --author NAME, or set `author` in [documents]
    ");
    assert_eq!(project.read("supplychain.toml"), before);
    // Without a policy there is one afterwards; an id that the database does not know is told.
    std::fs::remove_file(project.path("supplychain.toml")).unwrap();
    let other: Vec<_> = ADD.iter().map(|word| if word.starts_with("RUSTSEC") { "RUSTSEC-2026-0003" } else { word }).collect();
    let added = add(&project, &[&other[..], &["--advisory-db", "advisory-db"]].concat()).expect(0);
    assert!(added.stderr.contains("the advisory database knows no RUSTSEC-2026-0003 of fig"), "{added}");
    assert!(project.read("supplychain.toml").starts_with("[[vex]]\n"));
}

#[test]
fn decisions_are_exported_and_stand_in_a_release() {
    let project = fig();
    assert_snapshot!(project.run(&["vex", "export"]).expect(2).text(), @"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
    error: there is nothing to state: no decision of [[vex]] counts and is about what is released
    help: decide with `cargo supplychain vex add`
    ");
    add(&project, &ADD).expect(0);
    let open = project.run(&["vex", "export"]).expect(0);
    assert!(open.stderr.contains("Stated 1 decision"), "{open}");
    assert_eq!(open.json()["statements"][0]["products"][0]["subcomponents"][0]["@id"], "pkg:cargo/fig@1.2.3");
    let cyclonedx = project.run(&["vex", "export", "--format-vex", "cyclonedx", "--quiet"]).expect(0).json();
    assert_eq!(cyclonedx["vulnerabilities"][0]["analysis"]["state"], "not_affected");
    assert_snapshot!(project.run(&["vex", "export", "--format-vex", "csaf"]).expect(2).text(), @r#"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
    error: a CSAF document names its publisher, and the policy names none
    help: add to supplychain.toml: [documents.publisher] with category = "vendor", name = "…", namespace = "https://…"
    "#);
    project.append(
        "supplychain.toml",
        "\n[documents]\npublisher = { category = \"vendor\", name = \"Example\", namespace = \"https://example.org\" }\n",
    );
    project.command(&["vex", "export", "--format-vex", "csaf", "--output", "csaf/"]).offline().writes().run().expect(0);
    let csaf = project.json("csaf/app-1_0_0-vex.json");
    assert_eq!(csaf["vulnerabilities"][0]["product_status"]["known_not_affected"][0], "CSAFPID-0003");
    project.run(&["build", "--no-sign"]).expect(0);
    let release = project.release();
    let stated = std::fs::read(release.join("reports/vex.openvex.json")).unwrap();
    let stated: serde_json::Value = serde_json::from_slice(&stated).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(release.join("release.json")).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let artifact = files.iter().find(|file| file["role"] == "artifact").unwrap();
    assert_eq!(stated["statements"][0]["products"][0]["hashes"]["sha-256"], artifact["sha256"]);
    assert!(files.iter().any(|file| file["path"] == "reports/vex.openvex.json"));
}

/// With `--base` the decisions are those of the revision: a change does not exempt itself.
#[test]
fn a_decision_of_the_same_change_does_not_count() {
    let project = fig();
    let base = project.commit("before");
    add(&project, &ADD).expect(0);
    project.run(&["check", "--format", "json"]).expect(0);
    project.run(&["check", "--format", "json", "--base", &base]).expect(1);
}

const OTHERS: &str = r#"{
  "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "Fig maintainers",
  "timestamp": "2026-08-25T00:00:00Z", "version": 1,
  "statements": [
    { "vulnerability": { "name": "CVE-2026-1234" }, "products": [{ "@id": "pkg:cargo/fig@1.2.3" }], "status": "not_affected",
      "justification": "vulnerable_code_cannot_be_controlled_by_adversary" },
    { "vulnerability": { "name": "CVE-2026-1" }, "products": [{ "@id": "pkg:apk/wolfi/bash@1.0.0" }], "status": "fixed" }
  ]
}"#;

#[test]
fn statements_of_others_count_where_they_are_named() {
    let project = fig();
    project.write("fig.vex.json", OTHERS);
    project.check().expect(1);
    assert_snapshot!(project.run(&["check", "--vex", "fig.vex.json", "-v", "--only", "advisories"]).expect(0).text(), @r#"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
            Note fig.vex.json: OpenVEX 0.2.0 by Fig maintainers, 1 statement; 1 statement of what is no crate or library by package URL and version left out
    exempted[advisory/vulnerability] fig 1.2.3: VEX: not_affected (vulnerable_code_cannot_be_controlled_by_adversary), by Fig maintainers on 2026-08-25, fig.vex.json
    not evaluated[advisories]: advisories: the age of the advisory database is not judged: `max-age` is "none"
       = help: set `[advisories] max-age`, for example to "7d"
    not evaluated[advisories]: known exploited: whether 1 vulnerability is known to be exploited: there is no KEV catalogue
       = help: run `cargo supplychain fetch kev`, or name a file with `--feed kev=PATH`
            pass no findings; 1 exempted; 2 not evaluated
    "#);
    let json = project.run(&["check", "--vex", "fig.vex.json", "--format", "json"]).expect(0).json();
    assert_eq!(json["exempted"][0]["expires"], serde_json::Value::Null);
    assert_eq!(json["exempted"][0]["decisions"][0]["author"], "Fig maintainers");
    // What they say of another version is nothing that counts.
    project.write("other.vex.json", OTHERS.replace("fig@1.2.3", "fig@1.2.2"));
    project.run(&["check", "--vex", "other.vex.json"]).expect(1);
    project.write("wrong.vex.json", OTHERS.replace("\"fixed\"", "\"safe\""));
    assert_snapshot!(project.run(&["check", "--vex", "wrong.vex.json"]).expect(2).text(), @"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    error: wrong.vex.json: statements[1].status: unknown status `safe`: use one of not_affected, affected, fixed, under_investigation
    help: name an OpenVEX, CycloneDX or CSAF document with --vex, or in `vex` of [advisories]
    ");
    project.run(&["check", "--vex", "nowhere.json"]).expect(2);
    // A release says what it was judged with.
    project.append("supplychain.toml", "vex = [\"fig.vex.json\"]\n");
    project.run(&["build", "--no-sign"]).expect(0);
    let feeds = std::fs::read_to_string(project.release().join("evidence/feeds.json")).unwrap();
    assert!(feeds.contains("\"fig.vex.json\""), "{feeds}");
}

/// With `--base` the files that the policy names are those of the revision.
#[test]
fn a_statement_of_the_same_change_does_not_count() {
    let project = fig();
    project.append("supplychain.toml", "vex = [\"fig.vex.json\"]\n");
    project.write("fig.vex.json", OTHERS.replace("not_affected", "under_investigation").replace("\"justification\"", "\"x\""));
    let base = project.commit("before");
    project.write("fig.vex.json", OTHERS);
    project.run(&["check"]).expect(0);
    project.run(&["check", "--base", &base]).expect(1);
}

#[test]
fn facts_of_the_build_are_proposed_and_not_decided() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.advisory("RUSTSEC-2026-0002", "fig", "2026-08-20", "[affected]\nos = [\"windows\"]");
    let before = project.read("supplychain.toml");
    assert_snapshot!(project.run(&["vex", "propose"]).expect(0).text(), @"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
        Proposed 1 decision; nothing was written: the facts are evidence, deciding is yours
    --- stdout
    # RUSTSEC-2026-0002: A flaw in fig
    # other platform: it is about windows, and this is compiled for [HOST]
    cargo supplychain vex add 'RUSTSEC-2026-0002' --package 'fig@=1.2.3' --status not_affected --justification vulnerable_code_not_present --reason 'other platform: it is about windows, and this is compiled for [HOST]' --author NAME
    ");
    assert_eq!(project.read("supplychain.toml"), before);
    let json = project.run(&["vex", "propose", "--format", "json"]).expect(0).json();
    assert_eq!(json["proposals"][0]["justification"], "vulnerable_code_not_present");
}
