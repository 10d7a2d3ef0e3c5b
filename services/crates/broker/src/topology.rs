//! The topology of a node's broker: one table, from which everything else is derived.
//!
//! [`NodeSpec`] says who is there (gateways and their agencies, partners); [`definitions`] gives the exchanges,
//! queues, bindings, users, permissions and shovels as RabbitMQ's own JSON; [`diff`] compares that with what a
//! node has. The functions in [`names`] are the only place where a queue or a key is spelled.
//!
//! What the table must say, each point seen on RabbitMQ 3.10.8 and 4.0.5 by trial:
//! * `outbound` has no alternate exchange, for with one an unroutable mandatory publish is confirmed and never
//!   returned; `ingress.*` has one, for a shovel gets its confirm for a message that leads nowhere;
//! * a shovel replaces `user_id` by the link's own, or the far broker closes its channel again and again;
//! * the delivery limit is the largest number that both versions take: −1 means "none" on 4.0 but *lose after
//!   the first redelivery* on 3.10.8, and a small one throws healthy messages out;
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
