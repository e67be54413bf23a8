//! `verify` as clap reads it.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args};

/// Verify a release folder or a released file
///
/// The signer has to be known from elsewhere: --repo, --identity or --key, or [verify] in your own supplychain.toml. What lies in the
/// release (its signer.pub, its VERIFY.md) is never taken as proof. No network is used, but for a file of a repository on GitHub that no
/// bundle lies beside: GitHub is asked for its attestations, without a login.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain verify ./app --repo owner/app
  cargo supplychain verify ./app --repo owner/app --workflow .github/workflows/release.yml --tag 'v*'
  cargo supplychain verify --digest sha256:… --bundle app.sigstore.json --identity me@example.org --issuer https://accounts.google.com
  cargo supplychain verify app-1.0.0-x86_64-unknown-linux-gnu --key signer.pub
  cargo supplychain verify ./app --bundle app.provenance.sigstore.json --key signer.pub
  cargo supplychain verify release --key signer.pub --expect-version 1.2.0 --require-fresh-target
  cargo supplychain verify ./app --repo owner/app --require-build-level 2 --min-version 1.2.0
  cargo supplychain verify ./app --repo owner/app --vsa app.vsa.sigstore.json --signing-key verifier.pem
  cargo supplychain verify archive:app@1.0.0 --repo owner/app
  cargo supplychain verify release --key signer.pub --rebuild --source ../checkout")]
#[command(group(ArgGroup::new("attesting").args(["attest", "vsa"]).multiple(true)))]
pub struct VerifyArgs {
    /// Release folders or files, archive:NAME@VERSION for archived releases; with --digest, bundles
    #[arg(required_unless_present = "digest", value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
    /// The bundle of a file, instead of FILE.sigstore.json beside it; .jsonl: one a line, of which one has to be accepted
    #[arg(long, value_name = "FILE")]
    pub bundle: Vec<Utf8PathBuf>,
    /// The file's digest, where the file itself is not at hand
    #[arg(long, value_name = "sha256:HEX")]
    pub digest: Option<String>,
    #[command(flatten)]
    pub signer: IdentityArgs,
    /// Reject another version than this
    #[arg(long, value_name = "VERSION")]
    pub expect_version: Option<String>,
    /// Reject a release built in a reused target folder
    #[arg(long)]
    pub require_fresh_target: bool,
    /// Reject a file without an attestation of this predicate type (may be repeated)
    #[arg(long, value_name = "URI")]
    pub require_predicate: Vec<String>,
    /// Reject what is older than this version (attest/superseded)
    #[arg(long, value_name = "VERSION")]
    pub min_version: Option<String>,
    /// Reject what the evidence supports a lower SLSA build level of: 1, 2 or 3
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=3))]
    pub require_build_level: Option<u8>,
    /// A reusable workflow whose signing its callers cannot reach: OWNER/NAME/PATH, with or without @refs/… (may be repeated)
    #[arg(long, value_name = "WORKFLOW")]
    pub isolated_builder: Vec<String>,
    /// Base URL of the API for attestations, instead of GitHub's; no token is sent there
    #[arg(long, value_name = "URL", help_heading = "Attestations of a repository host")]
    pub attestation_api: Option<String>,
    /// Write the bundles that were fetched, one a line: for --bundle
    #[arg(long, value_name = "FILE.jsonl", help_heading = "Attestations of a repository host")]
    pub save_bundle: Option<Utf8PathBuf>,
    /// Sign a SLSA verification summary of the success, and write it to this file
    #[arg(long, value_name = "FILE", conflicts_with = "rebuild", help_heading = "Verification summary")]
    pub vsa: Option<Utf8PathBuf>,
    /// What the summary is about: where it is fetched from, or its package URL
    #[arg(long, value_name = "URI", requires = "vsa", help_heading = "Verification summary")]
    pub resource_uri: Option<String>,
    /// Who verified, a URI
    #[arg(long, value_name = "URI", requires = "vsa", help_heading = "Verification summary")]
    pub verifier_id: Option<String>,
    /// The policy file with [verify], instead of supplychain.toml in the working folder
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// The archive of archive:… (a folder or URL), instead of the policy's
    #[arg(long, visible_alias = "store", value_name = "DIR|URL")]
    pub archive: Option<String>,
    /// Build the release again from its source, and compare: runs its build scripts
    #[arg(long, help_heading = "Rebuild")]
    pub rebuild: bool,
    /// The git repository of the source, instead of the one around the working folder
    #[arg(long, value_name = "DIR", requires = "rebuild", help_heading = "Rebuild")]
    pub source: Option<Utf8PathBuf>,
    /// Sign a statement of your own when the bytes are the same
    #[arg(long, requires = "rebuild", help_heading = "Rebuild")]
    pub attest: bool,
    /// Private key to sign it with (PEM), instead of the configured or your own
    #[arg(long, value_name = "FILE", requires = "attesting", help_heading = "Rebuild")]
    pub signing_key: Option<Utf8PathBuf>,
    /// Where it goes, instead of RELEASE.rebuild.sigstore.json beside the release folder
    #[arg(long, value_name = "FILE", requires = "attest", help_heading = "Rebuild")]
    pub output: Option<Utf8PathBuf>,
}

/// Whom to accept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signer")]
pub struct IdentityArgs {
    /// Built in this repository: OWNER/NAME on github.com, gitlab.com/PATH, or another host's https://HOST/PATH (with --issuer)
    #[arg(long, value_name = "REPOSITORY")]
    pub repo: Option<String>,
    /// Signed by this workflow: a path in the repository, or OWNER/NAME/PATH for a reusable one elsewhere (may be repeated)
    #[arg(long, value_name = "PATH")]
    pub workflow: Vec<String>,
    /// Built from this ref: refs/heads/main; * stands for anything but a slash
    #[arg(long = "ref", value_name = "REF", conflicts_with = "tag")]
    pub reference: Option<String>,
    /// Built from this tag: v1.2.3 or 'v*'
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Built from this commit
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
    /// The host's number of the repository, which no renaming changes
    #[arg(long, value_name = "NUMBER")]
    pub repo_id: Option<String>,
    /// The host's number of the repository's owner
    #[arg(long, value_name = "NUMBER")]
    pub owner_id: Option<String>,
    /// Built on this kind of runner: github-hosted, self-hosted, …
    #[arg(long, value_name = "KIND")]
    pub runner: Option<String>,
    /// Built by this event: push, release, workflow_dispatch, …
    #[arg(long, value_name = "EVENT")]
    pub trigger: Option<String>,
    /// The certificate's subject, exactly (with --issuer)
    #[arg(long, value_name = "SUBJECT", conflicts_with = "identity_pattern")]
    pub identity: Option<String>,
    /// The certificate's subject as a pattern: * stands for anything but / and @, ** for anything
    #[arg(long, value_name = "PATTERN")]
    pub identity_pattern: Option<String>,
    /// The OIDC issuer that knows the signer
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// The signer's public key (PEM); may be repeated: the current one and those of before
    #[arg(long, value_name = "FILE", conflicts_with_all = ["repo", "identity", "identity_pattern"])]
    pub key: Vec<Utf8PathBuf>,
    /// Trusted roots, instead of those of sigstore.dev and github.com that were fetched or are embedded
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<Utf8PathBuf>,
}
