//! The bindings from exchanges to queues.

use rovuma_schemas::Lane;
use serde_json::{Value, json};

use super::{
    NodeSpec,
    names::{self, VHOST},
    users,
};

/// All bindings of a node.
pub(super) fn bindings(spec: &NodeSpec) -> Vec<Value> {
    let mut all = vec![
        binding(names::QUARANTINE, names::QUARANTINE, ""),
        binding(names::AUDIT, names::AUDIT_INGEST, "event.#"),
        binding(names::AUDIT, names::AUDIT_WITNESS, names::AUDIT_WITNESS_KEY),
        binding(names::AUDIT, names::AUDIT_OUTWARD, names::AUDIT_OUTWARD_KEY),
    ];
    for source in users::audit_sources(spec) {
        all.push(binding(names::AUDIT, &names::audit_ack_queue(&source), &names::audit_ack_key(&source)));
    }
    all.extend(outward(spec));
    all.extend(inward(spec));
    for reader in &spec.event_readers {
        let key = names::event_key(&reader.agency, "#");
        all.push(binding(names::EVENTS, &names::event_queue(&reader.name), &key));
    }
    all
}

/// Messages for a partner's country go to the queues of its link.
fn outward(spec: &NodeSpec) -> impl Iterator<Item = Value> {
    spec.partners.iter().flat_map(|partner| {
        Lane::ALL.map(|lane| {
            let queue = names::link_queue(partner.country, lane);
            binding(names::OUTBOUND, &queue, &format!("{}.*.{lane}", partner.country))
        })
    })
}

/// Messages for an agency go to the inbox of its gateway, from each partner and from within the country.
fn inward(spec: &NodeSpec) -> impl Iterator<Item = Value> {
    let mut sources = vec![names::OUTBOUND.to_owned()];
    sources.extend(spec.partners.iter().map(|partner| names::ingress_exchange(partner.country)));
    sources.into_iter().flat_map(move |source| {
        let to_gateway = |gateway: &super::GatewaySpec| -> Vec<Value> {
            let keys = gateway.agencies.iter().flat_map(|agency| Lane::ALL.map(|lane| (agency, lane)));
            keys.map(|(agency, lane)| {
                let queue = names::inbox_queue(&gateway.name, lane);
                binding(&source, &queue, &names::lane_key(agency, lane))
            })
            .collect()
        };
        spec.gateways.iter().flat_map(to_gateway).collect::<Vec<_>>()
    })
}

fn binding(source: &str, queue: &str, routing_key: &str) -> Value {
    json!({
        "source": source,
        "vhost": VHOST,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": routing_key,
        "arguments": {},
    })
}
