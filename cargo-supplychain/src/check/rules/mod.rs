//! One file a rule. [`ALL`] is the table: a rule that is not in it does not exist.

use super::Rule;
use crate::config::KnownRule;

mod advisory_malicious;
mod advisory_notice;
mod advisory_unmaintained;
mod advisory_unsound;
mod advisory_vulnerability;
mod dep_unpinned_requirement;
mod dep_wildcard_requirement;
mod lock_checksum_mismatch;
mod lock_checksum_missing;
mod lock_missing;
mod lock_out_of_date;
mod policy_exemption_expired;
mod policy_exemption_unknown;
pub(super) mod policy_exemption_unused;
mod registry_yanked;
mod source_git_not_allowed;
mod source_git_not_pinned;
mod source_path_outside_workspace;
mod source_registry_not_allowed;

/// Every rule, in the order of the catalogue.
pub static ALL: &[&Rule] = &[
    &lock_missing::RULE,
    &lock_out_of_date::RULE,
    &lock_checksum_mismatch::RULE,
    &lock_checksum_missing::RULE,
    &source_registry_not_allowed::RULE,
    &source_git_not_allowed::RULE,
    &source_git_not_pinned::RULE,
    &source_path_outside_workspace::RULE,
    &dep_wildcard_requirement::RULE,
    &dep_unpinned_requirement::RULE,
    &registry_yanked::RULE,
    &advisory_vulnerability::RULE,
    &advisory_malicious::RULE,
    &advisory_unsound::RULE,
    &advisory_unmaintained::RULE,
    &advisory_notice::RULE,
    &policy_exemption_expired::RULE,
    &policy_exemption_unused::RULE,
    &policy_exemption_unknown::RULE,
];

/// The rule of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}

/// What [`crate::config::parse`] has to know of the rules.
pub fn known() -> impl Iterator<Item = KnownRule<'static>> {
    ALL.iter().map(|rule| KnownRule { id: rule.id, takes_allow: rule.allows.is_some() })
}
