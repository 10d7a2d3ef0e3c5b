//! The exchange side: what leaves, what arrives, and the proof of both.
//!
//! A message arrives through [`inbox`]: bytes → [`open`] → verify → parse → [`accept`] in one
//! transaction → acknowledge. It leaves through [`send`]: number → sign → outbox, in one transaction.

pub(crate) mod accept;
pub(crate) mod agencies;
pub(crate) mod held;
pub(crate) mod inbox;
pub(crate) mod known;
pub(crate) mod open;
pub(crate) mod quarantine;
pub(crate) mod receipt;
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

use crate::{base::Base, config::Timings, error::DbError};
use agencies::OwnAgencies;
use send::SentMessages;
use witness::WitnessDesk;

/// What sending and receiving needs.
pub(crate) struct Exchange {
    /// Identity, clock, store, trail, events.
    pub(crate) base: Base,
    /// Messages that must still leave.
    pub(crate) outbox: Outbox,
    /// Messages that have been signed.
    pub(crate) sent: SentMessages,
    /// Checkpoints and cosignatures on their way between our audit service and the partners'.
    pub(crate) witness: WitnessDesk,
    /// The trust lists in force.
    pub(crate) trust: Arc<SharedTrust>,
    /// The agencies that this gateway serves, with their keys.
    pub(crate) agencies: OwnAgencies,
    /// Intervals and waits.
    pub(crate) timings: Timings,
}

/// The actor of audit events about what the gateway does by itself.
pub(crate) const SYSTEM: &str = "system";

/// Reads back a JWS that a store keeps in compact form.
///
/// # Errors
/// [`DbError::Damaged`] when it does not read back.
pub(crate) fn stored_jws(compact: &[u8]) -> Result<Jws, DbError> {
    let text = std::str::from_utf8(compact).map_err(|fault| DbError::damaged("jws", fault))?;
    Jws::from_compact(text).map_err(|fault| DbError::damaged("jws", fault))
}

/// Starts everything that goes on by itself between this gateway and its broker; the relay and the
/// shipper of audit events are started beside it.
pub(crate) fn start(exchange: &Arc<Exchange>, broker: &Broker, shutdown: &Shutdown) -> Vec<Consumer> {
    shutdown.spawn("stream status", status::run(exchange.clone(), broker.clone(), shutdown.clone()));
    shutdown.spawn("event wake", wake::run(exchange.clone(), broker.clone(), shutdown.clone()));
    shutdown.spawn("witness words", witness::hand_in(exchange.clone(), broker.clone(), shutdown.clone()));
    let mut consumers = inbox::start(exchange, broker);
    consumers.extend(witness::start(exchange, broker));
    consumers
}
