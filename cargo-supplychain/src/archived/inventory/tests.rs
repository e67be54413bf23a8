use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::archived::to_bytes;

const CRATES: &str = "https://github.com/rust-lang/crates.io-index";

fn build() -> Value {
    let component = |purl: &str, name: &str, version: &str, origin: Value| json!({"purl": purl, "name": name, "version": version, "origin": origin, "checksum": null, "license": "MIT", "authors": ["a"]});
    let registry = json!({"kind": "registry", "index": CRATES, "crates_io": true});
    let git = json!({"kind": "git", "url": "https://example.org/g", "rev": "0123456789012345678901234567890123456789"});
    let own = json!({"kind": "workspace", "path": "."});
    let other = json!({"kind": "registry", "index": "https://r.example.org/index/", "crates_io": false});
    let digest = Sha256::of(b"app");
    json!({
        "name": "app", "toolchain": {"rustc": "1.95.0", "host": "h"},
        "components": {
            "pkg:cargo/app@1.0.0": component("pkg:cargo/app@1.0.0", "app", "1.0.0", own),
            "pkg:cargo/cc@1.2.0": component("pkg:cargo/cc@1.2.0", "cc", "1.2.0", registry.clone()),
            "pkg:cargo/g@0.1.0": component("pkg:cargo/g@0.1.0", "g", "0.1.0", git),
            "pkg:cargo/o@0.1.0": component("pkg:cargo/o@0.1.0", "o", "0.1.0", other),
            "pkg:cargo/winapi@0.3.9": component("pkg:cargo/winapi@0.3.9", "winapi", "0.3.9", registry),
        },
        "artifacts": [
            {"name": "b", "kind": "bin", "linked": [{"purl": "pkg:cargo/app@1.0.0", "role": "runtime", "features": []}], "host": [],
             "native": [], "file": {"name": "b", "size": 1, "sha256": digest}},
            {"name": "a", "kind": "bin",
             "linked": [
                {"purl": "pkg:cargo/app@1.0.0", "role": "runtime", "features": ["x", "default"]},
                {"purl": "pkg:cargo/g@0.1.0", "role": "runtime", "features": []}],
             "host": [
                {"purl": "pkg:cargo/cc@1.2.0", "role": "build", "features": []},
                {"purl": "pkg:cargo/g@0.1.0", "role": "build", "features": ["h"]}],
             "native": [{"name": "z", "linkage": "static", "component": "pkg:cargo/g@0.1.0"}],
             "file": {"name": "a", "size": 1, "sha256": digest}},
        ],
    })
}

fn read(build: &Value, lockfile: Option<&str>) -> Result<Inventory, String> {
    inventory_of(&serde_json::to_vec(build).unwrap(), lockfile.map(str::as_bytes))
}

const LOCK: &str = r#"version = 4

[[package]]
name = "g"
version = "0.1.0"
source = "git+https://u:p@example.org/g?branch=x#0123456789012345678901234567890123456789"

[[package]]
name = "o"
version = "0.1.0"
source = "sparse+https://r.example.org/index/"
"#;

#[test]
fn which_component_is_in_which_artifact() {
    let inventory = read(&build(), Some(LOCK)).unwrap();
    let lines = inventory.components.iter().map(|one| {
        let uses: Vec<_> = one
            .uses
            .iter()
            .map(|part| format!("{}:{:?}{:?}", inventory.artifacts[part.artifact as usize].path, part.role, part.features))
            .collect();
        let native: Vec<_> = one.native.iter().map(|native| format!("{} {}", native.linkage, native.name)).collect();
        format!("{} {} {} {}", one.name, one.source.as_deref().unwrap_or("-"), uses.join(" "), native.join(" "))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    app - artifacts/a:Runtime["default", "x"] artifacts/b:Runtime[] 
    cc registry+https://github.com/rust-lang/crates.io-index artifacts/a:Build[] 
    g git+https://example.org/g?branch=x#0123456789012345678901234567890123456789 artifacts/a:Runtime[] artifacts/a:Build["h"] static z
    o sparse+https://r.example.org/index/  
    winapi registry+https://github.com/rust-lang/crates.io-index  
    "#);
    assert_eq!(Inventory::read(&to_bytes(&inventory)).as_ref(), Ok(&inventory));
}

#[test]
fn a_lockfile_of_something_else_changes_nothing() {
    let other =
        LOCK.replace("example.org/g?branch=x#0123", "example.org/g?branch=x#9999").replace("r.example.org", "evil.example.org");
    let sources = |inventory: Inventory| inventory.components.into_iter().map(|one| one.source).collect::<Vec<_>>();
    assert_eq!(sources(read(&build(), Some(&other)).unwrap()), sources(read(&build(), None).unwrap()));
}

#[test]
fn contradictions_are_refused() {
    let changed = |pointer: &str, value: Value| {
        let mut build = build();
        *build.pointer_mut(pointer).unwrap() = value;
        read(&build, None).unwrap_err()
    };
    for (pointer, value, why) in [
        ("/artifacts/0/linked/0/purl", json!("pkg:cargo/none@1.0.0"), "is no component"),
        ("/artifacts/1/native/0/component", json!("pkg:cargo/none@1.0.0"), "is no component"),
        ("/artifacts/0/name", json!("a"), "there twice"),
        ("/artifacts/0/file", json!(null), "was not built"),
        ("/artifacts/0/file/name", json!("../../x"), "parts are not allowed"),
        ("/artifacts/0/linked/0/role", json!("other"), "unknown variant"),
        ("/components/pkg:cargo~1cc@1.2.0/purl", json!("pkg:cargo/x@1.0.0"), "says that it is"),
        ("/components/pkg:cargo~1cc@1.2.0/version", json!("new"), "is none"),
        ("/components/pkg:cargo~1cc@1.2.0/name", json!("x".repeat(9000)), "longer than"),
        ("/toolchain", json!({}), "missing field"),
    ] {
        let error = changed(pointer, value);
        assert!(error.contains(why), "{pointer}: {error}");
    }
    let twice = serde_json::to_string(&build()).unwrap().replacen("\"pkg:cargo/cc@1.2.0\":", "\"pkg:cargo/app@1.0.0\":", 1);
    assert!(inventory_of(twice.as_bytes(), None).is_err());
    assert!(inventory_of(b"{}", None).is_err() && inventory_of(&b"[".repeat(100_000), None).is_err());
}

#[test]
fn an_inventory_that_was_not_made_so_is_refused() {
    let inventory = read(&build(), Some(LOCK)).unwrap();
    let changes: [fn(&mut Inventory); 8] = [
        |one| one.format_version = 2,
        |one| one.artifacts.reverse(),
        |one| one.components.reverse(),
        |one| one.components[0].uses.reverse(),
        |one| one.components[0].uses[0].artifact = 9,
        |one| one.components[0].version = "x".to_owned(),
        |one| one.components[0].uses[0].features.reverse(),
        |one| one.artifacts[0].path = "/etc/passwd".to_owned(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut other = inventory.clone();
        change(&mut other);
        assert!(Inventory::read(&to_bytes(&other)).is_err(), "{index}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..4000, byte in any::<u8>()) {
        let _ = inventory_of(&bytes, Some(&bytes));
        let _ = Inventory::read(&bytes);
        let mut build = serde_json::to_vec(&build()).unwrap();
        let at = at % build.len();
        build[at] = byte;
        if let Ok(inventory) = inventory_of(&build, Some(LOCK.as_bytes())) {
            prop_assert_eq!(Inventory::read(&to_bytes(&inventory)), Ok(inventory));
        }
    }
}
