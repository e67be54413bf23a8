//! `check`.

use super::super::args::CheckArgs;
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{exit_of_verdict, gather_request, judge_request, show_report};
use crate::base::Context;
use crate::ops;

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, args: &CheckArgs) -> Result<Exit, ops::Error> {
    let mut request = gather_request(&args.selection, args.policy.policy.as_deref())?;
    request.base.clone_from(&args.policy.base);
    let (_, judged) = ops::check::check(context, &request, &judge_request(&args.policy), shell)?;
    show_report(shell, &judged.report);
    Ok(exit_of_verdict(judged.report.enforced_verdict()))
}
