//! The arguments of `sbom check`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::bom::minimum_elements::Profile;

#[derive(Debug, Subcommand)]
pub enum SbomCommand {
    Check(SbomCheckArgs),
}

/// Which minimum elements of a profile an SBOM of anyone has
///
/// A table of the profile's fields over the document and its components: given, stated as unknown, stated as withheld, missing; the components
/// with gaps, and a score. CycloneDX up to 1.7 (JSON, XML), SPDX 2.2 and 2.3 (JSON, tag-value), SPDX 3.0 (JSON-LD), SWID tags, and binaries
/// with audit data of cargo-auditable are read. It tells what is stated, not whether it is true: no signature is verified.
/// Exit 0: no gap in a required field; 1: some.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain sbom check app.cdx.json
  cargo supplychain sbom check vendor.spdx --profile ntia-2021 --format markdown
  cargo supplychain sbom check sbom/app.cdx.json --bundle attestations/app.cyclonedx.sigstore.json
  cargo supplychain sbom check app.spdx3.json --profile bsi-tr-03183-2 --format json")]
pub struct SbomCheckArgs {
    /// The SBOM, or a binary with audit data
    #[arg(value_name = "FILE")]
    pub file: Utf8PathBuf,
    /// The minimum elements: cisa-2026, ntia-2021, bsi-tr-03183-2
    #[arg(long, value_name = "PROFILE", default_value = "cisa-2026")]
    pub profile: Profile,
    /// An attestation about the document (a Sigstore bundle): given as the author's signature, not verified
    #[arg(long, value_name = "FILE")]
    pub bundle: Vec<Utf8PathBuf>,
}
