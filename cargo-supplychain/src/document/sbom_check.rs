//! The answer of `sbom check`: field by component, gaps and score, as data (schema `schemas/sbom-check-1.json`), for people, and as Markdown.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::Document;
use super::markdown::{code, text};
use crate::base::Sha256;
use crate::base::text::{counted, plain};
use crate::bom::minimum_elements::{Assessment, ComponentField, DocumentField, Field, Gap, State};
use crate::bom::{Bom, Part};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;
/// The most components with gaps that people are shown.
const ROW_LIMIT: usize = 50;

/// What is answered about which document.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// As it was named.
    pub file: &'a str,
    pub sha256: Sha256,
    pub bom: &'a Bom,
    pub assessment: &'a Assessment,
}

impl Input<'_> {
    /// Whether the document has all that is required; one without components lists nothing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.assessment.has_gaps() && self.assessment.component_count > 0
    }

    fn part(&self, gap: &Gap) -> Option<&Part> {
        self.bom.parts.get(gap.part)
    }
}

#[derive(Serialize)]
struct Json<'a> {
    schema_version: u32,
    file: &'a str,
    sha256: Sha256,
    format: JsonFormat<'a>,
    profile: &'static str,
    complete: bool,
    /// Required cells that are given, and all.
    stated: usize,
    required: usize,
    score_percent: f64,
    components: usize,
    document_fields: Vec<JsonDocumentField<'a>>,
    component_fields: Vec<JsonComponentField>,
    gaps: Vec<JsonGap<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonFormat<'a> {
    name: &'static str,
    version: &'a str,
    encoding: &'static str,
}

#[derive(Serialize)]
struct JsonDocumentField<'a> {
    id: &'static str,
    name: &'static str,
    required: bool,
    state: State,
    gap: bool,
    value: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonComponentField {
    id: &'static str,
    name: &'static str,
    required: bool,
    given: usize,
    unknown: usize,
    withheld: usize,
    missing: usize,
    gaps: usize,
}

#[derive(Serialize)]
struct JsonGap<'a> {
    name: &'a str,
    version: Option<&'a str>,
    purl: Option<&'a str>,
    reference: Option<&'a str>,
    fields: Vec<JsonGapField>,
}

#[derive(Serialize)]
struct JsonGapField {
    id: &'static str,
    state: State,
}

/// As data.
#[must_use]
pub fn json(input: Input<'_>) -> Document {
    let Input { file, sha256, bom, assessment } = input;
    let (name, encoding) = bom.format.names();
    let document_field = |one: &'_ DocumentField| (one.field, one.state);
    let value = Json {
        schema_version: SCHEMA_VERSION,
        file,
        sha256,
        format: JsonFormat { name, version: &bom.format_version, encoding },
        profile: assessment.profile.as_str(),
        complete: input.is_complete(),
        stated: assessment.stated,
        required: assessment.required,
        score_percent: f64::from(u32::try_from(assessment.score()).unwrap_or(0)) / 10.0,
        components: assessment.component_count,
        document_fields: assessment
            .document
            .iter()
            .map(|one| JsonDocumentField {
                id: one.field.id,
                name: one.field.name,
                required: one.field.is_required,
                state: one.state,
                gap: is_gap(document_field(one)),
                value: one.value.as_deref(),
            })
            .collect(),
        component_fields: assessment
            .components
            .iter()
            .map(|one| JsonComponentField {
                id: one.field.id,
                name: one.field.name,
                required: one.field.is_required,
                given: one.given,
                unknown: one.unknown,
                withheld: one.withheld,
                missing: one.missing,
                gaps: gaps_of(one),
            })
            .collect(),
        gaps: assessment.gaps.iter().filter_map(|gap| Some(json_gap(input.part(gap)?, gap))).collect(),
        notes: &bom.notes,
    };
    Document::json("sbom-check.json", "application/json", &value)
}

fn json_gap<'a>(part: &'a Part, gap: &Gap) -> JsonGap<'a> {
    JsonGap {
        name: &part.name,
        version: part.version.first(),
        purl: part.purls.first().map(String::as_str),
        reference: Some(part.reference.as_str()).filter(|reference| !reference.is_empty()),
        fields: gap.fields.iter().map(|(field, state)| JsonGapField { id: field.id, state: *state }).collect(),
    }
}

fn is_gap((field, state): (&Field, State)) -> bool {
    field.is_required && !field.takes(state)
}

fn gaps_of(one: &ComponentField) -> usize {
    match (one.field.is_required, one.field.takes_unknown) {
        (false, _) => 0,
        (true, true) => one.missing,
        (true, false) => one.missing + one.unknown + one.withheld,
    }
}

fn component_word(one: &ComponentField) -> &'static str {
    match (gaps_of(one), one.field.is_required) {
        (0, true) => "ok",
        (0, false) => "optional",
        _ => "GAP",
    }
}

/// For people: a row a field, then the components with gaps.
#[must_use]
pub fn human(input: Input<'_>, all: bool) -> String {
    let assessment = input.assessment;
    let mut out = String::new();
    let mut line = |words: fmt::Arguments<'_>| writeln!(out, "{words}").expect("writing to a string cannot fail");
    line(format_args!("{}", plain(&heading(input))));
    for one in &assessment.document {
        let value = one.value.as_deref().map(|value| format!("  {}", plain(value))).unwrap_or_default();
        line(format_args!("  {:<8} {}{value}", word(one.field, one.state), one.field.name));
    }
    for one in &assessment.components {
        let state = component_word(one);
        line(format_args!("  {state:<8} {}  {}", one.field.name, counts(one.given, one.unknown, one.withheld, one.missing)));
    }
    let shown = if all { usize::MAX } else { ROW_LIMIT };
    for gap in assessment.gaps.iter().take(shown) {
        let Some(part) = input.part(gap) else { continue };
        line(format_args!("  - {}: {}", plain(&named(part)), missing(gap)));
    }
    if assessment.gaps.len() > shown {
        line(format_args!("  … and {} (-v shows all)", counted(assessment.gaps.len() - shown, "component")));
    }
    for note in &input.bom.notes {
        line(format_args!("  note: {}", plain(note)));
    }
    line(format_args!("{}", closing(input)));
    out
}

/// As Markdown, for a summary.
#[must_use]
pub fn markdown(input: Input<'_>) -> Document {
    let assessment = input.assessment;
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    line(&format!("## SBOM {} by {}\n", code(input.file), assessment.profile));
    line(&format!("{}\n", text(&closing(input))));
    line("| field | | given | unknown | withheld | missing |\n|---|---|---|---|---|---|");
    for one in &assessment.document {
        let value = one.value.as_deref().map(text).unwrap_or_default();
        line(&format!("| {} | {} | {value} | | | |", text(one.field.name), word(one.field, one.state)));
    }
    for one in &assessment.components {
        let state = component_word(one);
        let cells = [one.given, one.unknown, one.withheld, one.missing].map(|count| count.to_string());
        line(&format!("| {} | {state} | {} |", text(one.field.name), cells.join(" | ")));
    }
    if !assessment.gaps.is_empty() {
        line("\n| component | not given |\n|---|---|");
        for gap in assessment.gaps.iter().take(ROW_LIMIT) {
            let Some(part) = input.part(gap) else { continue };
            line(&format!("| {} | {} |", text(&named(part)), text(&missing(gap))));
        }
        if assessment.gaps.len() > ROW_LIMIT {
            line(&format!("\nThe first {ROW_LIMIT} of {} components with gaps; `--format json` has all.", assessment.gaps.len()));
        }
    }
    for note in &input.bom.notes {
        line(&format!("\nNote: {}", text(note)));
    }
    Document::text("sbom-check.md", "text/markdown; charset=utf-8", out)
}

fn heading(input: Input<'_>) -> String {
    let (name, encoding) = input.bom.format.names();
    let count = counted(input.assessment.component_count, "component");
    format!("{}: {name} {} ({encoding}), {count}, by {}", input.file, input.bom.format_version, input.assessment.profile)
}

fn word(field: &Field, state: State) -> &'static str {
    match (is_gap((field, state)), state) {
        (true, _) => "GAP",
        (false, State::Given) => "ok",
        (false, State::Unknown) => "unknown",
        (false, State::Withheld) => "withheld",
        (false, State::Missing) => "optional",
    }
}

fn counts(given: usize, unknown: usize, withheld: usize, missing: usize) -> String {
    let all = [(given, "given"), (unknown, "unknown"), (withheld, "withheld"), (missing, "missing")];
    let told: Vec<_> = all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    told.join(", ")
}

fn named(part: &Part) -> String {
    match (part.purls.first(), part.version.first()) {
        (Some(purl), _) => purl.clone(),
        (None, Some(version)) => format!("{} {version}", part.name),
        (None, None) => part.name.clone(),
    }
}

/// `Hash Value, License (unknown)`.
fn missing(gap: &Gap) -> String {
    let one = |(field, state): &(&Field, State)| match state {
        State::Unknown => format!("{} (unknown)", field.name),
        State::Withheld => format!("{} (withheld)", field.name),
        _ => field.name.to_owned(),
    };
    gap.fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn closing(input: Input<'_>) -> String {
    let assessment = input.assessment;
    let score = assessment.score();
    let verdict = match (assessment.component_count, assessment.required - assessment.stated) {
        (0, _) => "it lists no component".to_owned(),
        (_, 0) => "no gap".to_owned(),
        (_, gaps) => format!("{} in {}", counted(gaps, "gap"), counted(assessment.gaps.len(), "component")),
    };
    let (stated, required) = (assessment.stated, assessment.required);
    format!("{}: {stated} of {required} required fields stated, {}.{} %; {verdict}", assessment.profile, score / 10, score % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bom;
    use crate::bom::minimum_elements::{Profile, assess};
    use crate::document::fixture::HOSTILE;
    use crate::document::schema;

    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/sbom-check-1.json"));

    fn document(name: &str) -> Bom {
        let value = serde_json::json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "metadata": { "timestamp": "2026-11-29T00:00:00Z", "tools": { "components": [{ "name": name, "version": "1" }] },
                "component": { "type": "application", "bom-ref": "a", "name": name, "version": "1" } },
            "components": [{ "type": "library", "bom-ref": "b", "name": "b", "purl": "pkg:cargo/b@1.0.0",
                "supplier": { "name": "NOASSERTION" } }],
            "dependencies": [{ "ref": "a", "dependsOn": ["b"] }]
        });
        bom::read(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn conforms_to_its_schema_and_is_harmless() {
        for name in ["app", HOSTILE] {
            let bom = document(name);
            for profile in Profile::ALL {
                let assessment = assess(&bom, profile, None);
                let input = Input { file: name, sha256: Sha256::of(b""), bom: &bom, assessment: &assessment };
                assert_eq!(schema::violations(SCHEMA, &json(input).bytes), Vec::<String>::new());
                let shown = human(input, true) + &String::from_utf8(markdown(input).bytes).unwrap();
                assert!(!shown.contains('\u{1b}') && !shown.contains("<script") && !shown.contains('\u{202e}'), "{shown}");
            }
        }
    }

    #[test]
    fn for_people() {
        let bom = document("app");
        let assessment = assess(&bom, Profile::Cisa2026, None);
        let input = Input { file: "app.cdx.json", sha256: Sha256::of(b""), bom: &bom, assessment: &assessment };
        insta::assert_snapshot!(human(input, false), @"
        app.cdx.json: CycloneDX 1.6 (JSON), 2 components, by cisa-2026
          GAP      SBOM Author
          GAP      Author Signature
          ok       Data Format Name  CycloneDX
          ok       Data Format Version  1.6
          GAP      Generation Context
          ok       Timestamp  2026-11-29T00:00:00Z
          ok       Tool Name  app
          ok       Tool Version  1
          ok       SBOM Version  1
          GAP      Component Producer  1 unknown, 1 missing
          ok       Dependency Relationship  2 given
          GAP      Hash Value  2 missing
          GAP      Hash Algorithm  2 missing
          GAP      Identifiers  1 given, 1 missing
          GAP      License  2 missing
          ok       Name  2 given
          GAP      Version  1 given, 1 missing
          - app 1: Component Producer, Hash Value, Hash Algorithm, Identifiers, License
          - pkg:cargo/b@1.0.0: Hash Value, Hash Algorithm, License, Version
        cisa-2026: 13 of 25 required fields stated, 52.0 %; 12 gaps in 2 components
        ");
        insta::assert_snapshot!(String::from_utf8(markdown(input).bytes).unwrap(), @"
        ## SBOM `app.cdx.json` by cisa-2026

        cisa-2026: 13 of 25 required fields stated, 52.0 %; 12 gaps in 2 components

        | field | | given | unknown | withheld | missing |
        |---|---|---|---|---|---|
        | SBOM Author | GAP |  | | | |
        | Author Signature | GAP |  | | | |
        | Data Format Name | ok | CycloneDX | | | |
        | Data Format Version | ok | 1.6 | | | |
        | Generation Context | GAP |  | | | |
        | Timestamp | ok | 2026-11-29T00:00:00Z | | | |
        | Tool Name | ok | app | | | |
        | Tool Version | ok | 1 | | | |
        | SBOM Version | ok | 1 | | | |
        | Component Producer | GAP | 0 | 1 | 0 | 1 |
        | Dependency Relationship | ok | 2 | 0 | 0 | 0 |
        | Hash Value | GAP | 0 | 0 | 0 | 2 |
        | Hash Algorithm | GAP | 0 | 0 | 0 | 2 |
        | Identifiers | GAP | 1 | 0 | 0 | 1 |
        | License | GAP | 0 | 0 | 0 | 2 |
        | Name | ok | 2 | 0 | 0 | 0 |
        | Version | GAP | 1 | 0 | 0 | 1 |

        | component | not given |
        |---|---|
        | app 1 | Component Producer, Hash Value, Hash Algorithm, Identifiers, License |
        | pkg:cargo/b&#64;1.0.0 | Hash Value, Hash Algorithm, License, Version |
        ");
    }
}
