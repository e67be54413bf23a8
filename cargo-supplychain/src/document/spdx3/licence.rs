//! Declared licences: an expression each, or that nothing is asserted. Concluded ones are not stated: nobody concluded anything.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::element::Graph;
use crate::base::Sha256;
use crate::document::part::{self, Part};
use crate::model::licence::Declared;

/// The individual of the specification for what is not known.
const NO_ASSERTION: &str = "expandedlicensing_NoAssertionLicense";

/// Expressions and the texts of their references, each once.
pub(super) struct Licences {
    /// What references stand for.
    meant: BTreeMap<String, String>,
    expressions: BTreeMap<String, String>,
    texts: BTreeMap<String, String>,
}

impl Licences {
    pub(super) fn new(parts: &[Part<'_>]) -> Self {
        Self { meant: part::reference_texts(parts), expressions: BTreeMap::new(), texts: BTreeMap::new() }
    }

    pub(super) fn declare(&mut self, graph: &mut Graph, part: &Part<'_>, package: &str) {
        let declared = match &part.licence {
            Declared::Expression { text, references } => self.expression(graph, text, references),
            Declared::Unparsed(_) | Declared::File(_) | Declared::Missing => NO_ASSERTION.to_owned(),
        };
        let completeness = if declared == NO_ASSERTION { "noAssertion" } else { "complete" };
        graph.relation(package, "hasDeclaredLicense", &[&declared], completeness, None);
    }

    fn expression(&mut self, graph: &mut Graph, text: &str, references: &[String]) -> String {
        if let Some(id) = self.expressions.get(text) {
            return id.clone();
        }
        let mut fields = Map::new();
        fields.insert("simplelicensing_licenseExpression".to_owned(), json!(text));
        if !references.is_empty() {
            let entry =
                |reference: &String| json!({"type": "DictionaryEntry", "key": reference, "value": self.text(graph, reference)});
            let entries: Vec<Value> = references.iter().map(entry).collect();
            fields.insert("simplelicensing_customIdToUri".to_owned(), Value::Array(entries));
        }
        let name = format!("licence-{}", &Sha256::of(text).to_string()[..20]);
        let id = graph.add(&name, "simplelicensing_LicenseExpression", Value::Object(fields));
        self.expressions.insert(text.to_owned(), id.clone());
        id
    }

    /// The element of a `LicenseRef-…`.
    fn text(&mut self, graph: &mut Graph, reference: &str) -> String {
        if let Some(id) = self.texts.get(reference) {
            return id.clone();
        }
        let text = self.meant.get(reference).map_or("unknown", String::as_str);
        let fields = json!({"name": reference, "simplelicensing_licenseText": text});
        let name = format!("text-{}", &Sha256::of(reference).to_string()[..20]);
        let id = graph.add(&name, "simplelicensing_SimpleLicensingText", fields);
        self.texts.insert(reference.to_owned(), id.clone());
        id
    }
}
