//! Serves a lane: chooses, seals and publishes one bundle after another.

use std::{collections::BTreeMap, time::Duration};

use futures::FutureExt;
use rovuma_broker::{Publication, PublishError, topology::names};
use rovuma_runtime::{Shutdown, trace_context};
use rovuma_schemas::StoreId;
use rovuma_store::WriteError;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span, debug, field, info_span};

use super::{
    BUNDLE_CONTENT_TYPE, Relay,
    lease::Lease,
    published::{PublishedBundle, RecordError},
    read::BundleChoice,
    seal::{CannotSeal, SealError, pack_and_seal, sealing_key},
};
use crate::model::RecipientLane;

/// How long a publication may still take once the service is stopping. A bundle that is not confirmed by then leaves again
/// after the start, and the recipient recognises duplicates.
const LAST_PUBLISH: Duration = Duration::from_secs(4);

/// Why serving a lane failed; the lane then rests.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaneFailure {
    #[error("reading the outbox: {0}")]
    Read(#[from] sqlx::Error),
    #[error("writing the outbox: {0}")]
    Write(#[from] WriteError<sqlx::Error>),
    #[error(transparent)]
    Record(#[from] WriteError<RecordError>),
    #[error(transparent)]
    CannotSeal(#[from] CannotSeal),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("the service is stopping")]
    Stopping,
}

impl LaneFailure {
    /// The reason, as one word for metrics and logs.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Read(_) | Self::Write(_) | Self::Record(_) => "store",
            Self::CannotSeal(_) => "no_sealing_key",
            Self::Seal(_) => "sealing",
            Self::Publish(PublishError::Unroutable { .. }) => "unroutable",
            Self::Publish(fault) if fault.is_transient() => "broker",
            Self::Publish(_) => "refused",
            Self::Stopping => "stopping",
        }
    }

    /// Whether the failure lasts until an operator mends something.
    pub(crate) fn is_alarming(&self) -> bool {
        match self {
            Self::CannotSeal(_) | Self::Seal(_) => true,
            Self::Publish(fault) => !fault.is_transient(),
            Self::Write(WriteError::Panicked) | Self::Record(WriteError::Panicked) => true,
            Self::Read(_) | Self::Write(_) | Self::Record(_) | Self::Stopping => false,
        }
    }
}

/// What is left on a lane after a bundle.
enum Left {
    /// No copy that may leave now.
    Nothing,
    /// Copies that may leave now.
    Some,
    /// At most what came while the bundle was under way.
    Perhaps,
}

impl Relay {
    /// Publishes bundles of one lane until no copy may leave.
    ///
    /// Before each look at the lane, copies have the outbox's time to gather, counted from the last look: those that come
    /// together share a bundle. A backlog that already fills the next bundle does not wait.
    pub(crate) async fn serve(&self, lane: &RecipientLane, shutdown: &Shutdown) -> Result<(), LaneFailure> {
        let mut look_at = Instant::now() + self.outbox.settings().gather();
        loop {
            tokio::select! {
                () = shutdown.soft() => return Ok(()),
                () = sleep_until(look_at) => {}
            }
            look_at = Instant::now();
            match self.publish_next(lane, shutdown).await? {
                Left::Nothing => return Ok(()),
                Left::Some => {}
                Left::Perhaps => look_at += self.outbox.settings().gather(),
            }
        }
    }

    /// Publishes one bundle and says what is left on the lane.
    async fn publish_next(&self, lane: &RecipientLane, shutdown: &Shutdown) -> Result<Left, LaneFailure> {
        let had_lane = self.leases.has(self.outbox.store(), lane, self.clock.now());
        // Looked at before the lease, which costs a commit when it is taken.
        let mut choice = self.outbox.choose(lane, self.clock.now()).await?;
        if choice.positions.is_empty() {
            return Ok(Left::Nothing);
        }
        let Some(lease) = self.leases.acquire(self.outbox.store(), lane, self.clock.now()).await? else {
            debug!(agency = %lane.recipient, lane = %lane.lane, "another relay serves this lane");
            return Ok(Left::Nothing);
        };
        if !had_lane {
            // Another relay may have served the lane until the lease was taken.
            choice = self.outbox.choose(lane, self.clock.now()).await?;
        }
        let bundle = StoreId::draw();
        let span = info_span!("bundle", bundle = %bundle, agency = %lane.recipient, lane = %lane.lane,
            messages = field::Empty);
        self.send(lane, lease, bundle, choice, shutdown).instrument(span).await
    }

    async fn send(
        &self,
        lane: &RecipientLane,
        lease: Lease,
        bundle: StoreId,
        choice: BundleChoice,
        shutdown: &Shutdown,
    ) -> Result<Left, LaneFailure> {
        let turn = self.turn(lane.lane).await;
        let loaded = self.outbox.load(&choice.positions).await?;
        let sendable = self.outbox.void_unsendable(&self.host, loaded, self.clock.now()).await?;
        if sendable.messages.is_empty() {
            // When copies were made void, those behind them may leave now. When none was, all were settled in the
            // meantime: looking again at once would gain nothing.
            return Ok(if sendable.voided > 0 { Left::Some } else { Left::Nothing });
        }
        Span::current().record("messages", sendable.copies.len());
        let key = sealing_key(&self.host.trust(), &lane.recipient, self.clock.now())?;
        let body = pack_and_seal(sendable.messages, key).await?;
        drop(turn);
        let sealed_bytes = body.len();
        self.publish(lane, bundle, body, shutdown).await?;
        let sent = u64::try_from(sendable.copies.len()).unwrap_or(u64::MAX);
        let copies = sendable.copies;
        self.record(PublishedBundle { lane: lane.clone(), lease, bundle, sealed_bytes, copies }).await?;
        metrics::counter!("rovuma_outbox_bundles_total", "lane" => lane.lane.as_str()).increment(1);
        metrics::counter!("rovuma_outbox_messages_total", "lane" => lane.lane.as_str()).increment(sent);
        Ok(if choice.is_all { Left::Perhaps } else { Left::Some })
    }

    async fn publish(
        &self,
        lane: &RecipientLane,
        bundle: StoreId,
        body: Vec<u8>,
        shutdown: &Shutdown,
    ) -> Result<(), LaneFailure> {
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
            confirmed = self.publisher.publish(publication) => Ok(confirmed?),
            () = too_late => Err(LaneFailure::Stopping),
        }
    }

    async fn record(&self, published: PublishedBundle) -> Result<(), WriteError<RecordError>> {
        let (host, settings) = (std::sync::Arc::clone(&self.host), self.outbox.settings().clone());
        let now = self.clock.now();
        let store = self.outbox.store();
        store
            .write(move |tx| async move { published.record(tx, host.as_ref(), &settings, now).await }.boxed())
            .await
    }
}
