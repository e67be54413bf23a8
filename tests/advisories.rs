//! Advisories: which database, how old, what its entries mean for the verdict (ATTACKS.md section 7).

use std::fs;

use camino::Utf8PathBuf;
use insta::assert_snapshot;

use crate::support::{Project, advisory};

const SCORED: &str = "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"";

fn fig() -> Project {
    Project::with_packages(&[("fig", "1.2.3")])
}

/// A git repository beside the project whose newest commit has this date; its `file://` URL.
fn git_database(project: &Project, date: &str, files: &[(&str, String)]) -> String {
    let folder: Utf8PathBuf = project.root().join("upstream");
    let repository = git2::Repository::init(&folder).unwrap();
    let mut index = repository.index().unwrap();
    for (path, text) in files {
        project.write(&format!("../upstream/{path}"), text);
        index.add_path(std::path::Path::new(path)).unwrap();
    }
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let seconds = date.parse::<cargo_supplychain::base::Timestamp>().unwrap().unix();
    let author = git2::Signature::new("a", "a@example.org", &git2::Time::new(seconds, 0)).unwrap();
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    repository.commit(Some("HEAD"), &author, &author, "m", &tree, &parent.iter().collect::<Vec<_>>()).unwrap();
    format!("file://{folder}")
}

/// ADV-04: the category counts, not the missing score.
#[test]
fn malicious_without_a_score() {
    let project = fig();
    project.advisory_with(
        "RUSTSEC-2026-0260",
        "fig",
        "2026-08-20",
        "categories = [\"malicious\"]",
        "patched = []\nunaffected = [\"<= 1.2.2\"]",
    );
    assert_eq!(project.check().expect(1).findings(), ["critical advisory/malicious fig 1.2.3"]);
    assert_snapshot!(project.run(&["check"]).expect(1).text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    critical[advisory/malicious]: RUSTSEC-2026-0260: A flaw in fig
      --> Cargo.lock:12
       = no patched version
       = help: remove fig 1.2.3 from the lockfile, and treat every machine that built it as compromised: https://rustsec.org/advisories/RUSTSEC-2026-0260.html
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 1 critical, 1 low; 2 not evaluated
    ");
    project.run(&["build", "--no-sign"]).expect(1);

    let project = Project::with_packages(&[("fig", "1.2.2")]);
    project.advisory_with(
        "RUSTSEC-2026-0260",
        "fig",
        "2026-08-20",
        "categories = [\"malicious\"]",
        "patched = []\nunaffected = [\"<= 1.2.2\"]",
    );
    assert_eq!(project.check().expect(0).findings(), Vec::<String>::new());
}

/// ADV-07, and scores.
#[test]
fn kinds_and_scores() {
    for (fields, versions, expected, code) in [
        (SCORED, "patched = [\">= 1.2.4\"]", "critical advisory/vulnerability fig 1.2.3", 1),
        ("cvss = \"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N\"", "patched = []", "low advisory/vulnerability fig 1.2.3", 0),
        ("", "patched = []", "high advisory/vulnerability fig 1.2.3", 1),
        ("informational = \"unmaintained\"", "patched = []", "medium advisory/unmaintained fig 1.2.3", 0),
        ("informational = \"unsound\"", "patched = []", "medium advisory/unsound fig 1.2.3", 0),
        ("informational = \"notice\"", "patched = []", "", 0),
        (SCORED, "patched = [\">= 1.2.3\"]", "", 0),
        (&format!("{SCORED}\nwithdrawn = \"2026-08-25\""), "patched = []", "", 0),
    ] {
        let project = fig();
        project.advisory_with("RUSTSEC-2026-0002", "fig", "2026-08-20", fields, versions);
        let check = project.check().expect(code);
        assert_eq!(check.findings().join(","), expected, "{fields} {versions}");
        if fields.contains("notice") {
            assert_eq!(check.finding("advisory/notice")["severity"], "info");
        }
        if !expected.is_empty() {
            project.append("supplychain.toml", "[rules]\n\"advisory/unmaintained\" = \"high\"\n\"advisory/unsound\" = \"off\"\n");
            let denied = project.check();
            assert_eq!(denied.code, i32::from(code == 1 || fields.contains("unmaintained")), "{fields}");
        }
    }
}

#[test]
fn an_advisory_is_exempted_by_any_of_its_names_for_a_while() {
    let project = fig();
    project.advisory("RUSTSEC-2026-0002", "fig", "2026-08-20", &format!("{SCORED}\naliases = [\"CVE-2026-1234\"]"));
    let policy = project.read("supplychain.toml");
    for id in ["RUSTSEC-2026-0002", "CVE-2026-1234", "advisory/vulnerability"] {
        project.write(
            "supplychain.toml",
            format!("{policy}[[exemptions]]\nid = \"{id}\"\npackage = \"fig\"\nreason = \"not called\"\nexpires = 2026-10-01\n"),
        );
        let check = project.check().expect(0);
        assert_eq!(check.json()["exempted"][0]["reason"], "not called", "{id}");
        let later = project.command(&["check", "--offline", "--format", "json"]).now("2026-10-01").run().expect(1);
        assert_eq!(later.findings(), ["critical advisory/vulnerability fig 1.2.3", "medium policy/exemption-expired"], "{id}");
    }
    project.write(
        "supplychain.toml",
        format!("{policy}[[exemptions]]\nid = \"RUSTSEC-2026-0003\"\nreason = \"gone\"\nexpires = 2026-10-01\n"),
    );
    assert_eq!(
        project.check().expect(1).findings(),
        ["critical advisory/vulnerability fig 1.2.3", "low policy/exemption-unused"]
    );
}

/// ADV-01.
#[test]
fn a_stale_database_is_never_a_pass() {
    let project = fig();
    let url = git_database(
        &project,
        "2026-08-02T12:00:00Z",
        &[("crates/x/RUSTSEC-2026-0001.md", advisory("RUSTSEC-2026-0001", "x", "2026-08-01", "", "patched = []"))],
    );
    let folder = url.strip_prefix("file://").unwrap();
    project.write("supplychain.toml", "");
    let check = project.run(&["check", "--format", "json", "--advisory-db", folder]).expect(4);
    assert_eq!(check.undetermined(), ["advisories: db-stale, age 30d > 7d"]);
    assert_snapshot!(project.run(&["check", "--advisory-db", folder]).expect(4).text(), @"
    exit 4
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
    undetermined[advisories]: advisories: db-stale, age 30d > 7d
       = help: run without `--offline`, or name a newer database with `--advisory-db`
    undetermined 1 low; 2 not evaluated
    ");
    assert_snapshot!(project.run(&["build", "--no-sign", "--advisory-db", folder]).expect(4).text(), @"
    exit 4
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
    undetermined[advisories]: advisories: db-stale, age 30d > 7d
       = help: run without `--offline`, or name a newer database with `--advisory-db`
    undetermined 1 low; 2 not evaluated
         stopped before compilation; nothing was built
    help: make the check possible, or build with `--fail-on none` and see it in the report
    ");
    assert!(!project.path("target").exists());
    // A day old: silent. Of any age, when the policy says so, which is reported.
    project.command(&["check", "--offline", "--advisory-db", folder]).now("2026-08-03T12:00:00Z").run().expect(0);
    project.write("supplychain.toml", "[advisories]\nmax-age = \"30d\"\n");
    project.run(&["check", "--advisory-db", folder]).expect(0);
    project.write("supplychain.toml", "[advisories]\nmax-age = \"none\"\n");
    let any = project.run(&["check", "--format", "json", "--advisory-db", folder]).expect(0);
    assert!(any.report()["not_evaluated"].to_string().contains("the age of the advisory database is not judged"));
    // Findings win over what is undetermined.
    project.write("supplychain.toml", "");
    project.write(".cargo/config.toml", "build.rustc-wrapper = \"x\"\n");
    project.run(&["check", "--advisory-db", folder]).expect(1);
    project.run(&["check", "--advisory-db", folder, "--fail-on", "none"]).expect(0);
    project.run(&["check", "--advisory-db", folder, "--only", "lock"]).expect(0);
}

/// The date of a folder without history is that of its newest advisory.
#[test]
fn a_folder_without_history_is_as_old_as_its_newest_advisory() {
    let project = fig();
    project.write("supplychain.toml", "[advisories]\ndatabase = \"advisory-db\"\n");
    project.check().expect(0);
    let later = project.command(&["check", "--offline", "--format", "json"]).now("2026-09-08T00:00:00Z").run().expect(4);
    assert_eq!(later.undetermined(), ["advisories: db-stale, age 8d > 7d"]);
}

#[test]
fn a_missing_an_empty_and_a_broken_database() {
    let project = fig();
    assert_snapshot!(project.run(&["check", "--advisory-db", "nowhere"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 2 packages
error: advisory database nowhere: no such folder
help: name a folder that holds `crates/NAME/RUSTSEC-….md`, or a git URL
");
    fs::create_dir(project.root().join("empty")).unwrap();
    assert_snapshot!(project.run(&["check", "--advisory-db", "../empty"]).expect(4).text(), @"
    exit 4
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
    undetermined[advisories]: advisories: advisory database empty has no advisories
       = help: name a RustSec database: a folder with `crates/NAME/RUSTSEC-….md`
    undetermined 1 low; 2 not evaluated
    ");
    project.write("../broken/crates/fig/RUSTSEC-2026-0001.md", "no advisory\n");
    assert_snapshot!(project.run(&["check", "--advisory-db", "../broken"]).expect(4).text(), @"
    exit 4
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
    undetermined[advisories]: advisories: advisory database broken: crates/fig/RUSTSEC-2026-0001.md is not readable: it does not begin with a TOML block
       = help: repair the database, or name another with `--advisory-db` or `[advisories] database`
    undetermined 1 low; 2 not evaluated
    ");
    assert_snapshot!(project.run(&["check", "--advisory-db", "http://example.org/db"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 2 packages
error: advisory database http://example.org/db: cannot fetch by `http`: use https, ssh or file
help: name a folder that holds `crates/NAME/RUSTSEC-….md`, or a git URL
");
    project.write("supplychain.toml", "");
    assert_snapshot!(project.run(&["check"]).expect(4).text(), @"
    exit 4
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
    undetermined[advisories]: advisories: no copy of the advisory database https://github.com/RustSec/advisory-db in the cache, and the network may not be used
       = help: run once without `--offline`, or name a folder with `--advisory-db`
    undetermined 1 low; 2 not evaluated
    ");
    assert_snapshot!(project.run(&["fetch"]).expect(2).text(), @"
exit 2
error: --offline leaves nothing to fetch with
");
}

#[test]
fn a_repository_is_cloned_once_and_then_used_offline() {
    let project = fig();
    let text = |package| advisory("RUSTSEC-2026-0001", package, "2026-08-31", SCORED, "patched = []");
    let url = git_database(&project, "2026-08-31T12:00:00Z", &[("crates/fig/RUSTSEC-2026-0001.md", text("fig"))]);
    project.write("supplychain.toml", format!("[advisories]\ndatabase = \"{url}\"\n"));
    let without = project.check().expect(4);
    assert!(without.undetermined()[0].contains("no copy of the advisory database"), "{without}");
    // `fetch` takes no URL from the policy; it is named.
    let fetched = project.command(&["fetch", "--advisory-db", &url, "--format", "json"]).run().expect(0).json();
    assert_eq!((&fetched["feeds"][0]["entries"], &fetched["feeds"][0]["date"]), (&1.into(), &"2026-08-31T12:00:00Z".into()));
    assert_eq!(project.check().expect(1).findings(), ["critical advisory/vulnerability fig 1.2.3"]);
    // The copy does not need the original, and the parsed form not the copy's files.
    fs::remove_dir_all(project.root().join("upstream")).unwrap();
    assert_eq!(project.check().expect(1).findings(), ["critical advisory/vulnerability fig 1.2.3"]);
    let unreachable = project.command(&["fetch", "--advisory-db", "file:///nowhere/db"]).run().expect(4);
    assert_snapshot!(unreachable.text(), @"
exit 4
    Fetching file:///nowhere/db
    fetching the advisory database file:///nowhere/db
error: cannot fetch the advisory database file:///nowhere/db: '/nowhere/db' does not appear to be a git repository
help: check the network, or name a folder or another URL with `--advisory-db`
");
}

#[test]
fn the_database_is_at_the_commit_that_was_named() {
    let project = fig();
    let text = |package| advisory("RUSTSEC-2026-0001", package, "2026-08-31", SCORED, "patched = []");
    let head = || {
        let upstream = git2::Repository::open(project.root().join("upstream")).unwrap();
        upstream.head().unwrap().target().unwrap().to_string()
    };
    let url = git_database(&project, "2026-08-31T12:00:00Z", &[("crates/other/RUSTSEC-2026-0001.md", text("other"))]);
    let first = head();
    git_database(&project, "2026-08-31T13:00:00Z", &[("crates/fig/RUSTSEC-2026-0001.md", text("fig"))]);
    let second = head();
    let check = |place: &str, commit: &[&str]| {
        let arguments = ["check", "--format", "json", "--only", "advisories", "--advisory-db", place];
        project.command(&[&arguments, commit].concat()).run()
    };
    assert_eq!(check(&url, &["--advisory-db-rev", &first]).expect(0).findings(), Vec::<String>::new());
    // Who names none gets the newest, although the copy was renewed a moment ago.
    assert_eq!(check(&url, &[]).expect(1).findings(), ["critical advisory/vulnerability fig 1.2.3"]);
    assert_eq!(check(&url, &["--advisory-db-rev", &first]).expect(0).findings(), Vec::<String>::new());
    let folder = url.strip_prefix("file://").unwrap();
    check(folder, &["--advisory-db-rev", &second]).expect(1);
    let other = check(folder, &["--advisory-db-rev", &first]).expect(4).undetermined();
    assert!(other[0].contains(&format!("is at {second}, not at {first}")), "{other:?}");
    check(folder, &["--advisory-db-rev", "main"]).expect(2);
}
