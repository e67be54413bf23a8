//! What GitHub's API for attestations answers (<https://docs.github.com/rest/repos/attestations>), read as words of a stranger: pages of
//! attestations, the way to the next page, and bundles compressed with Snappy. Pure.

use serde_json::Value;

use crate::attest::{MAX_BUNDLE_BYTES, strict_json};

/// Attestations that are asked for at once, the most that the API gives.
pub const PER_PAGE: usize = 100;
/// Most values of a page; a bundle has about a hundred.
const MAX_VALUES: usize = 500_000;
/// Longest query of a next page.
const MAX_QUERY: usize = 1024;

/// Where the bundle of an attestation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bundle itself, JSON, where the page holds it.
    pub inline: Option<Vec<u8>>,
    /// Where it can be fetched, where the page says so. Any address that the server likes.
    pub url: Option<String>,
}

/// Reads a page.
///
/// # Errors
/// What is wrong with it, a fragment.
pub fn page(bytes: &[u8]) -> Result<Vec<Place>, &'static str> {
    const WRONG: &str = "answered no list of attestations";
    let value = strict_json::parse_within(bytes, MAX_VALUES).map_err(|_| WRONG)?;
    let list = value.get("attestations").and_then(Value::as_array).ok_or(WRONG)?;
    if list.len() > PER_PAGE {
        return Err("answered more attestations than were asked for");
    }
    list.iter().map(place).collect()
}

fn place(one: &Value) -> Result<Place, &'static str> {
    let bundle = one.get("bundle").filter(|bundle| bundle.is_object());
    let url = one.get("bundle_url").and_then(Value::as_str).filter(|url| !url.is_empty());
    if bundle.is_none() && url.is_none() {
        return Err("answered an attestation without a bundle");
    }
    Ok(Place { inline: bundle.map(|bundle| bundle.to_string().into_bytes()), url: url.map(str::to_owned) })
}

/// The query of the next page, from a `Link` header (RFC 8288): to be put behind our own path, whatever server and path stand before it.
///
/// # Errors
/// There is a next page, and its query is none.
pub fn next_query(link: &str) -> Result<Option<String>, &'static str> {
    let is_next = |parameters: &str| parameters.split(';').any(|one| matches!(one.trim(), "rel=\"next\"" | "rel=next"));
    let target = link.split('<').find_map(|part| {
        let (target, rest) = part.split_once('>')?;
        is_next(rest.split(',').next()?).then_some(target)
    });
    let Some(target) = target else { return Ok(None) };
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%=&+:".contains(&byte);
    if query.is_empty() || query.len() > MAX_QUERY || !query.bytes().all(is_plain) {
        return Err("named a next page that cannot be asked for");
    }
    Ok(Some(format!("?{query}")))
}

/// The JSON of a bundle that was fetched: as it is, or compressed with Snappy (one block without frames).
///
/// # Errors
/// It is neither, or is too large.
pub fn bundle(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "answered no bundle";
    if bytes.trim_ascii_start().starts_with(b"{\"") {
        return Ok(bytes.to_vec());
    }
    // The length stands in front; it is believed up to the bound only.
    let length = snap::raw::decompress_len(bytes).map_err(|_| WRONG)?;
    if length > MAX_BUNDLE_BYTES {
        return Err("answered a bundle that is too large");
    }
    // A block cannot become more than this from what it has: room for more is not made for a few bytes that promise it.
    if length > bytes.len().saturating_mul(MAX_RATIO) {
        return Err(WRONG);
    }
    snap::raw::Decoder::new().decompress_vec(bytes).map_err(|_| WRONG)
}

/// Snappy's copies of three bytes give 64.
const MAX_RATIO: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_hold_bundles_or_say_where_they_are() {
        let text = br#"{"attestations":[{"bundle":{"a":1},"repository_id":1,"bundle_url":""},
            {"bundle":null,"bundle_url":"https://x/y"},{"bundle":{"b":"2"},"bundle_url":"https://x/z"}]}"#;
        let places = page(text).unwrap();
        let shown: Vec<_> = places.iter().map(|one| (one.inline.as_deref(), one.url.as_deref())).collect();
        let expected =
            [(Some(&b"{\"a\":1}"[..]), None), (None, Some("https://x/y")), (Some(&b"{\"b\":\"2\"}"[..]), Some("https://x/z"))];
        assert_eq!(shown, expected);
        assert_eq!(page(br#"{"attestations":[]}"#), Ok(vec![]));
        let many = format!("{{\"attestations\":[{}]}}", vec!["{\"bundle\":{}}"; PER_PAGE + 1].join(","));
        for bad in [
            "",
            "{}",
            "[]",
            "{\"attestations\":{}}",
            "{\"attestations\":[{}]}",
            "{\"attestations\":[],\"attestations\":[]}",
            &many,
        ] {
            assert!(page(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_query_of_a_next_page_is_taken() {
        let next = "<https://evil.example/x?per_page=100&after=Y3%3D>; rel=\"next\"";
        for (link, expected) in [
            (next, Ok(Some("?per_page=100&after=Y3%3D"))),
            (&format!("<https://x/?before=1>; rel=\"prev\", {next}"), Ok(Some("?per_page=100&after=Y3%3D"))),
            ("<https://x/?after=1>; rel=\"last\"", Ok(None)),
            ("", Ok(None)),
            ("<>; rel=\"next\"", Err(())),
            ("<https://x/?a b>; rel=\"next\"", Err(())),
            ("<https://x/?a#b>; rel=\"next\"", Err(())),
            ("<https://x/?a\r\nx: y>; rel=\"next\"", Err(())),
        ] {
            assert_eq!(next_query(link).map_err(|_| ()), expected.map(|query| query.map(str::to_owned)), "{link}");
        }
    }

    #[test]
    fn bundles_come_plain_or_compressed_and_never_larger_than_they_may() {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(5000)).into_bytes();
        let packed = snap::raw::Encoder::new().compress_vec(&text).unwrap();
        assert!(packed.len() < 1000);
        assert_eq!(bundle(&packed), Ok(text.clone()));
        assert_eq!(bundle(&text), Ok(text.clone()));
        // A length of 4 GB in five bytes, one of 23 MB, a cut block, nothing.
        for bad in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0x80, 0x80, 0x80, 0x0b, 0], &packed[..packed.len() - 1], b""] {
            assert!(bundle(bad).is_err(), "{bad:?}");
        }
        let huge = snap::raw::Encoder::new().compress_vec(&vec![b' '; MAX_BUNDLE_BYTES + 1]).unwrap();
        assert_eq!(bundle(&huge), Err("answered a bundle that is too large"));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
            let _ = (page(&bytes), bundle(&bytes), next_query(&text));
        }
    }
}
