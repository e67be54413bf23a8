//! Native libraries: what is read of them before a build and after it.

use std::collections::BTreeMap;

use super::build::compile::MadeFile;
use crate::assemble::{self, Plan};
use crate::collect::native::{self, Package};
use crate::model::Build;
use crate::model::events::BuildEvents;
use crate::model::native::{NativeFacts, NativeVersion};

/// What build scripts, sources and produced files say.
pub(super) fn after_build(plan: &Plan, events: &BuildEvents, files: &[MadeFile]) -> NativeFacts {
    NativeFacts {
        versions: versions(plan),
        places: native::places(&events.scripts, &plan.folders),
        imports: files.iter().map(|file| (file.artifact.clone(), native::imported(&file.path))).collect(),
    }
}

/// The planned build with the native libraries that are to be expected in it.
pub(super) fn expected(plan: &Plan) -> Build {
    assemble::expect(plan, &NativeFacts { versions: versions(plan), ..NativeFacts::default() })
}

/// What the sources of the packages say that take part.
fn versions(plan: &Plan) -> BTreeMap<(String, &'static str), NativeVersion> {
    native::versions(plan.folders.iter().filter_map(|(id, folder)| {
        let component = plan.build.components.get(plan.purls.get(id)?)?;
        let package = Package { purl: &component.purl, name: &component.name, version: &component.version, folder };
        plan.build.takes_part(&component.purl).then_some(package)
    }))
}
