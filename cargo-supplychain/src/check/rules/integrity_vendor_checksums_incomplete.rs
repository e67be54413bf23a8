//! `integrity/vendor-checksums-incomplete`.

use crate::base::text::plain;
use crate::check::deviations::{Picked, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/vendor-checksums-incomplete",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "the list of checksums of a vendored package does not list its files",
    docs: r#"Of a vendored package cargo checks what `.cargo-checksum.json` lists, and nothing else: with `"files": {}` it compiles whatever lies there, under the true checksum of the package (cargo
1.95). The list has to have the package's checksum, `Cargo.toml`, and every file of the `.crate` that is there. Where the `.crate` is in cargo's cache, the files are compared
with it; where it is not, with the list alone, which the report says.

**Behind it:** the change hides well: one line of JSON in a pull request that touches thousands of vendored files.

```json
{"files":{},"package":"3bd1574e617a9a6c1f8f8181bd7e841e1f20e4277607ef28945765188d6284d4"}
```

**What to do:** run `cargo vendor` again on a machine that you trust, and look at the difference.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::VendorIncomplete { missing, .. } => {
            let named = missing.iter().take(5).map(|path| plain(path)).collect::<Vec<_>>().join(", ");
            let rest = if missing.len() > 5 { format!(" and {} more", missing.len() - 5) } else { String::new() };
            Some(Picked::of(&RULE, format!("not listed: {named}{rest}")))
        }
        _ => None,
    };
    let message = |package: &str, _| format!("the checksums of the vendored {package} are incomplete");
    findings(facts, &RULE, pick, message, "run `cargo vendor` again on a machine that you trust, and look at the difference")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(
            &RULE,
            "critical Cargo.lock:3: the checksums of the vendored lib 1.0.0 are incomplete: vendor/lib/.cargo-checksum.json",
        );
    }
}
