//! Which settings `cargo metadata` is told again when it runs from an empty folder, where it discovers no project configuration
//! (ARCHITECTURE.md, invariant 1). An allow list: what can start a program or carry a secret is not on it.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::{CargoConfig, ConfigEntry};

/// The `KEY=VALUE` arguments of `--config` that repeat where packages come from: registry indexes, source replacement, `[patch]`,
/// `net.offline` and `net.retry`, relative paths made absolute. Only what cargo would read when started in the working folder, the
/// strongest of each key; what `$CARGO_HOME` or the environment says is left out, because cargo finds it there itself.
///
/// Not repeated on purpose: tokens and credential providers, `http.*` and `net.git-fetch-with-cli` (a proxy, a certificate
/// authority or the git program are the user's to choose), `paths`, and a registry name that the user's own configuration
/// defines, which would send the user's token for it elsewhere.
#[must_use]
pub fn allow_listed(config: &CargoConfig) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut arguments = Vec::new();
    for entry in config.effective() {
        if !is_allowed(entry) || !seen.insert(&entry.key) || entry.scope.is_user() || redefines_users_registry(config, entry) {
            continue;
        }
        let value = if is_path(entry) { absolute(entry) } else { entry.value.clone() };
        if let Some(value) = inline(&value) {
            let key: Vec<_> = entry.key.iter().map(|part| quoted_unless_bare(part)).collect();
            arguments.push(format!("{}={value}", key.join(".")));
        }
    }
    arguments.sort();
    arguments
}

fn is_allowed(entry: &ConfigEntry) -> bool {
    const SOURCE: [&str; 8] = ["registry", "local-registry", "directory", "replace-with", "git", "branch", "tag", "rev"];
    entry.is(&["registries", "*", "index"])
        || entry.is(&["registry", "default"])
        || (entry.is(&["source", "*", "*"]) && SOURCE.contains(&entry.key[2].as_str()))
        || entry.is(&["net", "offline"])
        || entry.is(&["net", "retry"])
        || (entry.starts_with(&["patch", "*", "*"]) && entry.key.len() <= 4)
}

fn is_path(entry: &ConfigEntry) -> bool {
    entry.is(&["source", "*", "directory"])
        || entry.is(&["source", "*", "local-registry"])
        || entry.is(&["patch", "*", "*", "path"])
}

fn redefines_users_registry(config: &CargoConfig, entry: &ConfigEntry) -> bool {
    entry.key[0] == "registries" && config.effective().any(|other| other.scope.is_user() && other.key == entry.key)
}

fn absolute(entry: &ConfigEntry) -> toml::Value {
    match entry.value.as_str() {
        Some(path) => toml::Value::String(Utf8Path::new(&entry.base).join(path).into_string()),
        None => entry.value.clone(),
    }
}

pub(super) fn quoted_unless_bare(part: &str) -> String {
    let is_bare = !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { part.to_owned() } else { quoted(part) }
}

/// A TOML basic string (TOML v1.0.0, "String"), on one line.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if character.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// The value on one line; `None` for what cargo does not accept in `--config` or these keys never hold.
fn inline(value: &toml::Value) -> Option<String> {
    Some(match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        toml::Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Option<Vec<_>>>()?.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
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

    fn listed(entries: Vec<ConfigEntry>) -> Vec<String> {
        allow_listed(&CargoConfig { entries, ..CargoConfig::default() })
    }

    #[test]
    fn sources_are_repeated_and_programs_and_secrets_are_not() {
        use Scope::{CommandLine, Repository};
        for (key, value, expected) in [
            (
                &["registries", "corp", "index"][..],
                "sparse+https://corp/",
                Some(r#"registries.corp.index="sparse+https://corp/""#),
            ),
            (&["registries", "a.b", "index"], "x", Some(r#"registries."a.b".index="x""#)),
            (&["source", "v", "directory"], "vendor", Some(r#"source.v.directory="/w/vendor""#)),
            (&["source", "v", "directory"], "/abs", Some(r#"source.v.directory="/abs""#)),
            (&["source", "crates-io", "replace-with"], "v", Some(r#"source.crates-io.replace-with="v""#)),
            (&["patch", "https://x/y", "foo", "path"], "foo", Some(r#"patch."https://x/y".foo.path="/w/foo""#)),
            (&["registry", "default"], "a\"\n\\b", Some(r#"registry.default="a\"\u000A\\b""#)),
            (&["registries", "corp", "token"], "secret", None),
            (&["registries", "corp", "credential-provider"], "./x", None),
            (&["net", "git-fetch-with-cli"], "true", None),
            (&["http", "proxy"], "x", None),
            (&["build", "rustc-wrapper"], "./w", None),
            (&["target", "cfg(unix)", "linker"], "./l", None),
            (&["env", "LD_PRELOAD"], "./l", None),
            (&["paths"], "x", None),
        ] {
            for scope in [Repository, CommandLine] {
                assert_eq!(listed(vec![entry(scope, key, value)]).first().map(String::as_str), expected, "{key:?}");
            }
            assert!(listed(vec![entry(Scope::User, key, value)]).is_empty(), "{key:?}");
        }
        assert_eq!(listed(vec![entry(Repository, &["net", "offline"], true)]), ["net.offline=true"]);
        assert_eq!(
            listed(vec![entry(Repository, &["patch", "crates-io", "a", "features"], vec!["x", "y"])]),
            [r#"patch.crates-io.a.features=["x","y"]"#]
        );
    }

    /// What is repeated parses back to the same key and value.
    #[test]
    fn the_arguments_are_toml() {
        for text in ["plain", "quo\"te", "back\\slash", "new\nline", "tab\t", "ünï", "\u{7f}\u{85}"] {
            let argument = &listed(vec![entry(Scope::Repository, &["source", text, "registry"], text)])[0];
            let table: toml::Table = argument.parse().expect(argument);
            assert_eq!(table["source"][text]["registry"].as_str(), Some(text), "{argument}");
        }
    }

    #[test]
    fn the_strongest_wins_and_the_users_registry_is_not_redirected() {
        let key = ["registry", "default"];
        let two = vec![entry(Scope::Repository, &key, "strong"), entry(Scope::Parent, &key, "weak")];
        assert_eq!(listed(two), [r#"registry.default="strong""#]);
        let environment_first = vec![entry(Scope::Environment, &key, "mine"), entry(Scope::Repository, &key, "theirs")];
        assert!(listed(environment_first).is_empty());
        let index = ["registries", "corp", "index"];
        assert!(listed(vec![entry(Scope::Repository, &index, "evil"), entry(Scope::User, &index, "corp")]).is_empty());
    }
}
