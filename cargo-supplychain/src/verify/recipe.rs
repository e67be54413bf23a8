//! How to build an artifact again: what its provenance (`docs/build-type-v1.md`) says of source, toolchain and call. Every word is the
//! signer's claim, and none is used before it is looked at: paths lead nowhere outside of the source.

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path};
use serde_json::Value;

/// What a rebuild needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Full hash of the source's commit.
    pub commit: String,
    pub source_uri: Option<String>,
    /// Path of the workspace within the repository; empty at its root.
    pub subdirectory: String,
    /// Path of the manifest within the workspace.
    pub manifest: String,
    /// The arguments after `cargo build`.
    pub arguments: Vec<String>,
    pub target: String,
    pub host: String,
    pub rustc: String,
    pub rustc_commit: Option<String>,
    pub cargo: Option<String>,
    pub channel: Option<String>,
    /// The project's own, in effect for the target.
    pub rustflags: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Whether folders of the machine had fixed names.
    pub remapped: bool,
    /// Whether audit data was linked into the artifacts.
    pub audit_data: bool,
}

impl Recipe {
    /// Reads the predicate of a provenance.
    ///
    /// # Errors
    /// What is missing for a rebuild, a fragment.
    pub(super) fn read(predicate: &Value) -> Result<Self, String> {
        let definition = &predicate["buildDefinition"];
        let (external, internal) = (&definition["externalParameters"], &definition["internalParameters"]);
        let toolchain = &internal["toolchain"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let needed = |value: &Value, what: &str| text(value).ok_or_else(|| format!("its provenance does not name {what}"));
        match internal["sourceIsDirty"].as_bool() {
            Some(false) => {}
            Some(true) => return Err("it was built from a work tree with uncommitted changes, which nobody else has".to_owned()),
            None => return Err("its provenance does not say that the work tree was the commit's".to_owned()),
        }
        let materials = definition["resolvedDependencies"].as_array();
        let source = materials.into_iter().flatten().find(|one| one["name"] == "source").unwrap_or(&Value::Null);
        let commit = needed(&source["digest"]["gitCommit"], "the commit of its source")?;
        if !matches!(commit.len(), 40 | 64) || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("its provenance names a commit that is none".to_owned());
        }
        let subdirectory = match external["source"]["subdirectory"].as_str() {
            Some(".") => String::new(),
            Some(path) => inner(path)?,
            None => return Err("its provenance does not say where in the repository the workspace is".to_owned()),
        };
        let mut environment = BTreeMap::new();
        for (name, value) in internal["environment"].as_object().into_iter().flatten() {
            environment.extend(value.as_str().map(|value| (name.clone(), value.to_owned())));
        }
        Ok(Self {
            commit,
            source_uri: text(&source["uri"]),
            subdirectory,
            manifest: inner(&needed(&external["manifest"], "the manifest")?)?,
            arguments: strings(&external["arguments"]).ok_or("its provenance does not name the arguments")?,
            target: needed(&external["target"], "the target")?,
            host: needed(&toolchain["host"], "the compiler's host")?,
            rustc: needed(&toolchain["rustc"], "the compiler")?,
            rustc_commit: text(&toolchain["rustcCommit"]),
            cargo: text(&toolchain["cargo"]),
            channel: text(&toolchain["channel"]),
            rustflags: strings(&internal["rustflags"]).ok_or("its provenance does not name the rustflags")?,
            environment,
            remapped: internal["pathRemapping"].is_object(),
            audit_data: internal["auditData"] == true,
        })
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A path that stays where it starts.
fn inner(path: &str) -> Result<String, String> {
    let stays = Utf8Path::new(path).components().all(|part| matches!(part, Utf8Component::Normal(_)));
    if stays && !path.is_empty() {
        Ok(path.to_owned())
    } else {
        Err("its provenance names a path outside of the source".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn predicate() -> Value {
        json!({"buildDefinition": {
            "externalParameters": {
                "source": {"subdirectory": "."}, "manifest": "app/Cargo.toml", "arguments": ["--profile", "release"],
                "target": "x86_64-unknown-linux-gnu",
            },
            "internalParameters": {
                "toolchain": {"rustc": "1.95.0", "rustcCommit": "c", "host": "h"}, "rustflags": ["-Ca"], "sourceIsDirty": false,
                "environment": {"CC": "gcc"}, "pathRemapping": {"workspace": "/workspace"},
            },
            "resolvedDependencies": [{"name": "source", "uri": "git+https://x", "digest": {"gitCommit": "a".repeat(40)}}],
        }})
    }

    #[test]
    fn what_a_rebuild_needs_is_read() {
        let recipe = Recipe::read(&predicate()).unwrap();
        assert_eq!((recipe.subdirectory.as_str(), recipe.manifest.as_str(), recipe.remapped), ("", "app/Cargo.toml", true));
        assert_eq!((recipe.rustflags, recipe.environment["CC"].as_str()), (vec!["-Ca".to_owned()], "gcc"));
    }

    #[test]
    fn what_cannot_be_built_again_says_why() {
        for (pointer, value, why) in [
            ("/buildDefinition/internalParameters/sourceIsDirty", json!(true), "uncommitted"),
            ("/buildDefinition/internalParameters/sourceIsDirty", json!(null), "does not say that the work tree"),
            ("/buildDefinition/resolvedDependencies", json!([]), "the commit of its source"),
            ("/buildDefinition/resolvedDependencies/0/digest/gitCommit", json!("--help"), "a commit that is none"),
            ("/buildDefinition/externalParameters/source/subdirectory", json!("../x"), "outside of the source"),
            ("/buildDefinition/externalParameters/source/subdirectory", json!(null), "where in the repository"),
            ("/buildDefinition/externalParameters/manifest", json!("/etc/Cargo.toml"), "outside of the source"),
            ("/buildDefinition/externalParameters/manifest", json!(null), "the manifest"),
            ("/buildDefinition/externalParameters/arguments", json!([1]), "the arguments"),
            ("/buildDefinition/internalParameters/toolchain", json!(null), "the compiler"),
        ] {
            let mut changed = predicate();
            *changed.pointer_mut(pointer).unwrap() = value;
            let error = Recipe::read(&changed).unwrap_err();
            assert!(error.contains(why), "{pointer}: {error}");
        }
        assert!(Recipe::read(&json!([])).is_err());
    }
}
