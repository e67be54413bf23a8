//! `policy/exemption-unknown`: an exemption names nothing that exists.

use crate::check::exemptions::{Names, names};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "policy/exemption-unknown",
    severity: Severity::Low,
    area: Area::Policy,
    summary: "an exemption names neither a rule nor an advisory",
    docs: "\
An exemption's `id` is a rule (`registry/yanked`) or an advisory (`RUSTSEC-…`, `CVE-…`, `GHSA-…`). Anything else exempts nothing. It is
told and not refused, so that a policy written for a newer version of this tool still works.

**Behind it:** a typo in an ignore list: the author believes that a decision is recorded, and it is not.

```toml
[[exemptions]]
id = \"RUSTSEK-2023-0071\"
reason = \"no private key operation in this program\"
expires = 2027-01-31
```

**What to do:** correct the id; `cargo supplychain explain` lists the rules.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let unknown = facts.settings.exemptions.iter().filter(|exemption| names(&exemption.id) == Names::Nothing);
    let finding = |exemption: &crate::config::Exemption| {
        Finding::new(RULE.id, RULE.severity, format!("the exemption of `{}` names neither a rule nor an advisory", exemption.id))
            .at(exemption.location.clone())
            .help("correct the id: `cargo supplychain explain` lists the rules; advisories are RUSTSEC-…, CVE-… or GHSA-…")
    };
    unknown.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn typos_fire_and_rules_and_advisories_do_not() {
        for (id, fires) in [
            ("RUSTSEK-2023-0071", true),
            ("registry/yankd", true),
            ("RUSTSEC-", true),
            ("registry/yanked", false),
            ("RUSTSEC-2023-0071", false),
            ("CVE-2023-49092", false),
            ("GHSA-c38w-74pg-36hr", false),
        ] {
            let case = Case::new().policy(&format!("[[exemptions]]\nid = \"{id}\"\nreason = \"r\"\nexpires = 2027-01-01\n"));
            let says = format!("low supplychain.toml:1:1: the exemption of `{id}` names neither a rule nor an advisory");
            assert_eq!(case.run(&RULE), if fires { vec![says] } else { vec![] }, "{id}");
        }
    }
}
