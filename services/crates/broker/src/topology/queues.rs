//! The queues: all quorum queues.

use rovuma_schemas::Lane;
use serde_json::{Value, json};

use super::{
    NodeSpec,
    names::{self, VHOST},
    users,
};

/// The largest number that both 3.10 and 4.x accept. Gateways themselves count messages that cannot be handled: a lost
/// consumer must not cost a healthy message.
const DELIVERY_LIMIT: u32 = 2_147_483_647;

/// Maximum events in a reader's queue. Events only wake their reader, which reads the facts elsewhere: events that a dead
/// reader has not taken may be dropped.
const EVENTS_MAX: u32 = 10_000;

/// Maximum messages in a witness queue. A service requests a cosignature again until it gets one: messages that a dead
/// service has not taken may be dropped, the oldest first.
const WITNESSING_MAX: u32 = 1_000;

/// Maximum acknowledgements that wait for a source. The audit service repeats how far a chain has come: those that a dead source has
/// not taken may be dropped, the oldest first.
const ACKNOWLEDGEMENTS_MAX: u32 = 10_000;

const MIB: u32 = 1024 * 1024;

/// Maximum bytes in the quarantine. Any link may fill it, nobody consumes it, and a node whose disk is full stops every publisher: so the
/// oldest messages are dropped. What an operator is to look at are the first of a day, not the last of a flood of weeks.
const QUARANTINE_MAX_BYTES: u32 = 256 * MIB;

/// Maximum bytes that wait for the line to a partner, in one lane. An outbox lets 1 MiB for each recipient and lane leave without a
/// receipt, so this is the backlog of all agencies of both countries, many times over. What finds no room stays in its outbox.
const LINK_MAX_BYTES: u32 = 256 * MIB;

/// Maximum bytes that wait for a gateway, in one lane. As with a link, honest senders stop far below; what finds no room stays in
/// the partner's link queue, or in the outbox.
const INBOX_MAX_BYTES: u32 = 256 * MIB;

/// Maximum bytes that wait for the audit service. Events stay at their source until they are acknowledged.
const AUDIT_INGEST_MAX_BYTES: u32 = 256 * MIB;

/// All queues of a node. Each is bounded: a queue that grows without end fills the disk, and the broker then stops all publishers.
pub(super) fn queues(spec: &NodeSpec) -> Vec<Value> {
    let mut all = vec![
        queue(
            names::QUARANTINE,
            json!({ "x-max-length-bytes": QUARANTINE_MAX_BYTES, "x-overflow": "drop-head" }),
        ),
        refusable(names::AUDIT_INGEST, AUDIT_INGEST_MAX_BYTES),
        droppable(names::AUDIT_WITNESS, WITNESSING_MAX),
        droppable(names::AUDIT_OUTWARD, WITNESSING_MAX),
    ];
    for source in users::audit_sources(spec) {
        all.push(droppable(&names::audit_ack_queue(&source), ACKNOWLEDGEMENTS_MAX));
    }
    for partner in &spec.partners {
        all.extend(Lane::ALL.map(|lane| kept(&names::link_queue(partner.country, lane), LINK_MAX_BYTES)));
    }
    for gateway in &spec.gateways {
        let inbox = |lane| refusable(&names::inbox_queue(&gateway.name, lane), INBOX_MAX_BYTES);
        all.extend(Lane::ALL.map(inbox));
    }
    for reader in &spec.event_readers {
        all.push(droppable(&names::event_queue(&reader.name), EVENTS_MAX));
    }
    all
}

/// A queue of messages that somebody says again: when it is full, the oldest are dropped.
fn droppable(name: &str, max_messages: u32) -> Value {
    queue(name, json!({ "x-max-length": max_messages, "x-overflow": "drop-head" }))
}

/// A queue whose messages stay until they are taken: when it is full, further ones are refused and stay with their publisher.
fn kept(name: &str, max_bytes: u32) -> Value {
    queue(name, json!({ "x-max-length-bytes": max_bytes, "x-overflow": "reject-publish" }))
}

/// As [`kept`], and its consumer can refuse a message for good. The message then goes to the quarantine, and leaves this queue
/// only once it is there.
fn refusable(name: &str, max_bytes: u32) -> Value {
    let mut queue = kept(name, max_bytes);
    queue["arguments"]["x-dead-letter-exchange"] = json!(names::QUARANTINE);
    // This strategy requires that the queue refuses what it has no room for.
    queue["arguments"]["x-dead-letter-strategy"] = json!("at-least-once");
    queue
}

fn queue(name: &str, mut arguments: Value) -> Value {
    arguments["x-queue-type"] = json!("quorum");
    arguments["x-delivery-limit"] = json!(DELIVERY_LIMIT);
    json!({
        "name": name,
        "vhost": VHOST,
        "durable": true,
        "auto_delete": false,
        "arguments": arguments,
    })
}
