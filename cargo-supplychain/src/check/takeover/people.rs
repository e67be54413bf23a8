//! The signals about people: S1, S2, S3, S11, S12. From the registry's API and the baseline.

use super::{Answer, Evidence, NEW_OWNER_DAYS, NOT_THERE, YOUNG_ACCOUNT_DAYS, points, there, unknown};
use crate::check::publishers::{Identity, Newness, brief, shown};
use crate::model::baseline::KnownOwner;
use crate::model::registry::{Account, Owner, OwnerKind, PublishedVersion, Publisher};

/// The account that published the release; `Err`: not known.
fn account<'e>(evidence: &'e Evidence<'_, '_>) -> Result<Option<&'e Account>, Answer> {
    match publisher(evidence)? {
        Publisher::User(account) => Ok(Some(account)),
        Publisher::Trusted { .. } => Ok(None),
        Publisher::Unknown => Err(NOT_THERE),
    }
}

fn publisher<'e>(evidence: &'e Evidence<'_, '_>) -> Result<&'e Publisher, Answer> {
    let version = &evidence.step.release.version;
    let published = evidence.publications.version(version).map(|published| &published.publisher);
    // S1 says that it is not known; the others have nothing to add.
    published.ok_or(NOT_THERE)
}

/// S1: the publisher never published this crate before.
pub(super) fn s1_new_publisher(evidence: &Evidence<'_, '_>) -> Answer {
    let version = &evidence.step.release.version;
    let published = evidence.publications.version(version).filter(|published| published.publisher != Publisher::Unknown);
    let Some(published) = published else { return unknown(format!("publisher of {version}")) };
    match evidence.publications.newness(evidence.facts, evidence.walk, version) {
        Newness::Known => NOT_THERE,
        Newness::New => {
            let says = format!("published by {}, who never published this crate before", shown(&published.publisher));
            there(1, points::NEW_PUBLISHER, says)
        }
        Newness::Unknown => match evidence.step.against {
            Some(against) => unknown(format!("publisher of {}", against.version)),
            None => NOT_THERE,
        },
    }
}

/// S2: the publisher is no owner, or an owner first seen less than 90 days before the release.
pub(super) fn s2_new_owner(evidence: &Evidence<'_, '_>) -> Answer {
    let account = match account(evidence) {
        Ok(Some(account)) => account,
        Ok(None) => return NOT_THERE,
        Err(answer) => return answer,
    };
    let owners = evidence.publications.record.and_then(|record| record.owners.as_ref());
    let Some(owners) = owners else { return unknown("owners") };
    let login = brief(&account.login);
    let is_publisher = |owner: &Owner| owner.kind == OwnerKind::User && owner.id == account.id;
    if !owners.iter().any(is_publisher) {
        // A member of a team that owns the crate publishes without being an owner, and the registry does not say who is a member.
        if owners.iter().any(|owner| owner.kind == OwnerKind::Team) {
            return unknown(format!("whether {login} is in a team that owns it"));
        }
        return there(2, points::NEW_OWNER, format!("{login} is not an owner of the crate"));
    }
    let known = evidence.publications.known.and_then(|known| known.owners.as_ref());
    let Some(known) = known.filter(|known| !known.is_empty()) else { return unknown("since when each owner is one") };
    let Some(seen) = known.iter().find(|known| is_publisher(&known.owner)) else {
        return there(2, points::NEW_OWNER, format!("{login} is an owner that the baseline does not know"));
    };
    new_in_baseline(evidence, known, seen, &login)
}

/// Whoever was there when the baseline began may be an owner for years; who came later was first seen when it says.
fn new_in_baseline(evidence: &Evidence<'_, '_>, known: &[KnownOwner], seen: &KnownOwner, login: &str) -> Answer {
    let began = known.iter().map(|known| known.first_seen).min();
    let published = evidence.step.release.published;
    let is_new = began.is_some_and(|began| seen.first_seen > began)
        && published.is_some_and(|published| published.days_since(seen.first_seen) < NEW_OWNER_DAYS);
    if !is_new {
        return NOT_THERE;
    }
    there(2, points::NEW_OWNER, format!("{login} is an owner only since {}", seen.first_seen.date()))
}

/// S3: the publisher's account was less than 180 days old.
pub(super) fn s3_young_account(evidence: &Evidence<'_, '_>) -> Answer {
    let account = match account(evidence) {
        Ok(Some(account)) => account,
        Ok(None) => return NOT_THERE,
        Err(answer) => return answer,
    };
    let by_api = evidence.publications.version(&evidence.step.release.version).and_then(|published| published.published);
    let published = evidence.step.release.published.or(by_api);
    let Some((published, created)) = published.zip(account.created) else {
        return unknown(format!("age of the account {}", brief(&account.login)));
    };
    let days = published.days_since(created);
    if days >= YOUNG_ACCOUNT_DAYS {
        return NOT_THERE;
    }
    let says = format!("the account {} was made on {}, {days} days before it", brief(&account.login), created.date());
    there(3, points::YOUNG_ACCOUNT, says)
}

/// S11: the last two versions or more came by trusted publishing, this one by a token, or from another repository.
pub(super) fn s11_left_trusted_publishing(evidence: &Evidence<'_, '_>) -> Answer {
    let publisher = match publisher(evidence) {
        Ok(Publisher::Unknown) => return NOT_THERE,
        Ok(publisher) => publisher,
        Err(answer) => return answer,
    };
    let mut before = evidence.publications.before(&evidence.step.release.version).rev();
    let is_trusted = |published: &PublishedVersion| matches!(published.publisher, Publisher::Trusted { .. });
    let (Some((_, last)), Some((_, one_before))) = (before.next(), before.next()) else { return NOT_THERE };
    if !is_trusted(last) || !is_trusted(one_before) || Identity::of(publisher) == Identity::of(&last.publisher) {
        return NOT_THERE;
    }
    let says = format!("published by {}, while the versions before it came from {}", shown(publisher), shown(&last.publisher));
    there(11, points::LEFT_TRUSTED_PUBLISHING, says)
}

/// S12: every former owner is gone.
pub(super) fn s12_owners_replaced(evidence: &Evidence<'_, '_>) -> Answer {
    let now = evidence.publications.record.and_then(|record| record.owners.as_ref());
    let former = evidence.publications.known.and_then(|known| known.owners.as_ref());
    let Some((now, former)) = now.zip(former) else { return NOT_THERE };
    let is_there = |known: &KnownOwner| now.iter().any(|owner| (owner.kind, owner.id) == (known.owner.kind, known.owner.id));
    if former.is_empty() || former.iter().any(is_there) {
        return NOT_THERE;
    }
    let names: Vec<_> = former.iter().take(5).map(|known| brief(&known.owner.login)).collect();
    there(12, points::OWNERS_REPLACED, format!("every former owner is gone: {}", names.join(", ")))
}
