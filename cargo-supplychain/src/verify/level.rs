//! The SLSA build level (<https://slsa.dev/spec/v1.2/build-track-basics>) that the evidence of a verification supports, and never more. The
//! table with its reasons stands in `docs/verify.md`. Only words that an authority vouches for raise it: a provenance says of itself what
//! it likes, so that it can lower the level, by contradicting the certificate, and never raise it.

use std::fmt;

use serde::Serialize;

use super::identity::{GITHUB_ISSUER, GITLAB_ISSUER, InvalidIdentity};
use super::pattern::Pattern;
use super::{ProvenanceFacts, SignatureFacts, SignerIdentity};

/// The highest level of the build track.
pub const MAX_BUILD_LEVEL: u8 = 3;

/// Issuers of platforms that run builds on machines of their own, and the word for these in the certificate.
const HOSTED: [(&str, &str); 2] = [(GITHUB_ISSUER, "github-hosted"), (GITLAB_ISSUER, "gitlab-hosted")];

/// Builders whose signing the build's own steps cannot reach, by their documentation: reusable workflows of
/// <https://github.com/slsa-framework/slsa-github-generator>, at a release of theirs. Each says itself on which runner it runs.
const ISOLATED: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/";
const ISOLATED_FILES: [&str; 10] = [
    "builder_bazel_slsa3.yml",
    "builder_container-based_slsa3.yml",
    "builder_go_slsa3.yml",
    "builder_gradle_slsa3.yml",
    "builder_maven_slsa3.yml",
    "builder_nodejs_slsa3.yml",
    "delegator_generic_slsa3.yml",
    "delegator_lowperms-generic_slsa3.yml",
    "generator_container_slsa3.yml",
    "generator_generic_slsa3.yml",
];

/// A level and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildLevel {
    /// 0 to 3.
    pub level: u8,
    /// What supports it, a fragment.
    pub because: String,
    /// What the next level would need and is not there, a fragment; `None` at the highest.
    pub not_higher: Option<String>,
}

impl BuildLevel {
    /// The word of SLSA's documents: `SLSA_BUILD_LEVEL_2`.
    #[must_use]
    pub fn word(&self) -> String {
        format!("SLSA_BUILD_LEVEL_{}", self.level)
    }

    fn new(level: u8, because: impl Into<String>, not_higher: impl Into<String>) -> Self {
        Self { level, because: because.into(), not_higher: Some(not_higher.into()) }
    }

    /// Nothing is known of how it was built.
    pub(super) fn none() -> Self {
        Self::new(0, "no provenance was verified", "level 1 needs a SLSA provenance of the artifact")
    }
}

/// A reusable workflow whose signing the user holds to be out of reach of the builds that call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsolatedBuilder {
    /// `https://HOST/OWNER/NAME/PATH`.
    workflow: String,
    /// What its ref has to be; `None`: any.
    reference: Option<Pattern>,
}

impl IsolatedBuilder {
    /// Reads `OWNER/NAME/.github/workflows/FILE` on github.com, or a URI of one, with or without `@` and a pattern of its ref.
    ///
    /// # Errors
    /// Why it names no workflow.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentity> {
        let (path, reference) = text.split_once('@').map_or((text, None), |(path, reference)| (path, Some(reference)));
        let uri = if path.starts_with("https://") { path.to_owned() } else { format!("https://github.com/{path}") };
        let is_plain = !uri.contains('*') && !uri["https://".len()..].split('/').any(|part| matches!(part, "" | "." | ".."));
        if !is_plain || uri.split('/').count() < 6 || reference.is_some_and(|reference| !reference.starts_with("refs/")) {
            return Err(InvalidIdentity(format!(
                "{text:?} is not OWNER/NAME/.github/workflows/FILE, with or without @refs/…: it names no reusable workflow"
            )));
        }
        Ok(Self { workflow: uri, reference: reference.map(Pattern::new) })
    }

    fn is(&self, subject: &str) -> bool {
        let Some(reference) = subject.strip_prefix(self.workflow.as_str()).and_then(|rest| rest.strip_prefix('@')) else {
            return false;
        };
        // A file may be called `build.yml@x.yml`: behind the workflow stands a ref, and nothing but one.
        let is_ref = reference.starts_with("refs/") && !reference.contains('@');
        is_ref && self.reference.as_ref().is_none_or(|pattern| pattern.matches(reference))
    }
}

impl fmt::Display for IsolatedBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.workflow)?;
        self.reference.as_ref().map_or(Ok(()), |reference| write!(f, "@{reference}"))
    }
}

/// The level of an artifact by one provenance about it and the signature over that.
pub(super) fn judge(provenance: &ProvenanceFacts, signature: &SignatureFacts, trusted: &[IsolatedBuilder]) -> BuildLevel {
    let first = |why: String| BuildLevel::new(1, "a provenance of it was signed by the accepted signer", why);
    let Some(signer) = &signature.identity else {
        return first("a key does not say where it was used: level 2 needs the certificate of a hosted build platform".into());
    };
    let Some((_, hosted)) = HOSTED.iter().find(|(issuer, _)| *issuer == signer.issuer) else {
        return first(format!("{:?} is not known as the issuer of a hosted build platform", signer.issuer));
    };
    let is_built_in = is_built_in(signer);
    match signer.runner.as_deref() {
        Some(runner) if runner == *hosted => {}
        Some(runner) => return first(format!("it was built on a {runner} runner, which is the owner's own machine")),
        // Certificates of before 2023 do not say. These workflows name their runners themselves.
        None if is_built_in => {}
        None => return first("the certificate does not say on which kind of runner it was built".to_owned()),
    }
    if let Some(why) = contradiction(provenance, signer) {
        return first(why);
    }
    let second = "the certificate of a hosted build platform names workflow and source";
    let is_trusted = trusted.iter().any(|builder| builder.is(&signer.subject));
    match (is_built_in || is_trusted, is_reusable(signer)) {
        (true, true) => BuildLevel {
            level: MAX_BUILD_LEVEL,
            because: format!("it was signed by {}, out of reach of the build's own steps", signer.subject),
            not_higher: None,
        },
        (true, false) => {
            BuildLevel::new(2, second, "the signing workflow was not called by another: it ran the build's own steps")
        }
        (false, true) => BuildLevel::new(
            2,
            second,
            "the reusable workflow that signed is not among the isolated builders: name it with --isolated-builder if it is one",
        ),
        (false, false) => {
            BuildLevel::new(2, second, "the workflow that was built could sign itself: level 3 needs an isolated builder")
        }
    }
}

/// Whether a release of a builder that is known to be isolated signed.
fn is_built_in(signer: &SignerIdentity) -> bool {
    let Some((file, reference)) = signer.subject.strip_prefix(ISOLATED).and_then(|rest| rest.split_once('@')) else {
        return false;
    };
    // At a branch or a commit it may be anybody's draft.
    let version = reference.strip_prefix("refs/tags/v").and_then(|version| semver::Version::parse(version).ok());
    signer.issuer == GITHUB_ISSUER && ISOLATED_FILES.contains(&file) && version.is_some_and(|version| version.pre.is_empty())
}

/// Whether the signing workflow was called by another workflow.
fn is_reusable(signer: &SignerIdentity) -> bool {
    let is_elsewhere = signer.repository.as_ref().is_some_and(|repository| {
        let inside = signer.subject.get(..repository.len()).is_some_and(|start| start.eq_ignore_ascii_case(repository));
        !(inside && signer.subject[repository.len()..].starts_with('/'))
    });
    signer.workflow.is_some() || is_elsewhere
}

/// In what the provenance says something else than the certificate; a fragment.
fn contradiction(provenance: &ProvenanceFacts, signer: &SignerIdentity) -> Option<String> {
    let differ = |what: &str, says: &str, certificate: &str| {
        Some(format!("the provenance names the {what} {says:?}, the certificate {certificate:?}"))
    };
    if let (Some(says), Some(certificate)) = (&provenance.commit, &signer.commit)
        && says != certificate
    {
        return differ("commit", says, certificate);
    }
    if let (Some(says), Some(certificate)) = (provenance.source_repository(), &signer.repository)
        && !says.eq_ignore_ascii_case(certificate)
    {
        return differ("repository", &says, certificate);
    }
    let builder = provenance.builder_id.as_deref().filter(|id| id.contains("/.github/workflows/"));
    match builder {
        Some(says) if says != signer.subject => differ("builder", says, &signer.subject),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATOR: &str =
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml";

    fn signer() -> SignerIdentity {
        let text = |text: &str| Some(text.to_owned());
        SignerIdentity {
            subject: "https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1".into(),
            issuer: GITHUB_ISSUER.into(),
            repository: text("https://github.com/org/app"),
            commit: text("ab"),
            runner: text("github-hosted"),
            ..SignerIdentity::default()
        }
    }

    fn facts(identity: Option<SignerIdentity>) -> SignatureFacts {
        SignatureFacts {
            bundle: "b".into(),
            sha256: crate::base::Sha256::of(b""),
            key: None,
            trusted_root: None,
            identity,
            logs: vec![],
            times: vec![],
        }
    }

    type Change = fn(&mut SignerIdentity, &mut ProvenanceFacts);

    #[test]
    fn no_more_than_the_evidence_supports() {
        let shared = "https://github.com/org/shared/.github/workflows/build.yml";
        let trusted = [IsolatedBuilder::parse(&format!("{shared}@refs/tags/v*")).unwrap()];
        let cases: [(&str, u8, Change); 22] = [
            ("a workflow", 2, |_, _| {}),
            ("a provenance that agrees", 2, |_, it| {
                it.commit = Some("ab".into());
                it.source_uri = Some("git+https://github.com/Org/app.git@ab".into());
                it.builder_id = Some("https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1".into());
            }),
            ("another commit", 1, |_, it| it.commit = Some("cd".into())),
            ("another repository", 1, |_, it| it.source_uri = Some("git+https://github.com/org/other@ab".into())),
            ("another builder", 1, |_, it| it.builder_id = Some(format!("{GENERATOR}@refs/tags/v1.4.0"))),
            ("its own claim of a builder", 2, |_, it| it.builder_id = Some("https://slsa.dev/level3".into())),
            ("self-hosted", 1, |who, _| who.runner = Some("self-hosted".into())),
            ("an unknown runner", 1, |who, _| who.runner = None),
            ("a person", 1, |who, _| who.issuer = "https://accounts.google.com".into()),
            ("an issuer that writes the same words", 1, |who, _| who.issuer = format!("{GITHUB_ISSUER}.evil")),
            ("a reusable workflow of theirs", 2, |who, _| who.workflow = Some("x".into())),
            ("an isolated builder", 3, |who, _| {
                who.subject = format!("{GENERATOR}@refs/tags/v1.4.0");
            }),
            ("an isolated builder of old", 3, |who, _| {
                (who.subject, who.runner) = (format!("{GENERATOR}@refs/tags/v1.4.0"), None);
            }),
            ("its branch", 2, |who, _| who.subject = format!("{GENERATOR}@refs/heads/main")),
            ("its draft", 2, |who, _| who.subject = format!("{GENERATOR}@refs/tags/v1.4.0-rc.1")),
            ("another file", 2, |who, _| who.subject = GENERATOR.replace("generic", "evil") + "@refs/tags/v1.4.0"),
            ("its double", 2, |who, _| who.subject = GENERATOR.replace("slsa-framework", "slsa-framew0rk") + "@refs/tags/v1.4.0"),
            ("its name in a path", 2, |who, _| who.subject = format!("https://evil/{GENERATOR}@refs/tags/v1.4.0")),
            ("on their own machine", 1, |who, _| {
                (who.subject, who.runner) = (format!("{GENERATOR}@refs/tags/v1.4.0"), Some("self-hosted".into()));
            }),
            ("the user's builder", 3, |who, _| {
                who.subject = "https://github.com/org/shared/.github/workflows/build.yml@refs/tags/v3".into();
            }),
            ("its branch", 2, |who, _| {
                who.subject = "https://github.com/org/shared/.github/workflows/build.yml@refs/heads/x".into();
            }),
            ("called by nobody", 2, |who, _| {
                who.subject = "https://github.com/org/shared/.github/workflows/build.yml@refs/tags/v3".into();
                who.repository = Some("https://github.com/org/shared".into());
            }),
        ];
        for (what, expected, change) in cases {
            let (mut who, mut it) = (signer(), ProvenanceFacts::default());
            change(&mut who, &mut it);
            let found = judge(&it, &facts(Some(who)), &trusted);
            assert_eq!((found.level, found.not_higher.is_none()), (expected, expected == 3), "{what}: {found:?}");
        }
        assert_eq!(judge(&ProvenanceFacts::default(), &facts(None), &trusted).level, 1);
        assert_eq!(BuildLevel::none().word(), "SLSA_BUILD_LEVEL_0");
    }

    #[test]
    fn isolated_builders_are_named_whole() {
        for bad in ["", "org", "org/app", "org/*/.github/workflows/a.yml", "../app/.github/workflows/a.yml", "o/n/a.yml@main"] {
            assert!(IsolatedBuilder::parse(bad).is_err(), "{bad}");
        }
        for good in ["o/n/.github/workflows/a.yml", "https://gitlab.com/o/n/a.yml@refs/tags/*"] {
            assert!(IsolatedBuilder::parse(good).is_ok(), "{good}");
        }
        let own = IsolatedBuilder::parse("o/n/.github/workflows/a.yml").unwrap();
        assert!(own.is("https://github.com/o/n/.github/workflows/a.yml@refs/heads/main"));
        assert!(!own.is("https://github.com/o/n/.github/workflows/a.yml@x.yml@refs/heads/main"));
        assert!(!own.is("https://github.com/o/n/.github/workflows/a.yml"));
    }
}
