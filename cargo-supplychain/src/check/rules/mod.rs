//! One file a rule. [`ALL`] is the table: a rule that is not in it does not exist.

mod advisory_db_modified;
mod advisory_db_rollback;
mod advisory_end_of_life;
mod advisory_known_exploited;
mod advisory_malicious;
pub(in crate::check) mod advisory_native_vulnerability;
mod advisory_notice;
mod advisory_unmaintained;
mod advisory_unsound;
mod advisory_vulnerability;
mod build_new_build_script;
mod build_new_native_code;
mod build_new_proc_macro;
mod build_not_reproducible;
pub(super) mod build_script_not_allowed;
mod build_unclean_target_folder;
mod campaign_shared_new_dependency;
mod config_alias_shadows_tool;
mod config_build_tool_override;
mod config_compiler_override;
mod config_credential_provider_command;
mod config_patch;
mod config_profile_override;
mod config_source_override;
mod config_source_replacement;
mod dep_banned;
mod dep_duplicate_version;
mod dep_name_confusion;
mod dep_new_young_dependency;
mod dep_too_fresh;
mod dep_too_fresh_but_fixes;
mod dep_unpinned_requirement;
mod dep_wildcard_requirement;
mod env_compiler_override;
mod identity_login_reused;
mod identity_renamed;
mod integrity_changed_during_build;
mod integrity_crate_checksum_mismatch;
mod integrity_git_checkout_tampered;
mod integrity_source_extra_file;
mod integrity_source_not_regular_file;
mod integrity_source_tampered;
mod integrity_vendor_checksums_incomplete;
mod integrity_vendor_extra_file;
mod licence_copyleft_static;
mod licence_denied;
mod licence_deprecated_id;
mod licence_missing;
mod licence_native_differs;
mod lock_checksum_changed_vs_baseline;
mod lock_checksum_mismatch;
mod lock_checksum_missing;
mod lock_downgrade;
mod lock_git_rev_moved;
mod lock_missing;
mod lock_not_minimal;
mod lock_out_of_date;
mod maintainer_all_owners_replaced;
mod maintainer_new_publisher;
mod maintainer_owner_added;
mod maintainer_owner_removed;
mod maintainer_publisher_repository_mismatch;
mod maintainer_publisher_unknown;
mod maintainer_takeover_pattern;
mod maintainer_trusted_publishing_adopted;
mod maintainer_trusted_publishing_downgrade;
mod policy_changed_in_same_change;
mod policy_exemption_expired;
mod policy_exemption_unknown;
pub(super) mod policy_exemption_unused;
mod policy_vex_expired;
mod policy_vex_unknown;
pub(super) mod policy_vex_unused;
mod registry_crate_removed;
mod registry_mass_yank;
mod registry_pubtime_implausible;
mod registry_version_removed;
mod registry_yanked;
mod sandbox_denied_call;
mod sandbox_denied_network;
mod sandbox_denied_read;
mod sandbox_denied_write;
mod sandbox_unavailable;
pub(super) mod source_git_not_allowed;
mod source_git_not_pinned;
mod source_git_rev_unreachable;
mod source_malformed_package;
mod source_new_binary_blob;
pub(super) mod source_package_differs_from_repo;
mod source_path_outside_workspace;
mod source_private_name_from_public;
pub(super) mod source_registry_not_allowed;
mod toolchain_path_override;
mod toolchain_unpinned;
mod workflow_cache_in_release;
pub(super) mod workflow_imposter_commit;
pub(super) mod workflow_known_exploited_action;
mod workflow_pwn_request;
mod workflow_template_injection;
mod workflow_unpinned_action;

use super::Rule;
use crate::config::KnownRule;

/// Every rule, in the order of the catalogue.
pub static ALL: &[&Rule] = &[
    &lock_missing::RULE,
    &lock_out_of_date::RULE,
    &lock_checksum_mismatch::RULE,
    &lock_checksum_missing::RULE,
    &lock_checksum_changed_vs_baseline::RULE,
    &lock_downgrade::RULE,
    &lock_not_minimal::RULE,
    &lock_git_rev_moved::RULE,
    &source_registry_not_allowed::RULE,
    &source_git_not_allowed::RULE,
    &source_git_not_pinned::RULE,
    &source_git_rev_unreachable::RULE,
    &source_path_outside_workspace::RULE,
    &source_private_name_from_public::RULE,
    &source_malformed_package::RULE,
    &source_package_differs_from_repo::RULE,
    &source_new_binary_blob::RULE,
    &dep_wildcard_requirement::RULE,
    &dep_unpinned_requirement::RULE,
    &dep_duplicate_version::RULE,
    &dep_banned::RULE,
    &dep_new_young_dependency::RULE,
    &dep_too_fresh::RULE,
    &dep_too_fresh_but_fixes::RULE,
    &dep_name_confusion::RULE,
    &campaign_shared_new_dependency::RULE,
    &maintainer_takeover_pattern::RULE,
    &maintainer_new_publisher::RULE,
    &maintainer_publisher_unknown::RULE,
    &maintainer_publisher_repository_mismatch::RULE,
    &maintainer_owner_added::RULE,
    &maintainer_owner_removed::RULE,
    &maintainer_all_owners_replaced::RULE,
    &maintainer_trusted_publishing_adopted::RULE,
    &maintainer_trusted_publishing_downgrade::RULE,
    &identity_renamed::RULE,
    &identity_login_reused::RULE,
    &registry_yanked::RULE,
    &registry_mass_yank::RULE,
    &registry_version_removed::RULE,
    &registry_crate_removed::RULE,
    &registry_pubtime_implausible::RULE,
    &integrity_crate_checksum_mismatch::RULE,
    &integrity_source_tampered::RULE,
    &integrity_source_extra_file::RULE,
    &integrity_source_not_regular_file::RULE,
    &integrity_vendor_checksums_incomplete::RULE,
    &integrity_vendor_extra_file::RULE,
    &integrity_git_checkout_tampered::RULE,
    &integrity_changed_during_build::RULE,
    &config_compiler_override::RULE,
    &config_source_override::RULE,
    &config_source_replacement::RULE,
    &config_build_tool_override::RULE,
    &config_patch::RULE,
    &config_profile_override::RULE,
    &config_credential_provider_command::RULE,
    &config_alias_shadows_tool::RULE,
    &env_compiler_override::RULE,
    &toolchain_path_override::RULE,
    &toolchain_unpinned::RULE,
    &build_new_build_script::RULE,
    &build_new_proc_macro::RULE,
    &build_new_native_code::RULE,
    &build_not_reproducible::RULE,
    &build_script_not_allowed::RULE,
    &build_unclean_target_folder::RULE,
    &sandbox_denied_network::RULE,
    &sandbox_denied_read::RULE,
    &sandbox_denied_write::RULE,
    &sandbox_denied_call::RULE,
    &sandbox_unavailable::RULE,
    &advisory_vulnerability::RULE,
    &advisory_native_vulnerability::RULE,
    &advisory_known_exploited::RULE,
    &advisory_malicious::RULE,
    &advisory_unsound::RULE,
    &advisory_unmaintained::RULE,
    &advisory_notice::RULE,
    &advisory_end_of_life::RULE,
    &advisory_db_rollback::RULE,
    &advisory_db_modified::RULE,
    &licence_denied::RULE,
    &licence_missing::RULE,
    &licence_deprecated_id::RULE,
    &licence_native_differs::RULE,
    &licence_copyleft_static::RULE,
    &policy_exemption_expired::RULE,
    &policy_exemption_unused::RULE,
    &policy_exemption_unknown::RULE,
    &policy_vex_expired::RULE,
    &policy_vex_unused::RULE,
    &policy_vex_unknown::RULE,
    &policy_changed_in_same_change::RULE,
    &workflow_unpinned_action::RULE,
    &workflow_template_injection::RULE,
    &workflow_pwn_request::RULE,
    &workflow_cache_in_release::RULE,
    &workflow_imposter_commit::RULE,
    &workflow_known_exploited_action::RULE,
];

/// The rule of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}

/// What [`crate::config::parse`] has to know of the rules.
pub fn known() -> impl Iterator<Item = KnownRule<'static>> {
    ALL.iter().map(|rule| KnownRule { id: rule.id, options: rule.options })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the test looks at the source folder; the layer does not")]
    fn every_file_is_a_registered_rule_of_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/rules");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<_> =
            names.filter(|name| name != "mod.rs").map(|name| name.trim_end_matches(".rs").to_owned()).collect();
        let registered: BTreeSet<_> = ALL.iter().map(|rule| rule.id.replace(['/', '-'], "_")).collect();
        assert_eq!(files, registered);
        assert_eq!(registered.len(), ALL.len(), "an id is there twice");
    }

    #[test]
    fn every_rule_is_documented_with_an_example() {
        for rule in ALL {
            let (area, word) = rule.id.split_once('/').expect(rule.id);
            assert!(!area.is_empty() && !word.is_empty(), "{}", rule.id);
            let fences = rule.docs.lines().filter(|line| line.starts_with("```")).count();
            assert!(fences >= 2 && fences.is_multiple_of(2), "{}: no example in a fenced block", rule.id);
            assert!(rule.docs.contains("What to do:"), "{}: does not say what to do", rule.id);
            assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{}", rule.id);
            assert!(rule.docs.ends_with('\n'), "{}", rule.id);
            assert!(find(rule.id).is_some_and(|found| std::ptr::eq(found, *rule)), "{}", rule.id);
        }
    }
}
