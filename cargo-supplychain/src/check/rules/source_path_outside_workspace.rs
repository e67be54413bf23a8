//! `source/path-outside-workspace`: a path dependency leaves the workspace.

use std::collections::BTreeSet;

use crate::base::Location;
use crate::base::text::plain;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::machine::RealFolder;
use crate::model::manifest::Manifest;

pub(super) static RULE: Rule = Rule {
    id: "source/path-outside-workspace",
    severity: Severity::High,
    area: Area::Sources,
    summary: "a path dependency lies outside of the workspace",
    docs: "\
What lies outside of the workspace is in no commit of it: another machine builds something else, or nothing, and whoever can write
to that folder decides what is released. Members of the workspace are allowed wherever the manifest lists them. Symbolic links are
followed: a path that looks like one of the workspace may lead out of it, and so may the folder of a member.

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

const HELP: &str = "move it into the workspace, publish it, or use git with a full revision";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = facts.settings.list(RULE.id, "allow");
    let folder_of = |manifest: &str| resolve("", manifest.strip_suffix("Cargo.toml").unwrap_or(manifest));
    let members: Vec<_> = facts.manifests.iter().map(|manifest| folder_of(&manifest.path)).collect();
    let mut findings = Vec::new();
    let mut told = BTreeSet::new();
    for (manifest, folder) in facts.manifests.iter().zip(&members) {
        for requirement in manifest.requirements.iter().chain(&manifest.patches) {
            let Some(path) = requirement.path.as_ref().filter(|path| !allowed.contains(path)) else { continue };
            let target = resolve(folder, path);
            let message = if is_outside(&target) {
                if members.contains(&target) {
                    continue;
                }
                format!("`{}` is taken from {}, outside of the workspace", plain(&requirement.name), plain(path))
            } else {
                let key = (manifest.path.clone(), path.clone());
                let Some(real) = facts.machine.paths.get(&key).filter(|real| is_led_out(facts, &members, real)) else { continue };
                told.insert(target);
                let (name, path, real) = (plain(&requirement.name), plain(path), plain(&real.path));
                format!("`{name}` is taken from {path}, a link to {real}, outside of the workspace")
            };
            let finding = Finding::new(RULE.id, RULE.severity, message);
            findings.push(finding.at(requirement.location.clone()).help(HELP));
        }
    }
    let linked = facts.manifests.iter().zip(&members).filter(|(_, folder)| !told.contains(*folder) && !allowed.contains(folder));
    findings.extend(linked.filter_map(|(manifest, folder)| member(facts, &manifest.path, folder)));
    findings
}

/// Whether a path that looks as if it were inside leads out, and not to a member that is listed where it really is.
fn is_led_out(facts: &Facts<'_>, members: &[String], real: &RealFolder) -> bool {
    let is_real_member = |(manifest, folder): (&Manifest, &String)| {
        is_outside(folder) && facts.machine.folders.get(&manifest.path).is_some_and(|folder| folder.path == real.path)
    };
    !real.in_workspace && !facts.manifests.iter().zip(members).any(is_real_member)
}

/// A member whose folder is a link out of the repository: it is in no commit. One that the manifest lists outside is meant to be there.
fn member(facts: &Facts<'_>, manifest: &str, folder: &str) -> Option<Finding> {
    let real = facts.machine.folders.get(manifest).filter(|real| !real.in_workspace && !real.in_repository)?;
    if is_outside(folder) {
        return None;
    }
    let message = format!("the member {} is a link to {}, outside of the repository", plain(folder), plain(&real.path));
    Some(Finding::new(RULE.id, RULE.severity, message).at(Location::file(manifest)).help(HELP))
}

/// `path` seen from `folder` (relative to the workspace root), without `.` and, as far as possible, without `..`. Purely of the text;
/// where links lead is [`crate::model::machine`]'s.
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

    fn real(path: &str, in_workspace: bool, in_repository: bool) -> RealFolder {
        RealFolder { path: path.into(), in_workspace, in_repository }
    }

    #[test]
    fn links_are_followed() {
        for (to, expected) in [
            (
                real("/tmp/x", false, false),
                vec!["high Cargo.toml:2:1: `x` is taken from x, a link to /tmp/x, outside of the workspace"],
            ),
            (
                real("/repo/x", false, true),
                vec!["high Cargo.toml:2:1: `x` is taken from x, a link to /repo/x, outside of the workspace"],
            ),
            (real("sub/x", true, true), vec![]),
            (real("/repo/member", false, true), vec![]),
        ] {
            let mut case = Case::new().manifest("Cargo.toml", "[dependencies]\nx = { path = \"x\" }\n");
            // The linked folder is a member in cargo's eyes.
            case = case.manifest("../member/Cargo.toml", "").manifest("x/Cargo.toml", "");
            case.machine.paths.insert(("Cargo.toml".into(), "x".into()), to.clone());
            case.machine.folders.insert("x/Cargo.toml".into(), to);
            case.machine.folders.insert("../member/Cargo.toml".into(), real("/repo/member", false, true));
            assert_eq!(case.run(&RULE), expected);
        }
    }

    #[test]
    fn members_that_are_links() {
        let says = "high m/Cargo.toml: the member m is a link to /tmp/m, outside of the repository";
        for (path, to, expected) in [
            ("m/Cargo.toml", real("/tmp/m", false, false), vec![says]),
            ("m/Cargo.toml", real("/repo/m", false, true), vec![]),
            ("m/Cargo.toml", real("other/m", true, true), vec![]),
            ("../m/Cargo.toml", real("/tmp/m", false, false), vec![]),
        ] {
            let mut case = Case::new().manifest("Cargo.toml", "").manifest(path, "");
            case.machine.folders.insert(path.into(), to);
            assert_eq!(case.run(&RULE), expected);
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
