//! Exceptions of the sandbox made from what a build was refused: text for the policy, to be read and given a reason by a person. What asks
//! for keys or for other processes is never proposed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{MAX_PATHS, SandboxPath};
use crate::base::Timestamp;
use crate::base::text::plain;
use crate::model::sandbox::{Act, Attempt};

/// How long a proposed exception lasts, in days.
const DAYS: i64 = 90;

/// How many of the things that are not proposed are named.
const MAX_LEFT_OUT: usize = 10;

/// The most characters of a comment.
const MAX_COMMENT: usize = 300;

/// An exception for one version of one crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    pub package: String,
    pub version: String,
    pub read: BTreeSet<SandboxPath>,
    pub write: BTreeSet<SandboxPath>,
    pub net: bool,
    /// What was refused and is not proposed, in words.
    pub left_out: BTreeSet<String>,
}

impl Proposal {
    /// One for each crate and version that is known to have tried something, sorted.
    #[must_use]
    pub fn of<'a>(attempts: impl IntoIterator<Item = &'a Attempt>) -> Vec<Self> {
        let mut proposals = BTreeMap::<(&str, &str), Self>::new();
        for attempt in attempts {
            let (name, version) = (attempt.actor.name.as_str(), attempt.actor.version.as_str());
            if !is_name(name) || semver::Version::parse(version).is_err() {
                continue;
            }
            let proposal = proposals.entry((name, version)).or_insert_with(|| Self {
                package: name.to_owned(),
                version: version.to_owned(),
                ..Self::default()
            });
            proposal.add(&attempt.act);
        }
        proposals.into_values().collect()
    }

    fn add(&mut self, act: &Act) {
        let (verb, path, list, why) = match act {
            Act::Read { path, is_secret: true } => ("read", path, &mut self.read, Some("a place where keys are kept")),
            Act::Read { path, is_secret: false } => ("read", path, &mut self.read, None),
            Act::Write { path } => ("write", path, &mut self.write, None),
            Act::Network { .. } => {
                self.net = true;
                return;
            }
            Act::System { call } => {
                self.left_out.insert(format!("{call}: there is no exception for it"));
                return;
            }
        };
        let why = match (why, exception_for(with_all_of_git(path))) {
            (Some(why), _) | (None, Err(why)) => why,
            (None, Ok(_)) if list.len() >= MAX_PATHS => "more paths than an exception can have",
            (None, Ok(path)) => {
                list.insert(path);
                return;
            }
        };
        self.left_out.insert(format!("{verb} {path}: {why}"));
    }

    /// Whether anything is proposed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty() && !self.net
    }

    /// Its keys and values in TOML, the reason last but one.
    fn pairs(&self, reason: &str, now: Timestamp) -> Vec<String> {
        let mut pairs = vec![format!("crate = {}", quoted(&self.package)), format!("version = {}", quoted(&self.version))];
        for (key, paths) in [("read", &self.read), ("write", &self.write)] {
            if !paths.is_empty() {
                let paths: Vec<_> = paths.iter().map(|path| quoted(&path.to_string())).collect();
                pairs.push(format!("{key} = [{}]", paths.join(", ")));
            }
        }
        if self.net {
            pairs.push("net = true".to_owned());
        }
        pairs.push(format!("reason = {}", quoted(reason)));
        let expires = Timestamp::from_unix(now.unix().saturating_add(DAYS * 86_400)).unwrap_or(now);
        pairs.push(format!("expires = {}", expires.date()));
        pairs
    }

    /// As one line, an element of `allow` in `[sandbox]`; the reason is empty.
    #[must_use]
    pub fn inline(&self, now: Timestamp) -> String {
        format!("{{ {} }}", self.pairs("", now).join(", "))
    }

    /// As a block of the policy, with what is not proposed as comments. With an empty reason the policy is refused, on purpose.
    #[must_use]
    pub fn block(&self, reason: &str, now: Timestamp) -> String {
        let mut text = "[[sandbox.allow]]\n".to_owned();
        for pair in self.pairs(reason, now) {
            text += &pair;
            text +=
                if pair.starts_with("reason") { " # say why it needs this: the policy is refused until then\n" } else { "\n" };
        }
        for left_out in self.left_out.iter().take(MAX_LEFT_OUT) {
            let shown: String = left_out.chars().take(MAX_COMMENT).collect();
            let _ = writeln!(text, "# not proposed: {}", plain(&shown));
        }
        if let Some(more) = self.left_out.len().checked_sub(MAX_LEFT_OUT + 1) {
            let _ = writeln!(text, "# not proposed: {} more", more + 1);
        }
        text
    }
}

/// Of a file of git's the folder that all its files are in: whoever asks git reads many of them.
fn with_all_of_git(path: &str) -> &str {
    path.find("/.git/").map_or(path, |at| &path[..at + "/.git".len()])
}

/// A path that a policy can name and that is no way to other processes.
fn exception_for(path: &str) -> Result<SandboxPath, &'static str> {
    if path.starts_with(['<', '$']) {
        return Err("a policy cannot name it");
    }
    let parsed = SandboxPath::parse(path).map_err(|_| "a policy cannot name it")?;
    match &parsed {
        SandboxPath::Absolute(path) if ["/proc", "/sys", "/dev"].iter().any(|folder| path.starts_with(folder)) => {
            Err("it belongs to the system")
        }
        _ => Ok(parsed),
    }
}

/// What cargo takes for a package name, more or less: nothing that could be anything else in a file.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= super::MAX_NAME && name.chars().all(|one| one.is_alphanumeric() || matches!(one, '-' | '_'))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::model::sandbox::{Actor, ActorKind};

    fn attempt(name: &str, act: Act) -> Attempt {
        let actor = Actor { name: name.into(), version: "1.2.3".into(), kind: ActorKind::BuildScript, program: "p".into() };
        Attempt { actor, act, count: 1 }
    }

    fn read(path: &str) -> Act {
        Act::Read { path: path.into(), is_secret: path.contains(".ssh") }
    }

    #[test]
    fn one_a_crate_with_its_paths_merged_and_no_keys() {
        let now = "2026-11-23".parse().unwrap();
        let attempts = [
            attempt("b-sys", read("/opt/ssl")),
            attempt("b-sys", read("~/p/.git/HEAD")),
            attempt("b-sys", read("~/p/.git/refs/heads/main")),
            attempt("b-sys", read("~/.ssh/id_rsa")),
            attempt("b-sys", read("/opt/ssl")),
            attempt("b-sys", read("/proc/1/environ")),
            attempt("b-sys", read("/a\n[sandbox]\nmode = 'off'")),
            attempt("b-sys", Act::Write { path: "~/out".into() }),
            attempt("b-sys", Act::Network { family: "AF_INET".into() }),
            attempt("b-sys", Act::System { call: "ptrace".into() }),
            attempt("a\" # x", read("/opt")),
            attempt("", read("/opt")),
            attempt("a-sys", read("gen/a \"b\"")),
        ];
        let proposals = Proposal::of(&attempts);
        let text: Vec<_> = proposals.iter().map(|proposal| proposal.block("", now)).collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        [[sandbox.allow]]
        crate = "a-sys"
        version = "1.2.3"
        read = ['gen/a "b"']
        reason = "" # say why it needs this: the policy is refused until then
        expires = 2027-02-21

        [[sandbox.allow]]
        crate = "b-sys"
        version = "1.2.3"
        read = ["/opt/ssl", "~/p/.git"]
        write = ["~/out"]
        net = true
        reason = "" # say why it needs this: the policy is refused until then
        expires = 2027-02-21
        # not proposed: ptrace: there is no exception for it
        # not proposed: read /a\u{a}[sandbox]\u{a}mode = 'off': a policy cannot name it
        # not proposed: read /proc/1/environ: it belongs to the system
        # not proposed: read ~/.ssh/id_rsa: a place where keys are kept
        "#);
        insta::assert_snapshot!(proposals[0].inline(now), @r#"{ crate = "a-sys", version = "1.2.3", read = ['gen/a "b"'], reason = "", expires = 2027-02-21 }"#);
        assert!(parse("p", &text.join("\n"), &[]).unwrap_err().message.ends_with("has an empty `reason`"));
        // With a reason it is a policy, and says what was asked for and nothing else.
        let full: String = proposals.iter().map(|proposal| proposal.block("r", now)).collect();
        let sandbox = parse("p", &full, &[]).unwrap().sandbox;
        assert_eq!(sandbox.allow.len(), 2);
        assert_eq!(sandbox.mode, crate::model::sandbox::SandboxMode::Auto);
        assert_eq!(sandbox.allow[0].read, [SandboxPath::Workspace("gen/a \"b\"".into())]);
        let only_keys = Proposal::of(&[attempt("b", read("~/.ssh/id_rsa"))]);
        assert!(only_keys[0].is_empty());
    }

    #[test]
    fn lists_are_bounded() {
        let attempts: Vec<_> = (0..700).map(|number| attempt("a", read(&format!("/opt/{number:03}")))).collect();
        let [proposal] = &Proposal::of(&attempts)[..] else { panic!("one crate") };
        assert_eq!((proposal.read.len(), proposal.left_out.len()), (100, 600));
        let text = proposal.block("r", "2026-11-23".parse().unwrap());
        assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 11);
        assert!(text.ends_with("# not proposed: 590 more\n"), "{text}");
        parse("p", &text, &[]).unwrap();
    }
}
