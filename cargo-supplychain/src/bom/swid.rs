//! SWID tags (ISO/IEC 19770-2:2015, NISTIR 8060): one product, the files that it consists of, and links to its components.

use super::build::Builder;
use super::xml::Element;
use super::{Bom, Error, Format, Hash, Kind, Part, Party, Scope, Signature, Tool};

/// The namespace of the schema, in the spelling of the standard and in that of NIST's examples.
const NAMESPACES: [&str; 2] =
    ["http://standards.iso.org/iso/19770/-2/2015/schema.xsd", "http://standards.iso.org/iso/19770/-2/2015-current/schema.xsd"];

/// Reads a tag.
pub(super) fn read(root: &Element) -> Result<Bom, Error> {
    let namespace = root.namespace().unwrap_or_default();
    if !NAMESPACES.contains(&namespace) {
        return Err(Error::at("SoftwareIdentity", format!("its namespace {namespace:?} is not {}", NAMESPACES[0])));
    }
    let required = |name: &str| {
        let value = root.attribute(name).filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| Error::at("SoftwareIdentity", format!("it has no `{name}`")))
    };
    let (name, tag) = (required("name")?, required("tagId")?);
    let mut builder = Builder::new(Format::Swid, "2015");
    let mut part = Part::new(Kind::Component, name);
    part.reference = tag.to_owned();
    part.identifiers.say(tag, str::to_owned);
    part.version.say(root.attribute("version").unwrap_or_default(), str::to_owned);
    for entity in root.all("Entity") {
        let party = Party {
            name: entity.attribute("name").unwrap_or_default().to_owned(),
            contact: entity.attribute("regid").filter(|id| *id != "invalid.unavailable").map(str::to_owned),
        };
        for role in entity.attribute("role").unwrap_or_default().split_whitespace() {
            match role {
                "tagCreator" => builder.bom.authors.say(&party.name, |_| party.clone()),
                "softwareCreator" => part.producers.say(&party.name, |_| party.clone()),
                _ => {}
            }
        }
    }
    builder.bom.serial = Some(tag.to_owned());
    builder.bom.version = root.attribute("tagVersion").map(str::to_owned);
    builder.bom.signature = root.child("Signature").map(|_| Signature::Enclosed);
    for meta in root.all("Meta") {
        if let Some(generator) = meta.attribute("generator") {
            builder.bom.tools.push(Tool { name: generator.to_owned(), version: None });
        }
    }
    part.scope = Scope::Included;
    // A corpus tag is about an installation package, every other one about what is installed: neither says how the list was made.
    let index = builder.add(part)?;
    builder.bom.subjects.extend(usize::try_from(index));
    for link in root.all("Link") {
        component(&mut builder, index, link)?;
    }
    for payload in root.all("Payload").chain(root.all("Evidence")) {
        builder.bom.timestamp = builder.bom.timestamp.or_else(|| payload.attribute("date").map(str::to_owned));
        files(&mut builder, root, payload, index)?;
    }
    Ok(builder.finish())
}

/// `component` and `requires` name other software: by its tag, or by a package URL.
fn component(builder: &mut Builder, of: u32, link: &Element) -> Result<(), Error> {
    let href = link.attribute("href").unwrap_or_default();
    if !matches!(link.attribute("rel"), Some("component" | "requires")) || href.is_empty() {
        return Ok(());
    }
    let to = match builder.find(href) {
        Some(known) => known,
        None => {
            let mut part = Part::new(Kind::Component, href);
            part.reference = href.to_owned();
            if let Some((name, version)) = super::listing::name_and_version(href) {
                part.name = name;
                part.version.values.extend(version);
                part.purls.push(href.to_owned());
            } else {
                part.identifiers.say(href.trim_start_matches("swid:"), str::to_owned);
            }
            builder.add(part)?
        }
    };
    builder.edge_between(of, to)
}

/// Files and folders of the payload. Names of folders do not matter to identity; digests do.
fn files(builder: &mut Builder, root: &Element, holder: &Element, of: u32) -> Result<(), Error> {
    for child in &holder.children {
        match child.local() {
            "Directory" => files(builder, root, child, of)?,
            "File" => {
                let mut part = Part::new(Kind::File, child.attribute("name").unwrap_or_default());
                part.parent = Some(of);
                part.file_name = Some(part.name.clone());
                part.version.say(child.attribute("version").unwrap_or_default(), str::to_owned);
                for (key, value) in &child.attributes {
                    let Some((prefix, "hash")) = key.split_once(':') else { continue };
                    let namespace = child.prefix(prefix).or_else(|| root.prefix(prefix)).unwrap_or(prefix);
                    let algorithm = namespace.rsplit(['#', '/']).next().unwrap_or(prefix);
                    part.hashes.say(value, |value| Hash::new(algorithm, value));
                }
                // What a file of the product hashes to is the digest of the product where it is the only one.
                builder.add(part)?;
            }
            _ => {}
        }
    }
    Ok(())
}
