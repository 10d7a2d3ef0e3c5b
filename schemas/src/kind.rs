//! The table of message types, one row a type. The macro generates from it everything that depends on the type; the exchange
//! itself depends only on a type's [`Class`].

mod class;

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::{
    BadId, Identifier, Reserved, SecondPersonReason,
    draft::{Checker, Remark},
    families::{AtRelease, Family, Operational, alert, any_case, hit, info, permission, request},
    fault::Finding,
    pointer::Pointer,
    schema,
    transport::{CheckReceived, audit, link, receipt, stream},
    view::View,
};

pub use class::Class;

/// Generates from the table [`MessageType`], [`Body`], [`OperationalBody`], and the functions that dispatch by type.
macro_rules! message_kinds {
    (
        operational { $(#[doc = $op_doc:literal] $Op:ident = $op_word:literal, $OpBody:ty, $op_class:expr;)+ }
        transport { $(#[doc = $doc:literal] $Kind:ident = $word:literal, $Body:ty, $class:expr;)+ }
    ) => {
        /// A message type that this version knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageType {
            $(#[doc = $op_doc] $Op,)+
            $(#[doc = $doc] $Kind,)+
        }

        impl MessageType {
            /// Every type that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$Op,)+ $(Self::$Kind,)+];

            /// The type's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Op => $op_word,)+
                    $(Self::$Kind => $word,)+
                }
            }

            /// What the exchange does with messages of this type.
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$Op => $op_class,)+
                    $(Self::$Kind => $class,)+
                }
            }

            /// The first line of the type's documentation.
            pub(crate) fn description(self) -> &'static str {
                match self {
                    $(Self::$Op => $op_doc,)+
                    $(Self::$Kind => $doc,)+
                }
            }
        }

        /// The body of an officer's message, by its type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum OperationalBody {
            $(#[doc = $op_doc] $Op(Box<$OpBody>),)+
        }

        impl OperationalBody {
            /// The type that goes into the header.
            pub const fn message_type(&self) -> MessageType {
                match self {
                    $(Self::$Op(_) => MessageType::$Op,)+
                }
            }

            fn as_operational(&self) -> &dyn Operational {
                match self {
                    $(Self::$Op(body) => body.as_ref(),)+
                }
            }

            fn as_operational_mut(&mut self) -> &mut dyn Operational {
                match self {
                    $(Self::$Op(body) => body.as_mut(),)+
                }
            }

            /// Parses the body of an operational type; `None` for the other types.
            pub(crate) fn read(kind: MessageType, body: &Value, at: &Pointer) -> Option<Result<Self, Finding>> {
                match kind {
                    $(MessageType::$Op => Some(schema::typed(body, at).map(|body| Self::$Op(Box::new(body)))),)+
                    _ => None,
                }
            }
        }

        impl Serialize for OperationalBody {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$Op(body) => body.serialize(serializer),)+
                }
            }
        }

        /// The body of a message, by its type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Body {
            /// An officer's message.
            Operational(OperationalBody),
            $(#[doc = $doc] $Kind($Body),)+
        }

        impl Body {
            /// The type that goes into the header.
            pub const fn message_type(&self) -> MessageType {
                match self {
                    Self::Operational(body) => body.message_type(),
                    $(Self::$Kind(_) => MessageType::$Kind,)+
                }
            }

            /// Parses the body of a received message whose JSON was checked against the schema of its type.
            pub(crate) fn read(kind: MessageType, body: &Value, at: &Pointer) -> Result<Self, Finding> {
                match kind {
                    $(MessageType::$Op => {
                        schema::typed(body, at).map(|body| Self::Operational(OperationalBody::$Op(Box::new(body))))
                    })+
                    $(MessageType::$Kind => schema::typed(body, at).map(Self::$Kind),)+
                }
            }
        }

        impl Serialize for Body {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Operational(body) => body.serialize(serializer),
                    $(Self::$Kind(body) => body.serialize(serializer),)+
                }
            }
        }

        impl MessageType {
            /// The JSON Schema of the body.
            pub(crate) fn body_schema(self, generator: &mut SchemaGenerator) -> schemars::Schema {
                match self {
                    $(Self::$Op => generator.subschema_for::<$OpBody>(),)+
                    $(Self::$Kind => generator.subschema_for::<$Body>(),)+
                }
            }

            /// Adds the faults in the body of a received message of this type that its schema cannot express.
            pub(crate) fn check_received(self, body: &View<'_>, found: &mut Vec<Finding>) {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::check_received(body, found),)+
                    $(Self::$Kind => <$Body as CheckReceived>::check_received(body, found),)+
                }
            }

            /// Adds the faults in the body of a draft of this type that its schema cannot express. Transport messages have no
            /// drafts.
            pub(crate) fn check_draft(self, checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::check(checker),)+
                    _ => {}
                }
            }

            /// Puts right in the body of a draft of this type what is certain, with a remark about each change.
            pub(crate) fn put_right(self, body: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::put_right(body, at, remarks),)+
                    _ => {}
                }
            }

            /// Adds remarks about the body of a draft of this type.
            pub(crate) fn remark(self, body: &View<'_>, remarks: &mut Vec<Remark>) {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::remark(body, remarks),)+
                    _ => {}
                }
            }

            /// The reasons in the body for which a second person must release a draft of this type.
            pub(crate) fn second_person(self, body: &View<'_>) -> Vec<SecondPersonReason> {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::second_person(body),)+
                    _ => Vec::new(),
                }
            }

            /// Whether a supervisor releases drafts of this type, and why an author may do so alone all the same.
            pub(crate) fn reserved(self, body: &View<'_>) -> Reserved {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::reserved(body),)+
                    _ => Reserved::No,
                }
            }

            /// Whether the type is reserved for supervisors, apart from what a body may allow.
            pub fn is_reserved(self) -> bool {
                self.reserved(&View::root(&Value::Null)) != Reserved::No
            }

            /// Whether the body of a draft of this type names a person.
            pub(crate) fn names_a_person(self, body: &View<'_>) -> bool {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::names_a_person(body),)+
                    _ => false,
                }
            }

            /// Whether the body of a draft of this type asks nothing but what a database of the recipient answers.
            pub(crate) fn is_direct(self, body: &View<'_>) -> bool {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::is_direct(body),)+
                    _ => false,
                }
            }

            /// Whether two messages of this type about the same persons and things are duplicates, which their author is warned of.
            pub fn has_duplicates(self) -> bool {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::has_duplicates(),)+
                    _ => false,
                }
            }

            /// By what the body of a message or a draft of this type is seen to be about the same persons and things as another, as far
            /// as it can be read. The pointers begin in the body.
            pub fn identifiers(self, body: &Value) -> Vec<Identifier> {
                let body = View::root(body);
                match self {
                    $(Self::$Op => <$OpBody as Operational>::identifiers(&body),)+
                    _ => Vec::new(),
                }
            }

            /// The version of the content that the body of a message of this type brings; none of a body that brings none.
            pub fn content_version(self, body: &Value) -> Option<u32> {
                let body = View::root(body);
                match self {
                    $(Self::$Op => <$OpBody as Operational>::content_version(&body),)+
                    _ => None,
                }
            }

            /// The facet of a draft of this type, as far as its body can be read.
            pub(crate) fn facet_of(self, body: &View<'_>) -> Option<String> {
                match self {
                    $(Self::$Op => <$OpBody as Operational>::facet_of(body),)+
                    _ => None,
                }
            }
        }
    };
}

message_kinds! {
    operational {
        /// A new alert, or its first version.
        AlertIssue = "alert.issue", alert::Issue, Class::Opener(Family::Alert);
        /// A newer version of an alert, with its whole content.
        AlertUpdate = "alert.update", alert::Update, Class::Follower(Family::Alert);
        /// A later end of an alert.
        AlertExtend = "alert.extend", alert::Extend, Class::Follower(Family::Alert);
        /// An alert is taken back, for ever.
        AlertWithdraw = "alert.withdraw", alert::Withdraw, Class::Follower(Family::Alert);
        /// An error report is not accepted, and why.
        AlertReply = "alert.reply", alert::Reply, Class::Follower(Family::Alert);
        /// A recipient marks an alert as not executable on its territory, or takes the mark off.
        AlertFlag = "alert.flag", alert::Flag, Class::Follower(Family::Alert);
        /// A recipient reports errors in an alert.
        AlertErrorReport = "alert.error_report", alert::ErrorReport, Class::Follower(Family::Alert);
        /// A new request for assistance.
        RequestSubmit = "request.submit", request::Submit, Class::Opener(Family::Request);
        /// The answerer has taken a request up.
        RequestAcknowledge = "request.acknowledge", request::Acknowledge, Class::Follower(Family::Request);
        /// The answerer needs to know more.
        RequestAsk = "request.ask", request::Ask, Class::Follower(Family::Request);
        /// The requester says more.
        RequestClarify = "request.clarify", request::Clarify, Class::Follower(Family::Request);
        /// The answerer needs longer.
        RequestDelay = "request.delay", request::Delay, Class::Follower(Family::Request);
        /// An answer that leaves some questions for later.
        RequestAnswerPartial = "request.answer_partial", request::AnswerPartial, Class::Follower(Family::Request);
        /// An answer that leaves no question.
        RequestAnswer = "request.answer", request::Answer, Class::Follower(Family::Request);
        /// The answerer refuses.
        RequestRefuse = "request.refuse", request::Refuse, Class::Follower(Family::Request);
        /// The requester reminds the answerer.
        RequestRemind = "request.remind", request::Remind, Class::Follower(Family::Request);
        /// The requester needs no answer any more.
        RequestCancel = "request.cancel", request::Cancel, Class::Follower(Family::Request);
        /// The requester has read the last answer and needs no more.
        RequestClose = "request.close", request::Close, Class::Follower(Family::Request);
        /// What an alert is about was found.
        HitNotify = "hit.notify", hit::Notify, Class::Opener(Family::Hit);
        /// The reporter asks the alert's owner whether it is a hit.
        HitAskConfirmation = "hit.ask_confirmation", hit::AskConfirmation, Class::Follower(Family::Hit);
        /// The alert's owner says whether it is.
        HitConfirm = "hit.confirm", hit::Confirm, Class::Follower(Family::Hit);
        /// What the reporter did.
        HitActionReport = "hit.action_report", hit::ActionReport, Class::Follower(Family::Hit);
        /// The reporter takes it back.
        HitRetract = "hit.retract", hit::Retract, Class::Follower(Family::Hit);
        /// The reporter has nothing more to do.
        HitClose = "hit.close", hit::Close, Class::Follower(Family::Hit);
        /// Information that nobody asked for.
        InfoShare = "info.share", info::Share, Class::Opener(Family::Info);
        /// A question for leave to use something beyond its handling code.
        PermissionAsk = "permission.ask", permission::PermissionAsk, Class::Opener(Family::Permission);
        /// Leave, or none.
        PermissionDecide = "permission.decide", permission::Decide, Class::Follower(Family::Permission);
        /// A second person confirms what one person released in an emergency.
        ReleaseConfirm = "release.confirm", any_case::Confirm, Class::AnyCase;
        /// An agency certifies what it did with the data of a case.
        PurgeCertify = "purge.certify", any_case::Certify, Class::AnyCase;
    }
    transport {
        /// Messages verified and stored by the recipient's gateway.
        ReceiptDelivered = "receipt.delivered", receipt::Delivered, Class::Receipt;
        /// Messages opened by an officer.
        ReceiptRead = "receipt.read", receipt::Read, Class::Receipt;
        /// Messages that took effect at a border post, where what crosses is screened with them.
        ReceiptListed = "receipt.listed", receipt::Listed, Class::Receipt;
        /// Messages verified but not accepted, each with a code.
        ReceiptRejected = "receipt.rejected", receipt::Rejected, Class::Receipt;
        /// The last number of each stream, and numbers made void.
        StreamStatus = "stream.status", stream::StreamStatus, Class::Stream;
        /// Numbers that a recipient is missing.
        StreamRequest = "stream.request", stream::StreamRequest, Class::Stream;
        /// A delivery that could not be verified, named by its digest.
        LinkFault = "link.fault", link::LinkFault, Class::Node;
        /// A new head of a country's audit log, with the proof that it goes on from what was cosigned.
        AuditCheckpoint = "audit.checkpoint", audit::AuditCheckpoint, Class::Node;
        /// The other country's answer to an `audit.checkpoint`, with its cosignature or why not.
        AuditCosignature = "audit.cosignature", audit::AuditCosignature, Class::Node;
    }
}

impl MessageType {
    /// Every operational type: the types that officers draft.
    pub fn operational() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|kind| kind.class().is_operational())
    }
}

impl OperationalBody {
    /// The code by which lists tell messages of the type apart: the category of an alert.
    pub fn facet(&self) -> Option<&str> {
        self.as_operational().facet()
    }

    /// When the content ends by itself, if the message is released at `created`: the end of an alert.
    pub fn ends(&self, created: crate::Timestamp) -> Option<crate::Timestamp> {
        self.as_operational().ends(created)
    }

    /// One line in `locale` that names nobody: `Vehicle: 1 × vehicle, 1 × place`.
    pub fn summary(&self, lists: &crate::CodeLists, locale: crate::Locale) -> String {
        self.as_operational().summary(lists, locale)
    }

    /// Fills in normalised names, once the body is valid.
    pub(crate) fn normalise(&mut self) {
        self.as_operational_mut().normalise();
    }

    /// Adds the faults that its draft has because of what its case has come to.
    pub(crate) fn check_against(
        &self,
        terms: &crate::Terms,
        earlier: &crate::CaseSoFar,
        found: &mut Vec<Finding>,
    ) {
        self.as_operational().check_against(terms, earlier, found);
    }

    /// Fills in the values that are set at release.
    pub(crate) fn complete(&mut self, at: &AtRelease<'_>) {
        self.as_operational_mut().complete(at);
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MessageType {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let known = Self::ALL.iter().copied().find(|known| known.as_str() == text);
        known.ok_or_else(|| BadId::new("a message type of this version", text))
    }
}

impl Serialize for MessageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MessageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for MessageType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MessageType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|known| known.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_one_family_is_named_after_it_and_no_other_type_is() {
        for kind in MessageType::ALL {
            let (prefix, _) = kind.as_str().split_once('.').expect("a word of two parts");
            match kind.class().family() {
                Some(family) => assert_eq!(prefix, family.as_str(), "{kind}"),
                None => assert!(prefix.parse::<Family>().is_err(), "{kind}"),
            }
        }
    }

    #[test]
    fn every_row_under_operational_has_an_operational_class_and_no_row_under_transport() {
        for kind in MessageType::ALL {
            let read = OperationalBody::read(*kind, &Value::Null, &Pointer::default());
            assert_eq!(read.is_some(), kind.class().is_operational(), "{kind}");
        }
    }

    #[test]
    fn what_ends_prolongs_or_vouches_is_reserved_for_supervisors() {
        let reserved: Vec<&str> =
            MessageType::ALL.iter().filter(|kind| kind.is_reserved()).map(|kind| kind.as_str()).collect();
        assert_eq!(
            reserved,
            [
                "alert.extend",
                "alert.withdraw",
                "request.refuse",
                "permission.decide",
                "release.confirm",
                "purge.certify"
            ]
        );
    }
}
