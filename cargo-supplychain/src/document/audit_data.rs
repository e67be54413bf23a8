//! The audit data of cargo-auditable: which crates are linked into an artifact, as JSON compressed with zlib, for the section `.dep-v0` of
//! the file itself (format: `cargo-auditable.schema.json` of that project). It is made of the plan, so that it lists the linked set and
//! nothing else; `object` puts it into a file for the linker and finds it again in what the linker made.

pub mod object;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;

use super::Error;
use super::inventory::UnknownComponent;
use crate::model::{Artifact, Build, Component, Origin};

/// The most that data read back may hold, unpacked; the readers of that project take 8 MiB.
const MAX_BYTES: u64 = 8 << 20;

#[derive(Serialize)]
struct VersionInfo<'b> {
    packages: Vec<Package<'b>>,
    format: u32,
}

/// The revision of the format whose readers take procedural macros for what they are: not linked. Revision 8, the most exact one, says that
/// the data came from a file of cargo's that only nightly writes.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Package<'b> {
    name: &'b str,
    version: &'b str,
    source: &'static str,
    /// Indices into the list, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<usize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    root: bool,
}

/// The compressed data of one artifact: what is linked into it, in the order of package URLs. All of it is of the kind `runtime`, which the
/// format leaves out.
///
/// # Errors
/// The model contradicts itself.
pub fn content(build: &Build, artifact: &Artifact) -> Result<Vec<u8>, Error> {
    let indices: BTreeMap<&str, usize> =
        artifact.linked.iter().enumerate().map(|(index, part)| (part.purl.as_str(), index)).collect();
    let package = |(index, part): (usize, &crate::model::Use)| {
        let unknown = || UnknownComponent { artifact: artifact.name.clone(), purl: part.purl.clone() };
        let component = build.components.get(&part.purl).ok_or_else(unknown)?;
        let dependencies = artifact.dependencies.get(&part.purl).into_iter().flatten();
        // Dev-dependencies of an example may need its own package: readers refuse cycles, and take the root for needed by nobody.
        let mut dependencies: Vec<usize> = dependencies
            .filter(|to| **to != artifact.package)
            .filter_map(|to| indices.get(to.as_str()).copied())
            .filter(|&to| to != index)
            .collect();
        dependencies.sort_unstable();
        dependencies.dedup();
        let root = part.purl == artifact.package;
        Ok(Package { name: &component.name, version: &component.version, source: source(component), dependencies, root })
    };
    let packages = artifact.linked.iter().enumerate().map(package).collect::<Result<_, UnknownComponent>>()?;
    let invalid = |reason: String| Error::Invalid { format: "cargo-auditable", artifact: artifact.name.clone(), reason };
    let json = serde_json::to_vec(&VersionInfo { packages, format: FORMAT }).map_err(|error| invalid(error.to_string()))?;
    if json.len() as u64 > MAX_BYTES {
        return Err(invalid(format!("{} bytes, and its readers take {MAX_BYTES}", json.len())));
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json).and_then(|()| encoder.finish()).map_err(|error| invalid(error.to_string()))
}

/// The words of the format.
fn source(component: &Component) -> &'static str {
    match &component.origin {
        Origin::Registry { crates_io: true, .. } => "crates.io",
        Origin::Registry { .. } => "registry",
        Origin::Git { .. } => "git",
        Origin::Workspace { .. } | Origin::Path { .. } | Origin::Replaced { .. } => "local",
    }
}

/// The JSON in compressed data; none where it is not that, or too much.
#[must_use]
pub fn unpacked(content: &[u8]) -> Option<Vec<u8>> {
    let mut json = Vec::new();
    let read = flate2::read::ZlibDecoder::new(content).take(MAX_BYTES + 1).read_to_end(&mut json);
    (read.is_ok() && json.len() as u64 <= MAX_BYTES).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture;

    #[test]
    fn the_linked_set_and_nothing_else() {
        let build = fixture::build();
        let artifact = &build.artifacts[0];
        let content = content(&build, artifact).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&unpacked(&content).unwrap()).unwrap();
        let packages = json["packages"].as_array().unwrap();
        let line = |package: &serde_json::Value| {
            let name = |index: &serde_json::Value| packages[usize::try_from(index.as_u64().unwrap()).unwrap()]["name"].clone();
            let needs: Vec<_> = package["dependencies"].as_array().into_iter().flatten().map(name).collect();
            let needs: Vec<_> = needs.iter().filter_map(|name| name.as_str()).collect();
            let root = if package["root"] == true { " root" } else { "" };
            format!("{}{root} {} [{}]", package["name"].as_str().unwrap(), package["source"].as_str().unwrap(), needs.join(","))
        };
        insta::assert_snapshot!(packages.iter().map(line).collect::<Vec<_>>().join("\n"), @r"
        demo-core local [itoa,serde]
        demo root local [demo-core,filed,inner,libz-sys,loose,odd,parser,serde,silent]
        filed crates.io []
        inner registry []
        itoa crates.io []
        libz-sys crates.io []
        loose crates.io []
        odd crates.io []
        parser git []
        serde crates.io []
        silent crates.io []
        ");
        assert_eq!(unpacked(b"no zlib"), None);
    }
}
