//! What a SLSA provenance says, as far as a verification reports or judges it: v1, of our build type (`docs/build-type-v1.md`) and of
//! others, and v0.2, which builders still write. Every fact is the signer's claim.

use serde::Serialize;
use serde_json::Value;

use crate::attest::PROVENANCE;

/// Provenance of before v1.
const V0_2: &str = "https://slsa.dev/provenance/v0.2";

/// Facts of a provenance; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProvenanceFacts {
    pub builder_id: Option<String>,
    pub build_type: Option<String>,
    /// Of the resolved dependency named `source`, else of the first one that is at a git commit; in v0.2 of `configSource`.
    pub source_uri: Option<String>,
    pub commit: Option<String>,
    /// Whether the source had uncommitted changes.
    pub dirty: Option<bool>,
    /// `fresh` or `reused` (our `buildType` document).
    pub target_folder: Option<String>,
    /// What enclosed the build: `landlock+seccomp`, `none` (our `buildType` document).
    pub sandbox: Option<String>,
    /// The kind of machine: `github-hosted`, `self-hosted`, … (our `buildType` document).
    pub runner: Option<String>,
}

impl ProvenanceFacts {
    /// The facts, where the predicate is a provenance.
    pub(super) fn of(predicate_type: &str, predicate: &Value) -> Option<Self> {
        match predicate_type {
            PROVENANCE => Some(Self::read(predicate)),
            V0_2 => Some(Self::read_v0_2(predicate)),
            _ => None,
        }
    }

    pub(super) fn read(predicate: &Value) -> Self {
        let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        // Git dependencies carry a `gitCommit` as well: the source is the one that bears its name. Others name none: theirs comes first, and
        // is no package.
        let materials = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
        let all = || materials.into_iter().flatten();
        let is_named = |one: &&Value| one.get("name").and_then(Value::as_str) == Some("source");
        let is_git = |one: &&Value| one["uri"].as_str().is_some_and(|uri| uri.starts_with("git+")) && one.get("name").is_none();
        let first = || all().next().filter(is_git);
        let source = all().find(is_named).or_else(first);
        let of_source = |pointer: &str| source.and_then(|one| one.pointer(pointer)).and_then(Value::as_str).map(str::to_owned);
        let internal = |name: &str| text(&format!("/buildDefinition/internalParameters/{name}"));
        Self {
            builder_id: text("/runDetails/builder/id"),
            build_type: text("/buildDefinition/buildType"),
            source_uri: of_source("/uri"),
            commit: of_source("/digest/gitCommit"),
            dirty: predicate.pointer("/buildDefinition/internalParameters/sourceIsDirty").and_then(Value::as_bool),
            target_folder: internal("targetFolder"),
            sandbox: internal("sandbox"),
            runner: internal("isolation/runner"),
        }
    }

    fn read_v0_2(predicate: &Value) -> Self {
        let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Self {
            builder_id: text("/builder/id"),
            build_type: text("/buildType"),
            source_uri: text("/invocation/configSource/uri"),
            commit: text("/invocation/configSource/digest/sha1"),
            ..Self::default()
        }
    }

    /// The source's repository as certificates write it: `https://HOST/PATH`.
    pub(super) fn source_repository(&self) -> Option<String> {
        let uri = self.source_uri.as_deref()?;
        let url = uri.strip_prefix("git+").unwrap_or(uri);
        let path = url.strip_prefix("https://")?;
        let path = path.split('@').next().unwrap_or(path);
        Some(format!("https://{}", path.strip_suffix(".git").unwrap_or(path)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_read_and_nothing_else_is_taken_for_them() {
        let predicate = json!({
            "buildDefinition": {
                "buildType": "t",
                "externalParameters": { "targetFolder": "fresh" },
                "internalParameters": {
                    "targetFolder": "reused", "sourceIsDirty": false, "sandbox": "none", "isolation": { "runner": "self-hosted" },
                },
                "resolvedDependencies": [
                    { "uri": "pkg:cargo/x@1", "digest": { "gitCommit": "cd" } },
                    { "name": "source", "uri": "git+https://x", "digest": { "gitCommit": "ab" } }
                ]
            },
            "runDetails": { "builder": { "id": "b" } }
        });
        let facts = ProvenanceFacts::read(&predicate);
        assert_eq!((facts.builder_id.as_deref(), facts.build_type.as_deref()), (Some("b"), Some("t")));
        assert_eq!((facts.source_uri.as_deref(), facts.commit.as_deref()), (Some("git+https://x"), Some("ab")));
        assert_eq!((facts.dirty, facts.target_folder.as_deref()), (Some(false), Some("reused")));
        assert_eq!((facts.sandbox.as_deref(), facts.runner.as_deref()), (Some("none"), Some("self-hosted")));
        let wrong_types = json!({ "buildDefinition": { "resolvedDependencies": [1], "internalParameters": { "targetFolder": 1, "sourceIsDirty": "no" } } });
        for nonsense in [json!({}), json!([]), json!({ "buildDefinition": 1 }), wrong_types] {
            assert_eq!(ProvenanceFacts::read(&nonsense), ProvenanceFacts::default());
        }
    }

    #[test]
    fn those_of_others_are_read_as_well() {
        let source = json!({ "uri": "git+https://github.com/o/r@refs/heads/main", "digest": { "gitCommit": "ab" } });
        let actions =
            json!({ "buildDefinition": { "resolvedDependencies": [source] }, "runDetails": { "builder": { "id": "b" } } });
        let older = json!({
            "builder": { "id": "b" },
            "invocation": { "configSource": { "uri": "git+https://github.com/o/r@refs/heads/main", "digest": { "sha1": "ab" } } },
        });
        for (predicate_type, predicate) in [(PROVENANCE, actions), (V0_2, older)] {
            let facts = ProvenanceFacts::of(predicate_type, &predicate).unwrap();
            assert_eq!((facts.builder_id.as_deref(), facts.commit.as_deref()), (Some("b"), Some("ab")), "{predicate_type}");
            assert_eq!(facts.source_repository().as_deref(), Some("https://github.com/o/r"));
        }
        assert_eq!(ProvenanceFacts::of("https://cyclonedx.org/bom", &json!({})), None);
    }

    #[test]
    fn the_repository_is_the_one_of_certificates() {
        for (uri, expected) in [
            ("git+https://github.com/o/r@0123", Some("https://github.com/o/r")),
            ("git+https://github.com/o/r.git@0123", Some("https://github.com/o/r")),
            ("https://github.com/o/r", Some("https://github.com/o/r")),
            ("git+ssh://git@github.com/o/r", None),
            ("", None),
        ] {
            let facts = ProvenanceFacts { source_uri: Some(uri.into()), ..ProvenanceFacts::default() };
            assert_eq!(facts.source_repository().as_deref(), expected, "{uri}");
        }
    }
}
