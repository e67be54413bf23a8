//! From a hit to a decision: the answers that are known of a vulnerability, and what a table says to them. Pure. A vulnerability that no
//! source speaks of has no signal, which is said and never taken for "no".

use std::collections::BTreeMap;

use super::rating::Rating;
use super::signals::{CveRecord, Signals, is_cve};
use crate::base::Timestamp;
use crate::finding::{Answer, EpssSignal, RatingSignal, Severity, Triage};
use crate::model::ssvc::{self, Answers, Point, Table};

/// By which table, with which answers of the project's own.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'p> {
    pub table: Table,
    pub answers: &'p Answers,
    /// Days that an outcome gives, where the table names none or the project wants fewer.
    pub days: &'p BTreeMap<String, u32>,
}

/// What is decided about.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// All ids that it is known by.
    pub ids: &'c [String],
    /// When it was published.
    pub published: Option<Timestamp>,
    /// The ratings of its advisory, the one that counts first.
    pub ratings: &'c [Rating],
}

/// Decides.
#[must_use]
pub fn triage(case: &Case<'_>, signals: &Signals, policy: &Policy<'_>) -> Triage {
    let cves: Vec<&str> = case.ids.iter().map(String::as_str).filter(|id| is_cve(id)).collect();
    let record = signals.record(cves.iter().copied());
    let exploited = signals.kev.as_ref().filter(|_| !cves.is_empty());
    let entry = exploited.and_then(|kev| cves.iter().find_map(|cve| kev.get(*cve)));
    let (answers, sources) = answers(policy, record, exploited.map(|_| entry.is_some()));
    let verdict = ssvc::evaluate(policy.table, &answers);
    let from = entry.map(|entry| entry.added).max(case.published);
    let due = match &*verdict.outcomes {
        [outcome] => policy.days.get(outcome).copied().or_else(|| ssvc::days(outcome)).and_then(|days| after(from?, days)),
        _ => None,
    };
    let of_table = ssvc::points(policy.table);
    let shown = of_table.iter().filter_map(|point| {
        let source = sources.get(point).cloned().unwrap_or_default();
        Some(Answer { point: point.name().to_owned(), value: answers.get(point)?.clone(), source })
    });
    Triage {
        table: policy.table.to_string(),
        table_version: policy.table.version().to_owned(),
        urgency: if let [outcome] = &*verdict.outcomes { Some(urgency(outcome)) } else { None },
        outcomes: verdict.outcomes,
        due,
        answers: shown.collect(),
        unknown: verdict.unknown.iter().map(|point| point.name().to_owned()).collect(),
        known_exploited: exploited.map(|_| entry.is_some()),
        epss: epss(&cves, signals),
        ratings: ratings(case.ratings, record.map(|(_, record)| record)).iter().map(shown_rating).collect(),
    }
}

/// The advisory's own ratings, then those of the CVE record.
#[must_use]
pub fn ratings(own: &[Rating], record: Option<&CveRecord>) -> Vec<Rating> {
    let mut all = own.to_vec();
    for rating in record.iter().flat_map(|record| &record.ratings) {
        if !all.iter().any(|other| other.vector == rating.vector && other.source == rating.source) {
            all.push(rating.clone());
        }
    }
    // A stable sort: what is scored comes first, otherwise the order of who is believed.
    all.sort_by_key(|rating| rating.score.is_none());
    all
}

fn answers(
    policy: &Policy<'_>,
    record: Option<(&str, &CveRecord)>,
    is_exploited: Option<bool>,
) -> (Answers, BTreeMap<Point, String>) {
    let mut answers = policy.answers.clone();
    let mut sources: BTreeMap<Point, String> = answers.keys().map(|point| (*point, "policy".to_owned())).collect();
    let mut tell = |point: Point, value: &str, source: &str| {
        answers.insert(point, value.to_owned());
        sources.insert(point, source.to_owned());
    };
    if let Some((cve, analysis)) = record.and_then(|(cve, record)| Some((cve, record.analysis.as_ref()?))) {
        let source = format!("{} ({cve})", analysis.role);
        // The records say `poc` where the tables say `public poc`.
        let exploitation = if analysis.exploitation == "poc" { "public poc" } else { &analysis.exploitation };
        tell(Point::Exploitation, exploitation, &source);
        tell(Point::Automatable, &analysis.automatable, &source);
        tell(Point::TechnicalImpact, &analysis.technical_impact, &source);
    }
    if let Some(is_exploited) = is_exploited {
        tell(Point::InKev, if is_exploited { "yes" } else { "no" }, "KEV catalogue");
        // The catalogue is of what is exploited; that it is not there says nothing else.
        if is_exploited {
            tell(Point::Exploitation, "active", "KEV catalogue");
        }
    }
    (answers, sources)
}

fn urgency(outcome: &str) -> Severity {
    match ssvc::rank(outcome) {
        3.. => Severity::Critical,
        2 => Severity::High,
        1 => Severity::Medium,
        0 => Severity::Low,
    }
}

fn epss(cves: &[&str], signals: &Signals) -> Option<EpssSignal> {
    let scores = signals.epss.as_ref()?;
    let (cve, score) = cves.iter().find_map(|cve| Some((*cve, scores.scores.get(*cve)?)))?;
    Some(EpssSignal {
        cve: cve.to_owned(),
        probability: score.probability.clone(),
        percentile: score.percentile.clone(),
        model: scores.model.clone(),
        date: scores.date,
    })
}

fn shown_rating(rating: &Rating) -> RatingSignal {
    RatingSignal { vector: rating.vector.clone(), score: rating.score, source: rating.source.clone() }
}

fn after(from: Timestamp, days: u32) -> Option<Timestamp> {
    Timestamp::from_unix(from.unix().checked_add(i64::from(days) * 86_400)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::signals::{Analysis, Epss, Exploited, Scores};

    fn signals() -> Signals {
        let analysis = |exploitation: &str, automatable: &str, impact: &str| CveRecord {
            analysis: Some(Analysis {
                exploitation: exploitation.into(),
                automatable: automatable.into(),
                technical_impact: impact.into(),
                role: "CISA Coordinator".into(),
                date: None,
            }),
            ratings: vec![Rating::new("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CNA GitHub_M").unwrap()],
            ..CveRecord::default()
        };
        let exploited = Exploited {
            vendor: "Google".into(),
            product: "Chromium WebP".into(),
            name: "x".into(),
            added: "2023-09-13".parse().unwrap(),
            ransomware: false,
        };
        let score = Epss { probability: "0.42".into(), percentile: "0.98".into() };
        Signals {
            kev: Some(BTreeMap::from([("CVE-2023-4863".into(), exploited)])),
            epss: Some(Scores {
                model: "v2026.06.15".into(),
                date: Some("2026-09-21".parse().unwrap()),
                scores: BTreeMap::from([("CVE-2024-27308".into(), score)]),
            }),
            records: Some(BTreeMap::from([
                ("CVE-2024-27308".into(), analysis("none", "yes", "partial")),
                ("CVE-2020-25575".into(), analysis("poc", "yes", "total")),
            ])),
            ..Signals::default()
        }
    }

    fn decided(ids: &[&str], table: Table, own: &[(Point, &str)], signals: &Signals) -> Triage {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let answers = own.iter().map(|(point, value)| (*point, (*value).to_owned())).collect();
        let days = BTreeMap::from([("attend".to_owned(), 30)]);
        let case = Case { ids: &ids, published: Some("2024-03-04".parse().unwrap()), ratings: &[] };
        triage(&case, signals, &Policy { table, answers: &answers, days: &days })
    }

    #[test]
    fn decisions_and_their_dates() {
        let exposed = [(Point::PubliclyExposed, "yes")];
        let hidden = [(Point::PubliclyExposed, "no")];
        let high = [(Point::MissionAndWellBeing, "high")];
        for (cve, table, own, expected) in [
            ("CVE-2024-27308", Table::CisaBod2604, &hidden[..], "SSVC cisa-bod-26-04: 60 days, until 2024-05-03"),
            ("CVE-2024-27308", Table::CisaBod2604, &exposed, "SSVC cisa-bod-26-04: 14 days, until 2024-03-18"),
            ("CVE-2020-25575", Table::CisaBod2604, &exposed, "SSVC cisa-bod-26-04: 3 days, until 2024-03-07"),
            ("CVE-2020-25575", Table::CisaCoordinator, &high, "SSVC cisa-coordinator: attend, until 2024-04-03"),
            (
                "CVE-2024-27308",
                Table::CisaBod2604,
                &[],
                "SSVC cisa-bod-26-04: not decided (14 days … 60 days), no answer to Publicly Exposed",
            ),
        ] {
            assert_eq!(decided(&["RUSTSEC-2024-0019", cve], table, own, &signals()).line(), expected, "{cve}");
        }
    }

    #[test]
    fn no_signal_is_not_no() {
        let without = decided(&["RUSTSEC-2026-0001"], Table::CisaBod2604, &[(Point::PubliclyExposed, "no")], &signals());
        assert_eq!((without.known_exploited, &without.epss, without.ratings.len()), (None, &None, 0));
        assert_eq!(without.unknown, ["In KEV", "Automatable", "Technical Impact"]);
        assert!(without.decided().is_none());
        let unlisted = decided(&["CVE-2026-1"], Table::CisaBod2604, &[], &Signals::default());
        assert_eq!(unlisted.known_exploited, None);
        let exploited = decided(&["CVE-2023-4863"], Table::CisaBod2604, &[], &signals());
        assert_eq!(exploited.known_exploited, Some(true));
        assert!(exploited.answers.iter().any(|answer| (&*answer.point, &*answer.source) == ("In KEV", "KEV catalogue")));
        let mio = decided(&["CVE-2024-27308"], Table::CisaBod2604, &[], &signals());
        assert_eq!((mio.known_exploited, &*mio.epss.unwrap().model), (Some(false), "v2026.06.15"));
        assert_eq!((&*mio.ratings[0].source, mio.ratings[0].score), ("CNA GitHub_M", Some(75)));
    }
}
