//! Files of a release on GitHub: added, never replaced.

use super::{Ask, Error, Host, json};
use crate::base::Sha256;
use crate::base::http::{Method, is_allowed, origin};

const WHAT: &str = "the release's file";
const PERMISSION: &str = "contents: write";

/// A release that files are added to.
#[derive(Debug)]
pub struct Release {
    upload: String,
    /// Name and digest of what is there, as far as the host tells it.
    present: Vec<(String, Option<String>)>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Added,
    /// The same bytes were there.
    Exists,
}

/// The release of a tag, also one that is still a draft.
///
/// # Errors
/// There is none, or the host does not say.
pub fn release(host: &Host<'_>, tag: &str) -> Result<Release, Error> {
    let get = |url: &str| {
        host.ask(&Ask { what: "the release", permission: PERMISSION, method: Method::Get, url, body: None, repeats: true })
    };
    let value = match get(&host.url(&format!("releases/tags/{}", escaped(tag)))) {
        Ok(answer) => json("the release", &answer)?,
        // A draft has no tag yet that it is found by.
        Err(Error::Refused { status: 404, .. }) => {
            let all = json("the release", &get(&host.url("releases?per_page=100"))?)?;
            let drafts = all.as_array().into_iter().flatten();
            let draft = drafts.into_iter().find(|one| one["tag_name"].as_str() == Some(tag)).cloned();
            draft.ok_or_else(|| Error::Refused {
                what: "the release",
                status: 404,
                why: ": no release has this tag".to_owned(),
            })?
        }
        Err(error) => return Err(error),
    };
    let upload = value["upload_url"].as_str().unwrap_or_default();
    let upload = upload.split('{').next().unwrap_or_default();
    if !is_the_hosts(&host.api, upload) {
        let why = "the answer names no address of the host's for its files".to_owned();
        return Err(Error::NoAnswer { what: "the release", why });
    }
    let present = value["assets"].as_array().into_iter().flatten();
    let present = present.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["digest"].as_str().map(str::to_owned))));
    Ok(Release { upload: upload.to_owned(), present: present.collect() })
}

/// Adds a file. One of the same name with the same bytes is told and is no error; with others it stays as it is.
///
/// # Errors
/// The host refused, or did not answer.
pub fn put(host: &Host<'_>, release: &Release, name: &str, bytes: &[u8]) -> Result<Put, Error> {
    if let Some((_, digest)) = release.present.iter().find(|(present, _)| present == name) {
        if digest.as_deref() == Some(format!("sha256:{}", Sha256::of(bytes)).as_str()) {
            return Ok(Put::Exists);
        }
        let why = format!(": {name} is there already with other bytes, and is not replaced");
        return Err(Error::Refused { what: WHAT, status: 422, why });
    }
    let url = format!("{}?name={}", release.upload, escaped(name));
    let body = Some(("application/octet-stream", bytes));
    host.ask(&Ask { what: WHAT, permission: PERMISSION, method: Method::Post, url: &url, body, repeats: true })?;
    Ok(Put::Added)
}

/// Whether a token may be sent there: the API itself, or `uploads.` beside its `api.`.
fn is_the_hosts(api: &str, upload: &str) -> bool {
    let beside = api.replacen("://api.", "://uploads.", 1);
    is_allowed(upload) && origin(upload).is_some_and(|place| Some(place) == origin(api) || Some(place) == origin(&beside))
}

/// One part of a path, or a value of a query.
fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_the_host_alone() {
        for (api, upload, is_it) in [
            ("https://api.github.com", "https://uploads.github.com/repos/o/r/releases/1/assets", true),
            ("https://ghe.example.org/api/v3", "https://ghe.example.org/api/uploads/repos/o/r/releases/1/assets", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/u", true),
            ("https://api.github.com", "https://uploads.github.com.evil.example/x", false),
            ("https://api.github.com", "http://uploads.github.com/x", false),
            ("https://api.github.com", "", false),
        ] {
            assert_eq!(is_the_hosts(api, upload), is_it, "{api} {upload}");
        }
        assert_eq!(escaped("v1.0 +/ä"), "v1.0%20%2B%2F%C3%A4");
    }
}
