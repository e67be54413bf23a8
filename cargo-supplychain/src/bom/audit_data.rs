//! The dependency list that cargo-auditable embeds into a binary: zlib-compressed JSON in the section `.dep-v0` of an ELF, PE or Mach-O
//! file (its PARSING.md). Whoever made the binary made the list: what it unpacks to is bounded.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use object::{Object as _, ObjectSection as _};
use serde::Deserialize;

use super::build::Builder;
use super::{Bom, Error, Format, Kind, Part, Scope, json};
use crate::base::purl::{Qualifier, cargo};

/// The most that the list may unpack to: one of 10,000 packages has 1.5 MiB.
const MAX_UNPACKED: u64 = 32 << 20;

#[derive(Deserialize)]
struct Raw {
    packages: Vec<RawPackage>,
    #[serde(default)]
    format: u32,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    version: String,
    source: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    dependencies: Vec<u32>,
    #[serde(default)]
    root: bool,
}

/// Whether the bytes begin like a binary: ELF, PE, Mach-O of either word size or byte order, or several of these in one.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 7] = [
        b"\x7fELF",
        b"MZ",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ];
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// Reads the list out of a binary.
pub(super) fn read(bytes: &[u8]) -> Result<Bom, Error> {
    if bytes.starts_with(b"\xca\xfe\xba\xbe") {
        return Err(Error::whole("a universal Mach-O file holds several binaries: name one of them"));
    }
    let file = object::File::parse(bytes).map_err(|error| Error::whole(format!("it is no binary that can be read: {error}")))?;
    let section = file.section_by_name(".dep-v0").ok_or_else(|| {
        Error::whole("the binary has no section `.dep-v0`: it was not built with audit data of cargo-auditable")
    })?;
    let failed = |error: &dyn std::fmt::Display| Error::at("section .dep-v0", error.to_string());
    let packed = section.data().map_err(|error| failed(&error))?;
    let mut text = String::new();
    ZlibDecoder::new(packed).take(MAX_UNPACKED + 1).read_to_string(&mut text).map_err(|error| failed(&error))?;
    if text.len() as u64 > MAX_UNPACKED {
        return Err(failed(&format_args!("it unpacks to more than {MAX_UNPACKED} bytes")));
    }
    unpacked(&text).map_err(|error| failed(&error))
}

/// Reads the list itself.
pub(super) fn unpacked(text: &str) -> Result<Bom, Error> {
    json::bound(text)?;
    let raw: Raw = json::parse(text)?;
    let mut builder = Builder::new(Format::AuditData, &raw.format.to_string());
    builder.bom.contexts.say("build", str::to_owned);
    for package in &raw.packages {
        let mut part = Part::new(Kind::Component, &package.name);
        part.version.say(&package.version, str::to_owned);
        part.type_word = "library".to_owned();
        match package.source.as_str() {
            "crates.io" => part.purls.push(cargo(&package.name, &package.version, Qualifier::CratesIo)),
            // Which repository, registry or folder it was the format does not say.
            source => part.identifiers.say(&format!("cargo:{source}:{}@{}", package.name, package.version), str::to_owned),
        }
        if package.kind.as_deref() == Some("build") {
            part.scope = Scope::Excluded;
        }
        let index = builder.add(part)?;
        builder.states(index);
        if package.root {
            builder.bom.subjects.extend(usize::try_from(index));
        }
    }
    let count = u32::try_from(raw.packages.len()).unwrap_or(u32::MAX);
    for (from, package) in (0_u32..).zip(&raw.packages) {
        for to in &package.dependencies {
            if *to >= count {
                return Err(Error::at(
                    format!("the package {:?}", package.name),
                    format!("it depends on number {to} of {count}"),
                ));
            }
            builder.edge_between(from, *to)?;
        }
    }
    Ok(builder.finish())
}
