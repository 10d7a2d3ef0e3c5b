//! The state that every route and task shares.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rovuma_policy::Policy;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::{AgencyCode, Timestamp, subjects::CrossingCode};
use rovuma_store::Store;
use rovuma_tokens::TokenVerifier;
use rovuma_trail::Trail;
use tokio::sync::{Notify, Semaphore};

use crate::{
    at_rest::AtRest,
    config::AgencyConfig,
    entries::Change,
    flow::Flow,
    look_ups::LookUps,
    peer::AsMachine,
    screening::{Index, Rules},
    standings::{ListStandings, StaleAfter},
};

/// An agency of this installation.
#[derive(Debug)]
pub(crate) struct OwnAgency {
    pub(crate) config: AgencyConfig,
    /// The gateway, asked as the agency's machine account.
    pub(crate) gateway: AsMachine,
    /// Woken when issuers of alerts are to be told at which posts they are screened for.
    pub(crate) to_report: Notify,
}

/// The service's state.
pub(crate) struct Watchlist {
    pub(crate) store: Store,
    /// How what names somebody stands in it.
    pub(crate) at_rest: Arc<AtRest>,
    pub(crate) trail: Trail,
    pub(crate) clock: SharedClock,
    pub(crate) policy: Policy,
    pub(crate) tokens: TokenVerifier,
    pub(crate) agencies: Vec<Arc<OwnAgency>>,
    /// The agency whose officers look at what imported lists name; the caller's where there is none.
    pub(crate) national_office: Option<AgencyCode>,
    pub(crate) index: RwLock<Index>,
    /// Held while the store and then the index are changed, so that the index follows in the store's own order.
    pub(crate) changing: tokio::sync::Mutex<()>,
    pub(crate) lists: ListStandings,
    pub(crate) stale_after: StaleAfter,
    /// How long crossings are remembered for alerts that come later; zero: not at all.
    pub(crate) remembered_for: Duration,
    pub(crate) rules: RwLock<Arc<Rules>>,
    pub(crate) flow: Flow,
    pub(crate) look_ups: LookUps,
    /// One import at a time: two would overtake each other, and together need twice the disk.
    pub(crate) importing: Arc<Semaphore>,
    /// Owns the tasks that must end once they began.
    pub(crate) tasks: Shutdown,
    /// The border posts that screen here.
    pub(crate) posts: Vec<CrossingCode>,
    /// Woken when a hit waits for the gateway.
    pub(crate) to_forward: Notify,
}

impl Watchlist {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Follows a change of the store in the index.
    pub(crate) fn apply(&self, change: &Change) {
        self.index.write().unwrap_or_else(PoisonError::into_inner).apply(change);
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The agencies of this installation.
    pub(crate) fn own(&self) -> impl Iterator<Item = &AgencyCode> + Clone {
        self.agencies.iter().map(|agency| &agency.config.code)
    }

    /// One of this installation's agencies.
    pub(crate) fn agency(&self, code: &AgencyCode) -> Option<&Arc<OwnAgency>> {
        self.agencies.iter().find(|agency| agency.config.code == *code)
    }
}
