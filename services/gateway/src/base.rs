//! The base of every part of the gateway: its identity, its store, and the records that every part writes.

use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::{CountryCode, Timestamp};
use rovuma_store::Store;
use rovuma_trail::Trail;

use crate::events::{Events, feed::Feed};

/// The gateway's identity, clock and store, with the trail and the domain events kept in the store. Clones share them.
#[derive(Clone)]
pub(crate) struct Base {
    /// The country of this installation.
    pub(crate) country: CountryCode,
    /// The gateway's name within the country.
    pub(crate) name: String,
    /// The clock: the only source of time.
    pub(crate) clock: SharedClock,
    /// The signal to stop.
    pub(crate) shutdown: Shutdown,
    /// The database.
    pub(crate) store: Store,
    /// Audit events, recorded in the transaction of the act.
    pub(crate) trail: Trail,
    /// Domain events, recorded likewise.
    pub(crate) events: Events,
    /// New domain events, for those who follow them.
    pub(crate) feed: Feed,
}

impl Base {
    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
