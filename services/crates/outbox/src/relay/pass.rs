//! One bundle's way from the outbox to the broker.

use std::{collections::BTreeMap, time::Duration};

use futures::FutureExt;
use rovuma_broker::{Publication, PublishError, topology::names};
use rovuma_runtime::{Shutdown, trace_context};
use rovuma_schemas::StoreId;
use rovuma_store::WriteError;
use tracing::{Instrument, debug, info_span};

use super::{
    BUNDLE_CONTENT_TYPE, Relay,
    aside::Fit,
    lease::Lease,
    mark::{Departed, MarkError},
    read::Choice,
    seal::{NoSeal, SealError, key_for, sealed},
};
use crate::model::LaneKey;

/// How long a publication may still take once the service is to stop. What is not confirmed by then goes
/// again after the start: the recipient knows duplicates.
const LAST_PUBLISH: Duration = Duration::from_secs(4);

/// Why a lane rests.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("reading the outbox: {0}")]
    Read(#[from] sqlx::Error),
    #[error("writing the outbox: {0}")]
    Write(#[from] WriteError<sqlx::Error>),
    #[error(transparent)]
    Mark(#[from] WriteError<MarkError>),
    #[error(transparent)]
    NoSeal(#[from] NoSeal),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("the service is stopping")]
    Stopping,
}

impl Trouble {
    /// One word for metrics and logs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Read(_) | Self::Write(_) | Self::Mark(_) => "store",
            Self::NoSeal(_) => "no_sealing_key",
            Self::Seal(_) => "sealing",
            Self::Publish(PublishError::Unroutable { .. }) => "unroutable",
            Self::Publish(fault) if fault.is_transient() => "broker",
            Self::Publish(_) => "refused",
            Self::Stopping => "stopping",
        }
    }

    /// Whether somebody must mend something before it gets better.
    pub(crate) fn is_alarming(&self) -> bool {
        match self {
            Self::NoSeal(_) | Self::Seal(_) => true,
            Self::Publish(fault) => !fault.is_transient(),
            Self::Write(WriteError::Panicked) | Self::Mark(WriteError::Panicked) => true,
            Self::Read(_) | Self::Write(_) | Self::Mark(_) | Self::Stopping => false,
        }
    }
}

impl Relay {
    /// Sends bundles of one lane until nothing may leave.
    pub(crate) async fn serve(&self, lane: &LaneKey, shutdown: &Shutdown) -> Result<(), Trouble> {
        while !shutdown.is_stopping() && self.pass(lane, shutdown).await? {}
        Ok(())
    }

    /// Sends one bundle; `false` when there was none to send, or another relay has the lane.
    async fn pass(&self, lane: &LaneKey, shutdown: &Shutdown) -> Result<bool, Trouble> {
        let _turn = self.turn(lane.lane).await;
        if self.outbox.choose(lane, self.clock.now()).await?.positions.is_empty() {
            return Ok(false);
        }
        let Some(lease) = self.leases.hold(self.outbox.store(), lane, self.clock.now()).await? else {
            debug!(agency = %lane.recipient, lane = %lane.lane, "another relay serves this lane");
            return Ok(false);
        };
        let choice = self.gathered(lane).await?;
        let loaded = self.outbox.load(&choice.positions).await?;
        let fit = self.outbox.set_unfit_aside(&self.host, loaded, self.clock.now()).await?;
        if fit.messages.is_empty() {
            // Set aside or settled in the meantime: if neither, it must not be looked at again at once.
            return Ok(fit.set_aside > 0);
        }
        let bundle = StoreId::draw();
        let span = info_span!("bundle", bundle = %bundle, agency = %lane.recipient, lane = %lane.lane,
            messages = fit.copies.len());
        self.send(lane, lease, bundle, fit, shutdown).instrument(span).await?;
        Ok(true)
    }

    /// What leaves, after a little time for company if there is little.
    async fn gathered(&self, lane: &LaneKey) -> Result<Choice, Trouble> {
        let choice = self.outbox.choose(lane, self.clock.now()).await?;
        let Some(until) = choice.company_until else { return Ok(choice) };
        let wait = until.since(self.clock.now());
        if wait.is_zero() {
            return Ok(choice);
        }
        tokio::time::sleep(wait.min(self.outbox.settings().gather())).await;
        Ok(self.outbox.choose(lane, self.clock.now()).await?)
    }

    async fn send(
        &self,
        lane: &LaneKey,
        lease: Lease,
        bundle: StoreId,
        fit: Fit,
        shutdown: &Shutdown,
    ) -> Result<(), Trouble> {
        let key = key_for(&self.host.trust(), &lane.recipient, self.clock.now())?;
        let body = sealed(fit.messages, key).await?;
        let sealed_bytes = body.len();
        self.publish(lane, bundle, body, shutdown).await?;
        let sent = u64::try_from(fit.copies.len()).unwrap_or(u64::MAX);
        let departed = Departed { lane: lane.clone(), lease, bundle, sealed_bytes, copies: fit.copies };
        self.mark(departed).await?;
        metrics::counter!("rovuma_outbox_bundles_total", "lane" => lane.lane.as_str()).increment(1);
        metrics::counter!("rovuma_outbox_messages_total", "lane" => lane.lane.as_str()).increment(sent);
        Ok(())
    }

    async fn publish(
        &self,
        lane: &LaneKey,
        bundle: StoreId,
        body: Vec<u8>,
        shutdown: &Shutdown,
    ) -> Result<(), Trouble> {
        let mut headers = BTreeMap::new();
        trace_context::inject(&mut headers);
        let publication = Publication {
            exchange: names::OUTBOUND.to_owned(),
            routing_key: names::lane_key(&lane.recipient, lane.lane),
            message_id: bundle.to_string(),
            content_type: BUNDLE_CONTENT_TYPE.to_owned(),
            headers,
            body,
        };
        let too_late = async {
            shutdown.soft().await;
            tokio::time::sleep(LAST_PUBLISH).await;
        };
        tokio::select! {
            confirmed = self.broker.publish(publication) => Ok(confirmed?),
            () = too_late => Err(Trouble::Stopping),
        }
    }

    async fn mark(&self, departed: Departed) -> Result<(), WriteError<MarkError>> {
        let (host, settings) = (std::sync::Arc::clone(&self.host), self.outbox.settings().clone());
        let now = self.clock.now();
        let store = self.outbox.store();
        store
            .write(move |tx| async move { departed.mark(tx, host.as_ref(), &settings, now).await }.boxed())
            .await
    }
}
