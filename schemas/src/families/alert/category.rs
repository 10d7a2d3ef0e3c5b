//! The categories of alerts, and the requirements of each (domain 3.2).
//!
//! [`Category::rule`] gives the requirements as data: the checks of drafts use it, and so do pages and templates that say what a
//! category needs. Labels are in the code lists `categories`, `subject_kinds`, `person_roles` and `actions`.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BadId, Date, Locale, Timestamp, fault::Hints, subjects::SubjectKind};

/// The category of an alert. Closed: a reader that does not know the category does not know which action is requested, so a new
/// category is a new major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "categories"))]
pub enum Category {
    /// A person wanted for arrest (red notice; Regulation (EU) 2018/1862 Article 26).
    WantedPerson,
    /// A missing person (yellow notice; Article 32).
    MissingPerson,
    /// A person in need of protection (Article 32).
    VulnerablePerson,
    /// A person to be located or identified, such as a witness (blue notice; Article 34).
    SoughtPerson,
    /// A person to be checked, discreetly or openly (green notice; Article 36).
    PersonCheck,
    /// A body, or a living person who cannot say who they are (black notice).
    UnidentifiedPerson,
    /// A vehicle (Article 38).
    Vehicle,
    /// A vessel (Article 38).
    Vessel,
    /// A stolen, lost, revoked or forged document (SLTD).
    Document,
    /// A firearm (Article 38).
    Firearm,
    /// Any other object (Article 38).
    Object,
    /// A method of offenders (purple notice).
    ModusOperandi,
    /// An imminent danger (orange notice).
    ThreatWarning,
}

/// The subjects without which an alert of a category makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// At least one subject of this kind.
    One(SubjectKind),
    /// At least one subject of any kind.
    Any,
    /// None: the circumstances suffice.
    Nothing,
}

/// The requirements of a category.
#[derive(Clone, Copy, Debug)]
pub struct CategoryRule {
    /// The subjects needed.
    pub needs: Needs,
    /// The roles of which one person must have one; empty where any role is enough.
    pub roles: &'static [&'static str],
    /// The actions that can be requested.
    pub actions: &'static [&'static str],
    /// Whether at least one offence must be named.
    pub offence_required: bool,
    /// Whether the issuing decision must be named.
    pub decision_required: bool,
    /// The default validity, which is also the longest: more needs an extension.
    pub validity: Life,
}

/// A length of time on the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Years.
    Years(i16),
    /// Days.
    Days(i32),
}

impl Life {
    /// The same time of day, this much later.
    pub fn after(self, instant: Timestamp) -> Timestamp {
        let day = Date::of(instant);
        let later = match self {
            Self::Years(years) => day.plus_years(years),
            Self::Days(days) => day.plus_days(days),
        };
        later.start().plus(instant.since(day.start()))
    }

    /// The length of time in words: `3 years`.
    pub fn in_words(self, locale: Locale) -> String {
        let hints = Hints::of(locale);
        match self {
            Self::Years(1) => hints.life_year().to_owned(),
            Self::Years(years) => hints.life_years(years),
            Self::Days(days) => hints.life_days(days),
        }
    }
}

const PERSON_LOCATE: &[&str] = &["locate", "protect", "inform_only"];
const THING: &[&str] = &["seize", "locate", "check_discreetly", "check_and_question", "inform_only"];

impl Category {
    /// Every category.
    pub const ALL: [Self; 13] = [
        Self::WantedPerson,
        Self::MissingPerson,
        Self::VulnerablePerson,
        Self::SoughtPerson,
        Self::PersonCheck,
        Self::UnidentifiedPerson,
        Self::Vehicle,
        Self::Vessel,
        Self::Document,
        Self::Firearm,
        Self::Object,
        Self::ModusOperandi,
        Self::ThreatWarning,
    ];

    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WantedPerson => "wanted_person",
            Self::MissingPerson => "missing_person",
            Self::VulnerablePerson => "vulnerable_person",
            Self::SoughtPerson => "sought_person",
            Self::PersonCheck => "person_check",
            Self::UnidentifiedPerson => "unidentified_person",
            Self::Vehicle => "vehicle",
            Self::Vessel => "vessel",
            Self::Document => "document",
            Self::Firearm => "firearm",
            Self::Object => "object",
            Self::ModusOperandi => "modus_operandi",
            Self::ThreatWarning => "threat_warning",
        }
    }

    /// The requirements of this category.
    pub const fn rule(self) -> CategoryRule {
        use SubjectKind as Kind;
        match self {
            Self::WantedPerson => rule(Needs::One(Kind::Person), Life::Years(5))
                .roles(&["wanted"])
                .actions(&["arrest"])
                .offence()
                .decision(),
            Self::MissingPerson => {
                rule(Needs::One(Kind::Person), Life::Years(5)).roles(&["missing"]).actions(PERSON_LOCATE)
            }
            Self::VulnerablePerson => rule(Needs::One(Kind::Person), Life::Years(5))
                .roles(&["vulnerable", "victim", "missing"])
                .actions(PERSON_LOCATE),
            Self::SoughtPerson => rule(Needs::One(Kind::Person), Life::Years(3)).actions(&[
                "locate",
                "check_and_question",
                "inform_only",
            ]),
            Self::PersonCheck => rule(Needs::One(Kind::Person), Life::Years(1))
                .actions(&["check_discreetly", "check_and_question"])
                .offence(),
            Self::UnidentifiedPerson => rule(Needs::One(Kind::Person), Life::Years(3))
                .roles(&["unidentified"])
                .actions(&["inform_only", "protect"]),
            Self::Vehicle => rule(Needs::One(Kind::Vehicle), Life::Years(3)).actions(THING).offence(),
            Self::Vessel => rule(Needs::One(Kind::Vessel), Life::Years(3)).actions(THING).offence(),
            Self::Document => {
                rule(Needs::One(Kind::Document), Life::Years(10)).actions(&["seize", "inform_only"])
            }
            Self::Firearm => rule(Needs::One(Kind::Firearm), Life::Years(5)).actions(THING),
            Self::Object => rule(Needs::One(Kind::Object), Life::Years(5)).actions(THING),
            Self::ModusOperandi => rule(Needs::Nothing, Life::Years(1)).actions(&["inform_only"]).offence(),
            Self::ThreatWarning => {
                rule(Needs::Any, Life::Days(30)).actions(&["inform_only", "protect", "locate", "seize"])
            }
        }
    }
}

/// A rule that requires subjects only; the methods below add requirements.
const fn rule(needs: Needs, validity: Life) -> CategoryRule {
    CategoryRule {
        needs,
        roles: &[],
        actions: &[],
        offence_required: false,
        decision_required: false,
        validity,
    }
}

impl CategoryRule {
    const fn roles(mut self, roles: &'static [&'static str]) -> Self {
        self.roles = roles;
        self
    }

    const fn actions(mut self, actions: &'static [&'static str]) -> Self {
        self.actions = actions;
        self
    }

    const fn offence(mut self) -> Self {
        self.offence_required = true;
        self
    }

    const fn decision(mut self) -> Self {
        self.decision_required = true;
        self
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Category {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| BadId::new("a category of alerts", text))
    }
}
