//! `source/private-name-from-public`: a name of one's own, from somebody else.

use std::collections::BTreeSet;

use crate::base::Location;
use crate::base::text::{plain, without_credentials};
use crate::check::pattern::is_named;
use crate::check::{Facts, Rule, rules};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::manifest::{Requirement, SHARED};
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "source/private-name-from-public",
    severity: Severity::Critical,
    area: Area::Sources,
    summary: "a package with a private name of the policy comes from crates.io or another place that is not yours",
    docs: "\
A requirement without `registry` asks crates.io, also for names that exist only in your own registry. Whoever registers the name there
gives you the code, mostly as a very high version. The policy says which names are yours; a package of such a name may come from a path,
from a registry that `[registries]` of the cargo configuration defines or `source/registry-not-allowed` allows, and from a git repository
that `source/git-not-allowed` allows or, where that lists none, the manifest names. Without `private-names` nothing is judged.

**Behind it:** dependency confusion (Birsan, 2021): packages with the internal names of dozens of companies, uploaded to public
registries as version 99, were built by their machines within hours. torchtriton (December 2022) did it with malice.

```toml
# supplychain.toml
[rules]
\"source/private-name-from-public\" = { private-names = [\"corp-*\"] }
```

```toml
# Cargo.toml: fires, because crates.io is asked
[dependencies]
corp-auth = \"1\"
```

**What to do:** do not build. Write `registry = \"…\"` in the manifest, update the lockfile, and register the name on crates.io before
somebody else does.
",
    options: &[
        RuleOption::list("private-names", "names that only your own registry has; `*` stands for any text"),
        RuleOption::allow("further sources of private names, as Cargo.lock writes them (git without `git+`)"),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let private = facts.settings.list(RULE.id, "private-names");
    if private.is_empty() {
        return Vec::new();
    }
    let is_private = |name: &str| private.iter().any(|pattern| is_named(pattern, name));
    let mut findings = Vec::new();
    let mut locked = BTreeSet::new();
    if let Some(lockfile) = facts.lock.lockfile() {
        let registries = registries(facts);
        for package in lockfile.packages.iter().filter(|package| is_private(&package.name)) {
            locked.insert(package.name.as_str());
            if !is_own(facts, &registries, package) {
                findings.push(of_lockfile(facts, lockfile, package));
            }
        }
    }
    // What is not locked yet is going to be asked for.
    let asked =
        facts.manifests.iter().flat_map(|manifest| &manifest.requirements).filter(|requirement| asks_crates_io(requirement));
    let unlocked = asked.filter(|requirement| is_private(&requirement.name) && !locked.contains(requirement.name.as_str()));
    findings.extend(unlocked.map(of_manifest));
    findings
}

/// Index URLs of the registries that the cargo configuration defines.
fn registries<'a>(facts: &Facts<'a>) -> Vec<&'a str> {
    let entries = facts.cargo_config.entries.iter().filter(|entry| entry.is(&["registries", "*", "index"]));
    entries.filter_map(|entry| entry.value.as_str()).collect()
}

fn is_own(facts: &Facts<'_>, registries: &[&str], package: &LockedPackage) -> bool {
    let Some(source) = package.source.as_deref() else { return true };
    let allowed = facts.settings.list(RULE.id, "allow");
    if let Some(git) = package.git() {
        let listed = facts.settings.list("source/git-not-allowed", "allow");
        let is_in = |list: &[String]| list.iter().any(|entry| rules::source_git_not_allowed::is_allowed(entry, git.url));
        let named = || {
            let requirements = facts.manifests.iter().flat_map(|manifest| manifest.requirements.iter().chain(&manifest.patches));
            let urls = requirements.filter_map(|requirement| Some(&requirement.git.as_ref()?.url));
            urls.into_iter().any(|url| rules::source_git_not_allowed::is_allowed(url.trim_end_matches('/'), git.url))
        };
        return is_in(allowed) || is_in(listed) || (listed.is_empty() && named());
    }
    let is_listed = |list: &[String]| list.iter().any(|url| rules::source_registry_not_allowed::is_same(url, source));
    if package.is_crates_io() {
        return is_listed(allowed);
    }
    let listed = facts.settings.list("source/registry-not-allowed", "allow");
    let is_defined = registries.iter().any(|url| rules::source_registry_not_allowed::is_same(url, source));
    is_listed(allowed) || is_listed(listed) || is_defined
}

/// Neither a registry nor another place is named: crates.io.
fn asks_crates_io(requirement: &Requirement) -> bool {
    requirement.registry.is_none() && requirement.git.is_none() && requirement.path.is_none() && !requirement.inherited
}

fn of_lockfile(facts: &Facts<'_>, lockfile: &Lockfile, package: &LockedPackage) -> Finding {
    let from = match package.source.as_deref() {
        _ if package.is_crates_io() => "crates.io".to_owned(),
        Some(source) => plain(&without_credentials(source)).into_owned(),
        None => "a path".to_owned(),
    };
    let name = plain(&package.name);
    let message = format!("{name} {} has a private name and comes from {from}", package.version);
    let mut finding = Finding::new(RULE.id, RULE.severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line));
    let requirements = facts.manifests.iter().flat_map(|manifest| &manifest.requirements);
    for requirement in requirements.filter(|requirement| requirement.name == package.name && !requirement.inherited) {
        let what = match (&requirement.registry, requirement.table == SHARED) {
            (Some(registry), _) => format!("{} asks the registry `{}` for it", requirement.location, plain(registry)),
            (None, _) if asks_crates_io(requirement) => format!("{} asks for it without `registry`", requirement.location),
            (None, _) => continue,
        };
        finding = finding.at(requirement.location.clone()).because(what);
    }
    finding.help(format!("do not build; write `registry = \"…\"` for {name} in the manifest, then `cargo update -p {name}`"))
}

fn of_manifest(requirement: &Requirement) -> Finding {
    let name = plain(&requirement.name);
    Finding::new(RULE.id, RULE.severity, format!("`{name}` has a private name and is asked of crates.io"))
        .at(requirement.location.clone())
        .help(format!("write `registry = \"…\"` for {name} in the manifest"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    const CORP: &str = "sparse+https://registry.example.org/index/";

    fn case(source: &str, manifest: &str, policy: &str) -> Case {
        let lock = format!("[[package]]\nname = \"corp-auth\"\nversion = \"99.0.0\"\n{source}\n");
        let manifest = format!("[package]\nname = \"app\"\n[dependencies]\n{manifest}\n");
        let private = "[rules]\n\"source/private-name-from-public\" = { private-names = [\"corp-*\"] }\n";
        Case::new().lock(&lock).manifest("Cargo.toml", &manifest).policy(&format!("{private}{policy}"))
    }

    #[test]
    fn a_private_name_from_elsewhere_fires() {
        let public = "source = \"CRATES_IO\"";
        let corp = format!("source = \"{CORP}\"");
        let git = "source = \"git+https://example.org/corp/auth?branch=main#0123456789012345678901234567890123456789\"";
        let allow_registry = format!("\"source/registry-not-allowed\" = {{ allow = [\"{CORP}\"] }}\n");
        let allow_git = "\"source/git-not-allowed\" = { allow = [\"https://example.org/corp/\"] }\n";
        let other_git = "\"source/git-not-allowed\" = { allow = [\"https://example.org/other/\"] }\n";
        let plain = "corp-auth = \"1\"";
        let registry = "corp-auth = { version = \"1\", registry = \"corp\" }";
        let from_git = "corp-auth = { git = \"https://example.org/corp/auth\" }";
        let says = |places: &str, from: &str| {
            vec![format!("critical {places}: corp-auth 99.0.0 has a private name and comes from {from}")]
        };
        for (source, manifest, policy, expected) in [
            (public, plain, "", says("Cargo.lock:1 Cargo.toml:4:1", "crates.io")),
            (public, registry, "", says("Cargo.lock:1 Cargo.toml:4:1", "crates.io")),
            // Brought by somebody else's manifest.
            (public, "", "", says("Cargo.lock:1", "crates.io")),
            (&corp, registry, "", says("Cargo.lock:1 Cargo.toml:4:1", "sparse+https://registry.example.org/index/")),
            (&corp, registry, &allow_registry, vec![]),
            (git, "", "", says("Cargo.lock:1", "git+https://example.org/corp/auth")),
            (git, from_git, "", vec![]),
            (git, from_git, other_git, says("Cargo.lock:1", "git+https://example.org/corp/auth")),
            (git, from_git, allow_git, vec![]),
            ("", "corp-auth = { path = \"auth\" }", "", vec![]),
        ] {
            assert_eq!(case(source, manifest, policy).run(&RULE), expected, "{source} {manifest} {policy}");
        }
    }

    #[test]
    fn a_registry_of_the_configuration_is_ones_own() {
        use crate::check::cargo_setting::fixture::World;
        let world = World::new().file(crate::model::Scope::Repository, &format!("registries.corp.index = '{CORP}'"));
        let case = case(&format!("source = \"{CORP}\""), "", "");
        let found = case.with(|facts| (RULE.run)(&Facts { cargo_config: &world.config, ..*facts }));
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_is_not_locked_yet_and_what_is_not_private() {
        let unlocked = case("source = \"CRATES_IO\"", "corp-new = \"1\"", "");
        let found = unlocked.run(&RULE);
        assert_eq!(found[1], "critical Cargo.toml:4:1: `corp-new` has a private name and is asked of crates.io");
        let other =
            Case::new().lock(&crate::check::case::lock_with_lib("1.0.0")).manifest("Cargo.toml", "[dependencies]\nlib = \"1\"");
        let policy = "[rules]\n\"source/private-name-from-public\" = { private-names = [\"corp-*\"] }\n";
        assert!(other.policy(policy).run(&RULE).is_empty());
        assert!(Case::new().manifest("Cargo.toml", "[dependencies]\ncorp-a = \"1\"").run(&RULE).is_empty(), "no policy");
    }
}
