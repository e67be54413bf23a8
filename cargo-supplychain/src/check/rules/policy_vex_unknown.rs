//! `policy/vex-unknown`: a decision names no vulnerability.

use crate::check::exemptions::{Names, names};
use crate::check::{Facts, Rule};
use crate::config::VexDecision;
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "policy/vex-unknown",
    severity: Severity::Low,
    area: Area::Policy,
    summary: "a decision (VEX) names no vulnerability that there could be",
    docs: "\
The `id` of a decision is an advisory: `RUSTSEC-…`, `CVE-…` or `GHSA-…`. Anything else, also the id of a rule, decides nothing: a rule is
exempted by `[[exemptions]]`.

**Behind it:** a typo: the author believes that a decision is recorded and published, and it is not.

```toml
[[vex]]
id = \"RUSTSEK-2023-0071\"
package = \"rsa\"
status = \"fixed\"
reason = \"updated\"
author = \"PSIRT\"
date = 2026-11-01
expires = 2027-05-01
```

**What to do:** correct the id.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let unknown = facts.settings.vex.iter().filter(|decision| names(&decision.id) != Names::Advisory);
    let finding = |decision: &VexDecision| {
        Finding::new(RULE.id, RULE.severity, format!("the decision about `{}` names no vulnerability", decision.id))
            .at(decision.location.clone())
            .help("correct the id: RUSTSEC-…, CVE-… or GHSA-…; a rule is exempted by [[exemptions]]")
    };
    unknown.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn only_vulnerabilities_are_decided_about() {
        for (id, fires) in [
            ("RUSTSEK-2023-0071", true),
            ("registry/yanked", true),
            ("CVE-", true),
            ("RUSTSEC-2023-0071", false),
            ("CVE-2023-49092", false),
            ("GHSA-c38w-74pg-36hr", false),
        ] {
            let policy = format!(
                "[[vex]]\nid = \"{id}\"\npackage = \"lib\"\nstatus = \"fixed\"\nreason = \"r\"\nauthor = \"a\"\ndate = 2026-01-01\n\
                 expires = 2027-01-01\n"
            );
            let says = format!("low supplychain.toml:1:1: the decision about `{id}` names no vulnerability");
            assert_eq!(Case::new().policy(&policy).run(&RULE), if fires { vec![says] } else { vec![] }, "{id}");
        }
    }
}
