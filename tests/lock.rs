//! Cargo.lock: what is wrong with it is found, what is only unusual is not, and it is never rewritten (ATTACKS.md section 3;
//! [`crate::support::Command::run`] asserts that no file of the project changes).

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{Project, checksum, locked};

#[test]
fn untouched() {
    let project = Project::with_packages(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let check = project.check().expect(0);
    assert_eq!((check.findings(), check.undetermined()), (vec![], vec![]));
    project.run(&["build", "--no-sign"]).expect(0);
    let sbom = project.run(&["sbom"]).expect(0).json();
    assert_eq!(crate::line::names(&sbom).into_iter().collect::<Vec<_>>(), ["fig", "grape"]);
}

/// LCK-01.
#[test]
fn checksum_swapped() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    let sum = checksum("fig", "1.2.3");
    let swapped = checksum("evil", "1.2.3");
    project.write("Cargo.lock", project.read("Cargo.lock").replace(&sum, &swapped));
    assert_eq!(project.check().expect(1).findings(), ["critical lock/checksum-mismatch fig 1.2.3"]);
    assert_snapshot!(project.run(&["check"]).expect(1).text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    critical[lock/checksum-mismatch]: the checksum of fig 1.2.3 is not the one in the registry index
      --> Cargo.lock:12
       = locked: [HEX]
       = index:  [HEX]
       = help: do not build; see who changed it with `git log -p Cargo.lock` and restore the line
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 1 critical, 1 low; 5 not evaluated
    ");
    project.run(&["build", "--no-sign"]).expect(1);
    assert!(!project.path("target").exists());
    // Whatever is switched off: it is not built.
    assert_snapshot!(project.run(&["build", "--no-sign", "--fail-on", "none"]).expect(2).text(), @"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    critical[lock/checksum-mismatch]: the checksum of fig 1.2.3 is not the one in the registry index
      --> Cargo.lock:12
       = locked: [HEX]
       = index:  [HEX]
       = help: do not build; see who changed it with `git log -p Cargo.lock` and restore the line
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 1 critical, 1 low; 5 not evaluated
    error: cannot tell what would be built: checksum for `fig v1.2.3` changed between lock files

      this could be indicative of a few possible errors:

          * the lock file is corrupt
          * a replacement source in use (e.g., a mirror) returned a different checksum
          * the source itself may be corrupt in one way or another

      unable to verify that `fig v1.2.3` is the same as when the lockfile was generated
    help: see who changed the checksum with `git log -p Cargo.lock`, and restore it
    ");
    project.append("supplychain.toml", "[rules]\n\"lock/checksum-mismatch\" = \"off\"\n");
    project.run(&["check"]).expect(2);
    project.run(&["sbom"]).expect(2);
}

/// LCK-02.
#[test]
fn checksum_removed() {
    let project = Project::with_packages(&[("fig", "1.2.3"), ("grape", "0.1.0")]);
    let line = format!("checksum = \"{}\"\n", checksum("fig", "1.2.3"));
    project.write("Cargo.lock", project.read("Cargo.lock").replace(&line, ""));
    let found = project.check().expect(1).findings();
    assert!(found.contains(&"high lock/checksum-missing fig 1.2.3".to_owned()), "{found:?}");
    assert!(!found.iter().any(|one| one.contains("grape")), "{found:?}");
    // Cargo itself: `--locked` refuses, without it the line comes back.
    assert!(found.contains(&"high lock/out-of-date".to_owned()) && found.len() == 2, "{found:?}");
}

/// LCK-02, twins: format 1 has its checksums in `[metadata]`; path packages have none.
#[test]
fn checksums_of_old_formats() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    let sum = checksum("fig", "1.2.3");
    let source = "registry+https://github.com/rust-lang/crates.io-index";
    project.write(
        "Cargo.lock",
        format!(
            "[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"fig 1.2.3 ({source})\",\n]\n\n[[package]]\nname = \"fig\"\nversion = \"1.2.3\"\nsource = \"{source}\"\n\n[metadata]\n\"checksum fig 1.2.3 ({source})\" = \"{sum}\"\n"
        ),
    );
    assert_eq!(project.check().expect(0).findings(), Vec::<String>::new());
}

/// LCK-07: hostile lockfiles end with a message, in bounded time and memory.
#[test]
fn hostile() {
    let ordinary = Project::app().read("Cargo.lock");
    let many: String = (0..60_000).map(|number| format!("[[package]]\nname = \"p{number}\"\nversion = \"1.0.0\"\n")).collect();
    let long = format!("version = 4\n[[package]]\nname = \"{}\"\nversion = \"1.0.0\"\n", "a".repeat(100_000));
    let cycle = "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"b\"]\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\ndependencies = [\"app\"]\n";
    let deep = format!("version = 4\nx = {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    let mut told = String::new();
    for (name, bytes, code) in [
        ("too large", vec![b'#'; (4 << 20) + 1], 2),
        ("too many packages", many.into_bytes(), 2),
        ("too long a name", long.into_bytes(), 2),
        // What no manifest leads to is not built, and cargo accepts it.
        ("a cycle", cycle.into(), 0),
        ("nested deeply", deep.into_bytes(), 2),
        ("not UTF-8", b"version = 4\n\xff\xfe\n".to_vec(), 2),
        ("a format of the future", b"version = 99\n".to_vec(), 2),
        ("no TOML", b"<<<<<<< HEAD\nversion = 4\n".to_vec(), 2),
        ("a wrong type", b"version = 4\npackage = 3\n".to_vec(), 2),
        (
            "a digest that is none",
            (ordinary.clone() + &locked("fig", "1.0.0").replace("checksum = \"", "checksum = \"zz")).into_bytes(),
            2,
        ),
        ("a version that is none", ordinary.replace("1.0.0", "one").into_bytes(), 2),
        ("a byte order mark", [b"\xef\xbb\xbf", ordinary.as_bytes()].concat(), 0),
        ("empty", Vec::new(), 1),
    ] {
        let project = Project::app();
        project.write("Cargo.lock", &bytes);
        let begun = Instant::now();
        let outcome = project.run(&["check"]);
        assert!(begun.elapsed() < Duration::from_secs(30), "{name}: {:?}", begun.elapsed());
        assert_eq!(outcome.code, code, "{name}: {outcome}");
        let text = outcome.text();
        let lines = text.lines().filter(|line| ["error", "high", "critical", "help"].iter().any(|word| line.starts_with(word)));
        writeln!(told, "{name}: {}", lines.collect::<Vec<_>>().join(" | ")).unwrap();
    }
    assert_snapshot!(told, @"
too large: error: cannot read Cargo.lock: larger than the limit of 4194304 bytes | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
too many packages: error: Cargo.lock:1:1: lockfile has 60000 packages, the limit is 50000 | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
too long a name: error: Cargo.lock:3:8: a package name has 100000 bytes, 1 to 255 are allowed | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
a cycle: 
nested deeply: error: Cargo.lock:2:85: lockfile is not valid TOML: cannot recurse further; max recursion depth met | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
not UTF-8: error: Cargo.lock:2:1: lockfile is not valid UTF-8 | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
a format of the future: error: Cargo.lock:1:11: lockfile format `version = 99` is not known: 1 to 4 are | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
no TOML: error: Cargo.lock:1:9: lockfile is not valid TOML: key with no value, expected `=` | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
a wrong type: error: Cargo.lock:2:11: `package` is not an array of tables | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
a digest that is none: error: Cargo.lock:11:12: checksum of `fig`: a sha256 digest is 64 lower-case hexadecimal digits | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
a version that is none: error: Cargo.lock:5:11: package `app` has the version `one`: unexpected character 'o' while parsing major version number | help: restore Cargo.lock from its history, or run `cargo generate-lockfile` and look at the difference
a byte order mark: 
empty: high[lock/out-of-date]: Cargo.lock does not satisfy the manifests: `--locked` would fail
");
}

/// LCK-07, twins: another end of line, a byte order mark.
#[test]
fn ordinary_in_another_writing() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    let lf = project.check().expect(0).json()["findings"].clone();
    project.write("Cargo.lock", project.read("Cargo.lock").replace('\n', "\r\n"));
    assert_eq!(project.check().expect(0).json()["findings"], lf);
    project.run(&["build", "--no-sign"]).expect(0);
}

/// LCK-08.
#[test]
fn out_of_date() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.publish("grape", &[("0.1.0", "")]);
    project.append("Cargo.toml", "grape = \"0.1\"\n");
    assert_eq!(project.check().expect(1).findings(), ["high lock/out-of-date"]);
    assert_snapshot!(project.run(&["check"]).expect(1).text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    high[lock/out-of-date]: Cargo.lock does not satisfy the manifests: `--locked` would fail
      --> Cargo.lock
       = cargo: cannot update the lock file [ROOT]/project/Cargo.lock because --locked was passed to prevent this
       = cargo: help: to generate the lock file without accessing the network, remove the --locked flag and use --offline instead.
       = help: run `cargo update --workspace`, look at the difference and commit it
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 1 high, 1 low; 4 not evaluated
    ");
    project.run(&["build", "--no-sign"]).expect(1);
    assert_snapshot!(project.run(&["build", "--no-sign", "--fail-on", "none"]).expect(2).text(), @"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    high[lock/out-of-date]: Cargo.lock does not satisfy the manifests: `--locked` would fail
      --> Cargo.lock
       = cargo: cannot update the lock file [ROOT]/project/Cargo.lock because --locked was passed to prevent this
       = cargo: help: to generate the lock file without accessing the network, remove the --locked flag and use --offline instead.
       = help: run `cargo update --workspace`, look at the difference and commit it
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 1 high, 1 low; 4 not evaluated
    error: cannot tell what would be built: Cargo.lock is out of date
    help: run `cargo generate-lockfile` or `cargo update --workspace`, look at the change, and commit Cargo.lock
    ");
    assert_snapshot!(project.run(&["sbom"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: cannot tell what would be built: Cargo.lock is out of date
help: run `cargo generate-lockfile` or `cargo update --workspace`, look at the change, and commit Cargo.lock
");
    assert!(!project.path("target").exists());
}

#[test]
fn missing() {
    let project = Project::app();
    std::fs::remove_file(project.path("Cargo.lock")).unwrap();
    let check = project.check().expect(1);
    assert_eq!(check.findings(), ["high lock/missing"]);
    assert_snapshot!(project.run(&["check"]).expect(1).text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 0 packages
    high[lock/missing]: there is no Cargo.lock: every build may take other versions
      --> Cargo.lock
       = help: run `cargo generate-lockfile` and commit the file
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
    undetermined[advisories]: advisories: there is no Cargo.lock
       = help: run `cargo generate-lockfile` and commit the file
            fail 1 high, 1 low; 3 not evaluated
    ");
    project.run(&["build", "--no-sign"]).expect(1);
    assert_snapshot!(project.run(&["sbom"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: cannot tell what would be built: Cargo.lock is missing
help: run `cargo generate-lockfile` or `cargo update --workspace`, look at the change, and commit Cargo.lock
");
    assert!(!project.path("Cargo.lock").exists());
}

#[test]
fn sources_that_are_not_there() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    std::fs::remove_dir_all(project.cargo_home()).unwrap();
    std::fs::create_dir(project.cargo_home()).unwrap();
    assert_snapshot!(project.run(&["check"]).text(), @"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            pass 1 low; 7 not evaluated
    ");
    assert_snapshot!(project.run(&["build", "--no-sign"]).expect(4).text(), @"
    exit 4
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            pass 1 low; 7 not evaluated
    error: cannot tell what would be built: no matching package named `fig` found
      location searched: crates.io index
      required by package `app v1.0.0 ([ROOT]/project)`
      As a reminder, you're using offline mode (--offline) which can sometimes cause surprising resolution failures, if this error is too confusing you may wish to retry without `--offline`.
    help: run `cargo fetch --locked` with network first
    ");
    assert_snapshot!(project.run(&["sbom"]).expect(4).text(), @"
exit 4
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: cannot tell what would be built: no matching package named `fig` found
  location searched: crates.io index
  required by package `app v1.0.0 ([ROOT]/project)`
  As a reminder, you're using offline mode (--offline) which can sometimes cause surprising resolution failures, if this error is too confusing you may wish to retry without `--offline`.
help: run `cargo fetch --locked` with network first
");
}

#[test]
fn yanked() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.publish("fig", &[("1.2.3", ",\"yanked\":true"), ("1.2.4", "")]);
    assert_eq!(project.check().expect(0).findings(), ["medium registry/yanked fig 1.2.3"]);
    project.run(&["check", "--fail-on", "medium"]).expect(1);
    project.run(&["build", "--no-sign", "--fail-on", "medium"]).expect(1);
}

#[test]
fn other_sources() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.write(
        "Cargo.lock",
        project
            .read("Cargo.lock")
            .replace("https://github.com/rust-lang/crates.io-index", "https://github.com/rust-lang/crates.io-indeх"),
    );
    let found = project.check().expect(1).findings();
    assert!(found.contains(&"high source/registry-not-allowed fig 1.2.3".to_owned()), "{found:?}");

    let project = Project::app();
    project.write("../outside/Cargo.toml", "[package]\nname = \"outside\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
    project.write("../outside/src/lib.rs", "");
    project.append("Cargo.toml", "\n[dependencies]\noutside = { path = \"../outside\" }\n");
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"outside\",\n]\n\n[[package]]\nname = \"outside\"\nversion = \"1.0.0\"\n",
    );
    assert_eq!(project.check().expect(1).findings(), ["high source/path-outside-workspace"]);
    project.append(
        "supplychain.toml",
        "[[exemptions]]\nid = \"source/path-outside-workspace\"\nreason = \"moved in soon\"\nexpires = 2026-10-01\n",
    );
    project.check().expect(0);
    assert_eq!(
        project.command(&["check", "--offline", "--format", "json"]).now("2026-10-02").run().expect(1).findings(),
        ["high source/path-outside-workspace", "medium policy/exemption-expired"]
    );
}
