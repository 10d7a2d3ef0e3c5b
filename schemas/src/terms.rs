//! The terms under which an operational message is given: why, on what basis, how it may be used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Date, Lane, Text,
    words::{listed_code, open_words},
};

listed_code!(
    /// One of the accepted reasons for urgency (Directive (EU) 2023/977, Article 5).
    UrgencyReason, "urgency_reasons"
);
listed_code!(
    /// What the information may be used for.
    PurposeCode, "purposes"
);
listed_code!(
    /// An entry of the dated registry of legal bases.
    LegalBasisCode, "legal_bases"
);
listed_code!(
    /// A language, ISO 639-1.
    LanguageCode, "languages"
);

listed_code!(
    /// An offence.
    OffenceCode, "offences"
);

/// How pressing a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyLevel {
    /// Ahead of everything else; must be justified.
    Urgent,
    /// In turn.
    Normal,
}

impl UrgencyLevel {
    /// The lane in which such a message travels.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Urgent => Lane::Urgent,
            Self::Normal => Lane::Normal,
        }
    }
}

/// How pressing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Urgency {
    /// Urgent or normal.
    pub level: UrgencyLevel,
    /// Which of the accepted reasons; only and always with `urgent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<UrgencyReason>,
    /// The reason in the officer's words; only and always with `urgent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Text>,
}

/// What the recipient may do with the information. Closed: a reader that does not know a handling
/// code must not act on the message, so a new code is a new major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-code-list" = "handling"))]
pub enum HandlingCode {
    /// Police use.
    H0,
    /// Not as evidence in court without the sender's leave.
    H1,
    /// No onward sharing without the sender's leave.
    H2,
    /// Another restriction, given in words.
    H3,
}

impl HandlingCode {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::H0 => "H0",
            Self::H1 => "H1",
            Self::H2 => "H2",
            Self::H3 => "H3",
        }
    }

    /// The code with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::H0, Self::H1, Self::H2, Self::H3].into_iter().find(|code| code.as_str() == word)
    }

    /// Whether a message under this code must be released by a second person (domain 5).
    pub const fn needs_second_person(self) -> bool {
        matches!(self, Self::H2 | Self::H3)
    }
}

/// The handling code, with the words that `H3` needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handling {
    /// The code.
    pub code: HandlingCode,
    /// The restriction in words: always with `H3`, never without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restriction: Option<Text>,
}

/// How reliable the source is (4×4 system).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-code-list" = "evaluation_source"))]
pub enum SourceGrade {
    /// Always reliable.
    A,
    /// Mostly reliable.
    B,
    /// Mostly not reliable.
    C,
    /// Reliability unknown.
    X,
}

/// How sure the information is (4×4 system).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-code-list" = "evaluation_information"))]
pub enum InformationGrade {
    /// Known to be true.
    #[serde(rename = "1")]
    KnownTrue,
    /// Known to the source itself, not to the officer.
    #[serde(rename = "2")]
    KnownToSource,
    /// Not known to the source, but corroborated.
    #[serde(rename = "3")]
    Corroborated,
    /// Not known to the source and not corroborated.
    #[serde(rename = "4")]
    NotCorroborated,
}

/// The 4×4 evaluation: source and information graded apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// The source, A B C X.
    pub source: SourceGrade,
    /// The information, 1 2 3 4.
    pub information: InformationGrade,
}

/// The officer's word that the message does not hand a person who sought protection to the country
/// that they fled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProtectionCheck {
    /// True when the check was made and nothing stands against sending.
    pub confirmed: bool,
}

/// The terms of an operational message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// How pressing, and why.
    pub urgency: Urgency,
    /// What the information may be used for.
    pub purpose: PurposeCode,
    /// The legal basis on which it is given.
    pub legal_basis: LegalBasisCode,
    /// What the recipient may do with it.
    pub handling: Handling,
    /// How good it is.
    pub evaluation: Evaluation,
    /// The language of the free texts.
    pub language: LanguageCode,
    /// The last day on which the recipient may keep it.
    pub retain_until: Date,
    /// Required where the message is about a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection_check: Option<ProtectionCheck>,
}

open_words!(
    /// Why a verified message was not accepted (domain 3.1).
    RejectionCode {
        /// The content does not meet the schema of its type.
        Schema = "schema",
        /// The type's version is not one that the recipient reads.
        UnsupportedVersion = "unsupported_version",
        /// The sender may not send this.
        Unauthorised = "unauthorised",
        /// It arrived after its transport expiry.
        Expired = "expired",
        /// The recipient named is not served here.
        UnknownRecipient = "unknown_recipient",
        /// Taking it would break its handling code.
        HandlingBreach = "handling_breach",
        /// It is over a limit.
        TooLarge = "too_large",
        /// The same id came before with other content.
        Conflict = "conflict",
        /// Its time lies too far ahead of the recipient's clock.
        Clock = "clock",
        /// The case is not in a state in which this is possible.
        NotAllowedInState = "not_allowed_in_state",
    }
);
