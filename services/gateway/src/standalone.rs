//! A gateway without a broker: its API and its inbox, for tests that call both directly.

use std::sync::Arc;

use axum::Router;
use rovuma_broker::Handler;
use rovuma_runtime::Context;
use rovuma_schemas::Lane;

use crate::{
    GatewayConfig,
    exchange::{inbox, trust::ListFiles},
    gateway::Gateway,
    http, service,
};

/// A gateway that is not connected to a broker: its messages stay in its outbox. It listens nowhere and starts no task of its
/// own.
pub struct Standalone {
    gateway: Arc<Gateway>,
}

impl Standalone {
    /// Opens the store and reads keys, trust lists, policies and code lists, as the service does.
    ///
    /// # Errors
    /// Every error that keeps the service from starting.
    pub async fn open(config: &GatewayConfig, context: &Context) -> anyhow::Result<Self> {
        let gateway = Arc::new(service::open(config, context).await?);
        ListFiles::new(&config.trust, context.expiries.clone()).reload(&gateway.exchange).await;
        Ok(Self { gateway })
    }

    /// The API's router, without the layers that [`rovuma_runtime::http::with_layers`] adds when serving.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.gateway))
    }

    /// The handler of one lane's deliveries.
    pub fn inbox(&self, lane: Lane) -> impl Handler + use<> {
        inbox::Inbox::of(&self.gateway.exchange, lane)
    }
}

impl std::fmt::Debug for Standalone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standalone").field("name", &self.gateway.base.name).finish_non_exhaustive()
    }
}
