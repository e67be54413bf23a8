//! `config/compiler-override`.

use crate::check::cargo_setting::{allow, env_influence, env_variable, finding, key, settings, shown};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::cargo_config::environment::Influence;
use crate::model::{ConfigEntry, Scope};

pub(super) static RULE: Rule = Rule {
    id: "config/compiler-override",
    severity: Severity::Critical,
    area: Area::Config,
    summary: "the cargo configuration replaces or wraps the compiler",
    docs: r#"The cargo configuration names another program in place of rustc, or one that every call of rustc goes through: `build.rustc`,
`build.rustc-wrapper`, `build.rustc-workspace-wrapper`, `build.rustdoc`, or such a variable in `[env]`.

That program sees and decides everything that is compiled. It also runs long before anything is compiled: with cargo 1.95.0 `cargo metadata`,
`cargo tree` and `cargo fetch` start it, so that opening a freshly cloned repository in an editor, or auditing it with a tool that calls
`cargo metadata`, executes what the repository brought (rustsec/rustsec#1342). XcodeGhost (2015) is the same attack from outside: a changed
compiler put its code into thousands of apps whose sources were clean.

Fires for files of the repository, folders above it, files that they `include`, and `--config`. What your own `$CARGO_HOME` says is
low, and info for `sccache`. cargo-supplychain itself does not run the program during analysis.

```toml
# .cargo/config.toml
[build]
rustc-wrapper = "./tools/wrap.sh"
```

What to do: remove the setting, and set it in your own `$CARGO_HOME/config.toml` or in the environment if you want it. A wrapper that the
project wants everywhere is allowed by name:

```toml
# supplychain.toml
[rules]
"config/compiler-override" = { allow = ["sccache"] }
```
"#,
    options: &[RuleOption::allow("programs that may wrap or replace the compiler, as written: a bare name or an absolute path")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    settings(facts).filter_map(|entry| judge(facts, entry)).collect()
}

fn judge(facts: &Facts<'_>, entry: &ConfigEntry) -> Option<Finding> {
    let program = entry.value.as_str().unwrap_or_default();
    let message = if let Some(name) = env_variable(entry) {
        (env_influence(name) == Some(Influence::Compiler))
            .then(|| format!("`[env]` sets {} to `{}`", shown(name), shown(program)))?
    } else {
        let does = match entry.key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["build", "rustc"] => "replaces the compiler by",
            ["build", "rustdoc"] => "replaces the documentation tool by",
            // The empty string switches a wrapper of a weaker file off.
            ["build", "rustc-wrapper" | "rustc-workspace-wrapper"] if program.is_empty() && entry.value.is_str() => return None,
            ["build", "rustc-wrapper" | "rustc-workspace-wrapper"] => "runs every compiler call through",
            _ => return None,
        };
        format!("`{}` {does} `{}`", key(entry), shown(program))
    };
    let is_allowed =
        allow(facts, RULE.id).iter().any(|word| word == program) || (entry.scope == Scope::User && program == "sccache");
    let severity = if is_allowed { Severity::Info } else { Severity::Critical };
    let help = if is_allowed {
        "nothing to do: it is allowed, and recorded"
    } else {
        "remove it, or allow the program by name in `[rules]` of supplychain.toml"
    };
    Some(finding(RULE.id, severity, entry, message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::{World, table};
    use Scope::{CommandLine, Parent, Repository, User};

    #[test]
    fn judged_by_who_sets_it() {
        let wrapper = "build.rustc-wrapper = './w'";
        let critical: &[&str] = &["critical `build.rustc-wrapper` runs every compiler call through `./w`"];
        table(
            &RULE,
            &[
                (Repository, wrapper, critical),
                (Parent, wrapper, critical),
                (CommandLine, wrapper, critical),
                (User, wrapper, &["low `build.rustc-wrapper` runs every compiler call through `./w`"]),
                (
                    User,
                    "build.rustc-wrapper = 'sccache'",
                    &["info `build.rustc-wrapper` runs every compiler call through `sccache`"],
                ),
                (
                    Repository,
                    "build.rustc-wrapper = 'sccache'",
                    &["critical `build.rustc-wrapper` runs every compiler call through `sccache`"],
                ),
            ],
        );
    }

    #[test]
    fn every_way_in_and_the_benign_twins() {
        table(
            &RULE,
            &[
                (Repository, "build.rustc = 'evil'", &["critical `build.rustc` replaces the compiler by `evil`"]),
                (
                    Repository,
                    "build.rustc-workspace-wrapper = 'x'",
                    &["critical `build.rustc-workspace-wrapper` runs every compiler call through `x`"],
                ),
                (Repository, "build.rustdoc = 'x'", &["critical `build.rustdoc` replaces the documentation tool by `x`"]),
                (Repository, "env.RUSTC_WRAPPER = 'x'", &["critical `[env]` sets RUSTC_WRAPPER to `x`"]),
                (Repository, "env.RUSTC = { value = 'x', force = true }", &["critical `[env]` sets RUSTC to `x`"]),
                (Repository, "build.rustc = 1", &["critical `build.rustc` replaces the compiler by ``"]),
                (Repository, "build.rustc-wrapper = ''", &[]),
                (Repository, "[term]\ncolor = 'never'\n[net]\nretry = 3\n[build]\njobs = 4\ntarget-dir = 't'", &[]),
                (Repository, "env.RUST_LOG = 'debug'", &[]),
            ],
        );
    }

    #[test]
    fn the_policy_allows_a_program_by_its_exact_words() {
        for (value, expected) in
            [("sccache", "info"), ("./sccache", "critical"), ("/usr/bin/sccache", "info"), ("sccache2", "critical")]
        {
            let world = World::new().allow(&RULE, &["sccache", "/usr/bin/sccache"]);
            let found = world.file(Repository, &format!("build.rustc-wrapper = '{value}'")).run(&RULE);
            assert!(found[0].starts_with(expected), "{found:?}");
        }
    }
}
