//! The command line as people and shells see it: help, completions, manual page, schemas, `explain`, `init`, `key`.

use insta::assert_snapshot;

use crate::support::Project;

#[test]
fn help_of_the_program() {
    assert_snapshot!(Project::empty().command(&["--help"]).env("COLUMNS", "100").run().expect(0).text(), @"
    exit 0
    Build Rust releases that can be proved: what was compiled, from which sources, by whom, under which
    policy

    Usage: cargo supplychain [OPTIONS] <COMMAND>

    Commands:
      build        Build a release: check, compile, describe, sign, verify
      check        Judge the workspace without running any of its code
      sbom         Write the SBOM of what would be built, without building
      diff         What differs between two SBOMs, lockfiles, releases or git revisions
      sign         Sign a release whose statements are pending, or a single file
      verify       Verify a release folder or a released file
      archive      Releases that are kept: taken in, shown, given back, judged again, let go
      affected     Which archived releases, or which SBOMs, contain what an advisory names
      rescan       Judge every archived release again, by today's advisories
      vex          Decisions about vulnerabilities: made once, exemption and public statement at once
      psirt        The ledger of reports about vulnerabilities in your own products: dates, and drafts
                   of advisories
      evidence     A release as evidence for practices of frameworks: SSDF, METI, SLSA, CRA
      baseline     What was accepted of every locked crate: supplychain.lock
      fetch        Bring the advisory database, further sources and trusted roots into the cache
      key          Signing keys
      init         Write a supplychain.toml with every setting explained, or one made from a deny.toml;
                   propose exceptions of the sandbox
      explain      Explain a finding: what it is about, the incident behind it, an example, what to do
      schema       Print the JSON Schema of a document of ours
      completions  Print completions for a shell
      man          Print the manual page (roff)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --format <FORMAT>
              How results are shown

              Possible values:
              - human:    For people, on standard error
              - json:     One document on standard output; its schema is printed by `cargo supplychain
                schema`
              - sarif:    SARIF 2.1.0
              - github:   Workflow commands of GitHub Actions: annotations
              - gitlab:   GitLab's code quality report
              - markdown: A job summary

              [default: human]

          --color <COLOR>
              When to use colours (NO_COLOR is honoured)

              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Say only what matters

      -v, --verbose
              Say more: notes on the way, evidence of every finding

          --offline
              Use no network

          --now <TIME>
              Judge ages and expiries as of this instant (RFC 3339 or a date); recorded in the report

          --cache-dir <DIR>
              Where feeds and parsed data are cached

    Examples:
      cargo supplychain build                      build, sign and verify a release of this package
      cargo supplychain build -p app --features x  any argument of `cargo build` works
      cargo supplychain check                      judge the workspace without running any of its code
      cargo supplychain verify target/supplychain/app-1.0.0-[HOST] --key signer.pub
      cargo supplychain explain lock/checksum-mismatch

    日本語クイックスタート:
      cargo supplychain build        ビルドし、SBOM・来歴・署名付きのリリースフォルダーを作成して自己検証します
      cargo supplychain check        プロジェクトのコードを実行せずに、依存関係と設定を検査します
      cargo supplychain verify フォルダー --key 公開鍵   受け取ったリリースをオフラインで検証します

    Exit codes: 0 pass, 1 finding, 2 usage or unreadable input, 3 verification rejected, 4 undetermined,
                70 our bug, 74 output not written, 101 cargo build failed, 130 interrupted
    ");
}

#[test]
fn help_of_build() {
    assert_snapshot!(Project::empty().command(&["build", "--help"]).env("COLUMNS", "100").run().expect(0).text(), @"
    exit 0
    Build a release: check, compile, describe, sign, verify

    Checks the workspace, compiles it with cargo (release profile unless told), writes SBOMs, provenance
    and signed attestations into a release folder below target/supplychain, and verifies that folder
    before it says so. Nothing is left behind when it fails.

    Usage: cargo supplychain build [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection (as cargo build):
          --manifest-path <PATH>
              Path to Cargo.toml

      -p, --package <SPEC>
              Package to build

          --workspace
              All packages of the workspace

          --exclude <SPEC>
              Exclude packages

          --lib
              Only the library

          --bin <NAME>
              Only this binary

          --bins
              All binaries

          --example <NAME>
              Only this example

          --examples
              All examples

          --test <NAME>
              Only this test

          --tests
              All tests

          --bench <NAME>
              Only this bench target

          --benches
              All bench targets

          --all-targets
              All targets

      -F, --features <FEATURES>
              Features to activate

          --all-features
              Activate all features

          --no-default-features
              Do not activate the `default` feature

      -r, --release
              The release profile (the default here)

          --profile <NAME>
              Build with this profile

          --target <TRIPLE>
              Build for this target triple

          --config <KEY=VALUE|PATH>
              Override a configuration value; judged as the repository's configuration

    Policy:
          --policy <FILE>
              The policy file, instead of supplychain.toml at the workspace root

          --fail-on <LEVEL>
              Fail at findings of this severity: critical, high, medium, low, none

          --only <AREA>
              Judge these areas only (lock, sources, config, capabilities, advisories, …)

          --require <AREA>
              Make the best-effort checks of these areas required

          --advisory-db <PATH|URL>
              The RustSec database: a folder or a git URL

          --advisory-db-rev <COMMIT>
              The commit that the database has to be at (40 hexadecimal digits); a repository is fetched
              at it

          --feed <KIND=PATH|URL>
              A further source of what is known: osv, kev, epss, cve, jvn or eol, and its file, folder
              or URL (may be repeated)

          --vex <FILE>
              Statements of others about vulnerabilities that count: OpenVEX, CycloneDX or CSAF (may be
              repeated)

          --base <REV>
              Judge the change since this revision (branch, tag, commit); policy and baseline are taken
              from it

          --registry-snapshot <DIR>
              A folder that stands for crates.io: index, API answers, packages

          --registry-api <URL>
              Base URL of the registry's API, instead of https://crates.io

          --clean
              Compile into a fresh target folder (always so in CI)

          --release-dir <DIR>
              Put the release folder into this folder, instead of target/supplychain

          --dry-run
              Check and plan, compile nothing, write nothing

          --reproduce
              Build a second time, in other folders and with another home, and compare every artifact

          --embed-audit-data
              Link the list of crates into each artifact, in cargo-auditable's format

          --no-sign
              Sign nothing: the statements wait in the release for `cargo supplychain sign`

          --sandbox <MODE>
              How the build is sealed: auto, require, off; over [sandbox] mode in the policy

    Signing:
          --key <FILE>
              Private key to sign with (PEM), instead of the configured or your own

          --identity-token <FILE|env:NAME>
              Sign keyless with this OIDC token (a file, or env:NAME), instead of the CI system's

          --signing-config <FILE>
              The services of keyless signing (a Sigstore signing configuration), instead of the public
              good instance

          --trusted-root <FILE>
              What keyless signatures are judged by before they are written (a Sigstore
              trusted_root.json)

    Passed to cargo build:
      -j, --jobs <N>
              Number of parallel jobs

          --keep-going
              Do not stop at the first failed crate

          --ignore-rust-version
              Ignore rust-version of packages

          --future-incompat-report
              Report future incompatibilities

          --timings
              Write a timing report

          --locked
              Always so here: Cargo.lock is never changed

          --frozen
              --locked and --offline

      -Z <FLAG>
              Unstable flags of a nightly cargo

    Global options:
          --format <FORMAT>
              How results are shown

              Possible values:
              - human:    For people, on standard error
              - json:     One document on standard output; its schema is printed by `cargo supplychain
                schema`
              - sarif:    SARIF 2.1.0
              - github:   Workflow commands of GitHub Actions: annotations
              - gitlab:   GitLab's code quality report
              - markdown: A job summary

              [default: human]

          --color <COLOR>
              When to use colours (NO_COLOR is honoured)

              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Say only what matters

      -v, --verbose
              Say more: notes on the way, evidence of every finding

          --offline
              Use no network

          --now <TIME>
              Judge ages and expiries as of this instant (RFC 3339 or a date); recorded in the report

          --cache-dir <DIR>
              Where feeds and parsed data are cached

    Examples:
      cargo supplychain build
      cargo supplychain build --workspace --bins --clean
      cargo supplychain build --manifest-path examples/minimal/Cargo.toml --offline
      cargo supplychain build --fail-on none       report findings, stop for none
    ");
}

#[test]
fn nothing_asked_shows_the_help_and_is_a_mistake() {
    let project = Project::empty();
    let outcome = project.command(&[]).no_now().run().expect(2);
    assert!(outcome.stderr.contains("Usage: cargo supplychain"), "{outcome}");
    let version = project.command(&["--version"]).run().expect(0);
    assert_eq!(version.stdout, format!("cargo supplychain {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn called_with_and_without_cargos_word() {
    let project = Project::empty();
    let with = project.command(&["explain"]).run().expect(0);
    let mut without = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-supplychain"));
    let without = without.arg("explain").current_dir(project.folder()).output().unwrap();
    assert_eq!(String::from_utf8(without.stdout).unwrap(), with.stdout);
}

#[test]
fn completions_and_manual_page() {
    let project = Project::empty();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef"),
        ("fish", "complete -c"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = project.command(&["completions", shell]).run().expect(0).stdout;
        assert!(script.contains(word) && script.contains("release-dir"), "{shell}: {script}");
    }
    let man = project.command(&["man"]).run().expect(0).stdout;
    assert!(man.starts_with(".ie") && man.contains(".TH cargo-supplychain 1"), "{man}");
}

#[test]
fn schemas_are_json_and_fit_what_is_written() {
    let project = Project::app();
    for name in ["report", "release"] {
        let schema = project.command(&["schema", name]).run().expect(0).json();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
    let schema = project.command(&["schema", "report"]).run().expect(0).json();
    let report = project.check().expect(0).json();
    let keys: Vec<_> = report.as_object().unwrap().keys().collect();
    for required in schema["required"].as_array().unwrap() {
        assert!(keys.iter().any(|key| *key == required), "{required} is required and not there");
    }
    for key in keys {
        assert!(schema["properties"].get(key).is_some(), "{key} is not in the schema");
    }
    assert_eq!(schema["properties"]["schema_version"]["const"], report["schema_version"]);
}

#[test]
fn every_listed_finding_is_explained() {
    let project = Project::empty();
    let list = project.command(&["explain", "--format", "json"]).run().expect(0).json();
    let rules = list["rules"].as_array().unwrap();
    assert!(rules.len() > 20);
    for id in ["config/compiler-override", "lock/checksum-mismatch", "advisory/malicious"] {
        assert!(rules.iter().any(|rule| rule["id"] == id), "{id}");
        let text = project.command(&["explain", id]).run().expect(0).stdout;
        assert!(text.starts_with(&format!("# {id}\n")) && text.contains("What to do:"), "{text}");
    }
}

#[test]
fn explain_suggests_what_was_meant() {
    let project = Project::empty();
    assert_snapshot!(project.command(&["explain", "lock/checksum-mismach"]).run().expect(2).text(), @"
exit 2
error: there is no finding `lock/checksum-mismach`
help: did you mean `lock/checksum-mismatch`?
");
    assert_snapshot!(project.command(&["explain", "quite/something-else-altogether"]).run().expect(2).text(), @"
exit 2
error: there is no finding `quite/something-else-altogether`
help: `cargo supplychain explain` lists all
");
}

#[test]
fn init_writes_a_policy_once_and_the_policy_is_taken() {
    let project = Project::app();
    std::fs::remove_file(project.path("supplychain.toml")).unwrap();
    assert_snapshot!(project.command(&["init"]).run().expect(0).text(), @"
exit 0
       Wrote [ROOT]/project/supplychain.toml (every setting stands there with its default, as a comment)
");
    let text = project.read("supplychain.toml");
    project.run(&["check", "--advisory-db", "advisory-db"]).expect(0);
    assert_snapshot!(project.command(&["init"]).run().expect(2).text(), @"
exit 2
error: [ROOT]/project/supplychain.toml is there already
help: it is yours; delete it first to start anew
");
    assert_eq!(project.read("supplychain.toml"), text);
}

#[test]
fn keys_are_made_once_and_kept_private() {
    let project = Project::empty();
    let made = project.command(&["key", "generate", "--format", "json"]).run().expect(0).json();
    let private = project.root().join("config/cargo-supplychain/key.pem");
    assert_eq!((made["private"].as_str(), made["encrypted"].as_bool()), (Some(private.as_str()), Some(false)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(private.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = std::fs::read(&private).unwrap();
    assert_snapshot!(project.command(&["key", "generate"]).run().expect(2).text(), @"
exit 2
error: [ROOT]/config/cargo-supplychain/key.pem exists already
help: move it away first, or name another file; a key is never overwritten
");
    assert_eq!(std::fs::read(&private).unwrap(), before);
    let public = project.command(&["key", "public"]).run().expect(0).stdout;
    assert_eq!(public, std::fs::read_to_string(private.with_extension("pub")).unwrap());

    let encrypted = project.root().join("encrypted.pem");
    let generate = ["key", "generate", "--output", encrypted.as_str()];
    project.command(&generate).env("SUPPLYCHAIN_KEY_PASSPHRASE", "open sesame").run().expect(0);
    assert!(std::fs::read_to_string(&encrypted).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let public = ["key", "public", "--key", encrypted.as_str()];
    project.command(&public).env("SUPPLYCHAIN_KEY_PASSPHRASE", "open sesame").run().expect(0);
    project.command(&public).env("SUPPLYCHAIN_KEY_PASSPHRASE", "open barley").run().expect(2);
    project.command(&public).run().expect(2);
}
