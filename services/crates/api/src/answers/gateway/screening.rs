//! What a watchlist compares with what is found at a border post.

use rovuma_schemas::{CaseId, SubjectKey, Timestamp, hit::Direction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An alert as a watchlist needs it: what identifies its subjects and what it asks for, without what it tells.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScreenedAlert {
    /// Its name.
    #[schema(value_type = Object)]
    pub case: CaseId,
    /// The state, at the time of the answer: `active`, `suspended`, `expired`, `withdrawn` or `not_arrived`. Nobody acts on an alert
    /// that is not active.
    pub state: String,
    /// The short reference; absent until the message that opened the case has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_reference: Option<String>,
    /// `actual`, `exercise` or `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The version in force; 0 before there is any.
    pub version: u32,
    /// The handling code in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handling: Option<String>,
    /// The category, a code of the list `categories`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it asks for, codes of the list `actions`. Empty of an alert that is neither active nor suspended, and of one whose content
    /// is not here any more; every other alert asks for something.
    pub actions: Vec<String>,
    /// The warnings of the alert and of all its persons, codes of the list `warnings`, each once.
    pub warnings: Vec<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// Until when a second person must confirm its emergency release; afterwards it is suspended until somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirm_by: Option<Timestamp>,
    /// Why it is not executed in this country, a code of the list `flag_reasons`, where an agency of this country flagged it, or one of its
    /// subjects; `not_stated` where that message's content is not here any more. Absent where nobody flagged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flagged_reason: Option<String>,
    /// The persons and things that it is about, of the version in force; none of an alert that is neither active nor suspended.
    pub subjects: Vec<ScreenedSubject>,
}

/// A person or thing that an alert is about.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ScreenedSubject {
    /// Its key in the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key: Option<SubjectKey>,
    /// `person`, `document`, `vehicle`, `firearm`, `vessel` or `object`.
    pub kind: String,
    /// A person's role, a code of the list `person_roles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A person's names, as printed, the best documented one first; the name of a document's holder, or a vessel's own.
    pub names: Vec<String>,
    /// A person's birth date as far as it is known: `1984`, `1984-05`, `1984-05-03`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth: Option<String>,
    /// A person's sex: `F`, `M` or `X`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// A vehicle's type, a code of the list `vehicle_types`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vehicle_type: Option<String>,
    /// The make of a vehicle, firearm or object, or of a vessel's engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// The model of a vehicle, firearm or object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The colour of a vehicle or vessel, a code of the list `colours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// By what it is found. A person's documents are the person's identifiers.
    pub identifiers: Vec<ScreenedIdentifier>,
}

/// A number by which a subject is found.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ScreenedIdentifier {
    /// Its kind, a code of the list `matched_kinds`, as a notice of a hit names it.
    pub kind: String,
    /// The number as the alert has it; the first one of a series. A document that has only a machine readable zone has the number of
    /// the zone.
    pub value: String,
    /// The last number of a series of documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_to: Option<String>,
    /// The state that issued a document or registered a plate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// The type of a document, a code of the list `document_types`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_type: Option<String>,
    /// The status of a document, a code of the list `document_statuses`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_status: Option<String>,
    /// The key of a person's document, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key: Option<SubjectKey>,
}

/// A hit on an alert of the agency, as its reporter says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HitOnAlert {
    /// Its name. The owner is the agency that found it.
    #[schema(value_type = Object)]
    pub case: CaseId,
    /// The state: `notified`, `asked`, `more_time`, `confirmed`, `not_confirmed`, `action`, `no_action`, `released`, `not_possible`,
    /// `retracted` or `closed`.
    pub state: String,
    /// Whether it stands: its reporter has not taken it back, and the alert's owner has not said that it is none. Whether the alert is in
    /// force, the alert says.
    pub stands: bool,
    /// The alert.
    #[schema(value_type = Object)]
    pub alert: CaseId,
    /// The key of the alert's subject that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<SubjectKey>,
    /// The kind of identifier by which it was found, a code of the list `matched_kinds`.
    pub matched: String,
    /// The identifier, as it was read; absent where the notice is not here any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When it was found.
    #[schema(value_type = String, format = DateTime)]
    pub found_at: Timestamp,
    /// The border post at which it was found, a code of the list `crossings`.
    pub post: String,
    /// `entry`, `exit` or `none`, as the reporting country sees it.
    #[schema(value_type = String, pattern = "^(entry|exit|none)$")]
    pub direction: Direction,
    /// Whether the document was in the hands of somebody else than the alert names.
    pub possible_misuse: bool,
}

/// What a gateway said of alerts on which border posts act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SaidOfListed {
    /// How many posts said of how many messages that they act on them: only what they had not said before.
    pub said: usize,
    /// The alerts of which what was reported is their issuer's last word. Of the others nothing was said: they have moved on, or are over.
    #[schema(value_type = Vec<Object>)]
    pub taken: Vec<CaseId>,
}
