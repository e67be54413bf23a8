//! XML of others as a small tree, bounded: depth, elements and attributes; no document type, no entities but the five of XML itself (an entity
//! of a document's own is how XML is made to read other files or to fill memory). Names are without their prefixes, namespaces are kept where
//! they say the format.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::json::{MAX_DEPTH, place};
use super::{Bom, Error, cyclonedx_xml, swid};

/// The most elements.
const MAX_ELEMENTS: usize = 1_500_000;
/// The most attributes of one element.
const MAX_ATTRIBUTES: usize = 64;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// As written, with its prefix.
    pub name: Box<str>,
    pub attributes: Vec<(Box<str>, String)>,
    pub children: Vec<Self>,
    pub text: String,
}

impl Element {
    /// The name without its prefix.
    pub(super) fn local(&self) -> &str {
        self.name.rsplit_once(':').map_or(&*self.name, |(_, local)| local)
    }

    /// The value of an attribute without a prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.as_str())
    }

    /// The children of a name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.local() == name)
    }

    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.local() == name)
    }

    /// The text of the first child of a name, without white space around it; `None` where there is none.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The namespace that an element's prefix, or its lack of one, stands for, as far as the element itself declares it.
    pub(super) fn namespace(&self) -> Option<&str> {
        match self.name.split_once(':') {
            Some((prefix, _)) => self.prefix(prefix),
            None => self.attribute("xmlns"),
        }
    }

    /// The namespace that the element declares for a prefix.
    pub(super) fn prefix(&self, prefix: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key.strip_prefix("xmlns:") == Some(prefix)).map(|(_, value)| value.as_str())
    }
}

/// Reads a bill of materials in XML.
pub(super) fn read(text: &str) -> Result<Bom, Error> {
    let root = tree(text)?;
    match root.local() {
        "bom" => cyclonedx_xml::read(&root),
        "SoftwareIdentity" => swid::read(&root),
        "RDF" => Err(Error::whole("SPDX in RDF/XML is not read: convert it to JSON or tag-value")),
        other => Err(Error::whole(format!(
            "it is XML, but its root `{other}` is neither CycloneDX's `bom` nor SWID's `SoftwareIdentity`"
        ))),
    }
}

/// The document as a tree.
pub(super) fn tree(text: &str) -> Result<Element, Error> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0_usize;
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let failed = |what: String| {
            let (line, column) = place(text.as_bytes(), start);
            Error::at(format!("line {line}, column {column}"), what)
        };
        let event = reader.read_event().map_err(|error| failed(error.to_string()))?;
        let done = match event {
            Event::Start(tag) | Event::Empty(tag) if open.len() >= MAX_DEPTH => {
                let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                return Err(failed(format!("`{name}` is nested deeper than {MAX_DEPTH} levels")));
            }
            Event::Start(tag) => {
                count += 1;
                open.push(element(&tag).map_err(failed)?);
                None
            }
            Event::Empty(tag) => {
                count += 1;
                Some(element(&tag).map_err(failed)?)
            }
            // That the names match is the library's to check.
            Event::End(_) => open.pop(),
            Event::Text(words) => {
                let words = words.decode().map_err(|error| failed(error.to_string()))?;
                add_text(&mut open, &words).map_err(failed)?;
                None
            }
            Event::CData(words) => {
                let words = words.decode().map_err(|error| failed(error.to_string()))?;
                add_text(&mut open, &words).map_err(failed)?;
                None
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| failed(error.to_string()))?;
                let one = character(&name).ok_or_else(|| failed(format!("the entity `&{name};` is not XML's own")))?;
                add_text(&mut open, one.encode_utf8(&mut [0; 4])).map_err(failed)?;
                None
            }
            Event::DocType(_) => return Err(failed("a document type is not read: it can name other files".to_owned())),
            Event::Eof => return Err(failed("the document ends before its root does".to_owned())),
            Event::Decl(declaration) => {
                check_encoding(declaration.encoding().and_then(Result::ok).as_deref()).map_err(failed)?;
                None
            }
            Event::Comment(_) | Event::PI(_) => None,
        };
        if count > MAX_ELEMENTS {
            return Err(failed(format!("more than {MAX_ELEMENTS} elements")));
        }
        if let Some(done) = done {
            match open.last_mut() {
                Some(outer) => outer.children.push(done),
                None => return nothing_behind(reader, text).map(|()| done),
            }
        }
    }
}

fn check_encoding(encoding: Option<&[u8]>) -> Result<(), String> {
    match encoding {
        Some(name) if !name.eq_ignore_ascii_case(b"utf-8") && !name.eq_ignore_ascii_case(b"us-ascii") => {
            Err(format!("the encoding {:?} is not read, UTF-8 is", String::from_utf8_lossy(name)))
        }
        _ => Ok(()),
    }
}

/// Behind the root there is nothing but comments and white space.
fn nothing_behind(mut reader: Reader<&[u8]>, text: &str) -> Result<(), Error> {
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let is_nothing = match reader.read_event() {
            Ok(Event::Eof) => return Ok(()),
            Ok(Event::Text(words)) => words.iter().all(u8::is_ascii_whitespace),
            Ok(Event::Comment(_) | Event::PI(_)) => true,
            _ => false,
        };
        if !is_nothing {
            let (line, column) = place(text.as_bytes(), start);
            return Err(Error::at(format!("line {line}, column {column}"), "something stands behind the root element"));
        }
    }
}

/// The element of a tag.
fn element(tag: &BytesStart<'_>) -> Result<Element, String> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(Box::from).map_err(|error| error.to_string());
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        attributes.push((text(attribute.key.as_ref())?, value.into_owned()));
        if attributes.len() > MAX_ATTRIBUTES {
            return Err(format!("more than {MAX_ATTRIBUTES} attributes"));
        }
    }
    Ok(Element { name: text(tag.name().as_ref())?, attributes, ..Element::default() })
}

fn add_text(open: &mut [Element], words: &str) -> Result<(), String> {
    match open.last_mut() {
        // What stands between elements is for people.
        Some(element) if element.text.is_empty() && words.trim().is_empty() => {}
        Some(element) => element.text.push_str(words),
        None if words.trim().is_empty() => {}
        None => return Err("text outside of the root element".to_owned()),
    }
    Ok(())
}

/// The character that a reference stands for (XML 1.0, sections 4.1 and 4.6).
fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|one| *one != '\0')
        }
    }
}
