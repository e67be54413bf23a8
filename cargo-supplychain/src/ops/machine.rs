//! What this machine says of what manifests, lockfile and configuration name ([`MachineFacts`]). Brought where an area that is judged
//! looks at it; calls neither cargo nor the network.

use std::collections::BTreeSet;

use super::gather::Gathered;
use crate::base::Context;
use crate::check::{Scope, allowed_wrappers};
use crate::collect::cargo_config::cargo_home;
use crate::collect::{git_database, places, programs, toolchain_file};
use crate::finding::Area;
use crate::model::Scope as Owner;
use crate::model::machine::{LockedRevision, MachineFacts};

/// Looks.
pub(super) fn facts(context: &Context, gathered: &Gathered, scope: &Scope) -> MachineFacts {
    let mut facts = MachineFacts::default();
    let root = &gathered.workspace.root;
    if scope.includes(Area::Sources) {
        let repository = root.ancestors().find(|folder| folder.join(".git").exists());
        (facts.folders, facts.paths) = places::find(root, repository, &gathered.manifests);
        if let Some(home) = cargo_home(&context.env, &context.cwd) {
            facts.revisions = git_database::reaches(&home, &locked_revisions(gathered));
        }
    }
    if scope.includes(Area::Config) {
        let entries = gathered.cargo_config.entries.iter().filter(|entry| entry.scope != Owner::Environment);
        let configured: BTreeSet<_> = entries.filter_map(|entry| entry.value.as_str()).collect();
        let words = allowed_wrappers(&gathered.settings).map(|(word, _)| word).filter(|word| configured.contains(word));
        facts.programs = words.map(|word| (word.to_owned(), programs::find(context, root, word))).collect();
        let members = gathered.manifests.iter().filter(|manifest| manifest.path != "Cargo.toml");
        let folders = members.filter_map(|manifest| root.join(&manifest.path).parent().map(camino::Utf8Path::to_owned));
        facts.member_toolchains = toolchain_file::below(root, folders);
    }
    facts
}

fn locked_revisions(gathered: &Gathered) -> BTreeSet<LockedRevision> {
    let packages = gathered.lock.lockfile().map(|lockfile| lockfile.packages.as_slice()).unwrap_or_default();
    packages.iter().filter_map(|package| LockedRevision::of(&package.git()?)).collect()
}
