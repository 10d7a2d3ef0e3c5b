//! The terms of an operational message: purpose, legal basis, and how the recipient may use it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Date, Lane, Text, Timestamp,
    words::{listed_code, open_words},
};

listed_code!(
    /// One of the accepted reasons for urgency (Directive (EU) 2023/977, Article 5).
    UrgencyReason, "urgency_reasons"
);
listed_code!(
    /// The purpose for which the information may be used.
    PurposeCode, "purposes"
);
listed_code!(
    /// A legal basis, of the dated registry.
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

/// The level of urgency of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyLevel {
    /// Sent before everything else; must be justified.
    Urgent,
    /// Sent in its turn.
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

/// The urgency of a message, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Urgency {
    /// The level: urgent or normal.
    pub level: UrgencyLevel,
    /// One of the accepted reasons; only and always with `urgent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<UrgencyReason>,
    /// The reason in the officer's words; only and always with `urgent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Text>,
}

/// A restriction on the use of the information by the recipient. Closed: a reader that does not know a handling code must not
/// act on the message, so a new code is a new major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-code-list" = "handling"))]
pub enum HandlingCode {
    /// Police use.
    H0,
    /// Not as evidence in court without the sender's leave.
    H1,
    /// No onward sharing without the sender's leave.
    H2,
    /// Another restriction, stated in a sentence.
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
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::H0, Self::H1, Self::H2, Self::H3].into_iter().find(|code| code.as_str() == word)
    }

    /// Whether a message under this code must be released by a second person (domain 5).
    pub const fn needs_second_person(self) -> bool {
        matches!(self, Self::H2 | Self::H3)
    }

    /// Whether whoever received a message under this code may hand its content on only with the sender's leave. What `H3` forbids
    /// is a sentence that no program reads, so it is taken to forbid this.
    pub const fn needs_leave_to_share(self) -> bool {
        matches!(self, Self::H2 | Self::H3)
    }
}

/// The handling code, with the sentence that `H3` needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handling {
    /// The code.
    pub code: HandlingCode,
    /// The restriction as a sentence: always with `H3`, never without.
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

/// How certain the information is (4×4 system).
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

/// The 4×4 evaluation: source and information are graded separately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// The source, A B C X.
    pub source: SourceGrade,
    /// The information, 1 2 3 4.
    pub information: InformationGrade,
}

/// The officer's confirmation that the message does not disclose a person who sought protection to the country that they fled
/// from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProtectionCheck {
    /// True when the officer made the check and found no objection to sending.
    pub confirmed: bool,
}

/// The release of a message by one person alone although it needs a second one, because it could not wait (domain 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Emergency {
    /// Why it could not wait, in the officer's words.
    pub reason: Text,
    /// Until when a second person must confirm the release; afterwards nobody acts on the message until somebody does. Set by the
    /// gateway that releases it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<Timestamp>,
}

/// The terms of an operational message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// The urgency, with its reason.
    pub urgency: Urgency,
    /// The purpose for which the information may be used.
    pub purpose: PurposeCode,
    /// The legal basis on which it is given.
    pub legal_basis: LegalBasisCode,
    /// The restriction on the use by the recipient.
    pub handling: Handling,
    /// The grades of source and information.
    pub evaluation: Evaluation,
    /// The language of the free texts.
    pub language: LanguageCode,
    /// The last day on which the recipient may keep it.
    pub retain_until: Date,
    /// Required where the message is about a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection_check: Option<ProtectionCheck>,
    /// Only of a message that one person released alone in an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
}

open_words!(
    /// The reason why a verified message was not accepted (domain 3.1).
    RejectionCode {
        /// The content does not meet the schema of its type.
        Schema = "schema",
        /// The type's version is not one that the recipient reads.
        UnsupportedVersion = "unsupported_version",
        /// The sender may not send messages of this type.
        Unauthorised = "unauthorised",
        /// It arrived after its transport expiry.
        Expired = "expired",
        /// The receiving gateway does not serve the recipient.
        UnknownRecipient = "unknown_recipient",
        /// Accepting it would violate its handling code.
        HandlingBreach = "handling_breach",
        /// It exceeds a limit.
        TooLarge = "too_large",
        /// An earlier message with other content has the same id or number.
        Conflict = "conflict",
        /// Its time is too far ahead of the recipient's clock.
        Clock = "clock",
        /// The case is not in a state in which this is possible.
        NotAllowedInState = "not_allowed_in_state",
    }
);
