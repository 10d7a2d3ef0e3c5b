//! One connection to the broker, kept up: when it is lost it is opened again with back-off and jitter.
//!
//! A [`crate::Broker`] has two of them, one to publish and one to consume: a broker short of memory or disk
//! stops reading from connections that publish, and acknowledgements must not be stuck behind that.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures::StreamExt;
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties, Event};
use metrics::{counter, gauge};
use rovuma_runtime::Shutdown;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{BrokerConfig, BrokerState, ConfigFault, backoff::Backoff, config::Address, tls};

/// The first wait after a lost connection; the cap keeps a whole country's services from hammering a broker
/// that is starting.
const RECONNECT_FIRST: Duration = Duration::from_millis(200);
const RECONNECT_MOST: Duration = Duration::from_secs(15);

/// A broker that does not answer within this is taken for unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// What the broker is asked on a channel it answers within this, or the channel is given up: the answer can be
/// lost with a connection that dies at that moment.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How often the status of a connection or channel is looked at while it says nothing: it can change after the
/// event that tells of it, or without one.
pub(crate) const STATUS_EVERY: Duration = Duration::from_secs(1);

/// A broker that does not take part in closing is left without it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that its supervisor keeps up. Clones speak of the same one.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    state: watch::Receiver<LinkState>,
    /// Once the service is stopping nobody waits for a connection that is not there.
    stopping: CancellationToken,
}

#[derive(Clone, Debug)]
enum LinkState {
    Down { reason: Option<String> },
    Up { connection: Arc<Connection>, blocked: bool },
    Closed,
}

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoChannel {
    #[error("the connection to the broker has been closed for good")]
    Closed,
    #[error("no channel: {0}")]
    Failed(#[from] lapin::Error),
}

/// A channel, and the connection that it lives by: a channel that is opened while its connection dies may never
/// learn of it.
#[derive(Clone)]
pub(crate) struct LiveChannel {
    channel: Channel,
    connection: Arc<Connection>,
}

impl LiveChannel {
    /// Whether both are up.
    pub(crate) fn is_alive(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

impl std::ops::Deref for LiveChannel {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

/// Waits for the broker's answer, but not for ever.
///
/// # Errors
/// What the broker or the connection says, or that nothing was said within [`ANSWER_TIMEOUT`].
pub(crate) async fn answered<T>(
    asked: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, lapin::Error> {
    match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

impl Link {
    /// Checks the configuration and starts the supervisor, which ends when `until` is cancelled.
    ///
    /// # Errors
    /// [`ConfigFault`]: what can be known to be wrong without a broker.
    pub(crate) fn start(
        config: &BrokerConfig,
        name: String,
        shutdown: &Shutdown,
        until: CancellationToken,
    ) -> Result<Self, ConfigFault> {
        let address = Address::of(config)?;
        tls::connector(config)?;
        let (sender, state) = watch::channel(LinkState::Down { reason: None });
        let supervisor = Supervisor { config: config.clone(), address, name, state: sender };
        shutdown.spawn("broker connection", supervisor.run(until));
        Ok(Self { state, stopping: shutdown.soft_token() })
    }

    /// Opens a channel, waiting for the connection when it is down.
    pub(crate) async fn channel(&self) -> Result<LiveChannel, NoChannel> {
        let connection = self.connection().await.ok_or(NoChannel::Closed)?;
        let channel = answered(connection.create_channel()).await?;
        Ok(LiveChannel { channel, connection })
    }

    /// The connection, once there is one; `None` when there never will be.
    async fn connection(&self) -> Option<Arc<Connection>> {
        let mut state = self.state.clone();
        let found = tokio::select! {
            biased;
            found = state.wait_for(|state| !matches!(state, LinkState::Down { .. })) => found.ok()?,
            () = self.stopping.cancelled() => return None,
        };
        match &*found {
            LinkState::Up { connection, .. } => Some(Arc::clone(connection)),
            LinkState::Down { .. } | LinkState::Closed => None,
        }
    }

    /// What the outside may know.
    pub(crate) fn state(&self) -> BrokerState {
        match &*self.state.borrow() {
            LinkState::Down { .. } => BrokerState::Connecting,
            LinkState::Up { blocked: false, .. } => BrokerState::Connected,
            LinkState::Up { blocked: true, .. } => BrokerState::Blocked,
            LinkState::Closed => BrokerState::Closed,
        }
    }

    /// What keeps it from being up, when it is not.
    pub(crate) fn failure(&self) -> Option<String> {
        match &*self.state.borrow() {
            LinkState::Down { reason } => reason.clone(),
            LinkState::Up { .. } | LinkState::Closed => None,
        }
    }

    /// Resolves when the state has changed since the last call.
    pub(crate) async fn changed(&mut self) {
        if self.state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

struct Supervisor {
    config: BrokerConfig,
    address: Address,
    name: String,
    state: watch::Sender<LinkState>,
}

impl Supervisor {
    async fn run(self, until: CancellationToken) {
        let mut backoff = Backoff::new(RECONNECT_FIRST, RECONNECT_MOST);
        let up = gauge!("rovuma_broker_connected", "connection" => self.name.clone());
        up.set(0.0);
        while let Some(attempt) = until.run_until_cancelled(self.connect()).await {
            match attempt {
                Ok(connection) => {
                    info!(connection = %self.name, "connected to the broker");
                    up.set(1.0);
                    backoff.reset();
                    self.hold(connection, &until).await;
                    up.set(0.0);
                }
                Err(failure) => {
                    warn!(connection = %self.name, %failure, "cannot connect to the broker");
                    self.state.send_replace(LinkState::Down { reason: Some(failure.to_string()) });
                }
            }
            let pause = tokio::time::sleep(backoff.next());
            if until.run_until_cancelled(pause).await.is_none() {
                break;
            }
            counter!("rovuma_broker_reconnects_total", "connection" => self.name.clone()).increment(1);
        }
        self.state.send_replace(LinkState::Closed);
    }

    /// Publishes the connection and watches over it until it is lost or `until` is cancelled.
    async fn hold(&self, connection: Connection, until: &CancellationToken) {
        let mut events = connection.events_listener();
        let connection = Arc::new(connection);
        self.announce(&connection, false);
        // Events are only kept from now on: a loss before the listener was there shows in the status.
        while connection.status().connected() {
            let event = tokio::time::timeout(STATUS_EVERY, events.next());
            match until.run_until_cancelled(event).await {
                None => {
                    let close = connection.close(200, "closing".into());
                    let _ = tokio::time::timeout(CLOSE_TIMEOUT, close).await;
                    return;
                }
                Some(Err(_)) => {}
                Some(Ok(Some(Event::ConnectionBlocked(reason)))) => {
                    warn!(connection = %self.name, %reason, "the broker takes no more messages");
                    self.announce(&connection, true);
                }
                Some(Ok(Some(Event::ConnectionUnblocked))) => self.announce(&connection, false),
                Some(Ok(Some(Event::Error(failure)))) => {
                    warn!(connection = %self.name, %failure, "error on the connection to the broker");
                }
                Some(Ok(Some(_))) => {}
                Some(Ok(None)) => break,
            }
        }
        warn!(connection = %self.name, "lost the connection to the broker");
        self.state.send_replace(LinkState::Down { reason: Some("connection lost".into()) });
    }

    fn announce(&self, connection: &Arc<Connection>, blocked: bool) {
        self.state.send_replace(LinkState::Up { connection: Arc::clone(connection), blocked });
    }

    async fn connect(&self) -> Result<Connection, ConnectFailure> {
        let connector = tls::connector(&self.config)?;
        let server_name = self.address.server_name.clone();
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let runtime = lapin::runtime::default_runtime()?;
        let opening = Connection::connector(
            self.address.uri.clone(),
            runtime,
            // TLS is named here rather than chosen by a feature of a library: without it this does not build.
            async move |uri, runtime| {
                let host = (uri.authority.host.as_str(), uri.authority.port);
                let addresses: Vec<SocketAddr> = tokio::net::lookup_host(host).await?.collect();
                let plain = AsyncTcpStream::connect(&runtime, addresses).await?;
                Ok(plain.into_rustls(&connector, &server_name).await?)
            },
            properties,
        );
        match tokio::time::timeout(CONNECT_TIMEOUT, opening).await {
            Ok(connection) => Ok(connection?),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ConnectFailure {
    #[error(transparent)]
    Config(#[from] ConfigFault),
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}
