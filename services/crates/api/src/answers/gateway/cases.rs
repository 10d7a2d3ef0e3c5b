//! Cases: what several signed messages add up to.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, CaseId, CountryCode, Date, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    hits::HitCase,
    requests::{InfoCase, PermissionCase, RequestCase},
};

/// A case in a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseRow {
    /// Its name.
    #[schema(value_type = Object)]
    pub case: CaseId,
    /// The short reference, for paper, telephone and chat: six characters and a check character, the same in both countries. Absent
    /// until the message that opened the case has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_reference: Option<String>,
    /// The state, at the time of the answer: `not_arrived`; of an alert `active`, `suspended`, `expired` or `withdrawn`; of a request
    /// `open`, `clarification`, `suspended`, `answered`, `refused`, `cancelled` or `closed`; of shared information `shared` or `suspended`;
    /// of a question for leave `asked`, `granted`, `denied` or `lapsed`.
    pub state: String,
    /// Who must act: `ours`, `theirs` or `nobody`.
    pub ball: String,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due: Option<Timestamp>,
    /// `actual`, `exercise` or `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The code by which the cases of the family are listed: the category of an alert, the kind of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// The handling code in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handling: Option<String>,
    /// The version of the content in force; 0 before there is any.
    pub version: u64,
    /// How many messages are here.
    pub messages: u64,
    /// How many messages are known to be on the way, or lost.
    pub missing: u64,
    /// How many things people must look at.
    pub warnings: u64,
    /// When its content was erased at the end of its retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
    /// When its first message was stored here.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When its last message was stored here.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

/// A case with everything that its messages add up to, without the narrative of any of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseView {
    /// The facts that lists show too.
    pub case: CaseRow,
    /// The instant at which this is so.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The types of messages that the agency may send in the case now. Who in the agency may is for the access policy.
    pub possible: Vec<String>,
    /// Turns that are on the way or lost, by agency. With the owner's turn 1 among them, the case itself has not arrived.
    pub missing: Vec<MissingTurns>,
    /// What people must look at.
    pub warnings: Vec<CaseWarning>,
    /// How fresh the agency's knowledge from each other party is.
    pub freshness: Vec<PartyFreshness>,
    /// What is particular to an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertCase>,
    /// What is particular to a request for assistance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestCase>,
    /// What is particular to a hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit: Option<HitCase>,
    /// What is particular to information that was shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<InfoCase>,
    /// What is particular to a question for leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<PermissionCase>,
    /// The cases that hang on it, the last opened first: the hits of an alert. At most 50; `GET /v1/cases` has all.
    pub hanging: Vec<HangingCase>,
}

/// A case that hangs on another.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HangingCase {
    /// Its name.
    #[schema(value_type = Object)]
    pub case: CaseId,
    /// Its short reference; absent until the message that opened it has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_reference: Option<String>,
    /// Its state.
    pub state: String,
    /// Who must act next: `ours`, `theirs` or `nobody`.
    pub ball: String,
}

/// Turns of one agency that are not here.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MissingTurns {
    /// The agency.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// What people must look at in a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseWarning {
    /// The agency whose message it is.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// Its turn.
    pub turn: u64,
    /// `case_turn_reused`: a turn was used twice with different content, all of it is kept. `case_message_unlawful`: its author could
    /// have known that it was not allowed. `case_type_unknown`: the state may be older than a message of a type that is not known
    /// here. `case_beyond_limit`: it does not count.
    pub code: String,
}

/// How fresh the knowledge from a party is, from its signed streams.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PartyFreshness {
    /// The party.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// When it last said, by its own clock, what it had sent; absent before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_word_at: Option<Timestamp>,
    /// Since when something that it sent has been missing here; absent where everything until its last word is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub missing_since: Option<Timestamp>,
}

/// What is particular to the case of an alert.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertCase {
    /// The version in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// Until when a second person must confirm its emergency release; afterwards nobody acts on it until somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirm_by: Option<Timestamp>,
    /// The keys of its subjects.
    #[schema(value_type = Vec<String>)]
    pub subjects: Vec<String>,
    /// Why it was withdrawn, a code of the list `withdraw_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// The alert that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub superseded_by: Option<MessageId>,
    /// The last day on which its data may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub retain_until: Option<Date>,
    /// The agencies that marked it as not executable on their territory.
    #[schema(value_type = Vec<String>)]
    pub flagged: Vec<AgencyCode>,
    /// The countries in which it is not executable.
    #[schema(value_type = Vec<String>)]
    pub flagged_countries: Vec<CountryCode>,
    /// Each error report, and what became of it.
    pub reports: Vec<AlertReport>,
    /// For the issuer, how far each recipient is with a withdrawal or, before one, with the last version; for a recipient, nothing.
    pub recipients: Vec<AlertRecipient>,
}

/// An error report about an alert.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertReport {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// Who reported.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// The version that it read.
    pub version: u32,
    /// `updated`, `withdrawn` or `not_accepted`; absent while the issuer owes an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// How far a recipient of an alert is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertRecipient {
    /// The recipient.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// `not_delivered`; `delivered`: its gateway has stored the issuer's last word, and with it no longer acts on what the word took
    /// back; `applied`: an officer there has read it, or a later message of theirs shows that they had it; `certified`: see
    /// `certificate`.
    pub state: String,
    /// What it certified about the data: `erased`, `retained` or `never_held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The last day on which it keeps the data, of `retained`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub retained_until: Option<Date>,
    /// The border posts that its watchlist serves, as far as they said so; none of an alert that is neither active nor withdrawn, and of a
    /// message that it rejected.
    #[serde(default)]
    pub posts: Vec<AlertPost>,
}

/// How far a border post is with the issuer's last withdrawal or version of an alert.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertPost {
    /// The post, a code of `crossings`.
    pub post: String,
    /// Since when what crosses there is screened with it or, of a withdrawal, no longer; absent while the post acts on an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// When it last said so of any message of the alert.
    #[schema(value_type = String, format = DateTime)]
    pub last_word: Timestamp,
}

/// The time line of a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseTimeline {
    /// Its messages in the order that both sides give them.
    pub steps: Vec<CaseStep>,
}

/// A message of a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseStep {
    /// The id by which every party knows it.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// Every id under which it came: more than one when it was issued again.
    #[schema(value_type = Vec<String>)]
    pub ids: Vec<MessageId>,
    /// Its type.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The sender.
    #[schema(value_type = String)]
    pub sender: AgencyCode,
    /// The sender's count of its messages in the case.
    pub turn: u64,
    /// When it was first signed, by the sender's clock.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub in_reply_to: Option<MessageId>,
    /// For each other party, the turn up to which the sender had everything.
    #[schema(value_type = Object)]
    pub seen: BTreeMap<AgencyCode, u64>,
    /// `applied`, `supplement`, `without_effect`, `unlawful` or `unjudged`.
    pub effect: String,
    /// The code of the reason, of a message that changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was stored here, of a message received.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub received_at: Option<Timestamp>,
    /// When an officer here opened it, of a message received.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
    /// What the recipients said of it, of a message sent.
    pub receipts: Vec<StepReceipt>,
}

/// What a recipient said of a message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StepReceipt {
    /// The recipient.
    #[schema(value_type = String)]
    pub recipient: AgencyCode,
    /// `delivered`, `read`, `rejected`; `listed`: the border post `post` screens with it or, of a withdrawal, no longer.
    pub kind: String,
    /// The border post, a code of `crossings`, of `listed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// When, by the recipient's clock.
    #[schema(value_type = String, format = DateTime)]
    pub said_at: Timestamp,
}
