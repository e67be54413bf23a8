//! `psirt`: the ledger of reports about vulnerabilities in the project's own products. Whatever stands above TLP:CLEAR is shown nowhere but to
//! whoever runs this on a machine of their own: not in CI, not in a document.

use camino::{Utf8Path, Utf8PathBuf};

use super::error::Snippet;
use super::{Class, Error, gather, workspace};
use crate::base::Context;
use crate::config::psirt::{self, Ledger, NewReport, Report};
use crate::document::Document;
use crate::files;

/// The ledger's name at the workspace root.
const LEDGER_FILE: &str = "psirt.toml";

/// Which ledger.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub manifest_path: Option<Utf8PathBuf>,
    /// `--ledger`, instead of `psirt.toml` at the workspace root.
    pub ledger: Option<Utf8PathBuf>,
}

impl Place {
    /// The path, as it is opened and as people are shown it; and the root of the workspace.
    fn find(&self, context: &Context) -> Result<(Utf8PathBuf, String, Utf8PathBuf), Error> {
        let root = workspace::find(context, self.manifest_path.as_deref())?.root;
        Ok(match &self.ledger {
            Some(path) => (context.cwd.join(path), path.to_string(), root),
            None => (root.join(LEDGER_FILE), LEDGER_FILE.to_owned(), root),
        })
    }
}

/// The ledger.
///
/// # Errors
/// There is none, or it is none.
pub fn list(context: &Context, place: &Place) -> Result<Ledger, Error> {
    let (path, shown, _) = place.find(context)?;
    read(context, &path, &shown).map(|(ledger, _)| ledger)
}

fn read(context: &Context, path: &Utf8Path, shown: &str) -> Result<(Ledger, String), Error> {
    let text = files::read_text(path, psirt::MAX_BYTES as u64).map_err(|error| {
        Error::usage(&format!("cannot read the ledger {path}: {error}")).with_help("begin one with `cargo supplychain psirt add`")
    })?;
    match psirt::parse(shown, &text) {
        Ok(ledger) => Ok((ledger, text)),
        // The words of a mistake are those of the ledger, and who reads the log of CI may not know them.
        Err(error) if context.in_ci() => {
            Err(Error::usage(&format!("{shown}:{}:{}: the ledger is wrong there", error.line, error.column))
                .with_help("what is wrong is not shown in CI: run `cargo supplychain psirt list` on a machine of your own"))
        }
        Err(error) => {
            let snippet = error.span.clone().map(|span| {
                Box::new(Snippet {
                    file: path.to_string(),
                    text: text.clone(),
                    span,
                    label: error.suggestion.clone().unwrap_or_default(),
                })
            });
            Err(Error { snippet, ..Error::usage(&error) })
        }
    }
}

/// Appends a report. Everything that stands in the ledger stays as it is.
///
/// # Errors
/// It is not a report that the ledger takes, or the ledger cannot be read or written.
pub fn add(context: &Context, new: NewReport, place: &Place) -> Result<(Utf8PathBuf, Report), Error> {
    let (path, shown, _) = place.find(context)?;
    let before = if path.exists() { read(context, &path, &shown)?.1 } else { String::new() };
    let id = new.id.clone();
    let report = new.report().map_err(|error| Error::usage(&format!("--reported: {error}")))?;
    let gap = match &before {
        text if text.is_empty() => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let whole = format!("{before}{gap}{}", report.block());
    let ledger = psirt::parse(&shown, &whole)
        .map_err(|error| Error::usage(&format!("this is no report that {shown} takes: {}", error.message)))?;
    files::write(&path, whole.as_bytes()).map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    // As the ledger reads it: its days end where it says.
    let added = ledger.reports.into_iter().find(|report| report.id == id);
    Ok((path, added.unwrap_or(report)))
}

/// The draft of the advisory about a report.
///
/// # Errors
/// There is no such report, it is not public, or the policy names no publisher.
pub fn advisory(context: &Context, id: &str, place: &Place) -> Result<Document, Error> {
    let (path, shown, root) = place.find(context)?;
    let (ledger, _) = read(context, &path, &shown)?;
    let report = ledger.reports.iter().find(|report| report.id == id || report.aliases.iter().any(|alias| alias == id));
    let report = report.ok_or_else(|| {
        Error::usage(&format!("{shown} has no report `{id}`")).with_help("`cargo supplychain psirt list` lists them")
    })?;
    if !report.is_public() {
        return Err(Error::usage(&format!("the report `{id}` is not TLP:CLEAR: no document is made of it"))
            .with_help("write tlp = \"CLEAR\" into its entry when everybody may know of it"));
    }
    if report.releases.is_empty() {
        return Err(Error::usage(&format!("the report `{id}` names no affected releases"))
            .with_help("list them in `releases`; `cargo supplychain affected` finds those that have a component"));
    }
    let settings = gather::settings(context, None, &root, None)?.0;
    let publisher = settings.documents.publisher.as_ref().ok_or_else(super::vex::no_publisher)?;
    Ok(crate::document::psirt::advisory(report, publisher, context.stamp))
}
