//! The state that every route shares.

use std::sync::Arc;

use rovuma_policy::Policy;
use rovuma_runtime::SharedClock;
use rovuma_schemas::Timestamp;
use rovuma_store::{BoxFuture, Conn, Store};
use rovuma_tokens::TokenVerifier;
use rovuma_trail::Trail;

use crate::{applications::Applications, fault::Fault, issuer::Issuer, keys::TokenKeys, password::Hashers};

/// The service's state.
pub(crate) struct App {
    pub(crate) issuer: Issuer,
    pub(crate) audience: String,
    pub(crate) store: Store,
    pub(crate) trail: Trail,
    pub(crate) clock: SharedClock,
    pub(crate) policy: Policy,
    pub(crate) keys: Arc<TokenKeys>,
    pub(crate) tokens: TokenVerifier,
    pub(crate) hashers: Hashers,
    pub(crate) applications: Applications,
    /// Whether a proxy in front adds the client's address to `X-Forwarded-For`.
    pub(crate) behind_proxy: bool,
}

impl App {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `work` in one transaction.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, sqlx::Result<T>> + Send + 'static,
    {
        Ok(self.store.write(work).await?)
    }
}
