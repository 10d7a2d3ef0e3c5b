//! The links: three dynamic shovels for each partner, one a lane.
//!
//! <https://www.rabbitmq.com/docs/shovel-dynamic>

use rovuma_schemas::Lane;
use serde_json::{Value, json};

use super::{
    LinkSpec, NodeSpec, PartnerSpec,
    names::{self, VHOST},
};

/// Seconds before a shovel whose line broke tries again, by lane. An urgent alert must cross a line of 64 kbit/s within ten
/// seconds after the line came back, and the handshake takes three of them. The other lanes leave the line to it, and
/// write fewer lines into the broker's log.
const fn reconnect_delay_s(lane: Lane) -> u32 {
    match lane {
        Lane::Urgent => 2,
        Lane::Normal | Lane::Bulk => 5,
    }
}

/// Maximum bundles on the line without a confirm, by lane: on a slow line, a few large ones must not delay urgent ones.
const fn prefetch(lane: Lane) -> u32 {
    match lane {
        Lane::Urgent => 32,
        Lane::Normal => 8,
        Lane::Bulk => 2,
    }
}

/// All shovels of a node, as RabbitMQ's runtime parameters.
pub(super) fn shovels(spec: &NodeSpec) -> Vec<Value> {
    let lanes = |partner| Lane::ALL.map(move |lane| shovel(spec, partner, lane));
    spec.partners.iter().flat_map(lanes).collect()
}

fn shovel(spec: &NodeSpec, partner: &PartnerSpec, lane: Lane) -> Value {
    let queue = names::link_queue(partner.country, lane);
    json!({
        "name": queue,
        "vhost": VHOST,
        "component": "shovel",
        "value": {
            "src-protocol": "amqp091",
            // Within the broker, without a network connection, as a user that may only read these queues.
            "src-uri": format!("amqp://{}@/{VHOST}", names::shovel_user(partner.country)),
            "src-queue": queue,
            "src-prefetch-count": prefetch(lane),
            "src-delete-after": "never",
            "dest-protocol": "amqp091",
            "dest-uri": partner_uri(&partner.link),
            // Without a routing key here, each message keeps its own.
            "dest-exchange": names::ingress_exchange(spec.country),
            // The partner's broker refuses a user_id that is not the connected user.
            "dest-publish-properties": { "user_id": names::link_user(spec.country) },
            "dest-add-forward-headers": false,
            "ack-mode": "on-confirm",
            "reconnect-delay": reconnect_delay_s(lane),
        },
    })
}

/// <https://www.rabbitmq.com/docs/uri-query-parameters>
fn partner_uri(link: &LinkSpec) -> String {
    format!(
        "amqps://{host}:{port}/{VHOST}?auth_mechanism=external&verify=verify_peer\
         &server_name_indication={host}&cacertfile={ca}&certfile={cert}&keyfile={key}\
         &heartbeat=30&connection_timeout=30000",
        host = link.host,
        port = link.port,
        ca = query_value(&link.ca_file),
        cert = query_value(&link.cert_file),
        key = query_value(&link.key_file),
    )
}

/// Percent-encodes every byte that could end a value in a URI's query (RFC 3986, 3.4).
fn query_value(path: &std::path::Path) -> String {
    let mut encoded = String::new();
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_end_its_value() {
        assert_eq!(query_value("/a b/c&verify=verify_none".as_ref()), "/a%20b/c%26verify%3Dverify_none");
        assert_eq!(query_value("/etc/rovuma/tls/tz-ca.pem".as_ref()), "/etc/rovuma/tls/tz-ca.pem");
    }
}
