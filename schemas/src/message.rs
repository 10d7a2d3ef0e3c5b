//! Messages: header, terms and body.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Body, Header, Terms};

/// One signed fact: `{"header": …, "terms": …, "body": …}`.
///
/// [`Message::parse`] reads one from foreign bytes; there is deliberately no `Deserialize`.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The routing facts.
    pub header: Header,
    /// The terms, of operational messages only.
    pub terms: Option<Terms>,
    /// The body.
    pub body: Body,
}

impl Message {
    /// A message without terms: a receipt, a stream or a node message.
    pub fn transport(header: Header, body: Body) -> Self {
        Self { header, terms: None, body }
    }

    /// The payload to be signed. Called once; from then on only these bytes count.
    pub fn to_payload(&self) -> Vec<u8> {
        // Every type here serialises to JSON: no map has keys other than strings.
        serde_json::to_vec(self).expect("a message is always JSON")
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
