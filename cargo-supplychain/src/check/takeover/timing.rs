//! The signals about time: S4, S9.

use super::{Answer, DORMANT_DAYS, Evidence, NOT_THERE, points, there, unknown};
use crate::check::release_walk::DAY;

/// S4: no release for more than 180 days before this one.
pub(super) fn s4_dormant(evidence: &Evidence<'_, '_>) -> Answer {
    let step = evidence.step;
    let Some(published) = step.release.published else {
        return unknown(format!("when {} was published", step.release.version));
    };
    let Some(last) = step.last_before else {
        return match step.against {
            Some(against) => unknown(format!("when {} was published", against.version)),
            None => NOT_THERE,
        };
    };
    let days = published.days_since(last);
    if days <= DORMANT_DAYS {
        return NOT_THERE;
    }
    there(4, points::DORMANT, format!("no release for {days} days before it"))
}

/// S9: published less than the cooldown ago; a time after the clock's is no older.
pub(super) fn s9_fresh(evidence: &Evidence<'_, '_>) -> Answer {
    let days = evidence.facts.settings.number("dep/too-fresh", "days", 3);
    let Some(published) = evidence.step.release.published else { return NOT_THERE };
    let age = evidence.facts.now.unix() - published.unix();
    if age >= i64::from(days) * DAY {
        return NOT_THERE;
    }
    there(9, points::FRESH, format!("published {published}, less than {days} days ago: nobody had time to look"))
}
