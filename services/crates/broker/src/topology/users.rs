//! Users and their permissions: no user may configure anything, and every pattern is anchored at both ends or, for topic
//! keys, at the front.

use rovuma_schemas::AgencyCode;
use serde_json::{Value, json};

use super::{
    EventReaderSpec, GatewaySpec, NodeSpec, PartnerSpec,
    names::{self, VHOST},
};

/// A pattern that matches no name.
const NOTHING: &str = "^$";

const LANES: &str = "(urgent|normal|bulk)";

/// A user, its permissions on objects, and the routing keys it may publish with.
pub(super) struct User {
    name: String,
    write: String,
    read: String,
    /// (topic exchange, pattern of routing keys).
    keys: Vec<(&'static str, String)>,
}

/// All users of a node.
pub(super) fn users(spec: &NodeSpec) -> Vec<User> {
    let mut all = vec![audit(spec), identity(spec), rovumactl(spec), producer(spec, "watchlist", &[])];
    all.extend(spec.gateways.iter().map(|gateway| gateway_user(spec, gateway)));
    all.extend(spec.event_readers.iter().map(event_reader));
    all.extend(spec.partners.iter().map(link));
    all.extend(spec.partners.iter().map(shovel));
    all
}

/// The services that write audit events, by the name of their source.
pub(super) fn audit_sources(spec: &NodeSpec) -> Vec<String> {
    let gateways = spec.gateways.iter().map(|gateway| names::gateway_user(&gateway.name));
    let services = ["identity", "rovumactl", "watchlist"].map(str::to_owned);
    gateways.chain(services).map(|user| names::audit_source(spec.country, &user)).collect()
}

fn gateway_user(spec: &NodeSpec, gateway: &GatewaySpec) -> User {
    let name = names::gateway_user(&gateway.name);
    let source = names::audit_source(spec.country, &name);
    let inboxes = format!("inbox\\.{}\\.{LANES}", gateway.name);
    let acks = escaped(&names::audit_ack_queue(&source));
    let agencies: Vec<&str> = gateway.agencies.iter().map(AgencyCode::name).collect();
    let event_key = names::audit_event_key(&source);
    let (mut read, mut audit_keys) = (format!("{inboxes}|{acks}"), vec![event_key.as_str()]);
    // The gateway that serves the installation carries the audit services' messages across the border.
    if gateway.agencies.iter().any(AgencyCode::is_node) {
        read.push('|');
        read.push_str(&escaped(names::AUDIT_OUTWARD));
        audit_keys.push(names::AUDIT_WITNESS_KEY);
    }
    User {
        write: exactly(&[names::OUTBOUND, names::EVENTS, names::AUDIT]),
        read: format!("^({read})$"),
        keys: vec![
            (names::OUTBOUND, format!("^({})\\.[a-z0-9]+\\.{LANES}$", countries(spec))),
            (names::EVENTS, format!("^{}\\.({})\\.", spec.country, agencies.join("|"))),
            (names::AUDIT, exactly(&audit_keys)),
        ],
        name,
    }
}

/// A service that publishes audit events and reads their acknowledgements, and may do nothing else.
fn producer(spec: &NodeSpec, user: &str, also_reads: &[&str]) -> User {
    let source = names::audit_source(spec.country, user);
    let acks = names::audit_ack_queue(&source);
    let mut queues = vec![acks.as_str()];
    queues.extend(also_reads);
    User {
        name: user.to_owned(),
        write: exactly(&[names::AUDIT]),
        read: exactly(&queues),
        keys: vec![(names::AUDIT, exactly(&[&names::audit_event_key(&source)]))],
    }
}

fn identity(spec: &NodeSpec) -> User {
    producer(spec, "identity", &[])
}

/// Operators read the quarantine.
fn rovumactl(spec: &NodeSpec) -> User {
    producer(spec, "rovumactl", &[names::QUARANTINE])
}

fn audit(spec: &NodeSpec) -> User {
    User {
        name: "audit".to_owned(),
        write: exactly(&[names::AUDIT]),
        read: exactly(&[names::AUDIT_INGEST, names::AUDIT_WITNESS]),
        keys: vec![(names::AUDIT, format!("^(ack\\.{}\\.|{}$)", spec.country, names::AUDIT_OUTWARD_KEY))],
    }
}

/// A reader of events. The topology binds its queue to its agency's events; it may bind nothing itself.
fn event_reader(reader: &EventReaderSpec) -> User {
    User {
        name: reader.name.clone(),
        write: NOTHING.to_owned(),
        read: exactly(&[&names::event_queue(&reader.name)]),
        keys: vec![(names::EVENTS, NOTHING.to_owned())],
    }
}

/// The partner's link may write to its own ingress, with any routing key: an unroutable message goes to the quarantine,
/// whereas a refused key would stop the partner's shovel at that message for ever.
fn link(partner: &PartnerSpec) -> User {
    User {
        name: names::link_user(partner.country),
        write: exactly(&[&names::ingress_exchange(partner.country)]),
        read: NOTHING.to_owned(),
        keys: Vec::new(),
    }
}

fn shovel(partner: &PartnerSpec) -> User {
    User {
        name: names::shovel_user(partner.country),
        write: NOTHING.to_owned(),
        read: format!("^link\\.{}\\.{LANES}$", partner.country),
        keys: Vec::new(),
    }
}

/// Our country and those we have a link to.
fn countries(spec: &NodeSpec) -> String {
    let partners = spec.partners.iter().map(|partner| partner.country.to_string());
    std::iter::once(spec.country.to_string()).chain(partners).collect::<Vec<_>>().join("|")
}

/// The pattern of these names and no others.
fn exactly(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    if let [name] = names.as_slice() { format!("^{name}$") } else { format!("^({})$", names.join("|")) }
}

/// Names hold letters, digits, hyphens and dots; only the dot means something in a pattern.
fn escaped(name: &str) -> String {
    name.replace('.', "\\.")
}

impl User {
    /// The account, without a password: the user logs in by SASL EXTERNAL or not at all.
    pub(super) fn account(&self) -> Value {
        json!({
            "name": self.name,
            "password_hash": "",
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": [],
            "limits": {},
        })
    }

    pub(super) fn permission(&self) -> Value {
        json!({
            "user": self.name,
            "vhost": VHOST,
            "configure": NOTHING,
            "write": self.write,
            "read": self.read,
        })
    }

    /// The routing keys it may publish with. `read` is the pattern of keys it may bind with: none.
    pub(super) fn topic_permissions(&self) -> impl Iterator<Item = Value> {
        self.keys.iter().map(|(exchange, pattern)| {
            json!({
                "user": self.name,
                "vhost": VHOST,
                "exchange": exchange,
                "write": pattern,
                "read": NOTHING,
            })
        })
    }
}
