//! Which libraries that are no crates a question means: by their name, or by what CVE records and the built-in table say of a vulnerability.

use std::collections::BTreeMap;

use crate::advisory::Signals;
use crate::advisory::native::{Range, is_called, known_ranges};
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

/// The versions of a library that have a vulnerability, by its record and by what is built in.
fn ranges(library: &str, cve: &str, record: Option<&CveRecord>) -> Vec<Range> {
    let of_record = record.into_iter().flat_map(|record| record.ranges(library)).cloned();
    of_record.chain(known_ranges(library, cve)).collect()
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
        let names = |(cve, record): (&String, &Option<CveRecord>)| {
            let record = record.as_ref();
            !ranges(library, cve, record).is_empty() || record.is_some_and(|record| record.unread(library).next().is_some())
        };
        match self {
            Self::None => false,
            Self::Called { name, .. } => is_called(library, name),
            Self::With(cves) => cves.iter().any(names),
        }
    }

    /// The vulnerabilities by which this version is meant, none where it was asked for by its name; `None`: it is not meant.
    pub(super) fn found(&self, library: &str, version: &str) -> Option<Vec<String>> {
        match self {
            Self::None => None,
            Self::Called { name, versions } => (is_called(library, name) && versions.include(version)).then(Vec::new),
            Self::With(cves) => {
                let has = |(cve, record): &(&String, &Option<CveRecord>)| {
                    ranges(library, cve, record.as_ref()).iter().any(|range| range.has(version))
                };
                let found: Vec<_> = cves.iter().filter(has).map(|(cve, _)| cve.clone()).collect();
                (!found.is_empty()).then_some(found)
            }
        }
    }

    /// What is said of each that is meant by a vulnerability.
    pub(super) fn named(&self) -> Vec<NamedLibrary> {
        let named = |(cve, record): (&String, &Option<CveRecord>), library| {
            let affected: Vec<_> = ranges(library, cve, record.as_ref()).iter().map(ToString::to_string).collect();
            (!affected.is_empty()).then(|| NamedLibrary::new(cve, library, record.as_ref(), affected))
        };
        self.pairs().filter_map(|(one, library)| named(one, library)).collect()
    }

    /// What records say in words that are no range of versions: fragments.
    pub(super) fn unread(&self) -> Vec<String> {
        let told = |(cve, record): (&String, &Option<CveRecord>), library| {
            let words: Vec<_> = record.iter().flat_map(|record| record.unread(library)).collect();
            (!words.is_empty())
                .then(|| format!("the record of {cve} names versions of {library} that cannot be compared: {}", words.join(", ")))
        };
        self.pairs().filter_map(|(one, library)| told(one, library)).collect()
    }

    /// Each vulnerability with each library that crates are known to bring.
    fn pairs(&self) -> impl Iterator<Item = ((&String, &Option<CveRecord>), &'static str)> {
        let cves = match self {
            Self::With(cves) => Some(cves),
            Self::None | Self::Called { .. } => None,
        };
        cves.into_iter().flatten().flat_map(|one| known::libraries().into_iter().map(move |library| (one, library)))
    }
}
