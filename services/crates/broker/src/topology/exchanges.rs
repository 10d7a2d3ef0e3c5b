//! The exchanges.

use serde_json::{Value, json};

use super::{
    NodeSpec,
    names::{self, VHOST},
};

/// All exchanges of a node.
pub(super) fn exchanges(spec: &NodeSpec) -> Vec<Value> {
    let mut all = vec![
        exchange(names::OUTBOUND, "topic", json!({})),
        exchange(names::EVENTS, "topic", json!({})),
        exchange(names::AUDIT, "topic", json!({})),
        exchange(names::QUARANTINE, "fanout", json!({})),
    ];
    let alternate = json!({ "alternate-exchange": names::QUARANTINE });
    let ingress = |partner: &super::PartnerSpec| {
        exchange(&names::ingress_exchange(partner.country), "topic", alternate.clone())
    };
    all.extend(spec.partners.iter().map(ingress));
    all
}

fn exchange(name: &str, kind: &str, arguments: Value) -> Value {
    json!({
        "name": name,
        "vhost": VHOST,
        "type": kind,
        "durable": true,
        "auto_delete": false,
        "internal": false,
        "arguments": arguments,
    })
}
