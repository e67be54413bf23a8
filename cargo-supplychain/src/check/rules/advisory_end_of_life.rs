//! `advisory/end-of-life`: nobody mends the release line of a library that a locked crate brings along, or of the compiler.

use crate::advisory::native::{is_called, line_of};
use crate::advisory::signals::{LineEnd, ReleaseLine};
use crate::base::Timestamp;
use crate::check::natives::natives;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/end-of-life",
    severity: Severity::Medium,
    area: Area::Advisories,
    summary: "the release line of a compiled-in library, or of the compiler, has ended",
    docs: "\
A release line that has ended gets no more fixes, and no more CVE records say that it would need one: silence is not safety. The ends come from
`cargo supplychain fetch eol` (endoflife.date), `--feed eol=FILE` or `[[advisories.source]]`; without them the rule knows nothing.

**Behind it:** Equifax (2017) ran Struts on a line that was out of support. `openssl-src` 300.6.1+3.6.3, its last release with OpenSSL 3.6, is on a line
that ended on 2026-11-01, and no advisory says so.

```text
medium  advisory/end-of-life  openssl-src 300.6.1+3.6.3  Cargo.lock:340
        openssl 3.6.3: the release line 3.6 ended on 2026-11-01
```

**What to do:** move to a crate release with a line that is maintained, best one with long support. For the compiler: raise the toolchain.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for native in natives(facts) {
        let Some(version) = native.version() else { continue };
        let Some((line, when)) = ended(facts, native.part.name, version) else { continue };
        let (takes_part, name) = (native.takes_part(facts), native.part.name);
        let aside = if takes_part { "" } else { " (not in this build)" };
        let severity = if takes_part { RULE.severity } else { Severity::Info };
        let message = format!("{name} {version}: the release line {line} {when}{aside}");
        let finding = native.finding(facts, Finding::new(RULE.id, severity, message));
        findings
            .push(finding.help(format!("update {} to a release with a line of {name} that is maintained", native.package.name)));
    }
    if let Ok(build) = facts.build
        && let Some((line, when)) = ended(facts, "rust", release(&build.toolchain.rustc))
    {
        let message = format!("rustc {}: the release line {line} {when}", release(&build.toolchain.rustc));
        findings.push(Finding::new(RULE.id, RULE.severity, message).help("raise the toolchain"));
    }
    findings
}

/// `1.95.0` of `1.95.0 (59807616e 2026-04-14)`.
fn release(rustc: &str) -> &str {
    rustc.trim_start_matches("rustc ").split(' ').next().unwrap_or_default()
}

/// The release line of this version, and how it ended.
fn ended(facts: &Facts<'_>, product: &str, version: &str) -> Option<(String, String)> {
    let lines = facts.sources.signals.lines.as_ref()?;
    let of_product = lines.iter().filter(|(name, _)| is_called(product, name)).flat_map(|(_, lines)| lines);
    let line: &ReleaseLine = line_of(version, of_product.map(|line| (line.line.as_str(), line)))?;
    let when = match line.end {
        LineEnd::On(day) if is_over(day, facts.now) => format!("ended on {}", day.date()),
        LineEnd::Ended => "has ended".to_owned(),
        LineEnd::On(_) | LineEnd::Open => return None,
    };
    Some((line.line.clone(), when))
}

/// The day itself is the last one, or the first without: the publisher does not say; it counts as over.
fn is_over(day: Timestamp, now: Timestamp) -> bool {
    now.unix() >= day.unix()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::check::LibraryVersion;
    use crate::check::case::Case;

    #[test]
    fn lines_that_have_ended() {
        // The clock is 2026-11-23.
        let line = |line: &str, end| ReleaseLine { line: line.into(), end };
        let lines = vec![
            line("3.5", LineEnd::On("2030-04-08".parse().unwrap())),
            line("3.6", LineEnd::On("2026-11-01".parse().unwrap())),
            line("1.1.1", LineEnd::Ended),
            line("4.0", LineEnd::Open),
        ];
        for (version, of_library, expected) in [
            ("300.6.1+3.6.3", "3.6.3", &["medium Cargo.lock:3: openssl 3.6.3: the release line 3.6 ended on 2026-11-01"][..]),
            ("300.5.5+3.5.5", "3.5.5", &[]),
            ("111.28.2+1.1.1w", "1.1.1w", &["medium Cargo.lock:3: openssl 1.1.1w: the release line 1.1.1 has ended"]),
            ("400.0.2+4.0.3", "4.0.3", &[]),
            ("500.0.0+5.0.0", "5.0.0", &[]),
        ] {
            let lock = format!(
                "version = 4\n\n[[package]]\nname = \"openssl-src\"\nversion = \"{version}\"\nsource = \"CRATES_IO\"\nchecksum = \"HEX\"\n"
            );
            let mut case = Case::new().lock(&lock);
            let said = LibraryVersion { version: Some(of_library.into()), said_by: "said".into() };
            case.sources.natives.insert((0, "openssl"), said);
            case.sources.signals.lines = Some(BTreeMap::from([("openssl".to_owned(), lines.clone())]));
            assert_eq!(case.run(&RULE), expected, "{version}");
        }
        assert_eq!(release("1.95.0 (59807616e 2026-04-14)"), "1.95.0");
    }
}
