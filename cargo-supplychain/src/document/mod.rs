//! Layer 2: documents, one file a format: model in, bytes out. Pure and deterministic: same inputs, same bytes.

/// A finished document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Path within the release folder: `sbom/rg.cdx.json`.
    pub path: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}
