//! `toolchain/unpinned`.

use crate::base::Location;
use crate::check::cargo_setting::shown;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "toolchain/unpinned",
    severity: Severity::Low,
    area: Area::Config,
    summary: "the repository does not say which compiler version builds it",
    docs: r#"Without a toolchain file, or with a channel that moves (`stable`, `beta`, `nightly`), the same commit is built by whatever compiler the machine
has that day. Nobody can rebuild the release later from its sources alone, and a comparison of two builds says nothing. The provenance
records the version that was used in any case.

Pinned are a version (`1.95.0`, or `1.95`, whose patch releases only correct it) and a dated channel (`nightly-2026-01-15`), with or without
a host triple behind it.

No incident is behind this finding: it is a condition of reproducible builds (SLSA, "reproducible"; reproducible-builds.org).

```toml
# rust-toolchain.toml
[toolchain]
channel = "stable"
```

What to do: write the version, and let a bot raise it.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let help = "write the version into rust-toolchain.toml: [toolchain] channel = \"1.95.0\"";
    let Some(file) = facts.toolchain_file else {
        return vec![
            Finding::new(RULE.id, Severity::Low, "no rust-toolchain.toml says which compiler version builds this").help(help),
        ];
    };
    let message = match &file.channel {
        _ if file.path.is_some() => return Vec::new(),
        Some(channel) if is_pinned(channel) => return Vec::new(),
        Some(channel) => format!("the toolchain `{}` is not a fixed version", shown(channel)),
        None => "the toolchain file names no channel".to_owned(),
    };
    vec![Finding::new(RULE.id, Severity::Low, message).at(Location::line(file.file.clone(), file.line)).help(help)]
}

/// `1.95`, `1.95.0`, `1.95.0-beta.2`, `nightly-2026-01-15`, each with or without `-HOST`.
fn is_pinned(channel: &str) -> bool {
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (head, rest) = channel.split_once('-').unwrap_or((channel, ""));
    if matches!(head, "stable" | "beta" | "nightly") {
        let mut parts = rest.split('-');
        return [4, 2, 2].iter().all(|&length| parts.next().is_some_and(|part| part.len() == length && all_digits(part)));
    }
    let numbers: Vec<_> = head.split('.').collect();
    matches!(numbers.len(), 2 | 3) && numbers.iter().all(|number| all_digits(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::World;
    use crate::model::ToolchainFile;

    #[test]
    fn what_is_pinned() {
        for channel in
            ["1.95.0", "1.95", "1.95.0-x86_64-unknown-linux-gnu", "nightly-2026-01-15", "nightly-2026-01-15-aarch64-apple-darwin"]
        {
            assert!(is_pinned(channel), "{channel}");
        }
        for channel in ["stable", "beta", "nightly", "stable-x86_64-pc-windows-msvc", "nightly-2026", "esp", "1", "1.x", "", "-"]
        {
            assert!(!is_pinned(channel), "{channel}");
        }
    }

    #[test]
    fn what_is_said() {
        let mut world = World::new();
        assert_eq!(world.run(&RULE), ["low no rust-toolchain.toml says which compiler version builds this"]);
        for (text, expected) in [
            ("channel = 'stable'", &["low the toolchain `stable` is not a fixed version"][..]),
            ("components = ['clippy']", &["low the toolchain file names no channel"]),
            ("channel = '1.95.0'", &[]),
            ("path = 'x'", &[]),
        ] {
            world.toolchain_file = Some(ToolchainFile::parse("f", &format!("[toolchain]\n{text}"), false).unwrap());
            assert_eq!(world.run(&RULE), expected, "{text}");
        }
    }
}
