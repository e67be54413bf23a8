//! The answers of the API (`crates.io`'s `EncodableCrate`, `EncodableOwner`, `EncodableVersion`; the Cargo book's "Web API" for owners).
//! Pure: bytes in, a part of the model out. What is not understood is an error, never a guess.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base::Timestamp;
use crate::model::registry::{Account, AuditAction, CrateRecord, Owner, OwnerKind, PublishedVersion, Publisher};

const UNREADABLE: &str = "answered what cannot be read";
const ANOTHER: &str = "answered about another crate";
/// No login, repository or URL is longer, in bytes.
const MAX_TEXT: usize = 2_000;
/// crates.io allows far fewer of each.
const MAX_OWNERS: usize = 1_000;
const MAX_ACTIONS: usize = 10_000;

/// Versions by number.
pub type Versions = BTreeMap<semver::Version, PublishedVersion>;

/// A page of versions.
#[derive(Debug)]
pub struct VersionsPage {
    pub versions: Versions,
    pub next: Page,
}

/// Whether more follows.
#[derive(Debug, PartialEq, Eq)]
pub enum Page {
    Last,
    /// The query of the next page, with its `?`.
    Next(String),
}

#[derive(Deserialize)]
struct CrateAnswer {
    #[serde(rename = "crate")]
    krate: RawCrate,
}

#[derive(Deserialize)]
struct RawCrate {
    name: String,
    #[serde(default)]
    repository: Option<String>,
    #[serde(default)]
    trustpub_only: Option<bool>,
}

#[derive(Deserialize)]
struct OwnersAnswer {
    users: Vec<RawOwner>,
}

#[derive(Deserialize)]
struct RawOwner {
    id: u64,
    login: String,
    #[serde(default)]
    kind: Option<OwnerKind>,
}

#[derive(Deserialize)]
struct VersionsAnswer {
    versions: Vec<RawVersion>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    next_page: Option<String>,
}

#[derive(Deserialize)]
struct RawVersion {
    #[serde(rename = "crate")]
    krate: String,
    num: semver::Version,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    yanked: bool,
    #[serde(default)]
    published_by: Option<RawUser>,
    #[serde(default)]
    trustpub_data: Option<RawTrusted>,
    #[serde(default)]
    repository: Option<String>,
    #[serde(default)]
    audit_actions: Vec<RawAction>,
}

#[derive(Deserialize)]
struct RawUser {
    id: u64,
    login: String,
    #[serde(default)]
    created_at: Option<Timestamp>,
}

/// GitHub names a `repository`, GitLab a `project_path`.
#[derive(Deserialize)]
struct RawTrusted {
    provider: String,
    #[serde(alias = "project_path")]
    repository: String,
}

#[derive(Deserialize)]
struct RawAction {
    action: String,
    #[serde(default)]
    user: Option<RawUser>,
    time: Timestamp,
}

/// `GET /api/v1/crates/NAME`, as a record without owners and versions.
pub fn krate(bytes: &[u8], name: &str) -> Result<CrateRecord, &'static str> {
    let answer: CrateAnswer = serde_json::from_slice(bytes).map_err(|_| UNREADABLE)?;
    // crates.io takes `-` and `_` and the case of letters for the same; a lockfile does not.
    if answer.krate.name != name {
        return Err(ANOTHER);
    }
    let RawCrate { repository, trustpub_only, .. } = answer.krate;
    let repository = repository.map(bounded).transpose()?;
    Ok(CrateRecord { repository, trusted_publishing_only: trustpub_only, owners: None, versions: BTreeMap::new() })
}

/// `GET /api/v1/crates/NAME/owners`, sorted by kind and id.
pub fn owners(bytes: &[u8]) -> Result<Vec<Owner>, &'static str> {
    let answer: OwnersAnswer = serde_json::from_slice(bytes).map_err(|_| UNREADABLE)?;
    if answer.users.len() > MAX_OWNERS {
        return Err(UNREADABLE);
    }
    let owner = |raw: RawOwner| -> Result<Owner, &'static str> {
        let kind = raw.kind.unwrap_or(if raw.login.contains(':') { OwnerKind::Team } else { OwnerKind::User });
        Ok(Owner { kind, id: raw.id, login: bounded(raw.login)? })
    };
    let mut owners = answer.users.into_iter().map(owner).collect::<Result<Vec<_>, _>>()?;
    owners.sort();
    owners.dedup_by_key(|owner| (owner.kind, owner.id));
    Ok(owners)
}

/// `GET /api/v1/crates/NAME/versions`, one page.
pub fn versions(bytes: &[u8], name: &str) -> Result<VersionsPage, &'static str> {
    let answer: VersionsAnswer = serde_json::from_slice(bytes).map_err(|_| UNREADABLE)?;
    let mut versions = BTreeMap::new();
    for raw in answer.versions {
        if raw.krate != name {
            return Err(ANOTHER);
        }
        if raw.audit_actions.len() > MAX_ACTIONS {
            return Err(UNREADABLE);
        }
        versions.insert(raw.num.clone(), published(raw)?);
    }
    let next = match answer.meta.next_page {
        None => Page::Last,
        Some(query) if is_query(&query) => Page::Next(query),
        Some(_) => return Err(UNREADABLE),
    };
    Ok(VersionsPage { versions, next })
}

fn published(raw: RawVersion) -> Result<PublishedVersion, &'static str> {
    let publisher = match (raw.trustpub_data, raw.published_by) {
        (Some(trusted), _) => {
            Publisher::Trusted { provider: bounded(trusted.provider)?, repository: bounded(trusted.repository)? }
        }
        (None, Some(user)) => Publisher::User(Account { id: user.id, login: bounded(user.login)?, created: user.created_at }),
        (None, None) => Publisher::Unknown,
    };
    let action = |raw: RawAction| -> Result<AuditAction, &'static str> {
        Ok(AuditAction { action: bounded(raw.action)?, user: raw.user.map(|user| user.id), time: raw.time })
    };
    Ok(PublishedVersion {
        publisher,
        published: raw.created_at,
        repository: raw.repository.map(bounded).transpose()?,
        yanked: raw.yanked,
        actions: raw.audit_actions.into_iter().map(action).collect::<Result<_, _>>()?,
    })
}

fn bounded(text: String) -> Result<String, &'static str> {
    if text.len() <= MAX_TEXT { Ok(text) } else { Err(UNREADABLE) }
}

/// A query and nothing else: it is put behind our own path.
fn is_query(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"?=&%._~+-".contains(&byte);
    text.starts_with('?') && text.len() <= MAX_TEXT && text.bytes().all(is_plain)
}
