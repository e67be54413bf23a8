//! `vex`: decisions about vulnerabilities, added to the policy, listed, and written as statements for others. Nothing decides here.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::advisories::{self, Wanted};
use super::before::POLICY_FILE;
use super::gather::{self, gather};
use super::judge;
use super::{Class, Error, Progress, native, workspace};
use crate::advisory::Advisory;
use crate::base::{Context, Location, Timestamp};
use crate::check::rules;
use crate::config::{self, Component, Settings, VexDecision};
use crate::document::Document;
use crate::document::vex::list::Proposal;
use crate::document::vex::{self, Released, Statements};
use crate::feeds::Which;
use crate::files;
use crate::finding::{Area, Justification, Response, Status};

/// How long a decision counts unless told otherwise, in days.
pub const DAYS: i64 = 90;

/// What was decided.
#[derive(Debug, Clone)]
pub struct Added {
    pub id: String,
    pub aliases: Vec<String>,
    pub component: Component,
    pub status: Status,
    pub justification: Option<Justification>,
    pub reason: String,
    pub action: Option<String>,
    pub responses: Vec<Response>,
    pub author: Option<String>,
    pub expires: Option<Timestamp>,
}

/// Where it goes, and what it is looked up in.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub manifest_path: Option<Utf8PathBuf>,
    pub policy: Option<Utf8PathBuf>,
    pub advisory_db: Option<String>,
    pub dry_run: bool,
}

/// A decision in the policy.
#[derive(Debug)]
pub struct Written {
    /// None: it is only shown.
    pub path: Option<Utf8PathBuf>,
    pub decision: VexDecision,
    /// The block, in TOML.
    pub text: String,
    /// What could not be looked up, or does not fit.
    pub notes: Vec<String>,
}

/// Appends a decision to the policy. Everything that stands there stays as it is.
///
/// # Errors
/// It is not a decision that the policy takes, or the policy cannot be read or written.
pub fn add(context: &Context, added: Added, target: &Target, progress: &mut dyn Progress) -> Result<Written, Error> {
    let root = workspace::find(context, target.manifest_path.as_deref())?.root;
    let (path, shown) = place(context, &root, target.policy.as_deref());
    let (settings, before) = match path.exists() {
        true => gather::settings(context, target.policy.as_deref(), &root, None)?,
        false => (Settings::default(), None),
    };
    let before = before.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let (aliases, notes) = known_of(context, &added, (&settings, &root), target, progress)?;
    let decision = decision(context, added, aliases, &settings)?;
    let text = decision.block();
    let end = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    let end = if before.is_empty() || before.ends_with('\n') { end.to_owned() } else { format!("\n{end}") };
    let whole = format!("{before}{end}{text}");
    let known: Vec<_> = rules::known().collect();
    config::parse(&shown, &whole, &known).map_err(|error| {
        Error::usage(&format!("this is no decision that {shown} takes: {}", error.message))
            .with_help("see docs/vex.md, or `--help`")
    })?;
    if !target.dry_run {
        files::write(&path, whole.as_bytes())
            .map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    }
    Ok(Written { path: (!target.dry_run).then_some(path), decision, text, notes })
}

/// The policy's path, and as people are shown it.
fn place(context: &Context, root: &Utf8Path, given: Option<&Utf8Path>) -> (Utf8PathBuf, String) {
    match given {
        Some(path) => (context.cwd.join(path), path.to_string()),
        None => (root.join(POLICY_FILE), POLICY_FILE.to_owned()),
    }
}

fn decision(context: &Context, added: Added, aliases: Vec<String>, settings: &Settings) -> Result<VexDecision, Error> {
    let author = added.author.or_else(|| settings.documents.author.clone()).ok_or_else(|| {
        Error::usage(&"nobody is named who decides").with_help("name somebody with --author NAME, or set `author` in [documents]")
    })?;
    let day = |seconds: i64| Timestamp::from_unix(seconds - seconds.rem_euclid(86_400)).unwrap_or(context.now);
    let now = context.now.unix();
    Ok(VexDecision {
        id: added.id,
        aliases,
        component: added.component,
        status: added.status,
        justification: added.justification,
        reason: added.reason,
        action: added.action,
        responses: added.responses,
        author,
        date: day(now),
        expires: added.expires.unwrap_or_else(|| day(now.saturating_add(DAYS * 86_400))),
        location: Location::file(POLICY_FILE),
    })
}

/// The ids under which the advisory is known as well, and what is to be said about it.
fn known_of(
    context: &Context,
    added: &Added,
    (settings, root): (&Settings, &Utf8Path),
    target: &Target,
    progress: &mut dyn Progress,
) -> Result<(Vec<String>, Vec<String>), Error> {
    let mut aliases = added.aliases.clone();
    let Component::Crate { name, .. } = &added.component else { return Ok((aliases, Vec::new())) };
    let packages = BTreeSet::from([name.clone()]);
    let wanted = Wanted {
        given: target.advisory_db.as_deref(),
        revision: None,
        feeds: &[],
        settings,
        root,
        workspace: Some(root),
        which: Which::OfPackages(&packages),
        libraries: &BTreeSet::new(),
        vex: &[],
        base: None,
    };
    let database = match advisories::load(context, &wanted, progress)?.database {
        Ok(database) => database,
        Err((why, _)) => return Ok((aliases, vec![format!("other ids of {} were not looked up: {why}", added.id)])),
    };
    let same: Vec<&Advisory> = database.advisories.iter().filter(|one| one.ids().any(|id| id == added.id)).collect();
    let ids = same.iter().flat_map(|advisory| advisory.ids()).filter(|id| *id != added.id);
    for id in ids {
        if !aliases.iter().any(|known| known == id) {
            aliases.push(id.to_owned());
        }
    }
    let notes = match same.is_empty() {
        true => vec![format!("the advisory database knows no {} of {name}", added.id)],
        false => Vec::new(),
    };
    Ok((aliases, notes))
}

/// The decisions of the policy, in its order.
///
/// # Errors
/// The policy cannot be read.
pub fn list(context: &Context, manifest_path: Option<&Utf8Path>, policy: Option<&Utf8Path>) -> Result<Vec<VexDecision>, Error> {
    let root = workspace::find(context, manifest_path)?.root;
    Ok(gather::settings(context, policy, &root, None)?.0.vex)
}

/// What the facts of the build suggest about advisories that nobody has decided about.
///
/// # Errors
/// It cannot be judged.
pub fn propose(
    context: &Context,
    request: &gather::Request,
    judge: &judge::Request,
    progress: &mut dyn Progress,
) -> Result<Vec<Proposal>, Error> {
    let gathered = gather(context, request, progress)?;
    gathered.planned()?;
    let judge = judge::Request { only: vec![Area::Advisories], ..judge.clone() };
    let judged = judge::judge(context, &gathered, &judge, progress)?;
    if let Some(missing) = judged.report.not_evaluated.iter().find(|check| check.required) {
        return Err(
            Error::new(Class::Undetermined, &format!("{}: {}", missing.check, missing.why)).with_help(missing.help.clone())
        );
    }
    Ok(judged.report.findings.iter().filter_map(Proposal::of).collect())
}

/// The form of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    OpenVex,
    CycloneDx,
    Csaf,
}

/// Statements, and what is not stated: the decision's id and component, and why not.
#[derive(Debug)]
pub struct Exported {
    pub document: Document,
    pub stated: usize,
    pub left_out: Vec<String>,
}

/// The decisions as statements about what would be built.
///
/// # Errors
/// It cannot be told what would be built; nothing is stated; CSAF without a publisher.
pub fn export(
    context: &Context,
    request: &gather::Request,
    format: Format,
    progress: &mut dyn Progress,
) -> Result<Exported, Error> {
    let gathered = gather(context, request, progress)?;
    let released = Released::of(&native::expected(gathered.planned()?));
    written(context, &released, &gathered.settings, format)
}

fn written(context: &Context, released: &Released, settings: &Settings, format: Format) -> Result<Exported, Error> {
    let statements = Statements::new(released, &settings.documents, &settings.vex, context.now);
    let left_out: Vec<_> =
        statements.left_out.iter().map(|(one, why)| format!("{} in {}: {why}", one.id, one.component)).collect();
    if statements.is_empty() {
        let error = Error::usage(&"there is nothing to state: no decision of [[vex]] counts and is about what is released");
        return Err(left_out
            .iter()
            .fold(error, |error, why| error.with_help(format!("not stated: {why}")))
            .with_help("decide with `cargo supplychain vex add`"));
    }
    let document = match format {
        Format::OpenVex => vex::openvex(&statements),
        Format::CycloneDx => vex::cyclonedx(&statements),
        Format::Csaf => vex::csaf(&statements, settings.documents.publisher.as_ref().ok_or_else(no_publisher)?),
    };
    Ok(Exported { document, stated: statements.len(), left_out })
}

pub(super) fn no_publisher() -> Error {
    Error::usage(&"a CSAF document names its publisher, and the policy names none").with_help(
        "add to supplychain.toml: [documents.publisher] with category = \"vendor\", name = \"…\", namespace = \"https://…\"",
    )
}
