//! What has become of the keys and certificates of an earlier trusted root: which of them today's do not hold any more, or have ended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::TrustRoots;
use crate::base::{Sha256, Timestamp};

/// A key or certificate of an earlier root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Rotated {
    /// `certificate authority`, `transparency log`, `certificate log` or `timestamp authority`.
    pub kind: &'static str,
    /// Its URL, where the root has one.
    pub name: String,
    /// SHA-256 of the key or certificate.
    pub sha256: Sha256,
    /// When it ended, by today's roots; none: they do not hold it at all.
    pub ended: Option<Timestamp>,
}

impl std::fmt::Display for Rotated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, name, sha256, ended } = self;
        let digest = sha256.to_string();
        write!(f, "{kind} {name} ({}…) ", &digest[..16])?;
        match ended {
            Some(time) => write!(f, "has ended {}", time.date()),
            None => f.write_str("is in no trusted root of today"),
        }
    }
}

type Anchors = BTreeMap<(&'static str, Sha256), (String, Option<Timestamp>)>;

fn anchors(roots: &TrustRoots) -> Anchors {
    let mut found = Anchors::new();
    for root in roots.iter() {
        let root = &root.parsed;
        let mut add = |kind, bytes: &[u8], name: &str, end: Option<Timestamp>| {
            // The one that ends last: a root may hold one twice.
            let one = found.entry((kind, Sha256::of(bytes))).or_insert_with(|| (name.to_owned(), end));
            one.1 = if one.1.is_none() || end.is_none() { None } else { one.1.max(end) };
        };
        for authority in &root.certificate_authorities {
            let end = authority.valid_for.and_then(|range| range.end).and_then(|end| Timestamp::from_unix(end.as_second()));
            for certificate in &authority.cert_chain.certificates {
                add("certificate authority", certificate.raw_bytes.as_bytes(), &authority.uri, end);
            }
        }
        for authority in &root.timestamp_authorities {
            let end = authority.valid_for.and_then(|range| range.end).and_then(|end| Timestamp::from_unix(end.as_second()));
            for certificate in &authority.cert_chain.certificates {
                add("timestamp authority", certificate.raw_bytes.as_bytes(), authority.uri.as_deref().unwrap_or("-"), end);
            }
        }
        for log in &root.tlogs {
            let end = log.public_key.valid_for.and_then(|range| range.end).and_then(|end| Timestamp::from_unix(end.as_second()));
            add("transparency log", log.public_key.raw_bytes.as_bytes(), &log.base_url, end);
        }
        for log in &root.ctlogs {
            let end = log.public_key.valid_for.and_then(|range| range.end).and_then(|end| Timestamp::from_unix(end.as_second()));
            add("certificate log", log.public_key.raw_bytes.as_bytes(), &log.base_url, end);
        }
    }
    found
}

/// What of `earlier` is not in `today`, or has got an end there that it did not have; sorted.
#[must_use]
pub fn rotated(earlier: &TrustRoots, today: &TrustRoots) -> Vec<Rotated> {
    let today = anchors(today);
    let changed = anchors(earlier).into_iter().filter_map(|((kind, sha256), (name, end))| match today.get(&(kind, sha256)) {
        None => Some(Rotated { kind, name, sha256, ended: None }),
        Some((_, ended)) if ended.is_some() && end.is_none() => Some(Rotated { kind, name, sha256, ended: *ended }),
        Some(_) => None,
    });
    let mut changed: Vec<_> = changed.collect();
    changed.sort();
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigstore_trust_root::{SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT};

    #[test]
    fn what_today_does_not_hold_has_rotated() {
        let parse = |text: &str| TrustRoots::parse("root", text.as_bytes()).unwrap();
        let public = parse(SIGSTORE_PRODUCTION_TRUSTED_ROOT);
        assert_eq!(rotated(&public, &public), []);
        assert_eq!(rotated(&public, &TrustRoots::embedded()), []);
        let gone = rotated(&public, &parse(SIGSTORE_GITHUB_TRUSTED_ROOT));
        let kinds: std::collections::BTreeSet<_> = gone.iter().map(|one| one.kind).collect();
        assert!(["certificate authority", "certificate log", "transparency log"].iter().all(|kind| kinds.contains(kind)));
        assert!(gone.iter().all(|one| one.ended.is_none() && one.to_string().ends_with("is in no trusted root of today")));
    }

    #[test]
    fn what_got_an_end_has_rotated() {
        let mut value: serde_json::Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
        value["tlogs"][0]["publicKey"]["validFor"] = serde_json::json!({ "start": "2021-01-12T11:53:27Z" });
        let open = TrustRoots::parse("a", value.to_string().as_bytes()).unwrap();
        value["tlogs"][0]["publicKey"]["validFor"]["end"] = "2026-01-01T00:00:00Z".into();
        let ended = TrustRoots::parse("b", value.to_string().as_bytes()).unwrap();
        let changed: Vec<_> = rotated(&open, &ended).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(changed.join("\n"), @"transparency log https://rekor.sigstore.dev (c0d23d6ad406973f…) has ended 2026-01-01");
        assert_eq!(rotated(&ended, &open), []);
    }
}
