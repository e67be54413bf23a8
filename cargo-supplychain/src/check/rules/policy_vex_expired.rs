//! `policy/vex-expired`: the day of a decision about a vulnerability has passed.

use crate::check::{Facts, Rule};
use crate::config::VexDecision;
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "policy/vex-expired",
    severity: Severity::Medium,
    area: Area::Policy,
    summary: "a decision about a vulnerability (VEX) has expired, and does not count any more",
    docs: "\
A decision in `[[vex]]` is one for a while, whatever its status: that something is not affected was true of the code of that day, and an
investigation or a promised fix has a day by which it is done. When the day has passed the decision exempts nothing, is not published any
more, and this finding says why. Judged by the real clock, or by `--now`.

**Behind it:** \"under investigation\" that stays so for years, and \"not affected\" of a program that has since learned to call the function.

```toml
[[vex]]
id = \"RUSTSEC-2023-0071\"
package = \"rsa\"
status = \"under_investigation\"
reason = \"we are looking at who can measure the time of a signature\"
author = \"PSIRT\"
date = 2026-03-01
expires = 2026-03-31
```

**What to do:** look again, and decide again: a new entry with a new day (`cargo supplychain vex add`), and the old one removed.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let expired = facts.settings.vex.iter().filter(|decision| !decision.is_in_force(facts.now));
    let finding = |decision: &VexDecision| {
        let message =
            format!("the decision about {} in {} expired on {}", decision.id, decision.component, decision.expires.date());
        Finding::new(RULE.id, RULE.severity, message)
            .at(decision.location.clone())
            .because(decision.decision().line())
            .help("look again: decide anew with a new day, or remove it")
    };
    expired.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn from_its_day_on_it_is_expired() {
        for (day, expected) in [
            ("2026-11-24", &[][..]),
            ("2026-11-23", &["medium supplychain.toml:1:1: the decision about CVE-2026-1 in lib ^1 expired on 2026-11-23"]),
        ] {
            let policy = format!(
                "[[vex]]\nid = \"CVE-2026-1\"\npackage = \"lib\"\nversion = \"1\"\nstatus = \"fixed\"\nreason = \"r\"\nauthor = \"a\"\n\
                 date = 2026-01-01\nexpires = {day}\n"
            );
            assert_eq!(Case::new().policy(&policy).run(&RULE), expected, "{day}");
        }
    }
}
