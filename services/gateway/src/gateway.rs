//! The gateway as a whole. Only the HTTP API takes it; every other function takes the part that it needs.

use std::sync::Arc;

use rovuma_policy::Policy;
use rovuma_tokens::TokenVerifier;

use crate::{base::Base, drafts::Drafts, exchange::Exchange, messages::live::LiveStreams};

/// The gateway's parts, each above the ones before it.
pub(crate) struct Gateway {
    /// Identity, clock, store, trail, events.
    pub(crate) base: Base,
    /// Sends and receives messages.
    pub(crate) exchange: Arc<Exchange>,
    /// Writes and releases drafts.
    pub(crate) drafts: Arc<Drafts>,
    /// The access policy.
    pub(crate) policy: Policy,
    /// Verifies access tokens of the configured issuers.
    pub(crate) tokens: TokenVerifier,
    /// The live streams of events that are open.
    pub(crate) live_streams: LiveStreams,
}
