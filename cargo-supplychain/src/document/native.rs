//! What is known of a native library, in words that all formats share.

use crate::base::text::plain;
use crate::model::native::{Evidence, Import, Supply, Witness};

pub(super) fn supply(supply: Supply) -> &'static str {
    match supply {
        Supply::Bundled => "bundled",
        Supply::Prebuilt => "prebuilt",
        Supply::System => "system",
        Supply::Unknown => "unknown",
    }
}

pub(super) fn witness(witness: Witness) -> &'static str {
    match witness {
        Witness::Crate => "crate",
        Witness::BuildScript => "build-script",
        Witness::Imports => "imports",
    }
}

/// `file src/zlib/zlib.h of pkg:cargo/libz-sys@1.1.31, sha256:…`
pub(super) fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::BuildMetadata { package } => format!("build metadata of the version of {package}"),
        Evidence::File { package, path, sha256 } => format!("file {path} of {package}, sha256:{sha256}"),
    }
}

pub(super) fn import(import: &Import) -> String {
    match import {
        Import::Needed { name } => format!("needed: {}", plain(name)),
        Import::Absent => "absent: the file does not need it".to_owned(),
        Import::Unread { why } => format!("unknown: {}", plain(why)),
    }
}
