//! What a change does to what is in each artifact: SBOMs of the revision that is compared with, checked out elsewhere, and of the work tree, each by
//! a run of our own binary, which analyses and runs nothing of either.

use camino::Utf8Path;

use super::Failed;
use super::child::Ended;
use super::plan;
use super::result;
use super::work::{Bench, start};
use crate::collect::elsewhere::{Elsewhere, check_out, work_tree};
use crate::collect::revision::Revision;
use crate::document::composition::{Contents, markdown};
use crate::files;

/// Larger SBOMs are not compared.
const MAX_SBOM: u64 = 64 << 20;

/// As Markdown; the error is why it cannot be told.
pub(super) fn of_change(bench: &Bench<'_>, base: &str) -> Result<String, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let revision = Revision::open(&bench.root, base).map_err(|error| words(&error))?;
    let top = work_tree(&bench.root).ok_or("there is no work tree")?;
    let root = bench.root.canonicalize_utf8().map_err(|error| words(&error))?;
    let below = root.strip_prefix(&top).map_err(|error| words(&error))?;
    let place = Elsewhere::new().map_err(|error| words(&error))?;
    check_out(&top, &revision.commit(), &place.sources(), true).map_err(|error| words(&error))?;
    let before = sboms(bench, &place.sources().join(below), &place.folder().join("before"))?;
    let after = sboms(bench, &root, &place.folder().join("after"))?;
    Ok(markdown(&before, &after))
}

fn sboms(bench: &Bench<'_>, root: &Utf8Path, to: &Utf8Path) -> Result<Vec<Contents>, String> {
    let manifest = root.join("Cargo.toml");
    let Ended { code, result } = start(bench, &plan::compared_arguments(bench.inputs, &manifest, to)).map_err(Failed::words)?;
    if code != 0 {
        let told = result::read(&result).error.map(|(message, _)| message);
        return Err(told.unwrap_or_else(|| format!("`sbom` ended with exit {code}")));
    }
    let mut contents = Vec::new();
    for entry in to.read_dir_utf8().map_err(|error| error.to_string())?.flatten() {
        let bytes = files::read(entry.path(), MAX_SBOM).map_err(|error| error.to_string())?;
        let name = entry.file_name().trim_end_matches(".cdx.json");
        contents.push(Contents::read(name, &bytes)?);
    }
    Ok(contents)
}
