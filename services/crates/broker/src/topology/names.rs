//! Names of exchanges, queues, routing keys and users.

use rovuma_schemas::{AgencyCode, CountryCode, Lane};

/// The virtual host that holds everything.
pub const VHOST: &str = "rovuma";

/// The exchange (topic) that gateways publish bundles to. It has no alternate exchange, so that an unroutable bundle is
/// returned to the gateway.
pub const OUTBOUND: &str = "outbound";

/// The exchange (topic) for domain events, which wake their readers.
pub const EVENTS: &str = "events";

/// The exchange (topic) for audit batches and their acknowledgements.
pub const AUDIT: &str = "audit";

/// The exchange (fanout), and the queue behind it, for messages that cannot be delivered or accepted; they are kept
/// unchanged.
pub const QUARANTINE: &str = "quarantine";

/// The queue of the audit service.
pub const AUDIT_INGEST: &str = "audit.ingest";

/// The queue of messages from partners' audit services to ours: heads of their logs, cosignatures of ours.
pub const AUDIT_WITNESS: &str = "audit.witness";

/// The queue of messages from our audit service to partners', which the gateway that serves the installation reads.
pub const AUDIT_OUTWARD: &str = "audit.outward";

/// The routing key of [`AUDIT_WITNESS`], on the exchange [`AUDIT`].
pub const AUDIT_WITNESS_KEY: &str = "witness";

/// The routing key of [`AUDIT_OUTWARD`], on the exchange [`AUDIT`].
pub const AUDIT_OUTWARD_KEY: &str = "outward";

/// The exchange (topic) that a partner's link writes to: only messages from `tz` come through `ingress.tz`.
pub fn ingress_exchange(partner: CountryCode) -> String {
    format!("ingress.{partner}")
}

/// The country that a delivery came from; none when it did not come over a link.
pub fn ingress_country(exchange: &str) -> Option<CountryCode> {
    exchange.strip_prefix("ingress.")?.parse().ok()
}

/// The queue of messages that wait for the line to a partner.
pub fn link_queue(partner: CountryCode, lane: Lane) -> String {
    format!("link.{partner}.{lane}")
}

/// The queue of messages for a gateway.
pub fn inbox_queue(gateway: &str, lane: Lane) -> String {
    format!("inbox.{gateway}.{lane}")
}

/// The routing key of a bundle on `outbound` and `ingress.*`: `tz.tpf.urgent`.
pub fn lane_key(recipient: &AgencyCode, lane: Lane) -> String {
    format!("{recipient}.{lane}")
}

/// Parses a routing key of a bundle into its agency and lane.
pub fn parse_lane_key(routing_key: &str) -> Option<(AgencyCode, Lane)> {
    let (agency, lane) = routing_key.rsplit_once('.')?;
    Some((agency.parse().ok()?, lane.parse().ok()?))
}

/// The routing key of a domain event: `mz.prm.message.received`.
pub fn event_key(agency: &AgencyCode, event: &str) -> String {
    format!("{agency}.{event}")
}

/// The queue of a reader of domain events.
pub fn event_queue(reader: &str) -> String {
    format!("events.{reader}")
}

/// The routing key of audit batches of one source, on the exchange [`AUDIT`]: `event.mz.gateway.police`.
pub fn audit_event_key(source: &str) -> String {
    format!("event.{source}")
}

/// The routing key of the acknowledgements to one source, on the exchange [`AUDIT`].
pub fn audit_ack_key(source: &str) -> String {
    format!("ack.{source}")
}

/// The queue of the acknowledgements to one source.
pub fn audit_ack_queue(source: &str) -> String {
    format!("audit.ack.{source}")
}

/// The audit source that a user's service writes as: `mz.identity`, `mz.gateway.police`.
pub fn audit_source(country: CountryCode, user: &str) -> String {
    format!("{country}.{user}")
}

/// The user of a gateway, and the common name of its client certificate.
pub fn gateway_user(gateway: &str) -> String {
    format!("gateway.{gateway}")
}

/// The user of a partner's link at our broker, and the common name of the client certificate that we issue to
/// the partner for it.
pub fn link_user(partner: CountryCode) -> String {
    format!("link.{partner}")
}

/// The user within our own broker that a shovel reads a partner's link queues as. Nobody can log in as it.
pub fn shovel_user(partner: CountryCode) -> String {
    format!("shovel.{partner}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lane_keys_read_back_and_nonsense_does_not() {
        let agency: AgencyCode = "tz.tpf".parse().expect("an agency");
        let key = lane_key(&agency, Lane::Urgent);
        assert_eq!(key, "tz.tpf.urgent");
        assert_eq!(parse_lane_key(&key), Some((agency, Lane::Urgent)));
        for key in ["", "tz.tpf", "tz.tpf.slow", "tz.urgent", "tz.tpf.x.urgent", "#", "*.*.urgent"] {
            assert_eq!(parse_lane_key(key), None, "{key:?} was taken");
        }
    }

    #[test]
    fn the_country_of_an_ingress_is_known() {
        let tz: CountryCode = "tz".parse().expect("a country");
        assert_eq!(ingress_country(&ingress_exchange(tz)), Some(tz));
        assert_eq!(ingress_country("outbound"), None);
        assert_eq!(ingress_country("ingress.tanzania"), None);
    }
}
