//! A line between two brokers that can be cut and made slow.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// Bytes that a slow line carries at a time: a packet, so that connections take turns.
const PACKET_BYTES: usize = 512;

/// The speed of a line that was not slowed down.
const FAST: u64 = u64::MAX;

/// A line to a broker's port, listening on a port of its own.
#[derive(Debug)]
pub(crate) struct BrokerLine {
    port: u16,
    state: watch::Sender<LineState>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug)]
struct LineState {
    is_cut: bool,
    bits_per_s: u64,
}

impl BrokerLine {
    /// A line to `target` on this machine.
    pub(crate) async fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (state, seen) = watch::channel(LineState { is_cut: false, bits_per_s: FAST });
        let task = tokio::spawn(accept(listener, SocketAddr::from((Ipv4Addr::LOCALHOST, target)), seen));
        Ok(Self { port, state, task })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Breaks every connection, and accepts none until the line is mended.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.is_cut = true);
    }

    pub(crate) fn mend(&self) {
        self.state.send_modify(|state| state.is_cut = false);
    }

    /// Limits each direction to `bits_per_s`, over all connections.
    pub(crate) fn slow_down(&self, bits_per_s: u64) {
        self.state.send_modify(|state| state.bits_per_s = bits_per_s);
    }
}

impl Drop for BrokerLine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// When a direction of the line is free again. Connections that wait for it take turns.
type NextFree = Arc<Mutex<Instant>>;

async fn accept(listener: TcpListener, target: SocketAddr, state: watch::Receiver<LineState>) {
    let (there, back): (NextFree, NextFree) =
        (NextFree::new(Mutex::new(Instant::now())), NextFree::new(Mutex::new(Instant::now())));
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        if state.borrow().is_cut {
            continue;
        }
        let (state, there, back) = (state.clone(), there.clone(), back.clone());
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(target).await else { return };
            let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
            let mut watched = state.clone();
            tokio::select! {
                () = carry(near_read, far_write, &state, &there) => {}
                () = carry(far_read, near_write, &state, &back) => {}
                _ = watched.wait_for(|state| state.is_cut) => {}
            }
        });
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &watch::Receiver<LineState>,
    turn: &NextFree,
) {
    let mut packet = vec![0; PACKET_BYTES];
    loop {
        let read = match from.read(&mut packet).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        let bits_per_s = state.borrow().bits_per_s;
        if bits_per_s != FAST {
            let mut free_at = turn.lock().await;
            sleep_until(*free_at).await;
            let bits = u64::try_from(read).unwrap_or(u64::MAX) * 8;
            *free_at = Instant::now() + Duration::from_micros(bits * 1_000_000 / bits_per_s);
        }
        if to.write_all(&packet[..read]).await.is_err() {
            return;
        }
    }
}
