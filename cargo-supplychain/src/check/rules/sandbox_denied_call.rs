//! `sandbox/denied-call`: a build asked the kernel for what no build needs.

use crate::check::denied::{Words, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::sandbox::Act;

pub(super) static RULE: Rule = Rule {
    id: "sandbox/denied-call",
    severity: Severity::High,
    area: Area::Sandbox,
    summary: "a build script or procedural macro asked for other processes, keys of the kernel, or what else no build needs",
    docs: r#"Refused to everything that a sealed build starts, and told with the name of the system call:

- high: `ptrace`, `process_vm_readv`, `process_vm_writev`, `pidfd_getfd` (memory and files of other processes), `keyctl`, `add_key`,
  `request_key` (keys that the kernel keeps for you), `bpf`, `perf_event_open` (watching the machine);
- medium: the others.

There is no exception for them. Where more kinds of attempts were made than are recorded, that is a finding of this rule too: what was not
recorded may have been anything.

**Behind it:** `tj-actions/changed-files` (2025-03): the secrets of CI jobs were read from the memory of the runner's process. The implant in
the SolarWinds build (2020) looked into other processes to find the compiler's.

```c
/* in a build script */
ptrace(PTRACE_ATTACH, parent, 0, 0);
```

What to do: read the build script. A debugger, profiler or tracer does not belong into a build; run it outside.
"#,
    options: &[],
    run,
};

/// Other processes, the kernel's keys, the machine as a whole.
const HIGH: [&str; 9] = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "keyctl",
    "add_key",
    "request_key",
    "bpf",
    "perf_event_open",
];

const WORDS: Words = Words {
    verb: "call",
    thing: "system call",
    advice: "read what it does: no build needs this, and there is no exception for it",
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let severity_of = |act: &Act| match act {
        Act::System { call } if HIGH.contains(&call.as_str()) => Some(Severity::High),
        Act::System { .. } => Some(Severity::Medium),
        _ => None,
    };
    let mut found = findings(facts, &RULE, &WORDS, severity_of);
    if let Some(unlisted) = facts.sandbox.map(|sandbox| sandbox.unlisted).filter(|unlisted| *unlisted > 0) {
        let message = format!("the build tried more than is recorded: {unlisted} further kinds of attempts were refused");
        found.push(Finding::new(RULE.id, RULE.severity, message).help("read what the crates do that the other findings name"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::denied::fixture::{case, tried};

    #[test]
    fn by_what_the_call_is_for() {
        let call = |name: &str| tried(Act::System { call: name.into() });
        for (attempts, expected) in [
            (vec![], None),
            (vec![tried(Act::Write { path: "ptrace".into() })], None),
            (vec![call("ptrace")], Some("high Cargo.lock:3: the build script of lib 1.0.0 tried to call ptrace")),
            (vec![call("keyctl")], Some("high Cargo.lock:3: the build script of lib 1.0.0 tried to call keyctl")),
            (vec![call("mount")], Some("medium Cargo.lock:3: the build script of lib 1.0.0 tried to call mount")),
            (
                vec![call("mount"), call("ptrace")],
                Some("high Cargo.lock:3: the build script of lib 1.0.0 tried to call 2 system calls, 2 times, first ptrace"),
            ),
        ] {
            let shown = format!("{attempts:?}");
            assert_eq!(case(attempts).run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{shown}");
        }
        assert!(!case(vec![call("ptrace")]).findings(&RULE)[0].help.contains("init --sandbox-allow"));
    }

    #[test]
    fn what_was_not_recorded_is_not_passed_over() {
        let mut case = case(vec![]);
        case.sandbox.as_mut().unwrap().unlisted = 7;
        assert_eq!(case.run(&RULE), ["high : the build tried more than is recorded: 7 further kinds of attempts were refused"]);
    }
}
