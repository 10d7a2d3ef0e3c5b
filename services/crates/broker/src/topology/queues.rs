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

/// All queues of a node.
pub(super) fn queues(spec: &NodeSpec) -> Vec<Value> {
    let mut all = vec![
        kept(names::QUARANTINE),
        refusable(names::AUDIT_INGEST),
        queue(names::AUDIT_WITNESS, json!({ "x-max-length": WITNESSING_MAX })),
        queue(names::AUDIT_OUTWARD, json!({ "x-max-length": WITNESSING_MAX })),
    ];
    for source in users::audit_sources(spec) {
        all.push(kept(&names::audit_ack_queue(&source)));
    }
    for partner in &spec.partners {
        all.extend(Lane::ALL.map(|lane| kept(&names::link_queue(partner.country, lane))));
    }
    for gateway in &spec.gateways {
        all.extend(Lane::ALL.map(|lane| refusable(&names::inbox_queue(&gateway.name, lane))));
    }
    for reader in &spec.event_readers {
        all.push(queue(&names::event_queue(&reader.name), json!({ "x-max-length": EVENTS_MAX })));
    }
    all
}

/// A queue whose messages stay until they are taken.
fn kept(name: &str) -> Value {
    queue(name, json!({}))
}

/// A queue whose consumer can refuse a message for good. The message then goes to the quarantine, and leaves this queue
/// only once it is there.
fn refusable(name: &str) -> Value {
    queue(
        name,
        json!({
            "x-dead-letter-exchange": names::QUARANTINE,
            "x-dead-letter-strategy": "at-least-once",
            // The strategy requires this; without a length limit no publication is ever refused.
            "x-overflow": "reject-publish",
        }),
    )
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
