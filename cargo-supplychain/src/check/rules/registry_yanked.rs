//! `registry/yanked`: a locked version was withdrawn by its publisher.

use crate::base::Location;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "registry/yanked",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "a locked version was yanked",
    docs: "\
A yanked version can still be built by those who have it locked; nobody else gets it. Publishers yank what is broken, vulnerable or
was published by mistake, and attackers yank good versions to push people onto a bad one: so look before you update. Known from the
index that cargo keeps in `$CARGO_HOME`, which is as old as the last time cargo used the network.

**Behind it:** `arrayref` (2026): versions come and go around a compromise, and the yank is often the first sign.

```toml
[[package]]
name = \"lib\"
version = \"1.0.0\"          # yanked: true in the index
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** read the changelog or the advisory first; then move to a version that is neither yanked nor only days old, or exempt it
with a reason. When several versions went at once, see `registry/mass-yank`.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let Some(source) = &package.source else { continue };
        let key = (package.name.clone(), package.version.clone(), source.clone());
        let Some(Ok(indexed)) = facts.index.versions.get(&key).filter(|facts| matches!(facts, Ok(facts) if facts.yanked)) else {
            continue;
        };
        let mut finding = Finding::new(RULE.id, RULE.severity, format!("{} {} was yanked", package.name, package.version))
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line));
        if let Some(published) = indexed.published {
            finding = finding.because(format!("published {}", published.date()));
        }
        findings.push(finding.help(format!(
            "find out why before you move: ask the project or look for an advisory of {}; a yanked version that is locked still builds",
            package.name
        )));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::index::{IndexGap, IndexVersion};

    #[test]
    fn yanked_fires_and_the_rest_does_not() {
        let indexed = |yanked| Ok(IndexVersion { checksum: Sha256::of(b""), yanked, published: None });
        for (version, facts, expected) in [
            ("1.0.0", indexed(true), &["medium Cargo.lock:3: lib 1.0.0 was yanked"][..]),
            ("1.0.0", indexed(false), &[]),
            ("1.0.1", indexed(true), &[]),
            ("1.0.0", Err(IndexGap::NoSuchVersion), &[]),
        ] {
            let case = Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", version, facts.clone());
            assert_eq!(case.run(&RULE), expected, "{version} {facts:?}");
        }
    }
}
