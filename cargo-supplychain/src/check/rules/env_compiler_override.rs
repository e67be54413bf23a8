//! `env/compiler-override`.

use std::collections::BTreeSet;

use crate::base::Location;
use crate::check::cargo_setting::flags::{flags, is_harmless_linker};
use crate::check::cargo_setting::{allow, env_variable, settings, shown};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::cargo_config::environment::{Influence, influence};

pub(super) static RULE: Rule = Rule {
    id: "env/compiler-override",
    severity: Severity::Low,
    area: Area::Config,
    summary: "a variable of the environment changes the compiler, its flags, the linker, the loader or a profile",
    docs: r#"The environment decides about a build as much as a configuration file: `RUSTC`, `RUSTC_WRAPPER`, `RUSTFLAGS`, `CARGO_BUILD_RUSTC_WRAPPER`,
`CARGO_TARGET_*_LINKER`, `CARGO_PROFILE_*`, `RUSTC_BOOTSTRAP`, `CC`, `LD_PRELOAD` and their like. It is your own machine's, so it is low, and
recorded in the provenance. In CI, where a file of the repository sets such a variable, it is high: the `[env]` table of its cargo
configuration, whether the runner has it or not, or the `env:` of a workflow. Of a workflow low stay flags such as `-D warnings`, linkers and
compilers by their well-known bare names, `sccache`, and profiles; so does an `[env]` with such a value that the runner does not have.

Steps of a GitHub workflow share variables through a file; a step that lets foreign text into it hands `LD_PRELOAD` to every later step
(the GITHUB_ENV injections found in public projects in 2022).

Only names are reported, and the program for a compiler or linker: values may be secrets. `PATH` and `LD_LIBRARY_PATH` are set everywhere
and say nothing. `CARGO_TERM_COLOR`, `RUST_LOG`, `RUST_BACKTRACE` and `CARGO_TARGET_DIR` are silent.

```console
$ export RUSTC_WRAPPER=/tmp/wrap
$ cargo supplychain check
```

What to do: unset it for a release, or allow it by name:

```toml
# supplychain.toml
[rules]
"env/compiler-override" = { allow = ["RUSTC_WRAPPER"] }
```
"#,
    options: &[RuleOption::allow("names of variables")],
    run,
};

const HELP: &str = "unset it for a release, or allow it by name in `[rules]` of supplychain.toml";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let of_environment = facts.environment.iter().filter_map(|(name, value)| judge(facts, name, value));
    of_environment.chain(of_repository(facts)).collect()
}

fn judge(facts: &Facts<'_>, name: &str, value: &str) -> Option<Finding> {
    let influence = influence(name).filter(|influence| is_telling(name, *influence))?;
    // An empty wrapper switches one off; empty flags do replace those of the configuration.
    if value.is_empty() && influence != Influence::CompilerFlags {
        return None;
    }
    let by_repository = facts.in_ci.then(|| set_by_repository(facts, name, value)).flatten();
    let severity = match &by_repository {
        _ if is_allowed(facts, name) => Severity::Info,
        Some((_, By::Configuration)) => Severity::High,
        // Thousands of workflows deny warnings or choose a cache.
        Some((_, By::Workflow)) if !is_harmless(influence, value, &words(value)) => Severity::High,
        _ => Severity::Low,
    };
    let program = match influence {
        Influence::Compiler | Influence::Linker => value.split_whitespace().next().map(|word| format!(": `{}`", shown(word))),
        _ => None,
    };
    let message = format!("the environment variable {} {}{}", shown(name), influence.describe(), program.unwrap_or_default());
    let mut finding =
        Finding::new(RULE.id, severity, message).at(Location::file(format!("environment variable {}", shown(name))));
    if let Some((place, by)) = by_repository {
        let file = if by == By::Workflow { "a workflow of the repository" } else { "the repository's `[env]`" };
        finding = finding.at(place).because(format!("{file} sets the same variable"));
    }
    Some(finding.help(HELP))
}

/// In CI: what the repository's `[env]` sets for the compiler and everything that cargo starts, whether the environment has it before or
/// not. On a developer's machine the rules about the configuration say it.
fn of_repository(facts: &Facts<'_>) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for entry in settings(facts).filter(|entry| facts.in_ci && !entry.scope.is_user()) {
        let Some(name) = env_variable(entry) else { continue };
        let Some(influence) = influence(name).filter(|influence| is_telling(name, *influence)) else { continue };
        let is_said = facts.environment.get(name).is_some_and(|value| judge(facts, name, value).is_some());
        let value = entry.value.as_str().unwrap_or_default();
        if is_said || is_harmless(influence, value, &entry.words()) || !seen.insert((name, &entry.location.file)) {
            continue;
        }
        let severity = if is_allowed(facts, name) { Severity::Info } else { Severity::High };
        let message = format!("the repository sets the variable {}, which {}", shown(name), influence.describe());
        let finding = Finding::new(RULE.id, severity, message).at(entry.location.clone());
        findings.push(finding.because("set by `[env]` of the cargo configuration, in CI").help(HELP));
    }
    findings
}

fn is_allowed(facts: &Facts<'_>, name: &str) -> bool {
    allow(facts, RULE.id).iter().any(|allowed| allowed == name)
}

/// An empty value, flags that change nothing but how the same code is generated, well-known compilers and linkers by their bare name,
/// the compiler cache that many runners have, and profiles, which `config/profile-override` rates low.
fn is_harmless(influence: Influence, value: &str, words: &[String]) -> bool {
    match influence {
        Influence::CompilerFlags => flags(words).iter().all(|flag| flag.harmless),
        Influence::Linker | Influence::NativeTools => value.is_empty() || is_harmless_linker(value),
        Influence::Compiler => value.is_empty() || value == "sccache",
        Influence::Profile => true,
        _ => value.is_empty(),
    }
}

/// `CARGO_ENCODED_RUSTFLAGS` has another separator.
fn words(value: &str) -> Vec<String> {
    value.split(|c: char| c.is_whitespace() || c == '\u{1f}').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `CARGO` is set by cargo for its subcommands, and the search paths are set on every machine.
fn is_telling(name: &str, influence: Influence) -> bool {
    influence != Influence::Lookup
        && !matches!(name, "CARGO" | "LD_LIBRARY_PATH" | "DYLD_LIBRARY_PATH" | "DYLD_FALLBACK_LIBRARY_PATH")
}

/// Which file of the repository sets a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// `[env]` of the cargo configuration.
    Configuration,
    /// `env:` of a workflow, a job or a step.
    Workflow,
}

/// The file of the repository that gives the variable this value: `[env]` of the cargo configuration, or the `env:` of a workflow, where
/// an expression may stand for any value.
fn set_by_repository(facts: &Facts<'_>, name: &str, value: &str) -> Option<(Location, By)> {
    let in_config = settings(facts).find(|entry| !entry.scope.is_user() && env_variable(entry) == Some(name));
    if let Some(entry) = in_config {
        return Some((entry.location.clone(), By::Configuration));
    }
    let mut variables = facts.workflows.iter().flat_map(|workflow| {
        let of_jobs = workflow.jobs.iter().flat_map(|job| job.env.iter().chain(job.steps.iter().flat_map(|step| &step.env)));
        workflow.env.iter().chain(of_jobs).map(move |variable| (workflow, variable))
    });
    let (workflow, variable) = variables.find(|(_, variable)| {
        let text = variable.value.text.trim();
        variable.key == name && (text == value.trim() || text.contains("${{"))
    })?;
    Some((Location::line(&workflow.path, variable.value.line), By::Workflow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::World;
    use crate::model::Scope::{Repository, User};

    fn world(name: &str, value: &str) -> World {
        let mut world = World::new();
        world.environment.insert(name.into(), value.into());
        world
    }

    #[test]
    fn names_fire_values_stay_out_and_the_benign_are_silent() {
        for (name, value, expected) in [
            ("RUSTC_WRAPPER", "/tmp/w x", Some("replaces or wraps the compiler: `/tmp/w`")),
            ("RUSTC", "rustc2", Some("replaces or wraps the compiler: `rustc2`")),
            ("CARGO_BUILD_RUSTC_WRAPPER", "w", Some("replaces or wraps the compiler: `w`")),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "ld", Some("chooses the linker or the runner: `ld`")),
            ("RUSTFLAGS", "--cfg hunter2", Some("adds compiler flags")),
            ("CARGO_ENCODED_RUSTFLAGS", "", Some("adds compiler flags")),
            ("CARGO_PROFILE_RELEASE_DEBUG", "1", Some("changes a profile")),
            ("LD_PRELOAD", "/x.so", Some("loads code into every program that is started")),
            ("RUSTC_BOOTSTRAP", "1", Some("unlocks unstable features of the compiler")),
            ("RUSTC_WRAPPER", "", None),
            ("CARGO_TERM_COLOR", "always", None),
            ("RUST_LOG", "debug", None),
            ("RUST_BACKTRACE", "1", None),
            ("PATH", "/bin", None),
            ("CARGO", "/bin/cargo", None),
            ("LD_LIBRARY_PATH", "/lib", None),
        ] {
            let expected: Vec<_> = expected.iter().map(|text| format!("low the environment variable {name} {text}")).collect();
            assert_eq!(world(name, value).run(&RULE), expected, "{name}");
        }
    }

    #[test]
    fn high_only_in_ci_and_only_when_the_repository_sets_it() {
        for (in_ci, scope, expected) in [(true, Repository, "high"), (false, Repository, "low"), (true, User, "low")] {
            let mut world = world("LD_PRELOAD", "x.so").file(scope, "env.LD_PRELOAD = 'x.so'");
            world.in_ci = in_ci;
            assert!(world.run(&RULE)[0].starts_with(expected), "{in_ci} {scope:?}");
        }
        assert!(world("CC", "x").allow(&RULE, &["CC"]).run(&RULE)[0].starts_with("info"));
    }

    #[test]
    fn in_ci_what_the_repository_sets_counts_without_the_variable() {
        for (in_ci, scope, text, expected) in [
            (true, Repository, "RUSTC_WRAPPER = 'w'", Some("high RUSTC_WRAPPER, which replaces or wraps the compiler")),
            (
                true,
                Repository,
                "LD_PRELOAD = { value = 'x.so', force = true }",
                Some("high LD_PRELOAD, which loads code into every program that is started"),
            ),
            (true, Repository, "RUSTFLAGS = '-Clinker=./x'", Some("high RUSTFLAGS, which adds compiler flags")),
            (false, Repository, "RUSTC_WRAPPER = 'w'", None),
            (true, User, "RUSTC_WRAPPER = 'w'", None),
            (true, Repository, "RUSTFLAGS = '-D warnings'", None),
            (true, Repository, "CC = 'clang'", None),
            (
                true,
                Repository,
                "CC = './cc'",
                Some("high CC, which chooses the compilers or tools of native code, or their flags"),
            ),
            (true, Repository, "RUSTC_WRAPPER = ''", None),
            (true, Repository, "RUST_LOG = 'debug'", None),
        ] {
            let mut world = World::new().file(scope, &format!("[env]\n{text}"));
            world.in_ci = in_ci;
            let expected: Vec<_> =
                expected.iter().map(|text| text.replacen(' ', " the repository sets the variable ", 1)).collect();
            assert_eq!(world.run(&RULE), expected, "{in_ci} {scope:?} {text}");
        }
    }

    #[test]
    fn in_ci_what_a_workflow_sets_counts() {
        let text = "on: push\nenv: {LD_PRELOAD: x.so, RUSTFLAGS: '${{ matrix.flags }}'}\njobs:\n  a:\n    runs-on: x\n    env:\n      RUSTC_WRAPPER: ./wrap\n    steps:\n      - run: make\n        env: {CC: clang}\n";
        let place = |name: &str, value: &str, in_ci: bool| {
            let mut world = world(name, value);
            world.in_ci = in_ci;
            world.workflows.push(crate::model::workflow::parse(".github/workflows/w.yml", text).unwrap());
            let finding = world.findings(&RULE).remove(0);
            (finding.severity.as_str(), finding.locations.get(1).map(|place| place.line))
        };
        for (name, value, in_ci, expected) in [
            ("LD_PRELOAD", "x.so", true, ("high", Some(2))),
            ("RUSTC_WRAPPER", "./wrap", true, ("high", Some(7))),
            ("RUSTFLAGS", "-Clinker=./x", true, ("high", Some(2))),
            ("RUSTFLAGS", "-D warnings", true, ("low", Some(2))),
            ("CC", "clang", true, ("low", Some(10))),
            ("LD_PRELOAD", "of-the-runner.so", true, ("low", None)),
            ("LD_PRELOAD", "x.so", false, ("low", None)),
            ("CXX", "./x", true, ("low", None)),
        ] {
            assert_eq!(place(name, value, in_ci), expected, "{name} {value}");
        }
    }
}
