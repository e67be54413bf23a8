//! The native libraries of an artifact: what build scripts asked the linker for, joined with what their crates are known to bring, with
//! where the library lay, and with what the produced file itself imports. And, before anything is compiled, what is to be expected.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use crate::model::events::ScriptRun;
use crate::model::native::known::{self, Bundled, KnownPart};
use crate::model::native::{
    Evidence, Import, LinkRequest, Linkage, NativeFacts, NativeLibrary, NativeVersion, Supply, Witness, stem, version,
};
use crate::model::{Artifact, Build, Gap, Use};

/// Libraries of one document are told apart by these.
type Key = (String, Linkage, String);
type Libraries = BTreeMap<Key, NativeLibrary>;

/// The native libraries of every artifact, after a build. Contradictions of the two witnesses are gaps.
pub(super) fn after_build(
    build: &Build,
    purls: &BTreeMap<String, String>,
    scripts: &[ScriptRun],
    facts: &NativeFacts,
    gaps: &mut Vec<Gap>,
) -> Vec<Vec<NativeLibrary>> {
    let mut by_component: BTreeMap<&str, Vec<&ScriptRun>> = BTreeMap::new();
    for script in scripts {
        let Some(component) = purls.get(&script.package_id) else { continue };
        if script.linked_libs.iter().any(|library| LinkRequest::parse(library).is_none()) {
            let message = "its build script links a library without a name".to_owned();
            gaps.push(Gap { subject: component.clone(), message });
        }
        by_component.entry(component).or_default().push(script);
    }
    let target = build.invocation.target_is_explicit.then_some(build.invocation.target.as_str());
    for runs in by_component.values_mut() {
        only_for_target(runs, target);
    }
    let of_artifact = |artifact: &Artifact| {
        let mut libraries = Libraries::new();
        for part in &artifact.linked {
            let runs = by_component.get(part.purl.as_str()).map_or(&[][..], Vec::as_slice);
            of_component(build, artifact, part, &requests(runs, facts), facts, &mut libraries);
        }
        let imports = facts.imports.get(&artifact.name);
        witnessed(artifact, imports, &mut libraries, gaps);
        libraries.into_values().collect()
    };
    build.artifacts.iter().map(of_artifact).collect()
}

/// With `--target`, a crate's script may have run for the host as well; the folder of the triple tells which run is which.
fn only_for_target(runs: &mut Vec<&ScriptRun>, target: Option<&str>) {
    let Some(target) = target else { return };
    let is_for_target = |run: &&ScriptRun| run.out_dir.components().any(|part| part.as_str() == target);
    if runs.iter().any(is_for_target) {
        runs.retain(is_for_target);
    }
}

/// What a crate asked for, and where each library lay.
fn requests(runs: &[&ScriptRun], facts: &NativeFacts) -> BTreeMap<LinkRequest, Supply> {
    let mut requests = BTreeMap::new();
    for run in runs {
        for request in run.linked_libs.iter().filter_map(|text| LinkRequest::parse(text)) {
            let lay = facts.places.get(&(run.out_dir.to_string(), request.name.clone())).copied();
            // What lies nowhere that the script named, the linker finds where the system keeps libraries.
            let supply = lay.unwrap_or(if request.linkage == Linkage::Static { Supply::Unknown } else { Supply::System });
            requests.insert(request, supply);
        }
    }
    requests
}

fn of_component(
    build: &Build,
    artifact: &Artifact,
    part: &Use,
    requests: &BTreeMap<LinkRequest, Supply>,
    facts: &NativeFacts,
    libraries: &mut Libraries,
) {
    let Some(component) = build.components.get(&part.purl) else { return };
    let known: Vec<_> = known::parts(&component.name).iter().filter(|one| one.is_with(&part.features)).collect();
    for (request, &supply) in requests {
        let library = NativeLibrary { supply, ..NativeLibrary::of_linker(&request.name, request.linkage, &part.purl) };
        let is_built = matches!(supply, Supply::Bundled | Supply::Prebuilt);
        let mut is_known = false;
        for one in known.iter().filter(|one| one.has_library(&request.name)) {
            let version = match supply {
                Supply::Bundled | Supply::Prebuilt => stated(build, artifact, part, one, facts),
                Supply::System => system(request.linkage),
                Supply::Unknown => unknown("it is not known where the library came from"),
            };
            if !one.is_inside {
                is_known = true;
            } else if !is_built || version.known().is_none() {
                continue;
            }
            add(libraries, library.clone().identified(one, version));
        }
        if !is_known {
            let version = match supply {
                Supply::System => system(request.linkage),
                _ if is_built => by_convention(&component.name, &component.version, &part.purl),
                _ => unknown("it is not known where the library came from"),
            };
            add(libraries, NativeLibrary { version, ..library });
        }
    }
}

fn unknown(why: &str) -> NativeVersion {
    NativeVersion::Unknown { why: why.to_owned() }
}

fn system(linkage: Linkage) -> NativeVersion {
    match linkage {
        Linkage::Static => unknown("it is a library of the system that compiled"),
        _ => unknown("it is a library of the system that the artifact runs on"),
    }
}

/// What the sources of a known part say.
fn stated(build: &Build, artifact: &Artifact, part: &Use, known: &KnownPart, facts: &NativeFacts) -> NativeVersion {
    let package = match known.sources_in {
        None => Some(part.purl.as_str()),
        Some(name) => package_named(build, artifact, name),
    };
    let said = package.and_then(|package| facts.versions.get(&(package.to_owned(), known.name)));
    said.cloned().unwrap_or_else(|| unknown("the package with its sources was not read"))
}

/// A package that takes part in the artifact, by its name.
fn package_named<'b>(build: &'b Build, artifact: &Artifact, name: &str) -> Option<&'b str> {
    let mut uses = artifact.host.iter().chain(&artifact.linked);
    uses.find_map(|one| build.components.get(&one.purl).filter(|component| component.name == name)).map(|one| one.purl.as_str())
}

/// Crates that are named as bindings or sources by convention carry upstream's version in their build metadata.
fn by_convention(name: &str, crate_version: &str, package: &str) -> NativeVersion {
    let is_binding = ["-sys", "_sys", "-src", "_src"].iter().any(|ending| name.ends_with(ending));
    match version::of_build_metadata(crate_version).filter(|_| is_binding) {
        Some(version) => NativeVersion::Known { version, evidence: Evidence::BuildMetadata { package: package.to_owned() } },
        None => unknown("neither the crate's version nor a known file of it says it"),
    }
}

/// One entry for each part, with all names that the linker heard.
fn add(libraries: &mut Libraries, library: NativeLibrary) {
    let key = (library.name.clone(), library.linkage, library.component.clone());
    match libraries.get_mut(&key) {
        None => {
            libraries.insert(key, library);
        }
        Some(there) => {
            there.link_names.extend(library.link_names);
            there.link_names.sort();
            there.link_names.dedup();
            if there.supply != library.supply {
                there.supply = Supply::Unknown;
            }
            there.import = there.import.take().min(library.import);
        }
    }
}

/// The second witness: what the produced file imports.
fn witnessed(
    artifact: &Artifact,
    imports: Option<&Result<Option<Vec<String>>, String>>,
    libraries: &mut Libraries,
    gaps: &mut Vec<Gap>,
) {
    let names = match imports {
        Some(Ok(Some(names))) => names,
        other => {
            let why = match other {
                Some(Err(why)) => {
                    let message = format!("which libraries its file needs cannot be read: {why}");
                    gaps.push(Gap { subject: artifact.name.clone(), message });
                    why.clone()
                }
                Some(Ok(_)) => "the file is no executable or shared library".to_owned(),
                None => "the file was not read".to_owned(),
            };
            for library in libraries.values_mut().filter(|library| library.linkage != Linkage::Static) {
                library.import = Some(Import::Unread { why: why.clone() });
            }
            return;
        }
    };
    let mut unnamed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for mut library in std::mem::take(libraries).into_values() {
        let needed = library.link_names.iter().find_map(|name| names.iter().find(|import| is_of(import, name)));
        if let Some(name) = needed {
            unnamed.retain(|one| !library.link_names.iter().any(|link_name| is_of(one, link_name)));
            if library.linkage == Linkage::Static {
                let message = format!("it is linked statically by the build script, and {} needs {name}", artifact.name);
                gaps.push(Gap { subject: format!("{} of {}", library.name, library.component), message });
            } else {
                library.import = Some(Import::Needed { name: name.clone() });
                if library.linkage == Linkage::Unspecified {
                    library.linkage = Linkage::Dynamic;
                }
            }
        } else if library.linkage != Linkage::Static {
            library.import = Some(Import::Absent);
        }
        add(libraries, library);
    }
    for name in unnamed {
        add(
            libraries,
            NativeLibrary {
                supply: Supply::System,
                version: system(Linkage::Dynamic),
                link_names: Vec::new(),
                witness: Witness::Imports,
                import: Some(Import::Needed { name: name.to_owned() }),
                ..NativeLibrary::of_linker(name, Linkage::Dynamic, &artifact.package)
            },
        );
    }
}

/// Whether the import (`libz.so.1`, `ZLIB1.dll`, `…/Security.framework/…/Security`) is the library of the linker's name.
fn is_of(import: &str, link_name: &str) -> bool {
    let name = stem(import);
    name == link_name || (import.to_ascii_lowercase().ends_with(".dll") && name.eq_ignore_ascii_case(link_name))
}

/// Fills in what is to be expected of the artifacts of a plan: the parts that their crates are known to bring. Whether a build script
/// compiles them or takes those of the system is known only where features or packages decide it.
#[must_use]
pub fn expect(plan: &Plan, facts: &NativeFacts) -> Build {
    let mut build = plan.build.clone();
    let expected = |artifact: &Artifact| {
        let mut libraries = Libraries::new();
        for part in &artifact.linked {
            let Some(component) = plan.build.components.get(&part.purl) else { continue };
            for known in known::parts(&component.name).iter().filter(|known| known.is_with(&part.features)) {
                let is_bundled = match known.bundled {
                    Bundled::Always => true,
                    Bundled::With(feature) => part.features.iter().any(|one| one == feature),
                    Bundled::WithSources => {
                        known.sources_in.is_some_and(|name| package_named(&plan.build, artifact, name).is_some())
                    }
                    Bundled::Depends => false,
                };
                let version = stated(&plan.build, artifact, part, known, facts);
                if known.is_inside && version.known().is_none() {
                    continue;
                }
                let one = match (is_bundled, known.bundled) {
                    (true, _) => (Supply::Bundled, Linkage::Static, version),
                    // The version that is compiled if it is compiled is no version of what the system has.
                    (false, Bundled::Depends) => (Supply::Unknown, Linkage::Unspecified, depends(&version)),
                    (false, _) => (Supply::System, Linkage::Unspecified, system(Linkage::Dynamic)),
                };
                let library = NativeLibrary {
                    supply: one.0,
                    witness: Witness::Crate,
                    link_names: Vec::new(),
                    ..NativeLibrary::of_linker(known.name, one.1, &part.purl)
                };
                add(&mut libraries, library.identified(known, one.2));
            }
        }
        libraries.into_values().collect()
    };
    let all: Vec<Vec<NativeLibrary>> = build.artifacts.iter().map(expected).collect();
    for (artifact, native) in build.artifacts.iter_mut().zip(all) {
        artifact.native = native;
    }
    build
}

fn depends(version: &NativeVersion) -> NativeVersion {
    let bundled = version.known().map_or_else(String::new, |version| format!("; the package brings {version}"));
    unknown(&format!("the build script decides whether it compiles it or takes the system's{bundled}"))
}

/// Libraries of several artifacts as those of one.
pub(super) fn united(all: impl IntoIterator<Item = NativeLibrary>) -> Vec<NativeLibrary> {
    let mut libraries = Libraries::new();
    for library in all {
        add(&mut libraries, library);
    }
    libraries.into_values().collect()
}
