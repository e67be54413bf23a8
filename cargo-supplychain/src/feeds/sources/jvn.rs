//! JVN iPedia, its feed (RSS 1.0 as RDF, with the vocabulary `sec`): Japanese titles and ids, joined by CVE. Pure. One entry may be about many
//! CVEs, and the year of its id need not be theirs.

use std::collections::BTreeMap;

use xml::reader::{ParserConfig2, XmlEvent};

use super::{File, Parsed, json};
use crate::advisory::signals::{Japanese, is_cve};
use crate::base::Timestamp;
use crate::base::text::one_line;

/// Texts of entries that say nothing yet, are out of support or were removed.
const VOID: [&str; 3] = ["** 未確定 **", "** サポート外 **", "** 削除 **"];
const MAX_DEPTH: usize = 32;
/// The longest text and attribute that is kept, in bytes.
const MAX_TEXT: usize = 64 << 10;

#[derive(Default)]
struct Item {
    id: String,
    title: String,
    url: String,
    description: String,
    cves: Vec<String>,
}

pub(super) fn parse(files: &[File]) -> Result<Parsed, String> {
    let mut of_cve: BTreeMap<String, Vec<Japanese>> = BTreeMap::new();
    let (mut date, mut entries) = (None, 0);
    for file in files {
        let (items, day) = read(file).map_err(|why| format!("{}: {why}", file.name))?;
        date = date.max(day);
        for item in items.into_iter().filter(|item| !VOID.iter().any(|void| item.description.contains(void))) {
            entries += 1;
            let entry = Japanese { id: item.id, title: item.title, url: item.url };
            for cve in item.cves {
                of_cve.entry(cve).or_default().push(entry.clone());
            }
        }
    }
    if entries == 0 {
        return Err("there is no entry of JVN iPedia in it".to_owned());
    }
    let mut rows = BTreeMap::new();
    for (cve, mut list) in of_cve {
        list.sort();
        list.dedup();
        rows.insert(cve, json(&list)?);
    }
    Ok(Parsed { revision: None, date, entries, rows })
}

fn read(file: &File) -> Result<(Vec<Item>, Option<Timestamp>), String> {
    let mut config = ParserConfig2::new();
    config.max_data_length = MAX_TEXT;
    config.max_attribute_length = MAX_TEXT;
    config.max_attributes = 64;
    config.max_name_length = 256;
    config.max_entity_expansion_length = MAX_TEXT;
    config.max_entity_expansion_depth = 4;
    let (mut items, mut date) = (Vec::new(), None);
    let (mut item, mut open): (Option<Item>, Vec<String>) = (None, Vec::new());
    for event in config.create_reader(file.bytes.as_slice()) {
        match event.map_err(|error| format!("it is no XML that can be read: {}", one_line(&error.to_string())))? {
            XmlEvent::StartElement { name, attributes, .. } => {
                if open.len() >= MAX_DEPTH {
                    return Err(format!("it is nested deeper than {MAX_DEPTH}"));
                }
                let attribute =
                    |wanted: &str| attributes.iter().find(|one| one.name.local_name == wanted).map(|one| one.value.as_str());
                match (name.local_name.as_str(), &mut item) {
                    ("item", None) => item = Some(Item::default()),
                    ("references", Some(item)) if attribute("source") == Some("CVE") => {
                        item.cves.extend(attribute("id").filter(|id| is_cve(id)).map(str::to_owned));
                    }
                    _ => {}
                }
                open.push(name.local_name);
            }
            XmlEvent::EndElement { name } => {
                open.pop();
                if name.local_name == "item"
                    && let Some(item) = item.take()
                {
                    items.push(checked(item)?);
                }
            }
            XmlEvent::Characters(text) | XmlEvent::CData(text) => {
                let element = open.last().map(String::as_str).unwrap_or_default();
                match &mut item {
                    Some(item) => keep(item, element, &text),
                    None if element == "date" => date = date.max(time(&text)),
                    None => {}
                }
                if matches!(element, "modified" | "issued") {
                    date = date.max(time(&text));
                }
            }
            _ => {}
        }
    }
    Ok((items, date))
}

fn keep(item: &mut Item, element: &str, text: &str) {
    let place = match element {
        "title" => &mut item.title,
        "link" => &mut item.url,
        "description" => &mut item.description,
        "identifier" => &mut item.id,
        _ => return,
    };
    if place.len() + text.len() <= MAX_TEXT {
        place.push_str(text);
    }
}

fn checked(item: Item) -> Result<Item, String> {
    let number = item.id.strip_prefix("JVNDB-").and_then(|rest| rest.split_once('-'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match number.is_some_and(|(year, number)| year.len() == 4 && digits(year) && digits(number)) {
        true => Ok(item),
        false => Err(format!("an entry has no id of JVN iPedia: `{}`", one_line(&item.id.chars().take(40).collect::<String>()))),
    }
}

/// The feed writes times without seconds: `2023-01-05T12:02+09:00`.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let with_seconds = || Some(format!("{}:00{}", text.get(..16)?, text.get(16..)?));
    text.parse().ok().or_else(|| with_seconds()?.parse().ok())
}
