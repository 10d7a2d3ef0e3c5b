//! One connection to the broker, which is opened again, with back-off and jitter, whenever it is lost.
//!
//! A [`crate::Broker`] has two of them, one to publish and one to consume: a broker short of memory or disk
//! stops reading from connections that publish, and acknowledgements must not wait behind that.

use std::{io, sync::Arc, time::Duration};

use futures::StreamExt;
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties, Event, uri::AMQPUri};
use metrics::{counter, gauge};
use rovuma_runtime::Shutdown;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    BrokerConfig, BrokerState, ConfigFault,
    backoff::Backoff,
    config::Address,
    incoming::{self, FilteredStream},
    tls,
};

/// The first wait after a lost connection; the cap keeps a whole country's services from hammering a broker
/// that is starting.
const RECONNECT_FIRST: Duration = Duration::from_millis(200);
const RECONNECT_MOST: Duration = Duration::from_secs(15);

/// How long connecting may take before the broker counts as unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the broker may take to answer a method on a channel before the channel is given up: the answer can be lost with a
/// connection that dies at that moment.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How often the status of a connection or channel is checked while no event comes: the status can change after the event
/// that reports it, or without one.
pub(crate) const STATUS_EVERY: Duration = Duration::from_secs(1);

/// How long the broker may take to close a connection before it is dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that its supervisor opens again whenever it is lost. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    state: watch::Receiver<LinkState>,
    /// Cancelled when the service is stopping: then no caller waits for a connection any more.
    stopping: CancellationToken,
}

#[derive(Clone, Debug)]
enum LinkState {
    Down { reason: Option<String> },
    Up { connection: Arc<Connection>, blocked: bool },
    Closed,
}

/// No channel could be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoChannel {
    #[error("the connection to the broker has been closed for good")]
    Closed,
    #[error("no channel: {0}")]
    Failed(#[from] lapin::Error),
}

/// A channel with its connection: a channel that is opened while its connection dies may never learn of that.
#[derive(Clone)]
pub(crate) struct LiveChannel {
    channel: Channel,
    connection: Arc<Connection>,
}

impl LiveChannel {
    /// Whether the channel and its connection are up.
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

/// Waits for the broker's answer, for at most [`ANSWER_TIMEOUT`].
pub(crate) async fn answered<T>(
    method: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, lapin::Error> {
    match tokio::time::timeout(ANSWER_TIMEOUT, method).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

impl Link {
    /// Checks the configuration, as far as that needs no broker, and starts the supervisor, which ends when `until` is
    /// cancelled.
    pub(crate) fn start(
        config: &BrokerConfig,
        name: String,
        shutdown: &Shutdown,
        until: CancellationToken,
    ) -> Result<Self, ConfigFault> {
        let address = Self::check(config)?;
        let (sender, state) = watch::channel(LinkState::Down { reason: None });
        let supervisor = Supervisor { config: config.clone(), address, name, state: sender };
        shutdown.spawn("broker connection", supervisor.run(until));
        Ok(Self { state, stopping: shutdown.soft_token() })
    }

    /// The address, if it, the certificate and the key can be used.
    pub(crate) fn check(config: &BrokerConfig) -> Result<Address, ConfigFault> {
        let address = Address::of(config)?;
        tls::client_config(config)?;
        Ok(address)
    }

    /// Opens a channel, waiting for the connection when it is down.
    pub(crate) async fn channel(&self) -> Result<LiveChannel, NoChannel> {
        let connection = self.connection().await.ok_or(NoChannel::Closed)?;
        let channel = answered(connection.create_channel()).await?;
        Ok(LiveChannel { channel, connection })
    }

    /// Waits for the connection; `None` when it was closed for good, or the service is stopping.
    async fn connection(&self) -> Option<Arc<Connection>> {
        let mut state = self.state.clone();
        let settled = tokio::select! {
            biased;
            settled = state.wait_for(|state| !matches!(state, LinkState::Down { .. })) => settled.ok()?,
            () = self.stopping.cancelled() => return None,
        };
        match &*settled {
            LinkState::Up { connection, .. } => Some(Arc::clone(connection)),
            LinkState::Down { .. } | LinkState::Closed => None,
        }
    }

    /// The state as [`crate::Broker`] reports it.
    pub(crate) fn state(&self) -> BrokerState {
        match &*self.state.borrow() {
            LinkState::Down { .. } => BrokerState::Connecting,
            LinkState::Up { blocked: false, .. } => BrokerState::Connected,
            LinkState::Up { blocked: true, .. } => BrokerState::Blocked,
            LinkState::Closed => BrokerState::Closed,
        }
    }

    /// Why the connection is down, when it is and has failed before.
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
                    self.watch(connection, &until).await;
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

    /// Hands the connection to callers, and watches it until it is lost or `until` is cancelled.
    async fn watch(&self, connection: Connection, until: &CancellationToken) {
        let mut events = connection.events_listener();
        let connection = Arc::new(connection);
        self.set_up(&connection, false);
        // The listener gets only later events: a loss before it was there shows in the status.
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
                    warn!(connection = %self.name, %reason, "the broker accepts no more messages");
                    self.set_up(&connection, true);
                }
                Some(Ok(Some(Event::ConnectionUnblocked))) => self.set_up(&connection, false),
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

    fn set_up(&self, connection: &Arc<Connection>, blocked: bool) {
        self.state.send_replace(LinkState::Up { connection: Arc::clone(connection), blocked });
    }

    async fn connect(&self) -> Result<Connection, ConnectFailure> {
        let tls = tls::client_config(&self.config)?;
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let opening = open(self.address.uri.clone(), tls, self.address.server_name.clone(), properties);
        match tokio::time::timeout(CONNECT_TIMEOUT, opening).await {
            Ok(connection) => Ok(connection?),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }
}

/// Opens a connection over TLS to a broker whose certificate carries `server_name`.
///
/// TLS is made here, not by lapin: its features for that read certificates from PKCS #12 files, and bring the old ciphers of
/// that format.
pub(crate) async fn open(
    uri: AMQPUri,
    tls: ClientConfig,
    server_name: ServerName<'static>,
    properties: ConnectionProperties,
) -> Result<Connection, lapin::Error> {
    let connector = TlsConnector::from(Arc::new(tls));
    let connect = async move |uri: AMQPUri, _| {
        let plain = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await?;
        let secured = connector.connect(server_name.clone(), plain).await?;
        Ok(AsyncTcpStream::Plain(FilteredStream::new(secured)))
    };
    Connection::connector(uri, incoming::runtime(), connect, properties).await
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
