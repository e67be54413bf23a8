//! What the `licence/` rules share: the packages of the build with their licences, and which licences ask for the source of what they are
//! linked into. Declared licences only: nobody looked at the files, nothing is concluded.

#[cfg(test)]
pub(super) mod fixture;

use std::collections::BTreeMap;

use super::Facts;
use crate::base::Location;
use crate::finding::{Finding, Severity};
use crate::model::licence::{Declared, Expression, Term, declared};
use crate::model::{Component, Origin};

/// A package of somebody else that takes part in the build.
pub(super) struct Licensed<'a> {
    pub component: &'a Component,
    pub declared: Declared,
    /// Where the lockfile has it.
    pub location: Option<Location>,
    /// The declaration is the policy's.
    pub is_clarified: bool,
}

/// All of them, in the order of their package URLs. Without a plan there are none (`not_evaluated` says so); own packages are not judged.
pub(super) fn packages<'a>(facts: &Facts<'a>) -> Vec<Licensed<'a>> {
    let Ok(build) = facts.build else { return Vec::new() };
    let lines = facts.lock.lockfile().map(|lockfile| {
        let lines = lockfile
            .packages
            .iter()
            .map(|package| ((package.name.as_str(), package.version.to_string()), Location::line(&lockfile.path, package.line)));
        lines.collect::<BTreeMap<_, _>>()
    });
    let lines = lines.unwrap_or_default();
    let others = build.components.values().filter(|component| !matches!(component.origin, Origin::Workspace { .. }));
    let taking_part = others.filter(|component| build.artifacts.is_empty() || build.takes_part(&component.purl));
    let licensed = taking_part.map(|component| {
        let clarified = clarified(facts, component);
        Licensed {
            component,
            is_clarified: clarified.is_some(),
            declared: clarified.unwrap_or_else(|| declared(component)),
            location: lines.get(&(component.name.as_str(), component.version.clone())).cloned(),
        }
    });
    licensed.collect()
}

fn clarified(facts: &Facts<'_>, component: &Component) -> Option<Declared> {
    let mut entries = facts.settings.licences.clarify.iter();
    let entry = entries.find(|entry| entry.package == component.name && is_version(entry.version.as_ref(), component))?;
    Some(Declared::Expression { text: entry.expression.clone(), references: Vec::new() })
}

/// Whether a requirement of the policy means this version; none means all.
pub(super) fn is_version(requirement: Option<&semver::VersionReq>, component: &Component) -> bool {
    let Some(requirement) = requirement else { return true };
    component.version.parse().is_ok_and(|version| requirement.matches(&version))
}

impl Licensed<'_> {
    /// The declared expression, where it is one.
    pub(super) fn expression(&self) -> Option<Expression> {
        let Declared::Expression { text, .. } = &self.declared else { return None };
        Expression::parse(text)
    }

    pub(super) fn finding(&self, id: &'static str, severity: Severity, message: impl Into<String>) -> Finding {
        let mut finding = Finding::new(id, severity, message).about(&self.component.name, &self.component.version);
        if let Some(location) = &self.location {
            finding = finding.at(location.clone());
        }
        if self.is_clarified {
            finding = finding.because("the licence is the policy's (`[licences] clarify`), not the manifest's");
        } else if let (Declared::Expression { text, .. }, Some(written)) = (&self.declared, &self.component.license)
            && written != text
        {
            finding = finding.because(format!("written as `{}`", crate::base::text::one_line(written)));
        }
        finding
    }
}

/// How far a licence reaches into what is linked with its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Not beyond its own files.
    None,
    /// Who gets the program must be able to link it anew with a changed library: the LGPL.
    Library,
    /// The program as a whole is under it: the GPL and its like.
    Program,
    /// And whoever uses it over a network can ask for the source: the AGPL.
    Network,
}

/// Exceptions that allow linking without that reach.
const LINKING: [&str; 9] = [
    "Asterisk-linking-protocols-exception",
    "CGAL-linking-exception",
    "Classpath-exception-2.0",
    "Classpath-exception-2.0-short",
    "GCC-exception-2.0",
    "GCC-exception-3.1",
    "GPL-3.0-linking-exception",
    "LGPL-3.0-linking-exception",
    "OCaml-LGPL-linking-exception",
];

/// Licences by the beginning of their identifier. What is under file-level copyleft (`MPL`, `CDDL`, `EPL`) reaches its own files only.
const REACHES: [(&str, Reach); 9] = [
    ("AGPL-", Reach::Network),
    ("SSPL-", Reach::Network),
    ("LGPL-", Reach::Library),
    ("GPL-", Reach::Program),
    ("EUPL-", Reach::Program),
    ("OSL-", Reach::Program),
    ("CECILL-2", Reach::Program),
    ("Sleepycat", Reach::Program),
    ("QPL-", Reach::Program),
];

pub(super) fn reach(term: &Term) -> Reach {
    if term.exception.as_ref().is_some_and(|exception| LINKING.contains(&exception.as_str())) {
        return Reach::None;
    }
    REACHES.iter().find(|(prefix, _)| term.base.starts_with(prefix)).map_or(Reach::None, |(_, reach)| *reach)
}

/// The least reach that the expression leaves to who takes it.
pub(super) fn least_reach(expression: &Expression) -> Reach {
    let steps = [Reach::None, Reach::Library, Reach::Program];
    steps.into_iter().find(|limit| expression.holds(|term| reach(term) <= *limit)).unwrap_or(Reach::Network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_that_is_left_to_the_taker() {
        for (license, expected) in [
            ("MIT", Reach::None),
            ("MPL-2.0", Reach::None),
            ("LGPL-3.0-or-later", Reach::Library),
            ("LGPL-3.0-or-later OR MPL-2.0", Reach::None),
            ("MIT OR Apache-2.0 OR LGPL-2.1-or-later", Reach::None),
            ("MIT AND LGPL-2.1-only", Reach::Library),
            ("GPL-3.0-only OR LicenseRef-Slint-Royalty-free-2.0 OR LicenseRef-Slint-Software-3.0", Reach::None),
            ("GPL-2.0-only WITH Classpath-exception-2.0", Reach::None),
            ("GPL-3.0+", Reach::Program),
            ("GPL-3.0-only OR AGPL-3.0-only", Reach::Program),
            ("AGPL-3.0-only", Reach::Network),
        ] {
            assert_eq!(least_reach(&Expression::parse(license).unwrap()), expected, "{license}");
        }
    }
}
