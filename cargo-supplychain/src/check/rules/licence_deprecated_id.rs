//! `licence/deprecated-id`: a declared licence uses an identifier that the SPDX list has replaced.

use crate::check::{Facts, Rule, licensed};
use crate::finding::{Area, Finding, Severity};
use crate::model::licence::deprecated;

pub(super) static RULE: Rule = Rule {
    id: "licence/deprecated-id",
    severity: Severity::Info,
    area: Area::Licences,
    summary: "a package declares its licence by an identifier that the SPDX list has replaced",
    docs: "\
`GPL-3.0` was replaced by `GPL-3.0-only` and `GPL-3.0-or-later`, since people read the old one either way. It is judged as what it
literally says, this version only; `LGPL-3.0+` as `LGPL-3.0-or-later`. (`MIT/Apache-2.0`, which cargo accepted once, is read as
`MIT OR Apache-2.0` and not reported.)

**Behind it:** no incident; documents with such identifiers are refused by some readers.

```toml
[package]
license = \"LGPL-3.0+\"
```

**What to do:** nothing, or ask the author which of the two is meant.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in licensed::packages(facts).iter().filter(|package| !package.is_clarified) {
        for (old, new) in package.component.license.as_deref().map(deprecated).unwrap_or_default() {
            let message =
                format!("{} {} declares `{old}`, a deprecated identifier", package.component.name, package.component.version);
            let help = format!("ask its author for the identifier of today: {new}");
            findings.push(package.finding(RULE.id, RULE.severity, message).help(help));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::licensed::fixture;
    use crate::model::Role;

    #[test]
    fn old_identifiers() {
        for (license, expected) in [
            ("GPL-3.0", &["info Cargo.lock:3: lib 1.0.0 declares `GPL-3.0`, a deprecated identifier"][..]),
            ("MIT OR LGPL-3.0+", &["info Cargo.lock:3: lib 1.0.0 declares `LGPL-3.0+`, a deprecated identifier"]),
            ("GPL-3.0-only", &[]),
            ("MIT/Apache-2.0", &[]),
            ("GPL 3", &[]),
        ] {
            let case = fixture::case("MIT", &[("lib", "1.0.0", Some(license), Some(Role::Runtime))]);
            assert_eq!(case.run(&RULE), expected, "{license}");
        }
    }
}
