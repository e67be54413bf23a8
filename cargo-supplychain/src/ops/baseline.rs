//! `baseline show|diff|accept|refresh`: the committed `supplychain.lock`.

use super::Error;
use super::before::{BASELINE_FILE, OWN_FILE_LIMIT};
use super::error::Snippet;
use super::gather::Gathered;
use crate::files;
use crate::model::baseline::{self, Baseline};

/// What a baseline that cannot be read needs.
const BROKEN_HELP: &str = "restore supplychain.lock from its history (`git log -p supplychain.lock`), \
     then `cargo supplychain baseline accept` what has changed since";

/// The baseline that counts: of `--base`, else of the work tree; `None` where there is no file.
pub(super) fn read(gathered: &Gathered) -> Result<Option<Baseline>, Error> {
    let text = match &gathered.base {
        Some(base) => base.own_file(BASELINE_FILE)?,
        None => text(gathered)?,
    };
    let shown = match &gathered.base {
        Some(base) => format!("{BASELINE_FILE} of {}", base.revision.given()),
        None => BASELINE_FILE.to_owned(),
    };
    text.map(|text| parse(&shown, text)).transpose()
}

/// The file's text in the work tree.
fn text(gathered: &Gathered) -> Result<Option<String>, Error> {
    let path = gathered.workspace.root.join(BASELINE_FILE);
    match files::read_text(&path, OWN_FILE_LIMIT) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::usage(&format!("cannot read {path}: {error}")).with_help(BROKEN_HELP)),
    }
}

fn parse(shown: &str, text: String) -> Result<Baseline, Error> {
    baseline::parse(shown, &text).map_err(|error| {
        let snippet =
            error.span.clone().map(|span| Box::new(Snippet { file: shown.to_owned(), text, span, label: String::new() }));
        Error { snippet, ..Error::usage(&error) }.with_help(BROKEN_HELP)
    })
}
