//! The policy of the sealed build with the real binary, as far as no seal is needed for it: what `init` proposes, and what is recorded of a
//! build that was not sealed.

use insta::assert_snapshot;
use serde_json::json;

use super::support::Project;

/// As a build leaves it that was refused something.
fn record() -> String {
    let actor =
        |name: &str, kind: &str| json!({ "name": name, "version": "1.0.0", "kind": kind, "program": "build-script-build" });
    let attempt = |actor, act| json!({ "actor": actor, "act": act, "count": 2 });
    json!({
        "enforcement": { "kind": "linux", "landlock_abi": 6, "rules": [], "refused": [], "exceptions": [] },
        "attempts": [
            attempt(actor("vendor-sys", "build-script"), json!({ "act": "read", "path": "/opt/vendor", "is_secret": false })),
            attempt(actor("vendor-sys", "child"), json!({ "act": "network", "family": "AF_INET" })),
            attempt(actor("vendor-sys", "build-script"), json!({ "act": "read", "path": "~/.ssh/id_rsa", "is_secret": true })),
            attempt(actor("", "unknown"), json!({ "act": "write", "path": "/etc/x" })),
        ],
        "unlisted": 0,
    })
    .to_string()
}

#[test]
fn exceptions_are_proposed_and_wait_for_their_reasons() {
    let project = Project::app();
    project.write("supplychain.toml", "[build]\nfail-on = \"high\"\n");
    assert_snapshot!(project.run(&["init", "--sandbox-allow"]).expect(0).text(), @"
    exit 0
         Nothing to propose: the last build was refused nothing that an exception could allow
    ");
    project.write("target/supplychain/denied.json", record());
    let before = project.read("supplychain.toml");
    assert_snapshot!(project.run(&["init", "--sandbox-allow", "--dry-run"]).expect(0).text(), @r#"
    exit 0
    note: 1 kind of attempts by nobody that is known: there is no exception for that
        Proposed 1 exception; nothing was written
    --- stdout
    [[sandbox.allow]]
    crate = "vendor-sys"
    version = "1.0.0"
    read = ["/opt/vendor"]
    net = true
    reason = "" # say why it needs this: the policy is refused until then
    expires = 2026-11-30
    # not proposed: read ~/.ssh/id_rsa: a place where keys are kept
    "#);
    assert_eq!(project.read("supplychain.toml"), before);
    assert_snapshot!(project.command(&["init", "--sandbox-allow"]).writes().run().expect(0).text(), @"
    exit 0
    note: 1 kind of attempts by nobody that is known: there is no exception for that
        Appended 1 exception to [ROOT]/project/supplychain.toml: give each a reason, or remove it; the policy is refused until then
    ");
    // The policy is refused until somebody has said why.
    assert_snapshot!(project.run(&["check", "--only", "lock"]).expect(2).text(), @r#"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
    error: supplychain.toml:9:10: sandbox exception of `vendor-sys` has an empty `reason`
     --> [ROOT]/project/supplychain.toml:9:10
      |
    9 | reason = "" # say why it needs this: the policy is refused until then
      |          ^^
    "#);
    let text = project.read("supplychain.toml");
    project.write("supplychain.toml", text.replace("reason = \"\"", "reason = \"its library is there\""));
    let outcome = project.run(&["check", "--only", "lock", "--format", "json"]).expect(0);
    assert_eq!(outcome.findings(), ["low policy/exemption-unused"], "no such crate is locked");
}

#[test]
fn a_build_that_was_not_sealed_says_so_everywhere() {
    let project = Project::app();
    let outcome = project.run(&["build", "--no-sign", "--sandbox", "off"]).expect(0);
    assert!(
        outcome.stderr.contains("Note the build was not sealed (it was switched off): build scripts could do what you can"),
        "{outcome}"
    );
    let build: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(project.release().join("evidence/build.json")).unwrap()).unwrap();
    assert_eq!(
        build["invocation"]["sandbox"],
        json!({
            "asked": "off",
            "enforcement": { "kind": "none", "why": "it was switched off", "asked_off": true },
            "denied": 0,
            "unlisted": 0,
        })
    );
    assert_snapshot!(project.run(&["build", "--sandbox", "always"]).expect(2).text(), @"
    exit 2
    error: invalid value 'always' for '--sandbox <MODE>': unknown sandbox mode `always`: use auto, require or off

    For more information, try '--help'.
    ");
}
