//! The contract between agencies: message types, code lists, JSON Schemas and examples.
//!
//! - [`Message`], [`Header`], [`Terms`], [`Body`]: the signed message. [`Message::parse`] reads a foreign message (open),
//!   [`Message::to_payload`] writes the payload to sign.
//! - [`MessageType`], [`Class`]: the table of message types, and what the exchange does with each class.
//! - [`families`]: officers' messages, a module for each family. [`subjects`]: the persons and things that they are about.
//! - [`CheckedDraft`], [`ValidDraft`], [`Fault`]: drafts as clients post them (closed), and their faults.
//! - [`Template`]: drafts to begin with, and the fields that they may have.
//! - [`CodeLists`], [`AgencyDirectory`]: codes, agencies and crossings as data with labels and dates.
//! - [`mod@sentences`]: the sentences that people read, in three languages.
//! - [`audit`]: audit events. [`dictionary`]: the dictionaries with which bundles are compressed.
//!
//! This crate does no I/O, reads the clock in [`Timestamp::system_now`] only, and depends on neither signatures nor brokers.

pub mod audit;
mod checks;
pub mod codes;
mod date;
pub mod dictionary;
mod draft;
pub mod families;
mod fault;
mod header;
mod ids;
mod json;
mod kind;
mod labels;
pub mod limits;
mod locale;
mod message;
pub mod mrz;
mod names;
mod pointer;
mod received;
pub mod schema;
pub mod sentences;
pub mod subjects;
mod template;
mod terms;
mod time;
mod transport;
mod view;
mod words;

pub use codes::{Agency, AgencyDirectory, CodeEntry, CodeList, CodeLists, Labels, nearest};
pub use date::Date;
pub use dictionary::V1 as DICTIONARY_V1;
pub use draft::{
    Advice, CheckedDraft, DraftHeader, EMERGENCY_CONFIRMED_WITHIN, NoDraft, SecondPersonReason, ValidDraft,
    ValidationContext,
};
pub use families::{CaseSoFar, Facet, Family, Reserved, alert, any_case, hit, info, permission, request};
pub use fault::{Fault, FaultCode};
pub use header::{CaseId, Header, Recipient, Sender, Status, Version};
pub use ids::{
    AGENCY_NAME_MAX, AgencyCode, BadId, CountryCode, Digest, Epoch, Lane, MessageId, StoreId, StreamId,
};
pub use kind::{Body, Class, MessageType, OperationalBody};
pub use labels::field_label;
pub use locale::Locale;
pub use message::Message;
pub use names::normalise as normalise_name;
pub use received::{ACCEPTED_MAJORS, ParseFault};
pub use sentences::{Sentences, SentencesFault};
pub use subjects::{Identifier, IdentifierKind, SubjectKey, SubjectKind, Subjects};
pub use template::{FieldHelp, Template, TemplateContext};
pub use terms::{
    Emergency, Evaluation, Handling, HandlingCode, InformationGrade, LanguageCode, LegalBasisCode,
    OffenceCode, ProtectionCheck, PurposeCode, RejectionCode, SourceGrade, Terms, Urgency, UrgencyLevel,
    UrgencyReason,
};
pub use time::{BadTimestamp, Timestamp};
pub use transport::{
    link::LinkFault,
    receipt::{
        Delivered, DeliveredEntry, Listed, ListedEntry, Read, ReadEntry, Receipts, Rejected, RejectedEntry,
    },
    stream::{
        NumberRange, StreamEnd, StreamGaps, StreamRequest, StreamSeen, StreamStatus, VoidReason, VoidedNumber,
    },
};
pub use words::{Line, Text, is_unseen};
