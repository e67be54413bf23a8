//! The outputs of the action: always all of them, also when it failed. Pure.

use std::fmt::Write as _;

use super::super::exit::Exit;

/// Names as action.yml has them, with their values; what there is none of is empty. A list has one entry a line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Outputs {
    pub(super) sbom_path: Vec<String>,
    pub(super) spdx_path: Vec<String>,
    pub(super) sarif_path: String,
    pub(super) report_path: String,
    pub(super) checksums_path: Vec<String>,
    pub(super) bundle_path: Vec<String>,
    pub(super) attestation_id: Vec<String>,
    pub(super) attestation_url: Vec<String>,
    pub(super) archive_path: String,
    pub(super) archive_digest: String,
    pub(super) advisories: usize,
    pub(super) policy_violations: usize,
    pub(super) maintainer_alerts: usize,
    /// What the step after this one uploads, where that is wanted.
    pub(super) artifact_path: String,
    pub(super) artifact_name: String,
}

/// What an exit code means for the workflow.
pub(super) fn result(code: i32) -> &'static str {
    match code {
        0 => "pass",
        code if code == Exit::Finding as i32 || code == Exit::Rejected as i32 => "fail",
        code if code == Exit::Undetermined as i32 => "undetermined",
        _ => "error",
    }
}

impl Outputs {
    /// As the runner's file takes them (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>): each between
    /// lines that nobody can guess, so that no value ends early and begins another output.
    pub(super) fn lines(&self, code: i32, delimiter: &str) -> String {
        let numbers = [self.advisories, self.policy_violations, self.maintainer_alerts].map(|count| count.to_string());
        let code_text = code.to_string();
        let [advisories, violations, alerts] = &numbers;
        let Self { sbom_path, spdx_path, checksums_path, bundle_path, attestation_id, attestation_url, .. } = self;
        let lists = [sbom_path, spdx_path, checksums_path, bundle_path, attestation_id, attestation_url];
        let [sbom, spdx, checksums, bundles, ids, urls] = lists.map(|list| list.join("\n"));
        let mut out = String::new();
        for (name, value) in [
            ("result", result(code)),
            ("exit-code", &code_text),
            ("sbom-path", &sbom),
            ("spdx-path", &spdx),
            ("sarif-path", &self.sarif_path),
            ("report-path", &self.report_path),
            ("checksums-path", &checksums),
            ("bundle-path", &bundles),
            ("attestation-id", &ids),
            ("attestation-url", &urls),
            ("archive-path", &self.archive_path),
            ("archive-digest", &self.archive_digest),
            ("advisories", advisories),
            ("policy-violations", violations),
            ("maintainer-alerts", alerts),
            ("version", env!("CARGO_PKG_VERSION")),
            ("artifact-path", &self.artifact_path),
            ("artifact-name", &self.artifact_name),
        ] {
            writeln!(out, "{name}<<{delimiter}\n{value}\n{delimiter}").expect("writing to a string cannot fail");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_output_is_there_and_none_begins_another() {
        let outputs = Outputs { sbom_path: vec!["a\nresult=pass".into(), "b".into()], advisories: 2, ..Outputs::default() };
        let text = outputs.lines(1, "EOF-x");
        assert!(
            text.starts_with(
                "result<<EOF-x\nfail\nEOF-x\nexit-code<<EOF-x\n1\nEOF-x\nsbom-path<<EOF-x\na\nresult=pass\nb\nEOF-x\n"
            )
        );
        assert!(text.contains("advisories<<EOF-x\n2\n"));
        assert_eq!(text.matches("<<EOF-x").count(), 18);
    }

    #[test]
    fn codes_as_words() {
        for (code, word) in
            [(0, "pass"), (1, "fail"), (3, "fail"), (4, "undetermined"), (2, "error"), (70, "error"), (101, "error")]
        {
            assert_eq!(result(code), word);
        }
    }
}
