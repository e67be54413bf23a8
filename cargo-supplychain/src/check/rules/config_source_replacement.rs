//! `config/source-replacement`.

use camino::{Utf8Component, Utf8Path};

use crate::base::text::without_credentials;
use crate::check::cargo_setting::{allow, finding, key, settings, shown};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::{ConfigEntry, Scope};

pub(super) static RULE: Rule = Rule {
    id: "config/source-replacement",
    severity: Severity::High,
    area: Area::Config,
    summary: "the cargo configuration takes packages from elsewhere than the lockfile says",
    docs: r#"`[source.NAME] replace-with` makes cargo fetch the packages of one source from another: a mirror, a git index, a folder. Cargo.lock goes on
to name the original. The locked checksums still hold, so a replaced source cannot change a package that is locked already; it decides
what a *new* version is, and packages without a checksum are wholly its own. Dependency confusion (2021) showed what it means when a build
takes packages from another place than its owner believes.

Three more settings decide the same and are judged here: another index for a registry that your own configuration already defines (cargo
would send your token for that name to the new address), another address of the source `crates-io`, and a proxy or certificate authority that the
repository chooses for the traffic to registries (medium).

A `directory` source inside the repository is what `cargo vendor` prints; it is low, because the vendored files can be reviewed with the
rest. What your own `$CARGO_HOME` says, a company's mirror say, is low.

```toml
# .cargo/config.toml
[source.crates-io]
replace-with = "mirror"

[source.mirror]
registry = "sparse+https://mirror.example/index/"
```

What to do: move the setting into your own `$CARGO_HOME/config.toml`, or allow the replacement by its name, URL or folder, as written:

```toml
# supplychain.toml
[rules]
"config/source-replacement" = { allow = ["sparse+https://mirror.example/index/"] }
```
"#,
    options: &[RuleOption::allow("sources that may replace another, as written: a name, a registry or git URL, a folder")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    settings(facts).filter_map(|entry| judge(facts, entry)).collect()
}

fn judge(facts: &Facts<'_>, entry: &ConfigEntry) -> Option<Finding> {
    match entry.key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["source", name, "replace-with"] => Some(replaced(facts, entry, name)),
        ["source", "crates-io", "registry" | "git" | "directory" | "local-registry"] => Some(redefined(facts, entry)),
        ["registries", _, "index"] if is_users_own(facts, entry) => Some(redefined(facts, entry)),
        ["http", "proxy" | "cainfo" | "proxy-cainfo"] if entry.scope != Scope::User => {
            let message = format!("`{}` decides how registries are reached and trusted", key(entry));
            Some(finding(RULE.id, Severity::Medium, entry, message).help("set it in your own $CARGO_HOME/config.toml instead"))
        }
        ["http", "check-revoke"] if entry.scope != Scope::User && entry.value.as_bool() == Some(false) => {
            let message = "`http.check-revoke` switches the revocation check of certificates off".to_owned();
            Some(finding(RULE.id, Severity::Medium, entry, message).help("remove it"))
        }
        _ => None,
    }
}

/// Whether the user's own machine gives the registry of this name another index.
fn is_users_own(facts: &Facts<'_>, entry: &ConfigEntry) -> bool {
    let entries = &facts.cargo_config.entries;
    !entry.scope.is_user()
        && entries.iter().any(|other| other.scope.is_user() && other.key == entry.key && other.value != entry.value)
}

fn replaced(facts: &Facts<'_>, entry: &ConfigEntry, name: &str) -> Finding {
    let by = entry.value.as_str().unwrap_or_default();
    // The definition may stand in another file: a name of the user's own is still the user's.
    let definition = facts.cargo_config.entries.iter().find(|other| {
        other.starts_with(&["source", by])
            && other.key.get(2).is_some_and(|kind| matches!(kind.as_str(), "registry" | "git" | "directory" | "local-registry"))
    });
    let place = definition.and_then(|definition| definition.value.as_str()).unwrap_or_default();
    let is_allowed = allow(facts, RULE.id).iter().any(|word| word == by || (!place.is_empty() && word == place));
    let is_vendored = definition.is_some_and(is_vendored);
    let from = if place.is_empty() { String::new() } else { format!(" ({})", shown(&without_credentials(place))) };
    let message = format!("packages of source `{}` are taken from `{}`{from}", shown(name), shown(by));
    let (severity, help) = match (is_allowed, is_vendored) {
        (true, _) => (Severity::Info, "nothing to do: it is allowed, and recorded"),
        (_, true) => (Severity::Low, "vendored packages: review changes of the folder as you review code"),
        _ => (Severity::High, "move it to your own $CARGO_HOME/config.toml, or allow it in `[rules]` of supplychain.toml"),
    };
    finding(RULE.id, severity, entry, message).help(help)
}

/// A folder inside the repository, by a relative path that does not leave it.
fn is_vendored(definition: &ConfigEntry) -> bool {
    let path = Utf8Path::new(definition.value.as_str().unwrap_or_default());
    definition.key[2] == "directory"
        && definition.scope == Scope::Repository
        && path.components().all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir))
}

fn redefined(facts: &Facts<'_>, entry: &ConfigEntry) -> Finding {
    let place = entry.value.as_str().unwrap_or_default();
    let is_allowed = allow(facts, RULE.id).iter().any(|word| word == place);
    let message =
        format!("`{}` gives `{}` another address: {}", key(entry), shown(&entry.key[1]), shown(&without_credentials(place)));
    let severity = if is_allowed { Severity::Info } else { Severity::High };
    let help =
        if is_allowed { "nothing to do: it is allowed, and recorded" } else { "remove it, or give the registry another name" };
    finding(RULE.id, severity, entry, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::{World, table};
    use Scope::{Repository, User};

    const MIRROR: &str = "source.crates-io.replace-with = 'm'\nsource.m.registry = 'sparse+https://u:p@m/'";

    #[test]
    fn replacements_and_vendoring() {
        let vendored = |path: &str| format!("source.crates-io.replace-with = 'v'\nsource.v.directory = '{path}'");
        table(
            &RULE,
            &[
                (Repository, MIRROR, &["high packages of source `crates-io` are taken from `m` (sparse+https://m/)"]),
                (User, MIRROR, &["low packages of source `crates-io` are taken from `m` (sparse+https://m/)"]),
                (Repository, "source.crates-io.replace-with = 'm'", &["high packages of source `crates-io` are taken from `m`"]),
                (Repository, &vendored("vendor"), &["low packages of source `crates-io` are taken from `v` (vendor)"]),
                (Repository, &vendored("../vendor"), &["high packages of source `crates-io` are taken from `v` (../vendor)"]),
                (Repository, &vendored("/vendor"), &["high packages of source `crates-io` are taken from `v` (/vendor)"]),
                (Repository, "source.m.registry = 'https://m/'", &[]),
                (Repository, "registries.corp.index = 'sparse+https://corp/'", &[]),
            ],
        );
    }

    #[test]
    fn addresses_of_known_names() {
        let corp = "registries.corp.index = 'sparse+https://corp/'";
        let evil = "registries.corp.index = 'sparse+https://evil/'";
        let both = World::new().file(Repository, evil).file(User, corp).run(&RULE);
        assert_eq!(both, ["high `registries.corp.index` gives `corp` another address: sparse+https://evil/"]);
        assert!(World::new().file(Repository, corp).file(User, corp).run(&RULE).is_empty());
        table(
            &RULE,
            &[
                (
                    Repository,
                    "source.crates-io.registry = 'https://evil/'",
                    &["high `source.crates-io.registry` gives `crates-io` another address: https://evil/"],
                ),
                (Repository, "http.cainfo = 'ca.pem'", &["medium `http.cainfo` decides how registries are reached and trusted"]),
                (
                    Repository,
                    "http.check-revoke = false",
                    &["medium `http.check-revoke` switches the revocation check of certificates off"],
                ),
                (User, "http.proxy = 'p'\nhttp.check-revoke = false", &[]),
                (Repository, "http.timeout = 10\nhttp.check-revoke = true", &[]),
            ],
        );
    }

    #[test]
    fn the_policy_allows_by_name_or_address() {
        for word in ["m", "sparse+https://u:p@m/"] {
            let found = World::new().allow(&RULE, &[word]).file(Repository, MIRROR).run(&RULE);
            assert!(found[0].starts_with("info"), "{found:?}");
        }
    }
}
