//! Text of others in everything that is written, with the real binary: names, logins, URLs, notes and paths that try to be a command
//! of a workflow, an escape sequence, markup or a line of their own.

use super::support::world::World;
use super::support::{Outcome, Project};

/// All at once; 10 kB of more stand behind it where there is room.
const HOSTILE: &str =
    "\u{1b}[31m\r\n::set-output name=a::b\n ::error::x]]><script>`|](https://x)\u{202e}\u{85}\u{2028}%0A##[add-mask]x\u{7f}@all";

/// The text as a string of TOML and of YAML.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|one| format!("\\U{:08x}", u32::from(one)));
    format!("\"{}\"", escaped.collect::<String>())
}

/// As long as an answer of the registry may have it.
fn long() -> String {
    HOSTILE.to_owned() + &"x".repeat(1_500)
}

/// What the registry says: people, repositories, dependencies and sources of `bad`.
fn world() -> World {
    let escaped = quoted(HOSTILE);
    let escaped = escaped.trim_matches('"');
    let script = "fn main() { std::process::Command::new(\"curl\").arg(\"https://webhook.site/\u{1b}[31m\u{202e}\"); }";
    let link = format!("{}#[link(name = {HOSTILE:?})] extern \"C\" {{}}", "\n".repeat(3));
    World::new()
        .release("bad", "1.0.0", |r| r.published("2020-01-01T00:00:00Z").publisher(1, "someone"))
        .release("bad", "1.0.1", |r| {
            r.published("2026-08-30T00:00:00Z")
                .publisher_since(77, &long(), "2026-08-29T00:00:00Z")
                .dependency(HOSTILE, "^1")
                .repository(&format!("https://github.com/{HOSTILE}/x"))
                .file("Cargo.toml", format!("[package]\nname = \"bad\"\nversion = \"1.0.1\"\nlicense = \"{escaped}\"\nlinks = \"{escaped}\"\nrepository = \"{escaped}\"\n"))
                .links(HOSTILE)
                .licence(HOSTILE)
                .build_script(script)
                .file("src/\u{1b}[31m\n::error::x\u{202e}.rs", link)
                .file("lib/\u{1b}[31m\n::error::x\u{202e}.so", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0")
        })
        .release("forged", "1.0.0", |r| r.published("2020-01-01T00:00:00Z").trusted("github", "o/forged"))
        .release("forged", "1.0.1", |r| {
            r.published("2026-08-30T00:00:00Z").trusted(HOSTILE, &long()).yanked_by(9, HOSTILE, "2026-08-31T00:00:00Z")
        })
        .repository("forged", &format!("https://github.com/{HOSTILE}/forged"))
        .owner("bad", 1, HOSTILE)
        .team("bad", 2, &format!("github:{HOSTILE}"))
        .owner("forged", 77, &long())
}

/// A package of the lockfile whose every field is hostile.
fn locked(name: &str, source: &str) -> String {
    format!("\n[[package]]\nname = {}\nversion = \"1.0.0\"\nsource = {}\n", quoted(name), quoted(source))
}

fn project() -> (Project, String) {
    let world = world();
    let project = world.project(&[("bad", "1.0.0"), ("forged", "1.0.0")]);
    let owner = format!("{{ kind = \"user\", id = 3, login = {}, first-seen = 2020-01-01 }}", quoted(HOSTILE));
    let known = "[[crate]]\nname = \"bad\"\nbuild-script = false\nproc-macro = false\nowners = [OWNER]\n\
        versions = [{ version = \"1.0.0\", published = 2020-01-01 }]\n";
    project.write("supplychain.lock", format!("version = 1\n\n{}", known.replace("OWNER", &owner)));
    let violation =
        format!("[[audits.bad]]\nwho = {0}\ncriteria = \"safe-to-deploy\"\nviolation = \"^1\"\nnotes = {0}\n", quoted(HOSTILE));
    project.write("supply-chain/audits.toml", violation);
    let exemption = format!(
        "\n[[exemptions]]\nid = \"source/git-not-allowed\"\npackage = {}\nversion = \"1.0.0\"\nreason = {0}\nexpires = 2026-12-31\n",
        quoted("gone\u{1b}[31m")
    );
    project.append("supplychain.toml", &exemption);
    let before = project.commit("before");
    world.lock(&project, &[("bad", "1.0.1"), ("forged", "1.0.1")]);
    let name: String = HOSTILE.chars().take(80).collect();
    let far = "https://evil.example/\u{1b}[31m\n::error::x\u{202e}";
    let hex = "0123456789012345678901234567890123456789";
    project.append("Cargo.lock", &locked(&name, &format!("git+{far}?branch={HOSTILE}#{hex}")));
    project.append("Cargo.lock", &locked("elsewhere\u{1b}[31m", &format!("registry+{far}")));
    project.append("Cargo.lock", &locked("gone\u{1b}[31m", &format!("git+{far}#{hex}")));
    project.append("Cargo.toml", &format!("pin = {{ git = {}, branch = {} }}\n", quoted(far), quoted(HOSTILE)));
    project.append("Cargo.toml", "any = \"*\"\n");
    let job = format!(
        "on: pull_request_target\njobs:\n  {0}:\n    permissions: write-all\n    steps:\n      - uses: {1}\n      - uses: actions/checkout@v4\n        with: {{ref: \"${{{{ github.event.pull_request.head.sha }}}}\"}}\n      - run: {2}\n",
        quoted(HOSTILE),
        quoted(&format!("x/y@{HOSTILE}{}", "x".repeat(10_000))),
        quoted(&format!("echo ${{{{ github.event.pull_request['title{HOSTILE}'] }}}} ${{{{ github.head_ref }}}}"))
    );
    project.write(".github/workflows/\u{1b}[31m::error::x\u{202e}]]>.yml", &job);
    project.write(".github/workflows/broken\n::error::x.yml", format!("on: {}\njobs: [\n", quoted(HOSTILE)));
    project.write(".cargo/config.toml", format!("[alias]\n{0} = {0}\nbuild = {0}\n[env]\n{0} = {0}\n", quoted(HOSTILE)));
    (project, before)
}

/// What could not be printed, or would be read as something else.
#[track_caller]
fn assert_plain(text: &str, outcome: &Outcome) {
    let is_bad = |one: char| {
        (one.is_control() && one != '\n')
            || matches!(one, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found: Vec<_> = text.lines().filter(|line| line.contains(is_bad)).map(|line| line.escape_debug().to_string()).collect();
    assert!(found.is_empty(), "{found:#?}\n{outcome}");
    // The runner still knows the commands of before 2019 anywhere in a line.
    assert!(!text.contains("##["), "{outcome}");
}

/// No line of any output is a command, but for our own.
#[track_caller]
fn assert_no_command(outcome: &Outcome) {
    // `  ::: PATH`, our own mark of a further place, would be a command of the name `:`, which there is none of.
    let is_command = |line: &&str| line.trim_start().starts_with("::") && !line.starts_with("  ::: ");
    for line in outcome.stdout.lines().chain(outcome.stderr.lines()).filter(is_command) {
        let words = line.strip_prefix("::").unwrap_or_default();
        let is_ours = ["error ", "warning ", "notice "].iter().any(|kind| words.starts_with(kind)) && words.contains("title=");
        assert!(is_ours, "{line}\n{outcome}");
    }
}

#[track_caller]
fn assert_sarif(outcome: &Outcome) {
    let log = outcome.json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 10, "{outcome}");
    for result in results {
        assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
        let message = result["message"]["text"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains("](") && !message.contains(char::is_control), "{message}");
        assert_eq!(result["locations"].as_array().unwrap().len(), 1, "{result}");
        for place in result["locations"].as_array().unwrap().iter().chain(result["relatedLocations"].as_array().unwrap()) {
            let uri = place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
            assert!(!uri.is_empty() && uri.bytes().all(is_plain) && !uri.starts_with('/'), "{uri}");
            assert!(place["physicalLocation"]["region"]["startLine"].as_u64().unwrap() > 0, "{place}");
        }
        assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string(), "{result}");
    }
}

/// What GitLab documents of its code quality report (docs.gitlab.com/ci/testing/code_quality).
#[track_caller]
fn assert_gitlab(outcome: &Outcome) {
    let report = outcome.json();
    let violations = report.as_array().unwrap();
    assert!(violations.len() > 10, "{outcome}");
    let mut fingerprints = std::collections::BTreeSet::new();
    for violation in violations {
        let text = |place: &str| violation.pointer(place).and_then(serde_json::Value::as_str).unwrap();
        assert!(!text("/description").is_empty() && !text("/description").contains(char::is_control), "{violation}");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&text("/severity")), "{violation}");
        assert!(fingerprints.insert(text("/fingerprint").to_owned()), "{violation}");
        assert!(text("/check_name").contains('/') && !text("/location/path").starts_with('/'), "{violation}");
        assert!(violation["location"]["lines"]["begin"].as_u64().unwrap() > 0, "{violation}");
    }
}

/// The rules that have to have said something of the hostile text, or the test would show nothing.
const FIRED: [&str; 12] = [
    "dep/banned",
    "lock/checksum-missing",
    "maintainer/takeover-pattern",
    "policy/exemption-unused",
    "registry/yanked",
    "source/git-not-allowed",
    "source/git-not-pinned",
    "source/new-binary-blob",
    "source/registry-not-allowed",
    "workflow/pwn-request",
    "workflow/template-injection",
    "workflow/unpinned-action",
];

#[test]
#[cfg(unix)]
fn no_text_of_others_commands_anybody() {
    let (project, before) = project();
    let said = ["--registry-snapshot", "../world", "-v", "--base", &before];
    let only = ["--only", "lock,sources,maintainers,workflows,policy"];
    let all = project.run(&[&["check", "--format", "json"], &said[..], &only].concat()).expect(1);
    let report = all.report();
    let found: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    for id in FIRED {
        assert!(found.contains(&id), "{id} is not in {found:?}");
    }
    // The registry's answers were read, and told on.
    let told = all.finding("maintainer/takeover-pattern")["evidence"].to_string();
    assert!(told.contains("set-output"), "{told}");
    for (scope, format) in [&only[..], &[]].iter().flat_map(|&only| FORMATS.map(|format| (only, format))) {
        let outcome = project.run(&[&["check", "--format", format], &said[..], scope].concat());
        assert_no_command(&outcome);
        assert_plain(&outcome.stderr, &outcome);
        match format {
            "json" => drop(outcome.json()),
            "sarif" if outcome.code == 1 => assert_sarif(&outcome),
            "gitlab" if outcome.code == 1 => assert_gitlab(&outcome),
            _ => assert_plain(&outcome.stdout, &outcome),
        }
        if format == "github" && outcome.code == 1 {
            assert_eq!(outcome.stdout.lines().filter(|line| line.starts_with("::")).count(), outcome.stdout.lines().count());
        }
        if format == "markdown" {
            assert!(!outcome.stdout.contains("<script") && !outcome.stdout.contains("@all"), "{outcome}");
        }
    }
    for format in ["human", "json", "markdown"] {
        let outcome = project.run(&["diff", &before, "--format", format, "--registry-snapshot", "../world", "-v"]).expect(0);
        assert_no_command(&outcome);
        assert_plain(&outcome.stderr, &outcome);
        match format {
            "json" => drop(outcome.json()),
            _ => assert_plain(&outcome.stdout, &outcome),
        }
    }
}

const FORMATS: [&str; 6] = ["human", "json", "sarif", "markdown", "github", "gitlab"];
