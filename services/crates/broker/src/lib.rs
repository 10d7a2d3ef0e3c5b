//! RabbitMQ for Rovuma: the topology of every installation, confirmed publishing, and consuming in batches.
//!
//! * [`topology`] is the one table of exchanges, queues, users, permissions and shovels. It is pure: it renders RabbitMQ's
//!   definitions as JSON, and [`topology::diff`] compares them with the definitions that a node exports.
//! * [`Broker`] speaks AMQP 0-9-1 over TLS with a client certificate (SASL EXTERNAL). A publish returns
//!   once the broker has confirmed it; a consumer hands batches to a handler and acknowledges the accepted messages. Whatever
//!   properties and headers a publisher gave a message, its body reaches the handler, with a [`HeaderFault`] when they were not read.
//!
//! Architecture invariant: only this crate names `lapin`, and it refuses `amqp://`, so that no service can speak to a broker
//! in clear text. Deliberately absent: declaring objects over AMQP (users may configure nothing), and any knowledge of
//! what the messages mean.

mod backoff;
mod broker;
mod config;
mod consume;
mod delivery;
mod incoming;
mod link;
mod publish;
#[doc(hidden)]
pub mod raw;
mod tls;
pub mod topology;

pub use broker::{Broker, BrokerState};
pub use config::{BrokerConfig, ConfigFault};
pub use consume::{BatchLimits, Consumer, ConsumerConfig, ConsumerState, Handler, TransientError, Verdict};
pub use delivery::Delivery;
pub use incoming::HeaderFault;
pub use publish::{Publication, PublishError};
