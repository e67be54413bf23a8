//! `build/unclean-target-folder`: what an earlier build left would become part of this one.

use crate::base::{Location, text};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "build/unclean-target-folder",
    severity: Severity::Medium,
    area: Area::Capabilities,
    summary: "the build reuses a target folder, and the policy wants a fresh one or others can write to it",
    docs: r#"Cargo trusts what lies in a target folder: a library replaced there is linked, with clean sources and a clean lockfile, and nothing
notices. `build` compiles into a folder of its own, `target/supplychain/.build`, never into cargo's. In CI and with `--clean` it is made
afresh; on your own machine it is reused, and the provenance says so (`targetFolder: reused`).

That reuse is a finding where the policy does not want it (`[verify] require-fresh-target = true` refuses such releases later), and
where other users of the machine can write to the folder.

**Behind it:** caches of CI restored with foreign artifacts: Ultralytics (2024-12-04), TanStack (2026-05-11).

```toml
# supplychain.toml
[verify]
require-fresh-target = true
```

What to do: build with `--clean`, or in CI.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(reused) = facts.reused_target else { return Vec::new() };
    let path = text::plain(&reused.path);
    let why = match (&reused.writable_by, facts.settings.verify.require_fresh_target) {
        (Some(who), _) => format!("the build would reuse {path}, which {who} can write to"),
        (None, true) => format!("the build would reuse {path}, and the policy wants a fresh target folder"),
        (None, false) => return Vec::new(),
    };
    let finding = Finding::new(RULE.id, RULE.severity, why).at(Location::file(path.as_ref()));
    vec![finding.because("cargo links what lies there without looking at it").help("build with --clean, which makes it afresh")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ReusedTarget;
    use crate::check::case::Case;

    #[test]
    fn reuse_counts_where_it_is_not_wanted() {
        let reused = |who: Option<&str>| Some(ReusedTarget { path: "t/.build".into(), writable_by: who.map(str::to_owned) });
        for (reused, policy, expected) in [
            (None, "[verify]\nrequire-fresh-target = true\n", None),
            (reused(None), "", None),
            (
                reused(None),
                "[verify]\nrequire-fresh-target = true\n",
                Some("medium t/.build: the build would reuse t/.build, and the policy wants a fresh target folder"),
            ),
            (
                reused(Some("everybody")),
                "",
                Some("medium t/.build: the build would reuse t/.build, which everybody can write to"),
            ),
        ] {
            let mut case = Case::new().policy(policy);
            case.reused_target = reused;
            assert_eq!(case.run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{policy}");
        }
    }
}
