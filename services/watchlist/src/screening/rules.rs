//! The rules: what follows from a match. They are data in versions, which two people change; every hit names its rule and version.

use serde::{Deserialize, Serialize};

use super::number::NumberKind;

/// A rule, a code of the list `matching_rules`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RuleCode {
    /// Number, issuer and family of a document are equal.
    DocumentExact,
    /// The VIN is equal, or plate and country.
    VehicleExact,
    /// The serial number of a telephone is equal.
    ObjectExact,
    /// Something is alike: a person decides.
    Review,
}

impl RuleCode {
    /// Every rule.
    pub const ALL: [Self; 4] = [Self::DocumentExact, Self::VehicleExact, Self::ObjectExact, Self::Review];

    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DocumentExact => "document_exact",
            Self::VehicleExact => "vehicle_exact",
            Self::ObjectExact => "object_exact",
            Self::Review => "review",
        }
    }

    /// The rule with this code.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }

    /// The rule for an exact match of a number of this kind.
    pub(crate) const fn of_exact(kind: NumberKind) -> Self {
        match kind {
            NumberKind::Document => Self::DocumentExact,
            NumberKind::Plate | NumberKind::Vin | NumberKind::ChassisNumber | NumberKind::EngineNumber => {
                Self::VehicleExact
            }
            NumberKind::Imei | NumberKind::FirearmSerial | NumberKind::ObjectSerial => Self::ObjectExact,
        }
    }
}

/// A rule in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rule {
    /// The code by which findings name it.
    pub code: RuleCode,
    /// Its version, from 1.
    pub version: u32,
    /// Whether what it finds is forwarded without a person, where everything that it asks for is certain. Never of `review`.
    pub forwards: bool,
}

/// The rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// These rules, and the first version of every other.
    pub fn new(changed: Vec<Rule>) -> Self {
        let mut rules = Self::default();
        for rule in changed {
            if let Some(known) = rules.0.iter_mut().find(|known| known.code == rule.code) {
                *known = Rule { forwards: rule.forwards && rule.code != RuleCode::Review, ..rule };
            }
        }
        rules
    }

    /// A rule.
    pub fn rule(&self, code: RuleCode) -> Rule {
        let found = self.0.iter().find(|rule| rule.code == code).cloned();
        found.unwrap_or(Rule { code, version: 1, forwards: false })
    }

    /// Every rule.
    pub fn all(&self) -> &[Rule] {
        &self.0
    }
}

impl Default for Rules {
    fn default() -> Self {
        let first = |code| Rule { code, version: 1, forwards: code != RuleCode::Review };
        Self(RuleCode::ALL.map(first).to_vec())
    }
}
