//! `[[advisories.source]]` and `[triage]`: further sources of what is known about vulnerabilities, and the project's own answers to the points
//! that its decisions need. The words of the answers are those of the tables.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::parse::{Error, Place};
use super::settings::MaxAge;
use crate::base::http::is_allowed;
use crate::model::feed::FeedKind;
use crate::model::ssvc::{self, Answers, Point, Table};

/// `[[advisories.source]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSetting {
    pub kind: FeedKind,
    /// A file or folder, relative to the workspace root, or a URL.
    pub place: SourcePlace,
    pub max_age: MaxAge,
}

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePlace {
    Path(String),
    Url(String),
}

/// `[triage]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriageSettings {
    pub table: Table,
    pub answers: Answers,
    /// Days by outcome.
    pub days: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSource {
    kind: Spanned<String>,
    path: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    max_age: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawTriage {
    table: Option<Spanned<String>>,
    publicly_exposed: Option<bool>,
    system_exposure: Option<Spanned<String>>,
    mission_and_well_being: Option<Spanned<String>>,
    safety_impact: Option<Spanned<String>>,
    mission_impact: Option<Spanned<String>>,
    human_impact: Option<Spanned<String>>,
    value_density: Option<Spanned<String>>,
    public_safety_impact: Option<Spanned<String>>,
    #[serde(default)]
    days: BTreeMap<Spanned<String>, Spanned<u32>>,
}

impl RawSource {
    pub(super) fn read(self, place: &Place<'_>) -> Result<SourceSetting, Error> {
        let known = || FeedKind::ALL.iter().map(|kind| kind.as_str());
        let kind = FeedKind::of(self.kind.get_ref()).ok_or_else(|| {
            let words: Vec<_> = known().collect();
            let message = format!("unknown kind of source `{}`: use one of {}", self.kind.get_ref(), words.join(", "));
            Error { suggestion: place.suggest(self.kind.get_ref(), known()), ..place.error(Some(self.kind.span()), message) }
        })?;
        let where_it_is = match (self.path, self.url) {
            (Some(path), None) => SourcePlace::Path(path.into_inner()),
            (None, Some(url)) if !is_allowed(url.get_ref()) => {
                return Err(place.error(Some(url.span()), "`url` is neither https nor http on this machine"));
            }
            (None, Some(url)) => SourcePlace::Url(url.into_inner()),
            (None, None) => match kind.default_url() {
                Some(url) => SourcePlace::Url(url.to_owned()),
                None => {
                    return Err(
                        place.error(Some(self.kind.span()), format!("a source of kind `{kind}` needs a `path` or a `url`"))
                    );
                }
            },
            (Some(path), Some(_)) => return Err(place.error(Some(path.span()), "a source has a `path` or a `url`, not both")),
        };
        let max_age = self.max_age.map_or(Ok(MaxAge::Days(kind.default_max_age())), |age| place.max_age(&age))?;
        Ok(SourceSetting { kind, place: where_it_is, max_age })
    }
}

impl RawTriage {
    pub(super) fn read(self, place: &Place<'_>) -> Result<TriageSettings, Error> {
        let table = match &self.table {
            None => Table::default(),
            Some(word) => Table::of(word.get_ref()).ok_or_else(|| {
                let words = || Table::ALL.iter().map(|table| table.as_str());
                let message =
                    format!("unknown table `{}`: use one of {}", word.get_ref(), words().collect::<Vec<_>>().join(", "));
                Error { suggestion: place.suggest(word.get_ref(), words()), ..place.error(Some(word.span()), message) }
            })?,
        };
        let mut answers = Answers::new();
        if let Some(exposed) = self.publicly_exposed {
            answers.insert(Point::PubliclyExposed, if exposed { "yes" } else { "no" }.to_owned());
        }
        for (point, answer) in [
            (Point::SystemExposure, self.system_exposure),
            (Point::MissionAndWellBeing, self.mission_and_well_being),
            (Point::SafetyImpact, self.safety_impact),
            (Point::MissionImpact, self.mission_impact),
            (Point::HumanImpact, self.human_impact),
            (Point::ValueDensity, self.value_density),
            (Point::PublicSafetyImpact, self.public_safety_impact),
        ] {
            let Some(answer) = answer else { continue };
            let values = ssvc::values(point);
            if !values.contains(&answer.get_ref().as_str()) {
                let message =
                    format!("`{}` is no answer to {}: use one of {}", answer.get_ref(), point.name(), values.join(", "));
                let suggestion = place.suggest(answer.get_ref(), values.into_iter());
                return Err(Error { suggestion, ..place.error(Some(answer.span()), message) });
            }
            answers.insert(point, answer.into_inner());
        }
        let mut days = BTreeMap::new();
        for (outcome, count) in self.days {
            let outcomes = ssvc::outcomes(table);
            if !outcomes.contains(&outcome.get_ref().as_str()) {
                let message = format!("`{}` is no outcome of {table}: use one of {}", outcome.get_ref(), outcomes.join(", "));
                let suggestion = place.suggest(outcome.get_ref(), outcomes.into_iter());
                return Err(Error { suggestion, ..place.error(Some(outcome.span()), message) });
            }
            days.insert(outcome.into_inner(), count.into_inner());
        }
        Ok(TriageSettings { table, answers, days })
    }
}
