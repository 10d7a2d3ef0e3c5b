//! Headers that a link's user may write and no service of ours would: whatever they are, the queue goes on.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldArray, FieldTable, LongString},
};
use rovuma_broker::{Consumer, ConsumerState, HeaderFault};

use crate::{
    fixture::{Keeper, broker, consumer, publication},
    permissions::channel,
};

/// How long an honest message may take after a foreign one.
const GOES_ON_WITHIN: Duration = Duration::from_secs(10);

/// The largest payload of a content header that RabbitMQ takes: its frame of 128 KiB without the frame's own eight bytes.
const LARGEST_PAYLOAD_BYTES: usize = 131_072 - 8;

/// The bytes of a content header beside the value of its only header, `a`: class, weight, body size, flags, the table's size, the
/// name, the type and the value's size.
const AROUND_VALUE_BYTES: usize = 2 + 2 + 8 + 2 + 4 + 2 + 1 + 4;

fn one(value: AMQPValue) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("a".into(), value);
    table
}

fn text(length: usize) -> AMQPValue {
    AMQPValue::LongString(LongString::from("a".repeat(length)))
}

fn nested(depth: usize) -> AMQPValue {
    (0..depth).fold(text(1), |inner, level| {
        if level % 2 == 0 {
            AMQPValue::FieldTable(one(inner))
        } else {
            let mut array = FieldArray::default();
            array.push(inner);
            AMQPValue::FieldArray(array)
        }
    })
}

fn many(count: usize) -> FieldTable {
    let mut table = FieldTable::default();
    for index in 0..count {
        table.insert(format!("header-{index}").into(), AMQPValue::Void);
    }
    table
}

async fn publish(link: &Channel, headers: FieldTable) {
    let properties = BasicProperties::default().with_headers(headers).with_delivery_mode(2);
    let (exchange, key) = ("ingress.tz".into(), "mz.headers.urgent".into());
    let sent = link.basic_publish(exchange, key, BasicPublishOptions::default(), b"foreign", properties);
    let confirmation = sent.await.expect("sent").await.expect("confirmed");
    assert!(confirmation.is_ack(), "RabbitMQ did not take it");
}

/// Waits until both messages came, without a pause of the consumer.
async fn both_come(keeper: &Keeper, consumer: &Consumer, honest: &str) {
    let came = keeper
        .until(|batches| batches.iter().flat_map(|batch| batch.iter()).any(|one| one.message_id == honest));
    tokio::time::timeout(GOES_ON_WITHIN, came)
        .await
        .unwrap_or_else(|_| panic!("nothing came before {honest}"));
    assert_eq!(consumer.state(), ConsumerState::Consuming);
}

#[tokio::test]
async fn no_header_of_a_link_stops_a_queue() {
    let (_connection, link) = channel("link.tz").await;
    link.confirm_select(ConfirmSelectOptions::default()).await.expect("confirming");
    let honest_link = broker("link.tz").await;
    let keeper = Keeper::accepting();
    let gateway = broker("gateway.headers").await;
    let consumer = gateway.consume(consumer("inbox.headers.urgent"), keeper.clone());
    let too_large = Some(HeaderFault::TooLarge);
    let cases = [
        (one(text(100)), None),
        (one(text(17_000)), too_large),
        (one(text(100 * 1024)), too_large),
        (one(text(LARGEST_PAYLOAD_BYTES - AROUND_VALUE_BYTES - 1)), too_large),
        (many(5_000), too_large),
        (one(nested(2)), Some(HeaderFault::Nested)),
        (one(nested(100)), Some(HeaderFault::Nested)),
        (one(AMQPValue::LongString(LongString::from(vec![0xff, 0xfe]))), Some(HeaderFault::NotText)),
    ];
    let mut expected = Vec::new();
    for (index, (headers, fault)) in cases.into_iter().enumerate() {
        publish(&link, headers).await;
        let honest = format!("honest-{index}");
        honest_link
            .publish(publication("ingress.tz", "mz.headers.urgent", &honest))
            .await
            .expect("confirmed");
        both_come(&keeper, &consumer, &honest).await;
        expected.push(("foreign".to_owned(), fault));
        expected.push((honest, None));
    }
    let received: Vec<_> = keeper
        .batches()
        .iter()
        .flat_map(|batch| batch.iter())
        .map(|one| (String::from_utf8_lossy(&one.body).into_owned(), one.header_fault))
        .collect();
    assert_eq!(received, expected, "each once, in order, with its body");
}

/// The header `CC` brings a message to a queue whatever its routing key is.
#[tokio::test]
async fn a_message_that_comes_by_another_key_is_read_too() {
    let (_connection, link) = channel("link.tz").await;
    let keeper = Keeper::accepting();
    let gateway = broker("gateway.headers").await;
    gateway.consume(consumer("inbox.headers.bulk"), keeper.clone());
    let mut array = FieldArray::default();
    array.push(AMQPValue::LongString("mz.headers.bulk".into()));
    let properties = BasicProperties::default().with_headers({
        let mut table = FieldTable::default();
        table.insert("CC".into(), AMQPValue::FieldArray(array));
        table
    });
    let options = BasicPublishOptions::default();
    link.basic_publish("ingress.tz".into(), "elsewhere".into(), options, b"x", properties)
        .await
        .expect("sent");
    keeper.until(|batches| !batches.is_empty()).await;
    let first = keeper.batches()[0][0].clone();
    assert_eq!((first.routing_key.as_str(), first.header_fault), ("elsewhere", Some(HeaderFault::Nested)));
}
