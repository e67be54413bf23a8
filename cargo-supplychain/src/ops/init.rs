//! `init`: a policy file with every setting explained and none changed, or one made from another tool's; and exceptions of the sandbox,
//! proposed from what the last build was refused.

use camino::{Utf8Path, Utf8PathBuf};

use super::before::POLICY_FILE;
use super::{Class, Error, denied, gather, workspace};
use crate::base::Context;
use crate::check::rules;
use crate::config::{self, Proposal, deny};
use crate::files;

/// The file, as it is written. A test holds that it parses and equals the defaults.
pub const TEMPLATE: &str = include_str!("init/supplychain.toml");

/// What was written.
#[derive(Debug)]
pub struct Written {
    pub path: Utf8PathBuf,
    /// What of the other tool's settings has no counterpart.
    pub notes: Vec<deny::Note>,
}

/// Writes `supplychain.toml` at the workspace root; one that is there is left alone. `from` is a configuration of cargo-deny to make it
/// from.
pub fn init(context: &Context, manifest_path: Option<&Utf8Path>, from: Option<&Utf8Path>) -> Result<Written, Error> {
    let path = workspace::find(context, manifest_path)?.root.join(POLICY_FILE);
    if path.exists() {
        return Err(Error::usage(&format!("{path} is there already")).with_help("it is yours; delete it first to start anew"));
    }
    let (text, notes) = match from {
        Some(from) => imported(context, from)?,
        None => (TEMPLATE.to_owned(), Vec::new()),
    };
    files::write(&path, text.as_bytes()).map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    Ok(Written { path, notes })
}

/// Exceptions of the sandbox that were proposed.
#[derive(Debug)]
pub struct Proposed {
    /// The policy that they were appended to; `None`: they are only shown.
    pub written: Option<Utf8PathBuf>,
    /// The blocks, in TOML.
    pub text: String,
    /// Name and version of each crate that one is for.
    pub crates: Vec<(String, String)>,
    /// How many kinds of attempts were made by nobody that is known, so that nothing can be proposed.
    pub by_nobody: usize,
}

/// Proposes an exception for each crate that the last build refused something, from the record that it left. They are appended to the
/// policy, which is refused until each has a reason; with `dry_run`, or where there is no policy, nothing is written.
pub fn sandbox_allow(context: &Context, manifest_path: Option<&Utf8Path>, dry_run: bool) -> Result<Proposed, Error> {
    let root = workspace::find(context, manifest_path)?.root;
    let target = workspace::target_directory(context, &root);
    let attempts = denied::read(&target)?.map(|facts| facts.attempts).unwrap_or_default();
    let known: Vec<_> = rules::known().collect();
    let mut proposals = Proposal::of(&attempts);
    let is_known = |proposals: &[Proposal], name: &str| proposals.iter().any(|proposal| proposal.package == name);
    let by_nobody = attempts.iter().filter(|attempt| !is_known(&proposals, &attempt.actor.name)).count();
    proposals.retain(|proposal| !proposal.is_empty());
    let blocks =
        |reason: &str| proposals.iter().map(|proposal| format!("\n{}", proposal.block(reason, context.now))).collect::<String>();
    let text = blocks("");
    let crates: Vec<_> = proposals.iter().map(|proposal| (proposal.package.clone(), proposal.version.clone())).collect();
    let path = root.join(POLICY_FILE);
    if dry_run || crates.is_empty() || !path.exists() {
        return Ok(Proposed { written: None, text: text.trim_start().to_owned(), crates, by_nobody });
    }
    // A policy that is refused already, perhaps for the reasons that an earlier call left to be given, is not made longer.
    gather::settings(context, None, &root, None)?;
    let limit = config::MAX_BYTES as u64;
    let before =
        files::read_text(&path, limit).map_err(|error| Error::usage(&format!("cannot read the policy {path}: {error}")))?;
    let end = if before.ends_with('\n') || before.is_empty() { "" } else { "\n" };
    // With reasons it has to be a policy: better nothing than one that cannot be mended by giving them.
    config::parse(POLICY_FILE, &format!("{before}{end}{}", blocks("given")), &known).map_err(|error| {
        Error::usage(&format!("cannot append to {path}: {}", error.message))
            .with_help("see what is proposed with --dry-run, and write it there yourself")
    })?;
    files::write(&path, format!("{before}{end}{text}").as_bytes())
        .map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    Ok(Proposed { written: Some(path), text: text.trim_start().to_owned(), crates, by_nobody })
}

fn imported(context: &Context, from: &Utf8Path) -> Result<(String, Vec<deny::Note>), Error> {
    let limit = config::MAX_BYTES as u64;
    let text = files::read_text(&context.cwd.join(from), limit).map_err(|error| {
        Error::usage(&format!("cannot read {from}: {error}")).with_help("name the configuration of cargo-deny, mostly deny.toml")
    })?;
    let known: Vec<_> = rules::known().collect();
    let imported = deny::import(from.as_str(), &text, context.now, &known).map_err(|error| Error::usage(&error))?;
    // What is written has to be a policy: better none than one that stops the next run.
    config::parse("supplychain.toml", &imported.text, &known)
        .map_err(|error| Error::usage(&format!("cannot make a policy of {from}: {}", error.message)))?;
    Ok((imported.text, imported.notes))
}

#[cfg(test)]
mod sandbox_tests;

#[cfg(test)]
mod tests {
    use super::TEMPLATE;
    use crate::config::{Settings, parse};

    #[test]
    fn the_template_changes_nothing() {
        let known: Vec<_> = crate::check::rules::known().collect();
        let settings = parse("supplychain.toml", TEMPLATE, &known).unwrap();
        assert_eq!(settings, Settings { file: Some("supplychain.toml".to_owned()), ..Settings::default() });
        // With the comment signs of the settings taken away it is still a policy.
        let uncommented: String =
            TEMPLATE.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).map(|line| format!("{line}\n")).collect();
        parse("supplychain.toml", &uncommented, &known).unwrap();
    }

    /// Each option of each rule stands in the template and in the documentation of the policy.
    #[test]
    fn every_option_of_a_rule_is_named() {
        let documentation = include_str!("../../../docs/policy.md");
        for rule in crate::check::rules::known() {
            let line = TEMPLATE.lines().find(|line| line.starts_with(&format!("#: \"{}\" = ", rule.id))).unwrap_or_default();
            let rows: String = documentation.lines().filter(|line| line.contains(&format!("`{}`", rule.id))).collect();
            for option in rule.options {
                assert!(line.contains(&format!("{} = ", option.name)), "{}: the template lacks {}", rule.id, option.name);
                // The table of what `allow` lists does not repeat the word.
                let is_there = rows.contains(&format!("`{}`", option.name)) || option.name == "allow" && rows.starts_with('|');
                assert!(is_there, "{}: docs/policy.md lacks {}", rule.id, option.name);
            }
        }
    }

    /// Every word that a `deny.toml` can say of a level, with the real rules: what is made is a policy that says something.
    #[test]
    fn what_is_made_of_a_deny_toml_is_a_policy_of_the_real_rules() {
        let known: Vec<_> = crate::check::rules::known().collect();
        let now = "2026-11-23".parse().unwrap();
        for level in ["deny", "warn", "allow", "all", "workspace", "transitive", "none"] {
            let text = format!(
                "[advisories]\nunmaintained = '{level}'\nyanked = '{level}'\nignore = ['RUSTSEC-2020-0001']\n\
                 [licenses]\nunlicensed = '{level}'\ncopyleft = '{level}'\nallow = ['MIT', 'GPL-3.0']\n\
                 [bans]\nmultiple-versions = '{level}'\nwildcards = '{level}'\nskip = ['a']\ndeny = [{{ name = 'b', version = '<1' }}]\n\
                 [sources]\nunknown-registry = '{level}'\nunknown-git = '{level}'\nallow-git = ['https://example.org/a']\n"
            );
            let made = crate::config::deny::import("deny.toml", &text, now, &known).unwrap();
            let settings = parse("supplychain.toml", &made.text, &known).unwrap_or_else(|error| panic!("{error}\n{}", made.text));
            assert_eq!(settings.licences.allow.len(), 2, "{level}");
            assert_eq!(settings.exemptions.len(), 1, "{level}");
            assert!(settings.rules.contains_key("source/git-not-allowed"), "{level}: {}", made.text);
        }
    }
}
