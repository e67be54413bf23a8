//! `init --from deny.toml`: the policy that is written, what is said about the rest, and that nothing of one's own is overwritten.

use super::support::Project;

const DENY: &str = r#"[graph]
targets = ["x86_64-unknown-linux-gnu"]

[advisories]
unmaintained = "workspace"
yanked = "warn"
ignore = [
    { id = "RUSTSEC-2026-0001", reason = "not called" },
    "RUSTSEC-2026-0002", # next month
]

[licenses]
allow = ["MIT", "Apache-2.0"]
confidence-threshold = 0.9

[sources]
unknown-git = "deny"
allow-git = ["https://example.org/lib"]
"#;

#[test]
fn a_policy_is_made_of_it() {
    let project = Project::app();
    std::fs::remove_file(project.path("supplychain.toml")).unwrap();
    project.write("deny.toml", DENY);
    let outcome = project.command(&["init", "--from", "deny.toml"]).offline().writes().run().expect(0);
    insta::assert_snapshot!(outcome.text(), @r"
    exit 0
    note: deny.toml:2: `graph.targets` is an argument here: `--target`; the lock is judged for all of them
    note: deny.toml:14: `licenses.confidence-threshold` has no counterpart: licence files are not read
           Wrote [ROOT]/project/supplychain.toml, made from deny.toml: look at each line, and at the date of each exemption
    ");
    insta::assert_snapshot!(project.read("supplychain.toml"), @r#"
    # The policy of `cargo supplychain`, made from deny.toml on 2026-09-01.
    # Deny is "high" here (it fails), warn "medium", allow "info". Look at each line: the two tools do not mean quite the same.
    #
    # Not carried over, or not quite, by the line of deny.toml:
    #   2: `graph.targets` is an argument here: `--target`; the lock is judged for all of them
    #   14: `licenses.confidence-threshold` has no counterpart: licence files are not read

    [rules]
    "advisory/unmaintained" = { scope = "workspace" }
    "registry/yanked" = "medium"
    "source/git-not-allowed" = { level = "high", allow = ["https://example.org/lib"] }

    [licences]
    allow = [
        "Apache-2.0",
        "MIT",
    ]

    [[exemptions]]
    id = "RUSTSEC-2026-0001"
    reason = "not called"
    expires = 2026-11-30

    [[exemptions]]
    id = "RUSTSEC-2026-0002"
    reason = "next month"
    expires = 2026-11-30
    "#);
    // It judges.
    project.append("supplychain.toml", "\n[advisories]\ndatabase = \"advisory-db\"\nmax-age = \"none\"\n");
    project.run(&["check", "--only", "lock,licences", "--format", "json"]).expect(0);
    // And is now the user's.
    let again = project.run(&["init", "--from", "deny.toml"]).expect(2);
    assert!(again.stderr.contains("is there already"), "{again}");
}

#[test]
fn what_is_not_there_or_no_toml_writes_nothing() {
    let project = Project::app();
    std::fs::remove_file(project.path("supplychain.toml")).unwrap();
    let missing = project.run(&["init", "--from", "deny.toml"]).expect(2);
    assert!(missing.stderr.contains("cannot read deny.toml"), "{missing}");
    project.write("deny.toml", "[licenses\n");
    let broken = project.run(&["init", "--from", "deny.toml"]).expect(2);
    assert!(broken.stderr.contains("deny.toml:1:10: not valid TOML"), "{broken}");
    assert!(!project.path("supplychain.toml").exists());
}

#[test]
fn as_json() {
    let project = Project::app();
    std::fs::remove_file(project.path("supplychain.toml")).unwrap();
    project.write("deny.toml", DENY);
    let outcome = project.command(&["init", "--from", "deny.toml", "--format", "json"]).offline().writes().run().expect(0);
    let notes = &outcome.json()["without_counterpart"];
    assert_eq!(notes[0]["line"], 2, "{notes}");
}
