//! `target/supplychain/denied.json`: what the last build was refused, for `init --sandbox-allow`. A file in a folder that builds write to:
//! what is read back is bounded, and nothing in it is believed that the policy would not take from anybody.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Class, Error};
use crate::document::json_text;
use crate::files;
use crate::model::sandbox::SandboxFacts;

/// The file's name, in `target/supplychain`.
pub const FILE: &str = "denied.json";

/// The largest record that is read, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// Writes the record of a build that was refused something; a build that was not leaves none.
pub(super) fn record(own: &Utf8Path, facts: &SandboxFacts) -> Result<(), Error> {
    let path = own.join(FILE);
    let result = if facts.has_attempts() {
        files::write(&path, json_text(facts).as_bytes())
    } else {
        #[expect(clippy::disallowed_methods, reason = "our own record of the build before")]
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    result.map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))
}

/// Reads the record of the last build below `target`; `None` where it was refused nothing.
pub(super) fn read(target: &Utf8Path) -> Result<Option<SandboxFacts>, Error> {
    let path: Utf8PathBuf = target.join("supplychain").join(FILE);
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::usage(&format!("cannot read {path}: {error}"))
            .with_help("delete it; the next build that is refused something writes it anew")
    };
    let file = match files::open_no_follow(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    let bytes = files::read_open(&file, MAX_BYTES).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(&error))
}
