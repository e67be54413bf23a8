//! `config/credential-provider-command`.

use crate::check::cargo_setting::{allow, finding, key, settings, shown};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::{ConfigEntry, Scope};

pub(super) static RULE: Rule = Rule {
    id: "config/credential-provider-command",
    severity: Severity::High,
    area: Area::Config,
    summary: "the cargo configuration names a command that handles registry credentials",
    docs: r#"A credential provider is a program that cargo asks for registry tokens, and tells new ones to. One that the repository names is run on the
machine of whoever publishes or logs in there, and gets the token. Tried with cargo 1.95.0: `registry.credential-provider`,
`registry.global-credential-providers` and an alias in `[credential-alias]` each started the program for a mere `cargo logout`. Stolen
publishing tokens are how most takeovers of packages begin (ua-parser-js 2021, rspack 2024).

Cargo's built-in providers (`cargo:token`, `cargo:libsecret`, `cargo:macos-keychain`, `cargo:wincred`) are silent.
`cargo:token-from-stdout` runs a command and is none of these. What your own `$CARGO_HOME` says is low.

```toml
# .cargo/config.toml
[registry]
global-credential-providers = ["./tools/credentials"]
```

What to do: move it into your own `$CARGO_HOME/config.toml`, or allow the program:

```toml
# supplychain.toml
[rules]
"config/credential-provider-command" = { allow = ["cargo-credential-1password"] }
```
"#,
    options: &[RuleOption::allow("provider programs, as written (the first word)")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    settings(facts).flat_map(|entry| commands(entry).into_iter().filter_map(|words| judge(facts, entry, &words))).collect()
}

/// The providers that an entry names, each as its words.
fn commands(entry: &ConfigEntry) -> Vec<Vec<String>> {
    let is_one = entry.is(&["registry", "credential-provider"])
        || entry.is(&["registries", "*", "credential-provider"])
        || entry.is(&["credential-alias", "*"]);
    if is_one {
        vec![entry.words()]
    } else if entry.is(&["registry", "global-credential-providers"]) {
        // Each item of the list is a provider with its arguments; cargo takes no single string here.
        entry.words().iter().map(|item| item.split_whitespace().map(str::to_owned).collect()).collect()
    } else {
        Vec::new()
    }
}

fn judge(facts: &Facts<'_>, entry: &ConfigEntry, words: &[String]) -> Option<Finding> {
    let program = words.first()?;
    let command = match program.as_str() {
        "cargo:token-from-stdout" => words.get(1).map_or("", String::as_str),
        builtin if builtin.starts_with("cargo:") => return None,
        alias if is_alias(facts, alias) => return None,
        other => other,
    };
    let is_allowed = allow(facts, RULE.id).iter().any(|word| word == command);
    let message = format!("`{}` lets `{}` handle registry credentials", key(entry), shown(command));
    Some(if is_allowed {
        finding(RULE.id, Severity::Info, entry, message).help("nothing to do: it is allowed, and recorded")
    } else {
        finding(RULE.id, Severity::High, entry, message)
            .help("move it to your own $CARGO_HOME/config.toml, or allow the program in `[rules]` of supplychain.toml")
    })
}

/// An alias is judged where it is defined.
fn is_alias(facts: &Facts<'_>, name: &str) -> bool {
    facts.cargo_config.entries.iter().any(|entry| entry.scope != Scope::Environment && entry.is(&["credential-alias", name]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::{World, table};
    use Scope::{Repository, User};

    #[test]
    fn commands_fire_and_the_built_in_do_not() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "registry.credential-provider = ['./c', '--x']",
                    &["high `registry.credential-provider` lets `./c` handle registry credentials"],
                ),
                (
                    Repository,
                    "registries.corp.credential-provider = 'c --x'",
                    &["high `registries.corp.credential-provider` lets `c` handle registry credentials"],
                ),
                (
                    Repository,
                    "registry.global-credential-providers = ['cargo:token', 'cargo:token-from-stdout ./t', 'c']",
                    &[
                        "high `registry.global-credential-providers` lets `./t` handle registry credentials",
                        "high `registry.global-credential-providers` lets `c` handle registry credentials",
                    ],
                ),
                (
                    Repository,
                    "registry.credential-provider = 'mine'\ncredential-alias.mine = ['./c']",
                    &["high `credential-alias.mine` lets `./c` handle registry credentials"],
                ),
                (
                    User,
                    "registry.credential-provider = 'c'",
                    &["low `registry.credential-provider` lets `c` handle registry credentials"],
                ),
                (Repository, "registry.credential-provider = 'cargo:libsecret'", &[]),
                (Repository, "registry.global-credential-providers = ['cargo:token', 'cargo:wincred']", &[]),
                (Repository, "registries.corp.index = 'x'\nregistry.default = 'corp'", &[]),
            ],
        );
        let allowed = World::new().allow(&RULE, &["c"]).file(Repository, "registry.credential-provider = 'c x'").run(&RULE);
        assert_eq!(allowed, ["info `registry.credential-provider` lets `c` handle registry credentials"]);
    }
}
