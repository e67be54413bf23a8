//! What a release is published as: its artifacts under the names that their attestations have, or these with the target, each with its bundles
//! beside it, the SBOMs, and their digests. The release folder itself stays as it is.

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::inputs::AssetNames;
use crate::attest::{PROVENANCE, SHA256SUMS, sha256sums};
use crate::base::Sha256;
use crate::files;
use crate::model::asset_name::with_target;
use crate::model::release::{FileRole, ReleaseManifest};

/// Larger files are left in the release folder.
const MAX_FILE: u64 = 2 << 30;

/// The files, by path.
#[derive(Debug, Default)]
pub(super) struct Assets {
    pub(super) files: Vec<Utf8PathBuf>,
    pub(super) artifacts: Vec<Utf8PathBuf>,
    pub(super) cyclonedx: Vec<Utf8PathBuf>,
    pub(super) spdx: Vec<Utf8PathBuf>,
    /// Of each artifact the bundle that stands beside it.
    pub(super) bundles: Vec<Utf8PathBuf>,
    /// All bundles.
    pub(super) attestations: Vec<Utf8PathBuf>,
    pub(super) checksums: Vec<Utf8PathBuf>,
}

impl Assets {
    /// Those of one more release.
    pub(super) fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.artifacts.extend(other.artifacts);
        self.cyclonedx.extend(other.cyclonedx);
        self.spdx.extend(other.spdx);
        self.bundles.extend(other.bundles);
        self.attestations.extend(other.attestations);
        self.checksums.extend(other.checksums);
    }
}

/// Copies them into `into`.
pub(super) fn collect(release: &Utf8Path, manifest: &ReleaseManifest, names: AssetNames, into: &Utf8Path) -> io::Result<Assets> {
    let mut assets = Assets::default();
    let mut sums = BTreeMap::new();
    let mut copy = |from: &str, name: String| -> io::Result<Utf8PathBuf> {
        let bytes = files::read(&release.join(from), MAX_FILE)?;
        if sums.contains_key(&name) {
            return Err(io::Error::other(format!("two files of the release have the name {name}")));
        }
        let path = into.join(&name);
        files::write(&path, &bytes)?;
        sums.insert(name, Sha256::of(&bytes));
        Ok(path)
    };
    for file in &manifest.files {
        let name = Utf8Path::new(&file.path).file_name().unwrap_or(&file.path);
        let name = match names {
            AssetNames::Plain => name.to_owned(),
            AssetNames::Target => with_target(name, &manifest.target),
        };
        match file.role {
            FileRole::Artifact => {
                assets.artifacts.push(copy(&file.path, name.clone())?);
                for statement in manifest.statements.iter().filter(|statement| statement.subject == file.path) {
                    if !release.join(&statement.path).is_file() {
                        continue;
                    }
                    let is_provenance = statement.predicate_type == PROVENANCE;
                    let what = if is_provenance { String::new() } else { format!(".{}", kind(&statement.path)) };
                    let bundle = copy(&statement.path, format!("{name}{what}.sigstore.json"))?;
                    if is_provenance {
                        assets.bundles.push(bundle.clone());
                    }
                    assets.attestations.push(bundle);
                }
            }
            FileRole::Sbom => {
                let path = copy(&file.path, name.clone())?;
                // Other formats are files of the release like these, and no output of their own.
                if name.ends_with(".spdx.json") {
                    assets.spdx.push(path);
                } else if name.ends_with(".cdx.json") {
                    assets.cyclonedx.push(path);
                }
            }
            FileRole::Report | FileRole::Evidence | FileRole::Notice | FileRole::Guide => {}
        }
    }
    assets.files = sums.keys().map(|name| into.join(name)).collect();
    let list = into.join(match names {
        AssetNames::Plain => SHA256SUMS.to_owned(),
        AssetNames::Target => format!("{}-{}-{}.{SHA256SUMS}", manifest.name, manifest.version, manifest.target),
    });
    files::write(&list, sha256sums(&sums).as_bytes())?;
    assets.files.push(list.clone());
    assets.checksums.push(list);
    Ok(assets)
}

/// `cyclonedx` of `attestations/app.cyclonedx.sigstore.json`.
fn kind(path: &str) -> &str {
    path.trim_end_matches(".sigstore.json").rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bundle_is_about() {
        assert_eq!(kind("attestations/app.exe.cyclonedx.sigstore.json"), "cyclonedx");
    }
}
