//! What the rules about cargo's configuration share: whose a setting is and what that means for its severity, and which compiler
//! flags and programs are harmless. No rule lives here.

pub(super) mod flags;

#[cfg(test)]
pub(super) mod fixture;

use super::Facts;
use crate::base::text::plain;
use crate::config::Settings;
use crate::finding::{Finding, Severity};
use crate::model::cargo_config::environment::{Influence, influence};
use crate::model::{ConfigEntry, Scope};

/// Longest value that a message quotes, in characters.
const SHOWN_MAX: usize = 120;

/// The settings of files and of the command line; variables of the environment are `env/compiler-override`'s.
pub(super) fn settings<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a ConfigEntry> {
    facts.cargo_config.entries.iter().filter(|entry| entry.scope != Scope::Environment)
}

/// What the policy's `allow = […]` lists for a rule.
pub(super) fn allow<'a>(facts: &Facts<'a>, rule: &str) -> &'a [String] {
    facts.settings.list(rule, "allow")
}

/// The programs that the policy lets wrap or replace the compiler, each with the digest that it has to have, where one is given:
/// `sccache`, or `sccache@sha256:HEX`.
pub fn allowed_wrappers(settings: &Settings) -> impl Iterator<Item = (&str, Option<&str>)> {
    let words = settings.list("config/compiler-override", "allow").iter();
    words.map(|word| word.split_once("@sha256:").map_or((word.as_str(), None), |(word, digest)| (word, Some(digest))))
}

/// A finding about one setting: `severity` where the repository, a folder above it or the command line makes it, low at most where
/// the user's own machine does.
pub(super) fn finding(rule: &'static str, severity: Severity, entry: &ConfigEntry, message: String) -> Finding {
    let severity = if entry.scope.is_user() { severity.min(Severity::Low) } else { severity };
    let whose = match entry.scope {
        Scope::Repository => "set by the repository",
        Scope::Parent => "set in a folder above the repository",
        Scope::User => "set by your own configuration",
        Scope::CommandLine => "set on the command line, which is judged as the repository's configuration",
        Scope::Environment => "set by the environment",
    };
    let finding = Finding::new(rule, severity, message).at(entry.location.clone()).because(whose);
    if entry.effective {
        finding
    } else {
        finding.because("this call of cargo does not read the file, one started beside it does")
    }
}

/// `key`, for a message.
pub(super) fn key(entry: &ConfigEntry) -> String {
    shown(&entry.dotted())
}

/// Text of the configuration, for a message: harmless for a terminal, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_MAX).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", plain(&cut))
}

/// The variable that a leaf of `[env]` sets, in either of its forms: `NAME = "…"` or `NAME = { value = "…" }`.
pub(super) fn env_variable(entry: &ConfigEntry) -> Option<&str> {
    let sets = entry.is(&["env", "*"]) || entry.is(&["env", "*", "value"]);
    sets.then(|| entry.key[1].as_str())
}

/// What a variable of `[env]` can do to a build; Windows does not tell upper from lower case.
pub(super) fn env_influence(name: &str) -> Option<Influence> {
    influence(name).or_else(|| influence(&name.to_uppercase()))
}

/// Whether the repository brings the program that `word` names: a path does, a bare name is looked up in the user's `PATH`.
pub(super) fn is_path(word: &str) -> bool {
    word.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_harmless_and_short() {
        assert_eq!(shown("a\u{1b}[31m"), "a\\u{1b}[31m");
        assert_eq!(shown(&"x".repeat(500)), format!("{}…", "x".repeat(120)));
    }
}
