//! Drafts and their release.

use std::borrow::Cow;

use rovuma_runtime::{ProblemDuplicates, ProblemFault};
use rovuma_schemas::{AgencyCode, Lane, MessageId, MessageType, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Discriminator, OneOfBuilder, Ref, RefOr, Schema},
};

/// A draft as the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Draft)]
pub struct DraftView {
    /// The draft's id, which becomes the message's.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The type of the message that it becomes.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The draft's state.
    #[schema(value_type = DraftState)]
    pub state: String,
    /// Counts changes, from 1; the `ETag`.
    pub version: i64,
    /// The subject who wrote the draft.
    pub author: String,
    /// The code by which the family's messages are listed, such as the category of an alert. Absent while it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// `actual`, `exercise` or `test`. Absent while the draft does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The agency's own file number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The reason why a second person must release it (`person`, `minor`, `handling`); absent when one person may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_person: Option<String>,
    /// Every reason why a second person must release it by today's rules, the weightiest first. Absent where `content` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_person_reasons: Option<Vec<String>>,
    /// The number of faults when the content was last changed; a draft with none could be released.
    pub fault_count: u64,
    /// The instant of its creation.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The instant of its last change.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// The instant at which it was last handed to a supervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub submitted_at: Option<Timestamp>,
    /// The subject who released, returned or discarded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The instant at which it was released, returned or discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// The supervisor's reason for returning it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_reason: Option<String>,
    /// The draft as posted, with what is certain put right (`advice` of the request says what). Absent in lists, and once the draft
    /// is discarded. A `DraftDocument` when `faults` is empty; with faults, whatever object was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub content: Option<Box<RawValue>>,
    /// The faults that keep it from being released now, in the caller's language, at most 200 of them. Absent where
    /// `content` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<ProblemFault>>,
    /// The number of all faults that keep it from being released now. Absent where `content` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults_total: Option<u64>,
    /// What its author and whoever releases it should look at again. Absent in lists, after a return and once the draft is
    /// discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Vec<AdviceView>>,
    /// What is live already about the same persons or things: its release then takes a reason. Absent in lists, after a submission or
    /// a return, and once the draft is released or discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<ProblemDuplicates>,
}

/// What the author should look at again: text that was put right, a name or plate that nobody will find, or a passage that seems to
/// contain data which this exchange does not carry. It keeps nothing from being released: it may be right as it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Advice)]
pub struct AdviceView {
    /// The JSON pointer (RFC 6901) of the text.
    pub pointer: String,
    /// `put_right`, `name_form`, `plate_form`; `asylum`, `religion`, `ethnicity`, `politics`, `trade_union`, `health` or
    /// `sexual_life`.
    pub topic: String,
    /// A sentence in the caller's language.
    pub message: String,
}

/// The result of checking a draft without faults.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Validated {
    /// One line in the caller's language that says what it is about, and names nobody.
    pub summary: String,
    /// Every reason why a second person must release it; none when one person may.
    pub second_person: Vec<String>,
    /// The instant at which the content would end if it were released now: the end of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// The transport expiry if it were released now; absent for a message that never expires on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// Free text that the author should look at again: warnings, not faults.
    pub advice: Vec<AdviceView>,
    /// The agencies it would go to.
    #[schema(value_type = Vec<String>)]
    pub recipients: Vec<AgencyCode>,
}

/// The result of a release: the message is signed and in the outbox. Nothing has left the country yet.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Released)]
pub struct ReleasedView {
    /// The message: the draft's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The instant of the release.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The draft's version after the release; absent where there was no draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// One copy per recipient, each with its number in the stream to that recipient.
    pub copies: Vec<NumberedCopy>,
    /// Free text that was sent although it seems to contain data which this exchange does not carry.
    #[serde(default)]
    pub advice: Vec<AdviceView>,
}

/// A copy's position in its stream.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NumberedCopy {
    /// The recipient.
    #[schema(value_type = String)]
    pub recipient: AgencyCode,
    /// The lane.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The stream.
    #[schema(value_type = String)]
    pub stream: StreamId,
    /// The number in the stream.
    pub number: u64,
}

/// The state of a draft.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum DraftState {
    /// Being written.
    Draft,
    /// Handed to a supervisor.
    PendingRelease,
    /// Handed back to its author, with the reason.
    Returned,
    /// Signed and in the outbox.
    Released,
    /// Discarded.
    Discarded,
}

/// A draft: the JSON Schema of each type is generated from the types of the contract. An incomplete draft is kept too.
pub struct DraftDocument;

impl PartialSchema for DraftDocument {
    fn schema() -> RefOr<Schema> {
        let file = |kind: MessageType| format!("../json/draft/{kind}.json");
        let choices = MessageType::operational()
            .fold(OneOfBuilder::new(), |one_of, kind| one_of.item(Ref::new(file(kind))));
        let by_type = MessageType::operational().fold(Discriminator::new("type"), |by_type, kind| {
            let mut by_type = by_type;
            by_type.mapping.insert(kind.as_str().to_owned(), file(kind));
            by_type
        });
        RefOr::T(Schema::OneOf(choices.discriminator(Some(by_type)).build()))
    }
}

impl ToSchema for DraftDocument {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("DraftDocument")
    }
}
