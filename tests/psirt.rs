//! The ledger of reports: dates, what is not shown in CI, drafts of advisories; and a release as evidence for frameworks.

use insta::assert_snapshot;

use crate::support::{Outcome, Project};

fn writing(project: &Project, arguments: &[&str]) -> Outcome {
    project.command(arguments).offline().writes().run()
}

fn add<'a>(id: &'a str, tlp: &'a str) -> Vec<&'a str> {
    vec![
        "psirt",
        "add",
        id,
        "--title",
        "Overflow in the parser",
        "--component",
        "pkg:cargo/app",
        "--reported",
        "2026-08-20",
        "--release",
        "1.0.0",
        "--coordinator",
        "JPCERT/CC",
        "--tlp",
        tlp,
    ]
}

#[test]
fn reports_are_kept_with_their_dates_and_hidden_in_ci() {
    let project = Project::app();
    assert_snapshot!(project.run(&["psirt", "list"]).expect(2).text(), @"
    exit 2
    error: cannot read the ledger [ROOT]/project/psirt.toml: No such file or directory (os error 2)
    help: begin one with `cargo supplychain psirt add`
    ");
    assert_snapshot!(writing(&project, &add("EX-2026-1", "AMBER")).expect(0).text(), @"
    exit 0
        Appended EX-2026-1 to [ROOT]/project/psirt.toml; disclosure due 2026-10-04
    ");
    writing(&project, &add("EX-2026-2", "CLEAR")).expect(0);
    writing(&project, &add("EX-2026-2", "CLEAR")).expect(2);
    assert_snapshot!(project.run(&["psirt", "list"]).expect(0).text(), @"
    exit 0
    EX-2026-1 [TLP:AMBER] received: Overflow in the parser
      pkg:cargo/app 1.0.0; reported 2026-08-20, through JPCERT/CC; exploited: unknown
      disclosure due 2026-10-04: in 33 days
    EX-2026-2 [TLP:CLEAR] received: Overflow in the parser
      pkg:cargo/app 1.0.0; reported 2026-08-20, through JPCERT/CC; exploited: unknown
      disclosure due 2026-10-04: in 33 days
    ");
    let in_ci = |arguments: &[&str]| project.command(arguments).offline().env("CI", "true").run();
    let listed = in_ci(&["psirt", "list"]).expect(0);
    assert!(
        !format!("{listed}").contains("EX-2026-1") && listed.stderr.contains("1 report above TLP:CLEAR not shown"),
        "{listed}"
    );
    assert_eq!(in_ci(&["psirt", "list", "--format", "json"]).expect(0).json()["withheld"], 1);
    // The 45 days end in Japan.
    project.write("psirt.toml", format!("utc-offset = \"+09:00\"\n{}", project.read("psirt.toml")));
    let at = |now: &str| project.command(&["psirt", "list"]).offline().now(now).run();
    at("2026-10-04T14:59:59Z").expect(0);
    at("2026-10-04T15:00:00Z").expect(1);
    // A mistake is told by its place alone where others look on.
    project.append("psirt.toml", "secrret = \"what nobody may know\"\n");
    project.run(&["psirt", "list"]).expect(2);
    assert_snapshot!(in_ci(&["psirt", "list"]).expect(2).text(), @"
    exit 2
    error: psirt.toml:23:1: the ledger is wrong there
    help: what is wrong is not shown in CI: run `cargo supplychain psirt list` on a machine of your own
    ");
}

#[test]
fn an_advisory_is_drafted_of_what_everybody_may_know() {
    let project = Project::app();
    writing(&project, &add("EX-2026-1", "AMBER")).expect(0);
    writing(&project, &add("EX-2026-2", "CLEAR")).expect(0);
    assert_snapshot!(project.run(&["psirt", "advisory", "EX-2026-1"]).expect(2).text(), @r#"
    exit 2
    error: the report `EX-2026-1` is not TLP:CLEAR: no document is made of it
    help: write tlp = "CLEAR" into its entry when everybody may know of it
    "#);
    project.run(&["psirt", "advisory", "EX-2026-2"]).expect(2);
    project.append(
        "supplychain.toml",
        "[documents]\npublisher = { category = \"vendor\", name = \"Example\", namespace = \"https://example.org\" }\n",
    );
    writing(&project, &["psirt", "advisory", "EX-2026-2", "--output", "csaf/"]).expect(0);
    let draft = project.json("csaf/ex-2026-2.json");
    assert_eq!(draft["document"]["tracking"]["status"], "draft");
    assert_eq!(draft["vulnerabilities"][0]["product_status"]["known_affected"][0], "CSAFPID-0001");
}

#[test]
fn a_release_is_evidence_as_far_as_its_files_go() {
    let project = Project::app();
    project.run(&["build", "--no-sign"]).expect(0);
    let release = project.release();
    let export = |more: &[&str]| project.run(&[&["evidence", "export", release.as_str()], more].concat());
    let status = |value: &serde_json::Value, id: &str| {
        let practices = value["practices"].as_array().unwrap();
        practices.iter().find(|one| one["id"] == id).unwrap()["status"].as_str().unwrap().to_owned()
    };
    let whole = export(&["--framework", "ssdf"]).expect(0).json();
    assert!(whole["practices"].as_array().unwrap().iter().all(|one| one["framework"] == "SSDF 1.1"));
    // Nothing is signed: there are no attestations either, only statements that wait.
    assert_eq!(
        (status(&whole, "PS.2.1"), status(&whole, "PS.3.2"), status(&whole, "PO.3.3")),
        ("partial".into(), "partial".into(), "partial".into())
    );
    std::fs::write(release.join("sbom/app.cdx.json"), "{}").unwrap();
    std::fs::remove_file(release.join("sbom/app.spdx.json")).unwrap();
    let less = export(&["--framework", "SSDF"]).expect(0);
    assert!(less.stderr.contains("not counted, it is not what the release lists: sbom/app.cdx.json"), "{less}");
    assert_eq!(status(&less.json(), "PS.3.2"), "not-met");
    assert_snapshot!(export(&["--framework", "ISO"]).expect(2).text(), @"
    exit 2
    error: no framework is called `ISO`
    help: there are SSDF 1.1; METI guide to SBOM introduction and software supply; METI CPSF; SLSA 1.2; SLSA dependency track, draft; CRA Annex I part II; CRA
    ");
    assert_snapshot!(project.run(&["evidence", "export", "src"]).expect(2).text(), @"
    exit 2
    error: src is no release: it has no release.json
    help: name a release folder
    ");
}
