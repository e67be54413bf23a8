//! `sbom`: the documents of the planned build, without building.

use super::gather::{self, gather};
use super::{Error, Progress, native};
use crate::base::Context;
use crate::document::{self, Document};

/// Which document of each artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    CycloneDxJson,
    SpdxJson,
}

/// One SBOM an artifact, in the order of their names.
pub fn sbom(
    context: &Context,
    request: &gather::Request,
    format: Format,
    progress: &mut dyn Progress,
) -> Result<Vec<Document>, Error> {
    let gathered = gather(context, request, progress)?;
    let build = native::expected(gathered.planned()?);
    let settings = &gathered.settings.documents;
    let document = |artifact| match format {
        Format::CycloneDxJson => document::cyclonedx::document(&build, artifact, settings),
        Format::SpdxJson => document::spdx::document(&build, artifact, settings),
    };
    build.artifacts.iter().map(document).collect::<Result<_, _>>().map_err(|error| Error::usage(&error))
}
