//! What packages can do when they are built.

use std::collections::BTreeMap;

use super::{is_required, shortened};
use crate::check::{Facts, Scope, gained, rules};
use crate::finding::{Area, NotEvaluated};

/// What changed packages can do, where their source or that of the version before is not at hand: one entry for each reason.
pub(super) fn capabilities(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    // New executables are the sources' area; where that is asked for alone, the gap is said there.
    let (area, required) = if scope.includes(Area::Capabilities) {
        (Area::Capabilities, is_required(facts, scope, Area::Capabilities))
    } else {
        (Area::Sources, is_required(facts, scope, Area::Sources))
    };
    if !scope.includes(area) {
        return Vec::new();
    }
    let mut gaps = BTreeMap::<String, Vec<String>>::new();
    for unknown in gained::updates(facts).1 {
        gaps.entry(unknown.why).or_default().push(unknown.package);
    }
    let entries = gaps.into_iter().map(|(why, packages)| NotEvaluated {
        area,
        check: "new build scripts, procedural macros and executables".into(),
        why: format!("{why}: {}", shortened(&packages)),
        required,
        help: "run `cargo fetch --locked` with the lockfiles of before and of now, or name a folder with --registry-snapshot"
            .into(),
    });
    entries.collect()
}

/// A list of what may run is held against the build; without its plan only against what changed.
pub(super) fn script_list(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let why = facts.build.err().filter(|_| rules::build_script_not_allowed::has_list(facts))?;
    Some(NotEvaluated {
        area: Area::Capabilities,
        check: "build scripts and procedural macros against the list of the policy".into(),
        why: format!("which of them take part in the build is not known: {why}"),
        required: is_required(facts, scope, Area::Capabilities),
        help: "what changed is judged all the same".into(),
    })
}
