//! What the rules `sandbox/denied-…` share: all that one crate tried in one role is one finding, with its worst first, however many paths
//! a hostile build script asks for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Facts, Rule};
use crate::base::Location;
use crate::base::text::{counted, plain};
use crate::config::Proposal;
use crate::finding::{Finding, Severity};
use crate::model::sandbox::{Act, Actor, ActorKind, Attempt};

/// How many attempts a finding lists; the rest is counted.
const MAX_LISTED: usize = 20;

/// The most characters of one text of others (a path, a program).
const MAX_TEXT: usize = 200;

/// The most characters of an exception in a help text: with more, `init --sandbox-allow` has to be asked.
const MAX_PROPOSAL: usize = 600;

/// What the attempts of one crate in one role are called.
pub(super) struct Words {
    /// `read`, `write to`, `open a socket of`.
    pub verb: &'static str,
    /// What one of the things is, where there are several: `path`.
    pub thing: &'static str,
    /// What to do before an exception is thought of.
    pub advice: &'static str,
}

/// All attempts of one crate in one role, the worst first.
struct Group<'a> {
    actor: &'a Actor,
    attempts: Vec<&'a Attempt>,
}

/// One finding for each crate and role that tried what `severity_of` has a severity for.
pub(super) fn findings(
    facts: &Facts<'_>,
    rule: &'static Rule,
    words: &Words,
    severity_of: impl Fn(&Act) -> Option<Severity>,
) -> Vec<Finding> {
    let mut groups = BTreeMap::<(&str, &str, ActorKind), Group<'_>>::new();
    for attempt in facts.sandbox.iter().flat_map(|sandbox| &sandbox.attempts) {
        if severity_of(&attempt.act).is_some() {
            let actor = &attempt.actor;
            let key = (actor.name.as_str(), actor.version.as_str(), actor.kind);
            groups.entry(key).or_insert_with(|| Group { actor, attempts: Vec::new() }).attempts.push(attempt);
        }
    }
    let finding = |mut group: Group<'_>| {
        group.attempts.sort_by_key(|attempt| (std::cmp::Reverse((severity_of(&attempt.act), is_secret(&attempt.act))), *attempt));
        let severity = group.attempts.iter().filter_map(|attempt| severity_of(&attempt.act)).max()?;
        Some(group.finding(facts, rule, severity, words))
    };
    groups.into_values().filter_map(finding).collect()
}

impl Group<'_> {
    fn finding(&self, facts: &Facts<'_>, rule: &'static Rule, severity: Severity, words: &Words) -> Finding {
        let times = self.attempts.iter().fold(0u64, |sum, attempt| sum.saturating_add(attempt.count));
        let first = self.attempts.first().map(|attempt| thing(&attempt.act)).unwrap_or_default();
        // The same file asked for by two programs is two attempts and one thing.
        let things: std::collections::BTreeSet<_> = self.attempts.iter().map(|attempt| thing(&attempt.act)).collect();
        let what = match things.len() {
            1 => format!("{first}{}", often(times)),
            number => format!("{}{}, first {first}", counted(number, words.thing), often(times)),
        };
        let mut finding = Finding::new(rule.id, severity, format!("{} tried to {} {what}", who(self.actor), words.verb));
        if !self.actor.name.is_empty() {
            finding = finding.about(&self.actor.name, &self.actor.version);
        }
        if let Some(place) = place(facts, self.actor) {
            finding = finding.at(place);
        }
        for attempt in self.attempts.iter().take(MAX_LISTED) {
            let by = short(&attempt.actor.program);
            let by = if by.is_empty() { String::new() } else { format!(", by {by}") };
            finding = finding.because(format!("{}{}{by}", thing(&attempt.act), often(attempt.count)));
        }
        if let Some(more) = self.attempts.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
            finding = finding.because(format!("and {more} more"));
        }
        finding.because("it was refused").help(self.help(facts, words))
    }

    fn help(&self, facts: &Facts<'_>, words: &Words) -> String {
        let proposals = Proposal::of(self.attempts.iter().copied());
        let exception = match proposals.first().filter(|proposal| !proposal.is_empty()) {
            None => String::new(),
            Some(proposal) => {
                let inline = proposal.inline(facts.now);
                let written = if inline.chars().count() > MAX_PROPOSAL {
                    String::new()
                } else {
                    format!(", or give a reason to this one in `[sandbox]`: allow = [{}]", plain(&inline))
                };
                format!("; if it needs that, `cargo supplychain init --sandbox-allow` proposes an exception{written}")
            }
        };
        format!("{}{exception}", words.advice)
    }
}

/// What was asked for, in words.
fn thing(act: &Act) -> String {
    match act {
        Act::Read { path, is_secret: true } => format!("{} (a place where keys are kept)", short(path)),
        Act::Read { path, .. } | Act::Write { path } => short(path).into_owned(),
        Act::Network { family } => short(family).into_owned(),
        Act::System { call } => short(call).into_owned(),
    }
}

fn is_secret(act: &Act) -> bool {
    matches!(act, Act::Read { is_secret: true, .. })
}

fn often(times: u64) -> String {
    if times > 1 { format!(", {times} times") } else { String::new() }
}

/// Who tried it: `the build script of lib 1.0.0`.
fn who(actor: &Actor) -> String {
    let package = format!("{} {}", short(&actor.name), short(&actor.version));
    let package = package.trim_end();
    let program = short(&actor.program);
    match (actor.kind, actor.name.is_empty()) {
        (ActorKind::BuildScript, false) => format!("the build script of {package}"),
        (ActorKind::ProcMacro, false) => format!("the procedural macro {package}"),
        (ActorKind::Compiler, false) => format!("the compiler, for the source of {package},"),
        (ActorKind::Child, false) => format!("{program}, started by the build script of {package},"),
        (ActorKind::Unknown, false) => format!("a process of {package}"),
        (kind, true) if program.is_empty() => format!("a {} that is not known", kind.words()),
        (kind, true) => format!("a {} ({program})", kind.words()),
    }
}

/// Harmless and of bearable length.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_TEXT) {
        None => plain(text),
        Some((end, _)) => Cow::Owned(format!("{}…", plain(&text[..end]))),
    }
}

/// The line of Cargo.lock.
fn place(facts: &Facts<'_>, actor: &Actor) -> Option<Location> {
    let lockfile = facts.lock.lockfile()?;
    let is_it =
        |package: &&crate::model::LockedPackage| package.name == actor.name && package.version.to_string() == actor.version;
    lockfile.packages.iter().find(is_it).map(|package| Location::line(&lockfile.path, package.line))
}

#[cfg(test)]
pub(super) mod fixture {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::sandbox::{Enforcement, SandboxFacts, Seal};

    /// By the build script of `lib` 1.0.0, once.
    pub(in crate::check) fn tried(act: Act) -> Attempt {
        Attempt { actor: actor("lib", ActorKind::BuildScript, "build-script-build"), act, count: 1 }
    }

    pub(in crate::check) fn actor(name: &str, kind: ActorKind, program: &str) -> Actor {
        let version = if name.is_empty() { "" } else { "1.0.0" };
        Actor { name: name.into(), version: version.into(), kind, program: program.into() }
    }

    /// A sealed build of a workspace that locks `lib` 1.0.0 in line 3.
    pub(in crate::check) fn case(attempts: Vec<Attempt>) -> Case {
        let mut case = Case::new().lock(&lock_with_lib("1.0.0"));
        case.sandbox = Some(SandboxFacts { enforcement: Enforcement::Linux(Seal::default()), attempts, unlisted: 0 });
        case
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{actor, case, tried};
    use super::*;
    use crate::finding::Area;

    static RULE: Rule = Rule {
        id: "sandbox/denied-read",
        severity: Severity::High,
        area: Area::Sandbox,
        summary: "",
        docs: "",
        options: &[],
        run: |facts| {
            let words = Words { verb: "read", thing: "path", advice: "look" };
            findings(facts, &RULE, &words, |act| matches!(act, Act::Read { .. }).then_some(Severity::High))
        },
    };

    fn read(path: &str) -> Act {
        Act::Read { path: path.into(), is_secret: path.contains(".ssh") }
    }

    #[test]
    fn a_crate_in_a_role_is_one_finding_whatever_it_tries() {
        let mut attempts: Vec<_> = (0..700).map(|number| tried(read(&format!("/opt/{number:03}")))).collect();
        attempts.push(Attempt { count: 5, ..tried(read("~/.ssh/id_rsa")) });
        let found = case(attempts).findings(&RULE);
        let [finding] = &found[..] else { panic!("{found:?}") };
        let says =
            "the build script of lib 1.0.0 tried to read 701 paths, 705 times, first ~/.ssh/id_rsa (a place where keys are kept)";
        assert_eq!(finding.message, says);
        assert_eq!(finding.evidence.len(), MAX_LISTED + 2);
        assert_eq!(finding.evidence[0], "~/.ssh/id_rsa (a place where keys are kept), 5 times, by build-script-build");
        assert_eq!(finding.evidence[MAX_LISTED..], ["and 681 more", "it was refused"]);
        assert!(finding.help.len() < 400 && finding.help.contains("init --sandbox-allow"), "{}", finding.help);
    }

    #[test]
    fn who_did_it_is_said_as_far_as_it_is_known() {
        use ActorKind::{BuildScript, Child, Compiler, ProcMacro, Unknown};
        for (actor, expected) in [
            (actor("lib", BuildScript, "b"), "high Cargo.lock:3: the build script of lib 1.0.0 tried to read /x"),
            (actor("lib", ProcMacro, "rustc"), "high Cargo.lock:3: the procedural macro lib 1.0.0 tried to read /x"),
            (actor("lib", Compiler, "rustc"), "high Cargo.lock:3: the compiler, for the source of lib 1.0.0, tried to read /x"),
            (actor("lib", Child, "curl"), "high Cargo.lock:3: curl, started by the build script of lib 1.0.0, tried to read /x"),
            (actor("lib", Unknown, "sh"), "high Cargo.lock:3: a process of lib 1.0.0 tried to read /x"),
            (actor("other", BuildScript, "b"), "high : the build script of other 1.0.0 tried to read /x"),
            (actor("", Unknown, "sh"), "high : a process of the build (sh) tried to read /x"),
            (actor("", Unknown, ""), "high : a process of the build that is not known tried to read /x"),
        ] {
            assert_eq!(case(vec![Attempt { actor, act: read("/x"), count: 1 }]).run(&RULE), [expected]);
        }
    }

    #[test]
    fn text_of_others_is_harmless_and_short() {
        let hostile = "/a\u{1b}[2J\n::error::x".to_owned() + &"y".repeat(5000);
        let actor = actor("li\u{202e}b", ActorKind::Child, "\r\nnote: fine");
        let found = case(vec![Attempt { actor, act: read(&hostile), count: 1 }]).findings(&RULE);
        let text = format!("{}{}{}", found[0].message, found[0].evidence.join(""), found[0].help);
        assert!(!text.chars().any(|one| one.is_control() || one == '\u{202e}'), "{text:?}");
        assert!(found[0].message.len() < 600, "{}", found[0].message.len());
    }

    #[test]
    fn the_exception_is_proposed_where_there_can_be_one() {
        let help = |act| case(vec![tried(act)]).findings(&RULE).remove(0).help;
        insta::assert_snapshot!(help(read("/opt/ssl")), @r#"look; if it needs that, `cargo supplychain init --sandbox-allow` proposes an exception, or give a reason to this one in `[sandbox]`: allow = [{ crate = "lib", version = "1.0.0", read = ["/opt/ssl"], reason = "", expires = 2027-02-21 }]"#);
        assert_eq!(help(read("~/.ssh/id_rsa")), "look");
        assert_eq!(help(read("/proc/1/environ")), "look");
    }
}
