//! The exchange side: what leaves, what arrives, and the proof of both.
//!
//! A message arrives through [`inbox`]: bytes → [`open`] → verify → parse → [`accept`] in one
//! transaction → acknowledge. It leaves through [`send`]: number → sign → outbox, in one transaction.

pub(crate) mod accept;
pub(crate) mod alarm;
pub(crate) mod event;
pub(crate) mod held;
pub(crate) mod inbox;
pub(crate) mod known;
pub(crate) mod open;
pub(crate) mod quarantine;
pub(crate) mod receipt;
pub(crate) mod reissue;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod stream;
mod wake;
pub(crate) mod witness;

use std::sync::Arc;

use rovuma_broker::{Broker, Consumer};
use rovuma_envelope::Jws;
use rovuma_runtime::Shutdown;

use crate::{error::DbError, gateway::Gateway};

/// The actor of what the gateway does by itself, in audit events.
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
pub(crate) fn start(gateway: &Arc<Gateway>, broker: &Broker, shutdown: &Shutdown) -> Vec<Consumer> {
    shutdown.spawn("stream status", status::run(gateway.clone(), broker.clone(), shutdown.clone()));
    shutdown.spawn("event wake", wake::run(gateway.clone(), broker.clone(), shutdown.clone()));
    shutdown.spawn("witness words", witness::hand_in(gateway.clone(), broker.clone(), shutdown.clone()));
    let mut consumers = inbox::start(gateway, broker);
    consumers.extend(witness::start(gateway, broker));
    consumers
}
