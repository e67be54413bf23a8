//! Names that documents mint: identifiers derived from content, and locations that a reader elsewhere can resolve.

use std::borrow::Cow;

use crate::base::Sha256;
use crate::base::text::{plain, without_credentials};

/// A UUID of version 8 (RFC 9562, section 5.8) made of the first 16 bytes of the SHA-256 of `content`: the same content
/// always has the same identifier, another content another one.
pub(super) fn uuid(content: &[u8]) -> String {
    let digest = Sha256::of(content);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The `http(s)` URL without credentials, query and fragment, if it is one that any reader could resolve: plain RFC 3986
/// characters and a host name with a dot. Folders, single-label hosts and hostile text are no locations.
pub(super) fn public_url(url: &str) -> Option<String> {
    let url = without_credentials(url);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    let port = &host[name.len()..];
    let labels = name.split('.').collect::<Vec<_>>();
    let plain_label = |label: &&str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_host = labels.len() > 1
        && labels.iter().all(plain_label)
        && labels.last().is_some_and(|last| last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let is_port = port.is_empty() || (port.len() > 1 && port[1..].parse::<u16>().is_ok());
    (is_host && is_port && is_plain_path(&rest[host.len()..]) && url.len() <= 2048).then_some(url)
}

/// Unreserved characters, sub-delimiters, `:`, `@`, `/` and complete percent escapes (RFC 3986, section 3.3).
fn is_plain_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte),
    })
}

/// `text` with what XML 1.0 (section 2.2) has no way to write as the replacement character.
pub(super) fn xml_text(text: &str) -> Cow<'_, str> {
    let is_written = |one: char| matches!(one, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    match text.chars().all(is_written) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(|one| if is_written(one) { one } else { '\u{fffd}' }).collect()),
    }
}

/// A line of a text that others wrote, such as a licence: tabs and form feeds, which old ones have, are blanks.
pub(super) fn text_line(line: &str) -> String {
    plain(&line.replace(['\t', '\u{c}'], " ")).into_owned()
}

/// A setting that says something: a blank one is as good as none.
pub(super) fn stated(setting: Option<&String>) -> Option<&str> {
    setting.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// `name` as one part of a path of a release folder. A name that is not plain is cleaned and made unique by its digest.
pub(super) fn file_stem(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+');
    if !name.is_empty() && name.len() <= 100 && !name.starts_with(['.', '-']) && name.chars().all(is_plain) {
        return name.to_owned();
    }
    let cleaned: String = name.chars().filter(|&character| is_plain(character)).take(40).collect();
    let digest = Sha256::of(name).to_string();
    let cleaned = cleaned.trim_start_matches(['.', '-']);
    format!("{}-{}", if cleaned.is_empty() { "artifact" } else { cleaned }, &digest[..12])
}

/// The release number in what `rustc -vV` or `rustc -V` says: `1.95.0` of `rustc 1.95.0 (…)` or of `1.95.0`.
pub(super) fn rustc_release(rustc: &str) -> &str {
    rustc.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit())).unwrap_or(rustc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_8_and_follow_the_content() {
        // SHA-256 of the empty text begins e3b0c44298fc1c149afbf4c8996fb924.
        assert_eq!(uuid(b""), "e3b0c442-98fc-8c14-9afb-f4c8996fb924");
        assert_ne!(uuid(b"a"), uuid(b"b"));
    }

    #[test]
    fn only_locations_that_anybody_can_resolve() {
        for (url, expected) in [
            ("https://user:pw@example.org/a/b.git?x=1#y", Some("https://example.org/a/b.git")),
            ("https://example.org:8443/a%20b", Some("https://example.org:8443/a%20b")),
            ("https://localhost/a", None),
            ("file:///home/me/a", None),
            ("ssh://git@example.org/a", None),
            ("https://example.org/a b", None),
            ("https://example.org/a\nb", None),
            ("https://example.org/%zz", None),
            ("https://exa<mple.org/", None),
            ("https://192.168.0.1/a", None),
            ("https://example.org:/a", None),
            ("", None),
        ] {
            assert_eq!(public_url(url).as_deref(), expected, "{url:?}");
        }
    }

    #[test]
    fn file_names_stay_in_their_folder_and_apart() {
        assert_eq!(file_stem("rg"), "rg");
        assert_eq!(file_stem("tool-1.0_x86.tar.gz"), "tool-1.0_x86.tar.gz");
        let hostile = ["../x", "..\\x", "x\n", "-rf", ".", "..", "", "日本", "a/b", "ab/"];
        let stems: std::collections::BTreeSet<_> = hostile.into_iter().map(file_stem).collect();
        assert_eq!(stems.len(), hostile.len(), "{stems:?}");
        for stem in stems {
            assert!(!stem.contains(['/', '\\', '\n']) && !stem.starts_with(['.', '-']), "{stem}");
        }
    }

    #[test]
    fn xml_has_no_control_characters() {
        assert_eq!(xml_text("a\u{0}\u{1b}\u{ffff}\t日"), "a\u{fffd}\u{fffd}\u{fffd}\t日");
        assert!(matches!(xml_text("plain <&>"), Cow::Borrowed(_)));
    }

    #[test]
    fn releases_of_rustc() {
        assert_eq!(rustc_release("rustc 1.95.0 (f8297e351 2026-01-01)"), "1.95.0");
        assert_eq!(rustc_release("1.95.0-nightly"), "1.95.0-nightly");
        assert_eq!(rustc_release("custom"), "custom");
    }
}
