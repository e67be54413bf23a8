//! What a run gave, and its text without what differs from machine to machine.

use std::fmt;
use std::process::Output;

use camino::Utf8PathBuf;
use serde_json::Value;

use super::Project;

/// Exit code and output of one run.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    arguments: String,
    root: Utf8PathBuf,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` exit {}\nstdout:\n{}\nstderr:\n{}", self.arguments, self.code, self.stdout, self.stderr)
    }
}

impl Outcome {
    pub(super) fn new(project: &Project, arguments: &[String], output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
            arguments: arguments.join(" "),
            root: project.root().to_owned(),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// The findings of a report (or of the report in an envelope), as `severity id`, with the package where there is one. Findings of
    /// info, and that the toolchain is not pinned, are left out.
    #[track_caller]
    pub fn findings(&self) -> Vec<String> {
        let told = |finding: &&Value| finding["severity"] != "info" && finding["id"] != "toolchain/unpinned";
        let line = |finding: &Value| {
            let words = ["severity", "id", "package", "version"].map(|key| finding[key].as_str().unwrap_or_default().to_owned());
            words.join(" ").trim_end().to_owned()
        };
        let mut found: Vec<_> = self.report()["findings"].as_array().unwrap().iter().filter(told).map(line).collect();
        found.dedup();
        found
    }

    /// The finding of this id.
    #[track_caller]
    pub fn finding(&self, id: &str) -> Value {
        let report = self.report();
        let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id).cloned();
        found.unwrap_or_else(|| panic!("no finding {id}\n{self}"))
    }

    /// `check: why` of the required checks that were not made.
    #[track_caller]
    pub fn undetermined(&self) -> Vec<String> {
        let report = self.report();
        let required = report["not_evaluated"].as_array().unwrap().iter().filter(|check| check["required"] == true);
        required.map(|check| format!("{}: {}", check["check"].as_str().unwrap(), check["why"].as_str().unwrap())).collect()
    }

    /// The report: standard output itself, or `report` of the envelope of `build`.
    #[track_caller]
    pub fn report(&self) -> Value {
        let value = self.json();
        value.get("report").cloned().unwrap_or(value)
    }

    /// Staging folders and temporary files that were left behind.
    pub(super) fn half_done(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in ["project", "project/target/supplychain", "project/out", "config/cargo-supplychain", "tmp"] {
            let Ok(entries) = self.root.join(folder).read_dir_utf8() else { continue };
            let names = entries.map(|entry| entry.unwrap().file_name().to_owned());
            found.extend(names.filter(|name| {
                [".staging-", ".aside-", ".supplychain-", "cargo-home-", "supplychain-again-"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            }));
        }
        found
    }

    /// Standard error, and standard output where there is any, for a snapshot.
    pub fn text(&self) -> String {
        let text = match (self.stdout.is_empty(), self.stderr.is_empty()) {
            (true, _) => self.stderr.clone(),
            (false, true) => self.stdout.clone(),
            (false, false) => format!("{}--- stdout\n{}", self.stderr, self.stdout),
        };
        format!("exit {}\n{}", self.code, redacted(&text, self.root.as_str()))
    }
}

/// Text without the temporary folder, times, digests, versions and the host.
fn redacted(text: &str, root: &str) -> String {
    // Cargo, started in the root folder, shows some paths without their first slash.
    let text = text
        .replace(root, "[ROOT]")
        .replace(root.trim_start_matches('/'), "[ROOT]")
        .replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    let lines = text.lines().map(|line| line.split(' ').map(redacted_word).collect::<Vec<_>>().join(" "));
    let text: String = lines.map(|line| without_size(line.trim_end()) + "\n").collect();
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    without_channel(&text.replace(&host, "[HOST]"))
}

/// The compiler's version, where it is proposed for a toolchain file.
fn without_channel(text: &str) -> String {
    const KEY: &str = "channel = \"";
    let mut parts = text.split(KEY);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, part| {
        format!("{before}{KEY}[CHANNEL]{}", part.trim_start_matches(|one: char| one.is_ascii_digit() || one == '.'))
    })
}

/// `449752 bytes` depends on the compiler.
fn without_size(line: &str) -> String {
    let Some((before, after)) = line.split_once(" bytes, sha256") else { return line.to_owned() };
    let name = before.trim_end_matches(|one: char| one.is_ascii_digit());
    format!("{name}[SIZE] bytes, sha256{after}")
}

fn redacted_word(word: &str) -> String {
    if word.ends_with("/bin/rustc") {
        return "[RUSTC]".to_owned();
    }
    let (mut out, mut run) = (String::new(), String::new());
    for one in word.chars().chain(['\0']) {
        if one.is_ascii_hexdigit() {
            run.push(one);
            continue;
        }
        out.push_str(if run.len() >= 40 { "[HEX]" } else { &run });
        run.clear();
        out.push(one);
    }
    out.pop();
    // `0.53s` of cargo, and the seconds of our stages, which stand alone.
    let number = out.strip_suffix('s').unwrap_or(&out);
    if number.contains('.') && number.split('.').count() == 2 && number.chars().all(|one| one.is_ascii_digit() || one == '.') {
        return "[TIME]".to_owned();
    }
    out
}
