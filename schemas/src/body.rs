//! A whole message: header, terms and body.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    Alert, Delivered, Header, LinkFault, MessageType, Read, Rejected, StreamRequest, StreamStatus, Terms,
    audit::{AuditCheckpoint, AuditCosignature},
};

/// What a message says, by its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// `alert.issue`
    AlertIssue(Box<Alert>),
    /// `receipt.delivered`
    ReceiptDelivered(Delivered),
    /// `receipt.read`
    ReceiptRead(Read),
    /// `receipt.rejected`
    ReceiptRejected(Rejected),
    /// `stream.status`
    StreamStatus(StreamStatus),
    /// `stream.request`
    StreamRequest(StreamRequest),
    /// `link.fault`
    LinkFault(LinkFault),
    /// `audit.checkpoint`
    AuditCheckpoint(AuditCheckpoint),
    /// `audit.cosignature`
    AuditCosignature(AuditCosignature),
}

impl Body {
    /// The type that goes into the header.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::AlertIssue(_) => MessageType::AlertIssue,
            Self::ReceiptDelivered(_) => MessageType::ReceiptDelivered,
            Self::ReceiptRead(_) => MessageType::ReceiptRead,
            Self::ReceiptRejected(_) => MessageType::ReceiptRejected,
            Self::StreamStatus(_) => MessageType::StreamStatus,
            Self::StreamRequest(_) => MessageType::StreamRequest,
            Self::LinkFault(_) => MessageType::LinkFault,
            Self::AuditCheckpoint(_) => MessageType::AuditCheckpoint,
            Self::AuditCosignature(_) => MessageType::AuditCosignature,
        }
    }
}

/// One signed fact: `{"header": …, "terms": …, "body": …}`.
///
/// Reading one from foreign bytes is [`Message::parse`]; there is deliberately no `Deserialize`.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The routing facts.
    pub header: Header,
    /// Why, on what basis, how to handle it: operational messages only.
    pub terms: Option<Terms>,
    /// What it says.
    pub body: Body,
}

impl Message {
    /// A message that needs no terms: a receipt, a stream or a link message.
    pub fn transport(header: Header, body: Body) -> Self {
        Self { header, terms: None, body }
    }

    /// The payload to be signed. Called once; from then on only these bytes count.
    pub fn to_payload(&self) -> Vec<u8> {
        // Every type here serialises to JSON: no map has keys other than strings.
        serde_json::to_vec(self).expect("a message is always JSON")
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AlertIssue(alert) => alert.serialize(serializer),
            Self::ReceiptDelivered(receipts) => receipts.serialize(serializer),
            Self::ReceiptRead(receipts) => receipts.serialize(serializer),
            Self::ReceiptRejected(receipts) => receipts.serialize(serializer),
            Self::StreamStatus(status) => status.serialize(serializer),
            Self::StreamRequest(request) => request.serialize(serializer),
            Self::LinkFault(fault) => fault.serialize(serializer),
            Self::AuditCheckpoint(checkpoint) => checkpoint.serialize(serializer),
            Self::AuditCosignature(cosignature) => cosignature.serialize(serializer),
        }
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Message", 3)?;
        message.serialize_field("header", &self.header)?;
        match &self.terms {
            Some(terms) => message.serialize_field("terms", terms)?,
            None => message.skip_field("terms")?,
        }
        message.serialize_field("body", &self.body)?;
        message.end()
    }
}
