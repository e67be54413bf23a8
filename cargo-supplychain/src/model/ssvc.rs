//! Stakeholder-Specific Vulnerability Categorization: decision tables and their evaluation. The tables are data, byte by byte as the CERT
//! Coordination Center publishes them (`data/csv` of <https://github.com/CERTCC/SSVC>, © Carnegie Mellon University, with CISA's own
//! tables below `cisa/`): one row for each combination of answers.
//!
//! An answer may be unknown. Then every answer that is possible counts, and there may be more than one outcome: unknown is not guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The tables that decide about a vulnerability.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Binding Operational Directive 26-04, its remediation timelines.
    #[default]
    CisaBod2604,
    CisaCoordinator,
    Deployer,
    Supplier,
}

impl Table {
    pub const ALL: [Self; 4] = [Self::CisaBod2604, Self::CisaCoordinator, Self::Deployer, Self::Supplier];

    /// The word in the policy and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CisaBod2604 => "cisa-bod-26-04",
            Self::CisaCoordinator => "cisa-coordinator",
            Self::Deployer => "deployer",
            Self::Supplier => "supplier",
        }
    }

    /// The table of this name.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.as_str() == word)
    }

    /// Its version, as its file has it.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::CisaCoordinator => "2.0.3",
            _ => "1.0.0",
        }
    }

    fn csv(self) -> &'static str {
        match self {
            Self::CisaBod2604 => include_str!("ssvc/cisa_bod_26_04_1_0_0.csv"),
            Self::CisaCoordinator => include_str!("ssvc/cisa_coordinator_2_0_3.csv"),
            Self::Deployer => include_str!("ssvc/deployer_patch_application_priority_1_0_0.csv"),
            Self::Supplier => include_str!("ssvc/supplier_patch_development_priority_1_0_0.csv"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Tables whose outcome is an answer of other tables.
const HUMAN_IMPACT: &str = include_str!("ssvc/human_impact_1_0_0.csv");
const UTILITY: &str = include_str!("ssvc/utility_1_0_0.csv");

/// A decision point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    InKev,
    PubliclyExposed,
    Exploitation,
    Automatable,
    TechnicalImpact,
    MissionAndWellBeing,
    SystemExposure,
    SafetyImpact,
    MissionImpact,
    HumanImpact,
    ValueDensity,
    Utility,
    PublicSafetyImpact,
}

impl Point {
    /// As the tables write it, without version and namespace.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InKev => "In KEV",
            Self::PubliclyExposed => "Publicly Exposed",
            Self::Exploitation => "Exploitation",
            Self::Automatable => "Automatable",
            Self::TechnicalImpact => "Technical Impact",
            Self::MissionAndWellBeing => "Mission and Well-Being Impact",
            Self::SystemExposure => "System Exposure",
            Self::SafetyImpact => "Safety Impact",
            Self::MissionImpact => "Mission Impact",
            Self::HumanImpact => "Human Impact",
            Self::ValueDensity => "Value Density",
            Self::Utility => "Utility",
            Self::PublicSafetyImpact => "Public Safety Impact",
        }
    }

    const ALL: [Self; 13] = [
        Self::InKev,
        Self::PubliclyExposed,
        Self::Exploitation,
        Self::Automatable,
        Self::TechnicalImpact,
        Self::MissionAndWellBeing,
        Self::SystemExposure,
        Self::SafetyImpact,
        Self::MissionImpact,
        Self::HumanImpact,
        Self::ValueDensity,
        Self::Utility,
        Self::PublicSafetyImpact,
    ];

    fn of_column(header: &str) -> Option<Self> {
        let name = header.rsplit_once(" v").map_or(header, |(name, _)| name);
        Self::ALL.into_iter().find(|point| point.name() == name)
    }
}

/// What is known: a point that is not there is not known.
pub type Answers = BTreeMap<Point, String>;

/// What a table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The outcomes that are possible, the most urgent first. One: it is decided.
    pub outcomes: Vec<String>,
    /// The points that would decide it and are not known, in the order of the table.
    pub unknown: Vec<Point>,
}

struct Rows<'t> {
    points: Vec<Point>,
    rows: Vec<(Vec<&'t str>, &'t str)>,
}

/// Reads a table: `row`, a column for each point, the outcome. Ours have no quotes and no commas inside of a field.
fn rows(csv: &str) -> Rows<'_> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    // A header may be quoted, because the name of the outcome has commas: what is a point comes before it.
    let points: Vec<_> = header.iter().skip(1).map_while(|column| Point::of_column(column)).collect();
    // The column of the outcome may be called like a point (`Human Impact`): it is the last.
    let columns = lines.clone().next().map_or(0, |line| line.split(',').count());
    let points = points.into_iter().take(columns.saturating_sub(2)).collect::<Vec<_>>();
    let rows = lines.filter_map(|line| {
        let mut fields: Vec<_> = line.split(',').skip(1).map(str::trim).collect();
        let outcome = fields.pop()?;
        (fields.len() == points.len()).then_some((fields, outcome))
    });
    let rows = rows.collect();
    Rows { points, rows }
}

impl Rows<'_> {
    /// The outcomes of the rows that the answers allow, and the points that are not known and make a difference.
    fn possible(&self, answers: &BTreeMap<Point, BTreeSet<String>>) -> (BTreeSet<&str>, Vec<Point>) {
        let matching = |answers: &BTreeMap<Point, BTreeSet<String>>| -> BTreeSet<&str> {
            let fits = |(fields, _): &&(Vec<&str>, &str)| {
                let mut pairs = self.points.iter().zip(fields);
                pairs.all(|(point, field)| answers.get(point).is_none_or(|possible| possible.contains(*field)))
            };
            self.rows.iter().filter(fits).map(|(_, outcome)| *outcome).collect()
        };
        let outcomes = matching(answers);
        let is_open = |point: &&Point| answers.get(point).is_none_or(|possible| possible.len() > 1);
        let open: Vec<_> = self.points.iter().filter(is_open).copied().collect();
        let unknown = if outcomes.len() > 1 { open } else { Vec::new() };
        (outcomes, unknown)
    }
}

/// Asks a table.
#[must_use]
pub fn evaluate(table: Table, answers: &Answers) -> Verdict {
    let mut possible: BTreeMap<Point, BTreeSet<String>> =
        answers.iter().map(|(point, value)| (*point, BTreeSet::from([value.clone()]))).collect();
    let mut beneath = BTreeMap::new();
    for (point, csv) in [(Point::HumanImpact, HUMAN_IMPACT), (Point::Utility, UTILITY)] {
        if possible.contains_key(&point) {
            continue;
        }
        let below = rows(csv);
        let (outcomes, unknown) = below.possible(&possible);
        beneath.insert(point, unknown);
        possible.insert(point, outcomes.into_iter().map(str::to_owned).collect());
    }
    let table_rows = rows(table.csv());
    let (outcomes, unknown) = table_rows.possible(&possible);
    let mut outcomes: Vec<_> = outcomes.into_iter().map(str::to_owned).collect();
    outcomes.sort_by_key(|outcome| std::cmp::Reverse((rank(outcome), days(outcome).map(std::cmp::Reverse), outcome.len())));
    let mut points = Vec::new();
    for point in unknown {
        match beneath.remove(&point) {
            Some(below) if !below.is_empty() => points.extend(below),
            _ => points.push(point),
        }
    }
    Verdict { outcomes, unknown: points }
}

/// What a table can say.
#[must_use]
pub fn outcomes(table: Table) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (_, outcome) in rows(table.csv()).rows {
        if !found.contains(&outcome) {
            found.push(outcome);
        }
    }
    found
}

/// The points that a table asks, those beneath them (Human Impact, Utility) included.
#[must_use]
pub fn points(table: Table) -> Vec<Point> {
    let mut all = Vec::new();
    for point in rows(table.csv()).points {
        match point {
            Point::HumanImpact => all.extend(rows(HUMAN_IMPACT).points),
            Point::Utility => all.extend(rows(UTILITY).points),
            _ => {}
        }
        all.push(point);
    }
    all
}

/// The values that a point can have, in the tables' own words: what a policy may answer.
#[must_use]
pub fn values(point: Point) -> Vec<&'static str> {
    let csvs = Table::ALL.iter().map(|table| table.csv()).chain([HUMAN_IMPACT, UTILITY]);
    let mut found: Vec<&'static str> = Vec::new();
    for csv in csvs {
        let table = rows(csv);
        let Some(column) = table.points.iter().position(|other| *other == point) else { continue };
        for (fields, _) in table.rows {
            if !found.contains(&fields[column]) {
                found.push(fields[column]);
            }
        }
    }
    found
}

/// How urgent an outcome is, from 0 to 3, so that decisions of any table can be put in order.
#[must_use]
pub fn rank(outcome: &str) -> u8 {
    match outcome {
        "3 days & forensic investigation" | "3 days" | "act" | "immediate" => 3,
        "14 days" | "attend" | "out-of-cycle" => 2,
        "60 days" | "track*" | "scheduled" => 1,
        _ => 0,
    }
}

/// The days that an outcome of BOD 26-04 gives; the other tables name none.
#[must_use]
pub fn days(outcome: &str) -> Option<u32> {
    let (number, rest) = outcome.split_once(' ')?;
    if rest.starts_with("days") { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of every table gives its outcome, and every combination of answers is a row.
    #[test]
    fn every_row_of_every_table_reproduces() {
        for (table, expected) in Table::ALL.into_iter().zip([16, 36, 72, 36]) {
            let parsed = rows(table.csv());
            assert_eq!(parsed.rows.len(), expected, "{table}");
            let combinations: usize = parsed.points.iter().map(|point| values(*point).len()).product();
            assert_eq!(combinations, expected, "{table}");
            for (fields, outcome) in &parsed.rows {
                let answers: Answers = parsed.points.iter().copied().zip(fields.iter().map(ToString::to_string)).collect();
                let verdict = evaluate(table, &answers);
                assert_eq!(verdict, Verdict { outcomes: vec![(*outcome).to_owned()], unknown: Vec::new() }, "{table} {fields:?}");
            }
        }
        for (csv, expected) in [(HUMAN_IMPACT, 16), (UTILITY, 4)] {
            let parsed = rows(csv);
            assert_eq!((parsed.points.len(), parsed.rows.len()), (2, expected));
            for (fields, outcome) in &parsed.rows {
                let answers = parsed.points.iter().copied().zip(fields.iter().map(|field| BTreeSet::from([(*field).to_owned()])));
                let (outcomes, unknown) = parsed.possible(&answers.collect());
                assert_eq!((outcomes, unknown), (BTreeSet::from([*outcome]), Vec::new()));
            }
        }
    }

    #[test]
    fn what_is_not_known_leaves_what_is_possible() {
        let known =
            |pairs: &[(Point, &str)]| pairs.iter().map(|(point, value)| (*point, (*value).to_owned())).collect::<Answers>();
        let nothing = evaluate(Table::CisaBod2604, &Answers::new());
        assert_eq!(nothing.outcomes[0], "3 days & forensic investigation");
        assert_eq!(nothing.outcomes.last().unwrap(), "fix on system upgrade");
        assert_eq!(nothing.unknown, [Point::InKev, Point::PubliclyExposed, Point::Automatable, Point::TechnicalImpact]);
        // What makes no difference is not asked for.
        let mio = [(Point::InKev, "no"), (Point::Automatable, "yes"), (Point::TechnicalImpact, "partial")];
        let verdict = evaluate(Table::CisaBod2604, &known(&mio));
        assert_eq!((verdict.outcomes, verdict.unknown), (vec!["14 days".into(), "60 days".into()], vec![Point::PubliclyExposed]));
        let deployer = evaluate(Table::Deployer, &known(&[(Point::Exploitation, "active"), (Point::SafetyImpact, "negligible")]));
        assert!(
            deployer.unknown.contains(&Point::MissionImpact) && !deployer.unknown.contains(&Point::HumanImpact),
            "{deployer:?}"
        );
        assert!(!deployer.unknown.contains(&Point::SafetyImpact), "{deployer:?}");
    }

    #[test]
    fn values_are_those_of_the_tables() {
        assert_eq!(values(Point::SystemExposure), ["small", "controlled", "open"]);
        assert_eq!(values(Point::PubliclyExposed), ["no", "yes"]);
        assert_eq!(values(Point::ValueDensity), ["diffuse", "concentrated"]);
        assert_eq!(values(Point::PublicSafetyImpact), ["minimal", "significant"]);
        assert_eq!(days("3 days & forensic investigation"), Some(3));
        assert_eq!(days("track"), None);
    }
}
