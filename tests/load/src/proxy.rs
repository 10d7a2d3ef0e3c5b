//! A line between the nodes that counts what it carries and can be held back.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rovuma_lab::ports::PortBlock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// A line on which nothing has passed for this long is quiet.
const QUIET: Duration = Duration::from_millis(150);

/// Time limit for a line to become quiet.
const QUIET_TIMEOUT: Duration = Duration::from_secs(30);

/// A proxy on loopback. Dropping it cuts the line.
pub(crate) struct Proxy {
    port: u16,
    carried: Arc<AtomicU64>,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
    _ports: PortBlock,
}

impl Proxy {
    /// Starts a line to the port `to` of this machine.
    ///
    /// # Errors
    /// When there is no free port to listen on.
    pub(crate) async fn start(to: u16) -> Result<Self> {
        let ports = PortBlock::claim(None)?;
        let port = ports.port(0)?;
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.context("a port for the proxy")?;
        let (carried, open) = (Arc::new(AtomicU64::new(0)), watch::Sender::new(true));
        let line = ProxiedLine { carried: Arc::clone(&carried), open: open.subscribe() };
        let task = tokio::spawn(accept(listener, to, line));
        Ok(Self { port, carried, open, task, _ports: ports })
    }

    /// The port to connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Bytes of TCP payload so far, in both directions.
    pub(crate) fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Holds back what arrives from now on, or lets it through again.
    pub(crate) fn hold(&self, hold: bool) {
        self.open.send_replace(!hold);
    }

    /// Waits until nothing passes. Returns the bytes that have passed.
    ///
    /// # Errors
    /// When the line does not become quiet.
    pub(crate) async fn quiet(&self) -> Result<u64> {
        let give_up_at = tokio::time::Instant::now() + QUIET_TIMEOUT;
        let mut before = self.carried();
        while tokio::time::Instant::now() < give_up_at {
            tokio::time::sleep(QUIET).await;
            let now = self.carried();
            if now == before {
                return Ok(now);
            }
            before = now;
        }
        bail!("the line was not quiet for {} s", QUIET_TIMEOUT.as_secs())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct ProxiedLine {
    carried: Arc<AtomicU64>,
    open: watch::Receiver<bool>,
}

async fn accept(listener: TcpListener, to: u16, line: ProxiedLine) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        // When a connection fails, the brokers open another.
        connections.spawn(connection(near, to, line.clone()));
    }
}

async fn connection(near: TcpStream, to: u16, line: ProxiedLine) -> std::io::Result<()> {
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::try_join!(pump(near_in, far_out, line.clone()), pump(far_in, near_out, line)).map(drop)
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: ProxiedLine) -> std::io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        if line.open.wait_for(|open| *open).await.is_err() {
            return Ok(());
        }
        to.write_all(&bytes[..count]).await?;
        line.carried.fetch_add(count as u64, Ordering::Relaxed);
    }
}
