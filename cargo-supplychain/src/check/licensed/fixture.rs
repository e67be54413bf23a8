//! For tests of the `licence/` rules: a planned build of `app`, with the packages that the test wants in it.

use std::collections::BTreeMap;

use crate::check::case::Case;
use crate::model::build::{Artifact, ArtifactKind, Component, Origin, Role, TargetFolder, Use};
use crate::model::{Build, Invocation, Source, Toolchain};

/// A package of the build: name, version, what `license` says, and how it takes part; none: it does not.
pub(in crate::check) type Package<'a> = (&'a str, &'a str, Option<&'a str>, Option<Role>);

/// A case with a plan of one program `app`, which is under `own`.
pub(in crate::check) fn case(own: &str, packages: &[Package<'_>]) -> Case {
    let mut lock = String::from("version = 4\n");
    for (name, version, ..) in packages {
        lock.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"CRATES_IO\"\nchecksum = \"HEX\"\n"
        ));
    }
    let mut case = Case::new().lock(&lock);
    case.build = Ok(build(own, packages));
    case
}

pub(in crate::check) fn component(name: &str, version: &str, license: Option<&str>) -> Component {
    Component {
        purl: format!("pkg:cargo/{name}@{version}"),
        name: name.into(),
        version: version.into(),
        origin: Origin::Registry { index: "i".into(), crates_io: true },
        checksum: None,
        license: license.map(str::to_owned),
        license_file: None,
        authors: Vec::new(),
        description: None,
        repository: None,
        links: None,
        has_build_script: false,
        is_proc_macro: false,
        replaces: None,
    }
}

fn build(own: &str, packages: &[Package<'_>]) -> Build {
    let app = Component { origin: Origin::Workspace { path: ".".into() }, ..component("app", "1.0.0", Some(own)) };
    let mut components = BTreeMap::from([(app.purl.clone(), app.clone())]);
    let (mut linked, mut host) = (vec![Use { purl: app.purl.clone(), role: Role::Runtime, features: Vec::new() }], Vec::new());
    for (name, version, license, role) in packages {
        let component = component(name, version, *license);
        if let Some(role) = role {
            let list = if *role == Role::Runtime { &mut linked } else { &mut host };
            list.push(Use { purl: component.purl.clone(), role: *role, features: Vec::new() });
        }
        components.insert(component.purl.clone(), component);
    }
    linked.sort();
    host.sort();
    let artifact = Artifact {
        name: "app".into(),
        kind: ArtifactKind::Bin,
        package: app.purl,
        linked,
        host,
        dependencies: BTreeMap::new(),
        native: Vec::new(),
        file: None,
    };
    Build {
        name: "app".into(),
        version: "1.0.0".into(),
        invocation: invocation(),
        source: Source::default(),
        toolchain: Toolchain {
            rustc: "1.95.0".into(),
            rustc_commit: None,
            host: "h".into(),
            llvm: None,
            cargo: "1.95.0".into(),
            channel: None,
        },
        ci: None,
        stamp: "2026-11-23".parse().unwrap(),
        components,
        artifacts: vec![artifact],
        resolved_only: Vec::new(),
        gaps: Vec::new(),
        reproduction: None,
    }
}

fn invocation() -> Invocation {
    Invocation {
        arguments: Vec::new(),
        profile: "release".into(),
        target: "t".into(),
        target_is_explicit: false,
        features: Vec::new(),
        all_features: false,
        default_features: true,
        manifest: "Cargo.toml".into(),
        rustflags: Vec::new(),
        rustflags_from: crate::model::cargo_config::FlagsFrom::default(),
        path_remapping: None,
        audit_data: false,
        target_folder: TargetFolder::Unused,
        environment: BTreeMap::new(),
        profile_overrides: BTreeMap::new(),
        sides: crate::model::surroundings::Sides::default(),
        sandbox: crate::model::sandbox::SandboxRecord::of_a_plan(),
    }
}
