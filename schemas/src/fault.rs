//! Faults of drafts and received messages: a pointer, a stable code and a sentence.

mod detail;
mod findings;
mod hints;

use std::{fmt, str::FromStr, sync::LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(crate) use detail::{Detail, code_point, shown};
pub(crate) use findings::Findings;
pub(crate) use hints::Hints;

use crate::{BadId, Locale, Sentences, pointer::Pointer, sentences};

/// One fault: an item of `errors` in a problem (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// The JSON Pointer (RFC 6901) of the fault; empty for the whole document. For a missing field, the pointer that the field
    /// would have.
    pub pointer: String,
    /// The stable code of the fault.
    pub code: FaultCode,
    /// A sentence for the person who must correct it, in their language.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {} ({})", self.message, self.code)
    }
}

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        /// The stable code of a fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultCode {
            $($(#[$doc])* $variant,)+
        }

        impl FaultCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

fault_codes! {
    /// The bytes are not JSON (RFC 8259).
    NotJson = "not_json",
    /// The text is not in plain UTF-8: it has a byte order mark, or is in UTF-16 or Latin-1.
    WrongEncoding = "wrong_encoding",
    /// The whole is larger than a message may be.
    TooLarge = "too_large",
    /// Arrays and objects nest too deeply.
    TooDeep = "too_deep",
    /// An object has the same name twice.
    DuplicateKey = "duplicate_key",
    /// A field is missing.
    MissingField = "missing_field",
    /// A field is not known here.
    UnknownField = "unknown_field",
    /// A value has another JSON type.
    WrongType = "wrong_type",
    /// A value is not one of the possible values.
    UnknownValue = "unknown_value",
    /// A text does not have the form of its kind.
    WrongFormat = "wrong_format",
    /// A text has only spaces.
    BlankText = "blank_text",
    /// A text has a character that cannot be seen, or that changes the order of others on the screen.
    UnseenCharacter = "unseen_character",
    /// A text is too short or empty.
    TooShort = "too_short",
    /// A text is too long.
    TooLong = "too_long",
    /// A list has too few items.
    TooFew = "too_few",
    /// A list has too many items.
    TooMany = "too_many",
    /// A list has the same item twice.
    DuplicateItem = "duplicate_item",
    /// A number is out of its range.
    OutOfRange = "out_of_range",
    /// A code is not in its list.
    UnknownCode = "unknown_code",
    /// A code is not in force today.
    CodeNotInForce = "code_not_in_force",
    /// A recipient is no agency of the exchange.
    RecipientUnknown = "recipient_unknown",
    /// A recipient does not take part today.
    RecipientNotInForce = "recipient_not_in_force",
    /// The sender is among the recipients.
    RecipientIsSender = "recipient_is_sender",
    /// A recipient is named twice.
    RecipientDuplicate = "recipient_duplicate",
    /// A recipient is an installation, not an agency.
    RecipientIsNode = "recipient_is_node",
    /// The transport expiry lies in the past.
    ExpiryPast = "expiry_past",
    /// Urgency without a reason or a statement.
    UrgencyNotJustified = "urgency_not_justified",
    /// A reason for urgency on a message that is not urgent.
    UrgencyNotNeeded = "urgency_not_needed",
    /// H3 without a sentence that says the restriction.
    RestrictionMissing = "restriction_missing",
    /// A sentence with a restriction without H3.
    RestrictionNotNeeded = "restriction_not_needed",
    /// The retention date lies in the past.
    RetentionPast = "retention_past",
    /// The retention date lies before the end of the alert.
    RetentionBeforeEnd = "retention_before_end",
    /// The retention date lies too far in the future.
    RetentionTooLong = "retention_too_long",
    /// A message about a person without the confirmed protection check.
    ProtectionCheckMissing = "protection_check_missing",
    /// An emergency release of what one person may release anyway, or of what is reserved for supervisors.
    EmergencyNotNeeded = "emergency_not_needed",
    /// A draft says until when its emergency release must be confirmed.
    ConfirmByGiven = "confirm_by_given",
    /// A message released in an emergency does not say until when it must be confirmed.
    ConfirmByMissing = "confirm_by_missing",
    /// The case is of another kind than the message, or of none that is known here.
    CaseKindOther = "case_kind_other",
    /// A message that follows in a case does not name it.
    CaseMissing = "case_missing",
    /// A message that answers another does not name it.
    ReplyMissing = "reply_missing",
    /// A newer version leaves out a subject without saying why.
    SubjectDropped = "subject_dropped",
    /// A subject that a newer version says to leave out is still there, or never was.
    SubjectNotDropped = "subject_not_dropped",
    /// A newer version gives a subject a key that the version before did not have.
    SubjectKeyUnknown = "subject_key_unknown",
    /// A newer version ends later than the one before.
    EndLater = "end_later",
    /// An extension does not end later than the alert does already.
    EndNotLater = "end_not_later",
    /// A withdrawal in favour of another alert does not name it, or names one for another reason.
    SupersededByMismatch = "superseded_by_mismatch",
    /// What is not executable says nothing of why or of what is done instead.
    FlagReasonMissing = "flag_reason_missing",
    /// The questions are not numbered 1, 2, 3 in their order.
    QuestionNumbers = "question_numbers",
    /// A question does not name a subject of its kind.
    QuestionSubjectMissing = "question_subject_missing",
    /// A question names a subject that the request does not have.
    QuestionSubjectUnknown = "question_subject_unknown",
    /// A question whose code does not say what is asked has no text.
    QuestionTextMissing = "question_text_missing",
    /// A message that names a person does not say how the person is linked with its purpose.
    PersonLinkMissing = "person_link_missing",
    /// The reason `other` without words.
    ReasonHeldTextMissing = "reason_held_text_missing",
    /// The time by which an answer is needed has passed.
    NeededByPast = "needed_by_past",
    /// Use as evidence without mutual legal assistance, or that without use as evidence.
    EvidenceMismatch = "evidence_mismatch",
    /// A draft says how long its answerer has.
    LimitGiven = "limit_given",
    /// Answers are not in the order of the questions' numbers, or one is there twice.
    AnswerNumbers = "answer_numbers",
    /// An answer has the number of no question.
    AnswerNumberUnknown = "answer_number_unknown",
    /// A whole answer leaves out questions that have no answer yet.
    AnswerNumberMissing = "answer_number_missing",
    /// A whole answer leaves a question for later.
    AnswerLater = "answer_later",
    /// A refused question does not say why, or another does.
    AnswerReasonMismatch = "answer_reason_mismatch",
    /// What was found is not said, or something is where nothing was found.
    AnswerDataMismatch = "answer_data_mismatch",
    /// The time of a later answer on a question that is not left for later.
    AnswerExpectedMismatch = "answer_expected_mismatch",
    /// Another agency is named where it says nothing.
    TryAgencyMismatch = "try_agency_mismatch",
    /// The reference of a former answer is missing, or says nothing.
    AlreadyAnsweredMismatch = "already_answered_mismatch",
    /// A new limit has passed.
    DelayUntilPast = "delay_until_past",
    /// A new limit is too late.
    DelayTooLong = "delay_too_long",
    /// The last day of a leave has passed.
    LeaveUntilPast = "leave_until_past",
    /// Leave without a last day, or a refusal without a reason, or with what belongs to the other.
    LeaveMismatch = "leave_mismatch",
    /// A question for leave to hand on does not say to whom.
    ForwardToMissing = "forward_to_missing",
    /// Data that is kept needs a ground and a last day; other data has neither.
    RetainedMismatch = "retained_mismatch",
    /// A hit is addressed to another agency than the alert's owner.
    HitRecipient = "hit_recipient",
    /// The identifier that was found has neither a letter nor a digit.
    MatchedEmpty = "matched_empty",
    /// Until when somebody is held goes with holding, and lies ahead.
    HeldUntilMismatch = "held_until_mismatch",
    /// Until when goes with needing more time, and lies ahead.
    MoreTimeMismatch = "more_time_mismatch",
    /// The actions go with having acted.
    ActionsMismatch = "actions_mismatch",
    /// The reason goes with having been unable.
    NotPossibleMismatch = "not_possible_mismatch",
    /// The alert would end in the past.
    ValidityPast = "validity_past",
    /// The alert would end before it begins.
    ValidityOrder = "validity_order",
    /// The alert would be valid for longer than its category allows.
    ValidityTooLong = "validity_too_long",
    /// The subject that the category is about is missing.
    SubjectMissing = "subject_missing",
    /// More than 64 subjects together.
    TooManySubjects = "too_many_subjects",
    /// Two subjects have the same key.
    SubjectKeyDuplicate = "subject_key_duplicate",
    /// A subject's key does not begin with the letter of its kind.
    SubjectKeyLetter = "subject_key_letter",
    /// No person has the role that the category is about.
    MainRoleMissing = "main_role_missing",
    /// The category needs an offence.
    OffenceMissing = "offence_missing",
    /// The category needs the issuing decision.
    DecisionMissing = "decision_missing",
    /// A date lies in the future that must be past.
    DateInFuture = "date_in_future",
    /// An action does not belong to the category.
    ActionNotForCategory = "action_not_for_category",
    /// A person without name, alias, document or description.
    PersonWithoutIdentity = "person_without_identity",
    /// The parts of a birth date contradict its precision, or there is no such day.
    BirthDateIncoherent = "birth_date_incoherent",
    /// The minor flag contradicts the birth date.
    MinorContradictsBirth = "minor_contradicts_birth",
    /// A document without number and machine readable zone.
    DocumentWithoutNumber = "document_without_number",
    /// An alert on a document that does not say stolen, lost, revoked or forged.
    DocumentStatusMissing = "document_status_missing",
    /// A document's number does not have the form of its type.
    DocumentNumberShape = "document_number_shape",
    /// A document expires before it was issued.
    DocumentDatesOrder = "document_dates_order",
    /// A machine readable zone does not have the lines of any known size.
    MrzShape = "mrz_shape",
    /// A check digit of a machine readable zone is wrong.
    MrzCheckDigit = "mrz_check_digit",
    /// A machine readable zone contradicts the fields beside it.
    MrzMismatch = "mrz_mismatch",
    /// A vehicle without plate, VIN, chassis number or engine number.
    VehicleWithoutIdentifier = "vehicle_without_identifier",
    /// The check digit of a North American VIN is wrong.
    VinCheckDigit = "vin_check_digit",
    /// A firearm without serial number or marks.
    FirearmWithoutIdentifier = "firearm_without_identifier",
    /// A firearm with a serial number that is said to be removed.
    SerialContradiction = "serial_contradiction",
    /// A vessel without anything that identifies it.
    VesselWithoutIdentifier = "vessel_without_identifier",
    /// The check digit of an IMO number is wrong.
    ImoCheckDigit = "imo_check_digit",
    /// A place without name, subdivision, crossing or point.
    PlaceWithoutLocation = "place_without_location",
    /// A subdivision that the country does not have.
    SubdivisionUnknown = "subdivision_unknown",
    /// An event that ends before it begins.
    EventTimesOrder = "event_times_order",
    /// The recipients of one signed message are of two countries.
    RecipientsOfTwoCountries = "recipients_of_two_countries",
    /// A numbered message without stream or number for a recipient.
    NumberMissing = "number_missing",
    /// A stream number on a message that is not numbered.
    NumberUnexpected = "number_unexpected",
    /// More than one recipient where the type has one.
    OneRecipientOnly = "one_recipient_only",
    /// The transport expiry lies before the creation.
    ExpiryBeforeCreation = "expiry_before_creation",
    /// A range of numbers ends before it begins.
    RangeOrder = "range_order",
    /// Numbers or ranges are not in ascending order, or overlap.
    NumbersOrder = "numbers_order",
    /// A message names more numbers than it may.
    TooManyNumbers = "too_many_numbers",
    /// A message names a stream twice.
    StreamDuplicate = "stream_duplicate",
    /// A message that only nodes may send and receive.
    NodesOnly = "nodes_only",
    /// A message that opens a case names another case than its own.
    CaseNotOwn = "case_not_own",
    /// A case without the sender's turn in it, or a turn without a case.
    TurnMissing = "turn_missing",
    /// A message that opens a case, and was not issued again, has another turn than the first.
    TurnNotFirst = "turn_not_first",
    /// The sender is among the parties whose turns it had seen.
    SeenNamesSender = "seen_names_sender",
    /// The time of a first signature on a message that replaces none.
    FirstCreatedUnexpected = "first_created_unexpected",
    /// The time of the first signature lies after the creation.
    FirstCreatedLate = "first_created_late",
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FaultCode {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let known = Self::ALL.iter().copied().find(|known| known.as_str() == text);
        known.ok_or_else(|| BadId::new("a fault code", text))
    }
}

impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FaultCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for FaultCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

/// The sentence of each code, with `{detail}` where the finding's detail goes.
static SENTENCES: LazyLock<Sentences> = LazyLock::new(|| {
    // The file is part of this build, and a test reads it.
    Sentences::parse(sentences::FAULTS).expect("every sentence is complete")
});

/// A fault without its sentence: the same for every language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) at: Pointer,
    pub(crate) code: FaultCode,
    /// The detail for the sentence: a limit, the form wanted, a list of possible values.
    pub(crate) detail: Detail,
}

impl Finding {
    /// A fault whose sentence needs no detail.
    pub(crate) fn new(at: &Pointer, code: FaultCode) -> Self {
        Self::with(at, code, "")
    }

    /// A fault with a detail for its sentence.
    pub(crate) fn with(at: &Pointer, code: FaultCode, detail: impl Into<Detail>) -> Self {
        Self { at: at.clone(), code, detail: detail.into() }
    }

    /// The bytes of its pointer and detail.
    fn size_bytes(&self) -> usize {
        self.at.size_bytes() + self.detail.size_bytes()
    }

    /// The fault with its sentence in `locale`.
    pub(crate) fn in_words(self, locale: Locale) -> Fault {
        let message = SENTENCES.fill(self.code.as_str(), locale, &[("detail", &self.detail.get(locale))]);
        Fault { pointer: self.at.to_string(), code: self.code, message }
    }
}

/// All findings with sentences in `locale`, sorted by pointer, each once.
pub(crate) fn in_words(findings: impl Into<Vec<Finding>>, locale: Locale) -> Vec<Fault> {
    let mut findings = findings.into();
    findings.sort();
    findings.dedup();
    findings.into_iter().map(|finding| finding.in_words(locale)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_sentence_and_there_is_no_other() {
        let mut codes: Vec<&str> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(SENTENCES.keys().collect::<Vec<_>>(), codes);
    }

    #[test]
    fn no_sentence_takes_anything_but_a_detail() {
        for key in SENTENCES.keys() {
            let filled = SENTENCES.fill(key, Locale::Pt, &[("detail", &"")]);
            assert!(!filled.contains('{'), "{key}: {filled}");
        }
    }
}
