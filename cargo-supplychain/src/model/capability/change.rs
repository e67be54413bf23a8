//! What a version can do that the one before it could not: [`Gains`].

use std::collections::BTreeSet;

use super::scan::is_test;
use super::{Capabilities, Reach, ReachKind};

/// What was gained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gains<'c> {
    pub build_script: bool,
    pub proc_macro: bool,
    pub links: bool,
    pub native_code: bool,
    /// Executable files outside of tests, or loaded ones anywhere, that the version before had no like of.
    pub blobs: Vec<&'c str>,
    /// Those of them that source code loads.
    pub loaded_blobs: Vec<&'c str>,
    /// Encoded text.
    pub encoded: Vec<&'c str>,
    /// What code that runs at build time newly reaches for: network, shell or web hook.
    pub reaches: Vec<&'c Reach>,
}

impl Reach {
    /// Whether it leads out of the machine or to programs that can: network, shell, web hook.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        matches!(self.kind, ReachKind::Network | ReachKind::Shell | ReachKind::Webhook)
    }
}

impl Capabilities {
    /// Against the version before. Paths are compared without their numbers: `libx-1.2.a` and `libx.a` are alike.
    #[must_use]
    pub fn gains<'c>(&'c self, before: &Self) -> Gains<'c> {
        let known_blobs: BTreeSet<_> = before.blobs.iter().map(|path| without_numbers(path)).collect();
        let known_loaded: BTreeSet<_> = before.loaded_blobs.iter().map(|path| without_numbers(path)).collect();
        let counts = |path: &&String| !is_test(path) || self.loaded_blobs.contains(path);
        let is_new = |path: &&String| !known_blobs.contains(&without_numbers(path));
        let is_loaded = |path: &&String| self.loaded_blobs.contains(path) && !known_loaded.contains(&without_numbers(path));
        let blobs = self.blobs.iter().filter(counts);
        // Before it had none to be told apart, encoded text elsewhere is no news where there was some already.
        let encoded = self.encoded.iter().filter(|_| before.encoded.is_empty());
        let reaches = self
            .build_reaches
            .iter()
            .filter(|reach| reach.is_telling() && !before.build_reaches.iter().any(|known| known.kind == reach.kind));
        Gains {
            build_script: self.build_script && !before.build_script,
            proc_macro: self.proc_macro && !before.proc_macro,
            links: self.links.is_some() && before.links.is_none(),
            native_code: self.native_code && !before.native_code,
            blobs: blobs.clone().filter(is_new).map(String::as_str).collect(),
            loaded_blobs: blobs.filter(is_loaded).map(String::as_str).collect(),
            encoded: encoded.map(String::as_str).collect(),
            reaches: reaches.collect(),
        }
    }

    /// What code that runs at build time reaches for outside of the machine.
    pub fn telling_reaches(&self) -> impl Iterator<Item = &Reach> + Clone {
        self.build_reaches.iter().filter(|reach| reach.is_telling())
    }
}

/// The letters of a path: `lib/libx.1.2.a` as `lib/libx.a`, whatever the version in it.
fn without_numbers(path: &str) -> String {
    path.chars().filter(|character| !character.is_ascii_digit() && !matches!(character, '.' | '-' | '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn what_was_there_is_not_gained() {
        let reach = |kind, word: &str| Reach { kind, word: word.into(), path: "build.rs".into(), line: 1 };
        let before = Capabilities {
            build_script: true,
            blobs: list(&["lib/libx-1.2.a"]),
            loaded_blobs: list(&["lib/libx-1.2.a"]),
            build_reaches: vec![reach(ReachKind::Shell, "sh")],
            ..Capabilities::default()
        };
        assert_eq!(before.gains(&before), Gains::default());
        let after = Capabilities {
            proc_macro: true,
            links: Some("x".into()),
            blobs: list(&["bin/tool", "lib/libx-1.3.a", "tests/a.elf", "tests/b.elf"]),
            loaded_blobs: list(&["lib/libx-1.3.a", "tests/b.elf"]),
            encoded: list(&["src/a.rs"]),
            build_reaches: vec![
                reach(ReachKind::Network, "TcpStream"),
                reach(ReachKind::Shell, "bash"),
                reach(ReachKind::Process, "cc"),
            ],
            ..before.clone()
        };
        let gains = after.gains(&before);
        assert_eq!((gains.build_script, gains.proc_macro, gains.links, gains.native_code), (false, true, true, false));
        assert_eq!((gains.blobs, gains.loaded_blobs), (vec!["bin/tool", "tests/b.elf"], vec!["tests/b.elf"]));
        assert_eq!((gains.encoded, gains.reaches.len()), (vec!["src/a.rs"], 1));
    }
}
