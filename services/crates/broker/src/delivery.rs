//! A message as a consumer gets it.

use std::collections::BTreeMap;

use lapin::types::AMQPValue;

use crate::incoming::{FAULT, HeaderFault};

/// One message as it came from a queue.
///
/// Nothing in it is verified: its publisher wrote everything but `exchange`. The exchange shows where it came from, since
/// the broker's permissions decide who may write to which exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The exchange it was published to: `ingress.<country>` for a message that came over a link.
    pub exchange: String,
    /// The routing key, `<country>.<agency>.<lane>` on a lane.
    pub routing_key: String,
    /// The `message-id` property; empty when there was none.
    pub message_id: String,
    /// The `content-type` property; empty when there was none.
    pub content_type: String,
    /// Headers whose value is text; W3C trace context travels here.
    pub headers: BTreeMap<String, String>,
    /// Why message id, content type and headers are empty, when they could not be read.
    pub header_fault: Option<HeaderFault>,
    /// Whether the broker may have handed it out before.
    pub redelivered: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl Delivery {
    /// Takes the message out of its AMQP frame, leaving the frame without a body.
    pub(crate) fn take(frame: &mut lapin::message::Delivery) -> Self {
        let text = |value: &Option<lapin::types::ShortString>| {
            value.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
        };
        let mut headers = headers(&frame.properties);
        let header_fault = headers.remove(FAULT).and_then(|word| HeaderFault::of_word(&word));
        Self {
            exchange: frame.exchange.as_str().to_owned(),
            routing_key: frame.routing_key.as_str().to_owned(),
            message_id: text(frame.properties.message_id()),
            content_type: text(frame.properties.content_type()),
            headers,
            header_fault,
            redelivered: frame.redelivered,
            body: std::mem::take(&mut frame.data),
        }
    }
}

/// The headers whose values are text. No service uses others.
fn headers(properties: &lapin::BasicProperties) -> BTreeMap<String, String> {
    let Some(table) = properties.headers() else { return BTreeMap::new() };
    table
        .inner()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text_of(value)?)))
        .collect()
}

fn text_of(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}
