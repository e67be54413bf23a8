//! Who made what a bill of materials lists, as far as somebody says so.

use super::identity::{public_url, stated};
use crate::base::text::one_line;

/// Who made it: exactly one statement (CISA 2026 minimum elements, "Component Producer"). Owners of a registry account are not producers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Producer {
    /// The policy names it; `contact` is an address or a URL.
    Configured {
        name: String,
        contact: Option<Contact>,
    },
    /// Those whom the manifest names, at least one.
    Authors(Vec<Author>),
    /// The project, by the repository that the manifest declares.
    Project {
        name: String,
        url: String,
    },
    /// Known without being asked: the toolchain's.
    Known(&'static str, &'static str),
    Unknown,
}

impl Producer {
    /// For the property `producer`.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Configured { .. } => "configured",
            Self::Authors(_) => "declared-authors",
            Self::Project { .. } => "declared-repository",
            Self::Known(..) => "known",
            Self::Unknown => "unknown",
        }
    }
}

/// Where somebody is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Contact {
    Email(String),
    Url(String),
}

impl Contact {
    /// A setting: an address, or a URL that anybody can resolve; anything else is no contact.
    pub(super) fn of(setting: Option<&String>) -> Option<Self> {
        let text = stated(setting)?;
        match public_url(text) {
            Some(url) => Some(Self::Url(url)),
            None => is_address(text).then(|| Self::Email(text.to_owned())),
        }
    }
}

/// Somebody whom a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Author {
    pub name: String,
    pub email: Option<String>,
}

impl Author {
    /// `Name <address>` of a manifest. What does not look like an address stays part of the name.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, email) = match text.strip_suffix('>').and_then(|rest| rest.split_once('<')) {
            Some((name, email)) if is_address(email) && !name.trim().is_empty() => (name.trim(), Some(email.to_owned())),
            _ => (text, None),
        };
        (!name.is_empty()).then(|| Self { name: one_line(name), email })
    }
}

/// The format `idn-email` of JSON Schema, narrowed to what no reader stumbles over.
fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    text.len() <= 254 && text.split_once('@').is_some_and(|(user, host)| plain(user) && plain(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_names_with_addresses() {
        for (text, name, email) in [
            ("A B <a@example.org>", "A B", Some("a@example.org")),
            ("<a@example.org>", "<a@example.org>", None),
            ("A <not an address>", "A <not an address>", None),
            ("A\n B <a@b..c>", "A B <a@b..c>", None),
        ] {
            assert_eq!(Author::read(text), Some(Author { name: name.to_owned(), email: email.map(str::to_owned) }), "{text:?}");
        }
        assert_eq!(Author::read(" \n"), None);
    }

    #[test]
    fn contacts_are_addresses_or_locations() {
        let of = |text: &str| Contact::of(Some(&text.to_owned()));
        assert_eq!(of(" sbom@example.org "), Some(Contact::Email("sbom@example.org".to_owned())));
        assert_eq!(of("https://example.org/contact"), Some(Contact::Url("https://example.org/contact".to_owned())));
        assert_eq!(of("call me"), None);
        assert_eq!(Contact::of(None), None);
    }
}
