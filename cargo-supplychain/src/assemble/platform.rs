//! Platform conditions, evaluated as cargo does (docs/accuracy.md, correction 1): every `target` of the metadata is judged here against
//! `rustc --print cfg`, for the target and for the host, and replaced by a stand-in that the graph library cannot misread.

use std::collections::HashMap;

use cargo_platform::{Cfg, Platform};

use crate::model::cargo_config::is_shallow;
use crate::model::surroundings::{Platform as BuiltFor, Sides};

/// The two sides of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platforms {
    pub target: Side,
    pub host: Side,
}

/// One side: its triple and what `rustc --print cfg` says for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    pub triple: String,
    pub cfgs: Vec<Cfg>,
}

impl Side {
    fn new(triple: &str, cfgs: &[String]) -> Self {
        Self { triple: triple.to_owned(), cfgs: Platforms::cfgs(cfgs) }
    }

    fn built_for(&self) -> BuiltFor {
        let word = |key: &str| {
            let value = |cfg: &Cfg| match cfg {
                Cfg::KeyPair(name, value) if name.as_str() == key => Some(value.clone()),
                _ => None,
            };
            self.cfgs.iter().find_map(value).unwrap_or_default()
        };
        BuiltFor { triple: self.triple.clone(), os: word("target_os"), arch: word("target_arch") }
    }

    fn matches(&self, platform: &Platform) -> bool {
        platform.matches(&self.triple, &self.cfgs)
    }
}

// Three triples that the graph library knows and tells apart, as JSON; of what they are the names does not matter here.
const TARGET: &str = "\"x86_64-unknown-linux-gnu\"";
const HOST: &str = "\"aarch64-apple-darwin\"";
const NEITHER: &str = "\"riscv64gc-unknown-linux-gnu\"";

/// Whether a condition of rewritten metadata holds on the target and on the host.
pub(super) fn sides(rewritten: Option<&str>) -> (bool, bool) {
    let is = |stand_in: &str| rewritten.is_none_or(|condition| condition == stand_in.trim_matches('"'));
    (is(TARGET), is(HOST))
}

impl Platforms {
    /// Triple and lines of `rustc --print cfg` of target and host.
    #[must_use]
    pub fn new(target: (&str, &[String]), host: (&str, &[String])) -> Self {
        Self { target: Side::new(target.0, target.1), host: Side::new(host.0, host.1) }
    }

    /// What each side is compiled for.
    #[must_use]
    pub fn sides(&self) -> Sides {
        Sides { target: self.target.built_for(), host: self.host.built_for() }
    }

    /// The lines of `rustc --print cfg`, parsed; lines that are no cfg are left out.
    #[must_use]
    pub fn cfgs(lines: &[String]) -> Vec<Cfg> {
        lines.iter().filter_map(|line| line.parse().ok()).collect()
    }

    /// The metadata with every platform condition replaced by `null` (both sides), or by the triple of the side, or of neither.
    ///
    /// `"target":"` cannot occur inside a JSON string, where its quotes would be escaped; so the text can be rewritten without
    /// parsing 5 MB into a tree. The keys that match are those of `dependencies[]` and `dep_kinds[]`, and perhaps keys of a
    /// package's own `metadata` table, which nobody reads.
    #[must_use]
    pub fn rewrite(&self, metadata: &str) -> String {
        const KEY: &str = "\"target\":\"";
        let mut out = String::with_capacity(metadata.len());
        let mut known: HashMap<&str, &str> = HashMap::new();
        let mut rest = metadata;
        while let Some(at) = rest.find(KEY) {
            let start = at + KEY.len();
            let Some(length) = string_end(&rest[start..]) else { break };
            let value = &rest[start..start + length];
            out.push_str(&rest[..start - 1]);
            out.push_str(known.entry(value).or_insert_with(|| self.stand_in(value)));
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        out
    }

    fn stand_in(&self, escaped: &str) -> &'static str {
        let condition: String = serde_json::from_str(&format!("\"{escaped}\"")).unwrap_or_default();
        // What is not judged counts as on: listed rather than left out.
        if !is_shallow(&condition) {
            return "null";
        }
        // A condition that cargo itself could not read never got into the metadata; treating it as off is the graph's default.
        let Ok(platform) = condition.parse::<Platform>() else { return NEITHER };
        match (self.target.matches(&platform), self.host.matches(&platform)) {
            (true, true) => "null",
            (true, false) => TARGET,
            (false, true) => HOST,
            (false, false) => NEITHER,
        }
    }
}

/// The length of a JSON string's content, up to its closing quote.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_sides() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let platforms = Platforms {
            target: Side::new("x86_64-pc-windows-gnu", &lines("windows\ntarget_os=\"windows\"\ndebug_assertions")),
            host: Side::new("x86_64-unknown-linux-gnu", &lines("unix\ntarget_os=\"linux\"\ndebug_assertions")),
        };
        for (condition, stand_in) in [
            ("cfg(windows)", "\"x86_64-unknown-linux-gnu\""),
            ("cfg(unix)", "\"aarch64-apple-darwin\""),
            ("cfg(target_os = \\\"linux\\\")", "\"aarch64-apple-darwin\""),
            ("cfg(debug_assertions)", "null"),
            ("cfg(true)", "null"),
            ("cfg(target_os = \\\"none\\\")", "\"riscv64gc-unknown-linux-gnu\""),
            ("x86_64-pc-windows-gnu", "\"x86_64-unknown-linux-gnu\""),
        ] {
            let before = format!(r#"{{"a":"\"target\":\"x\"","target":"{condition}","t":1}}"#);
            let after = format!(r#"{{"a":"\"target\":\"x\"","target":{stand_in},"t":1}}"#);
            assert_eq!(platforms.rewrite(&before), after);
        }
    }

    #[test]
    fn deep_conditions_do_not_exhaust_the_stack() {
        let platforms = Platforms::new(("x86_64-pc-windows-gnu", &[]), ("x86_64-unknown-linux-gnu", &[]));
        let deep = |depth| format!("cfg({}windows{})", "not(".repeat(depth), ")".repeat(depth));
        for (depth, stand_in) in [(254, NEITHER), (256, "null"), (1_000_000, "null")] {
            let rewritten = platforms.rewrite(&format!(r#"{{"target":"{}"}}"#, deep(depth)));
            assert_eq!(rewritten, format!(r#"{{"target":{stand_in}}}"#), "{depth}");
        }
    }
}
