//! Licences of what is built, with the real binary: lists, exceptions, clarifications, copyleft, and who is not judged.

use super::support::Project;

/// What a package of crates.io declares, in place of MIT.
fn declare(project: &Project, package: &str, license: &str) {
    let sources = project.cargo_home().join("registry/src");
    for registry in sources.read_dir_utf8().unwrap() {
        let manifest = registry.unwrap().path().join(package).join("Cargo.toml");
        if let Ok(text) = std::fs::read_to_string(&manifest) {
            std::fs::write(&manifest, text.replace("license = \"MIT\"\n", license)).unwrap();
            return;
        }
    }
    panic!("{package} is not there");
}

fn check(project: &Project) -> super::support::Outcome {
    project.run(&["check", "--only", "licences", "--format", "json"])
}

fn app() -> Project {
    let project = Project::with_packages(&[("choice", "1.0.0"), ("plain", "1.0.0"), ("strong", "1.0.0")]);
    declare(&project, "choice-1.0.0", "license = \"LGPL-3.0-or-later OR MPL-2.0\"\n");
    declare(&project, "strong-1.0.0", "license = \"LGPL-3.0+\"\n");
    project
}

#[test]
fn without_a_policy_only_what_costs_the_release() {
    let project = app();
    let outcome = check(&project).expect(0);
    assert_eq!(outcome.findings(), ["medium licence/copyleft-static strong 1.0.0"]);
    let finding = outcome.finding("licence/copyleft-static");
    assert_eq!(finding["message"], "strong 1.0.0 (LGPL-3.0-or-later) is linked statically into app");
    assert_eq!(finding["locations"][0]["file"], "Cargo.lock");
    assert_eq!(outcome.finding("licence/deprecated-id")["severity"], "info");
    // The twin: a program under the LGPL itself.
    project.write("Cargo.toml", project.read("Cargo.toml").replace("license = \"MIT\"", "license = \"LGPL-3.0-only\""));
    assert!(check(&project).expect(0).findings().is_empty());
}

#[test]
fn lists_exceptions_and_clarifications() {
    let project = app();
    declare(&project, "plain-1.0.0", "license = \"own\"\n");
    let policy = project.read("supplychain.toml");
    let with = |licences: &str| {
        project.write(
            "supplychain.toml",
            format!("{policy}\n[rules]\n\"licence/copyleft-static\" = \"off\"\n[licences]\n{licences}"),
        );
        check(&project)
    };
    let all = ["high licence/denied choice 1.0.0", "high licence/denied plain 1.0.0", "high licence/denied strong 1.0.0"];
    assert_eq!(with("allow = [\"MIT\"]\n").expect(1).findings(), all);
    assert_eq!(with("allow = [\"MPL-2.0\"]\n").expect(1).findings(), all[1..]);
    let accepted = "allow = [\"MPL-2.0\", \"MIT\"]\n\
        exceptions = [{ package = \"strong\", version = \"^1\", allow = [\"LGPL-3.0-only\"], reason = \"relinkable\" }]\n\
        clarify = [{ package = \"plain\", expression = \"MIT\", reason = \"its LICENSE\" }]\n";
    assert!(with(accepted).expect(0).findings().is_empty());
    assert_eq!(
        with("deny = [\"LGPL-3.0\"]\nclarify = [{ package = \"plain\", expression = \"MIT\" }]\n").expect(1).findings(),
        all[2..]
    );
    let slip = with("allow = [\"MPL-2\"]\n").expect(2);
    assert!(slip.stderr.contains("not on the SPDX licence list"), "{slip}");
}

#[test]
fn what_declares_nothing() {
    let project = app();
    declare(&project, "plain-1.0.0", "");
    declare(&project, "strong-1.0.0", "");
    let outcome = check(&project).expect(0);
    // `app` itself declares nothing either, and that is its owner's business.
    project.write("Cargo.toml", project.read("Cargo.toml").replace("license = \"MIT\"\n", ""));
    assert_eq!(check(&project).expect(0).findings(), outcome.findings());
    assert!(outcome.findings().contains(&"medium licence/missing plain 1.0.0".to_owned()), "{outcome}");
    project.append("supplychain.toml", "\n[licences]\nallow = [\"MIT\"]\n");
    assert!(check(&project).expect(1).findings().contains(&"high licence/missing plain 1.0.0".to_owned()));
}

#[test]
fn without_a_plan_nothing_is_known_of_licences() {
    let project = app();
    // Locked, and cargo does not have it.
    project.append("Cargo.toml", "missing = \"1\"\n");
    let lock = project.read("Cargo.lock").replacen("dependencies = [\n", "dependencies = [\n \"missing\",\n", 1);
    project.write("Cargo.lock", lock + &crate::support::locked("missing", "1.0.0"));
    let outcome = project.run(&["check", "--only", "lock,advisories,licences", "--format", "json"]).expect(0);
    let told = outcome.report()["not_evaluated"].to_string();
    assert!(told.contains("\"licences\""), "{told}");
    assert!(!outcome.undetermined().iter().any(|check| check.starts_with("licences")), "{outcome}");
    // Who has a policy about them has to know.
    project.append("supplychain.toml", "\n[licences]\ndeny = [\"AGPL-3.0\"]\n");
    let outcome = project.run(&["check", "--only", "lock,advisories,licences", "--format", "json"]).expect(4);
    assert!(outcome.undetermined().iter().any(|check| check.starts_with("licences")), "{outcome}");
}
