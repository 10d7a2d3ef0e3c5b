//! The contract between agencies: message types, code lists, JSON Schemas and examples.
//!
//! - [`Message`], [`Header`], [`Terms`], [`Body`]: what travels, signed. [`Message::parse`] reads what
//!   somebody else wrote (open), [`Message::to_payload`] writes what is signed.
//! - [`AlertDraft`], [`ValidDraft`], [`Fault`]: what a client posts (closed) and what is wrong with it.
//! - [`CodeLists`], [`AgencyDirectory`]: codes, agencies and crossings as data with labels and dates.
//! - [`audit`]: audit events as they travel. [`dictionary`]: what bundles are compressed with.
//!
//! This crate does no I/O, draws no clock but where [`Timestamp::system_now`] says so, and knows
//! neither signatures nor brokers.

pub mod alert;
pub mod audit;
mod body;
mod checks;
pub mod codes;
mod date;
pub mod dictionary;
mod draft;
mod fault;
mod ids;
mod json;
pub mod limits;
mod link;
mod locale;
mod message;
mod names;
mod pointer;
mod receipt;
mod received;
pub mod schema;
mod stream;
mod terms;
mod time;
mod view;
mod words;

pub use alert::{Alert, Category, SubjectCounts, SubjectKind, Subjects};
pub use body::{Body, Message};
pub use codes::{Agency, AgencyDirectory, CodeEntry, CodeList, CodeLists, Labels};
pub use date::Date;
pub use dictionary::V1 as DICTIONARY_V1;
pub use draft::{Advice, AlertDraft, SecondPersonReason, Summary, ValidDraft, ValidationContext};
pub use fault::{Fault, FaultCode};
pub use ids::{
    AGENCY_NAME_MAX, AgencyCode, BadId, CountryCode, Digest, Epoch, Lane, MessageId, StoreId, StreamId,
};
pub use link::LinkFault;
pub use locale::Locale;
pub use message::{Header, MessageType, Recipient, Sender, Status, Version};
pub use names::normalise as normalise_name;
pub use receipt::{Delivered, DeliveredEntry, Read, ReadEntry, Receipts, Rejected, RejectedEntry};
pub use received::{ACCEPTED_MAJORS, ParseFault};
pub use stream::{
    NumberRange, StreamGaps, StreamHead, StreamRequest, StreamSeen, StreamStatus, VoidReason, VoidedNumber,
};
pub use terms::{
    Evaluation, Handling, HandlingCode, InformationGrade, LanguageCode, LegalBasisCode, ProtectionCheck,
    PurposeCode, RejectionCode, SourceGrade, Terms, Urgency, UrgencyLevel, UrgencyReason,
};
pub use time::{BadTimestamp, Timestamp};
pub use words::{Line, Text};
