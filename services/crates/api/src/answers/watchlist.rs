//! The answers of a watchlist.

use std::collections::BTreeMap;

use rovuma_schemas::{CaseId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What screening says of one text.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Screening {
    /// `hit`: something listed has this number; `review`: something listed is alike, a person decides; `no_hit`: nothing that is
    /// listed has it, and every list is there and current; `incomplete`: nothing was found, and a list is missing, loading or stale, so
    /// that it is not known that nothing is listed; `too_little` to look for; `unreadable`.
    pub verdict: String,
    /// What the text was understood as. Absent where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub understood: Option<UnderstoodText>,
    /// Why the text could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<UnreadableText>,
    /// Every list that was looked at, or should have been.
    pub lists: Vec<ListUsed>,
    /// What was found, the strongest action first. All of it is one stop.
    pub hits: Vec<ScreenedHit>,
    /// The common mark of everything that was found with this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub encounter: Option<MessageId>,
}

/// What was said of each of several texts, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Screenings {
    /// What was said of each.
    pub items: Vec<Screening>,
}

/// What a text was understood as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnderstoodText {
    /// `td1`, `td2`, `td3`, `mrva`, `mrvb`: a machine readable zone; `plate`, `vin`, `chassis_number`, `nida`, `bi`, `imei`, `name`, …;
    /// `number` where it may be several things.
    pub kind: String,
    /// What was read, by field.
    pub fields: BTreeMap<String, String>,
    /// What is wrong or guessed: `check_digit_wrong:document number`, `space_read_as_filler`, `country_guessed`, …
    pub warnings: Vec<String>,
}

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadableText {
    /// `mrz_shape`, `nida_shape`, `bi_shape`, `imei_shape`, `no_number`, `too_long`.
    pub code: String,
    /// What is wrong, with what was expected.
    pub detail: String,
}

/// A list as it was when something was screened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListUsed {
    /// `alerts.<agency>`: the alerts that an agency of this installation issued or received; else the name of an imported list.
    pub id: String,
    /// How often it has changed.
    pub version: u64,
    /// How old the knowledge is, in seconds: since the gateway was last heard, since somebody last loaded an imported list, even if the
    /// file was the same. Absent of a list that never came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// `current`, `stale`, `loading` (the version before is used), `missing`.
    pub state: String,
}

/// Something that was found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScreenedHit {
    /// Its id in this watchlist.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The alert's short reference, or the record's id in its list.
    pub reference: String,
    /// The list.
    pub list: String,
    /// The rule that found it: `document_exact`, `vehicle_exact`, `object_exact` or `review`.
    pub rule: String,
    /// The rule's version.
    pub rule_version: u32,
    /// How much the numbers are alike: 1 for equal.
    pub score: f64,
    /// What to do: the strongest action that the alert asks for, a code of `actions`; `call`: another agency has the alert, or it is for few
    /// eyes: telephone.
    pub action: String,
    /// Every action that it asks for.
    pub actions: Vec<String>,
    /// Warnings, before anything else: `armed`, `contagious`, …
    pub warnings: Vec<String>,
    /// Why the alert is not executed here, of one that is not; then `action` is what is done instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flagged: Option<String>,
    /// `actual`, `exercise` or `test`, of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub case: Option<CaseId>,
    /// Whether its owner is told, without anybody's doing. It is kept until the gateway has it.
    pub forwarded: bool,
    /// Why it is not forwarded: doubts about the match (`only_alike`, `check_digit`, …) and what keeps it back (`protection`,
    /// `own_alert`, …).
    pub not_forwarded: Vec<String>,
    /// Whether somebody other than the listed person holds the document: the holder may have stolen it, or be its victim.
    pub possible_misuse: bool,
    /// Whether it was found before the alert was here: the traveller or the vehicle is through already.
    #[serde(default)]
    pub retroactive: bool,
    /// Whether this was found here within six hours and joined what is open already.
    pub repeated: bool,
    /// What was compared, with the result.
    pub explanation: Vec<ComparedFeature>,
    /// Whom to telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<DutyContact>,
}

/// A feature that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComparedFeature {
    /// `number`, `issuer`, `type`, `holder`, `country`, `make`, `colour`, `vehicle_type`.
    pub feature: String,
    /// What the scan has.
    pub query: String,
    /// What the list has.
    pub listed: String,
    /// `equal`, `in_series`, `confusable`, `suffix`, `different`, `unknown`.
    pub effect: String,
}

/// Whom to telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyContact {
    /// The desk.
    pub name: String,
    /// The telephone number.
    pub phone: String,
    /// When somebody answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// The lists of a watchlist.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Lists {
    /// Every list.
    pub items: Vec<ListRow>,
}

/// A list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ListRow {
    /// Its name, version, age and state.
    pub list: ListUsed,
    /// `alerts`, `un`, `ofac` or `csv`.
    pub source: String,
    /// How many entries it has.
    pub entries: u64,
    /// When its present version was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub loaded_at: Option<Timestamp>,
    /// What its file was, of an imported list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ListFile>,
    /// What waits for a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ListProposal>,
}

/// The file of an imported list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListFile {
    /// SHA-256 of its bytes, base64url.
    pub digest: String,
    /// The day on which it was published, as whoever imported it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<String>,
    /// How many records it has.
    pub records: u64,
    /// How many of them are in each of its sections.
    pub sections: BTreeMap<String, u64>,
}

/// What one person did with an imported list and a second person must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListProposal {
    /// Its id: an approval names it, so that nobody approves something else.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// `import`: put `file` in the place of the list; `removal`: take the list out.
    pub act: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When it was proposed.
    #[schema(value_type = String, format = DateTime)]
    pub proposed_at: Timestamp,
    /// When it lapses.
    #[schema(value_type = String, format = DateTime)]
    pub ends: Timestamp,
    /// Why it needs a second person: `fewer_records`, `section_lost`, `older`, `removal`.
    pub reasons: Vec<String>,
    /// How many records the list in force has.
    pub records_before: u64,
    /// The new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ListFile>,
}

/// What became of a file that somebody imports.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// The list.
    pub name: String,
    /// `un`, `ofac` or `csv`.
    pub source: String,
    /// `loaded`: the list is in force; `unchanged`: the file is the one in force already; `dry_run`: it was only read.
    pub result: String,
    /// The file.
    pub file: ListFile,
    /// How many records the list in force has, or had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_before: Option<u64>,
    /// Why it would need a second person, of a file that was only read.
    pub reasons: Vec<String>,
    /// How many there are of what.
    pub counts: ImportCounts,
    /// The first 1,000 of what was left out.
    pub skipped: Vec<SkippedRecord>,
    /// How the file's bytes are written: `UTF-8` or `Windows-1252`.
    pub encoding: String,
    /// What the importing person should know about the file as a whole.
    pub warnings: Vec<String>,
}

/// How many there are of what in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportCounts {
    /// Persons that the list names.
    pub persons: u64,
    /// Organisations, ships and aircraft.
    pub organisations: u64,
    /// Aliases that identify.
    pub aliases_good: u64,
    /// Aliases that never hit alone.
    pub aliases_weak: u64,
    /// Dates of birth by their form: `day`, `month`, `year`, `about`, `between`, `unknown`.
    pub births: BTreeMap<String, u64>,
    /// Documents and numbers of identity; a range counts as one.
    pub documents: u64,
    /// Ranges among the documents.
    pub ranges: u64,
    /// Vehicles that the list names.
    pub vehicles: u64,
    /// Records, and parts of records, that were left out.
    pub skipped: u64,
}

/// A record, or a part of one, that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedRecord {
    /// The line where it stands, from 1.
    pub line: u64,
    /// The record's id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What was left out and why.
    pub reason: String,
}

/// Something that was found and that a person looks at, or that was forwarded.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// `queued`: it waits for the gateway; `forwarded`: the alert's owner is told; `review`: a person decides; `confirmed`: a person says it
    /// is the same; `rejected`: a person says it is not; `kept`: the second line is told here and nobody elsewhere; `refused`: the gateway
    /// did not take it, see `refusal`.
    pub state: String,
    /// When it was found first.
    #[schema(value_type = String, format = DateTime)]
    pub found_at: Timestamp,
    /// When it was found last.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// How often.
    pub times: u64,
    /// The border post, of what was found at a crossing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// `entry`, `exit` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// What was found, as the booth would see it if it were not discreet.
    pub hit: ScreenedHit,
    /// The kind of number by which it was found, a code of `matched_kinds`.
    pub matched: String,
    /// The number as it was read.
    pub value: String,
    /// Whether the check is discreet.
    pub discreet: bool,
    /// The message that tells the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub message: Option<MessageId>,
    /// The gateway's code when it did not take it, and since when it waits otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Why, a code or file reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The draft of `hit.notify` by which a person reports, in their own name, what was decided to be the same: `POST /v1/messages` of
    /// the gateway. Only where one candidate is shown or decided; absent where nothing may be told to another state, and where the
    /// alert has no such number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub notice: Option<Value>,
}

/// What is expected at a border post.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExpectedAtPost {
    /// The last found first, at most 100.
    pub items: Vec<ExpectedRow>,
}

/// Something that an alert is about and that left the other country towards a border post.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExpectedRow {
    /// When it was found on the other side.
    #[schema(value_type = String, format = DateTime)]
    pub found_at: Timestamp,
    /// Until when it is expected.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// What to do: the strongest action that the alert asks for, a code of `actions`; `call`: another agency has the alert, or it is for few
    /// eyes: telephone.
    pub action: String,
    /// Warnings, before anything else: `armed`, `contagious`, …
    pub warnings: Vec<String>,
    /// `actual`, `exercise` or `test`.
    pub status: String,
    /// Whom to telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<DutyContact>,
    /// What was found; absent of another agency's alert, and of one that is for few eyes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<ExpectedHit>,
}

/// What was found on the other side.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExpectedHit {
    /// The hit, as it was reported.
    #[schema(value_type = Object)]
    pub case: CaseId,
    /// The alert.
    #[schema(value_type = Object)]
    pub alert: CaseId,
    /// The alert's short reference.
    pub reference: String,
    /// The kind of number by which it was found, a code of `matched_kinds`.
    pub matched: String,
    /// The number, as it was read there, in capitals and digits alone.
    pub value: String,
    /// Every action that the alert asks for.
    pub actions: Vec<String>,
    /// Why the alert is not executed here, of one that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged: Option<String>,
    /// Whether the check is discreet: only the second line is told.
    pub discreet: bool,
    /// Whether somebody other than the listed person holds the document.
    pub possible_misuse: bool,
}

/// The rules of a watchlist.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Rules {
    /// Every rule.
    pub items: Vec<RuleRow>,
}

/// A rule, with its version in force.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RuleRow {
    /// The rule, a code of `matching_rules`.
    pub code: String,
    /// The version in force; 1 came with the program.
    pub version: u32,
    /// Whether what it finds is forwarded without a person, where everything is certain.
    pub forwards: bool,
    /// Why it was changed; absent of version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who proposed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<String>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Since when it is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub approved_at: Option<Timestamp>,
    /// What waits for a second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<RuleProposal>,
}

/// A version of a rule that waits for a second person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RuleProposal {
    /// Its version.
    pub version: u32,
    /// Whether it would forward without a person.
    pub forwards: bool,
    /// Why it was proposed: a code or file reference.
    pub reason: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When it was proposed.
    #[schema(value_type = String, format = DateTime)]
    pub proposed_at: Timestamp,
}

/// A traveller who is known not to be the listed person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InnocentRow {
    /// The candidate from which it comes.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The list.
    pub list: String,
    /// The entry that the traveller is not.
    pub record: String,
    /// Why, a code or file reference.
    pub reason: String,
    /// Who said so.
    pub proposed_by: String,
    /// When it was proposed.
    #[schema(value_type = String, format = DateTime)]
    pub proposed_at: Timestamp,
    /// Who approved it; absent while nobody has, and then it protects nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}
