//! Native libraries in the bills of materials, and audit data in the file: small crates that compile C by their build scripts, as `-sys`
//! crates do. Published ones are built by `tests/trial/native_parts.py`.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;

use cargo_supplychain::document::audit_data;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::Project;

/// Compiles `NAME.c` into the static library of that name, as the crate `cc` does.
const BUILD: &str = r#"
use std::process::Command;
fn main() {
    let (out, name) = (std::env::var("OUT_DIR").unwrap(), "NAME");
    let (object, library) = (format!("{out}/{name}.o"), format!("{out}/lib{name}.a"));
    let run = |program: &str, arguments: &[&str]| assert!(Command::new(program).args(arguments).status().unwrap().success());
    run("cc", &["-O1", "-fPIC", "-c", &format!("{name}.c"), "-o", &object]);
    run("ar", &["crsD", &library, &object]);
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static={name}");
    MORE
}
"#;

fn sys_crate(project: &Project, package: (&str, &str), name: &str, more: &str) {
    let (crate_name, version) = package;
    project.write(
        &format!("{crate_name}/Cargo.toml"),
        format!("[package]\nname = \"{crate_name}\"\nversion = \"{version}\"\nedition = \"2021\"\nlicense = \"MIT\"\n"),
    );
    project.write(&format!("{crate_name}/build.rs"), BUILD.replace("NAME", name).replace("MORE", more));
    project.write(&format!("{crate_name}/{name}.c"), format!("int {name}_answer(int one) {{ return one + 1; }}\n"));
    let source = format!(
        "extern \"C\" {{ fn {name}_answer(one: i32) -> i32; }}\npub fn answer(one: i32) -> i32 {{ unsafe {{ {name}_answer(one) }} }}\n"
    );
    project.write(&format!("{crate_name}/src/lib.rs"), source);
}

/// A binary over a crate that is known to bring zlib, one that is not known, and a library of the system.
fn app() -> Project {
    let project = Project::app();
    sys_crate(&project, ("libz-sys", "1.1.0"), "z", "println!(\"cargo::rustc-link-lib=dylib=m\");");
    project.write("libz-sys/src/zlib/zlib.h", "/* zlib */\n#define ZLIB_VERSION \"1.3.1\"\n");
    sys_crate(&project, ("own-sys", "0.1.0+2.3.4"), "own", "println!(\"cargo::rustc-link-lib=dl\");");
    project.append(
        "Cargo.toml",
        "\n[dependencies]\nlibz-sys = { path = \"libz-sys\" }\nown-sys = { path = \"own-sys\" }\n\n[workspace]\n",
    );
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"libz-sys\",\n \"own-sys\",\n]\n\n\
         [[package]]\nname = \"libz-sys\"\nversion = \"1.1.0\"\n\n[[package]]\nname = \"own-sys\"\nversion = \"0.1.0+2.3.4\"\n",
    );
    project.write(
        "src/main.rs",
        "fn main() {\n    let count = std::env::args().count() as i32;\n    \
         println!(\"{}\", libz_sys::answer(count) + own_sys::answer(count));\n}\n",
    );
    project
}

/// One line for each native library of a document, with the crate that holds it.
fn native(sbom: &Value) -> String {
    let mut lines = Vec::new();
    let all = sbom["components"].as_array().unwrap().iter().chain([&sbom["metadata"]["component"]]);
    for (holder, one) in
        all.flat_map(|holder| holder["components"].as_array().into_iter().flatten().map(move |one| (holder, one)))
    {
        let property = |name: &str| {
            let name = format!("cargo-supplychain:{name}");
            let found = one["properties"].as_array().unwrap().iter().find(|property| property["name"] == name.as_str());
            found.map_or(String::new(), |property| format!(" | {}", property["value"].as_str().unwrap()))
        };
        let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
        let known: Vec<_> =
            ["linkage", "supply", "link-names", "import", "version", "version:evidence"].map(property).into_iter().collect();
        lines.push(format!(
            "{} < {} {} {} {}{}",
            holder["name"].as_str().unwrap(),
            text("name"),
            text("version"),
            text("purl"),
            text("cpe"),
            known.concat()
        ));
    }
    lines.sort();
    lines.join("\n")
}

#[test]
fn what_build_scripts_link_is_named_with_its_evidence() {
    let project = app();
    let planned = project.run(&["sbom"]).expect(0);
    assert_snapshot!(native(&planned.json()), @"libz-sys < zlib - pkg:generic/zlib - | unspecified | unknown | unknown: the build script decides whether it compiles it or takes the system's; the package brings 1.3.1");

    project.run(&["build", "--profile", "dev", "--sandbox", "off", "--no-sign"]).expect(0);
    let release = project.release();
    let sbom: Value = serde_json::from_slice(&fs::read(release.join("sbom/app.cdx.json")).unwrap()).unwrap();
    let (imported, linked): (Vec<_>, Vec<_>) =
        native(&sbom).lines().map(str::to_owned).partition(|line| line.starts_with("app < "));
    assert_snapshot!(linked.join("\n"), @r"
    libz-sys < m - - - | dynamic | system | m | absent: the file does not need it | unknown: it is a library of the system that the artifact runs on
    libz-sys < zlib 1.3.1 pkg:generic/zlib@1.3.1 cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:* | static | bundled | z | file src/zlib/zlib.h of pkg:cargo/libz-sys@1.1.0, sha256:c1fe98f45995ceb7c0c507fd3c499b125dd8ca97aafcbeb68e95453e01a314ca
    own-sys < dl - - - | unspecified | system | dl | absent: the file does not need it | unknown: it is a library of the system that the artifact runs on
    own-sys < own 2.3.4 - - | static | bundled | own | build metadata of the version of pkg:cargo/own-sys@0.1.0%2B2.3.4
    ");
    // What no build script named: the C library, which the standard library needs.
    let libc = "app < libc.so.6 - - - | dynamic | system | needed: libc.so.6 | ";
    assert!(imported.iter().any(|line| line.starts_with(libc)), "{imported:?}");
    let spdx = fs::read_to_string(release.join("sbom/app.spdx.json")).unwrap();
    assert!(spdx.contains("pkg:generic/zlib@1.3.1") && spdx.contains("cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*"));
}

#[test]
fn audit_data_is_in_the_file_and_lists_what_is_linked() {
    let project = app();
    project.run(&["build", "--sandbox", "off", "--no-sign", "--embed-audit-data"]).expect(0);
    let release = project.release();
    let file = fs::read(release.join("artifacts/app")).unwrap();
    let content = audit_data::object::embedded(&file).unwrap();
    let json: Value = serde_json::from_slice(&audit_data::unpacked(content).unwrap()).unwrap();
    assert_snapshot!(json, @r#"{"packages":[{"name":"app","version":"1.0.0","source":"local","dependencies":[1,2],"root":true},{"name":"libz-sys","version":"1.1.0","source":"local"},{"name":"own-sys","version":"0.1.0+2.3.4","source":"local"}],"format":1}"#);
    let build: Value = serde_json::from_slice(&fs::read(release.join("evidence/build.json")).unwrap()).unwrap();
    assert_eq!((&build["invocation"]["audit_data"], &build["gaps"]), (&Value::Bool(true), &serde_json::json!([])));

    // The twin: nobody asked for it.
    project.run(&["build", "--sandbox", "off", "--no-sign"]).expect(0);
    let file = fs::read(project.release().join("artifacts/app")).unwrap();
    assert_eq!(audit_data::object::embedded(&file), None);
}

/// Each target has its own call of cargo; a library that binaries link is built last, or its file would be the one without.
#[test]
fn every_artifact_holds_the_data_wherever_it_is_built() {
    let project = Project::app();
    project.append("Cargo.toml", "\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n[workspace]\n");
    project.write("src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn answer() -> i32 {\n    42\n}\n");
    project.write("src/bin/second.rs", "fn main() {\n    println!(\"{}\", app::answer());\n}\n");
    project.run(&["build", "--sandbox", "off", "--no-sign", "--embed-audit-data", "--reproduce"]).expect(0);
    let release = project.release();
    for name in ["app", "second", "libapp.so"] {
        let file = fs::read(release.join("artifacts").join(name)).unwrap();
        assert!(audit_data::object::embedded(&file).is_some(), "{name}");
    }
    let build: Value = serde_json::from_slice(&fs::read(release.join("evidence/build.json")).unwrap()).unwrap();
    let again = build["reproduction"]["artifacts"].as_array().unwrap();
    assert!(again.len() == 3 && again.iter().all(|one| one["first"] == one["second"]), "{again:?}");
}

#[test]
fn audit_data_that_cannot_be_embedded_is_refused_before_anything_is_compiled() {
    let project = Project::app();
    project.append("supplychain.toml", "\n[build]\nembed-audit-data = true\n");
    project.write("examples/one.rs", "fn main() {}\n");
    let outcome = project.run(&["build", "--examples", "--no-sign"]).expect(2);
    assert!(outcome.stderr.contains("audit data cannot be embedded: examples, tests or benches are selected"), "{outcome}");
    assert!(!project.path("target/supplychain/.build").exists());
}
