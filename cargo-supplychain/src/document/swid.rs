//! A software identification tag (ISO/IEC 19770-2:2015) of one released file, as NISTIR 8060 wants a primary tag: who made tag and
//! software, the file with size and digest, the licence and what it is made of.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};

use super::identity::{self, xml_text};
use super::part::{self, Part};
use super::producer::{Contact, Producer};
use super::sbom::Subject;
use super::{Document, Error, TOOL_VERSION};
use crate::base::text::one_line;
use crate::document::identity::stated;
use crate::model::licence::Declared;

/// The media type that RFC 8412 uses.
pub const MEDIA_TYPE: &str = "application/swid+xml";

const NAMESPACE: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
/// Names the digest's algorithm (NISTIR 8060, section 4.3).
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// The standard's own word for an entity without a registered name.
const NO_REGID: &str = "invalid.unavailable";

type Out = Writer<Vec<u8>>;

/// `sbom/<artifact>.swidtag`.
pub(super) fn document(subject: &Subject<'_>) -> Result<Document, Error> {
    let artifact = subject.artifact;
    let Some(file) = &artifact.file else {
        return Err(Error::NotBuilt { format: "swid", artifact: artifact.name.clone() });
    };
    let inventory = subject.inventory()?;
    let main = part::artifact(subject, &inventory);
    let version = main.version.clone().unwrap_or_default();
    let unique = format!("{}\n{version}\n{}", main.reference, file.sha256);
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    event(&mut out, Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let root = start(
        "SoftwareIdentity",
        &[
            ("xmlns", NAMESPACE),
            ("xmlns:SHA256", SHA256),
            ("xml:lang", "en"),
            ("name", &main.name),
            ("tagId", &identity::uuid(unique.as_bytes())),
            ("tagVersion", "0"),
            ("version", &version),
            ("versionScheme", if semver::Version::parse(&version).is_ok() { "semver" } else { "unknown" }),
        ],
    );
    event(&mut out, Event::Start(root));
    entities(&mut out, subject, &main);
    links(&mut out, subject, &inventory, &main);
    let generator = format!("cargo-supplychain {TOOL_VERSION}");
    let mut meta = start("Meta", &[("generator", &generator), ("product", &main.name), ("colloquialVersion", &version)]);
    if let Some(description) = &main.description {
        meta.push_attribute(("summary", &*xml_text(description)));
    }
    event(&mut out, Event::Empty(meta));
    event(&mut out, Event::Start(BytesStart::new("Payload")));
    let (size, digest) = (file.size.to_string(), file.sha256.to_string());
    let payload = start("File", &[("name", &one_line(&file.name)), ("size", &size), ("SHA256:hash", &digest)]);
    event(&mut out, Event::Empty(payload));
    event(&mut out, Event::End(BytesEnd::new("Payload")));
    event(&mut out, Event::End(BytesEnd::new("SoftwareIdentity")));
    let text = String::from_utf8(out.into_inner()).expect("what was written is text") + "\n";
    Ok(Document::text(format!("sbom/{}.swidtag", identity::file_stem(&artifact.name)), MEDIA_TYPE, text))
}

fn event(out: &mut Out, event: Event<'_>) {
    out.write_event(event).expect("writing to memory cannot fail");
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for &(name, value) in attributes {
        start.push_attribute((name, &*xml_text(value)));
    }
    start
}

/// The creator of the tag is the author of the SBOMs; who made the software is the producer. One element where they are the same.
fn entities(out: &mut Out, subject: &Subject<'_>, main: &Part<'_>) {
    let settings = subject.settings;
    let author = stated(settings.author.as_ref()).map_or_else(|| "unknown".to_owned(), one_line);
    let author_regid = regid(Contact::of(settings.author_contact.as_ref()).as_ref());
    let producer = match &main.producer {
        Producer::Configured { name, contact } => Some((name.clone(), regid(contact.as_ref()))),
        Producer::Project { name, url } => Some((name.clone(), regid(Some(&Contact::Url(url.clone()))))),
        Producer::Known(name, url) => Some(((*name).to_owned(), regid(Some(&Contact::Url((*url).to_owned()))))),
        Producer::Authors(authors) => {
            Some((authors.iter().map(|author| author.name.as_str()).collect::<Vec<_>>().join(", "), NO_REGID.to_owned()))
        }
        Producer::Unknown => None,
    };
    let entity = |out: &mut Out, name: &str, regid: &str, role: &str| {
        event(out, Event::Empty(start("Entity", &[("name", name), ("regid", regid), ("role", role)])));
    };
    match producer {
        Some((name, _)) if name == author => entity(out, &author, &author_regid, "tagCreator softwareCreator"),
        Some((name, regid)) => {
            entity(out, &author, &author_regid, "tagCreator");
            entity(out, &name, &regid, "softwareCreator");
        }
        None => {
            entity(out, &author, &author_regid, "tagCreator");
            entity(out, "unknown", NO_REGID, "softwareCreator");
        }
    }
}

/// The domain of an address or a URL: a registered name of an entity (ISO/IEC 19770-2, `regid`).
fn regid(contact: Option<&Contact>) -> String {
    let domain = match contact {
        Some(Contact::Email(email)) => email.split('@').next_back(),
        Some(Contact::Url(url)) => url.split('/').nth(2).and_then(|host| host.split(':').next()),
        None => None,
    };
    domain.filter(|domain| !domain.is_empty()).unwrap_or(NO_REGID).to_owned()
}

/// The licence, the repository, what is linked in, and what the system has to bring.
fn links(out: &mut Out, subject: &Subject<'_>, inventory: &super::inventory::Inventory<'_>, main: &Part<'_>) {
    let mut link = |rel: &str, href: &str| event(out, Event::Empty(start("Link", &[("rel", rel), ("href", href)])));
    if let Declared::Expression { text, .. } = &main.licence
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    {
        // A single licence has a page; an expression has none.
        link("license", &format!("https://spdx.org/licenses/{text}.html"));
    }
    if let Some(url) = &main.repository {
        link("see-also", url);
    }
    for entry in inventory.entries.iter().filter(|entry| entry.is_linked) {
        link("component", &entry.part.purl);
    }
    for library in inventory.native.values().flatten() {
        let library = part::native(library);
        if let Some(purl) = &library.purl {
            link(if library.is_external { "requires" } else { "component" }, purl);
        }
    }
    if super::inventory::has_standard_library(subject.artifact)
        && let Some(purl) = part::standard_library(&subject.build.toolchain).purl
    {
        link("component", &purl);
    }
}

#[cfg(test)]
mod tests;
