//! `sbom`: the documents of the planned build, without building.

use super::gather::{self, gather};
use super::{Error, Progress};
use crate::base::Context;
use crate::config::{SbomFormat, Settings, Support};
use crate::document::Document;
use crate::document::sbom::{Subject, SupportEnd};
use crate::model::Build;

/// One SBOM an artifact, in the order of their names; `depth` limits the steps of dependencies that are listed.
pub fn sbom(
    context: &Context,
    request: &gather::Request,
    format: SbomFormat,
    depth: Option<u32>,
    progress: &mut dyn Progress,
) -> Result<Vec<Document>, Error> {
    let gathered = gather(context, request, progress)?;
    let build = &gathered.planned()?.build;
    let settings = &gathered.settings;
    let support = support_end(settings, build, context);
    let document = |artifact| {
        let subject = Subject::new(format, build, artifact, &settings.documents);
        Subject { depth, support, ..subject }.document()
    };
    build.artifacts.iter().map(document).collect::<Result<_, _>>().map_err(|error| Error::usage(&error))
}

/// Until when the policy (`[archive]`) says that this release is supported.
pub(super) fn support_end(settings: &Settings, build: &Build, context: &Context) -> SupportEnd {
    match settings.supported.of(&build.name, &build.version, context.now) {
        Support::Unknown | Support::NotNamed => SupportEnd::Unknown,
        Support::Supported { until: None } => SupportEnd::Open,
        Support::Supported { until: Some(until) } | Support::Ended { until } => SupportEnd::Until(until),
    }
}
