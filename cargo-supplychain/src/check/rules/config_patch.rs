//! `config/patch`.

use camino::{Utf8Component, Utf8Path};

use crate::base::text::without_credentials;
use crate::check::cargo_setting::{finding, settings, shown};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::manifest::{Manifest, Requirement};

pub(super) static RULE: Rule = Rule {
    id: "config/patch",
    severity: Severity::High,
    area: Area::Config,
    summary: "`[patch]` puts another package in the place of a dependency",
    docs: r#"`[patch]` replaces a package, for the whole dependency graph, by one from elsewhere that says it has the same name.

In the cargo configuration it is high: the change stands in a file that most readers of a manifest never open, and it applies only where cargo
happens to be started, so that two people build different programs from one commit.

In a manifest (`[patch]`, `[replace]`) it is the project's own decision, written where decisions belong, and Cargo.lock records the outcome.
There the severity says how well one can tell what it brings: info for a folder of the workspace; low for a git repository at a full commit;
medium for a git branch, tag or short revision and for another version of a registry; high for a folder outside the workspace, whose content
nothing in the repository determines.

The event-stream incident (2018) was a package handed over under the same name; `[patch]` does the same by configuration.

```toml
# .cargo/config.toml
[patch.crates-io]
openssl = { git = "https://git.example/fork.git" }
```

What to do: move it into Cargo.toml, with `rev = "<full commit>"`, and say there why.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    in_configuration(facts).into_iter().chain(facts.manifests.iter().flat_map(in_manifest)).collect()
}

/// One finding a package, not one a key of its table.
fn in_configuration(facts: &Facts<'_>) -> Vec<Finding> {
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for entry in settings(facts).filter(|entry| entry.starts_with(&["patch", "*", "*"])) {
        let identity = (&entry.key[1], &entry.key[2], &entry.location.file);
        if !seen.contains(&identity) {
            seen.push(identity);
            let (source, package) = (shown(&without_credentials(&entry.key[1])), shown(&entry.key[2]));
            let message = format!("the cargo configuration replaces `{package}` of {source}");
            findings.push(
                finding(RULE.id, Severity::High, entry, message).help("move the patch into Cargo.toml, with a full commit"),
            );
        }
    }
    findings
}

fn in_manifest(manifest: &Manifest) -> impl Iterator<Item = Finding> {
    manifest.patches.iter().map(|patch| {
        let (severity, by, help) = judge(manifest, patch);
        Finding::new(RULE.id, severity, format!("`{}` is replaced by {by}", shown(&patch.name)))
            .at(patch.location.clone())
            .because(format!("set by [{}] of {}", shown(&patch.table), manifest.path))
            .help(help)
    })
}

fn judge(manifest: &Manifest, patch: &Requirement) -> (Severity, String, &'static str) {
    if let Some(git) = &patch.git {
        let url = shown(&without_credentials(&git.url));
        return match &git.rev {
            Some(rev) if is_full_commit(rev) => (
                Severity::Low,
                format!("{url} at commit {rev}"),
                "nothing to do: the commit says what is built; return to the original when you can",
            ),
            _ => (Severity::Medium, format!("{url} without a full commit"), "add `rev = \"<full commit>\"`"),
        };
    }
    match &patch.path {
        Some(path) if leaves_workspace(&manifest.path, path) => (
            Severity::High,
            format!("a folder outside the workspace ({})", shown(path)),
            "move the package into the workspace, or use git with a full commit",
        ),
        Some(path) => (
            Severity::Info,
            format!("a folder of the workspace ({})", shown(path)),
            "nothing to do: it is reviewed with the rest",
        ),
        None => (
            Severity::Medium,
            "another version or registry".to_owned(),
            "say in a comment why, and remove it when the original serves",
        ),
    }
}

/// A SHA-1 or SHA-256 object name in full.
fn is_full_commit(rev: &str) -> bool {
    matches!(rev.len(), 40 | 64) && rev.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether `path`, written in the manifest at `manifest` (relative to the workspace root), ends outside that root.
fn leaves_workspace(manifest: &str, path: &str) -> bool {
    let folder = Utf8Path::new(manifest).parent().unwrap_or(Utf8Path::new(""));
    let mut depth = 0_usize;
    for part in folder.components().chain(Utf8Path::new(path).components()) {
        match part {
            Utf8Component::Normal(_) => depth += 1,
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if depth > 0 => depth -= 1,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Location;
    use crate::check::cargo_setting::fixture::{World, table};
    use crate::model::Scope::{Repository, User};
    use crate::model::manifest::GitRequirement;

    #[test]
    fn in_the_configuration() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "patch.crates-io.foo = { path = 'x', package = 'foo' }",
                    &["high the cargo configuration replaces `foo` of crates-io"],
                ),
                (
                    Repository,
                    "patch.'https://u:p@h/r'.a = '1'\npatch.crates-io.b.git = 'x'",
                    &[
                        "high the cargo configuration replaces `b` of crates-io",
                        "high the cargo configuration replaces `a` of https://h/r",
                    ],
                ),
                (User, "patch.crates-io.foo.path = 'x'", &["low the cargo configuration replaces `foo` of crates-io"]),
                (Repository, "[patch]", &[]),
            ],
        );
    }

    fn patched(change: impl Fn(&mut Requirement)) -> Vec<String> {
        let mut patch = Requirement {
            name: "foo".into(),
            key: "foo".into(),
            table: "patch.crates-io".into(),
            version: None,
            registry: None,
            git: None,
            path: None,
            inherited: false,
            location: Location::line("Cargo.toml", 3),
        };
        change(&mut patch);
        let mut world = World::new();
        let manifest = crate::model::manifest::parse("a/Cargo.toml", "").unwrap();
        world.manifests = vec![Manifest { patches: vec![patch], ..manifest }];
        world.run(&RULE)
    }

    #[test]
    fn in_a_manifest() {
        let git = |rev: Option<&str>| {
            let rev = rev.map(str::to_owned);
            patched(|patch| {
                patch.git = Some(GitRequirement { url: "https://u:p@h/r".into(), rev: rev.clone(), branch: None, tag: None });
            })
        };
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(git(Some(full)), [format!("low `foo` is replaced by https://h/r at commit {full}")]);
        assert_eq!(git(Some("0123456")), ["medium `foo` is replaced by https://h/r without a full commit"]);
        assert_eq!(git(None), ["medium `foo` is replaced by https://h/r without a full commit"]);
        for (path, expected) in [
            ("../b", "info `foo` is replaced by a folder of the workspace (../b)"),
            ("b/./c", "info `foo` is replaced by a folder of the workspace (b/./c)"),
            ("../../b", "high `foo` is replaced by a folder outside the workspace (../../b)"),
            ("/b", "high `foo` is replaced by a folder outside the workspace (/b)"),
        ] {
            assert_eq!(patched(|patch| patch.path = Some(path.into())), [expected]);
        }
        assert_eq!(
            patched(|patch| patch.version = Some("1".into())),
            ["medium `foo` is replaced by another version or registry"]
        );
        assert!(World::new().run(&RULE).is_empty());
    }
}
