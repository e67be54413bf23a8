//! `config/source-override`.

use crate::check::cargo_setting::{finding, settings, shown};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "config/source-override",
    severity: Severity::Critical,
    area: Area::Config,
    summary: "`paths` of the cargo configuration replaces dependencies by local folders",
    docs: r#"`paths = […]` of the cargo configuration replaces any dependency of the same name by what lies in a folder.

With cargo 1.95.0 it does so even under `--locked`, and Cargo.lock does not change: the lockfile still names the crate of crates.io with its
checksum, while other code is compiled. Every tool that reads the lockfile is told the wrong thing. An SBOM of cargo-supplychain claims no
registry identity for such a component. No public incident is known; the behaviour was reproduced.

```toml
# .cargo/config.toml
paths = ["third_party/openssl"]
```

What to do: remove it. To work on a dependency for a while, set it in `--config` of a build that is not released; to ship a changed one, use
`[patch]` in Cargo.toml, which the lockfile records.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    settings(facts)
        .filter(|entry| entry.is(&["paths"]) && entry.value.as_array().is_none_or(|paths| !paths.is_empty()))
        .map(|entry| {
            let paths: Vec<_> = entry.words().iter().map(|path| format!("`{}`", shown(path))).collect();
            let message =
                format!("`paths` replaces dependencies by the packages in {}, unseen by Cargo.lock", shown(&paths.join(", ")));
            finding(RULE.id, Severity::Critical, entry, message)
                .help("remove `paths`; use `[patch]` in Cargo.toml for a changed dependency")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::table;
    use crate::model::Scope::{CommandLine, Repository, User};

    #[test]
    fn paths_fire_and_their_absence_does_not() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "paths = ['a', '/b']",
                    &["critical `paths` replaces dependencies by the packages in `a`, `/b`, unseen by Cargo.lock"],
                ),
                (
                    CommandLine,
                    "paths = ['a']",
                    &["critical `paths` replaces dependencies by the packages in `a`, unseen by Cargo.lock"],
                ),
                (User, "paths = ['a']", &["low `paths` replaces dependencies by the packages in `a`, unseen by Cargo.lock"]),
                (Repository, "paths = []", &[]),
                (Repository, "env.paths = 'x'", &[]),
            ],
        );
    }
}
