//! From the text of one configuration file to its leaves, with their places. Pure; bounded in settings, key length and nesting
//! (the TOML parser's own limit of 80 levels), because the file is the repository's.

use toml::de::{DeTable, DeValue};

/// Most settings of one file.
const LEAVES_MAX: usize = 10_000;
/// Longest key, all its parts together, in bytes.
const KEY_MAX: usize = 4096;

/// One setting of a file. `line` and `column` count from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    pub(super) key: Vec<String>,
    pub(super) value: toml::Value,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Why a text could not be read. `line` 0: no place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) reason: String,
}

/// The settings of a configuration file, in the order of the file. A byte order mark is skipped, as cargo does.
pub(super) fn leaves(text: &str) -> Result<Vec<Leaf>, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let broken = |reason: &str, offset: Option<usize>| {
        let (line, column) = offset.map_or((0, 0), |offset| crate::base::span::line_column(text, offset));
        Broken { line, column, reason: reason.to_owned() }
    };
    let document =
        DeTable::parse(text).map_err(|error| broken(error.message().trim_end(), error.span().map(|span| span.start)))?;
    let mut found = Vec::new();
    flatten(document.get_ref(), &mut Vec::new(), &mut found).map_err(|(reason, offset)| broken(reason, Some(offset)))?;
    found.sort_by_key(|(offset, ..)| *offset);
    let mut places = Places { rest: text, offset: 0, line: 1, column: 1 };
    Ok(found
        .into_iter()
        .map(|(offset, key, value)| {
            let (line, column) = places.advance(offset);
            Leaf { key, value, line, column }
        })
        .collect())
}

type Found = Vec<(usize, Vec<String>, toml::Value)>;

fn flatten(table: &DeTable<'_>, prefix: &mut Vec<String>, found: &mut Found) -> Result<(), (&'static str, usize)> {
    for (key, value) in table {
        let offset = key.span().start;
        if prefix.iter().map(String::len).sum::<usize>() + key.get_ref().len() > KEY_MAX {
            return Err(("the key is longer than 4096 bytes", offset));
        }
        prefix.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => flatten(inner, prefix, found)?,
            leaf if found.len() < LEAVES_MAX => found.push((offset, prefix.clone(), without_secret(prefix, to_value(leaf)))),
            _ => return Err(("more than 10000 settings", offset)),
        }
        prefix.pop();
    }
    Ok(())
}

/// Tokens and secret keys of registries never enter the model (ARCHITECTURE.md, invariant 8).
fn without_secret(key: &[String], value: toml::Value) -> toml::Value {
    let of_registry = key.first().is_some_and(|first| first == "registry" || first == "registries");
    let is_secret = key.last().is_some_and(|last| last == "token" || last == "secret-key");
    if of_registry && is_secret { toml::Value::String("<redacted>".into()) } else { value }
}

fn to_value(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| toml::Value::String(number.to_string()), toml::Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| toml::Value::String(number.to_string()), toml::Value::Float)
        }
        DeValue::Boolean(truth) => toml::Value::Boolean(*truth),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(items) => toml::Value::Array(items.iter().map(|item| to_value(item.get_ref())).collect()),
        DeValue::Table(table) => {
            toml::Value::Table(table.iter().map(|(key, value)| (key.get_ref().to_string(), to_value(value.get_ref()))).collect())
        }
    }
}

/// Line and column of rising offsets, in one pass over the text.
struct Places<'t> {
    rest: &'t str,
    offset: usize,
    line: u32,
    column: u32,
}

impl Places<'_> {
    fn advance(&mut self, to: usize) -> (u32, u32) {
        let (passed, rest) = self.rest.split_at_checked(to.saturating_sub(self.offset)).unwrap_or((self.rest, ""));
        for character in passed.chars() {
            if character == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.offset += passed.len();
        self.rest = rest;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |leaf: Leaf| format!("{}:{} {} = {}", leaf.line, leaf.column, leaf.key.join("|"), leaf.value);
        leaves(text).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn every_form_of_a_table_becomes_leaves_with_places() {
        let text = "\u{feff}build.rustc = \"x\"\n[target.'cfg(unix)']\nrustflags = [\"a\", 'b']\n[env]\n'Ä' = { value = \"v\", force = true }\n\
                    [alias]\n[[include]]\npath = \"i.toml\"\n";
        assert_eq!(
            shown(text),
            [
                "1:7 build|rustc = \"x\"",
                "3:1 target|cfg(unix)|rustflags = [\"a\", \"b\"]",
                "5:9 env|Ä|value = \"v\"",
                "5:22 env|Ä|force = true",
                "6:2 alias = {}",
                "7:3 include = [{ path = \"i.toml\" }]",
            ]
        );
    }

    #[test]
    fn tokens_do_not_enter() {
        for text in ["registry.token = 'secret'", "[registries.corp]\ntoken = 'secret'", "registries.a.secret-key = 'secret'"] {
            assert!(!shown(text)[0].contains("secret\""), "{text}");
            assert!(shown(text)[0].contains("<redacted>"), "{text}");
        }
    }

    #[test]
    fn hostile_texts_are_refused() {
        let deep = format!("{} = 1", vec!["a"; 200_000].join("."));
        let arrays = format!("a = {}", "[".repeat(500_000));
        let long = format!("{} = 1", "k".repeat(5000));
        let many: String = (0..10_001).map(|n| format!("k{n:05} = 1\n")).collect();
        for (text, place, reason) in [
            ("a = 1\nb = = 2\n", (2, 5), ""),
            ("a = 1\na = 2\n", (2, 1), "duplicate key"),
            (&deep, (0, 0), "recursion limit"),
            (&arrays, (1, 0), "recurs"),
            (&long, (1, 1), "the key is longer than 4096 bytes"),
            (&many, (10_001, 1), "more than 10000 settings"),
        ] {
            let broken = leaves(text).unwrap_err();
            assert!(broken.reason.contains(reason), "{broken:?}");
            assert_eq!(broken.line, place.0, "{broken:?}");
            assert!(place.1 == 0 || broken.column == place.1, "{broken:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,64}|([a-c.\\[\\]={}\"',#\n 0-9]{0,64})") {
            if let Ok(found) = leaves(&text) {
                proptest::prop_assert!(found.windows(2).all(|pair| (pair[0].line, pair[0].column) <= (pair[1].line, pair[1].column)));
            }
        }
    }
}
