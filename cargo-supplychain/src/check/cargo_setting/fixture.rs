//! For the tests of the rules about the configuration: a world of facts that is fine, and words to change it.

use std::collections::BTreeMap;

use crate::base::{Location, Timestamp};
use crate::check::case::Case;
use crate::check::{Facts, LockState, Rule};
use crate::config::{OptionValue, Settings};
use crate::finding::Finding;
use crate::model::machine::MachineFacts;
use crate::model::manifest::Manifest;
use crate::model::workflow::Workflow;
use crate::model::{CargoConfig, ConfigEntry, Scope, ToolchainFile};

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) machine: MachineFacts,
    pub(crate) config: CargoConfig,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) in_ci: bool,
    pub(crate) toolchain_file: Option<ToolchainFile>,
    pub(crate) workflows: Vec<Workflow>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::default(),
            manifests: Vec::new(),
            machine: MachineFacts::default(),
            config: CargoConfig::default(),
            environment: BTreeMap::new(),
            in_ci: false,
            toolchain_file: None,
            workflows: Vec::new(),
        }
    }

    /// Adds a configuration file of this scope.
    pub(crate) fn file(mut self, scope: Scope, text: &str) -> Self {
        let table: toml::Table = text.parse().expect(text);
        let mut leaves = Vec::new();
        flatten(&table, &mut Vec::new(), &mut leaves);
        self.config.entries.extend(leaves.into_iter().map(|(key, value)| ConfigEntry {
            key,
            value,
            location: Location::line(if scope == Scope::CommandLine { "--config" } else { "config.toml" }, 1),
            scope,
            base: "/w".into(),
            effective: true,
        }));
        self
    }

    pub(crate) fn allow(mut self, rule: &Rule, words: &[&str]) -> Self {
        let words = OptionValue::List(words.iter().map(|&word| word.to_owned()).collect());
        self.settings.rules.entry(rule.id.into()).or_default().options.insert("allow".into(), words);
        self
    }

    /// The rule's findings, `severity message`, in its order.
    pub(crate) fn run(&self, rule: &Rule) -> Vec<String> {
        self.findings(rule).into_iter().map(|finding| format!("{} {}", finding.severity, finding.message)).collect()
    }

    pub(crate) fn findings(&self, rule: &Rule) -> Vec<Finding> {
        let lock = LockState::Missing { path: "Cargo.lock".into() };
        let findings = Case::new().with(|facts| {
            (rule.run)(&Facts {
                settings: &self.settings,
                now: Timestamp::from_unix(0).expect("the epoch is a time"),
                in_ci: self.in_ci,
                lock: &lock,
                manifests: &self.manifests,
                machine: &self.machine,
                cargo_config: &self.config,
                environment: &self.environment,
                toolchain_file: self.toolchain_file.as_ref(),
                workflows: &self.workflows,
                ..*facts
            })
        });
        for finding in &findings {
            assert_eq!(finding.id, rule.id);
            assert!(!finding.help.is_empty(), "{finding:?}");
            assert!(!finding.message.ends_with('.'), "{finding:?}");
        }
        findings
    }
}

/// One row of a table test: the configuration file of a scope, and what the rule says of it.
pub(crate) fn table(rule: &Rule, rows: &[(Scope, &str, &[&str])]) {
    for (scope, text, expected) in rows {
        assert_eq!(World::new().file(*scope, text).run(rule), *expected, "{scope:?} {text}");
    }
}

fn flatten(table: &toml::Table, prefix: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, toml::Value)>) {
    for (key, value) in table {
        prefix.push(key.clone());
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => flatten(inner, prefix, leaves),
            leaf => leaves.push((prefix.clone(), leaf.clone())),
        }
        prefix.pop();
    }
}
