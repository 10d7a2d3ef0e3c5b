//! Publishes a batch on one channel: sends all messages, then waits for all confirms.
//!
//! The broker returns an unroutable message before it confirms it, but may confirm several with one frame, and lapin then
//! pairs returns with confirms in no particular order. So no caller is answered before the whole batch is confirmed, and
//! a return is matched by the message that it carries.

use std::collections::HashSet;

use futures::future::join_all;
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::{Publication, PublishError};

/// The broker's answer to one publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Confirmed,
    Returned,
    Nacked,
    TooLong(&'static str),
}

impl Outcome {
    /// The result for the publication's caller.
    pub(super) fn result(self, publication: &Publication) -> Result<(), PublishError> {
        let message_id = publication.message_id.clone();
        match self {
            Self::Confirmed => Ok(()),
            Self::Returned => Err(PublishError::Unroutable {
                message_id,
                exchange: publication.exchange.clone(),
                routing_key: publication.routing_key.clone(),
            }),
            Self::Nacked => Err(PublishError::Nacked { message_id }),
            Self::TooLong(field) => Err(PublishError::TooLong { message_id, field }),
        }
    }
}

/// What identifies a returned message: exchange, routing key, message id.
type MessageKey = (String, String, String);

/// Publishes all of them, in order, and waits for every confirm. Fails when the channel or the connection does; part of the
/// batch may have arrived then.
pub(super) async fn publish(
    channel: &Channel,
    publications: &[&Publication],
) -> Result<Vec<Outcome>, lapin::Error> {
    let mut outcomes = vec![Outcome::Confirmed; publications.len()];
    let mut sent = Vec::with_capacity(publications.len());
    let mut failure = None;
    for (index, publication) in publications.iter().enumerate() {
        match Frame::of(publication) {
            Err(field) => outcomes[index] = Outcome::TooLong(field),
            Ok(frame) => match frame.send(channel, &publication.body).await {
                Ok(confirm) => sent.push((index, confirm)),
                Err(fault) => {
                    failure = Some(fault);
                    break;
                }
            },
        }
    }
    let (indices, confirms): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
    let mut returned = HashSet::new();
    for (index, confirmation) in indices.into_iter().zip(join_all(confirms).await) {
        match confirmation {
            Err(fault) => failure = Some(fault),
            Ok(confirmation) => {
                if confirmation.is_nack() {
                    outcomes[index] = Outcome::Nacked;
                }
                returned.extend(returned_key(confirmation));
            }
        }
    }
    // The error of a failed confirm, which replaces that of a failed send, names the reason why the channel was closed.
    if let Some(failure) = failure {
        return Err(failure);
    }
    for (outcome, publication) in outcomes.iter_mut().zip(publications) {
        if returned.contains(&key_of(publication)) {
            *outcome = Outcome::Returned;
        }
    }
    Ok(outcomes)
}

fn key_of(publication: &Publication) -> MessageKey {
    (publication.exchange.clone(), publication.routing_key.clone(), publication.message_id.clone())
}

fn returned_key(confirmation: Confirmation) -> Option<MessageKey> {
    let message = confirmation.take_message()?.delivery;
    let id = message.properties.message_id().as_ref().map(ShortString::as_str).unwrap_or_default();
    Some((message.exchange.as_str().to_owned(), message.routing_key.as_str().to_owned(), id.to_owned()))
}

/// A publication in AMQP's types.
struct Frame {
    exchange: ShortString,
    routing_key: ShortString,
    properties: BasicProperties,
}

impl Frame {
    /// Converts a publication; fails with the name of the field that is too long.
    fn of(publication: &Publication) -> Result<Self, &'static str> {
        let short = |field, text: &String| ShortString::try_new(text.as_str()).map_err(|_| field);
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_message_id(short("message_id", &publication.message_id)?)
            .with_content_type(short("content_type", &publication.content_type)?)
            .with_headers(headers(publication)?);
        Ok(Self {
            exchange: short("exchange", &publication.exchange)?,
            routing_key: short("routing_key", &publication.routing_key)?,
            properties,
        })
    }

    async fn send(self, channel: &Channel, body: &[u8]) -> Result<lapin::PublisherConfirm, lapin::Error> {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        channel.basic_publish(self.exchange, self.routing_key, options, body, self.properties).await
    }
}

/// AMQP 0-9-1 `delivery-mode`: the message survives a restart of the broker.
const PERSISTENT: u8 = 2;

fn headers(publication: &Publication) -> Result<FieldTable, &'static str> {
    let mut table = FieldTable::default();
    for (name, text) in &publication.headers {
        let name = ShortString::try_new(name.as_str()).map_err(|_| "header name")?;
        table.insert(name, AMQPValue::LongString(text.as_str().into()));
    }
    Ok(table)
}
