//! A folder that stands for the API: `api/crates/NAME.json`, `api/crates/NAME/owners.json`, `api/crates/NAME/versions.json`, each as the
//! API answers. What is not there is a 404.

use std::collections::BTreeMap;
use std::io;

use camino::Utf8Path;

use super::{MAX_ANSWER, NoAnswer, Part, Records, Wanted, is_askable, record};
use crate::files;
use crate::model::registry::CrateKey;

/// Reads what the folder has of these crates.
#[must_use]
pub fn snapshot(folder: &Utf8Path, crates: &BTreeMap<CrateKey, Wanted>) -> Records {
    let read = |key: &CrateKey| {
        is_askable(key)?;
        record(&key.name, &mut |part| read(folder, &key.name, part))
    };
    crates.keys().map(|key| (key.clone(), read(key))).collect()
}

fn read(folder: &Utf8Path, name: &str, part: Part<'_>) -> Result<Vec<u8>, NoAnswer> {
    let path = match part {
        Part::Crate => format!("api/crates/{name}.json"),
        Part::Owners => format!("api/crates/{name}/owners.json"),
        Part::Versions("?per_page=100") => format!("api/crates/{name}/versions.json"),
        // A snapshot of the first page is not one of the crate.
        Part::Versions(_) => return Err(NoAnswer::Unknown("the snapshot has their first page only".to_owned())),
    };
    files::read(&folder.join(path), MAX_ANSWER).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NoAnswer::NotFound,
        kind => NoAnswer::Unknown(format!("the snapshot's file cannot be read: {kind}")),
    })
}
