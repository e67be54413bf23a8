//! Where in a registry: `registry/repository[:tag]` or `…@sha256:…`, with `oci://` before it or without. Pure.

use std::fmt;

use crate::base::Sha256;
use crate::base::http::is_loopback;

use super::Error;

/// A place in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `ghcr.io`, `localhost:5000`.
    pub registry: String,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Sha256>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@sha256:{digest}"),
            None => Ok(()),
        }
    }
}

impl Reference {
    /// Reads a reference; the error does not repeat it, since somebody may have put a password in.
    ///
    /// # Errors
    /// [`Error::Reference`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(Error::Reference)
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        let (registry, rest) = rest.split_once('/').ok_or("it names no repository")?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
                (rest, Some(digest.ok_or("after the @ stands no sha256: digest")?))
            }
            None => (rest, None),
        };
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err("its registry is no host[:port]");
        }
        if repository.len() > 255 || !repository.split('/').all(is_component) {
            return Err("its repository is no path of names of lower-case letters, digits, '.', '-' and '_'");
        }
        if !tag.is_none_or(is_tag) {
            return Err("its tag is not of letters, digits, '.', '-' and '_', 128 at most");
        }
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// `https://registry`; on this machine `http`.
    #[must_use]
    pub fn base(&self) -> String {
        let host = if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry };
        let plain = format!("http://{host}");
        if is_loopback(&plain) { plain } else { format!("https://{host}") }
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "1"));
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    !host.is_empty() && !host.starts_with('.') && is_name(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_component(text: &str) -> bool {
    let is_end = |end: Option<u8>| end.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    is_end(text.bytes().next()) && is_end(text.bytes().last()) && text.bytes().all(is_inner) && !text.contains("..")
}

/// Whether the text may be a tag.
pub(super) fn is_tag(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(is_inner) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_they_are_written() {
        let digest = Sha256::of(b"");
        for (text, base) in [
            ("oci://ghcr.io/owner/app", "https://ghcr.io"),
            ("oci://localhost:5000/app:1.0.0-x86_64", "http://localhost:5000"),
            ("oci://127.0.0.1:5000/a/b/c", "http://127.0.0.1:5000"),
            (&format!("oci://example.org/app:1@sha256:{digest}"), "https://example.org"),
            (&format!("oci://example.org/app@sha256:{digest}"), "https://example.org"),
            ("oci://docker.io/library/app", "https://registry-1.docker.io"),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.to_string().as_str(), reference.base().as_str()), (text, base));
        }
        assert_eq!(Reference::parse("ghcr.io/owner/app:1").unwrap(), Reference::parse("oci://ghcr.io/owner/app:1").unwrap());
        for text in [
            "app",
            "s3://bucket/app",
            "https://ghcr.io/owner/app",
            "oci://ghcr.io",
            "oci://ghcr.io/",
            "oci://user:secret@ghcr.io/app",
            "oci:///app",
            "oci://ghcr.io/App",
            "oci://ghcr.io/a//b",
            "oci://ghcr.io/../b",
            "oci://ghcr.io/a/-b",
            "oci://ghcr.io/a:",
            "oci://ghcr.io/a:-x",
            "oci://ghcr.io/a:x y",
            "oci://ghcr.io/a?x=1",
            "oci://ghcr.io/a@sha256:00",
            "oci://ghcr.io/a@md5:00",
            "oci://ghcr.io:0/a",
            "oci://ghcr.io:x/a",
            "oci://[::1]/a",
        ] {
            assert!(matches!(Reference::parse(text), Err(Error::Reference(_))), "{text}");
        }
    }
}
