//! The contract between agencies: message types, code lists, JSON Schemas and examples.

mod ids;
mod message;
mod time;

pub use ids::{
    AGENCY_NAME_MAX, AgencyCode, BadId, CountryCode, Digest, Epoch, Lane, MessageId, StoreId, StreamId,
};
pub use message::{Header, MessageType, Recipient, Sender, Status, Version};
pub use time::{BadTimestamp, Timestamp};
