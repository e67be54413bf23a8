//! `evidence/`: the model and the feeds that a release was judged with, as data.

use super::Document;
use crate::advisory::FeedInfo;
use crate::model::Build;

/// `evidence/build.json`: the whole model of the build.
#[must_use]
pub fn build(build: &Build) -> Document {
    Document::json("evidence/build.json", "application/json", build)
}

/// `evidence/feeds.json`: name, revision, date and digest of every feed, sorted by name.
#[must_use]
pub fn feeds(feeds: &[FeedInfo]) -> Document {
    let mut sorted: Vec<_> = feeds.iter().collect();
    sorted.sort_by(|a, b| (&a.name, &a.origin, &a.revision).cmp(&(&b.name, &b.origin, &b.revision)));
    Document::json("evidence/feeds.json", "application/json", &sorted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::document::fixture;

    #[test]
    fn the_model_is_written_whole_and_always_the_same() {
        let model = fixture::build();
        let document = build(&model);
        let value: serde_json::Value = serde_json::from_slice(&document.bytes).unwrap();
        assert_eq!(value["components"].as_object().unwrap().len(), model.components.len());
        assert_eq!(value["resolved_only"][0], "pkg:cargo/winapi@0.3.9");
        assert_eq!(document.bytes.last(), Some(&b'\n'));
        assert_eq!(document, build(&model.clone()));
    }

    #[test]
    fn feeds_are_sorted() {
        let feed = |name: &str| FeedInfo {
            name: name.to_owned(),
            origin: "advisory-db".to_owned(),
            revision: None,
            date: None,
            sha256: Sha256::of(name),
            entries: 1,
        };
        assert_eq!(feeds(&[feed("rustsec"), feed("kev")]), feeds(&[feed("kev"), feed("rustsec")]));
        let value: serde_json::Value = serde_json::from_slice(&feeds(&[feed("rustsec"), feed("kev")]).bytes).unwrap();
        assert_eq!(value[0]["name"], "kev");
    }
}
