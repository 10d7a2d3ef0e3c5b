//! The gateway: its parts, put together. Nothing but the HTTP API takes the whole; every other function takes the part that
//! it needs.

use std::sync::Arc;

use rovuma_policy::Policy;
use rovuma_tokens::TokenVerifier;

use crate::{base::Base, drafts::Drafts, exchange::Exchange};

/// The gateway's parts, each above the ones before it.
pub(crate) struct Gateway {
    /// Identity, clock, store, trail, events.
    pub(crate) base: Base,
    /// Sending and receiving.
    pub(crate) exchange: Arc<Exchange>,
    /// Writing and releasing.
    pub(crate) drafts: Arc<Drafts>,
    /// Who may do what.
    pub(crate) policy: Policy,
    /// The issuers whose tokens are accepted.
    pub(crate) tokens: TokenVerifier,
}
