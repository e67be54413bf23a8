//! What is wrong with the input, the surroundings or the moment: each has its exit code (DESIGN.md, "Commands"), a message that names
//! the place and says what to do, and leaves nothing half done ([`crate::support::Command::run`] asserts the last).

use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{POLICY, Project};

/// Runs one command for each line of a table, and gives what people see.
fn told(project: &Project, arguments: &[&str], code: i32) -> String {
    let outcome = project.run(arguments).expect(code);
    assert!(project.releases().is_empty(), "{outcome}");
    // What is said before the error is the same in all of them.
    let text = outcome.text();
    let is_noise = |line: &&str| !line.trim_start().starts_with("Reading ") && !line.trim_start().starts_with("Checking ");
    text.lines().filter(is_noise).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_manifest() {
    let project = Project::empty();
    for verb in ["build", "check", "sbom", "init"] {
        project.run(&[verb]).expect(2);
    }
    assert_snapshot!(told(&project, &["build"], 2), @"
exit 2
error: no Cargo.toml in [ROOT]/project or any folder above it
help: run in the folder of a Rust package, or name its manifest with --manifest-path
");
    assert_snapshot!(told(&project, &["check", "--manifest-path", "nowhere/Cargo.toml"], 2), @"
exit 2
error: cannot find the manifest [ROOT]/project/nowhere/Cargo.toml
help: name the Cargo.toml of a package or workspace
");
    project.write("other.toml", "");
    assert_snapshot!(told(&project, &["check", "--manifest-path", "other.toml"], 2), @"
exit 2
error: --manifest-path [ROOT]/project/other.toml is not a Cargo.toml
help: name the file itself, for example --manifest-path app/Cargo.toml
");
}

#[test]
fn broken_manifests() {
    let project = Project::app();
    let manifest = project.read("Cargo.toml");
    project.write("Cargo.toml", manifest.replace("edition = ", "edition "));
    assert_snapshot!(told(&project, &["build"], 2), @r#"
exit 2
error: cannot parse the manifest [ROOT]/project/Cargo.toml:4:9: key with no value, expected `=`
 --> [ROOT]/project/Cargo.toml:4:9
  |
4 | edition "2021"
  |         ^ key with no value, expected `=`
"#);
    project.write("Cargo.toml", manifest.replace("1.0.0", "one"));
    assert_snapshot!(told(&project, &["check"], 2), @r#"
exit 2
error: cargo metadata refused [ROOT]/project/Cargo.toml
  unexpected character 'o' while parsing major version number
   --> [ROOT]/project/Cargo.toml:3:11
    |
  3 | version = "one"
    |           ^^^^^
"#);
    project.write("Cargo.toml", manifest + "\n[dependencies]\nabsent = { path = \"absent\" }\n");
    assert_snapshot!(told(&project, &["check"], 2), @"
exit 2
error: cargo metadata refused [ROOT]/project/Cargo.toml
  failed to get `absent` as a dependency of package `app v1.0.0 ([ROOT]/project)`

  Caused by:
    failed to load source for dependency `absent`

  Caused by:
    unable to update [ROOT]/project/absent

  Caused by:
    failed to read `[ROOT]/project/absent/Cargo.toml`

  Caused by:
    No such file or directory (os error 2)
");
    project.write("Cargo.toml", b"[package]\nname = \"\xff\"\n");
    assert_snapshot!(told(&project, &["check"], 2), @"
exit 2
error: cannot read [ROOT]/project/Cargo.toml: not UTF-8 text
");
    project.write("Cargo.toml", "");
    assert_snapshot!(told(&project, &["check"], 2), @"
exit 2
error: cargo metadata refused [ROOT]/project/Cargo.toml
  failed to parse manifest at `[ROOT]/project/Cargo.toml`

  Caused by:
    manifest is missing either a `[package]` or a `[workspace]`
");
}

#[test]
fn policies_that_are_no_policies() {
    let project = Project::app();
    let exemption = |rest: &str| format!("{POLICY}[[exemptions]]\nid = \"advisory/notice\"\n{rest}");
    for text in [
        format!("{POLICY}[rulse]\n"),
        format!("{POLICY}[rules]\n\"config/compiler-overide\" = \"low\"\n"),
        format!("{POLICY}[rules]\n\"config/compiler-override\" = \"loud\"\n"),
        format!("{POLICY}[build]\nfail-on = 3\n"),
        "[advisories]\nmax-age = \"7 fortnights\"\n".to_owned(),
        exemption("expires = 2026-10-01\n"),
        exemption("reason = \"\"\nexpires = 2026-10-01\n"),
        exemption("reason = \"x\"\n"),
        exemption("reason = \"x\"\nexpires = \"soon\"\n"),
        format!("{POLICY}[build\n"),
    ] {
        project.write("supplychain.toml", &text);
        for verb in ["check", "build"] {
            let outcome = project.run(&[verb]).expect(2);
            assert!(outcome.stderr.contains("supplychain.toml:"), "names file and line: {outcome}");
        }
    }
    project.write("supplychain.toml", format!("{POLICY}\n[rules]\n\"config/compiler-overide\" = \"low\"\n"));
    assert_snapshot!(told(&project, &["build"], 2), @r#"
exit 2
error: supplychain.toml:6:1: unknown rule `config/compiler-overide`
 --> [ROOT]/project/supplychain.toml:6:1
  |
6 | "config/compiler-overide" = "low"
  | ^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `config/compiler-override`?
"#);
    project.write("supplychain.toml", format!("{POLICY}[advisory]\n"));
    assert_snapshot!(told(&project, &["check"], 2), @"
    exit 2
    error: supplychain.toml:4:2: unknown key `advisory`, expected one of `build`, `release`, `rules`, `advisories`, `triage`, `registry`, `bans`, `licences`, `exemptions`, `vex`, `sandbox`, `documents`, `sign`, `trust-root`, `verify`, `archive`
     --> [ROOT]/project/supplychain.toml:4:2
      |
    4 | [advisory]
      |  ^^^^^^^^ did you mean `advisories`?
    ");
    project.write("supplychain.toml", exemption("reason = \"x\"\n"));
    assert_snapshot!(told(&project, &["check"], 2), @"
exit 2
error: supplychain.toml:4:1: exemption of `advisory/notice` has no `expires`
 --> [ROOT]/project/supplychain.toml:4:1
  |
4 | [[exemptions]]
  | ^^^^^^^^^^^^^^
");
    let json = project.run(&["check", "--format", "json"]).expect(2).json();
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
{
  "schema_version": 1,
  "exit_code": 2,
  "error": {
    "class": "usage",
    "message": "supplychain.toml:4:1: exemption of `advisory/notice` has no `expires`",
    "help": []
  }
}
"#);
    project.write("supplychain.toml", POLICY);
    assert_snapshot!(told(&project, &["check", "--policy", "nowhere.toml"], 2), @"
exit 2
error: cannot read the policy [ROOT]/project/nowhere.toml: No such file or directory (os error 2)
help: name a file with --policy, or leave it out: supplychain.toml at the workspace root, or the default policy
");
    fs::create_dir(project.path("folder")).unwrap();
    assert_snapshot!(told(&project, &["check", "--policy", "folder"], 2), @"
exit 2
error: cannot read the policy [ROOT]/project/folder: not a regular file
help: name a file with --policy, or leave it out: supplychain.toml at the workspace root, or the default policy
");
}

#[test]
fn selections_of_nothing() {
    let project = Project::app();
    project.append("Cargo.toml", "[features]\nfast = []\n");
    assert_snapshot!(told(&project, &["build", "-p", "apq"], 2), @"
exit 2
error: package `apq` is not a member of this workspace
help: the members are app
");
    assert_snapshot!(told(&project, &["build", "--bin", "apq"], 2), @"
exit 2
error: no binary named `apq` in the selected packages
help: there are app
");
    assert_snapshot!(told(&project, &["build", "--features", "fats"], 2), @"
exit 2
error: none of the selected packages has the feature `fats`
help: look at `[features]` in their Cargo.toml
");
    assert_snapshot!(told(&project, &["build", "--target", "x86_64-unknown-linux-gnuu"], 2), @r#"
exit 2
error: rustc does not know the target `[HOST]u`
  [RUSTC] ended with 1
  error: error loading target specification: could not find specification for target "[HOST]u"
    |
    = help: run `rustc --print target-list` for a list of built-in targets
help: `rustc --print target-list` lists the targets
"#);
    assert_snapshot!(told(&project, &["build", "--profile", "dits"], 101), @"
exit 101
        Note created your signing key [ROOT]/config/cargo-supplychain/key.pem; its public half is [ROOT]/config/cargo-supplychain/key.pub
    Building app 1.0.0 (fresh target folder)
error: profile `dits` is not defined
error: cargo build failed; no release was written
");
    assert_snapshot!(told(&project, &["sbom", "--lib"], 2), @"
exit 2
error: the selection holds nothing to release: no binary, cdylib, staticlib or library package
help: select a package or target with -p, --bin or --lib
");
    assert_snapshot!(told(&project, &["build", "--target", "a", "--target", "b"], 2), @"
exit 2
error: several targets in one build: a, b
help: build a release for each target
");
}

#[test]
fn options_that_are_ours() {
    let project = Project::app();
    assert_snapshot!(told(&project, &["build", "--message-format", "json"], 2), @"
exit 2
error: --message-format is not passed on: cargo's messages are what the SBOM is made of
help: use --format json for our own result
");
    assert_snapshot!(told(&project, &["build", "--target-dir", "elsewhere"], 2), @"
exit 2
error: --target-dir is not passed on: a release is compiled in a target folder of our own
help: set CARGO_TARGET_DIR to move the whole of target/, or --release-dir to move the result
");
    assert_snapshot!(told(&project, &["build", "--relase"], 2), @"
exit 2
error: unexpected argument '--relase' found

  tip: a similar argument exists: '--release'

Usage: cargo supplychain build --release

For more information, try '--help'.
");
    assert_snapshot!(told(&project, &["check", "--fail-on", "hihg"], 2), @"
exit 2
error: invalid value 'hihg' for '--fail-on <LEVEL>': unknown level `hihg`: use critical, high, medium, low or none

For more information, try '--help'.
");
    assert_snapshot!(told(&project, &["check", "--only", "locks"], 2), @"
exit 2
error: invalid value 'locks' for '--only <AREA>': unknown area `locks`: use one of lock, sources, config, integrity, maintainers, capabilities, sandbox, advisories, licences, workflows, policy

For more information, try '--help'.
");
    assert_snapshot!(told(&project, &["verify", "x", "--format", "sarif"], 2), @"
exit 2
error: verify has the formats human and json
");
    let stamp = project.command(&["check", "--offline"]).env("SOURCE_DATE_EPOCH", "yesterday").run().expect(2);
    assert_snapshot!(stamp.text(), @"
exit 2
error: SOURCE_DATE_EPOCH is `yesterday`
help: it has to be a number of seconds since 1970-01-01T00:00:00Z
");
    let clock = project.command(&["check", "--offline"]).now("yesterday").run().expect(2);
    assert_snapshot!(clock.text(), @"
exit 2
error: invalid value 'yesterday' for '--now <TIME>': expected an RFC 3339 time such as 2026-11-23T16:00:00Z, or a date such as 2026-11-23

For more information, try '--help'.
");
}

#[test]
fn a_crate_that_does_not_compile() {
    let project = Project::app();
    project.write("src/main.rs", "fn main() {\n    let x: u8 = \"text\";\n}\n");
    let outcome = project.run(&["build"]).expect(101);
    // Cargo's own message, whole.
    for part in ["error[E0308]", "src/main.rs:2:17", "could not compile `app`", "no release was written"] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome}");
    }
    assert!(outcome.stdout.is_empty());
    assert!(project.releases().is_empty());
    let json = project.run(&["build", "--format", "json"]).expect(101).json();
    assert_eq!((&json["exit_code"], &json["error"]["class"]), (&101.into(), &"build-failed".into()));

    // What was released before stays as it is.
    project.write("src/main.rs", "fn main() {}\n");
    project.run(&["build"]).expect(0);
    let before = project.contents(&project.release());
    project.write("src/main.rs", "fn main() { let x: u8 = \"text\"; }\n");
    project.run(&["build"]).expect(101);
    assert!(project.contents(&project.release()) == before);
    // A build script that fails.
    project.write("build.rs", "fn main() { panic!(\"no such library\"); }\n");
    assert!(project.run(&["build"]).expect(101).stderr.contains("no such library"));
}

#[test]
fn a_build_that_changes_the_lockfile() {
    let project = Project::app();
    let lock = project.path("Cargo.lock");
    project.write("build.rs", format!("fn main() {{ std::fs::write({lock:?}, \"version = 4\\n\").unwrap(); }}\n"));
    // Behind walls it could not be written at all.
    let outcome = project.command(&["build", "--offline", "--no-sign", "--sandbox", "off"]).writes().run().expect(2);
    assert!(outcome.stderr.contains("Cargo.lock was changed during the build"), "{outcome}");
    assert!(project.releases().is_empty());
}

#[test]
fn keys_that_are_no_keys() {
    let project = Project::app();
    let own = project.root().join("config/cargo-supplychain/key.pem");
    let write = |text: &str| {
        project.write("../config/cargo-supplychain/key.pem", text);
        set_mode(&own, 0o600);
    };
    write("-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n");
    assert_snapshot!(told(&project, &["build"], 2), @"
    exit 2
    error: [ROOT]/config/cargo-supplychain/key.pem is not a private key that can be used: not PEM of one key: unexpected ASN.1 DER tag: expected SEQUENCE, got APPLICATION [14] (constructed)
    help: expected PEM `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (PKCS#8), or a key of cosign, ECDSA P-256 or Ed25519
    ");
    write("hello\n");
    assert_snapshot!(told(&project, &["build"], 2), @"
    exit 2
    error: [ROOT]/config/cargo-supplychain/key.pem is not a private key that can be used: not PEM of one key: PEM error: PEM preamble contains invalid data (NUL byte)
    help: expected PEM `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (PKCS#8), or a key of cosign, ECDSA P-256 or Ed25519
    ");
    assert_snapshot!(told(&project, &["build", "--key", "nowhere.pem"], 2), @"
exit 2
error: cannot read the key [ROOT]/project/nowhere.pem: No such file or directory (os error 2)
help: make one with `cargo supplychain key generate`, or name another with `--key FILE`
");
    assert_snapshot!(told(&project, &["build", "--key", "src"], 2), @"
    exit 2
    error: [ROOT]/project/src is not a key file
    help: expected PEM `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (PKCS#8), or a key of cosign, ECDSA P-256 or Ed25519
    ");
    #[cfg(unix)]
    {
        project.key("k");
        let open = project.root().join("k.pem");
        set_mode(&open, 0o640);
        assert_snapshot!(told(&project, &["build", "--key", open.as_str()], 2), @"
exit 2
error: the private key [ROOT]/k.pem can be read by others (mode 0640)
help: chmod 600 '[ROOT]/k.pem'
");
    }
    let encrypted = project.root().join("e.pem");
    let generate = project.command(&["key", "generate", "--output", encrypted.as_str()]);
    generate.env("SUPPLYCHAIN_KEY_PASSPHRASE", "open sesame").run().expect(0);
    assert_snapshot!(told(&project, &["build", "--key", encrypted.as_str()], 2), @"
exit 2
error: the private key [ROOT]/e.pem is encrypted and no passphrase was given
help: set SUPPLYCHAIN_KEY_PASSPHRASE, or run where a terminal can ask for it
");
    let wrong =
        project.command(&["build", "--offline", "--key", encrypted.as_str()]).env("SUPPLYCHAIN_KEY_PASSPHRASE", "open barley");
    assert!(wrong.run().expect(2).stderr.contains("the passphrase does not open the private key"));
    assert!(!project.path("target/supplychain/.build").exists(), "compiled before the key was looked at");
    let right =
        project.command(&["build", "--offline", "--key", encrypted.as_str()]).env("SUPPLYCHAIN_KEY_PASSPHRASE", "open sesame");
    right.run().expect(0);
    // To verify, a public key is wanted.
    let release = project.release();
    assert_snapshot!(project.run(&["verify", release.as_str(), "--key", own.as_str()]).expect(2).text(), @"
exit 2
error: [ROOT]/config/cargo-supplychain/key.pem is not a public key that can be used: expected exactly one PEM block `PUBLIC KEY`
help: expected PEM `PUBLIC KEY` with an ECDSA P-256 or Ed25519 key
");
    assert_snapshot!(project.run(&["verify", "nowhere", "--key", project.root().join("e.pub").as_str()]).expect(2).text(), @"
exit 2
error: cannot read [ROOT]/project/nowhere: No such file or directory (os error 2)
help: name a release folder or a released file
");
    assert_snapshot!(project.run(&["verify", "src", "--key", project.root().join("e.pub").as_str()]).expect(3).text(), @"
exit 3
    Rejected src
  attest/file-missing release.json
    it is missing
help: the files are not what was signed: get the release again; do not use this copy
");
}

#[cfg(unix)]
fn set_mode(path: &camino::Utf8Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &camino::Utf8Path, _: u32) {}

#[test]
fn output_that_cannot_be_written() {
    let project = Project::app();
    project.write("file", "");
    assert_snapshot!(told(&project, &["build", "--no-sign", "--release-dir", "file/below"], 74), @"
exit 74
error: cannot make the folder [ROOT]/project/file/below: Not a directory (os error 20)
help: name another folder with `--release-dir DIR`
");
    // Neither can the key's folder be made.
    let outcome = project.command(&["build", "--offline"]).env("XDG_CONFIG_HOME", project.path("file")).run().expect(74);
    assert_snapshot!(outcome.text(), @"
exit 74
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 1 package
error: cannot write the key [ROOT]/project/file/cargo-supplychain: Not a directory (os error 20)
help: name another place with `key generate --output FILE`, or for your own key with XDG_CONFIG_HOME
");
    let outcome = project.command(&["key", "generate", "--output", "file/key.pem"]).run().expect(74);
    assert_snapshot!(outcome.text(), @"
exit 74
error: cannot write the key [ROOT]/project/file: File exists (os error 17)
help: name another place with `key generate --output FILE`, or for your own key with XDG_CONFIG_HOME
");
    let outcome = project.command(&["sbom", "--offline", "--output", "file/below"]).run().expect(74);
    assert_snapshot!(outcome.text(), @"
exit 74
     Reading [ROOT]/project (configuration, lockfile, metadata)
error: cannot write [ROOT]/project/file/below/app.cdx.json: Not a directory (os error 20)
help: name another folder with --output DIR
");
    // A cache that cannot be written costs time only.
    project.command(&["check", "--offline", "--cache-dir", "file/cache"]).run().expect(0);
}

/// Data that nobody could store is an error; data that nobody reads is not.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_is_full_or_closed() {
    let project = Project::app();
    let mut check = project.command(&["check", "--offline", "--format", "json"]).process();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = check.stdout(full).stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{text}");
    assert!(text.contains("cannot write to standard output"), "{text}");

    project.write(".cargo/config.toml", "build.rustc-wrapper = \"x\"\n");
    for (arguments, code) in
        [(&["check", "--format", "json"][..], 1), (&["check", "--format", "sarif"], 1), (&["man"], 0), (&["--help"], 0)]
    {
        let mut child = project.command(arguments).offline().process();
        if !arguments.contains(&"check") {
            child = project.command(arguments).process();
        }
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{arguments:?}: {text}");
        assert!(!text.contains("this is a bug") && !text.contains("panicked"), "{text}");
    }
}

/// Ctrl-C, which reaches the whole process group, and signals to us alone: exit 130, the build ended, nothing left.
#[cfg(unix)]
#[test]
fn interrupted() {
    for (signal, to) in [("INT", "group"), ("INT", "us"), ("TERM", "us")] {
        let project = Project::app();
        let began = project.path("target/supplychain/.build/began");
        project.write(
            "build.rs",
            format!("fn main() {{\n    std::fs::write({began:?}, \"\").unwrap();\n    std::thread::sleep(std::time::Duration::from_secs(20));\n}}\n"),
        );
        let mut build = project.command(&["build", "--offline", "--no-sign"]).process();
        std::os::unix::process::CommandExt::process_group(&mut build, 0);
        let child = build.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&began);
        let staged = project.path("target/supplychain").read_dir_utf8().unwrap();
        assert!(staged.into_iter().any(|entry| entry.unwrap().file_name().starts_with(".staging-")), "nothing to clean up");
        let receiver = if to == "us" { child.id().to_string() } else { format!("-{}", child.id()) };
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), "--", &receiver]).status().unwrap();
        assert!(sent.success());
        let begun = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10), "it waited for the build");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal} to {to}: {text}");
        assert!(text.contains("no release was written"), "{text}");
        let left: Vec<_> = project
            .path("target/supplychain")
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        assert!(left.iter().all(|name| matches!(name.as_str(), ".build" | ".lock")), "{left:?}");
        // And the next run goes through.
        project.write("build.rs", "fn main() {}\n");
        project.run(&["build", "--no-sign"]).expect(0);
    }
}

#[cfg(unix)]
fn wait_for(path: &camino::Utf8Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{path} did not appear");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a run that was killed outright has left is removed by the next one.
#[cfg(unix)]
#[test]
fn killed() {
    let project = Project::app();
    let began = project.path("target/supplychain/.build/began");
    project.write(
        "build.rs",
        format!("fn main() {{\n    std::fs::write({began:?}, \"\").unwrap();\n    std::thread::sleep(std::time::Duration::from_secs(3));\n}}\n"),
    );
    let mut build = project.command(&["build", "--offline", "--no-sign"]).process();
    let mut child = build.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&began);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(project.releases().iter().all(|path| path.file_name().unwrap().starts_with(".staging-")));
    project.write("build.rs", "fn main() {}\n");
    project.run(&["build", "--no-sign"]).expect(0);
    assert_eq!(project.releases().len(), 1);
}

#[test]
fn two_builds_at_once() {
    let project = Project::app();
    let start = || {
        let mut build = project.command(&["build", "--offline", "--no-sign"]).process();
        build.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children = [start(), start()];
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(project.releases().len(), 1);
}
