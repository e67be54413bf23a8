//! `policy/exemption-expired`: an exemption's day has passed.

use crate::base::{Location, Timestamp};
use crate::check::{Facts, Rule, exemptions};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "policy/exemption-expired",
    severity: Severity::Medium,
    area: Area::Policy,
    summary: "an exemption has expired, and what it exempted counts again",
    docs: "\
An exemption is a decision for a while. When its day has passed it no longer counts: the finding is back, and this one says why.
Judged by the real clock, or by `--now`. The same of an exception of the sandbox (`[[sandbox.allow]]`): what it allowed is refused again.

**Behind it:** ignore lists that outlive the people who wrote them, with the vulnerability still in them.

```toml
[[exemptions]]
id = \"RUSTSEC-2023-0071\"
reason = \"a fixed version is announced for March\"
expires = 2026-03-31
```

**What to do:** look again. Remove the entry when it has become needless, else give a new reason and a new day.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let expired = facts.settings.exemptions.iter().filter(|exemption| exemptions::is_expired(facts, exemption));
    let exemptions = expired.map(|one| finding(&format!("the exemption of {}", one.id), one.expires, &one.reason, &one.location));
    let allowed = facts.settings.sandbox.allow.iter().filter(|allow| allow.is_expired(facts.now));
    let of_sandbox = allowed.map(|one| {
        let what = format!("the exception of the sandbox for {} {}", one.package, one.version);
        finding(&what, one.expires, &one.reason, &one.location)
    });
    exemptions.chain(of_sandbox).collect()
}

fn finding(what: &str, expires: Timestamp, reason: &str, location: &Location) -> Finding {
    Finding::new(RULE.id, RULE.severity, format!("{what} expired on {}", expires.date()))
        .at(location.clone())
        .because(format!("its reason was: {reason}"))
        .help("look again: remove it, or give a new reason and a new day")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn from_its_day_on_it_is_expired() {
        for (day, expected) in [
            ("2026-11-24", &[][..]),
            ("2026-11-23", &["medium supplychain.toml:1:1: the exemption of registry/yanked expired on 2026-11-23"]),
            ("2026-01-01", &["medium supplychain.toml:1:1: the exemption of registry/yanked expired on 2026-01-01"]),
        ] {
            let case =
                Case::new().policy(&format!("[[exemptions]]\nid = \"registry/yanked\"\nreason = \"r\"\nexpires = {day}\n"));
            assert_eq!(case.run(&RULE), expected, "{day}");
        }
    }

    #[test]
    fn so_is_an_exception_of_the_sandbox() {
        for (day, expected) in [
            ("2026-11-24", &[][..]),
            ("2026-11-23", &["medium supplychain.toml:1:1: the exception of the sandbox for lib 1.0.0 expired on 2026-11-23"]),
        ] {
            let policy =
                format!("[[sandbox.allow]]\ncrate = \"lib\"\nversion = \"1.0.0\"\nnet = true\nreason = \"r\"\nexpires = {day}\n");
            assert_eq!(Case::new().policy(&policy).run(&RULE), expected, "{day}");
        }
    }
}
