//! RabbitMQ for Rovuma: the topology every installation declares, confirmed publishing, batch consuming.
//!
//! * [`topology`] is the one table of exchanges, queues, users, permissions and shovels. It is pure: it
//!   gives RabbitMQ's definitions as JSON, and [`topology::diff`] compares them with what a node has.
//! * [`Broker`] speaks AMQP 0-9-1 over TLS with a client certificate (SASL EXTERNAL). A publish returns
//!   once the broker has confirmed it; a consumer hands over batches and acknowledges what was accepted.
//!
//! Architecture invariant: this is the only crate that names `lapin`, and `amqp://` is refused: there is no
//! way to speak to a broker in clear text. What is deliberately absent: declaring objects over AMQP (users
//! may not configure anything), and knowledge of what the messages mean.

mod backoff;
mod broker;
mod config;
mod consume;
mod delivery;
mod link;
mod publish;
mod tls;
pub mod topology;

pub use broker::{Broker, BrokerState};
pub use config::{BrokerConfig, ConfigFault};
pub use consume::{BatchLimits, Consumer, ConsumerConfig, ConsumerState, Handler, TransientError, Verdict};
pub use delivery::Delivery;
pub use publish::{Publication, PublishError};
