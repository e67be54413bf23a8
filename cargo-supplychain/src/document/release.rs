//! `release.json` (schema: `cargo-supplychain/schemas/release-1.json`), the list of a release folder's files. `SHA256SUMS` is `attest`'s.

use super::Document;
use crate::model::release::ReleaseManifest;

/// `release.json`: files sorted by path, statements by path.
#[must_use]
pub fn manifest(manifest: &ReleaseManifest) -> Document {
    let mut sorted = manifest.clone();
    sorted.files.sort_by(|a, b| a.path.cmp(&b.path));
    sorted.statements.sort_by(|a, b| a.path.cmp(&b.path));
    Document::json("release.json", "application/json", &sorted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::document::{fixture, schema};
    use crate::model::release::{FORMAT_VERSION, FileRole, ReleaseFile, Signing, StatementRef};

    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/release-1.json"));

    fn example() -> ReleaseManifest {
        let file = |path: &str, role, media_type: &str| ReleaseFile {
            path: path.to_owned(),
            role,
            media_type: media_type.to_owned(),
            size: 3,
            sha256: Sha256::of(path),
        };
        ReleaseManifest {
            format_version: FORMAT_VERSION,
            name: "demo".to_owned(),
            version: "1.2.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            created: fixture::stamp(),
            tool: "cargo-supplychain 0.1.0".to_owned(),
            signing: Signing::Signed,
            files: vec![
                file("sbom/demo.cdx.json", FileRole::Sbom, "application/vnd.cyclonedx+json"),
                file("artifacts/demo", FileRole::Artifact, "application/octet-stream"),
            ],
            statements: vec![StatementRef {
                path: "attestations/demo.provenance.sigstore.json".to_owned(),
                predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
                subject: "artifacts/demo".to_owned(),
                sha256: Sha256::of("statement"),
            }],
        }
    }

    #[test]
    fn the_manifest_conforms_to_its_schema_and_reads_back_sorted() {
        let document = manifest(&example());
        assert_eq!(schema::violations(SCHEMA, &document.bytes), Vec::<String>::new());
        let read: ReleaseManifest = serde_json::from_slice(&document.bytes).unwrap();
        assert_eq!(read.files[0].path, "artifacts/demo");
        assert_eq!(manifest(&read), document);
        let text = String::from_utf8(document.bytes).unwrap();
        for (from, to) in [("\"signed\"", "\"maybe\""), ("\"size\": 3", "\"size\": \"3\""), ("\"tool\"", "\"tools\"")] {
            assert!(!schema::violations(SCHEMA, text.replacen(from, to, 1).as_bytes()).is_empty(), "{to}");
        }
    }
}
