//! What rules about the lockfile share: who needs a package, and findings that list packages within bounds. No rule lives here.

use crate::base::Location;
use crate::finding::Finding;
use crate::model::{LockedPackage, Lockfile};

/// The most packages that one finding lists, and points to.
pub(super) const LISTED: usize = 10;

/// For each package of the lockfile those that depend on it directly, in the order of the file.
pub(super) fn dependents(lockfile: &Lockfile) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); lockfile.packages.len()];
    for (index, package) in lockfile.packages.iter().enumerate() {
        for &dependency in &package.dependencies {
            dependents[dependency].push(index);
        }
    }
    dependents
}

/// `app 1.0.0, lib 2.0.0, … (12)`: the first five of them.
pub(super) fn names(lockfile: &Lockfile, packages: &[usize]) -> String {
    let shown = packages.iter().take(5).map(|&index| {
        let package = &lockfile.packages[index];
        format!("{} {}", package.name, package.version)
    });
    let more = if packages.len() > 5 { format!(", … ({})", packages.len()) } else { String::new() };
    format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
}

/// The finding with these packages as places and evidence; with one package it is about that one.
pub(super) fn listing(mut finding: Finding, path: &str, packages: &[&LockedPackage]) -> Finding {
    if let [only] = packages {
        finding = finding.about(&only.name, &only.version);
    }
    for package in packages.iter().take(LISTED) {
        finding = finding.at(Location::line(path, package.line)).because(format!("{} {}", package.name, package.version));
    }
    if packages.len() > LISTED {
        finding = finding.because(format!("and {} more", packages.len() - LISTED));
    }
    finding
}
