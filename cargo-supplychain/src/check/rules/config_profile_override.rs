//! `config/profile-override`.

use std::collections::BTreeMap;

use crate::check::cargo_setting::{finding, settings, shown};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::ConfigEntry;

pub(super) static RULE: Rule = Rule {
    id: "config/profile-override",
    severity: Severity::Low,
    area: Area::Config,
    summary: "the cargo configuration changes a profile of the manifest",
    docs: r#"`[profile.NAME]` in the cargo configuration outranks the same table of Cargo.toml. A reader of the manifest sees overflow checks on, or debug
information kept, and the program has neither. It is low: the setting changes how the code is compiled, not which code. The effective
profile is recorded in the provenance.

High are two settings that need an unstable cargo and let a profile bring code: `codegen-backend` (a library that rustc loads) and
`rustflags`.

No incident is known; the finding exists because two machines then build different programs from one commit.

```toml
# .cargo/config.toml
[profile.release]
overflow-checks = false
```

What to do: move the profile into Cargo.toml.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut profiles: BTreeMap<(&str, &str), Vec<&ConfigEntry>> = BTreeMap::new();
    for entry in settings(facts).filter(|entry| entry.starts_with(&["profile", "*", "*"])) {
        profiles.entry((&entry.location.file, &entry.key[1])).or_default().push(entry);
    }
    profiles.into_iter().filter_map(|((_, profile), entries)| judge(profile, &entries)).collect()
}

/// One finding a profile and file.
fn judge(profile: &str, entries: &[&ConfigEntry]) -> Option<Finding> {
    let brings_code =
        |entry: &&&ConfigEntry| matches!(entry.key.last().map(String::as_str), Some("codegen-backend" | "rustflags"));
    let worst = entries.iter().find(brings_code);
    let severity = if worst.is_some() { Severity::High } else { Severity::Low };
    let keys: Vec<_> = entries.iter().map(|entry| shown(&entry.key[2..].join("."))).collect();
    let message = format!("profile `{}` is changed outside Cargo.toml: {}", shown(profile), keys.join(", "));
    let first = worst.or(entries.first())?;
    Some(finding(RULE.id, severity, first, message).help("move the profile into Cargo.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::table;
    use crate::model::Scope::{Repository, User};

    #[test]
    fn one_finding_a_profile() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "[profile.release]\nstrip = true\ndebug = 1\n[profile.dev.package.a]\nopt-level = 2",
                    &[
                        "low profile `dev` is changed outside Cargo.toml: package.a.opt-level",
                        "low profile `release` is changed outside Cargo.toml: debug, strip",
                    ],
                ),
                (
                    Repository,
                    "[profile.release]\nlto = true\ncodegen-backend = './x.so'",
                    &["high profile `release` is changed outside Cargo.toml: codegen-backend, lto"],
                ),
                (
                    User,
                    "profile.release.rustflags = ['-Zx']",
                    &["low profile `release` is changed outside Cargo.toml: rustflags"],
                ),
                (Repository, "[profile.release]\n[build]\njobs = 1", &[]),
            ],
        );
    }
}
