//! `build/script-not-allowed`: code that runs at build time and is not on the policy's list.

use std::collections::BTreeMap;

use crate::base::{Location, text};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::{Build, Component, Lockfile, Origin};

pub(super) static RULE: Rule = Rule {
    id: "build/script-not-allowed",
    severity: Severity::High,
    area: Area::Capabilities,
    summary: "a build script or procedural macro takes part in the build that the policy does not list; only with a list",
    docs: r#"Build scripts and procedural macros run on the machine that builds. With a list, only those on it may: every other package that has
one and takes part in this build is a finding, whichever version it is. Without a list this rule says nothing. The workspace's own
packages are not judged; without a plan of the build only what changed is.

**Behind it:** `arrayref` (2026): a build script that nobody had asked for came with a patch release of a dependency. A list would have
stopped it without knowing anything about it.

```toml
# supplychain.toml
[rules]
"build/script-not-allowed" = { allow = ["ring", "openssl-sys@0.9", "serde_derive"] }
```

An entry is a package's name, with a version requirement behind `@` where only some versions are meant.

What to do: begin with an empty list, which names everything that runs today, and write those down:

```console
$ echo '"build/script-not-allowed" = { allow = [] }'        # below [rules] of supplychain.toml
$ cargo supplychain check --only capabilities --format json |
    jq -r '.findings[] | select(.id == "build/script-not-allowed") | .package' | sort -u
```
"#,
    options: &[RuleOption::allow(
        "packages whose build scripts and procedural macros may run: `name` or `name@requirement`; none: any may",
    )],
    run,
};

/// Whether the policy has a list, be it an empty one.
pub(in crate::check) fn has_list(facts: &Facts<'_>) -> bool {
    facts.settings.rules.get(RULE.id).is_some_and(|setting| setting.options.contains_key("allow"))
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !has_list(facts) {
        return Vec::new();
    }
    let list = facts.settings.list(RULE.id, "allow");
    let ran = match facts.build {
        Ok(build) => of_build(build),
        Err(_) => of_changes(facts),
    };
    let refused = ran.into_iter().filter(|((name, version), _)| !list.iter().any(|entry| allows(entry, name, version)));
    refused.map(|((name, version), what)| finding(facts.lock.lockfile(), &name, &version, what)).collect()
}

/// What runs, by name and version.
type Ran = BTreeMap<(String, String), &'static str>;

fn of_build(build: &Build) -> Ran {
    let runs = |component: &&Component| {
        (component.has_build_script || component.is_proc_macro)
            && !matches!(component.origin, Origin::Workspace { .. })
            && build.takes_part(&component.purl)
    };
    let entry = |component: &Component| {
        let what = described(component.has_build_script, component.is_proc_macro);
        ((component.name.clone(), component.version.clone()), what)
    };
    build.components.values().filter(runs).map(entry).collect()
}

fn of_changes(facts: &Facts<'_>) -> Ran {
    let runs = facts.changes.changes.iter().filter_map(|change| {
        let package = facts.lock.lockfile()?.packages.get(change.package)?;
        let known = facts.capabilities.get(&(package.crate_key()?, package.version.clone()))?.as_ref().ok()?;
        let is_one = known.build_script || known.proc_macro;
        let key = (package.name.clone(), package.version.to_string());
        is_one.then(|| (key, described(known.build_script, known.proc_macro)))
    });
    runs.collect()
}

fn described(build_script: bool, proc_macro: bool) -> &'static str {
    match (build_script, proc_macro) {
        (true, true) => "is a procedural macro with a build script",
        (true, false) => "has a build script",
        _ => "is a procedural macro",
    }
}

/// `ring`, `openssl-sys@0.9`. A requirement that is none allows nothing.
fn allows(entry: &str, name: &str, version: &str) -> bool {
    match entry.split_once('@') {
        None => entry == name,
        Some((own, requirement)) => {
            let (requirement, version) = (semver::VersionReq::parse(requirement), semver::Version::parse(version));
            own == name && matches!((requirement, version), (Ok(requirement), Ok(version)) if requirement.matches(&version))
        }
    }
}

fn finding(lockfile: Option<&Lockfile>, name: &str, version: &str, what: &str) -> Finding {
    let shown = (text::plain(name), text::plain(version));
    let mut finding =
        Finding::new(RULE.id, RULE.severity, format!("{} {} {what} that the policy does not allow", shown.0, shown.1))
            .about(name, &version);
    let package = lockfile.and_then(|lockfile| {
        lockfile.packages.iter().find(|package| package.name == name && package.version.to_string() == version)
    });
    if let (Some(lockfile), Some(package)) = (lockfile, package) {
        finding = finding.at(Location::line(&lockfile.path, package.line));
    }
    finding.help(format!("read what it runs, then add \"{}\" to `allow` of `{}` in `[rules]`", shown.0, RULE.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::gained::fixture::{case, with_script};
    use crate::model::capability::Capabilities;

    #[test]
    fn only_with_a_list_and_only_what_is_not_on_it() {
        let proc_macro = || Capabilities { proc_macro: true, ..Capabilities::default() };
        let script = "high Cargo.lock:3: lib 1.2.3 has a build script that the policy does not allow";
        let macros = "high Cargo.lock:3: lib 1.2.3 is a procedural macro that the policy does not allow";
        for (allow, now, expected) in [
            (None, with_script(), None),
            (Some(""), with_script(), Some(script)),
            (Some("'ring'"), with_script(), Some(script)),
            (Some("'lib@2'"), with_script(), Some(script)),
            (Some("'lib@!'"), with_script(), Some(script)),
            (Some("'lib', 'ring'"), with_script(), None),
            (Some("'lib@1.2'"), with_script(), None),
            (Some("'lib@=1.2.3'"), with_script(), None),
            (Some(""), proc_macro(), Some(macros)),
            (Some(""), Capabilities::default(), None),
        ] {
            let case = case(None, "1.2.3", now);
            let case = match allow {
                Some(list) => case.policy(&format!("[rules]\n\"build/script-not-allowed\" = {{ allow = [{list}] }}\n")),
                None => case,
            };
            assert_eq!(case.run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{allow:?}");
        }
    }
}
