//! Native libraries: what is read of them before a build and after it.

use std::collections::BTreeMap;

use super::build::compile::MadeFile;
use crate::assemble::{self, Plan};
use crate::check::NativeVersions;
use crate::collect::native::{self, Package};
use crate::model::events::BuildEvents;
use crate::model::native::{NativeFacts, NativeVersion, known};
use crate::model::{Build, Lockfile};

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

/// The versions of the libraries that locked packages bring along: from their sources where the plan knows these, else from the version of the
/// package.
pub(super) fn of_lockfile(lockfile: &Lockfile, plan: Option<&Plan>) -> NativeVersions {
    let mut folders = BTreeMap::new();
    for (id, folder) in plan.iter().flat_map(|plan| &plan.folders) {
        let component = plan.and_then(|plan| plan.build.components.get(plan.purls.get(id)?));
        folders.extend(component.map(|one| ((one.name.as_str(), one.version.as_str()), folder)));
    }
    let mut all = NativeVersions::new();
    for (index, package) in lockfile.packages.iter().enumerate() {
        let version = package.version.to_string();
        let folder = folders.get(&(package.name.as_str(), version.as_str()));
        let said = folder.map(|folder| native::versions([Package { purl: "", name: &package.name, version: &version, folder }]));
        for part in known::sources_in(&package.name) {
            let found = said.as_ref().and_then(|said| said.get(&(String::new(), part.name)).cloned());
            let found = found.unwrap_or_else(|| part.version(&package.name, &version, &mut |_| Ok(None)));
            all.insert((index, part.name), found.into());
        }
    }
    all
}
