//! The GitHub Action as a runner starts it: `run.sh` with the variables of action.yml, the real binary, and stand-ins for the repository's host
//! and for Sigstore on this machine. In a workflow it runs in `tests/trial/action.py`.

mod published;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::support::host::{Host, TOKEN};
use crate::support::sigstore::{Fault, Sigstore};
use crate::support::{Project, environment};

const SCORED: &str = "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"";
const BUNDLES: [&str; 4] = ["--signing-config=../signing.json", "--trusted-root=../root.json", "--sandbox", "off"];

fn action(path: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../github-action").join(path)
}

/// A job with one use after the other.
struct Job<'p> {
    project: &'p Project,
    env: BTreeMap<String, String>,
    uses: usize,
}

/// What a use gave.
struct Used {
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl<'p> Job<'p> {
    fn new(project: &'p Project) -> Self {
        let mut env = environment(project);
        let temp = project.root().join("runner");
        fs::create_dir_all(&temp).unwrap();
        for (name, value) in [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "example-org/app"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/tags/v1.0.0"),
            ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
            ("GITHUB_WORKSPACE", project.folder().as_str()),
            ("RUNNER_TEMP", temp.as_str()),
            ("GITHUB_ENV", temp.join("env").as_str()),
            ("GITHUB_PATH", temp.join("path").as_str()),
            ("ACTIONS_RUNTIME_TOKEN", "runtime-token-that-nobody-may-see"),
        ] {
            env.insert(name.to_owned(), value.to_owned());
        }
        let job = Self { project, env, uses: 0 };
        job.event("push", &json!({ "repository": { "visibility": "public" } }))
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn event(self, name: &str, payload: &Value) -> Self {
        let path = self.project.root().join("runner/event.json");
        fs::write(&path, payload.to_string()).unwrap();
        self.env("GITHUB_EVENT_NAME", name).env("GITHUB_EVENT_PATH", path.as_str())
    }

    fn pull_request(self, head: &str, base: &str) -> Self {
        let payload = json!({
            "repository": { "visibility": "public" },
            "number": 7,
            "pull_request": { "number": 7, "head": { "repo": { "full_name": head } }, "base": { "sha": base, "repo": { "full_name": "example-org/app" } } },
        });
        self.event("pull_request", &payload)
    }

    fn host(self, host: &Host) -> Self {
        self.env("GITHUB_API_URL", &host.url).env("GITHUB_SERVER_URL", &host.url)
    }

    fn identity(mut self, sigstore: &Sigstore) -> Self {
        self.project.write("../signing.json", sigstore.signing_config());
        self.project.write("../root.json", sigstore.trusted_root());
        for (name, value) in sigstore.environment() {
            self.env.insert(name.to_owned(), value);
        }
        self
    }

    /// One use with these inputs.
    fn uses(&mut self, inputs: &[(&str, &str)]) -> Used {
        self.uses += 1;
        let file = |name: &str| self.project.root().join(format!("runner/{name}-{}", self.uses));
        // Another job of the same test has files of these names.
        [file("output"), file("summary")].iter().for_each(|path| drop(fs::remove_file(path)));
        let mut command = Command::new("bash");
        command.arg(action("run.sh")).env_clear().envs(&self.env).current_dir(self.project.folder()).stdin(Stdio::null());
        command.env("SUPPLYCHAIN_ACTION_BINARY", env!("CARGO_BIN_EXE_cargo-supplychain")).env("SUPPLYCHAIN_ACTION_TOKEN", TOKEN);
        command.env("GITHUB_OUTPUT", file("output")).env("GITHUB_STEP_SUMMARY", file("summary"));
        for (name, value) in inputs {
            command.env(format!("SUPPLYCHAIN_ACTION_{}", name.to_uppercase().replace('-', "_")), value);
        }
        let output = command.output().unwrap();
        let log = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        let read = |name: &str| fs::read_to_string(file(name)).unwrap_or_default();
        let used = Used { code: output.status.code().unwrap(), outputs: outputs(&read("output")), summary: read("summary"), log };
        for secret in [TOKEN, "runtime-token-that-nobody-may-see", "request-token-that-nobody-may-see"] {
            let texts = [&used.log, &used.summary, &format!("{:?}", used.outputs)];
            assert!(texts.iter().all(|text| !text.contains(secret)), "a secret is shown:\n{}", used.log);
        }
        used
    }
}

/// The file of outputs as the runner reads it.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let (mut found, mut lines) = (BTreeMap::new(), text.lines());
    while let Some(line) = lines.next() {
        let (name, value) = match line.split_once("<<") {
            Some((name, end)) => (name, lines.by_ref().take_while(|line| *line != end).collect::<Vec<_>>().join("\n")),
            None => line.split_once('=').map(|(name, value)| (name, value.to_owned())).unwrap(),
        };
        assert!(found.insert(name.to_owned(), value).is_none(), "{name} twice");
    }
    found
}

impl Used {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{:?}", self.log, self.outputs);
        assert_eq!(self.outputs["exit-code"], code.to_string(), "{}", self.log);
        self
    }

    fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// The lines that the runner takes for commands: what stands between two of the fence is none.
    fn commands(&self) -> Vec<&str> {
        let (mut found, mut fence) = (Vec::new(), None);
        for line in self.log.lines() {
            match fence {
                Some(word) if line == format!("::{word}::") => fence = None,
                Some(_) => {}
                None if line.starts_with("::stop-commands::") => fence = line.strip_prefix("::stop-commands::"),
                None if line.starts_with("::") || line.contains("##[") => found.push(line),
                None => {}
            }
        }
        assert_eq!(fence, None, "the fence stays open\n{}", self.log);
        found
    }
}

#[test]
fn every_input_and_output_is_wired() {
    let text = fs::read_to_string(action("action.yml")).unwrap();
    let part = |from: &str, to: &str| text.split(from).nth(1).unwrap().split(to).next().unwrap().to_owned();
    let names = |part: &str| -> Vec<String> {
        let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        part.lines().filter(is_name).map(|line| line.trim().trim_end_matches(':').to_owned()).collect()
    };
    let inputs = names(&part("\ninputs:\n", "\noutputs:\n"));
    assert_eq!(inputs.len(), 26, "{inputs:?}");
    for input in inputs {
        let line = format!("SUPPLYCHAIN_ACTION_{}: ${{{{ inputs.{input} }}}}\n", input.to_uppercase().replace('-', "_"));
        assert!(text.contains(&line), "{line}");
    }
    let project = Project::app();
    let used = Job::new(&project).uses(&[("command", "check"), ("offline", "true")]).expect(0);
    for output in names(&part("\noutputs:\n", "\nruns:\n")) {
        assert!(used.outputs.contains_key(&output), "{output}");
        assert!(text.contains(&format!("steps.run.outputs.{output} }}}}")), "{output}");
    }
    let own = format!("own={} #", env!("CARGO_PKG_VERSION"));
    assert!(fs::read_to_string(action("run.sh")).unwrap().contains(&own), "run.sh has another version");
}

#[test]
fn a_build_is_attested_and_what_was_posted_is_what_lies_beside_it() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let mut job = Job::new(&project).identity(&sigstore).host(&host);
    let args = BUNDLES.join("\n");
    let inputs = [("args", args.as_str()), ("attest", "github"), ("upload-release-assets", "true"), ("upload-sarif", "true")];
    let used = job.uses(&inputs).expect(0);
    assert_eq!((used.output("result"), used.output("attestation-id")), ("pass", "4711\n4711\n4711"));
    assert_eq!(used.output("version"), env!("CARGO_PKG_VERSION"));
    let bundle = Utf8PathBuf::from(used.output("bundle-path"));
    let saved: Value = serde_json::from_slice(&fs::read(&bundle).unwrap()).unwrap();
    let asked = host.asked();
    let posted: Vec<_> = asked.iter().filter(|(line, _)| line.ends_with("/attestations")).collect();
    assert!(posted.len() == 3 && posted.iter().any(|(_, body)| body["bundle"] == saved), "{}", used.log);
    assert!(asked.iter().any(|(line, body)| line.ends_with("/sarifs") && body["ref"] == "refs/tags/v1.0.0"), "{asked:?}");
    let asset = bundle.as_str().trim_end_matches(".sigstore.json");
    assert!(host.assets().contains(&Utf8Path::new(asset).file_name().unwrap().to_owned()), "{:?}", host.assets());
    assert!(
        used.summary.contains("### How to verify") && used.summary.contains("gh attestation verify app "),
        "{}",
        used.summary
    );
    let identity = [("command", "verify"), ("subject-path", asset)];
    let signer = format!("--identity={}\n--issuer={}\n--trusted-root=../root.json", Sigstore::identity(), sigstore.issuer());
    let verify = [identity[0], identity[1], ("args", signer.as_str()), ("offline", "true")];
    assert_eq!(job.uses(&verify).expect(0).output("result"), "pass");
    let mut bytes = fs::read(asset).unwrap();
    bytes.push(0);
    fs::write(asset, bytes).unwrap();
    let refused = job.uses(&verify).expect(3);
    assert_eq!(refused.output("result"), "fail");
    assert_eq!(refused.commands().len(), 1, "{}", refused.log);
}

#[test]
fn what_the_host_refuses_loses_nothing() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let mut job = Job::new(&project).identity(&sigstore).host(&host);
    let args = BUNDLES.join("\n");
    for (statuses, attest, code, told) in [
        (&[403_u16][..], "auto", 0, "the job needs `permissions: attestations: write`"),
        (&[403], "github", 74, "the job needs `permissions: attestations: write`"),
        (&[422], "auto", 0, "the attestation: refused (422"),
        (&[500; 9], "auto", 0, "the attestation: the host answered 500"),
        (&[500, 500], "github", 0, ""),
    ] {
        host.fault("POST /repos/example-org/app/attestations", statuses);
        let used = job.uses(&[("args", &args), ("attest", attest)]).expect(code);
        assert!(Utf8Path::new(used.output("bundle-path")).is_file(), "{}", used.log);
        assert_eq!(used.output("attestation-id").is_empty(), !told.is_empty(), "{statuses:?}\n{}", used.log);
        let warned = used.commands().iter().any(|line| line.starts_with("::warning") && line.contains(told));
        assert_eq!(warned, !told.is_empty(), "{}", used.log);
    }
}

#[test]
fn without_an_identity_nothing_is_signed_and_it_is_said() {
    let (host, project) = (Host::start(), Project::app());
    let mut job = Job::new(&project).host(&host);
    let used = job.uses(&[("args", "--sandbox\noff")]).expect(0);
    assert!(used.log.contains("::notice title=cargo supplychain::not signed: the job has no identity"), "{}", used.log);
    assert_eq!((used.output("bundle-path"), host.asked().len()), ("", 0));
    assert!(Utf8Path::new(used.output("sbom-path")).is_file() && Utf8Path::new(used.output("spdx-path")).is_file());
    let refused = job.uses(&[("attest", "github")]).expect(2);
    assert!(refused.commands()[0].contains("input `attest`: `github` needs `permissions: id-token: write`"), "{}", refused.log);
    // The services are down: the release is complete, and waits.
    let sigstore = Sigstore::start();
    sigstore.fault(Some(Fault::Broken("/api/v2")));
    let mut job = job.identity(&sigstore);
    let args = BUNDLES.join("\n");
    let used = job.uses(&[("args", &args), ("attest", "sigstore")]).expect(4);
    assert!(used.log.contains("complete, but not signed") && used.output("result") == "undetermined", "{}", used.log);
}

#[test]
fn findings_stand_on_their_lines_wherever_the_project_is() {
    let project = Project::with_packages(&[("fig", "1.2.3")]);
    project.advisory("RUSTSEC-2026-0260", "fig", "2026-08-20", SCORED);
    let below = "my project/日本";
    for path in crate::support::files(&project.folder()) {
        let text = fs::read(project.path(&path)).unwrap();
        project.write(&format!("{below}/{path}"), text);
    }
    let mut job = Job::new(&project);
    let inputs = [("command", "check"), ("working-directory", below), ("offline", "true"), ("args", "--only\nadvisories")];
    let used = job.uses(&inputs).expect(1);
    assert_eq!((used.output("result"), used.output("advisories"), used.output("maintainer-alerts")), ("fail", "1", "0"));
    let lock = project.read(&format!("{below}/Cargo.lock"));
    let line = lock.lines().position(|line| line == "name = \"fig\"").unwrap();
    let start = format!("::error file={below}/Cargo.lock,line={line},title=advisory/vulnerability (critical)::");
    assert!(used.commands()[0].starts_with(&start), "{start}\n{}", used.log);
    let sarif: Value = serde_json::from_slice(&fs::read(used.output("sarif-path")).unwrap()).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "my%20project/%E6%97%A5%E6%9C%AC/Cargo.lock");
    assert_eq!(place["region"]["startLine"], json!(line));
    assert!(Utf8Path::new(used.output("report-path")).is_file() && used.summary.contains("RUSTSEC-2026-0260"));
    let report = used.output("report-path").to_owned();
    let again = job.uses(&[&inputs[..], &[("fail-on", "none")]].concat()).expect(0);
    assert_eq!((again.output("result"), again.output("advisories")), ("pass", "1"));
    assert!(again.output("report-path") != report, "two uses share their results");
}

#[test]
fn hostile_inputs_are_values_and_nothing_else() {
    let project = Project::app();
    let mut job = Job::new(&project);
    let trap = project.root().join("trap");
    for input in [
        "command",
        "working-directory",
        "manifest-path",
        "args",
        "policy",
        "fail-on",
        "advisory-db",
        "advisory-db-rev",
        "offline",
        "baseline",
        "sbom-formats",
        "output-dir",
        "subject-path",
        "attest",
        "archive",
        "comment",
        "upload-artifact",
        "artifact-name",
        "upload-sarif",
        "upload-release-assets",
        "asset-names",
        "release-tag",
        "version",
        "binary",
        "cache",
        "token",
    ] {
        for value in [
            format!("$(touch {trap})`touch {trap}`; touch {trap}"),
            format!("x\n::set-output name=result::pass\nresult=pass\n##[add-path]{trap}"),
        ] {
            let mut inputs = vec![("command", "check"), ("offline", "true"), (input, value.as_str())];
            if input == "cache" {
                inputs.push(("binary", ""));
            }
            let used = job.uses(&inputs);
            assert!(!trap.exists(), "{input}={value:?} was run");
            let known = |line: &&str| ["::error ", "::warning ", "::notice "].iter().any(|kind| line.starts_with(kind));
            assert!(used.commands().iter().all(known), "{input}: {}", used.log);
            assert_eq!(
                used.outputs["result"],
                match used.code {
                    0 => "pass",
                    _ => "error",
                },
                "{input}: {}",
                used.log
            );
            fs::remove_dir_all(project.path("$(touch")).unwrap_or_default();
        }
    }
}

#[test]
fn only_exact_versions_of_this_binary() {
    let project = Project::app();
    let mut job = Job::new(&project);
    for version in ["latest", "1", "0.1", "v0.1.0", "^0.1.0", "0.1.0 || 1", "0.1.x", "*", "0.1.0;ls", "99.0.0"] {
        let used = job.uses(&[("command", "check"), ("offline", "true"), ("version", version)]).expect(2);
        assert!(used.commands()[0].contains("version") && used.output("result") == "error", "{version}: {}", used.log);
    }
    job.uses(&[("command", "check"), ("offline", "true"), ("version", env!("CARGO_PKG_VERSION"))]).expect(0);
}

#[test]
fn a_pull_request_has_one_comment() {
    let (host, project) = (Host::start(), Project::app());
    let base = project.commit("before");
    let mut job = Job::new(&project).host(&host).pull_request("example-org/app", &base);
    let check = [("command", "check"), ("comment", "always"), ("args", "--only\nlock,sources")];
    job.uses(&check).expect(0);
    assert!(host.comments().len() == 1 && host.comments()[0].starts_with("<!-- cargo-supplychain "), "{:?}", host.comments());
    assert!(host.comments()[0].contains("### New against"), "{:?}", host.comments());
    let none = "### In the artifacts\n\nNo artifact has other components.";
    assert!(host.comments()[0].contains(none), "{:?}", host.comments());
    // What is linked is told from what the lockfile has.
    project.write("util/Cargo.toml", "[package]\nname = \"util\"\nversion = \"0.1.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n");
    project.write("util/src/lib.rs", "");
    project.write("Cargo.toml", project.read("Cargo.toml") + "\n[dependencies]\nutil = { path = \"util\" }\n");
    let lock =
        project.read("Cargo.lock") + "dependencies = [\n \"util\",\n]\n\n[[package]]\nname = \"util\"\nversion = \"0.1.0\"\n";
    project.write("Cargo.lock", lock);
    job.uses(&check).expect(0);
    assert_eq!(host.comments().len(), 1);
    assert!(host.comments()[0].contains("| app | util 0.1.0 | added, linked |"), "{:?}", host.comments());
    // Another use has one of its own; without a failure none is written anew.
    job.uses(&[check[0], check[1], check[2], ("manifest-path", "Cargo.toml")]).expect(0);
    job.uses(&[check[0], ("comment", "on-failure"), check[2], ("manifest-path", "./Cargo.toml")]).expect(0);
    assert_eq!(host.comments().len(), 2);
    host.fault("GET /repos/example-org/app/issues", &[403]);
    let used = job.uses(&check).expect(0);
    let told = |line: &&str| line.starts_with("::warning") && line.contains("the job needs `permissions: pull-requests: write`");
    assert!(used.commands().iter().any(told), "{}", used.log);
}

#[test]
fn a_pull_request_of_a_fork_is_checked_only() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let mut job = Job::new(&project)
        .identity(&sigstore)
        .host(&host)
        .pull_request("stranger/app", "0123456789012345678901234567890123456789");
    let used = job.uses(&[("comment", "always"), ("upload-sarif", "true"), ("attest", "github")]).expect(0);
    assert!(used.log.contains("comes from a fork"), "{}", used.log);
    assert!(host.asked().is_empty() && sigstore.asked().is_empty() && !project.path("target").exists());
    assert_eq!(used.output("bundle-path"), "");
}

#[test]
fn offline_nobody_is_asked() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let mut job = Job::new(&project).identity(&sigstore).host(&host).pull_request("example-org/app", "x");
    let inputs = [
        ("offline", "true"),
        ("comment", "always"),
        ("upload-sarif", "true"),
        ("upload-release-assets", "true"),
        ("args", "--sandbox\noff"),
    ];
    job.uses(&inputs).expect(0);
    assert!(host.asked().is_empty() && sigstore.asked().is_empty());
    assert_eq!(job.uses(&[("offline", "true"), ("attest", "github")]).expect(2).output("result"), "error");
    assert_eq!(job.uses(&[("offline", "true"), ("binary", "")]).expect(2).output("result"), "error");
}

#[test]
fn a_build_script_finds_no_token_and_gives_no_command() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let seen = project.root().join("seen");
    project.write(
        "build.rs",
        format!(
            r#"use std::io::Write as _;
fn main() {{
    let mut seen = std::fs::File::create({seen:?}).unwrap();
    for (name, value) in std::env::vars() {{
        writeln!(seen, "{{name}}={{value}}").unwrap();
    }}
    // Whoever started us, as far up as it goes.
    let mut process = std::process::id().to_string();
    for _ in 0..6 {{
        let status = std::fs::read_to_string(format!("/proc/{{process}}/status")).unwrap_or_default();
        let Some(parent) = status.lines().find_map(|line| line.strip_prefix("PPid:")) else {{ break }};
        process = parent.trim().to_owned();
        let name = std::fs::read_to_string(format!("/proc/{{process}}/comm")).unwrap_or_default();
        if name.starts_with("cli-") || name.starts_with("action") {{ break }}
        seen.write_all(&std::fs::read(format!("/proc/{{process}}/environ")).unwrap_or_default()).unwrap();
    }}
    println!("cargo::warning=\n::set-output name=result::pass");
    eprintln!("::add-path::/evil\n##[add-path]/evil\n::stop-commands::x\n::x::\n::error::from the build script");
    std::process::exit(1);
}}
"#
        ),
    );
    let mut job = Job::new(&project).identity(&sigstore).host(&host);
    let args = BUNDLES.join("\n");
    let used = job.uses(&[("args", &args), ("fail-on", "none")]).expect(101);
    assert!(used.log.contains("from the build script"), "{}", used.log);
    let commands = used.commands();
    assert!(commands.iter().all(|line| !line.contains("from the build script") && !line.contains("evil")), "{commands:?}");
    assert_eq!(used.output("result"), "error");
    let seen = String::from_utf8_lossy(&fs::read(&seen).unwrap()).into_owned();
    for word in [
        "that-nobody-may-see",
        "ACTIONS_",
        "INPUT_",
        "SUPPLYCHAIN_ACTION_",
        "GITHUB_TOKEN",
        "GITHUB_OUTPUT",
        "GITHUB_ENV",
        "GITHUB_STEP_SUMMARY",
    ] {
        assert!(!seen.contains(word), "{word}\n{seen}");
    }
    assert!(seen.contains("GITHUB_SHA="));
}

#[test]
fn seven_hundred_findings() {
    let project = Project::app();
    let mut lock = project.read("Cargo.lock");
    for at in 0..700 {
        lock += &format!(
            "\n[[package]]\nname = \"p{at:03}\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
        );
    }
    project.write("Cargo.lock", lock);
    let used = Job::new(&project).uses(&[("command", "check"), ("offline", "true"), ("args", "--only\nlock")]).expect(1);
    let count: usize = used.output("policy-violations").parse().unwrap();
    assert!(count >= 700, "{count}");
    assert!(used.summary.len() < 1 << 20 && used.summary.contains("findings are shown, worst first"), "{}", used.summary.len());
    let commands = used.commands();
    assert!(commands.len() <= 11 && commands.last().unwrap().contains("of which the worst 10 are shown"), "{commands:?}");
}

/// The sub-action: what a job without permissions has built is signed by one that has them.
#[test]
fn a_separate_job_signs() {
    let (sigstore, host, project) = (Sigstore::start(), Host::start(), Project::app());
    let mut job = Job::new(&project);
    let built = job.uses(&[("attest", "none"), ("args", "--sandbox\noff"), ("output-dir", "out")]).expect(0);
    assert_eq!(built.output("bundle-path"), "");
    let mut job = Job::new(&project).identity(&sigstore).host(&host);
    let args = BUNDLES[..2].join("\n");
    let used =
        job.uses(&[("command", "attest"), ("subject-path", "out/release"), ("args", &args), ("attest", "github")]).expect(0);
    assert_eq!(used.output("attestation-id").lines().count(), 3);
    assert!(Utf8Path::new(used.output("bundle-path")).is_file());
}

#[test]
fn sboms_are_written_and_releases_archived() {
    let project = Project::app();
    let mut job = Job::new(&project);
    let sboms = job.uses(&[("command", "sbom"), ("offline", "true")]).expect(0);
    for (output, name) in [("sbom-path", "app.cdx.json"), ("spdx-path", "app.spdx.json")] {
        let path = Utf8Path::new(sboms.output(output));
        assert!(path.is_file() && path.file_name() == Some(name), "{path}");
    }
    let one = job.uses(&[("command", "sbom"), ("offline", "true"), ("sbom-formats", "spdx-json")]).expect(0);
    assert_eq!(one.output("sbom-path"), "");

    let common = [("offline", "true"), ("archive", "../archive")];
    let built =
        job.uses(&[&common[..], &[("attest", "none"), ("args", "--sandbox\noff"), ("output-dir", "out")]].concat()).expect(0);
    let digest = built.output("archive-digest").to_owned();
    assert!(digest.starts_with("sha256:") && digest.len() == 71 && built.output("archive-path").ends_with("archive"), "{digest}");
    let release = project.path("out/release").read_dir_utf8().unwrap().map(|one| one.unwrap().path().to_owned());
    let release = release.into_iter().find(|path| path.join("release.json").is_file()).unwrap();
    let inputs = [("command", "archive"), ("subject-path", release.as_str()), ("args", "--unsigned")];
    let again = job.uses(&[&common[..], &inputs].concat()).expect(0);
    assert_eq!(again.output("archive-digest"), digest);
    // Who has to have signed is not said: nothing is taken in, and the reason is told.
    let refused = job.uses(&[&common[..], &inputs[..2]].concat()).expect(2);
    assert!(refused.commands().len() == 1 && refused.output("result") == "error", "{}", refused.log);
}
