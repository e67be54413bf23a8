//! `source/path-outside-workspace`: a path dependency leaves the workspace.

use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "source/path-outside-workspace",
    severity: Severity::High,
    area: Area::Sources,
    summary: "a path dependency lies outside of the workspace",
    docs: "\
What lies outside of the workspace is in no commit of it: another machine builds something else, or nothing, and whoever can write
to that folder decides what is released. Members of the workspace are allowed wherever they are.

**Behind it:** a shared build machine where `../../tmp/x` belongs to somebody else.

```toml
[dependencies]
x = { path = \"../../tmp/x\" }
```

**What to do:** move the package into the workspace, publish it, or use git with a full revision.
",
    options: &[RuleOption::allow("paths as the manifest writes them")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = facts.settings.list(RULE.id, "allow");
    let folder_of = |manifest: &str| resolve("", manifest.strip_suffix("Cargo.toml").unwrap_or(manifest));
    let members: Vec<_> = facts.manifests.iter().map(|manifest| folder_of(&manifest.path)).collect();
    let mut findings = Vec::new();
    for (manifest, folder) in facts.manifests.iter().zip(&members) {
        for requirement in manifest.requirements.iter().chain(&manifest.patches) {
            let Some(path) = &requirement.path else { continue };
            let target = resolve(folder, path);
            if !is_outside(&target) || members.contains(&target) || allowed.contains(path) {
                continue;
            }
            let message = format!("`{}` is taken from {path}, outside of the workspace", requirement.name);
            let finding = Finding::new(RULE.id, RULE.severity, message).at(requirement.location.clone());
            findings.push(finding.help("move it into the workspace, publish it, or use git with a full revision"));
        }
    }
    findings
}

/// `path` seen from `folder` (relative to the workspace root), without `.` and, as far as possible, without `..`. Purely of the text:
/// symbolic links are not looked at.
fn resolve(folder: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
    let whole = if is_absolute { path } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let root = if is_absolute && whole.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

fn is_outside(resolved: &str) -> bool {
    resolved == ".." || resolved.starts_with("../") || resolved.starts_with('/') || resolved.as_bytes().get(1) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn paths_that_leave_fire_and_members_do_not() {
        for (path, fires) in [
            ("../../tmp/x", true),
            ("../..", true),
            ("/tmp/x", true),
            ("C:/x", true),
            ("..\\\\..\\\\x", true),
            ("../b", false),
            ("../../ws/../../elsewhere", true),
            ("sub/./x", false),
            ("..", false),
            ("../../member-outside", false),
        ] {
            let text = format!("[package]\nname = \"a\"\n[dependencies]\nx = {{ path = \"{path}\" }}\n");
            let case = Case::new().manifest("Cargo.toml", "").manifest("a/Cargo.toml", &text);
            let found = case.manifest("../member-outside/Cargo.toml", "").run(&RULE);
            let shown = path.replace("\\\\", "\\");
            let message = format!("high a/Cargo.toml:4:1: `x` is taken from {shown}, outside of the workspace");
            assert_eq!(found, if fires { vec![message] } else { vec![] }, "{path}");
        }
    }

    #[test]
    fn patches_count_and_the_policy_may_allow() {
        let text = "[patch.crates-io]\nx = { path = \"../x\" }\n";
        assert_eq!(Case::new().manifest("Cargo.toml", text).run(&RULE).len(), 1);
        let policy = "[rules]\n\"source/path-outside-workspace\" = { allow = [\"../x\"] }\n";
        assert!(Case::new().manifest("Cargo.toml", text).policy(policy).run(&RULE).is_empty());
    }
}
