//! What is known of a native library, in words that all formats share.

use crate::base::text::plain;
use crate::model::native::{Evidence, Import, NativeLibrary, NativeVersion, Supply, Witness};

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

/// All of it as text for people.
pub(super) fn sentence(library: &NativeLibrary) -> String {
    let mut text = match library.supply {
        Supply::Bundled => "A native library, built by the crate's build script".to_owned(),
        Supply::Prebuilt => "A native library that the package brings as a built file".to_owned(),
        Supply::System => "A native library of the system".to_owned(),
        Supply::Unknown => "A native library; it is not known whether it is bundled or the system's".to_owned(),
    };
    if !library.link_names.is_empty() {
        text.push_str(&format!(", for the linker: {}", plain(&library.link_names.join(", "))));
    }
    match &library.version {
        NativeVersion::Known { evidence: said, .. } => text.push_str(&format!(". Version by: {}", evidence(said))),
        NativeVersion::Unknown { why } => text.push_str(&format!(". Version unknown: {}", plain(why))),
    }
    if let Some(said) = &library.import {
        text.push_str(&format!(". Imports of the file: {}", import(said)));
    }
    match library.witness {
        Witness::Crate => text.push_str(". Expected of the crate; nothing was compiled"),
        Witness::BuildScript => {}
        Witness::Imports => text.push_str(". No build script named it"),
    }
    text.push_str(". Its digest is unknown.");
    text
}
