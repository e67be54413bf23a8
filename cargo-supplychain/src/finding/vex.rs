//! What somebody has decided about a vulnerability in a product, in the words of VEX (CISA, "Minimum Requirements for Vulnerability
//! Exploitability eXchange", 2023; OpenVEX 0.2.0). Deciding is a person's: nothing here or elsewhere makes a decision.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// Whether the product is affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::NotAffected, Self::Affected, Self::Fixed, Self::UnderInvestigation];

    /// The word of OpenVEX.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether a finding of the vulnerability needs no action: the two that say so exempt it, the others only say where things stand.
    #[must_use]
    pub fn exempts(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// Why a product is not affected; OpenVEX and CSAF (`flags[].label`) have the same five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Justification {
    ComponentNotPresent,
    VulnerableCodeNotPresent,
    VulnerableCodeNotInExecutePath,
    VulnerableCodeCannotBeControlledByAdversary,
    InlineMitigationsAlreadyExist,
}

impl Justification {
    pub const ALL: [Self; 5] = [
        Self::ComponentNotPresent,
        Self::VulnerableCodeNotPresent,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::InlineMitigationsAlreadyExist,
    ];

    /// The word of OpenVEX and CSAF.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => "vulnerable_code_cannot_be_controlled_by_adversary",
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }
}

/// What is going to be done about it; CycloneDX (`analysis.response`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Response {
    CanNotFix,
    WillNotFix,
    Update,
    Rollback,
    WorkaroundAvailable,
}

impl Response {
    pub const ALL: [Self; 5] = [Self::CanNotFix, Self::WillNotFix, Self::Update, Self::Rollback, Self::WorkaroundAvailable];

    /// The word of CycloneDX.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CanNotFix => "can_not_fix",
            Self::WillNotFix => "will_not_fix",
            Self::Update => "update",
            Self::Rollback => "rollback",
            Self::WorkaroundAvailable => "workaround_available",
        }
    }
}

macro_rules! by_word {
    ($($kind:ty, $what:literal);*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $kind {
            type Err = String;

            /// Its word; the error lists those that there are.
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    format!(concat!("unknown ", $what, " `{}`: use one of {}"), text, words.join(", "))
                })
            }
        }
    )*};
}

by_word!(Status, "status"; Justification, "justification"; Response, "response");

/// A decision that applies to a finding, with who made it and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub status: Status,
    /// In the words of the document: of OpenVEX and CSAF, or of CycloneDX.
    pub justification: Option<String>,
    /// Why, or what is known.
    pub reason: Option<String>,
    /// What users are told to do.
    pub action: Option<String>,
    pub author: String,
    pub date: Option<Timestamp>,
    /// From this instant on it no longer counts; none: its document gives no end.
    pub expires: Option<Timestamp>,
    /// `supplychain.toml:12`, or the file of others.
    pub source: String,
    /// The product that it was said of, as the file of others names it.
    pub product: Option<String>,
}

impl Decision {
    /// In one line: `VEX: not_affected (component_not_present), by PSIRT on 2026-11-30, supplychain.toml:12: the reason`.
    #[must_use]
    pub fn line(&self) -> String {
        let justification = self.justification.as_ref().map(|word| format!(" ({word})")).unwrap_or_default();
        let on = self.date.map(|date| format!(" on {}", date.date())).unwrap_or_default();
        let of = self.product.as_ref().map(|product| format!(" of {product}")).unwrap_or_default();
        let texts: Vec<_> = self.reason.iter().chain(&self.action).map(String::as_str).collect();
        let text = if texts.is_empty() { String::new() } else { format!(": {}", texts.join("; ")) };
        format!("VEX: {}{justification}{of}, by {}{on}, {}{text}", self.status, self.author, self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_named() {
        assert!(Status::ALL.into_iter().all(|one| one.as_str().parse() == Ok(one)));
        assert!(Justification::ALL.into_iter().all(|one| one.as_str().parse() == Ok(one)));
        assert!(Response::ALL.into_iter().all(|one| one.as_str().parse() == Ok(one)));
        assert_eq!(
            "safe".parse::<Status>(),
            Err("unknown status `safe`: use one of not_affected, affected, fixed, under_investigation".to_owned())
        );
    }

    #[test]
    fn a_decision_is_a_line() {
        let decision = Decision {
            status: Status::NotAffected,
            justification: Some("component_not_present".into()),
            reason: Some("it is not linked".into()),
            action: None,
            author: "PSIRT".into(),
            date: Some("2026-11-30".parse().unwrap()),
            expires: None,
            source: "supplychain.toml:12".into(),
            product: None,
        };
        insta::assert_snapshot!(decision.line(), @"VEX: not_affected (component_not_present), by PSIRT on 2026-11-30, supplychain.toml:12: it is not linked");
    }
}
