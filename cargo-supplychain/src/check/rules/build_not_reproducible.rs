//! `build/not-reproducible`: two builds of the same sources gave different bytes.

use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "build/not-reproducible",
    severity: Severity::Medium,
    area: Area::Capabilities,
    summary: "a second build of the same sources in other folders gave other bytes",
    docs: r#"A signature on a tampered build proves nothing; a second build that gives the same bytes does. `build --reproduce` builds twice, in
other folders and with another home, and compares every artifact. Where they differ, nobody else will be able to prove that the released
file was made from its sources, and something of the machine or of the moment is in it: a path, a time, a random number, the order of
files. The evidence names the sections and functions that differ (docs/rebuild.md).

A second build that fails counts as well: it had only what the repository and the lockfile say.

**Behind it:** SolarWinds (2020): the build server put the backdoor in, and the release was signed. CCleaner (2017), ShadowHammer (2019).

```rust
// build.rs
fn main() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    println!("cargo::rustc-env=BUILT={}", now.as_secs());
}
```

What to do: take times from `SOURCE_DATE_EPOCH` or from the commit; make paths relative; sort what a build script lists; see docs/rebuild.md
for what cannot be given a fixed name.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(reproduction) = facts.reproduction else { return Vec::new() };
    let help = "see which of the causes the build can do without (docs/rebuild.md)";
    if let Some(why) = &reproduction.failed {
        let finding = Finding::new(RULE.id, RULE.severity, "a second build of the same sources failed");
        return vec![finding.because(why.clone()).help(help)];
    }
    let different = reproduction.differing().map(|artifact| {
        let message = format!("a second build of {} gave other bytes", artifact.name);
        let mut finding = Finding::new(RULE.id, RULE.severity, message);
        for cause in artifact.causes() {
            finding = finding.because(cause);
        }
        finding.because(format!("it had otherwise: {}", reproduction.varied.join(", "))).help(help)
    });
    different.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::Case;
    use crate::model::difference::explain;
    use crate::model::{Reproduced, Reproduction};

    #[test]
    fn what_differs_is_told_and_what_agrees_is_not() {
        let artifact = |second: &[u8]| Reproduced {
            name: "app".into(),
            first: Sha256::of(b"one"),
            second: Some(Sha256::of(second)),
            difference: explain(b"one", second),
        };
        let reproduction =
            |artifacts| Reproduction { varied: vec!["home".into()], artifacts, not_compared: vec![], failed: None };
        for (reproduction, expected) in [
            (None, None),
            (Some(reproduction(vec![artifact(b"one")])), None),
            (Some(reproduction(vec![artifact(b"two")])), Some("medium : a second build of app gave other bytes")),
            (
                Some(Reproduction { failed: Some("cargo build failed".into()), ..reproduction(vec![]) }),
                Some("medium : a second build of the same sources failed"),
            ),
        ] {
            let mut case = Case::new();
            case.reproduction = reproduction;
            assert_eq!(case.run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>());
        }
    }
}
