//! `build/new-proc-macro`: an update turned a library into code that runs inside the compiler.

use crate::check::gained::{Earlier, Update, reached, updates};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::capability::ReachKind;

pub(super) static RULE: Rule = Rule {
    id: "build/new-proc-macro",
    severity: Severity::Medium,
    area: Area::Capabilities,
    summary: "an update turned a library into a procedural macro, which runs inside the compiler",
    docs: r#"A procedural macro is a program that the compiler loads: it runs on your machine, with your rights, and writes the code that is
compiled. A library hardly ever becomes one: in 1,331 pairs of versions of real crates none did.

- medium: the version before was none; low when the update is an incompatible one
- high: and its code opens connections or names a web hook; likewise for a macro that was one before and newly does, and for a crate
  that is new here and less than 14 days old

Code that a macro only generates (`quote!`) does not count, nor do addresses in its messages.

**Behind it:** `arrayref` (2026): the new dependency called itself `proc-macro1`.

```toml
# Cargo.toml of the update
[lib]
proc-macro = true
```

What to do: read what the macro does before anything is built; if it is what you want, accept it with the baseline or exempt it.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    updates(facts).0.iter().filter_map(|update| judge(facts, update)).collect()
}

fn judge(facts: &Facts<'_>, update: &Update<'_>) -> Option<Finding> {
    // With a build script as well, what it reaches for is that rule's.
    let is_judged_there = update.now.build_script;
    if !update.now.proc_macro {
        return None;
    }
    let leads_out = |kind: ReachKind| matches!(kind, ReachKind::Network | ReachKind::Webhook);
    let out = || update.now.build_reaches.iter().filter(|reach| leads_out(reach.kind));
    let finding = if update.gained(|gains| gains.proc_macro, |flags| flags.proc_macro) {
        let (severity, more) = match reached(&out()) {
            Some(reaches) => (Severity::High, format!(", which reaches for {reaches}")),
            None if update.is_incompatible() => (Severity::Low, String::new()),
            None => (Severity::Medium, String::new()),
        };
        update.finding(&RULE, severity, &format!("became a procedural macro{more}"))
    } else if is_judged_there {
        return None;
    } else if matches!(update.earlier, Earlier::Nothing) {
        let days = update.young_for(facts)?;
        let what = format!("is new here and a procedural macro that reaches for {}", reached(&out())?);
        update.finding(&RULE, Severity::High, &what).because(format!("first released {days} days ago"))
    } else {
        let gains = update.gains()?;
        let new = reached(&gains.reaches.iter().copied().filter(|reach| leads_out(reach.kind)))?;
        update.finding(&RULE, Severity::High, &format!("is a procedural macro that newly reaches for {new}"))
    };
    let finding = finding.because("in 1,331 pairs of versions of real crates no library became a procedural macro");
    Some(finding.help(format!("{}; accept or exempt it if it is what you want", update.source_page("src/lib.rs"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::gained::fixture::{case, published, reaching};
    use crate::model::capability::Capabilities;

    #[test]
    fn a_library_that_becomes_a_macro() {
        let none = Capabilities::default;
        let plain = || Capabilities { proc_macro: true, ..Capabilities::default() };
        let out = || Capabilities { build_script: false, proc_macro: true, ..reaching(ReachKind::Network, "TcpStream") };
        let starts = || Capabilities { build_script: false, proc_macro: true, ..reaching(ReachKind::Process, "git") };
        for (before, version, now, expected) in [
            (none(), "1.0.1", plain(), Some("medium Cargo.lock:3: lib 1.0.1 became a procedural macro")),
            (none(), "2.0.0", plain(), Some("low Cargo.lock:3: lib 2.0.0 became a procedural macro")),
            (
                none(),
                "1.0.1",
                out(),
                Some(
                    "high Cargo.lock:3: lib 1.0.1 became a procedural macro, which reaches for the network (TcpStream in build.rs:3)",
                ),
            ),
            (
                plain(),
                "1.0.1",
                out(),
                Some(
                    "high Cargo.lock:3: lib 1.0.1 is a procedural macro that newly reaches for the network (TcpStream in build.rs:3)",
                ),
            ),
            (plain(), "1.0.1", starts(), None),
            (plain(), "1.0.1", plain(), None),
            (plain(), "1.0.1", none(), None),
        ] {
            let found = case(Some(("1.0.0", before)), version, now).run(&RULE);
            assert_eq!(found, expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{version}");
        }
        for (now, first, count) in
            [(out(), "2026-11-20T00:00:00Z", 1), (out(), "2026-01-20T00:00:00Z", 0), (plain(), "2026-11-20T00:00:00Z", 0)]
        {
            assert_eq!(published(case(None, "1.0.0", now), "1.0.0", first).run(&RULE).len(), count, "{first}");
        }
    }
}
