//! `config/compiler-override`.

use crate::check::cargo_setting::{allowed_wrappers, env_influence, env_variable, finding, key, settings, shown};
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
project wants everywhere is allowed by name, or by name and digest, which is compared with the file that `PATH` has here:

```toml
# supplychain.toml
[rules]
"config/compiler-override" = { allow = ["sccache"] }
# { allow = ["sccache@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"] }
```
"#,
    options: &[RuleOption::allow(
        "programs that may wrap or replace the compiler, as written: a bare name or an absolute path; with `@sha256:HEX` only that file",
    )],
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
    let allowed = allowed(facts, program);
    let is_allowed =
        matches!(allowed, Allowed::Yes | Allowed::WithDigest(_)) || (entry.scope == Scope::User && program == "sccache");
    let severity = if is_allowed { Severity::Info } else { Severity::Critical };
    let help = if is_allowed {
        "nothing to do: it is allowed, and recorded"
    } else {
        "remove it, or allow the program by name in `[rules]` of supplychain.toml"
    };
    let mut finding = finding(RULE.id, severity, entry, message).help(help);
    if let Allowed::WithDigest(said) | Allowed::OtherDigest(said) = allowed {
        finding = finding.because(said);
    } else if let Some(Ok(program)) = facts.machine.programs.get(program) {
        finding = finding.because(format!("{} has the sha256 {}", shown(&program.path), program.sha256));
    }
    Some(finding)
}

/// What the policy says of a program, and of the file that stands for it here.
enum Allowed {
    No,
    Yes,
    /// With the digest that the policy names.
    WithDigest(String),
    /// The policy names another digest, or the program cannot be found.
    OtherDigest(String),
}

fn allowed(facts: &Facts<'_>, program: &str) -> Allowed {
    let mut answer = Allowed::No;
    for (_, digest) in allowed_wrappers(facts.settings).filter(|(word, _)| *word == program) {
        let Some(digest) = digest else { return Allowed::Yes };
        answer = match facts.machine.programs.get(program) {
            Some(Ok(here)) if here.sha256.to_string() == digest => {
                return Allowed::WithDigest(format!("{} has the sha256 that the policy names: {digest}", shown(&here.path)));
            }
            Some(Ok(here)) => {
                let said =
                    format!("the policy allows it with the sha256 {}; {} has {}", shown(digest), shown(&here.path), here.sha256);
                Allowed::OtherDigest(said)
            }
            Some(Err(why)) => Allowed::OtherDigest(format!("the policy allows it with a sha256, and {}", shown(why))),
            None => Allowed::OtherDigest("the policy allows it with a sha256, and it was not looked for".to_owned()),
        };
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::cargo_setting::fixture::{World, table};
    use crate::model::machine::Program;
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

    #[test]
    fn a_digest_is_compared_with_the_program_that_is_here() {
        let (right, wrong) = (Sha256::of("a"), Sha256::of("b"));
        let here = |sha256| Some(Ok(Program { path: "/usr/bin/sccache".into(), sha256 }));
        for (program, expected, evidence) in [
            (here(right), "info", format!("/usr/bin/sccache has the sha256 that the policy names: {right}")),
            (here(wrong), "critical", format!("the policy allows it with the sha256 {right}; /usr/bin/sccache has {wrong}")),
            (
                Some(Err("it is not in PATH".into())),
                "critical",
                "the policy allows it with a sha256, and it is not in PATH".into(),
            ),
        ] {
            let mut world = World::new().allow(&RULE, &[&format!("sccache@sha256:{right}")]);
            world.machine.programs.extend(program.map(|program| ("sccache".to_owned(), program)));
            let findings = world.file(Repository, "build.rustc-wrapper = 'sccache'").findings(&RULE);
            assert_eq!((findings[0].severity.as_str(), findings[0].evidence.last()), (expected, Some(&evidence)));
        }
        let mut world = World::new().allow(&RULE, &["sccache"]).file(Repository, "build.rustc-wrapper = 'sccache'");
        world.machine.programs.extend(here(right).map(|program| ("sccache".to_owned(), program)));
        let recorded = format!("/usr/bin/sccache has the sha256 {right}");
        assert_eq!(world.findings(&RULE)[0].evidence.last(), Some(&recorded));
    }
}
