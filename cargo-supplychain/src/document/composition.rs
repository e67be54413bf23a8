//! What a change does to what is in each artifact: SBOMs of before and after, compared. The lockfile tells what may be compiled, these what is
//! linked and what only helps to build. For people, as Markdown.

use std::collections::BTreeMap;

use super::markdown::text;
use crate::base::text::counted;
use crate::bom::comparison::{Change, Kind, compare};
use crate::bom::listing::{Listed, of_bom};
use crate::bom::{self, Scope};

/// More lines are counted, not shown.
const MAX_LINES: usize = 100;

/// What is in an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    artifact: String,
    listed: Vec<Listed>,
}

impl Contents {
    /// Reads the SBOM of an artifact.
    ///
    /// # Errors
    /// Why it is none, a fragment.
    pub fn read(artifact: &str, bytes: &[u8]) -> Result<Self, String> {
        let bom = bom::read(bytes).map_err(|error| error.to_string())?;
        Ok(Self { artifact: artifact.to_owned(), listed: of_bom(&bom) })
    }
}

/// The change as Markdown, ending with a line feed.
#[must_use]
pub fn markdown(before: &[Contents], after: &[Contents]) -> String {
    let [before, after] =
        [before, after].map(|all| all.iter().map(|one| (one.artifact.as_str(), one)).collect::<BTreeMap<_, _>>());
    let mut rows = Vec::new();
    for (name, now) in &after {
        match before.get(name) {
            Some(earlier) => rows.extend(compare(&earlier.listed, &now.listed).iter().filter_map(|change| changed(name, change))),
            None => {
                let linked = now.listed.iter().filter(|one| one.scope == Scope::Included).count();
                rows.push(row(name, "", &format!("new, {} linked", counted(linked, "component"))));
            }
        }
    }
    rows.extend(before.keys().filter(|name| !after.contains_key(*name)).map(|name| row(name, "", "gone")));
    if rows.is_empty() {
        return "No artifact has other components.\n".to_owned();
    }
    let mut out = "| artifact | component | change |\n|---|---|---|\n".to_owned();
    out.extend(rows.iter().take(MAX_LINES).map(String::as_str));
    if rows.len() > MAX_LINES {
        out.push_str(&format!("\n{} more.\n", rows.len() - MAX_LINES));
    }
    out
}

fn row(artifact: &str, what: &str, how: &str) -> String {
    format!("| {} | {} | {} |\n", text(artifact), text(what), text(how))
}

/// A change as a line; none where neither the version nor the part that it takes nor its features are others.
fn changed(artifact: &str, change: &Change<'_>) -> Option<String> {
    let thing = change.thing()?;
    let mut words = Vec::new();
    match (change.kind, change.old) {
        (Kind::Added, _) => words.push("added".to_owned()),
        (Kind::Removed, _) => words.push("removed".to_owned()),
        (Kind::Updated | Kind::Downgraded, Some(old)) => words.push(format!("from {}", old.version)),
        (Kind::Moved, _) => words.push("from another source".to_owned()),
        _ => {}
    }
    let was = change.old.filter(|old| change.new.is_some_and(|new| new.scope != old.scope)).map(|old| part(old.scope));
    if !words.is_empty() || was.is_some() {
        words.push(part(thing.scope).to_owned());
    }
    words.extend(was.map(|was| format!("was {was}")));
    let features = |one: Option<&Listed>| one.and_then(|one| one.features.clone()).unwrap_or_default();
    let (old, new) = (features(change.old), features(change.new));
    let gained: Vec<_> = new.iter().filter(|feature| change.old.is_some() && !old.contains(feature)).cloned().collect();
    if !gained.is_empty() {
        words.push(format!("with {}", gained.join(", ")));
    }
    (!words.is_empty()).then(|| row(artifact, &format!("{} {}", thing.name, thing.version), &words.join(", ")))
}

fn part(scope: Scope) -> &'static str {
    match scope {
        Scope::Included => "linked",
        Scope::Optional => "optional",
        Scope::Excluded => "for the build only",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{CycloneDxVersion, DocumentSettings, SbomFormat};
    use crate::document::fixture;
    use crate::document::sbom::Subject;

    fn bom(artifact: &str, parts: &[(&str, &str, &str, &str)]) -> Contents {
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, version, scope, features)| {
                let properties = json!([{ "name": "cargo-supplychain:features", "value": features }]);
                json!({ "type": "library", "name": name, "version": version, "scope": scope, "purl": format!("pkg:cargo/{name}@{version}"), "properties": properties })
            })
            .collect();
        let text = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts }).to_string();
        Contents::read(artifact, text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_linked_is_told_from_what_is_locked() {
        let before = [
            bom("app", &[("a", "1.0.0", "required", "x"), ("b", "1.0.0", "excluded", ""), ("c", "1.0.0", "required", "")]),
            bom("old", &[]),
        ];
        let after = [
            bom(
                "app",
                &[
                    ("a", "1.0.0", "required", "x, y"),
                    ("b", "1.0.0", "required", ""),
                    ("c", "1.1.0", "excluded", ""),
                    ("d|<b>", "1.0.0", "required", ""),
                ],
            ),
            bom("new", &[("a", "1.0.0", "required", "")]),
        ];
        assert_eq!(
            markdown(&before, &after),
            "| artifact | component | change |\n|---|---|---|\n\
             | app | a 1.0.0 | with y |\n\
             | app | b 1.0.0 | linked, was for the build only |\n\
             | app | c 1.1.0 | from 1.0.0, for the build only, was linked |\n\
             | app | d\\|&lt;b&gt; 1.0.0 | added, linked |\n\
             | new |  | new, 1 component linked |\n\
             | old |  | gone |\n"
        );
        assert_eq!(markdown(&after, &after), "No artifact has other components.\n");
    }

    #[test]
    fn our_own_file_is_read() {
        let build = fixture::build();
        let document = Subject::new(
            SbomFormat::CycloneDxJson(CycloneDxVersion::V1_7),
            &build,
            &build.artifacts[0],
            &DocumentSettings::default(),
        )
        .document()
        .unwrap();
        let contents = Contents::read("app", &document.bytes).unwrap();
        let std = "std".to_owned();
        assert!(contents.listed.iter().any(|one| {
            one.scope == Scope::Included && one.features.as_ref().is_some_and(|features| features.contains(&std))
        }));
        assert!(contents.listed.iter().any(|one| one.scope == Scope::Excluded));
    }
}
