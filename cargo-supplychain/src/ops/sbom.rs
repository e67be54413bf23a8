//! `sbom`: the documents of the planned build, without building.

use super::gather::{self, gather};
use super::{Error, Progress, native};
use camino::Utf8PathBuf;

use crate::assemble::Plan;
use crate::base::Context;
use crate::collect::licence_files;
use crate::config::{SbomFormat, Settings, Support};
use crate::document::Document;
use crate::document::sbom::{Subject, SupportEnd};
use crate::model::Build;
use crate::model::licence_text::LicenceTexts;

/// One SBOM an artifact, in the order of their names; `depth` limits the steps of dependencies that are listed.
pub fn sbom(
    context: &Context,
    request: &gather::Request,
    format: SbomFormat,
    depth: Option<u32>,
    progress: &mut dyn Progress,
) -> Result<Vec<Document>, Error> {
    let gathered = gather(context, request, progress)?;
    let plan = gathered.planned()?;
    let build = &native::expected(plan);
    let settings = &gathered.settings;
    let texts = licence_texts(plan, build);
    let support = support_end(settings, build, context);
    let document = |artifact| {
        let subject = Subject::new(format, build, artifact, &settings.documents);
        Subject { depth, support, texts: Some(&texts), ..subject }.document()
    };
    build.artifacts.iter().map(document).collect::<Result<_, _>>().map_err(|error| Error::usage(&error))
}

/// The licence files of what takes part, from the sources that are compiled.
pub(super) fn licence_texts(plan: &Plan, build: &Build) -> LicenceTexts {
    let package = |(id, folder): (&String, &Utf8PathBuf)| {
        let component = build.components.get(plan.purls.get(id)?)?;
        let license_file = component.license_file.as_deref();
        let package = licence_files::Package { purl: &component.purl, folder: folder.clone(), license_file };
        build.takes_part(&component.purl).then_some(package)
    };
    licence_files::read(plan.folders.iter().filter_map(package))
}

/// Until when the policy (`[archive]`) says that this release is supported.
pub(super) fn support_end(settings: &Settings, build: &Build, context: &Context) -> SupportEnd {
    match settings.supported.of(&build.name, &build.version, context.now) {
        Support::Unknown | Support::NotNamed => SupportEnd::Unknown,
        Support::Supported { until: None } => SupportEnd::Open,
        Support::Supported { until: Some(until) } | Support::Ended { until } => SupportEnd::Until(until),
    }
}
