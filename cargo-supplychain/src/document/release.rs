//! `release.json` (schema: `cargo-supplychain/schemas/release-1.json`) and `SHA256SUMS`, the two lists of a release folder's files.

use std::fmt::Write as _;

use super::Document;
use crate::base::Sha256;
use crate::model::release::ReleaseManifest;

/// `release.json`: files sorted by path, statements by path.
#[must_use]
pub fn manifest(manifest: &ReleaseManifest) -> Document {
    let mut sorted = manifest.clone();
    sorted.files.sort_by(|a, b| a.path.cmp(&b.path));
    sorted.statements.sort_by(|a, b| a.path.cmp(&b.path));
    Document::json("release.json", "application/json", &sorted)
}

/// `SHA256SUMS` for `sha256sum --check`, sorted by path, each path once. `entries` are paths relative to the folder.
#[must_use]
pub fn checksums(entries: &[(String, Sha256)]) -> Document {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort();
    entries.dedup();
    let mut text = String::new();
    for (path, digest) in entries {
        let (mark, path) = escaped(path);
        writeln!(text, "{mark}{digest}  {path}").expect("writing to a string cannot fail");
    }
    Document::text("SHA256SUMS", "text/plain; charset=utf-8", text)
}

/// The path as coreutils writes it: with a backslash, line feed or carriage return in it, these are escaped and the line
/// begins with a backslash (GNU coreutils manual, "md5sum invocation"; carriage returns since version 9.0).
fn escaped(path: &str) -> (&'static str, String) {
    if !path.contains(['\\', '\n', '\r']) {
        return ("", path.to_owned());
    }
    ("\\", path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r"))
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn checksums_are_those_of_sha256sum() {
        let entries = ["b", "a b", "new\nline", "back\\slash", "return\r", "b"].map(|path| (path.to_owned(), Sha256::of(b"")));
        let text = String::from_utf8(checksums(&entries).bytes).unwrap();
        let empty = Sha256::of(b"");
        let expected =
            format!("{empty}  a b\n{empty}  b\n\\{empty}  back\\\\slash\n\\{empty}  new\\nline\n\\{empty}  return\\r\n");
        assert_eq!(text, expected);
    }
}
