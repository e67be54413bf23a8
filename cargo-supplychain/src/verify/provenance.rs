//! What a SLSA provenance v1 predicate of our build type (`docs/build-type-v1.md`) says, as far as a verification reports or
//! judges it. Every fact is the signer's claim.

use serde::Serialize;
use serde_json::Value;

/// Facts of a provenance; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProvenanceFacts {
    pub builder_id: Option<String>,
    pub build_type: Option<String>,
    /// Of the resolved dependency named `source`.
    pub source_uri: Option<String>,
    pub commit: Option<String>,
    /// Whether the source had uncommitted changes.
    pub dirty: Option<bool>,
    /// `fresh` or `reused` (our `buildType` document).
    pub target_folder: Option<String>,
}

impl ProvenanceFacts {
    pub(super) fn read(predicate: &Value) -> Self {
        let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        // Git dependencies carry a `gitCommit` as well: the source is the one that bears its name.
        let materials = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
        let source = materials.into_iter().flatten().find(|one| one.get("name").and_then(Value::as_str) == Some("source"));
        let of_source = |pointer: &str| source.and_then(|one| one.pointer(pointer)).and_then(Value::as_str).map(str::to_owned);
        Self {
            builder_id: text("/runDetails/builder/id"),
            build_type: text("/buildDefinition/buildType"),
            source_uri: of_source("/uri"),
            commit: of_source("/digest/gitCommit"),
            dirty: predicate.pointer("/buildDefinition/internalParameters/sourceIsDirty").and_then(Value::as_bool),
            target_folder: text("/buildDefinition/internalParameters/targetFolder"),
        }
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
                "internalParameters": { "targetFolder": "reused", "sourceIsDirty": false },
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
        let wrong_types = json!({ "buildDefinition": { "resolvedDependencies": [1], "internalParameters": { "targetFolder": 1, "sourceIsDirty": "no" } } });
        for nonsense in [json!({}), json!([]), json!({ "buildDefinition": 1 }), wrong_types] {
            assert_eq!(ProvenanceFacts::read(&nonsense), ProvenanceFacts::default());
        }
    }
}
