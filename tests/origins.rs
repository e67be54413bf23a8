//! Where packages come from: what stands for a published package is never called by its package URL, and never has its digest.

use serde_json::Value;

use crate::support::Project;

/// Package URL, digest and what it replaces, of the package `itoa` of the planned build.
fn itoa(project: &Project) -> String {
    let sbom = project.run(&["sbom"]).expect(0).json();
    let component = sbom["components"].as_array().unwrap().iter().find(|one| one["name"] == "itoa").unwrap().clone();
    let property = |name: &str| {
        let properties = component["properties"].as_array().unwrap();
        properties.iter().find(|one| one["name"] == name).map_or("-", |one| one["value"].as_str().unwrap()).to_owned()
    };
    let digest = component["hashes"][0]["content"]
        .as_str()
        .map_or_else(|| property("cargo-supplychain:hash"), |digest| format!("{}…", &digest[..8]));
    format!("{} {digest} {}", component["purl"].as_str().unwrap(), property("cargo-supplychain:replaces"))
}

/// The lockfile's entry without source and checksum, as cargo writes it for a folder.
fn unlock(project: &Project) {
    let lock = project.read("Cargo.lock");
    let kept: Vec<_> = lock.lines().filter(|line| !line.starts_with("source = ") && !line.starts_with("checksum = ")).collect();
    project.write("Cargo.lock", kept.join("\n") + "\n");
}

#[test]
fn a_patched_package_is_not_the_published_one() {
    let project = Project::example("minimal");
    let published = itoa(&project);
    assert!(published.starts_with("pkg:cargo/itoa@1.0.19 ") && published.ends_with("… -"), "{published}");

    project.write("patched/itoa/Cargo.toml", "[package]\nname = \"itoa\"\nversion = \"1.0.19\"\nedition = \"2021\"\n");
    project.write("patched/itoa/src/lib.rs", "");
    project.append("Cargo.toml", "\n[patch.crates-io]\nitoa = { path = \"patched/itoa\" }\n");
    unlock(&project);
    assert_eq!(
        itoa(&project),
        "pkg:cargo/itoa@1.0.19?download_url=file:patched%2Fitoa unknown: not a registry package \
         registry+https://github.com/rust-lang/crates.io-index"
    );
}

/// A dependency by path asks for a folder and gets it: nothing is replaced.
#[test]
fn a_dependency_by_path_replaces_nothing() {
    let project = Project::example("minimal");
    project.write("own/Cargo.toml", "[package]\nname = \"itoa\"\nversion = \"1.0.19\"\nedition = \"2021\"\n");
    project.write("own/src/lib.rs", "");
    let manifest = project.read("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("itoa = ")).unwrap();
    project.write("Cargo.toml", manifest.replace(line, "itoa = { path = \"own\" }"));
    unlock(&project);
    assert_eq!(itoa(&project), "pkg:cargo/itoa@1.0.19 unknown: not a registry package -");
}

#[test]
fn the_standard_library_is_a_component_with_the_version_of_the_toolchain() {
    let sbom = Project::example("minimal").run(&["sbom"]).expect(0).json();
    let components = sbom["components"].as_array().unwrap();
    let library = components.iter().find(|one| one["name"] == "std").unwrap();
    let rustc =
        sbom["metadata"]["properties"].as_array().unwrap().iter().find(|one| one["name"] == "cargo-supplychain:build:rustc");
    let release = rustc.unwrap()["value"].as_str().unwrap().split(' ').next().unwrap();
    assert_eq!(library["purl"], Value::String(format!("pkg:generic/rust-std@{release}")));
}
