//! The attestations of a file from the API of its repository's host, for `verify`, where no bundle was named and none lies beside the file.
//! Nothing is asked before that is certain.

use camino::Utf8PathBuf;

use super::verify::Request;
use super::{Class, Error, Progress};
use crate::attest::strict_json;
use crate::base::http::is_allowed;
use crate::base::{Context, Sha256, Timestamp};
use crate::feeds::github_attestations::{self as github, Api, AttestationRequest};
use crate::files;
use crate::http::{Client, Patience};
use crate::verify::{BundleFile, Origin, VerificationPolicy};

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It answered, now or (`is_remembered`) before.
    Answered { from: String, repository: String, asked: Timestamp, count: usize, has_more: bool, is_remembered: bool },
    /// `--offline`, and it was not asked before.
    Offline { from: String },
}

/// The host of the repository that the policy names.
pub(super) struct Host<'a> {
    context: &'a Context,
    api: Api,
    /// `OWNER/NAME`, where the API knows its host.
    repository: Option<String>,
    client: Option<Client>,
    save: Option<Utf8PathBuf>,
    saved: Vec<Vec<u8>>,
}

impl<'a> Host<'a> {
    pub(super) fn new(context: &'a Context, request: &Request, policy: &VerificationPolicy) -> Result<Self, Error> {
        if let Some(url) = request.attestation_api.as_deref().filter(|url| !is_allowed(url)) {
            return Err(Error::usage(&format!("cannot ask {url:?} for attestations: neither https nor http on this machine")));
        }
        let api = Api::of(&context.env, request.attestation_api.as_deref());
        let save = request.save_bundle.as_ref().map(|path| context.cwd.join(path));
        if let Some(path) = save.as_ref().filter(|path| path.extension() != Some("jsonl")) {
            return Err(Error::usage(&format!("--save-bundle {path}: the name has to end in .jsonl"))
                .with_help("--bundle reads files of that name as one bundle a line"));
        }
        let repository = policy.repository().and_then(|uri| api.hosts(uri)).map(str::to_owned);
        let client = (!context.offline).then(|| Client::new(&context.env, Patience::default()));
        Ok(Self { context, api, repository, client, save, saved: Vec::new() })
    }

    pub(super) fn knows_the_repository(&self) -> bool {
        self.repository.is_some()
    }

    /// The bundles that it offers about a file; none where nobody is asked.
    pub(super) fn ask(
        &mut self,
        digest: Sha256,
        shown: &str,
        progress: &mut dyn Progress,
    ) -> Result<(Vec<BundleFile>, Option<Asked>), Error> {
        let Some(repository) = &self.repository else { return Ok((Vec::new(), None)) };
        let from = self.api.shown();
        if self.client.is_some() {
            progress.note(&format!("no bundle lies beside {shown}: asking {from} for attestations of {repository}"));
        }
        let fetched = github::fetch(&AttestationRequest {
            api: &self.api,
            http: self.client.as_ref().map(|client| client as &dyn crate::base::Http),
            cache_dir: &self.context.cache_dir,
            now: self.context.now,
            repository,
            digest,
        });
        let Some(fetched) = fetched.map_err(|error| told(&error))? else {
            return Ok((Vec::new(), Some(Asked::Offline { from })));
        };
        let asked = Asked::Answered {
            from,
            repository: repository.clone(),
            asked: fetched.asked,
            count: fetched.bundles.len(),
            has_more: fetched.has_more,
            is_remembered: self.client.is_none(),
        };
        if self.save.is_some() {
            self.saved.extend(fetched.bundles.iter().map(|(_, bytes)| bytes.clone()));
        }
        let bundles = fetched.bundles.into_iter().map(|(path, bytes)| BundleFile { path, bytes, origin: Origin::Offered });
        Ok((bundles.collect(), Some(asked)))
    }

    /// Writes what was fetched, where that was asked for: whole JSON values, one a line.
    pub(super) fn save(self) -> Result<(), Error> {
        let Some(path) = self.save else { return Ok(()) };
        let mut text = String::new();
        // What is no JSON is no bundle, and could end a line.
        for value in self.saved.iter().filter_map(|bytes| strict_json::parse(bytes).ok()) {
            text += &format!("{value}\n");
        }
        files::write(&path, text.as_bytes()).map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))
    }
}

fn told(error: &github::Error) -> Error {
    let token = |with_token: bool| {
        if with_token {
            "the token in GH_TOKEN or GITHUB_TOKEN was sent"
        } else {
            "a token in GITHUB_TOKEN lets more be asked; none is needed for public repositories"
        }
    };
    let told = Error::new(Class::Undetermined, &format!("cannot learn whether there are attestations: {error}"));
    let told = match error {
        github::Error::RateLimit { with_token, .. } => told.with_help(format!("wait for an hour; {}", token(*with_token))),
        github::Error::Refused { with_token: true, .. } => {
            told.with_help("take the token out of GH_TOKEN and GITHUB_TOKEN, or give it `attestations: read`")
        }
        github::Error::Refused { with_token: false, .. } => {
            told.with_help("a private repository needs a token in GITHUB_TOKEN with `attestations: read`")
        }
        github::Error::Status { .. } | github::Error::NoAnswer { .. } => {
            told.with_help("run again later, or use --offline where it was asked before")
        }
    };
    told.with_help(
        "a bundle of the file lets it be verified without a network: --bundle FILE, or beside it as FILE.sigstore.json",
    )
}
