//! `check`: judges the workspace without building and without running any of its code.

use super::gather::{self, Gathered, gather};
use super::judge::{self, Judged, judge};
use super::{Error, Progress};
use crate::base::Context;

/// Gathers and judges.
pub fn check(
    context: &Context,
    request: &gather::Request,
    policy: &judge::Request,
    progress: &mut dyn Progress,
) -> Result<(Gathered, Judged), Error> {
    let request = gather::Request { without_plan: policy.needs_no_plan(), ..request.clone() };
    let gathered = gather(context, &request, progress)?;
    let judged = judge(context, &gathered, policy, progress)?;
    Ok((gathered, judged))
}
