//! What somebody says who has built a release again and got the same bytes: a SLSA provenance of that rebuild, of a build type of its
//! own (`docs/rebuild-type-v1.md`). The statement around it is `attest`'s.

use serde_json::{Value, json};

use super::{HOME, TOOL_VERSION};
use crate::base::Sha256;
use crate::model::{Build, Reproduction};

/// The build type.
#[must_use]
pub fn build_type() -> String {
    format!("{HOME}/blob/main/docs/rebuild-type-v1.md")
}

/// What was built again.
#[derive(Debug, Clone, Copy)]
pub struct Rebuild<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub target: &'a str,
    /// Fingerprint of the key that signed the release.
    pub signer: &'a str,
    /// Digest of its `release.json`.
    pub manifest: Sha256,
    /// The commit that was built.
    pub commit: &'a str,
    pub source_uri: Option<&'a str>,
}

/// The predicate. `build` is the rebuild, `reproduction` what came of it.
#[must_use]
pub fn predicate(rebuild: Rebuild<'_>, build: &Build, reproduction: &Reproduction) -> Value {
    let builder = if build.ci.is_some() { "ci" } else { "local" };
    let mut source = json!({"name": "source", "digest": {"gitCommit": rebuild.commit}});
    if let Some(uri) = rebuild.source_uri {
        source["uri"] = json!(uri);
    }
    json!({
        "buildDefinition": {
            "buildType": build_type(),
            "externalParameters": {
                "release": {"name": rebuild.name, "version": rebuild.version, "target": rebuild.target, "signer": rebuild.signer},
            },
            "internalParameters": {
                "comparison": "sha256",
                "toolchain": {
                    "rustc": build.toolchain.rustc,
                    "rustcCommit": build.toolchain.rustc_commit,
                    "cargo": build.toolchain.cargo,
                    "host": build.toolchain.host,
                },
                "arguments": build.invocation.arguments,
                "rustflags": build.invocation.rustflags,
                "sandbox": build.invocation.sandbox,
                "varied": reproduction.varied,
            },
            "resolvedDependencies": [
                source,
                {"name": "release.json", "digest": {"sha256": rebuild.manifest}},
            ],
        },
        "runDetails": {
            "builder": {
                "id": format!("{HOME}/blob/main/docs/builders/{builder}.md"),
                "version": {"cargo-supplychain": TOOL_VERSION},
            },
            "metadata": {},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture;

    #[test]
    fn says_what_was_built_again_from_what() {
        let rebuild = Rebuild {
            name: "demo",
            version: "1.2.0",
            target: "t",
            signer: "SHA256:x",
            manifest: Sha256::of("m"),
            commit: "c",
            source_uri: Some("git+https://example.org"),
        };
        let reproduction = Reproduction { varied: vec![], artifacts: vec![], not_compared: vec![], failed: None };
        let predicate = predicate(rebuild, &fixture::build(), &reproduction);
        let definition = &predicate["buildDefinition"];
        assert!(definition["buildType"].as_str().unwrap().ends_with("/docs/rebuild-type-v1.md"));
        assert_eq!(definition["externalParameters"]["release"]["signer"], "SHA256:x");
        assert_eq!(definition["resolvedDependencies"][0]["uri"], "git+https://example.org");
        assert_eq!(definition["resolvedDependencies"][1]["digest"]["sha256"], Sha256::of("m").to_string());
    }
}
