//! The topology of a node's broker: one table, from which everything else is derived.
//!
//! [`NodeSpec`] lists the gateways with their agencies, the readers of events and the partners; [`definitions`] renders the
//! exchanges, queues, bindings, users, permissions and shovels as RabbitMQ's own JSON; [`diff`] compares that with the
//! definitions that a node exports. Only the functions in [`names`] spell names of queues and keys.
//!
//! Properties that the table must have, each found by trial on RabbitMQ 3.10.8 and 4.0.5:
//! * `outbound` has no alternate exchange, for with one an unroutable mandatory publish is confirmed and never
//!   returned; `ingress.*` has one, for a shovel gets its confirm for an unroutable message;
//! * a shovel sets `user_id` to the link's user, or the partner's broker closes its channel again and again;
//! * the delivery limit is the largest number that both versions accept: −1 means "none" on 4.0 but *drop after the first
//!   redelivery* on 3.10.8, and a small limit drops healthy messages;
//! * every user that may write to a topic exchange has a topic permission: without one every key is allowed.

mod bindings;
mod definitions;
mod diff;
mod exchanges;
pub mod names;
mod queues;
mod shovels;
mod spec;
mod users;

pub use definitions::definitions;
pub use diff::{Difference, DifferenceKind, diff};
pub use names::VHOST;
pub use spec::{EventReaderSpec, GatewaySpec, LinkSpec, NodeSpec, PartnerSpec, SpecFault};
