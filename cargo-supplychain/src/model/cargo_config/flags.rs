//! Lists that cargo joins over the hierarchy: effective rustflags and targets (cargo book, `build.rustflags` and "Merging").

use std::collections::BTreeMap;

use cargo_platform::{Cfg, CfgExpr};

use super::environment::in_variable;
use super::{CargoConfig, ConfigEntry, Scope};

/// The most opening parentheses of a `cfg(…)` that is parsed; written by people they are a few.
const PARENTHESES_MAX: usize = 256;

/// Whether a `cfg(…)` may be parsed: the parser calls itself for each level, and a deep one would exhaust the stack.
#[must_use]
pub fn is_shallow(condition: &str) -> bool {
    condition.bytes().filter(|byte| *byte == b'(').count() <= PARENTHESES_MAX
}

/// The rustflags that cargo gives the compiler for `target`, by its order of precedence: `CARGO_ENCODED_RUSTFLAGS`, `RUSTFLAGS`,
/// all matching `target.*.rustflags` joined (the triple's first, then `cfg(…)` tables in the order of their keys),
/// `build.rustflags`. The four exclude each other, and a variable that is set but empty counts as set.
///
/// `cfgs` are those of the target without these flags (`rustc --print cfg`). With an explicit `--target` build scripts and
/// proc macros get none of these.
#[must_use]
pub fn rustflags(config: &CargoConfig, env: &BTreeMap<String, String>, target: &str, cfgs: &[Cfg]) -> Vec<String> {
    if let Some(encoded) = env.get("CARGO_ENCODED_RUSTFLAGS") {
        return if encoded.is_empty() { Vec::new() } else { encoded.split('\x1f').map(str::to_owned).collect() };
    }
    if let Some(flags) = env.get("RUSTFLAGS") {
        return flags.split(' ').map(str::trim).filter(|flag| !flag.is_empty()).map(str::to_owned).collect();
    }
    let of_target = of_target(config, target, cfgs);
    if of_target.is_empty() { joined(config.effective().filter(|entry| entry.is(&["build", "rustflags"]))) } else { of_target }
}

pub(super) fn of_target(config: &CargoConfig, target: &str, cfgs: &[Cfg]) -> Vec<String> {
    let rustflags: Vec<_> = config.effective().filter(|entry| entry.is(&["target", "*", "rustflags"])).collect();
    let is_triple = |entry: &ConfigEntry| match entry.scope {
        Scope::Environment => in_variable(&entry.key[1]) == in_variable(target),
        _ => entry.key[1] == target,
    };
    let mut flags = joined(rustflags.iter().copied().filter(|entry| is_triple(entry)));
    let mut tables: BTreeMap<&str, Vec<&ConfigEntry>> = BTreeMap::new();
    for entry in rustflags {
        let key = entry.key[1].as_str();
        if is_shallow(key) && CfgExpr::matches_key(key, cfgs) {
            tables.entry(key).or_default().push(entry);
        }
    }
    flags.extend(tables.into_values().flat_map(|entries| joined(entries.into_iter())));
    flags
}

/// The targets that `build.target` names, in order; empty: the host. A `.json` is a path that starts from the entry's `base`.
#[must_use]
pub fn build_targets(config: &CargoConfig) -> Vec<String> {
    let mut entries = config.effective().filter(|entry| entry.is(&["build", "target"])).peekable();
    match entries.peek().map(|entry| &entry.value) {
        Some(toml::Value::String(target)) => vec![target.clone()],
        _ => joined(entries),
    }
}

/// Joins a list over the hierarchy: arrays from the weakest to the strongest, a variable's words behind those of the files; a
/// string of a stronger file replaces that of a weaker one. (Cargo refuses a string over an array; the stronger wins here.)
fn joined<'a>(strongest_first: impl DoubleEndedIterator<Item = &'a ConfigEntry>) -> Vec<String> {
    let mut words = Vec::new();
    for entry in strongest_first.rev() {
        if entry.value.is_str() && entry.scope != Scope::Environment {
            words.clear();
        }
        words.extend(entry.words());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Location;

    fn entry(scope: Scope, key: &[&str], value: impl Into<toml::Value>) -> ConfigEntry {
        ConfigEntry {
            key: key.iter().map(|&part| part.to_owned()).collect(),
            value: value.into(),
            location: Location::file("x"),
            scope,
            base: "/w".into(),
            effective: true,
        }
    }

    fn config(entries: Vec<ConfigEntry>) -> CargoConfig {
        CargoConfig { entries, ..CargoConfig::default() }
    }

    fn flags(config: &CargoConfig, env: &[(&str, &str)]) -> String {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        rustflags(config, &env, "x86_64-unknown-linux-gnu", &["unix".parse().unwrap()]).join(" ")
    }

    const TRIPLE: [&str; 3] = ["target", "x86_64-unknown-linux-gnu", "rustflags"];

    /// Each row was tried with cargo 1.95.0.
    #[test]
    fn precedence_is_cargos() {
        let all = config(vec![
            entry(Scope::Repository, &["build", "rustflags"], vec!["build"]),
            entry(Scope::Repository, &TRIPLE, vec!["triple"]),
            entry(Scope::Repository, &["target", "cfg(unix)", "rustflags"], vec!["unix"]),
            entry(Scope::Repository, &["target", "cfg(all())", "rustflags"], "all of it"),
            entry(Scope::Repository, &["target", "cfg(windows)", "rustflags"], vec!["windows"]),
            entry(Scope::Repository, &["target", "aarch64-apple-darwin", "rustflags"], vec!["other"]),
        ]);
        for (env, expected) in [
            (&[][..], "triple all of it unix"),
            (&[("RUSTFLAGS", " a  b ")], "a b"),
            (&[("RUSTFLAGS", "")], ""),
            (&[("CARGO_ENCODED_RUSTFLAGS", "a b\x1fc"), ("RUSTFLAGS", "x")], "a b c"),
            (&[("CARGO_ENCODED_RUSTFLAGS", ""), ("RUSTFLAGS", "x")], ""),
        ] {
            assert_eq!(flags(&all, env), expected, "{env:?}");
        }
    }

    #[test]
    fn lists_join_from_the_weakest_and_strings_replace() {
        let build = ["build", "rustflags"];
        for (entries, expected) in [
            (
                vec![
                    entry(Scope::CommandLine, &build, vec!["cli"]),
                    entry(Scope::Environment, &build, "env var"),
                    entry(Scope::Repository, &build, vec!["repo"]),
                    entry(Scope::User, &build, vec!["home"]),
                ],
                "home repo env var cli",
            ),
            (vec![entry(Scope::Repository, &build, "strong one"), entry(Scope::Parent, &build, "weak")], "strong one"),
            (vec![entry(Scope::Repository, &TRIPLE, Vec::<String>::new()), entry(Scope::Repository, &build, "b")], "b"),
            (
                vec![
                    entry(Scope::Environment, &["target", "x86_64_unknown_linux_gnu", "rustflags"], "ct"),
                    entry(Scope::Repository, &TRIPLE, vec!["triple"]),
                ],
                "triple ct",
            ),
        ] {
            assert_eq!(flags(&config(entries), &[]), expected);
        }
    }

    #[test]
    fn a_file_that_cargo_does_not_discover_has_no_effect() {
        let mut undiscovered = entry(Scope::Repository, &["build", "rustflags"], "x");
        undiscovered.effective = false;
        assert_eq!(flags(&config(vec![undiscovered]), &[]), "");
    }

    #[test]
    fn targets() {
        let target = ["build", "target"];
        let of = |entries| build_targets(&config(entries));
        assert!(of(vec![]).is_empty());
        assert_eq!(of(vec![entry(Scope::Repository, &target, "a"), entry(Scope::User, &target, "b")]), ["a"]);
        assert_eq!(of(vec![entry(Scope::Repository, &target, vec!["a", "b"])]), ["a", "b"]);
    }
}
