//! `config/alias-shadows-tool`.

use crate::check::cargo_setting::{finding, shown};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "config/alias-shadows-tool",
    severity: Severity::Critical,
    area: Area::Config,
    summary: "an alias of the cargo configuration takes the place of `cargo supplychain`",
    docs: r#"With `[alias] supplychain = …` cargo never starts this program: `cargo supplychain check` does what the alias says, and exits 0 if that does.
Tried with cargo 1.95.0, which prints a warning for an alias over an installed subcommand and runs the alias. The repository that is to be judged
switches its judge off; CI is green. No public incident is known.

The finding comes only when the binary is called directly, `cargo-supplychain supplychain check`, as the GitHub Action does and as every
CI job should. Cargo itself ignores aliases over its built-in commands such as `build`, and so does this rule. An alias in your own
`$CARGO_HOME`, or in a variable of the environment, is low.

```toml
# .cargo/config.toml
[alias]
supplychain = "version"
```

What to do: remove the alias; call `cargo-supplychain supplychain …` where the result counts.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let shadowing = facts.cargo_config.entries.iter().filter(|entry| entry.is(&["alias", "supplychain"]));
    shadowing
        .map(|entry| {
            let words = shown(&entry.words().join(" "));
            let message = format!("`cargo supplychain` is an alias for `cargo {words}`, so that this program does not run");
            finding(RULE.id, Severity::Critical, entry, message)
                .help("remove the alias; call `cargo-supplychain supplychain` directly where the result counts")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::table;
    use crate::model::Scope::{Environment, Repository, User};

    #[test]
    fn the_alias_of_this_program_fires_and_others_do_not() {
        let message = |severity: &str| {
            format!("{severity} `cargo supplychain` is an alias for `cargo version -v`, so that this program does not run")
        };
        let (critical, low) = (message("critical"), message("low"));
        table(
            &RULE,
            &[
                (Repository, "alias.supplychain = 'version -v'", &[&*critical]),
                (Repository, "[alias]\n\"supplychain\" = ['version', '-v']", &[&*critical]),
                (User, "alias.supplychain = 'version -v'", &[&*low]),
                (Environment, "alias.supplychain = 'version -v'", &[&*low]),
                (Repository, "alias.b = 'build'\nalias.sc = 'supplychain'\nalias.build = 'version'", &[]),
            ],
        );
    }
}
