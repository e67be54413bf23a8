//! How flags of our own are put behind the project's rustflags without replacing any: cargo takes the first of four sources, so ours have
//! to go into the one that it takes.

use std::collections::BTreeMap;

use cargo_platform::Cfg;

use super::flags::of_target;
use super::repeat::quoted_unless_bare;
use super::{CargoConfig, Scope};

/// Which source of rustflags cargo takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlagsFrom {
    /// `CARGO_ENCODED_RUSTFLAGS` or `RUSTFLAGS`.
    Environment,
    /// `target.*.rustflags`.
    Target,
    /// `build.rustflags`, or nothing at all.
    #[default]
    Build,
}

impl FlagsFrom {
    /// The source for this target; see [`super::rustflags`].
    #[must_use]
    pub fn of(config: &CargoConfig, env: &BTreeMap<String, String>, target: &str, cfgs: &[Cfg]) -> Self {
        if env.contains_key("CARGO_ENCODED_RUSTFLAGS") || env.contains_key("RUSTFLAGS") {
            Self::Environment
        } else if of_target(config, target, cfgs).is_empty() {
            Self::Build
        } else {
            Self::Target
        }
    }
}

/// What a call of cargo gets so that our flags stand behind the project's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// Variables to set.
    pub environment: BTreeMap<String, String>,
    /// Values of `--config`.
    pub config: Vec<String>,
}

/// Puts `own` behind the effective flags `project` of a target.
///
/// By `--config` where a file decides: cargo joins lists over the hierarchy, the command line last. Where the environment decides, or
/// the file has a string, which cargo joins with no list ("expected string, but found array", tried with 1.95.0), all flags together
/// go into `CARGO_ENCODED_RUSTFLAGS`, which comes before every other source.
#[must_use]
pub fn append(config: &CargoConfig, from: FlagsFrom, target: &str, project: &[String], own: &[String]) -> Appended {
    if own.is_empty() {
        return Appended::default();
    }
    let key = match from {
        FlagsFrom::Environment => None,
        FlagsFrom::Target => Some(vec!["target", target, "rustflags"]),
        FlagsFrom::Build => Some(vec!["build", "rustflags"]),
    };
    // A path to a target's description is no key of the configuration.
    let key = key.filter(|key| !target.ends_with(".json") && !is_string(config, key));
    match key {
        Some(key) => {
            let list = toml::Value::Array(own.iter().cloned().map(toml::Value::String).collect());
            Appended {
                config: vec![format!("{}={list}", key.iter().map(|part| quoted_unless_bare(part)).collect::<Vec<_>>().join("."))],
                ..Appended::default()
            }
        }
        None => {
            let all: Vec<_> = project.iter().chain(own).map(String::as_str).collect();
            let environment = BTreeMap::from([("CARGO_ENCODED_RUSTFLAGS".to_owned(), all.join("\x1f"))]);
            Appended { environment, ..Appended::default() }
        }
    }
}

fn is_string(config: &CargoConfig, key: &[&str]) -> bool {
    config.effective().any(|entry| entry.is(key) && entry.scope != Scope::Environment && entry.value.is_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Location;
    use crate::model::ConfigEntry;
    use crate::model::cargo_config::rustflags;

    const TARGET: &str = "x86_64-unknown-linux-gnu";

    fn config(key: &str, value: impl Into<toml::Value>) -> CargoConfig {
        let entry = ConfigEntry {
            key: key.split('/').map(str::to_owned).collect(),
            value: value.into(),
            location: Location::file("x"),
            scope: Scope::Repository,
            base: "/w".into(),
            effective: true,
        };
        CargoConfig { entries: vec![entry], ..CargoConfig::default() }
    }

    /// Each row was tried with cargo 1.95.0: both flags reach rustc, the project's first.
    #[test]
    fn own_flags_go_where_cargo_looks() {
        let list = || toml::Value::from(vec!["--cfg", "own"]);
        let encoded = "CARGO_ENCODED_RUSTFLAGS: --cfg\u{1f}own\u{1f}-a b";
        for (config, env, expected) in [
            (CargoConfig::default(), None, "build.rustflags=[\"-a b\"]"),
            (config("build/rustflags", list()), None, "build.rustflags=[\"-a b\"]"),
            (config("build/rustflags", "--cfg own"), None, encoded),
            (
                config("target/x86_64-unknown-linux-gnu/rustflags", list()),
                None,
                "target.x86_64-unknown-linux-gnu.rustflags=[\"-a b\"]",
            ),
            (config("target/x86_64-unknown-linux-gnu/rustflags", "--cfg own"), None, encoded),
            (config("target/cfg(unix)/rustflags", "--cfg own"), None, "target.x86_64-unknown-linux-gnu.rustflags=[\"-a b\"]"),
            (config("build/rustflags", vec!["other"]), Some("--cfg own"), encoded),
            (config("build/rustflags", vec!["other"]), Some(""), "CARGO_ENCODED_RUSTFLAGS: -a b"),
        ] {
            let env: BTreeMap<_, _> = env.map(|flags| ("RUSTFLAGS".to_owned(), flags.to_owned())).into_iter().collect();
            let cfgs = ["unix".parse().unwrap()];
            let project = rustflags(&config, &env, TARGET, &cfgs);
            let appended = append(&config, FlagsFrom::of(&config, &env, TARGET, &cfgs), TARGET, &project, &["-a b".to_owned()]);
            let mut told: Vec<_> = appended.environment.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            told.extend(appended.config);
            assert_eq!(told, [expected]);
        }
    }

    /// Tried with cargo 1.95.0: a dot in a triple is none of the key's.
    #[test]
    fn triples_with_a_dot_are_quoted() {
        let appended = append(&CargoConfig::default(), FlagsFrom::Target, "thumbv8m.main-none-eabi", &[], &["-a".to_owned()]);
        assert_eq!(appended.config, ["target.\"thumbv8m.main-none-eabi\".rustflags=[\"-a\"]"]);
        let by_path =
            append(&CargoConfig::default(), FlagsFrom::Target, "specs/own.json", &["-b".to_owned()], &["-a".to_owned()]);
        assert_eq!(by_path.environment["CARGO_ENCODED_RUSTFLAGS"], "-b\u{1f}-a");
    }

    #[test]
    fn nothing_of_our_own_changes_nothing() {
        let appended = append(&CargoConfig::default(), FlagsFrom::Environment, TARGET, &["a".to_owned()], &[]);
        assert_eq!(appended, Appended::default());
    }
}
