//! `[rules]`: levels and options of rules, and which areas are required.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::{Spanned, Value};

use super::{Error, KnownRule, Place, did_you_mean};
use crate::config::settings::{Level, OptionKind, OptionValue, RuleOption, RuleSetting};
use crate::finding::{Area, Severity};

impl Place<'_> {
    pub(super) fn rules(
        &self,
        raw: BTreeMap<Spanned<String>, Spanned<Value>>,
        known: &[KnownRule<'_>],
    ) -> Result<(Vec<Area>, BTreeMap<String, RuleSetting>), Error> {
        let (mut require, mut rules) = (Vec::new(), BTreeMap::new());
        for (key, value) in raw {
            if key.get_ref() == "require" {
                require = self.areas(&value)?;
                continue;
            }
            let Some(rule) = known.iter().find(|rule| rule.id == key.get_ref()) else {
                let suggestion = did_you_mean(key.get_ref(), known.iter().map(|rule| rule.id));
                return Err(Error { suggestion, ..self.error(Some(key.span()), format!("unknown rule `{}`", key.get_ref())) });
            };
            rules.insert(key.into_inner(), self.rule(rule, &value)?);
        }
        Ok((require, rules))
    }

    fn areas(&self, value: &Spanned<Value>) -> Result<Vec<Area>, Error> {
        let words = self.strings(value.get_ref()).ok_or_else(|| self.error(Some(value.span()), "`require` lists areas"))?;
        let areas = words.iter().map(|word| {
            word.parse().map_err(|message: String| {
                let suggestion = did_you_mean(word, Area::ALL.iter().map(|area| area.as_str()));
                Error { suggestion, ..self.error(Some(value.span()), message) }
            })
        });
        areas.collect()
    }

    /// `"LEVEL"`, or `{ level = "LEVEL", allow = […] }`.
    fn rule(&self, rule: &KnownRule<'_>, value: &Spanned<Value>) -> Result<RuleSetting, Error> {
        let wrong = |message: String| self.error(Some(value.span()), message);
        let table = match value.get_ref() {
            Value::String(word) => {
                return Ok(RuleSetting { level: Some(self.level(word, value.span())?), options: BTreeMap::new() });
            }
            Value::Table(table) => table,
            _ => return Err(wrong(format!("rule `{}` takes a level, or a table with {}", rule.id, keys_of(rule)))),
        };
        let mut setting = RuleSetting::default();
        for (key, item) in table {
            match (key.as_str(), item) {
                ("level", Value::String(word)) => setting.level = Some(self.level(word, value.span())?),
                ("level", _) => return Err(wrong("`level` is not a string".into())),
                (name, value) => {
                    let Some(option) = rule.options.iter().find(|option| option.name == name) else {
                        let names = std::iter::once("level").chain(rule.options.iter().map(|option| option.name));
                        let suggestion = did_you_mean(name, names);
                        let message = format!("unknown key `{name}`, rule `{}` takes {}", rule.id, keys_of(rule));
                        return Err(Error { suggestion, ..wrong(message) });
                    };
                    setting.options.insert(name.to_owned(), self.option(option, value).map_err(wrong)?);
                }
            }
        }
        Ok(setting)
    }

    fn option(&self, option: &RuleOption, value: &Value) -> Result<OptionValue, String> {
        let value = match option.kind {
            OptionKind::List => self.strings(value).map(OptionValue::List).ok_or_else(|| "a list of strings".to_owned()),
            OptionKind::Word(words) => {
                let word = value.as_str().filter(|word| words.contains(word));
                word.map(|word| OptionValue::Word(word.to_owned())).ok_or_else(|| format!("one of {}", words.join(", ")))
            }
            OptionKind::Number => {
                let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
                number.map(OptionValue::Number).ok_or_else(|| "a whole number from 0".to_owned())
            }
        };
        value.map_err(|wanted| format!("`{}` is not {wanted}", option.name))
    }

    fn level(&self, word: &str, span: Range<usize>) -> Result<Level, Error> {
        Ok(Level::Severity(match word {
            "off" => return Ok(Level::Off),
            "info" => Severity::Info,
            "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            "critical" => Severity::Critical,
            other => {
                let words = ["off", "info", "low", "medium", "high", "critical"];
                let suggestion = did_you_mean(other, words.into_iter());
                let message = format!("unknown level `{other}`: use {}", words.join(", "));
                return Err(Error { suggestion, ..self.error(Some(span), message) });
            }
        }))
    }

    pub(super) fn strings(&self, value: &Value) -> Option<Vec<String>> {
        value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    }
}

/// `level`, `allow` and `days`: the keys of a rule's table, for a message.
fn keys_of(rule: &KnownRule<'_>) -> String {
    let names = std::iter::once("level").chain(rule.options.iter().map(|option| option.name));
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
