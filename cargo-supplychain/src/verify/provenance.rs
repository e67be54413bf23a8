//! What a SLSA provenance v1 predicate says, as far as a verification reports or judges it. Every fact is the signer's claim.

use serde::Serialize;
use serde_json::Value;

/// Facts of a provenance; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProvenanceFacts {
    pub builder_id: Option<String>,
    pub build_type: Option<String>,
    /// The resolved dependency that carries a `gitCommit`: the source.
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
        let source = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
        let source = source.into_iter().flatten().find(|one| one.pointer("/digest/gitCommit").is_some());
        let of_source = |pointer: &str| source.and_then(|one| one.pointer(pointer)).and_then(Value::as_str).map(str::to_owned);
        Self {
            builder_id: text("/runDetails/builder/id"),
            build_type: text("/buildDefinition/buildType"),
            source_uri: of_source("/uri"),
            commit: of_source("/digest/gitCommit"),
            dirty: parameter(predicate, "dirty").and_then(Value::as_bool),
            target_folder: parameter(predicate, "targetFolder").and_then(Value::as_str).map(str::to_owned),
        }
    }
}

/// The parameter `key` of the build, internal or external, at the top or one object down. Two that differ are none:
/// an ambiguous claim must not pass for the better one.
fn parameter<'a>(predicate: &'a Value, key: &str) -> Option<&'a Value> {
    let mut found = None;
    for group in ["internalParameters", "externalParameters"] {
        let Some(group) = predicate.get("buildDefinition").and_then(|build| build.get(group)) else { continue };
        let nested = group.as_object().into_iter().flat_map(|group| group.values());
        for value in std::iter::once(group).chain(nested).filter_map(|place| place.get(key)) {
            if found.is_some_and(|other| other != value) {
                return None;
            }
            found = Some(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_read_and_contradictions_are_none() {
        let predicate = json!({
            "buildDefinition": {
                "buildType": "t",
                "externalParameters": { "targetFolder": "fresh" },
                "internalParameters": { "source": { "dirty": false } },
                "resolvedDependencies": [{ "uri": "pkg:cargo/x@1" }, { "uri": "git+https://x", "digest": { "gitCommit": "ab" } }]
            },
            "runDetails": { "builder": { "id": "b" } }
        });
        let facts = ProvenanceFacts::read(&predicate);
        assert_eq!(facts.builder_id.as_deref(), Some("b"));
        assert_eq!((facts.source_uri.as_deref(), facts.commit.as_deref()), (Some("git+https://x"), Some("ab")));
        assert_eq!((facts.dirty, facts.target_folder.as_deref()), (Some(false), Some("fresh")));

        let mut contradiction = predicate;
        contradiction["buildDefinition"]["internalParameters"]["targetFolder"] = json!("reused");
        assert_eq!(ProvenanceFacts::read(&contradiction).target_folder, None);
        for nonsense in
            [json!({}), json!([]), json!({ "buildDefinition": 1 }), json!({ "buildDefinition": { "resolvedDependencies": [1] } })]
        {
            assert_eq!(ProvenanceFacts::read(&nonsense), ProvenanceFacts::default());
        }
    }
}
