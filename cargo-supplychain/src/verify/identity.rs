//! Whose signatures count: conditions on the words of a certificate that was verified. Evaluated after the cryptography holds, and
//! every condition has to hold as a whole: nothing is searched for within a text.

use std::fmt;

use serde_json::{Value, json};

use super::pattern::Pattern;
use super::signer::SignerIdentity;
use super::{Reason, ReasonId};

/// The OIDC issuer of workflows on github.com.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The OIDC issuer of pipelines on gitlab.com.
pub const GITLAB_ISSUER: &str = "https://gitlab.com";

/// The words of the user; [`IdentityPolicy::new`] judges whether they say enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityConditions {
    /// The subject, exactly: a workflow's URI with its ref, or an e-mail address.
    pub identity: Option<String>,
    /// The subject as a [`Pattern`].
    pub identity_pattern: Option<String>,
    pub issuer: Option<String>,
    /// `OWNER/NAME` on github.com, or `HOST/PATH` with or without `https://`.
    pub repository: Option<String>,
    pub repository_id: Option<String>,
    pub owner_id: Option<String>,
    /// Workflow files that may sign: a path in the repository, `OWNER/NAME/PATH` on github.com, or a URI; any of them.
    pub workflows: Vec<String>,
    /// A [`Pattern`] of `refs/…`.
    pub reference: Option<String>,
    /// A [`Pattern`] of a tag's name.
    pub tag: Option<String>,
    pub commit: Option<String>,
    pub runner: Option<String>,
    pub trigger: Option<String>,
}

impl IdentityConditions {
    /// Whether they name anybody, or narrow down whom.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The conditions do not say whom to accept, or contradict themselves; a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidIdentity(pub String);

impl fmt::Display for InvalidIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidIdentity {}

/// Where a repository is hosted: how its workflows are written in a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    GitHub,
    GitLab,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Repository {
    /// `https://HOST/PATH`.
    uri: String,
    host: Host,
}

/// A signer that is well enough described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPolicy {
    issuer: String,
    subject: Option<Pattern>,
    repository: Option<Repository>,
    repository_id: Option<String>,
    owner_id: Option<String>,
    /// Subjects without their `@ref`.
    workflows: Vec<String>,
    reference: Option<Pattern>,
    commit: Option<String>,
    runner: Option<String>,
    trigger: Option<String>,
}

impl IdentityPolicy {
    /// Takes the conditions when they name a signer: a repository, or an identity with its issuer.
    ///
    /// # Errors
    /// What is missing or contradictory.
    pub fn new(conditions: &IdentityConditions) -> Result<Self, InvalidIdentity> {
        let repository = conditions.repository.as_deref().map(repository).transpose()?;
        let subject = subject(conditions)?;
        if subject.is_none() && repository.is_none() {
            return invalid("no signer: name a repository, or an identity and its issuer");
        }
        let issuer = match (&conditions.issuer, &repository) {
            (Some(issuer), _) => issuer.clone(),
            (None, Some(Repository { uri, .. })) if uri.starts_with("https://github.com/") => GITHUB_ISSUER.to_owned(),
            (None, Some(Repository { uri, .. })) if uri.starts_with("https://gitlab.com/") => GITLAB_ISSUER.to_owned(),
            (None, Some(Repository { uri, .. })) => {
                return invalid(format!("the issuer for {uri} is not known: name it"));
            }
            (None, None) => return invalid("an identity counts only with the issuer that knows it: name the issuer as well"),
        };
        let reference = match (&conditions.reference, &conditions.tag) {
            (Some(_), Some(_)) => return invalid("a ref and a tag: name one of them"),
            (Some(reference), None) if !reference.starts_with("refs/") => {
                return invalid(format!("the ref {reference:?} does not begin with refs/: write refs/heads/… or refs/tags/…"));
            }
            (Some(reference), None) => Some(Pattern::new(reference.as_str())),
            (None, Some(tag)) => Some(Pattern::new(format!("refs/tags/{}", tag.strip_prefix("refs/tags/").unwrap_or(tag)))),
            (None, None) => None,
        };
        let is_commit =
            |text: &str| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if let Some(commit) = conditions.commit.as_deref().filter(|commit| !is_commit(commit)) {
            return invalid(format!("the commit {commit:?} is not 40 or 64 lower-case hexadecimal digits"));
        }
        let workflow = |text: &String| workflow(text, repository.as_ref());
        let workflows = conditions.workflows.iter().map(workflow).collect::<Result<_, _>>()?;
        Ok(Self {
            issuer,
            subject,
            workflows,
            repository,
            repository_id: conditions.repository_id.clone(),
            owner_id: conditions.owner_id.clone(),
            reference,
            commit: conditions.commit.clone(),
            runner: conditions.runner.clone(),
            trigger: conditions.trigger.clone(),
        })
    }

    /// Who is accepted, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match (&self.repository, &self.subject) {
            (Some(repository), _) => repository.uri.clone(),
            (None, Some(subject)) => subject.to_string(),
            (None, None) => self.issuer.clone(),
        }
    }

    pub(super) fn repository(&self) -> Option<&str> {
        self.repository.as_ref().map(|repository| repository.uri.as_str())
    }

    /// All conditions, in JSON; those that are not made are left out.
    pub(super) fn describe_all(&self) -> Value {
        let mut all = json!({ "issuer": self.issuer });
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let pattern = |pattern: &Option<Pattern>| pattern.as_ref().map(|pattern| json!(pattern.as_str()));
        let mut workflows = self.workflows.clone();
        workflows.sort();
        for (name, value) in [
            ("identity", pattern(&self.subject)),
            ("repository", self.repository().map(|uri| json!(uri))),
            ("repositoryId", text(&self.repository_id)),
            ("ownerId", text(&self.owner_id)),
            ("workflows", (!workflows.is_empty()).then(|| json!(workflows))),
            ("ref", pattern(&self.reference)),
            ("commit", text(&self.commit)),
            ("runner", text(&self.runner)),
            ("trigger", text(&self.trigger)),
        ] {
            if let Some(value) = value {
                all[name] = value;
            }
        }
        all
    }

    /// Every condition that `signer` does not meet, as reasons about `path`.
    pub(super) fn judge(&self, path: &str, signer: &SignerIdentity) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut unless = |holds: bool, id: ReasonId, message: String| {
            if !holds {
                reasons.push(Reason::new(id, path, message));
            }
        };
        let subject = &signer.subject;
        unless(
            signer.issuer == self.issuer,
            ReasonId::WrongIssuer,
            format!("its signer is known to {:?}, expected {:?}", signer.issuer, self.issuer),
        );
        if let Some(expected) = &self.subject {
            let message = format!("it was signed by {subject:?}, expected {:?}", expected.as_str());
            unless(!subject.is_empty() && expected.matches(subject), ReasonId::WrongSigner, message);
        }
        if let Some(repository) = &self.repository {
            let found = signer.repository.as_deref();
            let is_same = found.is_some_and(|found| found.eq_ignore_ascii_case(&repository.uri));
            let message = format!("it was built from {}, expected {}", shown(found), repository.uri);
            unless(is_same, ReasonId::WrongRepository, message);
            if is_same && self.workflows.is_empty() && self.subject.is_none() {
                let message = format!("it was signed by {subject:?}, which is not a workflow of {}", repository.uri);
                unless(is_below(subject, &repository.uri), ReasonId::WrongWorkflow, message);
            }
        }
        if !self.workflows.is_empty() {
            let message = format!("it was signed by {subject:?}, expected {}", self.workflows.join(" or "));
            let is_one = self.workflows.iter().any(|workflow| is_workflow(subject, workflow));
            unless(is_one, ReasonId::WrongWorkflow, message);
        }
        let mut equal = |what: &str, expected: &Option<String>, found: &Option<String>, id| {
            if let Some(expected) = expected {
                let message = format!("its {what} is {}, expected {expected}", shown(found.as_deref()));
                unless(found.as_ref() == Some(expected), id, message);
            }
        };
        equal("repository's number", &self.repository_id, &signer.repository_id, ReasonId::RepositoryIdMismatch);
        equal("owner's number", &self.owner_id, &signer.owner_id, ReasonId::RepositoryIdMismatch);
        equal("commit", &self.commit, &signer.commit, ReasonId::WrongRef);
        equal("runner", &self.runner, &signer.runner, ReasonId::PolicyBuilder);
        equal("trigger", &self.trigger, &signer.trigger, ReasonId::PolicyBuilder);
        if let Some(expected) = &self.reference {
            let found = signer.reference.as_deref();
            let message = format!("it was built from {}, expected {expected}", shown(found));
            unless(found.is_some_and(|found| expected.matches(found)), ReasonId::WrongRef, message);
        }
        reasons
    }
}

fn shown(found: Option<&str>) -> &str {
    found.unwrap_or("not said by the certificate")
}

fn invalid<T>(why: impl Into<String>) -> Result<T, InvalidIdentity> {
    Err(InvalidIdentity(why.into()))
}

fn subject(conditions: &IdentityConditions) -> Result<Option<Pattern>, InvalidIdentity> {
    match (&conditions.identity, &conditions.identity_pattern) {
        (Some(_), Some(_)) => invalid("an identity and a pattern of one: name one of them"),
        (Some(identity), None) if identity.is_empty() => invalid("the identity is empty"),
        (Some(identity), None) if identity.contains('*') => {
            invalid("the identity is taken literally, and holds a `*`: give a pattern with --identity-pattern")
        }
        (Some(identity), None) => Ok(Some(Pattern::new(identity.as_str()))),
        (None, Some(pattern)) => {
            let is_bound = match pattern.split_once("://") {
                // The host is literal, and so is the owner.
                Some((_, rest)) => Pattern::new(rest).literal_prefix().matches('/').count() >= 2,
                None => pattern.rsplit_once('@').is_some_and(|(_, domain)| !domain.is_empty() && !domain.contains('*')),
            };
            if is_bound {
                return Ok(Some(Pattern::new(pattern.as_str())));
            }
            invalid(format!(
                "the pattern {pattern:?} is too wide: host and owner, or the domain of an address, have to be literal"
            ))
        }
        (None, None) => Ok(None),
    }
}

/// `OWNER/NAME`, `HOST/PATH` or `https://HOST/PATH`.
fn repository(text: &str) -> Result<Repository, InvalidIdentity> {
    let wrong = || invalid(format!("the repository {text:?} is not OWNER/NAME, nor https://HOST/PATH"));
    let path = text.strip_prefix("https://").unwrap_or(text);
    let segments: Vec<_> = path.split('/').collect();
    let is_word = |word: &&str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !word.is_empty() && !matches!(*word, "." | "..") && word.bytes().all(known)
    };
    if !segments.iter().all(is_word) {
        return wrong();
    }
    // A dot is no letter of an owner's name on github.com.
    let has_host = path.len() != text.len() || segments[0].contains('.');
    let (site, names) = if has_host { (segments[0], &segments[1..]) } else { ("github.com", &segments[..]) };
    let host = if site == "gitlab.com" || names.len() > 2 || site.starts_with("gitlab.") { Host::GitLab } else { Host::GitHub };
    if names.len() < 2 || site == "github.com" && names.len() != 2 {
        return wrong();
    }
    Ok(Repository { uri: format!("https://{site}/{}", names.join("/")), host })
}

/// The subject of a workflow without its `@ref`.
fn workflow(text: &str, repository: Option<&Repository>) -> Result<String, InvalidIdentity> {
    if text.starts_with("https://") {
        return Ok(text.to_owned());
    }
    if text.contains('*') || text.starts_with('/') || text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return invalid(format!("the workflow {text:?} is not the path of a file"));
    }
    let elsewhere = text.find("/.github/workflows/").filter(|&at| text[..at].split('/').count() == 2);
    match (elsewhere, repository) {
        (Some(_), _) => Ok(format!("https://github.com/{text}")),
        (None, Some(Repository { uri, host: Host::GitHub })) => Ok(format!("{uri}/{text}")),
        (None, Some(Repository { uri, host: Host::GitLab })) => Ok(format!("{uri}//{text}")),
        (None, None) => invalid(format!("the workflow {text:?} is a path in a repository: name the repository as well")),
    }
}

/// Whether `subject` is a workflow of the repository at `uri`. Hosts do not tell upper from lower case there.
fn is_below(subject: &str, uri: &str) -> bool {
    let rest = subject.get(..uri.len()).filter(|start| start.eq_ignore_ascii_case(uri)).map(|_| &subject[uri.len()..]);
    rest.is_some_and(|rest| rest.starts_with('/') && rest.contains('@'))
}

/// Whether `subject` is `workflow@ref`. Where the workflow is given with its ref, that has to be the one.
fn is_workflow(subject: &str, workflow: &str) -> bool {
    let owner_end = workflow.match_indices('/').nth(4).map_or(workflow.len(), |(at, _)| at);
    let (Some(start), Some(rest)) = (subject.get(..owner_end), subject.get(owner_end..)) else { return false };
    let Some(reference) = rest.strip_prefix(&workflow[owner_end..]) else { return false };
    if !start.eq_ignore_ascii_case(&workflow[..owner_end]) {
        return false;
    }
    let Some(reference) = reference.strip_prefix('@') else { return reference.is_empty() && workflow.contains('@') };
    // A file may be called `release.yml@x.yml`: what follows has to be a ref and nothing but one.
    let is_ref =
        reference.starts_with("refs/") || reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ref && !reference.contains("@refs/") && !workflow.contains('@')
}
