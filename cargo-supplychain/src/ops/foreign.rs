//! Bills of materials of others as files: read within bounds, errors with the file's name. For `sbom check`, `diff` and `affected`.

use camino::Utf8Path;

use super::Error;
use crate::base::Context;
use crate::bom::{self, Bom};
use crate::files;

/// The largest binary whose audit data is read, in bytes.
const MAX_BINARY_BYTES: u64 = 512 << 20;

/// A document and its bytes.
#[derive(Debug)]
pub(super) struct Read {
    pub bom: Bom,
    pub bytes: Vec<u8>,
}

/// Reads the bill of materials that a path names.
pub(super) fn read(context: &Context, given: &Utf8Path) -> Result<Read, Error> {
    let path = context.cwd.join(given);
    let unreadable = |why: &dyn std::fmt::Display| Error::usage(&format!("cannot read the SBOM {given}: {why}"));
    // The size first: a text larger than the limit is not read at all, a binary may be larger.
    let mut start = [0; 4];
    let file = files::open(&path).map_err(|error| unreadable(&error))?;
    let size = file.metadata().map_err(|error| unreadable(&error))?.len();
    let length = std::io::Read::read(&mut &file, &mut start).map_err(|error| unreadable(&error))?;
    let limit = if bom::is_binary(&start[..length]) { MAX_BINARY_BYTES } else { bom::MAX_BYTES as u64 };
    if size > limit {
        return Err(unreadable(&format_args!("it has {size} bytes, the limit is {limit}")));
    }
    let bytes = files::read(&path, limit).map_err(|error| unreadable(&error))?;
    let bom = bom::read(&bytes).map_err(|error| unreadable(&error).with_help(HELP))?;
    Ok(Read { bom, bytes })
}

const HELP: &str = "CycloneDX up to 1.7 (JSON, XML), SPDX 2.2, 2.3 (JSON, tag-value), SPDX 3.0 (JSON-LD), SWID tags and binaries with \
                    audit data are read (docs/sbom-check.md)";
