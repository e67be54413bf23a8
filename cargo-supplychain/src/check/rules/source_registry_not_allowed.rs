//! `source/registry-not-allowed`: a registry that the policy does not list.

use std::collections::BTreeMap;

use crate::base::Location;
use crate::base::text::without_credentials;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::LockedPackage;

pub(super) static RULE: Rule = Rule {
    id: "source/registry-not-allowed",
    severity: Severity::High,
    area: Area::Sources,
    summary: "a package comes from a registry other than crates.io that the policy does not allow",
    docs: "\
Whoever serves a registry decides what is compiled. crates.io is allowed, by its exact URL; something that merely looks like it is
not. A registry of your own is allowed by its URL, as the lockfile writes it.

**Behind it:** dependency confusion (Birsan, 2021) and look-alike index URLs: one changed letter in a lockfile is easily missed.

```toml
[[package]]
name = \"itoa\"
version = \"1.0.15\"
source = \"registry+https://github.com/rust-lamg/crates.io-index\"
```

**What to do:** if the registry is yours, allow it:

```toml
[rules]
\"source/registry-not-allowed\" = { allow = [\"sparse+https://registry.example.org/index/\"] }
```
",
    options: &[RuleOption::allow("index URLs of registries, as Cargo.lock writes them")],
    run,
};

/// The most packages that one finding points to.
const PLACES: usize = 10;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    let mut foreign = BTreeMap::<&str, Vec<&LockedPackage>>::new();
    for package in lockfile.packages.iter().filter(|package| package.is_registry() && !package.is_crates_io()) {
        let source = package.source.as_deref().unwrap_or_default();
        if !allowed.iter().any(|url| is_same(url, source)) {
            foreign.entry(source).or_default().push(package);
        }
    }
    // One finding a registry: a private one may have hundreds of packages, and there is one decision to make.
    foreign.into_iter().map(|(source, packages)| finding(&lockfile.path, source, &packages)).collect()
}

/// Equal as written, or but for the protocol's prefix and a slash at the end.
pub(in crate::check) fn is_same(allowed: &str, source: &str) -> bool {
    let bare = |url: &str| url.trim_start_matches("registry+").trim_end_matches('/').to_owned();
    bare(allowed) == bare(source)
}

fn finding(path: &str, source: &str, packages: &[&LockedPackage]) -> Finding {
    let shown = without_credentials(source);
    let count = packages.len();
    let noun = if count == 1 { "package comes" } else { "packages come" };
    let mut finding =
        Finding::new(RULE.id, RULE.severity, format!("{count} {noun} from the registry {shown}, which is not allowed"));
    if let [only] = packages {
        finding = finding.about(&only.name, &only.version);
    }
    for package in packages.iter().take(PLACES) {
        finding = finding.at(Location::line(path, package.line)).because(format!("{} {}", package.name, package.version));
    }
    if count > PLACES {
        finding = finding.because(format!("and {} more", count - PLACES));
    }
    finding.help(format!("if it is meant to be used, add \"{shown}\" to `allow` of \"{}\" in supplychain.toml", RULE.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::lockfile::CRATES_IO;

    #[test]
    fn only_the_exact_url_is_crates_io() {
        let says =
            |shown: &str| vec![format!("high Cargo.lock:3: 1 package comes from the registry {shown}, which is not allowed")];
        let corp = "sparse+https://registry.example.org/index/";
        let allow_corp = format!("[rules]\n\"source/registry-not-allowed\" = {{ allow = [\"{corp}\"] }}\n");
        let look_alike = "registry+https://github.com/rust-lang/crates.io-index.git";
        for (source, policy, expected) in [
            (CRATES_IO[0], "", vec![]),
            (CRATES_IO[1], "", vec![]),
            (look_alike, "", says(look_alike)),
            ("sparse+https://index.crates.io.example.org/", "", says("sparse+https://index.crates.io.example.org/")),
            ("sparse+http://index.crates.io/", "", says("sparse+http://index.crates.io/")),
            ("sparse+https://u:secret@registry.example.org/index/", "", says("sparse+https://registry.example.org/index/")),
            (corp, "", says(corp)),
            (corp, &allow_corp, vec![]),
            ("sparse+https://registry.example.org/index2/", &allow_corp, says("sparse+https://registry.example.org/index2/")),
            ("git+https://example.org/lib#0123456789012345678901234567890123456789", "", vec![]),
        ] {
            let case = Case::new().lock(&lock_with_lib("1.0.0").replace("CRATES_IO", source)).policy(policy);
            assert_eq!(case.run(&RULE), expected, "{source}");
        }
    }

    #[test]
    fn many_packages_of_one_registry_are_one_finding() {
        let package =
            |number| format!("[[package]]\nname = \"p{number}\"\nversion = \"1.0.0\"\nsource = \"sparse+https://e.org/\"\n");
        let case = Case::new().lock(&(0..12).map(package).collect::<String>());
        let findings = case.findings(&RULE);
        assert_eq!((findings.len(), findings[0].locations.len()), (1, PLACES));
        assert_eq!(findings[0].evidence.last().map(String::as_str), Some("and 2 more"));
    }
}
