//! The handle that services hold.

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

/// Within the grace of a soft shutdown, with time to spare for what publishes.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerState {
    /// Not connected, and trying.
    Connecting,
    /// Connected.
    Connected,
    /// Connected, but the broker takes no messages: it is short of memory or disk.
    Blocked,
    /// Closed for good: the service is stopping.
    Closed,
}

/// A broker, by way of connections that are kept up. Clones share them; they are closed when the last clone
/// is dropped, or after a soft shutdown as soon as nothing is in flight.
#[derive(Clone, Debug)]
pub struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    publisher: Publisher,
    publishing: Link,
    consuming: Link,
    shutdown: Shutdown,
    /// What keeps the connections open through a soft shutdown: publishes in flight, running consumers.
    activity: TaskTracker,
    _closes_when_dropped: DropGuard,
}

impl Broker {
    /// Starts connecting and returns at once; `name` is what operators see in the broker's list of
    /// connections. Being connected is a matter of [`Broker::state`], not of starting.
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

    /// Publishes persistently and mandatorily, and returns once the broker has confirmed it. Waits for the
    /// connection when there is none. Call it as often as you like at the same time: confirms are pipelined.
    /// Publications of one exchange and routing key reach the broker in the order in which these futures are
    /// first polled, as long as none is tried again after an error.
    ///
    /// An event that nobody reads is [`PublishError::Unroutable`] too; for a wake-up call that is no failure.
    ///
    /// The broker answers a publication that it refuses by closing the channel, and what was on its way there can
    /// cost the connection: others in flight may then fail as [`PublishError::Disconnected`].
    ///
    /// # Errors
    /// [`PublishError`], which says whether trying again by itself can help. Only after
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

    /// Resolves when a soft shutdown has lasted so long that nothing in flight is waited for any more.
    async fn shutdown_overdue(&self) {
        self.0.shutdown.soft().await;
        tokio::time::sleep(SHUTDOWN_PATIENCE).await;
    }

    /// Consumes a queue until a soft shutdown or [`Consumer::stop`]; comes back by itself when the
    /// connection is lost, the queue is deleted, or the handler keeps failing.
    pub fn consume(&self, config: ConsumerConfig, handler: impl Handler) -> Consumer {
        let in_flight = self.0.activity.token();
        consume::start(config, self.0.consuming.clone(), handler, &self.0.shutdown, in_flight)
    }

    /// Where the connections stand: the worse of the two.
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

    /// What keeps it from being connected, in words for the operator.
    pub fn last_failure(&self) -> Option<String> {
        self.0.publishing.failure().or_else(|| self.0.consuming.failure())
    }

    /// Waits until the state is no longer `last` and returns the new one: for readiness and alarms.
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
