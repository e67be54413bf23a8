//! `VERIFY.md` of an exported release: what a reader without the archive, and without this program, can check and what he has to know from
//! elsewhere. Nothing in it depends on when or where it was exported.

use super::Document;
use super::markdown::code;
use crate::archived::{Head, Record};
use crate::base::Sha256;

/// Which release of which archive.
pub struct Exported<'a> {
    pub record: &'a Record,
    pub record_sha256: Sha256,
    /// The archive's identity.
    pub archive: Sha256,
    /// The entry that the release came in with.
    pub entry: Head,
}

/// The page.
#[must_use]
pub fn document(exported: &Exported<'_>) -> Document {
    let Exported { record, record_sha256, archive, entry } = exported;
    let (name, version, target) = (code(&record.name), code(&record.version), code(&record.target));
    let text = format!(
        "\
# {name} {version} for {target}, out of an archive

`release/` is the release folder as it was built and signed. Beside it:

| file | what it is |
|---|---|
| `record.json` | what the archive recorded of it: every file's digest, who was found to have signed it, the advisory databases of its day |
| `entry.json` | the entry of the archive's chain that names this record |
| `archive.json` | which archive that is, and where in its chain the entry stands |
| `inventory.json` | the components of every file |
| `trusted_roots/` | the trusted roots of the day (Sigstore `trusted_root.json`) |

## Without any program of ours

    cd release && sha256sum -c SHA256SUMS && cd ..
    sha256sum record.json     # {record_sha256}
    sha256sum entry.json      # {entry_sha256}

The digest of `record.json` stands in `entry.json` as `record`. The digest of `entry.json` is the place {entry} in the chain of the archive
`{archive}`: whoever runs that archive can say whether it is there, and a later head of it proves that nothing was changed since.
How the signatures in `release/attestations/` are verified with cosign or gh stands in `release/VERIFY.md`.

## With cargo-supplychain

    cargo supplychain verify release --repo OWNER/NAME
    cargo supplychain verify release --key signer.pub

Who has to have signed it you must know from elsewhere: nothing in this file can prove it, this page included. Where the signer's authorities
have been replaced since, `--trusted-root trusted_roots/FILE` verifies by those of the day; that proves as much as you trust where you got this
file from (its own signature beside it, `FILE.tar.zst.sigstore.json`, or the archive's chain).

    cargo supplychain archive import FILE.tar.zst --key signer.pub

brings it into an archive of your own, verified again.
",
        entry_sha256 = entry.sha256,
    );
    Document { path: "VERIFY.md".into(), media_type: "text/markdown", bytes: text.into_bytes() }
}
