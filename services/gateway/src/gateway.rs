//! What every part of the gateway shares.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::SharedTrust;
use rovuma_outbox::Outbox;
use rovuma_policy::Policy;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::{CodeLists, CountryCode, Timestamp};
use rovuma_store::Store;
use rovuma_tokens::TokenVerifier;
use rovuma_trail::Trail;

use crate::{
    agencies::OwnAgencies,
    alerts::{directory::Directory, draft::NewDrafts},
    config::Timings,
    exchange::{event::Events, send::SentMessages, witness::WitnessDesk},
    overdue::Current,
};

/// The gateway's parts, handed to every task and request as `Arc<Gateway>`.
pub(crate) struct Gateway {
    /// The country of this installation.
    pub(crate) country: CountryCode,
    /// The gateway's name within the country.
    pub(crate) name: String,
    /// What time it is.
    pub(crate) clock: SharedClock,
    /// When to stop.
    pub(crate) shutdown: Shutdown,
    /// Drafts, inbox, and what the outbox and the trail keep.
    pub(crate) store: Store,
    /// Drafts that are created.
    pub(crate) drafts: NewDrafts,
    /// What leaves.
    pub(crate) outbox: Outbox,
    /// What has left, as it was signed.
    pub(crate) sent: SentMessages,
    /// What partners' audit services say to ours.
    pub(crate) witness: WitnessDesk,
    /// Audit events.
    pub(crate) trail: Trail,
    /// Domain events.
    pub(crate) events: Events,
    /// How old the oldest unacknowledged audit event may grow before nothing is released any more.
    pub(crate) audit_overdue_after: Duration,
    /// Until when none can be so old.
    pub(crate) audit_current: Current,
    /// The trust lists in force.
    pub(crate) trust: Arc<SharedTrust>,
    /// The agencies in them, for drafts.
    pub(crate) directory: Directory,
    /// The agencies served here, with their keys.
    pub(crate) agencies: OwnAgencies,
    /// The code lists that drafts are checked against.
    pub(crate) lists: CodeLists,
    /// Who may do what.
    pub(crate) policy: Policy,
    /// Whose tokens are taken.
    pub(crate) tokens: TokenVerifier,
    /// How often, how long.
    pub(crate) timings: Timings,
}

impl Gateway {
    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
