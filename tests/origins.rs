//! Where packages come from: what stands for a published package is never called by its package URL, and never has its digest.

use serde_json::Value;

use crate::support::Project;
use crate::support::world::World;

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

/// A registry of a company, with a crate that crates.io has as well: fetched by cargo from an index and packages on this machine, built,
/// named with its registry in every document, and told apart in all answers.
#[test]
fn a_package_of_another_registry_is_named_with_it() {
    let world = World::new().release("fig", "1.2.3", |release| release);
    let project = Project::app();
    let (index, packages) = (project.root().join("corp"), project.root().join("packages"));
    project.write("../packages/fig-1.2.3.crate", world.package("fig", "1.2.3"));
    project.write("../corp/config.json", format!("{{\"dl\":\"file://{packages}/{{crate}}-{{version}}.crate\"}}"));
    let sum = world.checksum("fig", "1.2.3");
    let entry =
        format!("{{\"name\":\"fig\",\"vers\":\"1.2.3\",\"deps\":[],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":false}}\n");
    project.write("../corp/3/f/fig", entry);
    project.commit_beside("corp", "master");
    project.write(".cargo/config.toml", format!("[registries.corp]\nindex = \"file://{index}\"\n"));
    project.append("Cargo.toml", "\n[dependencies]\nfig = { version = \"1\", registry = \"corp\" }\n");
    project.plain_cargo(&["fetch"]);
    assert!(project.read("Cargo.lock").contains(&format!("source = \"registry+file://{index}\"\nchecksum = \"{sum}\"")));

    project.run(&["build", "--no-sign", "--fail-on", "none", "--only", "lock"]).expect(0);
    let sboms = project.release().join("sbom");
    let sbom: Value = serde_json::from_str(&std::fs::read_to_string(sboms.join("app.cdx.json")).unwrap()).unwrap();
    let fig = sbom["components"].as_array().unwrap().iter().find(|one| one["name"] == "fig").unwrap();
    let purl = format!("pkg:cargo/fig@1.2.3?repository_url={}", format!("file://{index}").replace('/', "%2F"));
    assert_eq!((&fig["purl"], &fig["hashes"][0]["content"]), (&Value::String(purl.clone()), &Value::String(sum)));
    let spdx = std::fs::read_to_string(sboms.join("app.spdx.json")).unwrap();
    assert!(spdx.contains(&purl) && !spdx.contains("pkg:cargo/fig@1.2.3\""), "{spdx}");
    assert!(!spdx.contains("crates.io/api/v1/crates/fig"), "{spdx}");

    // An advisory of crates.io's crate is not about it.
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", "", "patched = []");
    let sbom = sboms.join("app.cdx.json");
    project.run(&["affected", "RUSTSEC-2026-0100", "--advisory-db", "advisory-db", "--sbom", sbom.as_str()]).expect(0);
}
