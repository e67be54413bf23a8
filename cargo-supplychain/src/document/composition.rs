//! What a change does to what is in each artifact: our own CycloneDX files of before and after, compared. The lockfile tells what may be
//! compiled, these what is linked and what only helps to build. For people, as Markdown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::markdown::text;
use crate::base::text::counted;

/// More lines are counted, not shown.
const MAX_LINES: usize = 100;

/// An SBOM as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    artifact: String,
    components: BTreeMap<String, Component>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Component {
    name: String,
    version: String,
    is_linked: bool,
    features: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bom {
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Part>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    #[serde(default)]
    version: String,
    purl: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    #[serde(default)]
    value: String,
}

impl Contents {
    /// Reads a CycloneDX file that this tool has written.
    ///
    /// # Errors
    /// Why it is none, a fragment.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let bom: Bom = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let component = |part: Part| {
            let features = part.properties.iter().find(|one| one.name == "cargo-supplychain:features");
            let features = features.map(|one| one.value.split(',').map(str::trim)).into_iter().flatten();
            let component = Component {
                is_linked: part.scope.as_deref() == Some("required"),
                features: features.filter(|feature| !feature.is_empty()).map(str::to_owned).collect(),
                name: part.name,
                version: part.version,
            };
            (part.purl.unwrap_or_else(|| format!("{} {}", component.name, component.version)), component)
        };
        Ok(Self { artifact: bom.metadata.component.name, components: bom.components.into_iter().map(component).collect() })
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
            Some(earlier) => rows.extend(changes(earlier, now).into_iter().map(|(what, how)| row(name, &what, &how))),
            None => {
                let linked = now.components.values().filter(|one| one.is_linked).count();
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

/// What changed, by name: component, and how.
fn changes(before: &Contents, after: &Contents) -> Vec<(String, String)> {
    let only = |one: &Contents, other: &Contents| -> BTreeMap<String, Vec<Component>> {
        let mut by_name = BTreeMap::<_, Vec<_>>::new();
        for (_, component) in one.components.iter().filter(|(purl, _)| !other.components.contains_key(*purl)) {
            by_name.entry(component.name.clone()).or_default().push(component.clone());
        }
        by_name
    };
    let (mut gone, come) = (only(before, after), only(after, before));
    let mut changes = Vec::new();
    for (name, added) in come {
        match (gone.remove(&name).as_deref(), added.as_slice()) {
            // One in the place of one is an update.
            (Some([old]), [new]) => {
                let from = if old.version == new.version { "another source".to_owned() } else { format!("from {}", old.version) };
                let words = [Some(from), role(old, new).or_else(|| Some(part(new).to_owned())), gained(old, new)];
                changes.push((format!("{name} {}", new.version), words.into_iter().flatten().collect::<Vec<_>>().join(", ")));
            }
            (old, added) => {
                changes.extend(added.iter().map(|one| (format!("{name} {}", one.version), format!("added, {}", part(one)))));
                let old = old.unwrap_or_default().iter();
                changes.extend(old.map(|one| (format!("{name} {}", one.version), "removed".to_owned())));
            }
        }
    }
    let gone = gone.into_values().flatten();
    changes.extend(gone.map(|one| (format!("{} {}", one.name, one.version), format!("removed, was {}", part(&one)))));
    for (purl, new) in &after.components {
        let Some(old) = before.components.get(purl) else { continue };
        let words: Vec<_> = [role(old, new), gained(old, new)].into_iter().flatten().collect();
        if !words.is_empty() {
            changes.push((format!("{} {}", new.name, new.version), words.join(", ")));
        }
    }
    changes.sort();
    changes
}

fn part(component: &Component) -> &'static str {
    if component.is_linked { "linked" } else { "for the build only" }
}

/// That it takes another part than before.
fn role(old: &Component, new: &Component) -> Option<String> {
    (old.is_linked != new.is_linked).then(|| format!("{}, was {}", part(new), part(old)))
}

fn gained(old: &Component, new: &Component) -> Option<String> {
    let gained: Vec<_> = new.features.difference(&old.features).map(String::as_str).collect();
    (!gained.is_empty()).then(|| format!("with {}", gained.join(", ")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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
                json!({ "name": name, "version": version, "scope": scope, "purl": format!("pkg:cargo/{name}@{version}"), "properties": properties })
            })
            .collect();
        let text = json!({ "metadata": { "component": { "name": artifact } }, "components": parts }).to_string();
        Contents::read(text.as_bytes()).unwrap()
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
        let contents = Contents::read(&document.bytes).unwrap();
        assert!(contents.components.values().any(|one| one.is_linked && one.features.contains("std")));
        assert!(contents.components.values().any(|one| !one.is_linked));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            drop(Contents::read(&bytes));
        }
    }
}
