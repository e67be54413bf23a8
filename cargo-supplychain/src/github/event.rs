//! What started a run of GitHub Actions (<https://docs.github.com/actions/reference/events-that-trigger-workflows>), of which nothing is believed
//! that it does not say: a pull request of which it is not known where it comes from counts as a fork's. Pure.

use serde_json::Value;

/// What started the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    pub pull_request: Option<PullRequest>,
    /// Whether everybody may read the repository; unknown is no.
    pub is_public: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    pub number: Option<u64>,
    pub is_fork: bool,
    /// Full commit ids.
    pub base: Option<String>,
    pub head: Option<String>,
}

impl Event {
    /// Reads the payload of the event `name`.
    #[must_use]
    pub fn read(name: &str, payload: Option<&[u8]>) -> Self {
        let value: Value = payload.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        let text = |place: &str| value.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty());
        let is_public = match text("/repository/visibility") {
            Some(word) => word == "public",
            None => value.pointer("/repository/private").and_then(Value::as_bool) == Some(false),
        };
        let commit = |place: &str| text(place).filter(|text| is_commit(text)).map(str::to_owned);
        let is_request = name.starts_with("pull_request") || value.get("pull_request").is_some();
        let pull_request = is_request.then(|| {
            let places = ["/pull_request/head/repo/full_name", "/pull_request/base/repo/full_name"].map(text);
            let is_own = matches!(places, [Some(head), Some(base)] if head.eq_ignore_ascii_case(base));
            PullRequest {
                number: value.pointer("/pull_request/number").or_else(|| value.get("number")).and_then(Value::as_u64),
                is_fork: !is_own,
                base: commit("/pull_request/base/sha"),
                head: commit("/pull_request/head/sha"),
            }
        });
        Self { pull_request, is_public }
    }

    #[must_use]
    pub fn is_fork(&self) -> bool {
        self.pull_request.as_ref().is_some_and(|request| request.is_fork)
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pull_request_of_unknown_origin_is_a_forks() {
        let own = br#"{"repository":{"visibility":"public"},"number":5,"pull_request":{"number":5,
            "head":{"sha":"0123456789012345678901234567890123456789","repo":{"full_name":"O/r"}},
            "base":{"sha":"--help","repo":{"full_name":"o/r"}}}}"#;
        let event = Event::read("pull_request", Some(own));
        let request = event.pull_request.clone().unwrap();
        assert!(event.is_public && !event.is_fork());
        assert_eq!((request.number, request.base, request.head.map(|sha| sha.len())), (Some(5), None, Some(40)));
        let fork = String::from_utf8(own.to_vec()).unwrap().replace("O/r", "x/r");
        assert!(Event::read("pull_request", Some(fork.as_bytes())).is_fork());
        assert!(Event::read("anything", Some(fork.as_bytes())).is_fork());
        for payload in [None, Some(&b"{"[..]), Some(b"[]"), Some(b"{\"pull_request\":{\"head\":{\"repo\":null}}}")] {
            assert!(Event::read("pull_request_target", payload).is_fork(), "{payload:?}");
            assert!(!Event::read("pull_request", payload).is_public);
        }
        let push = Event::read("push", Some(b"{\"repository\":{\"private\":false}}"));
        assert_eq!(push, Event { pull_request: None, is_public: true });
        assert_eq!(Event::read("push", None), Event::default());
    }

    proptest! {
        #[test]
        fn any_payload_is_read_without_a_panic(payload: Vec<u8>, name in "pull_request|push|[a-z_]*") {
            let event = Event::read(&name, Some(&payload));
            prop_assert!(!name.starts_with("pull_request") || event.pull_request.is_some());
        }
    }
}
