//! The handle through which services publish and consume.

use std::{sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    BrokerConfig, ConfigFault, Consumer, ConsumerConfig, Handler, Publication, PublishError, consume,
    link::Link, publish::Publisher,
};

/// How long publications in flight may take after a soft shutdown began: less than the shutdown's grace, so that their
/// callers still have time.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The state of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerState {
    /// Not connected, and trying.
    Connecting,
    /// Connected.
    Connected,
    /// Connected, but the broker accepts no messages: it is short of memory or disk.
    Blocked,
    /// Closed for good: the service is stopping.
    Closed,
}

/// A broker, over two connections that are opened again whenever they are lost. Clones share the connections, which are
/// closed when the last clone is dropped, or after a soft shutdown as soon as nothing is in flight.
#[derive(Clone, Debug)]
pub struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    publisher: Publisher,
    publishing: Link,
    consuming: Link,
    shutdown: Shutdown,
    /// Publications in flight and running consumers, which keep the connections open through a soft shutdown.
    activity: TaskTracker,
    _closes_when_dropped: DropGuard,
}

impl Broker {
    /// Starts connecting and returns at once, connected or not: see [`Broker::state`]. Operators see `name` in the broker's
    /// list of connections.
    ///
    /// # Errors
    /// [`ConfigFault`] when the address, a certificate or a key cannot be used.
    pub fn start(config: BrokerConfig, name: &str, shutdown: &Shutdown) -> Result<Self, ConfigFault> {
        let dropped = CancellationToken::new();
        let close = CancellationToken::new();
        let activity = TaskTracker::new();
        let publishing = Link::start(&config, format!("{name} publish"), shutdown, close.clone())?;
        let consuming = Link::start(&config, format!("{name} consume"), shutdown, close.clone())?;
        let publisher = Publisher::start(&publishing, shutdown, &close);
        shutdown.spawn("broker close", {
            let (shutdown, activity, dropped) = (shutdown.clone(), activity.clone(), dropped.clone());
            async move {
                tokio::select! {
                    () = dropped.cancelled() => {}
                    () = shutdown.soft() => {
                        activity.close();
                        activity.wait().await;
                    }
                }
                close.cancel();
            }
        });
        let inner = Inner {
            publisher,
            publishing,
            consuming,
            shutdown: shutdown.clone(),
            activity,
            _closes_when_dropped: dropped.drop_guard(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Refuses what [`Broker::start`] would refuse, and connects to nothing.
    ///
    /// # Errors
    /// [`ConfigFault`] when the address, a certificate or a key cannot be used.
    pub fn check(config: &BrokerConfig) -> Result<(), ConfigFault> {
        Link::check(config).map(drop)
    }

    /// Publishes a message as persistent and mandatory, and returns once the broker has confirmed it. Waits for the
    /// connection when there is none. Any number of calls may run at the same time: confirms are pipelined. Publications
    /// of one exchange and routing key reach the broker in the order in which these futures are first polled, unless one
    /// is tried again after an error.
    ///
    /// A domain event without a reader is [`PublishError::Unroutable`] too; for a publisher of events that is no failure.
    ///
    /// The broker refuses a publication by closing the channel, and frames that are on their way to a closed channel can
    /// make it close the connection: others in flight may then fail with [`PublishError::Disconnected`].
    ///
    /// # Errors
    /// [`PublishError`], which says whether trying again can help. Only after
    /// [`PublishError::Unroutable`], [`PublishError::Refused`] and [`PublishError::TooLong`] is it certain that
    /// the message has not arrived.
    pub async fn publish(&self, publication: Publication) -> Result<(), PublishError> {
        let _in_flight = self.0.activity.token();
        let message_id = publication.message_id.clone();
        tokio::select! {
            outcome = self.0.publisher.publish(publication) => outcome,
            () = self.shutdown_overdue() => Err(PublishError::Closed { message_id }),
        }
    }

    /// Resolves [`SHUTDOWN_TIMEOUT`] after a soft shutdown began.
    async fn shutdown_overdue(&self) {
        self.0.shutdown.soft().await;
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    }

    /// Consumes a queue until a soft shutdown or [`Consumer::stop`]. Subscribes again by itself after the connection was lost,
    /// the queue was deleted, or the handler kept failing.
    pub fn consume(&self, config: ConsumerConfig, handler: impl Handler) -> Consumer {
        let in_flight = self.0.activity.token();
        consume::start(config, self.0.consuming.clone(), handler, &self.0.shutdown, in_flight)
    }

    /// The worse state of the two connections.
    pub fn state(&self) -> BrokerState {
        let rank = |state: &BrokerState| match state {
            BrokerState::Closed => 0,
            BrokerState::Connecting => 1,
            BrokerState::Blocked => 2,
            BrokerState::Connected => 3,
        };
        let states = [self.0.publishing.state(), self.0.consuming.state()];
        states.into_iter().min_by_key(rank).unwrap_or(BrokerState::Closed)
    }

    /// Why a connection is down, as a sentence for the operator.
    pub fn last_failure(&self) -> Option<String> {
        self.0.publishing.failure().or_else(|| self.0.consuming.failure())
    }

    /// Waits until the state is no longer `last` and returns the new one, for readiness checks and alarms.
    pub async fn state_after(&self, last: BrokerState) -> BrokerState {
        let (mut publishing, mut consuming) = (self.0.publishing.clone(), self.0.consuming.clone());
        loop {
            let state = self.state();
            if state != last {
                return state;
            }
            tokio::select! {
                () = publishing.changed() => {}
                () = consuming.changed() => {}
            }
        }
    }

    /// Waits until both connections are up; `false` when they have been closed for good.
    pub async fn connected(&self) -> bool {
        let mut state = self.state();
        while !matches!(state, BrokerState::Connected | BrokerState::Closed) {
            state = self.state_after(state).await;
        }
        state == BrokerState::Connected
    }
}
