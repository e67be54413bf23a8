//! Which libraries that are no crates a question means: by their name, or by what CVE records and the built-in table say of a vulnerability.

use std::collections::BTreeMap;

use crate::advisory::Signals;
use crate::advisory::native::{is_called, known_ranges};
use crate::advisory::signals::{CveRecord, is_cve};
use crate::archived::query::LibraryVersions;
use crate::document::affected::NamedLibrary;
use crate::model::native::known;

/// The libraries that are meant.
pub(super) enum Libraries {
    None,
    Called {
        name: String,
        versions: LibraryVersions,
    },
    /// Those that have one of these vulnerabilities, each with its record where there is one.
    With(BTreeMap<String, Option<CveRecord>>),
}

impl Libraries {
    /// Those that have a vulnerability of these ids.
    pub(super) fn with<'i>(ids: impl Iterator<Item = &'i str>, signals: &Signals) -> Self {
        let record = |cve: &str| signals.records.as_ref().and_then(|records| records.get(cve)).cloned();
        let cves = ids.map(str::to_ascii_uppercase).filter(|id| is_cve(id));
        let with = Self::With(cves.map(|cve| (cve.clone(), record(&cve))).collect());
        if known::libraries().iter().any(|library| with.concern(library)) { with } else { Self::None }
    }

    /// Whether some versions of a library may be meant.
    pub(super) fn concern(&self, library: &str) -> bool {
        match self {
            Self::None => false,
            Self::Called { name, .. } => is_called(library, name),
            Self::With(cves) => cves.iter().any(|(cve, record)| {
                known_ranges(library, cve).next().is_some()
                    || record.as_ref().is_some_and(|record| record.ranges(library).next().is_some())
            }),
        }
    }

    /// The vulnerabilities by which this version is meant, none where it was asked for by its name; `None`: it is not meant.
    pub(super) fn found(&self, library: &str, version: &str) -> Option<Vec<String>> {
        match self {
            Self::None => None,
            Self::Called { name, versions } => (is_called(library, name) && versions.include(version)).then(Vec::new),
            Self::With(cves) => {
                let has = |(cve, record): &(&String, &Option<CveRecord>)| {
                    known_ranges(library, cve).any(|range| range.has(version))
                        || record.as_ref().is_some_and(|record| record.affects(library, version))
                };
                let found: Vec<_> = cves.iter().filter(has).map(|(cve, _)| cve.clone()).collect();
                (!found.is_empty()).then_some(found)
            }
        }
    }

    /// What is said of each that is meant by a vulnerability.
    pub(super) fn named(&self) -> Vec<NamedLibrary> {
        let Self::With(cves) = self else { return Vec::new() };
        let mut named = Vec::new();
        for (cve, record) in cves {
            for library in known::libraries() {
                let of_record = record.iter().flat_map(|record| record.ranges(library)).map(ToString::to_string);
                let affected: Vec<_> = of_record.chain(known_ranges(library, cve).map(|range| range.to_string())).collect();
                if !affected.is_empty() {
                    named.push(NamedLibrary::new(cve, library, record.as_ref(), affected));
                }
            }
        }
        named
    }
}
