//! YAML as a tree with places, of files that others write: bounded in size and depth, aliases counted as what they stand for. Scalars are
//! text; what a plain scalar means (`true`, `42`) is the reader's.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, Span};

/// The largest file that is read, in bytes; GitHub refuses workflows far smaller than this.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The most nodes, aliases counted as often as they are used.
const MAX_NODES: usize = 100_000;

/// A value and where it begins (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub value: Value,
    pub line: u32,
    pub column: u32,
    /// Itself and all below it.
    nodes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(String),
    List(Vec<Rc<Node>>),
    /// In the order of the file.
    Map(Vec<(Rc<Node>, Rc<Node>)>),
}

/// Why a file is not read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Node {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Rc<Node>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Keys that are text, with their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Rc<Node>)> {
        let entries: &[_] = match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        };
        entries.iter().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        self.entries().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

/// Reads the first document of a file.
pub(super) fn parse(text: &str) -> Result<Rc<Node>, Error> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, the limit is {MAX_BYTES}", text.len());
        return Err(Error { line: 0, column: 0, message });
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| at(*error.marker(), format!("not valid YAML: {}", error.info())))?;
        if let Event::DocumentEnd = event {
            break;
        }
        builder.event(event, span)?;
    }
    builder.root.ok_or_else(|| Error { line: 0, column: 0, message: "the file is empty".into() })
}

fn at(marker: Marker, message: impl Into<String>) -> Error {
    let (line, column) = place(marker);
    Error { line, column, message: message.into() }
}

fn place(marker: Marker) -> (u32, u32) {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    (number(marker.line()), number(marker.col()).saturating_add(1))
}

#[derive(Default)]
struct Builder {
    /// What is open, outermost first.
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
}

struct Open {
    anchor: usize,
    start: Marker,
    is_map: bool,
    items: Vec<Rc<Node>>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                let (line, column) = place(span.start);
                self.add(Node { value: Value::Scalar(text.into_owned()), line, column, nodes: 1 }, anchor, span.start)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, span.start, false),
            Event::MappingStart(anchor, _) => self.begin(anchor, span.start, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(span.start),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.place(node, span.start),
                None => Err(at(span.start, "an alias stands within what it names")),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, start: Marker, is_map: bool) -> Result<(), Error> {
        if self.open.len() == MAX_DEPTH {
            return Err(at(start, format!("nested deeper than {MAX_DEPTH}")));
        }
        self.open.push(Open { anchor, start, is_map, items: Vec::new() });
        Ok(())
    }

    fn end(&mut self, end: Marker) -> Result<(), Error> {
        let Some(Open { anchor, start, is_map, items }) = self.open.pop() else { return Ok(()) };
        let nodes = items.iter().map(|item| item.nodes).sum::<usize>() + 1;
        let value = if is_map {
            let mut items = items.into_iter();
            let pair = || Some((items.next()?, items.next()?));
            Value::Map(std::iter::from_fn(pair).collect())
        } else {
            Value::List(items)
        };
        let (line, column) = place(start);
        self.add(Node { value, line, column, nodes }, anchor, end)
    }

    fn add(&mut self, node: Node, anchor: usize, marker: Marker) -> Result<(), Error> {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.place(node, marker)
    }

    fn place(&mut self, node: Rc<Node>, marker: Marker) -> Result<(), Error> {
        if node.nodes > MAX_NODES {
            return Err(at(marker, format!("more than {MAX_NODES} values, aliases counted as often as they are used")));
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_with_places_and_aliases() {
        let root = parse("a: 1\nlist:\n  - &x {k: v}\n  - *x\nrun: |\n  one\n  two\n").unwrap();
        assert_eq!(root.get("a").unwrap().text(), Some("1"));
        let list = root.get("list").unwrap().items();
        assert_eq!((list.len(), list[1].get("k").unwrap().text()), (2, Some("v")));
        assert_eq!((list[0].line, list[0].column), (3, 5));
        let run = root.get("run").unwrap();
        assert_eq!((run.text(), run.line), (Some("one\ntwo\n"), 6));
    }

    #[test]
    fn hostile_files_are_refused_where_they_are() {
        let bomb: String = (1..12).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
            format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "))
        });
        let deep = "[".repeat(100);
        for (text, line, message) in [
            ("a: [1", 2, "not valid YAML"),
            (bomb.as_str(), 5, "more than 100000 values"),
            (deep.as_str(), 1, "nested deeper than 64"),
            ("a: &a [*a]", 1, ""),
            ("", 0, "the file is empty"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.starts_with(message) && error.line <= line.max(1), "{error:?}");
        }
        assert!(parse(&" ".repeat(MAX_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in "\\PC{0,80}", yaml in "[-a:\\[\\]{}&*!|> \n\"']{0,60}") {
            let _ = parse(&text);
            let _ = parse(&yaml);
        }
    }
}
