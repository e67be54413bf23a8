//! Documents of others about vulnerabilities (VEX), as files. To name one is to trust it: on the command line for this run, in the policy for
//! every run. With `--base` those that the policy names are the revision's, as the policy is.

use camino::Utf8Path;

use super::Error;
use super::advisories::Wanted;
use crate::advisory::FeedInfo;
use crate::base::text::counted;
use crate::base::{Context, Sha256};
use crate::files;
use crate::vex::{self, Source};

const HELP: &str = "name an OpenVEX, CycloneDX or CSAF document with --vex, or in `vex` of [advisories]";

/// Reads all that are named, the policy's first.
pub(super) fn read(context: &Context, wanted: &Wanted<'_>, note: &mut dyn FnMut(&str)) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for name in &wanted.settings.advisories.vex {
        let bytes = match wanted.base {
            Some(base) => base.own_file(name)?.map(String::into_bytes).ok_or_else(|| {
                Error::usage(&format!("{name} is no file of the revision `{}`, whose policy names it", base.name()))
            })?,
            None => file(&wanted.root.join(name), name)?,
        };
        sources.push(source(name, &bytes, note)?);
    }
    for path in wanted.vex {
        sources.push(source(path.as_str(), &file(&context.cwd.join(path), path.as_str())?, note)?);
    }
    Ok(sources)
}

fn file(path: &Utf8Path, shown: &str) -> Result<Vec<u8>, Error> {
    files::read(path, vex::MAX_BYTES as u64)
        .map_err(|error| Error::usage(&format!("cannot read {shown}: {error}")).with_help(HELP))
}

fn source(shown: &str, bytes: &[u8], note: &mut dyn FnMut(&str)) -> Result<Source, Error> {
    let document = vex::read(bytes).map_err(|error| Error::usage(&format!("{shown}: {error}")).with_help(HELP))?;
    let said = counted(document.statements.len(), "statement");
    let left_out = match document.left_out {
        0 => String::new(),
        count => format!("; {} of what is no crate or library by package URL and version left out", counted(count, "statement")),
    };
    note(&format!("{shown}: {} by {}, {said}{left_out}", document.format, document.author));
    Ok(Source { file: shown.to_owned(), sha256: Sha256::of(bytes), document })
}

/// For the list of what a judgement stood on.
pub(super) fn info(source: &Source) -> FeedInfo {
    FeedInfo {
        name: "VEX".to_owned(),
        origin: Utf8Path::new(&source.file).file_name().unwrap_or_default().to_owned(),
        revision: None,
        date: source.document.date,
        sha256: source.sha256,
        entries: source.document.statements.len(),
    }
}
