//! The components of an archive judged by today's advisories: the rules of `check` themselves, with their levels, options, exemptions and
//! unmade checks, over facts that know nothing but components. What those rules learn, an archive is judged by.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::{Advisories, Facts, LockState, Scope, Sources, check, rules};
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

/// A distinct component of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedComponent {
    pub name: String,
    pub version: Version,
    /// As a lockfile writes it.
    pub source: Option<String>,
    /// Whether it is in, or helped to build, a released file of any release that counts.
    pub takes_part: bool,
}

/// What the rules say of the components; each is named by its index.
#[derive(Debug, Default)]
pub struct Judgement {
    pub findings: Vec<(usize, Finding)>,
    pub exempted: Vec<(usize, Exempted)>,
    pub not_evaluated: Vec<NotEvaluated>,
    /// Advisories that apply, whatever the policy says of them: id and component.
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

/// Judges.
#[must_use]
pub fn judge(settings: &Settings, now: Timestamp, known: Known, components: &[ArchivedComponent]) -> Judgement {
    let Known { database, sources } = known;
    let lockfile = lockfile(components);
    let advisories = match database {
        Ok(database) => {
            let hits = advisory::hits(&database, &lockfile);
            Advisories::Loaded { database, hits }
        }
        Err((why, help)) => Advisories::Unavailable { why, help },
    };
    let applying = match &advisories {
        Advisories::Loaded { hits, .. } => hits.iter().map(|hit| (hit.advisory.id.clone(), hit.package)).collect(),
        Advisories::Unavailable { .. } => BTreeSet::new(),
    };
    let parts = (0..components.len()).filter(|index| components[*index].takes_part).collect();
    let lock = LockState::Present { lockfile, stale: None };
    let input = by_the_rules(settings, now, &lock, (&advisories, &sources), &parts);
    let is_advisory = |finding: &Finding| rules::find(finding.id).is_some_and(|rule| rule.area == Area::Advisories);
    let of = |finding: &Finding| component_of(finding, components.len());
    Judgement {
        findings: (input.findings.into_iter().filter(is_advisory))
            .filter_map(|finding| Some((of(&finding)?, Finding { locations: Vec::new(), ..finding })))
            .collect(),
        exempted: (input.exempted.into_iter().filter(|one| is_advisory(&one.finding)))
            .filter_map(|one| {
                Some((of(&one.finding)?, Exempted { finding: Finding { locations: Vec::new(), ..one.finding }, ..one }))
            })
            .collect(),
        not_evaluated: input.not_evaluated,
        applying,
    }
}

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

fn by_the_rules(
    settings: &Settings,
    now: Timestamp,
    lock: &LockState,
    (advisories, sources): (&Advisories, &Sources),
    parts: &BTreeSet<usize>,
) -> ReportInput {
    let facts = Facts {
        settings,
        now,
        in_ci: false,
        lock,
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
        advisories,
        sources,
        audits: &Audits::default(),
        build: Err("an archive has many"),
        archived: Some(parts),
    };
    check(&facts, &Scope { only: vec![Area::Advisories], require: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory as case_advisory};
    use crate::model::lockfile::CRATES_IO;

    fn component(version: &str, takes_part: bool) -> ArchivedComponent {
        let version = version.parse().unwrap();
        ArchivedComponent { name: "lib".into(), version, source: Some(CRATES_IO[0].to_owned()), takes_part }
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
