//! The one comment of a pull request that is ours: written once, then renewed in its place.

use serde_json::{Value, json};

use super::{Ask, Error, Host, TRIES, json as read};
use crate::base::http::Method;

const WHAT: &str = "the comment on the pull request";
const PERMISSION: &str = "pull-requests: write";
const PER_PAGE: usize = 100;
/// Later comments are not looked through.
const MAX_PAGES: usize = 20;
/// GitHub's limit of a comment, in characters.
pub const MAX_CHARACTERS: usize = 65_536;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Created,
    Updated,
    /// There was none to renew, and none was wanted.
    Nothing,
}

/// Renews the comment that begins with `marker`, or writes it: with `only_renew` only the former. `text` begins with the marker.
///
/// # Errors
/// The host refused, or did not answer.
pub fn put(host: &Host<'_>, number: u64, marker: &str, text: &str, only_renew: bool) -> Result<Done, Error> {
    let body = json!({ "body": text }).to_string();
    for attempt in 1.. {
        let (method, url, done) = match find(host, number, marker)? {
            Some(id) => (Method::Patch, host.url(&format!("issues/comments/{id}")), Done::Updated),
            None if only_renew => return Ok(Done::Nothing),
            None => (Method::Post, host.url(&format!("issues/{number}/comments")), Done::Created),
        };
        // A broken answer may come from a comment that was written: before it is tried again, it is looked for.
        let repeats = done == Done::Updated;
        let ask = Ask {
            what: WHAT,
            permission: PERMISSION,
            method,
            url: &url,
            body: Some(("application/json", body.as_bytes())),
            repeats,
        };
        match host.ask(&ask) {
            Err(Error::NoAnswer { .. }) if !repeats && attempt < TRIES => {
                std::thread::sleep(super::FIRST_PAUSE * attempt);
            }
            other => return other.map(|_| done),
        }
    }
    unreachable!("the last try returns")
}

/// The first one of ours. A token of Actions or of an app writes as a bot: what a person wrote with the same beginning is left alone.
fn find(host: &Host<'_>, number: u64, marker: &str) -> Result<Option<u64>, Error> {
    let writes_as_bot = host.token.starts_with("ghs_");
    for page in 1..=MAX_PAGES {
        let url = host.url(&format!("issues/{number}/comments?per_page={PER_PAGE}&page={page}"));
        let answer =
            host.ask(&Ask { what: WHAT, permission: PERMISSION, method: Method::Get, url: &url, body: None, repeats: true })?;
        let value = read(WHAT, &answer)?;
        let comments = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_ours = |comment: &&Value| {
            let is_person = comment.pointer("/user/type").and_then(Value::as_str) == Some("User");
            comment["body"].as_str().is_some_and(|body| body.starts_with(marker)) && !(writes_as_bot && is_person)
        };
        if let Some(id) = comments.iter().find(is_ours).and_then(|comment| comment["id"].as_u64()) {
            return Ok(Some(id));
        }
        if comments.len() < PER_PAGE {
            break;
        }
    }
    Ok(None)
}
