//! The relay's way to the broker.

use futures::future::BoxFuture;
use rovuma_broker::{Broker, Publication, PublishError};

/// Publishes bundles. The product's is the [`Broker`].
pub trait Publisher: Send + Sync + 'static {
    /// Publishes one bundle and waits until the broker has confirmed it.
    fn publish(&self, publication: Publication) -> BoxFuture<'_, Result<(), PublishError>>;
}

impl Publisher for Broker {
    fn publish(&self, publication: Publication) -> BoxFuture<'_, Result<(), PublishError>> {
        Box::pin(Self::publish(self, publication))
    }
}
