//! `sandbox/unavailable`: nothing enclosed the build, though the policy did not switch that off.

use crate::base::text::plain;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::sandbox::Enforcement;

pub(super) static RULE: Rule = Rule {
    id: "sandbox/unavailable",
    severity: Severity::Low,
    area: Area::Sandbox,
    summary: "the build was not sealed, because this system cannot",
    docs: r#"With `[sandbox] mode = "auto"`, the default, a build is sealed where the system can do it and goes on where it cannot. That is recorded in the
provenance (`sandbox: none`, with the reason) and told here: build scripts and procedural macros could do whatever the user can.

With `"require"` such a build does not begin (exit 4). With `"off"` there is nothing to tell: the provenance records that it was switched off.

No incident stands behind it. It is there so that nobody takes a build for sealed that was not.

```toml
# supplychain.toml
[sandbox]
mode = "require"
```

What to do: build releases on Linux with Landlock (kernel 5.19 or later; `/sys/kernel/security/lsm` names `landlock`), and require it there. Where
that is not to be had, say so with `mode = "off"`.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    match facts.sandbox.map(|sandbox| &sandbox.enforcement) {
        Some(Enforcement::None { why, asked_off: false }) => {
            let help = "require it with `[sandbox] mode = \"require\"` on a system that has it, or switch it off with \"off\"";
            vec![Finding::new(RULE.id, RULE.severity, format!("nothing encloses the build: {}", plain(why))).help(help)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;
    use crate::model::sandbox::{SandboxFacts, Seal};

    #[test]
    fn only_where_a_seal_was_wanted_and_could_not_be() {
        let none = |asked_off| Enforcement::None { why: "this system has no Landlock".into(), asked_off };
        for (enforcement, expected) in [
            (None, None),
            (Some(Enforcement::Linux(Seal::default())), None),
            (Some(none(true)), None),
            (Some(none(false)), Some("low : nothing encloses the build: this system has no Landlock")),
        ] {
            let mut case = Case::new();
            case.sandbox = enforcement.map(|enforcement| SandboxFacts { enforcement, attempts: Vec::new(), unlisted: 0 });
            assert_eq!(case.run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>());
        }
    }
}
