//! `build/new-native-code`: an update brings code of another language, which these checks do not read.

use crate::check::gained::updates;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "build/new-native-code",
    severity: Severity::Info,
    area: Area::Capabilities,
    summary: "an update gained sources of C, C++, assembler or the like",
    docs: "\
C and assembler are compiled by the build script, are not memory-safe, and have vulnerabilities of their own that advisories about the
crate may not name. It is said, not judged: in 1,331 pairs of versions of real crates 2 gained native sources.

**Behind it:** no incident of its own; freetype (CVE-2025-27363) and libwebp (CVE-2023-4863) sat in crates as copies of C code.

```text
lib-1.4.2/src/lib.rs
lib-1.4.3/src/lib.rs
lib-1.4.3/vendor/inflate.c
```

**What to do:** look whose code it is and whether its own advisories are watched.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (updates, _) = updates(facts);
    let gained = updates
        .iter()
        .filter(|update| update.now.native_code && update.gained(|gains| gains.native_code, |flags| flags.native_code));
    gained
        .map(|update| {
            let finding = update.finding(&RULE, RULE.severity, "gained native code (C, C++, assembler or the like)");
            finding.help("look whose code it is and whether its advisories are watched")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::gained::fixture::case;
    use crate::model::capability::Capabilities;

    #[test]
    fn native_code_that_was_not_there_before() {
        let native = |native_code| Capabilities { native_code, ..Capabilities::default() };
        for (before, now, count) in [(false, true, 1), (true, true, 0), (true, false, 0), (false, false, 0)] {
            assert_eq!(case(Some(("1.0.0", native(before))), "1.0.1", native(now)).run(&RULE).len(), count, "{before} {now}");
        }
        assert_eq!(case(None, "1.0.0", native(true)).run(&RULE).len(), 0);
    }
}
