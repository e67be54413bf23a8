//! Analysis executes nothing of the project (DESIGN.md, invariant 1; ATTACKS.md section 5). Each attack is shown to be armed: plain cargo
//! (or git) springs the trap, `check`, `sbom` and a stopped `build` do not; and each has a benign twin that stays silent.
//! [`crate::support::Command::run`] asserts that the trap was not sprung.

use std::fs;

use insta::assert_snapshot;

use crate::support::Project;

const METADATA: &[&str] = &["metadata", "--format-version", "1", "--offline"];
const BUILD: &[&str] = &["build", "--offline"];

/// An attack through a file: what is written where, what is found, and the cargo call that springs it.
struct Attack {
    name: &'static str,
    file: &'static str,
    /// `{trap}` stands for the program that leaves a mark, `HOST` for the host's triple.
    text: &'static str,
    found: &'static [&'static str],
    /// Where the first finding has to point.
    place: &'static str,
    armed_by: &'static [&'static str],
}

const COMPILER: &[&str] = &["critical config/compiler-override"];
const TOOL: &[&str] = &["high config/build-tool-override"];

/// CFG-01, CFG-02, CFG-05.
const ATTACKS: [Attack; 15] = [
    Attack {
        name: "wrapper",
        file: ".cargo/config.toml",
        text: "[build]\nrustc-wrapper = \"{trap}\"\n",
        found: COMPILER,
        place: ".cargo/config.toml:2",
        armed_by: METADATA,
    },
    Attack {
        name: "workspace wrapper",
        file: ".cargo/config.toml",
        text: "[build]\nrustc-workspace-wrapper = \"{trap}\"\n",
        found: COMPILER,
        place: ".cargo/config.toml:2",
        armed_by: METADATA,
    },
    Attack {
        name: "compiler",
        file: ".cargo/config.toml",
        text: "build.rustc = \"{trap}\"\n",
        found: COMPILER,
        place: ".cargo/config.toml:1",
        armed_by: METADATA,
    },
    Attack {
        name: "relative wrapper",
        file: ".cargo/config.toml",
        text: "build.rustc-wrapper = \"tools/trap\"\n",
        found: COMPILER,
        place: ".cargo/config.toml:1",
        armed_by: METADATA,
    },
    Attack {
        name: "variable",
        file: ".cargo/config.toml",
        text: "[env]\nRUSTC_WRAPPER = { value = \"{trap}\", force = true }\n",
        found: COMPILER,
        place: ".cargo/config.toml:2",
        // Cargo 1.95 does not read it itself; what the build starts does.
        armed_by: &[],
    },
    Attack {
        name: "legacy name",
        file: ".cargo/config",
        text: "[build]\nrustc-wrapper = \"{trap}\"\n",
        found: COMPILER,
        place: ".cargo/config:2",
        armed_by: METADATA,
    },
    Attack {
        name: "folder above",
        file: "../.cargo/config.toml",
        text: "[build]\nrustc-wrapper = \"{trap}\"\n",
        found: COMPILER,
        place: ".cargo/config.toml:2",
        armed_by: METADATA,
    },
    Attack {
        name: "own configuration",
        file: "../cargo/config.toml",
        text: "[build]\nrustc-wrapper = \"{trap}\"\n",
        found: &["low config/compiler-override"],
        place: "$CARGO_HOME/config.toml:2",
        armed_by: METADATA,
    },
    Attack {
        name: "linker",
        file: ".cargo/config.toml",
        text: "[target.HOST]\nlinker = \"{trap}\"\n",
        found: TOOL,
        place: ".cargo/config.toml:2",
        armed_by: BUILD,
    },
    Attack {
        name: "linker for a cfg",
        file: ".cargo/config.toml",
        text: "[target.'cfg(all())']\nlinker = \"{trap}\"\n",
        found: TOOL,
        place: ".cargo/config.toml:2",
        armed_by: BUILD,
    },
    Attack {
        name: "runner",
        file: ".cargo/config.toml",
        text: "[target.HOST]\nrunner = \"{trap}\"\n",
        found: TOOL,
        place: ".cargo/config.toml:2",
        armed_by: &["run", "--offline"],
    },
    Attack {
        name: "flag that names a linker",
        file: ".cargo/config.toml",
        text: "[build]\nrustflags = [\"-Clinker={trap}\"]\n",
        found: TOOL,
        place: ".cargo/config.toml:2",
        armed_by: BUILD,
    },
    Attack {
        name: "flag of a target",
        file: ".cargo/config.toml",
        text: "[target.HOST]\nrustflags = \"-C linker={trap}\"\n",
        found: TOOL,
        place: ".cargo/config.toml:2",
        armed_by: BUILD,
    },
    Attack {
        name: "variable for flags",
        file: ".cargo/config.toml",
        text: "[env]\nRUSTC_BOOTSTRAP = \"1\"\n",
        found: TOOL,
        place: ".cargo/config.toml:2",
        armed_by: &[],
    },
    Attack {
        name: "alias",
        file: ".cargo/config.toml",
        text: "[alias]\nsupplychain = [\"run\", \"--config\", \"build.rustc-wrapper='{trap}'\"]\n",
        found: &["critical config/alias-shadows-tool"],
        place: ".cargo/config.toml:2",
        armed_by: &["supplychain", "--offline"],
    },
];

fn host() -> String {
    let output = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Runs the analyses over an armed project: none springs the trap ([`crate::support::Command::run`] asserts it), `check` finds what it
/// has to find, and nothing at or above high besides.
fn assert_found(project: &Project, name: &str, found: &[&str], place: &str) {
    let fails = found.iter().any(|one| one.starts_with("critical") || one.starts_with("high"));
    let check = project.check().expect(i32::from(fails));
    assert_eq!(check.findings(), found, "{name}: {check}");
    if let Some(first) = found.first() {
        let finding = check.finding(first.split(' ').nth(1).unwrap());
        let location = &finding["locations"][0];
        let shown =
            format!("{}:{}", location["path"].as_str().or(location["file"].as_str()).unwrap_or_default(), location["line"]);
        assert!(shown.ends_with(place) || shown.contains(place), "{name}: {shown} {finding}");
    }
    project.run(&["sbom"]).expect(0);
    if fails {
        project.run(&["build", "--no-sign"]).expect(1);
        assert!(!project.tripwire().exists(), "{name}");
        assert!(!project.path("target").exists(), "{name}: a stopped build wrote something");
    }
}

#[test]
fn configuration_that_runs_code() {
    let host = host();
    for attack in ATTACKS {
        let project = Project::app();
        let trap = project.trap("tools/trap");
        project.write(attack.file, attack.text.replace("{trap}", trap.as_str()).replace("HOST", &host));
        assert_found(&project, attack.name, attack.found, attack.place);
        if !attack.armed_by.is_empty() {
            assert!(project.is_sprung_by_cargo(attack.armed_by), "{}: the trap is not set", attack.name);
        }
    }
}

#[test]
fn included_configuration() {
    let project = Project::app();
    let trap = project.trap("tools/trap");
    project.write(".cargo/config.toml", "include = [\"../x.toml\"]\n");
    project.write("x.toml", format!("[build]\nrustc-wrapper = \"{trap}\"\n"));
    assert_found(&project, "include", COMPILER, "x.toml:2");
    assert!(project.is_sprung_by_cargo(METADATA));
}

#[test]
fn benign_configuration_is_silent() {
    let host = host();
    for text in [
        "[term]\nquiet = false\n[net]\nretry = 3\n",
        "[alias]\nb = \"build\"\nsc = \"supplychain\"\n",
        "[build]\nrustc-wrapper = \"\"\njobs = 2\n",
        "[env]\nRUST_LOG = \"debug\"\nDATABASE_URL = { value = \"x\", force = true }\n",
        "[registries.x]\nindex = \"sparse+https://x.example/\"\n",
    ] {
        let project = Project::app();
        project.write(".cargo/config.toml", text);
        assert_eq!(project.check().expect(0).findings(), Vec::<String>::new(), "{text}");
    }
    // Allowed by default: told, low.
    for text in [
        format!("[target.{host}]\nlinker = \"clang\"\n"),
        "[build]\nrustflags = [\"-Ctarget-cpu=native\", \"-Dwarnings\"]\n".to_owned(),
        "[target.'cfg(unix)']\nrustflags = [\"-Clink-arg=-fuse-ld=mold\"]\n".to_owned(),
    ] {
        let project = Project::app();
        project.write(".cargo/config.toml", &text);
        assert_eq!(project.check().expect(0).findings(), ["low config/build-tool-override"], "{text}");
    }
    // The policy allows a wrapper: told, info.
    let project = Project::app();
    project.write(".cargo/config.toml", "build.rustc-wrapper = \"sccache\"\n");
    assert_eq!(project.check().expect(1).findings(), COMPILER);
    project.append("supplychain.toml", "[rules]\n\"config/compiler-override\" = { allow = [\"sccache\"] }\n");
    let check = project.check().expect(0);
    assert_eq!((check.findings(), check.finding("config/compiler-override")["severity"].as_str()), (vec![], Some("info")));
}

#[test]
fn findings_are_shown_with_place_and_help() {
    let project = Project::app();
    project.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"tools/trap\"\n\n[alias]\nsupplychain = \"version\"\n");
    let human = project.run(&["check"]).expect(1);
    assert_snapshot!(human.text(), @"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 1 package
    critical[config/alias-shadows-tool]: `cargo supplychain` is an alias for `cargo version`, so that this program does not run
      --> .cargo/config.toml:5:1
       = set by the repository
       = help: remove the alias; call `cargo-supplychain supplychain` directly where the result counts
    critical[config/compiler-override]: `build.rustc-wrapper` runs every compiler call through `tools/trap`
      --> .cargo/config.toml:2:1
       = set by the repository
       = help: remove it, or allow the program by name in `[rules]` of supplychain.toml
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 2 critical, 1 low; 1 not evaluated
    ");
    assert_snapshot!(project.run(&["check", "--format", "github"]).expect(1).text(), @r#"
    exit 1
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 1 package
    --- stdout
    ::error file=.cargo/config.toml,line=5,col=1,title=config/alias-shadows-tool (critical)::`cargo supplychain` is an alias for `cargo version`, so that this program does not run; remove the alias; call `cargo-supplychain supplychain` directly where the result counts
    ::error file=.cargo/config.toml,line=2,col=1,title=config/compiler-override (critical)::`build.rustc-wrapper` runs every compiler call through `tools/trap`; remove it, or allow the program by name in `[rules]` of supplychain.toml
    ::notice title=toolchain/unpinned (low)::no rust-toolchain.toml says which compiler version builds this; write the version into rust-toolchain.toml: [toolchain] channel = "[CHANNEL]"
    ::notice title=cargo supplychain::3 findings; 0 exempted; 1 not evaluated
    "#);
    assert_snapshot!(project.run(&["check", "--format", "markdown", "--quiet"]).expect(1).text(), @r#"
    exit 1
    ## cargo supplychain: fail

    2 critical, 1 low; 0 exempted; 1 not evaluated.

    Judged at 2026-09-01T12:00:00Z (given by `--now`), failing from `high` on, by cargo-supplychain [VERSION].

    ### Findings

    | severity | finding | package | where | what to do |
    |---|---|---|---|---|
    | critical | `config/alias-shadows-tool`<br>\`cargo supplychain\` is an alias for \`cargo version\`, so that this program does not run |  | .cargo/config.toml:5:1 | remove the alias; call \`cargo-supplychain supplychain\` directly where the result counts |
    | critical | `config/compiler-override`<br>\`build.rustc-wrapper\` runs every compiler call through \`tools/trap\` |  | .cargo/config.toml:2:1 | remove it, or allow the program by name in \`\[rules\]\` of supplychain.toml |
    | low | `toolchain/unpinned`<br>no rust-toolchain.toml says which compiler version builds this |  |  | write the version into rust-toolchain.toml: \[toolchain\] channel = "[CHANNEL]" |

    ### Not evaluated

    | area | check | why | required | what to do |
    |---|---|---|---|---|
    | advisories | advisories | the age of the advisory database is not judged: \`max-age\` is "none" | no | set \`\[advisories\] max-age\`, for example to "7d" |
    "#);
    let sarif = project.run(&["check", "--format", "sarif"]).expect(1).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(place["artifactLocation"]["uri"], ".cargo/config.toml");
    assert_eq!(place["region"]["startLine"], 5);
    assert_snapshot!(serde_json::to_string_pretty(&project.check().json()["findings"][0]).unwrap(), @r#"
{
  "id": "config/alias-shadows-tool",
  "severity": "critical",
  "package": null,
  "version": null,
  "message": "`cargo supplychain` is an alias for `cargo version`, so that this program does not run",
  "locations": [
    {
      "file": ".cargo/config.toml",
      "line": 5,
      "column": 1
    }
  ],
  "evidence": [
    "set by the repository"
  ],
  "help": "remove the alias; call `cargo-supplychain supplychain` directly where the result counts"
}
"#);
    // Reported, and stopping for nothing.
    project.run(&["check", "--fail-on", "none"]).expect(0);
    project.run(&["check", "--only", "lock,advisories"]).expect(0);
    project.run(&["check", "--only", "config"]).expect(1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_preloaded_library() {
    let project = Project::app();
    let source = format!(
        "#include <stdio.h>\n__attribute__((constructor)) static void mark(void) {{ fclose(fopen(\"{}\", \"w\")); }}\n",
        project.tripwire()
    );
    project.write("trap.c", source);
    let built = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "trap.so", "trap.c"])
        .current_dir(project.folder())
        .status();
    assert!(built.unwrap().success());
    let library = project.path("trap.so");
    project.write(".cargo/config.toml", format!("[env]\nLD_PRELOAD = {{ value = \"{library}\", force = true }}\n"));
    assert_found(&project, "LD_PRELOAD", TOOL, ".cargo/config.toml:2");
    assert!(project.is_sprung_by_cargo(METADATA));
}

#[test]
fn a_toolchain_that_the_repository_brings() {
    let project = Project::app();
    for program in ["cargo", "rustc"] {
        project.trap(&format!("toolchain/bin/{program}"));
    }
    project.write("rust-toolchain.toml", format!("[toolchain]\npath = \"{}\"\n", project.path("toolchain")));
    let check = project.command(&["check", "--format", "json", "--offline"]).without("RUSTUP_TOOLCHAIN").run();
    assert_eq!((check.code, check.findings()), (1, vec!["critical toolchain/path-override".to_owned()]), "{check}");
    assert_found(&project, "path", &["critical toolchain/path-override"], "rust-toolchain.toml:2");
    if std::process::Command::new("rustup").arg("--version").output().is_ok_and(|output| output.status.success()) {
        crate::support::plain_cargo_without_toolchain(&project, METADATA);
        assert!(fs::remove_file(project.tripwire()).is_ok(), "the trap is not set");
    }
    // A channel is honoured, and a pinned toolchain silent.
    fs::remove_file(project.path("rust-toolchain.toml")).unwrap();
    assert_eq!(project.check().expect(0).finding("toolchain/unpinned")["severity"], "low");
}

#[test]
fn programs_of_the_repository_in_path() {
    let project = Project::app();
    for program in ["cargo", "rustc", "git", "sh"] {
        project.trap(&format!("bin/{program}"));
    }
    let path = format!("{}:{}", project.path("bin"), std::env::var("PATH").unwrap());
    for verb in ["check", "sbom"] {
        project.command(&[verb, "--offline"]).env("PATH", &path).run().expect(0);
    }
}

#[test]
fn cargo_home_inside_the_repository() {
    let project = Project::app();
    let trap = project.trap("tools/trap");
    project.write(".home/config.toml", format!("[build]\nrustc-wrapper = \"{trap}\"\n"));
    fs::create_dir_all(project.path(".home/registry")).unwrap();
    fs::create_dir_all(project.path(".home/git")).unwrap();
    let home = project.path(".home");
    let check = project.command(&["check", "--format", "json", "--offline"]).env("CARGO_HOME", &home).run().expect(1);
    assert_eq!(check.findings(), COMPILER, "{check}");
    project.command(&["sbom", "--offline"]).env("CARGO_HOME", &home).run().expect(0);
}

#[test]
fn git_configuration_that_runs_code() {
    let project = Project::app();
    let trap = project.trap("tools/trap");
    let repository = git2::Repository::init(project.folder()).unwrap();
    project.write(".gitattributes", "*.rs filter=trap\n");
    let mut index = repository.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let author = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_780_000_000, 0)).unwrap();
    repository.commit(Some("HEAD"), &author, &author, "m", &tree, &[]).unwrap();
    let mut config = repository.config().unwrap();
    for key in ["core.fsmonitor", "filter.trap.clean", "filter.trap.smudge", "core.sshCommand", "core.pager", "diff.external"] {
        config.set_str(key, trap.as_str()).unwrap();
    }
    // Touched, so that git has to look into the file.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    fs::File::options().append(true).open(project.path("src/main.rs")).unwrap().set_modified(later).unwrap();
    project.check().expect(0);
    project.run(&["sbom"]).expect(0);
    project.run(&["build", "--dry-run"]).expect(0);
    // The build itself looks at the repository too.
    project.run(&["build", "--no-sign"]).expect(0);
    assert!(!project.tripwire().exists());
    let git = std::process::Command::new("git").args(["status"]).current_dir(project.folder()).output();
    if git.is_ok_and(|git| git.status.success()) {
        assert!(project.tripwire().exists(), "the trap is not set");
    }
}

#[test]
fn build_scripts_and_proc_macros() {
    let project = Project::app();
    let mark = format!("std::fs::write({:?}, \"\").unwrap();", project.tripwire());
    project.write("build.rs", format!("fn main() {{ {mark} }}\n"));
    assert_found(&project, "build script", &[], "");
    assert!(project.is_sprung_by_cargo(BUILD));

    let project = Project::app();
    let mark = format!("std::fs::write({:?}, \"\").unwrap();", project.tripwire());
    project.append("Cargo.toml", "[dependencies]\nmacros = { path = \"macros\" }\n[workspace]\n");
    project.write(
        "macros/Cargo.toml",
        "[package]\nname = \"macros\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n",
    );
    let expand = "pub fn mark(input: proc_macro::TokenStream) -> proc_macro::TokenStream";
    project.write("macros/src/lib.rs", format!("extern crate proc_macro;\n#[proc_macro]\n{expand} {{ {mark} input }}\n"));
    project.write("src/main.rs", "macros::mark!();\nfn main() {}\n");
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"macros\",\n]\n\n[[package]]\nname = \"macros\"\nversion = \"1.0.0\"\n",
    );
    assert_found(&project, "proc macro", &[], "");
    assert!(project.is_sprung_by_cargo(BUILD));
}

/// CFG-06.
#[test]
fn variables_of_the_environment() {
    let project = Project::app();
    let trap = project.trap("tools/trap");
    for (name, value) in [
        ("RUSTC_WRAPPER", trap.as_str()),
        ("RUSTC_WORKSPACE_WRAPPER", trap.as_str()),
        ("RUSTC", trap.as_str()),
        ("CARGO_BUILD_RUSTC_WRAPPER", trap.as_str()),
        ("RUSTFLAGS", "--cfg x"),
        ("CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}x"),
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", trap.as_str()),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("RUSTC_BOOTSTRAP", "1"),
    ] {
        let check = project.command(&["check", "--format", "json", "--offline"]).env(name, value).run().expect(0);
        assert_eq!(check.findings(), ["low env/compiler-override"], "{name}: {check}");
        project.command(&["sbom", "--offline"]).env(name, value).run().expect(0);
    }
    let check = project.command(&["check", "--format", "json", "--offline"]);
    let benign = check.env("CARGO_TERM_COLOR", "never").env("RUST_LOG", "debug").env("RUST_BACKTRACE", "1").run().expect(0);
    assert_eq!(benign.findings(), Vec::<String>::new());

    // In CI, set by a file of the repository: the repository decides.
    project.write(".cargo/config.toml", "[env]\nRUSTFLAGS = \"-Dwarnings\"\n");
    let check = project.command(&["check", "--format", "json", "--offline"]).env("RUSTFLAGS", "-Dwarnings");
    let in_ci = check.env("CI", "true").run().expect(1);
    assert_eq!(in_ci.findings(), ["high env/compiler-override", "low config/build-tool-override"]);
}

/// CFG-06: what shaped a build is recorded, secrets are not.
#[test]
fn variables_that_shape_a_build_are_recorded() {
    let project = Project::app();
    let build = project.command(&["build", "--offline", "--no-sign"]).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    build.env("RUSTFLAGS", "--cfg seen").env("RUST_LOG", "debug").env("MY_TOKEN", "sesame").run().expect(0);
    let build: serde_json::Value =
        serde_json::from_slice(&fs::read(project.release().join("evidence/build.json")).unwrap()).unwrap();
    assert_eq!(
        build["invocation"]["environment"],
        serde_json::json!({ "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1", "RUSTFLAGS": "--cfg seen" })
    );
    assert_eq!(build["invocation"]["rustflags"], serde_json::json!(["--cfg", "seen"]));
}

/// CFG-01, twin: a wrapper that the policy allows with its digest; another file of that name is not it.
#[test]
#[cfg(unix)]
fn a_wrapper_by_its_digest() {
    let project = Project::app();
    let tool = project.trap("../tools/wrap");
    let digest = cargo_supplychain::base::Sha256::of(fs::read(&tool).unwrap());
    project.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"wrap\"\n");
    project.append(
        "supplychain.toml",
        &format!("\n[rules]\n\"config/compiler-override\" = {{ allow = [\"wrap@sha256:{digest}\"] }}\n"),
    );
    let path = format!("{}:{}", tool.parent().unwrap(), std::env::var("PATH").unwrap());
    let check = || project.command(&["check", "--format", "json"]).offline().env("PATH", &path).run();
    let allowed = check().expect(0).finding("config/compiler-override");
    assert_eq!(allowed["severity"], "info", "{allowed}");
    project.trap("../tools/wrap");
    project.append("../tools/wrap", "# changed\n");
    let found = check().expect(1);
    assert_eq!(found.findings(), COMPILER);
    let evidence = found.finding("config/compiler-override")["evidence"].to_string();
    assert!(evidence.contains(&digest.to_string()), "{evidence}");
    // One that the repository brings is none, whatever PATH says.
    project.trap("tools/wrap");
    fs::remove_file(&tool).unwrap();
    let path = format!("{}:{}", project.path("tools"), std::env::var("PATH").unwrap());
    let found = project.command(&["check", "--format", "json"]).offline().env("PATH", &path).run().expect(1);
    assert_eq!(found.findings(), COMPILER);
}

/// CFG-06: in CI the repository's `[env]` counts, whether the runner has the variable or not.
#[test]
fn variables_of_the_repository_in_ci() {
    let project = Project::app();
    project.write(".cargo/config.toml", "[env]\nLD_PRELOAD = \"x.so\"\n");
    let check = |ci: &str| project.command(&["check", "--format", "json"]).offline().env("CI", ci).run().expect(1).findings();
    assert_eq!(check("true"), ["high config/build-tool-override", "high env/compiler-override"]);
    assert_eq!(check("false"), TOOL);
    project.write(".cargo/config.toml", "[env]\nRUST_LOG = \"debug\"\nCARGO_TERM_COLOR = \"always\"\n");
    let quiet = project.command(&["check", "--format", "json"]).offline().env("CI", "true").run();
    assert!(quiet.expect(0).findings().is_empty());
}

/// Rustup takes the toolchain file nearest to where it is started: one in a member's folder is as bad as one at the root.
#[test]
fn toolchain_of_a_member() {
    let project = Project::app();
    project.append("Cargo.toml", "\n[workspace]\nmembers = [\"crates/a\"]\n");
    project.write("crates/a/Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n");
    project.write("crates/a/src/lib.rs", "");
    let lock =
        project.read("Cargo.lock").replace("version = 4\n", "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n");
    project.write("Cargo.lock", lock);
    project.write("crates/rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n");
    assert!(project.check().expect(0).findings().is_empty());
    project.write("crates/rust-toolchain.toml", "[toolchain]\npath = \"../tools\"\n");
    assert_eq!(project.check().expect(1).findings(), ["critical toolchain/path-override"]);
}
