//! `toolchain/path-override`.

use crate::base::Location;
use crate::check::cargo_setting::shown;
use crate::check::{Facts, Rule, ToolchainFile};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "toolchain/path-override",
    severity: Severity::Critical,
    area: Area::Config,
    summary: "the toolchain file takes the compiler from a folder",
    docs: r#"With `path` in `rust-toolchain.toml` (or an absolute path in the legacy `rust-toolchain`) rustup runs cargo, rustc and everything else from
that folder, for every command that is started below the file: a program of the repository's choice under the name `cargo`. Tried with
rustup: `cargo -V` follows the path. cargo-supplychain refuses the path during analysis and uses an installed toolchain.

Looked at in the workspace root or the nearest folder above, and in the folders of members: rustup takes the file nearest to where it is
started, so that one in `crates/a` acts for whoever works there.

XcodeGhost (2015) put a changed compiler under the hands of developers who had no reason to look at it.

```toml
# rust-toolchain.toml
[toolchain]
path = "tools/rust"
```

What to do: name a released toolchain, `channel = "1.95.0"`. For a compiler of your own, `rustup toolchain link` and `cargo +NAME` on the
machines that have it.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.toolchain_file.into_iter().chain(&facts.machine.member_toolchains).filter_map(finding).collect()
}

fn finding(file: &ToolchainFile) -> Option<Finding> {
    let message = format!("the toolchain file takes cargo and the compiler from the folder `{}`", shown(file.path.as_ref()?));
    let finding = Finding::new(RULE.id, Severity::Critical, message).at(Location::line(file.file.clone(), file.line));
    Some(finding.help("remove `path` and name a released toolchain: channel = \"1.95.0\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::World;

    #[test]
    fn a_path_fires_and_a_channel_does_not() {
        let mut world = World::new();
        assert!(world.run(&RULE).is_empty());
        world.toolchain_file = Some(ToolchainFile::parse("f", "toolchain.channel = '1.95.0'", false).unwrap());
        assert!(world.run(&RULE).is_empty());
        for (text, legacy) in [("toolchain.path = '/opt/rust'", false), ("/opt/rust", true)] {
            world.toolchain_file = Some(ToolchainFile::parse("f", text, legacy).unwrap());
            assert_eq!(
                world.run(&RULE),
                ["critical the toolchain file takes cargo and the compiler from the folder `/opt/rust`"],
                "{text}"
            );
        }
    }

    #[test]
    fn in_a_members_folder_too() {
        let mut world = World::new();
        let parsed = |text| ToolchainFile::parse("a/rust-toolchain.toml", text, false).unwrap();
        world.machine.member_toolchains = vec![parsed("toolchain.channel = 'nightly'"), parsed("toolchain.path = 't'")];
        assert_eq!(world.run(&RULE), ["critical the toolchain file takes cargo and the compiler from the folder `t`"]);
    }
}
