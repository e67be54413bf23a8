//! Which advisories of a source are wanted, and how they are found in its parsed form: rows by package, each a list.

use std::collections::BTreeSet;

use super::parsed::Table;
use crate::advisory::Advisory;

/// Which advisories.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    All,
    OfPackages(&'a BTreeSet<String>),
    /// Those that have this id, or are also known by it, in upper or lower case.
    Named(&'a str),
}

impl Which<'_> {
    /// Whether it is one of them.
    #[must_use]
    pub fn takes(self, advisory: &Advisory) -> bool {
        match self {
            Self::All => true,
            Self::OfPackages(packages) => packages.contains(&advisory.package),
            Self::Named(id) => advisory.ids().any(|known| known.eq_ignore_ascii_case(id)),
        }
    }

    /// Those of a parsed form.
    pub(super) fn of(self, table: &Table) -> Vec<Advisory> {
        let lists: Vec<Vec<Advisory>> = match self {
            Self::All => table.all(),
            Self::OfPackages(packages) => packages.iter().filter_map(|package| table.get(package)).collect(),
            Self::Named(id) => table.mentioning(id),
        };
        lists.into_iter().flatten().filter(|advisory| self.takes(advisory)).collect()
    }
}
