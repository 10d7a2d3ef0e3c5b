//! The exchange: sends and receives messages over the country's broker, and keeps the signed proof of both.
//!
//! A message arrives through [`inbox`]: bytes → [`open`] → verify → parse → [`accept`] in one
//! transaction → acknowledge. It leaves through [`send`]: number → sign → outbox, in one transaction.

pub(crate) mod accept;
pub(crate) mod agencies;
pub(crate) mod attempts;
mod conflicts;
pub(crate) mod held;
pub(crate) mod inbox;
pub(crate) mod key_check;
pub(crate) mod known;
pub(crate) mod open;
pub(crate) mod quarantine;
pub(crate) mod receipt;
pub(crate) mod refusals;
pub(crate) mod reissue;
mod relay;
pub(crate) mod restored;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod trust;
mod wake;
pub(crate) mod witness;

use std::sync::Arc;

use rovuma_broker::{Broker, Consumer};
use rovuma_envelope::{Jws, SharedTrust};
use rovuma_outbox::Outbox;
use rovuma_runtime::Shutdown;

use crate::{
    base::Base,
    config::{Agreements, Timings},
    error::DbError,
};
use agencies::OwnAgencies;
use send::SentMessages;
use witness::WitnessQueue;

/// The parts that sending and receiving need.
pub(crate) struct Exchange {
    /// Identity, clock, store, trail, events.
    pub(crate) base: Base,
    /// Messages that must still leave, and those that no receipt has settled yet.
    pub(crate) outbox: Outbox,
    /// Writes signed messages into the table `sent`.
    pub(crate) sent: SentMessages,
    /// Checkpoints and cosignatures of partners that are on their way to our audit service.
    pub(crate) witness: WitnessQueue,
    /// The trust lists in force.
    pub(crate) trust: Arc<SharedTrust>,
    /// The agencies that this gateway serves, with their keys.
    pub(crate) agencies: OwnAgencies,
    /// The intervals of status messages and requests.
    pub(crate) timings: Timings,
    /// The time to answer that each agreement gives.
    pub(crate) agreements: Agreements,
}

/// The actor in audit events about acts of the gateway itself.
pub(crate) const SYSTEM: &str = "system";

/// Parses a JWS that the store keeps in compact form; [`DbError::Damaged`] when it is not one.
pub(crate) fn stored_jws(compact: &[u8]) -> Result<Jws, DbError> {
    let text = std::str::from_utf8(compact).map_err(|fault| DbError::damaged("jws", fault))?;
    Jws::from_compact(text).map_err(|fault| DbError::damaged("jws", fault))
}

/// Starts the tasks and consumers of the exchange. The service itself starts the outbox's relay and the shipper of audit
/// events.
pub(crate) fn start(exchange: &Arc<Exchange>, broker: &Broker, shutdown: &Shutdown) -> Vec<Consumer> {
    shutdown.spawn("stream status", status::run(exchange.clone(), broker.clone(), shutdown.clone()));
    let events = exchange.base.feed.follow();
    shutdown.spawn("event wake", wake::run(exchange.clone(), broker.clone(), events, shutdown.clone()));
    shutdown.spawn(
        "witness messages",
        witness::forward_to_audit_service(exchange.clone(), broker.clone(), shutdown.clone()),
    );
    let mut consumers = inbox::start(exchange, broker);
    consumers.extend(witness::start(exchange, broker));
    consumers
}
