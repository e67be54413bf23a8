//! Files of a release on GitHub: added, never replaced (<https://docs.github.com/rest/releases/assets>).

use serde_json::Value;

use super::{Ask, Error, FIRST_PAUSE, Host, TRIES, json};
use crate::base::Sha256;
use crate::base::http::{Method, is_allowed, origin};
use crate::base::text::one_line;

const WHAT: &str = "the release's file";
const PERMISSION: &str = "contents: write";

/// A page of the list of files, and how many of them are read: GitHub allows a thousand files in a release.
const PER_PAGE: usize = 100;
const MAX_PAGES: usize = 10;

/// A release that files are added to.
#[derive(Debug)]
pub struct Release {
    id: u64,
    upload: String,
    present: Vec<Asset>,
}

/// A file that is there.
#[derive(Debug, Clone)]
struct Asset {
    id: u64,
    name: String,
    /// As far as the host tells it.
    digest: Option<String>,
    /// Not so: what an upload has left that broke off (`state: starter`), a file without content.
    is_whole: bool,
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
    let Some(id) = value["id"].as_u64() else {
        return Err(Error::NoAnswer { what: "the release", why: "the answer names no id".to_owned() });
    };
    let present = value["assets"].as_array().into_iter().flatten().filter_map(Asset::read).collect();
    Ok(Release { id, upload: upload.to_owned(), present })
}

impl Asset {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: value["id"].as_u64()?,
            name: value["name"].as_str()?.to_owned(),
            digest: value["digest"].as_str().map(str::to_owned),
            is_whole: value["state"].as_str().is_none_or(|state| state == "uploaded"),
        })
    }

    /// Whether it has these bytes. One with others, or of which that is not known, is not replaced.
    fn judged(&self, digest: &str) -> Result<Put, Error> {
        let why = match &self.digest {
            Some(present) if present == digest => return Ok(Put::Exists),
            Some(_) => "is there already with other bytes, and is not replaced",
            None => "is there already, the host tells no digest of it, and it is not replaced",
        };
        Err(Error::Refused { what: WHAT, status: 422, why: format!(": {} {why}", one_line(&self.name)) })
    }
}

/// Adds a file. One of the same name with the same bytes is told and is no error; with others it stays as it is. An upload whose answer was lost
/// may have been taken: before it is tried again, it is looked for.
///
/// # Errors
/// The host refused, or did not answer.
pub fn put(host: &Host<'_>, release: &Release, name: &str, bytes: &[u8]) -> Result<Put, Error> {
    let digest = format!("sha256:{}", Sha256::of(bytes));
    let mut found = release.present.iter().find(|one| one.name == name).cloned();
    for attempt in 1.. {
        match &found {
            Some(whole) if whole.is_whole => return whole.judged(&digest),
            Some(broken) => remove(host, broken)?,
            None => {}
        }
        let Err(error) = upload(host, release, name, bytes) else { return Ok(Put::Added) };
        let may_be_there = matches!(error, Error::NoAnswer { .. } | Error::Refused { status: 422, .. });
        if !may_be_there || attempt == TRIES {
            return Err(error);
        }
        found = look(host, release, name)?;
        match (&found, &error) {
            (None, Error::NoAnswer { .. }) => std::thread::sleep(FIRST_PAUSE * attempt),
            // Refused for another reason than its name.
            (None, _) => return Err(error),
            _ => {}
        }
    }
    unreachable!("the last try returns")
}

fn upload(host: &Host<'_>, release: &Release, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let url = format!("{}?name={}", release.upload, escaped(name));
    let body = Some(("application/octet-stream", bytes));
    let ask = Ask { what: WHAT, permission: PERMISSION, method: Method::Post, url: &url, body, repeats: false };
    host.ask(&ask).map(drop)
}

/// The file of a name, as the release is now.
fn look(host: &Host<'_>, release: &Release, name: &str) -> Result<Option<Asset>, Error> {
    for page in 1..=MAX_PAGES {
        let url = host.url(&format!("releases/{}/assets?per_page={PER_PAGE}&page={page}", release.id));
        let ask = Ask { what: WHAT, permission: PERMISSION, method: Method::Get, url: &url, body: None, repeats: true };
        let value = json(WHAT, &host.ask(&ask)?)?;
        let assets = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(found) = assets.iter().filter_map(Asset::read).find(|one| one.name == name) {
            return Ok(Some(found));
        }
        if assets.len() < PER_PAGE {
            break;
        }
    }
    Ok(None)
}

/// Takes away what an upload has left that broke off: it has no content, and keeps its name from the next one.
fn remove(host: &Host<'_>, broken: &Asset) -> Result<(), Error> {
    let url = host.url(&format!("releases/assets/{}", broken.id));
    let ask = Ask { what: WHAT, permission: PERMISSION, method: Method::Delete, url: &url, body: None, repeats: true };
    match host.ask(&ask) {
        // A try whose answer was lost has done it.
        Ok(_) | Err(Error::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
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
