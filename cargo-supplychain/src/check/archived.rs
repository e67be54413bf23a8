//! The components of an archive judged by today's advisories: the rules of `check` themselves, with their levels, options, exemptions and
//! unmade checks, over facts that know nothing but crates and the libraries that these brought along. What those rules learn, an archive is
//! judged by.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::{Advisories, Facts, LibraryVersion, LockState, NativeVersions, Scope, Sources, check, rules};
use crate::advisory::{self, AdvisoryDatabase};
use crate::base::{Sha256, Timestamp};
use crate::config::Settings;
use crate::finding::{Area, Exempted, Finding, NotEvaluated, ReportInput};
use crate::model::action_commit::ActionCommits;
use crate::model::audits::Audits;
use crate::model::capability::CapabilityFacts;
use crate::model::change::ChangeSet;
use crate::model::index::IndexFacts;
use crate::model::machine::MachineFacts;
use crate::model::published::PublishedFacts;
use crate::model::registry::Registry;
use crate::model::{CargoConfig, LockedPackage, Lockfile};

/// A distinct component of the archive: a crate, or a library that it brought along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedComponent {
    pub name: String,
    pub version: Version,
    /// As a lockfile writes it.
    pub source: Option<String>,
    /// Upstream's name and version of the library; none: the crate itself.
    pub library: Option<(&'static str, String)>,
    /// Whether it is in, or helped to build, a released file of any release that counts.
    pub takes_part: bool,
}

/// What the rules say of the components; each is named by its index.
#[derive(Debug, Default)]
pub struct Judgement {
    pub findings: Vec<(usize, Finding)>,
    pub exempted: Vec<(usize, Exempted)>,
    pub not_evaluated: Vec<NotEvaluated>,
    /// What applies, whatever the policy says of it: the id of the advisory ([`hit_id`]) and the component.
    pub applying: BTreeSet<(String, usize)>,
}

/// The advisories, or why there are none, and what to do.
pub type Database = Result<AdvisoryDatabase, (String, String)>;

/// What is known of vulnerabilities.
#[derive(Debug)]
pub struct Known {
    pub database: Database,
    pub sources: Sources,
}

impl From<Database> for Known {
    /// The database alone.
    fn from(database: Database) -> Self {
        Self { database, sources: Sources::default() }
    }
}

/// What a finding is remembered by: the first of its ids, else its rule.
#[must_use]
pub fn hit_id(finding: &Finding) -> &str {
    finding.ids.first().map_or(finding.id, String::as_str)
}

/// Judges.
#[must_use]
pub fn judge(settings: &Settings, now: Timestamp, known: Known, components: &[ArchivedComponent]) -> Judgement {
    let Known { database, mut sources } = known;
    sources.natives = libraries(components);
    let lockfile = lockfile(components);
    let advisories = match database {
        Ok(database) => {
            let mut hits = advisory::hits(&database, &lockfile);
            // The crate is a component of its own.
            hits.retain(|hit| components[hit.package].library.is_none());
            Advisories::Loaded { database, hits }
        }
        Err((why, help)) => Advisories::Unavailable { why, help },
    };
    let mut applying: BTreeSet<(String, usize)> = match &advisories {
        Advisories::Loaded { hits, .. } => hits.iter().map(|hit| (hit.advisory.id.clone(), hit.package)).collect(),
        Advisories::Unavailable { .. } => BTreeSet::new(),
    };
    let parts = (0..components.len()).filter(|index| components[*index].takes_part).collect();
    let lock = LockState::Present { lockfile, stale: None };
    let facts = FactsOf { settings, now, lock: &lock, advisories: &advisories, sources: &sources, parts: &parts };
    let (input, of_libraries) = facts.judged();
    applying.extend(of_libraries);
    let is_advisory = |finding: &Finding| rules::find(finding.id).is_some_and(|rule| rule.area == Area::Advisories);
    let of = |finding: &Finding| component_of(finding, components.len());
    let without_place = |finding: Finding| Finding { locations: Vec::new(), ..finding };
    let findings = input.findings.into_iter().filter(is_advisory).filter_map(|finding| Some((of(&finding)?, finding)));
    let findings: Vec<_> = findings.map(|(index, finding)| (index, without_place(finding))).collect();
    let exempted = input.exempted.into_iter().filter(|one| is_advisory(&one.finding));
    let exempted = exempted.filter_map(|one| Some((of(&one.finding)?, one)));
    let exempted: Vec<_> =
        exempted.map(|(index, one)| (index, Exempted { finding: without_place(one.finding), ..one })).collect();
    let told = findings.iter().map(|(index, finding)| (index, finding));
    let told = told.chain(exempted.iter().map(|(index, one)| (index, &one.finding)));
    applying.extend(told.map(|(index, finding)| (hit_id(finding).to_owned(), *index)));
    Judgement { findings, exempted, not_evaluated: input.not_evaluated, applying }
}

/// The libraries among the components, by their place.
fn libraries(components: &[ArchivedComponent]) -> NativeVersions {
    let said = |(index, one): (usize, &ArchivedComponent)| {
        let (name, version) = one.library.clone()?;
        Some(((index, name), LibraryVersion { version: Some(version), said_by: SAID_BY.to_owned() }))
    };
    components.iter().enumerate().filter_map(said).collect()
}

const SAID_BY: &str = "its version is in the evidence of the releases";

/// One line a component, so that the place of a finding tells which.
fn lockfile(components: &[ArchivedComponent]) -> Lockfile {
    let package = |(line, one): (u32, &ArchivedComponent)| LockedPackage {
        name: one.name.clone(),
        version: one.version.clone(),
        source: one.source.clone(),
        checksum: None,
        dependencies: Vec::new(),
        line,
    };
    let packages = (1_u32..).zip(components).map(package).collect();
    Lockfile { path: "archive".to_owned(), version: 4, packages, sha256: Sha256::of(b"") }
}

fn component_of(finding: &Finding, count: usize) -> Option<usize> {
    let line = usize::try_from(finding.locations.first()?.line).ok()?;
    line.checked_sub(1).filter(|index| *index < count)
}

/// What the rules look at.
struct FactsOf<'a> {
    settings: &'a Settings,
    now: Timestamp,
    lock: &'a LockState,
    advisories: &'a Advisories,
    sources: &'a Sources,
    parts: &'a BTreeSet<usize>,
}

impl FactsOf<'_> {
    /// By the rules; and the vulnerabilities of libraries, whatever the policy says of them.
    fn judged(&self) -> (ReportInput, BTreeSet<(String, usize)>) {
        let facts = Facts {
            settings: self.settings,
            now: self.now,
            in_ci: false,
            lock: self.lock,
            manifests: &[],
            machine: &MachineFacts::default(),
            cargo_config: &CargoConfig::default(),
            environment: &BTreeMap::new(),
            toolchain_file: None,
            index: &IndexFacts::default(),
            changes: &ChangeSet::default(),
            baseline: None,
            registry: &Registry::default(),
            capabilities: &CapabilityFacts::new(),
            published: &PublishedFacts::new(),
            integrity: Err("not asked for"),
            own_files_changed: &[],
            workflows: &[],
            unreadable_workflows: &[],
            action_commits: &ActionCommits::new(),
            manifests_changed: false,
            reused_target: None,
            sandbox: None,
            reproduction: None,
            functions: None,
            advisories: self.advisories,
            sources: self.sources,
            audits: &Audits::default(),
            build: Err("an archive has many"),
            archived: Some(self.parts),
        };
        let of_libraries = rules::advisory_native_vulnerability::vulnerabilities(&facts);
        let of_libraries = of_libraries.into_iter().map(|(native, cve)| (cve.to_owned(), native.index)).collect();
        (check(&facts, &Scope { only: vec![Area::Advisories], require: Vec::new() }), of_libraries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{Advisory, Kind};
    use crate::check::case::{Case, advisory as case_advisory};
    use crate::model::lockfile::CRATES_IO;

    fn component(version: &str, takes_part: bool) -> ArchivedComponent {
        let version = version.parse().unwrap();
        ArchivedComponent { name: "lib".into(), version, source: Some(CRATES_IO[0].to_owned()), library: None, takes_part }
    }

    fn judged(kind: Kind, policy: &str, components: &[ArchivedComponent]) -> Judgement {
        let case = Case::new().advisory(case_advisory(kind)).policy(policy);
        judge(&case.settings, case.now, case.database.map_err(|why| (why, String::new())).into(), components)
    }

    fn shown(judgement: &Judgement) -> Vec<String> {
        let findings = judgement.findings.iter().map(|(at, one)| format!("{at} {} {}: {}", one.severity, one.id, one.message));
        let exempted = judgement.exempted.iter().map(|(at, one)| format!("{at} exempted: {}", one.reason));
        let unmade = judgement.not_evaluated.iter().map(|one| format!("{}: {}", one.check, one.why));
        findings.chain(exempted).chain(unmade).collect()
    }

    #[test]
    fn each_component_is_judged_as_check_judges_it() {
        let components = [component("1.2.0", true), component("1.0.0", true), component("1.1.0", false)];
        assert_eq!(
            shown(&judged(Kind::Vulnerability, "", &components)),
            [
                "1 high advisory/vulnerability: RUSTSEC-2026-0001: Something is wrong",
                "2 info advisory/vulnerability: RUSTSEC-2026-0001: Something is wrong (in no released file)"
            ]
        );
        let git = ArchivedComponent { source: Some("git+https://example.org/lib#1".into()), ..component("1.0.0", true) };
        assert!(shown(&judged(Kind::Vulnerability, "", &[git])).is_empty());
    }

    #[test]
    fn libraries_are_judged_by_their_own_versions() {
        let library = |crate_name: &str, version: &str, library| ArchivedComponent {
            name: crate_name.into(),
            library: Some((library, version.to_owned())),
            ..component("1.0.0", true)
        };
        let of_crate = ArchivedComponent { name: "freetype-sys".into(), ..component("1.0.0", true) };
        let components = [
            library("freetype-sys", "2.12.1", "freetype"),
            library("freetype-sys", "2.13.2", "freetype"),
            of_crate,
            library("libwebp-sys", "1.3.1", "libwebp"),
        ];
        let found = judged(Kind::Vulnerability, "", &components);
        assert_eq!(
            shown(&found),
            [
                "0 high advisory/native-vulnerability: CVE-2025-27363: freetype 2.12.1",
                "3 high advisory/native-vulnerability: CVE-2023-4863: libwebp 1.3.1"
            ]
        );
        assert!(found.findings[0].1.evidence.contains(&SAID_BY.to_owned()), "{:?}", found.findings[0].1.evidence);
        let off = judged(Kind::Vulnerability, "[rules]\n\"advisory/native-vulnerability\" = \"off\"\n", &components);
        assert!(off.findings.is_empty());
        assert_eq!(off.applying.len(), 2, "what is not told is not gone");
    }

    #[test]
    fn a_decision_about_a_library_is_about_its_version() {
        let library = |version: &str| ArchivedComponent {
            name: "freetype-sys".into(),
            library: Some(("freetype", version.to_owned())),
            ..component("1.0.0", true)
        };
        let decision = "[[vex]]\nid = \"CVE-2025-27363\"\npurl = \"pkg:generic/freetype@2.12.1\"\nstatus = \"not_affected\"\n\
            justification = \"vulnerable_code_not_in_execute_path\"\nreason = \"no fonts of others\"\nauthor = \"Example\"\ndate = 2026-11-20\n\
            expires = 2027-01-01\n";
        let found = judged(Kind::Vulnerability, decision, &[library("2.12.1"), library("2.12.0")]);
        assert_eq!(
            shown(&found),
            [
                "1 high advisory/native-vulnerability: CVE-2025-27363: freetype 2.12.0",
                "0 exempted: VEX: not_affected (vulnerable_code_not_in_execute_path), by Example on 2026-11-20, supplychain.toml:1: \
                 no fonts of others"
            ]
        );
    }

    /// RustSec may come to speak of the crate by the same CVE: the library is as vulnerable as before.
    #[test]
    fn what_another_finding_tells_is_not_gone() {
        let of_crate = ArchivedComponent { name: "freetype-sys".into(), ..component("1.0.0", true) };
        let library = ArchivedComponent { library: Some(("freetype", "2.12.1".to_owned())), ..of_crate.clone() };
        let case = Case::new().advisory(Advisory {
            package: "freetype-sys".to_owned(),
            aliases: vec!["CVE-2025-27363".to_owned()],
            ..case_advisory(Kind::Vulnerability)
        });
        let known = case.database.map_err(|why| (why, String::new())).into();
        let found = judge(&case.settings, case.now, known, &[of_crate, library]);
        assert_eq!(shown(&found), ["0 high advisory/vulnerability: RUSTSEC-2026-0001: Something is wrong"]);
        assert_eq!(found.applying, BTreeSet::from([("CVE-2025-27363".to_owned(), 1), ("RUSTSEC-2026-0001".to_owned(), 0)]));
    }

    #[test]
    fn the_policy_counts_as_in_check() {
        let exemption = "[[exemptions]]\nid = \"CVE-2026-1000\"\nreason = \"not reached\"\nexpires = 2026-12-01\n";
        let components = [component("1.0.0", true)];
        let exempted = judged(Kind::Vulnerability, exemption, &components);
        assert_eq!(shown(&exempted), ["0 exempted: not reached"]);
        assert_eq!(exempted.applying, BTreeSet::from([("RUSTSEC-2026-0001".to_owned(), 0)]));
        let expired = exemption.replace("2026-12-01", "2026-11-01");
        assert_eq!(shown(&judged(Kind::Vulnerability, &expired, &components)).len(), 1);
        let off = "[rules]\n\"advisory/vulnerability\" = \"off\"\n";
        assert!(shown(&judged(Kind::Vulnerability, off, &components)).is_empty());
        let lower = "[rules]\n\"advisory/unmaintained\" = { level = \"low\", scope = \"workspace\" }\n";
        let found = shown(&judged(Kind::Unmaintained, lower, &components));
        assert_eq!(found, ["0 low advisory/unmaintained: RUSTSEC-2026-0001: Something is wrong"], "who asks for it is not known");
    }

    #[test]
    fn no_database_or_an_old_one_is_never_a_pass() {
        let missing =
            judge(&Settings::default(), "2026-11-23".parse().unwrap(), Err(("gone".into(), "fetch".into())).into(), &[]);
        assert_eq!((shown(&missing), missing.not_evaluated[0].required), (vec!["advisories: gone".to_owned()], true));
        let case = Case::new().advisory(case_advisory(Kind::Vulnerability));
        let old = judge(&case.settings, "2027-01-01".parse().unwrap(), case.database.map_err(|_| unreachable!()).into(), &[]);
        assert_eq!(shown(&old), ["advisories: db-stale, age 40d > 7d"]);
    }
}
