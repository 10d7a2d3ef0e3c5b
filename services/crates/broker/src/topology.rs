//! The topology of a node's broker: one table, from which everything else is derived.
//!
//! [`NodeSpec`] says who is there (gateways and their agencies, partners); [`definitions`] gives the exchanges,
//! queues, bindings, users, permissions and shovels as RabbitMQ's own JSON; [`diff`] compares that with what a
//! node has. The functions in [`names`] are the only place where a queue or a key is spelled.

pub mod names;

pub use names::VHOST;
