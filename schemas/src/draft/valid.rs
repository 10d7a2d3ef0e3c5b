//! A draft without faults.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckedDraft, DraftHeader};
use crate::{
    AgencyCode, Body, CaseId, CaseSoFar, CodeLists, Fault, FaultCode, HandlingCode, Header, Lane, Line,
    Locale, Message, MessageId, MessageType, OperationalBody, Status, Terms, Timestamp, ValidationContext,
    families::AtRelease,
    fault::{self, Finding},
    limits,
    pointer::Pointer,
    request::AnswerLimits,
    schema,
    view::View,
};

/// Maximum time until a message expires on the way: as long as a recipient accepts messages from a key that has expired since
/// (90 days), and far longer than the longest cut of the line so far (19 days).
const TRANSPORT_LIFE_MAX: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The time within which a second person must confirm what one person released in an emergency (domain 5).
pub const EMERGENCY_CONFIRMED_WITHIN: Duration = Duration::from_secs(12 * 60 * 60);

/// The reason why a second person must release a draft (domain 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondPersonReason {
    /// The draft is about a minor.
    Minor,
    /// The draft is about a person.
    Person,
    /// The draft's handling code is H2 or H3.
    Handling,
    /// The draft lowers the handling code of its case.
    HandlingLowered,
}

impl SecondPersonReason {
    /// The code, as in the code list `second_person`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Person => "person",
            Self::Handling => "handling",
            Self::HandlingLowered => "handling_lowered",
        }
    }
}

impl fmt::Display for SecondPersonReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Every reason why a second person must release a draft of this type, the weightiest first.
pub(super) fn second_person_reasons(kind: MessageType, draft: &View<'_>) -> Vec<SecondPersonReason> {
    if kind.is_reserved() {
        // A supervisor releases it, who is the second pair of eyes.
        return Vec::new();
    }
    let mut reasons = kind.second_person(&draft.field("body"));
    let code = draft.field("terms").field("handling").field("code");
    if code.text().and_then(HandlingCode::from_word).is_some_and(HandlingCode::needs_second_person) {
        reasons.push(SecondPersonReason::Handling);
    }
    reasons
}

/// A draft that met its schema and every rule at the time of its check. Keep the posted bytes and check them again at release:
/// codes and agencies have dates.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidDraft {
    header: DraftHeader,
    terms: Terms,
    body: OperationalBody,
    second_person: Vec<SecondPersonReason>,
}

impl ValidDraft {
    /// Checks a draft that must be complete.
    ///
    /// # Errors
    /// The first [`FAULTS_SHOWN_MAX`](crate::limits::FAULTS_SHOWN_MAX) faults, with sentences in `locale`.
    pub fn parse(
        unverified_draft: &[u8],
        context: &ValidationContext<'_>,
        locale: Locale,
    ) -> Result<Self, Vec<Fault>> {
        let checked = CheckedDraft::read(unverified_draft, context).map_err(|none| none.faults(locale))?;
        checked.into_valid(locale)
    }

    /// Parses JSON that has met the schema of its type and every rule.
    pub(super) fn read(kind: MessageType, value: &Value) -> Result<Self, Finding> {
        let root = Pointer::default();
        let absent = Value::Null;
        let part = |name: &str| (value.get(name).unwrap_or(&absent), root.field(name));
        let (body, at) = part("body");
        let body = OperationalBody::read(kind, body, &at)
            .unwrap_or_else(|| Err(Finding::new(&root.field("type"), FaultCode::UnknownValue)))?;
        let (terms, at) = part("terms");
        let mut valid = Self {
            header: schema::typed(value, &root)?,
            terms: schema::typed(terms, &at)?,
            body,
            second_person: second_person_reasons(kind, &View::root(value)),
        };
        valid.body.normalise();
        if valid.content_bytes() > limits::MESSAGE_MAX_BYTES - limits::HEADER_MAX_BYTES {
            return Err(Finding::with(&root, FaultCode::TooLarge, limits::MESSAGE_MAX_BYTES.to_string()));
        }
        Ok(valid)
    }

    /// The size of terms and body in the signed message.
    fn content_bytes(&self) -> usize {
        let size = |json: serde_json::Result<Vec<u8>>| json.map_or(usize::MAX, |bytes| bytes.len());
        size(serde_json::to_vec(&self.terms)).saturating_add(size(serde_json::to_vec(&self.body)))
    }

    /// The type of the message that it becomes.
    pub fn message_type(&self) -> MessageType {
        self.header.message_type
    }

    /// Actual, exercise or test.
    pub fn status(&self) -> Status {
        self.header.status
    }

    /// The agencies to send it to: known, in force, each once.
    pub fn recipients(&self) -> &[AgencyCode] {
        &self.header.recipients
    }

    /// The unit or post that sends.
    pub fn unit(&self) -> Option<&Line> {
        self.header.unit.as_ref()
    }

    /// The sender's own file number.
    pub fn reference(&self) -> Option<&Line> {
        self.header.reference.as_ref()
    }

    /// The message that this one answers.
    pub fn in_reply_to(&self) -> Option<MessageId> {
        self.header.in_reply_to
    }

    /// The case that it follows in; none of an opener.
    pub fn case(&self) -> Option<&CaseId> {
        self.header.case.as_ref()
    }

    /// The draft of a follower, addressed to the parties of its case.
    #[must_use]
    pub fn addressed_to(mut self, recipients: Vec<AgencyCode>) -> Self {
        self.header.recipients = recipients;
        self
    }

    /// The faults that it has because of what its case has come to, with sentences in `locale`.
    pub fn faults_against(&self, earlier: &CaseSoFar, locale: Locale) -> Vec<Fault> {
        let mut found = Vec::new();
        self.body.check_against(&self.terms, earlier, &mut found);
        fault::in_words(found, locale)
    }

    /// The terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The body.
    pub fn body(&self) -> &OperationalBody {
        &self.body
    }

    /// The lane in which it travels.
    pub fn lane(&self) -> Lane {
        self.terms.urgency.level.lane()
    }

    /// One line in `locale` that names nobody.
    pub fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        self.body.summary(lists, locale)
    }

    /// Every reason why a second person must release it, the weightiest first.
    pub fn second_person_reasons(&self) -> &[SecondPersonReason] {
        &self.second_person
    }

    /// When the content ends by itself, if the message is released at `created`: the end of an alert.
    pub fn ends(&self, created: Timestamp) -> Option<Timestamp> {
        self.body.ends(created)
    }

    /// The transport expiry if the message is released at `created`: the time that the draft says, but not later than the end of
    /// the content, nor than 90 days. Absent for types that do not expire on the way.
    pub fn transport_expiry(&self, created: Timestamp) -> Option<Timestamp> {
        if !self.message_type().class().expires_on_the_way() {
            return None;
        }
        let latest = created.plus(TRANSPORT_LIFE_MAX);
        [self.ends(created), self.header.expires].into_iter().flatten().chain([latest]).min()
    }

    /// The message to sign: this draft under the header that the gateway made, in its case, with the time to answer that its
    /// agreement gives.
    pub fn into_message(mut self, header: Header, case: &CaseSoFar, answer_limits: &AnswerLimits) -> Message {
        self.body.complete(&AtRelease { created: header.created, terms: &self.terms, case, answer_limits });
        if let Some(emergency) = &mut self.terms.emergency {
            emergency.confirm_by = Some(header.created.plus(EMERGENCY_CONFIRMED_WITHIN));
        }
        Message { header, terms: Some(self.terms), body: Body::Operational(self.body) }
    }
}
