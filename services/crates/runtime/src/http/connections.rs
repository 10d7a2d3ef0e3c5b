//! How many connections a listener takes, in all and from one address.

use std::{
    collections::HashMap,
    future::{Future, ready},
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How many connections a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub all: usize,
    /// From one address; of IPv6, from one /64, which is one customer's.
    pub per_address: usize,
}

impl ConnectionLimits {
    /// Of a service's API. In all, less than the 1,024 files that a process may open by default on Debian, so that the store,
    /// the broker and the operators' listener still get theirs. From one address, enough for an office behind one address,
    /// of some eighty people who each follow events in four windows.
    pub const API: Self = Self { all: 768, per_address: 384 };

    /// Of an API behind a proxy, whose address is that of all callers: the proxy has to limit each of them.
    pub const BEHIND_PROXY: Self = Self { all: 768, per_address: 768 };

    /// Of the operators' listener: some scrapers and probes. They are counted apart, so that callers cannot starve them.
    pub const ADMIN: Self = Self { all: 64, per_address: 32 };
}

/// The connections of one listener. Clones share one count.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    limits: ConnectionLimits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    address: IpAddr,
    counts: Arc<Mutex<Counts>>,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// Counts a connection from `address`; the reason why it is one too many, when it is.
    fn admit(&self, address: IpAddr) -> Result<Counted, &'static str> {
        let address = customer(address);
        let mut counts = lock(&self.counts);
        let from_there = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.all >= self.limits.all {
            return Err("all");
        }
        if from_there >= self.limits.per_address {
            return Err("address");
        }
        counts.all += 1;
        counts.by_address.insert(address, from_there + 1);
        Ok(Counted { address, counts: Arc::clone(&self.counts) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.all = counts.all.saturating_sub(1);
        if let Some(from_there) = counts.by_address.get_mut(&self.address) {
            *from_there = from_there.saturating_sub(1);
            if *from_there == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address by which connections are counted: of IPv6, the first 64 bits, since whoever has one address of a /64 has all.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// An acceptor that closes connections beyond the limits at once, before TLS.
#[derive(Clone, Debug)]
pub(super) struct LimitedAcceptor<A> {
    inner: A,
    connections: Connections,
}

impl<A> LimitedAcceptor<A> {
    pub(super) fn new(inner: A, connections: Connections) -> Self {
        Self { inner, connections }
    }
}

impl<A, S> Accept<TcpStream, S> for LimitedAcceptor<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
    A::Stream: Send + 'static,
    A::Service: Send + 'static,
{
    type Stream = CountedStream<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let admitted = stream.peer_addr().and_then(|peer| {
            self.connections.admit(peer.ip()).map_err(|limit| {
                metrics::counter!("rovuma_http_connections_refused_total", "limit" => limit).increment(1);
                io::Error::other("too many connections")
            })
        });
        match admitted {
            Ok(counted) => {
                let accepting = self.inner.accept(stream, service);
                Box::pin(async move {
                    let (stream, service) = accepting.await?;
                    Ok((CountedStream { stream, _counted: counted }, service))
                })
            }
            Err(refused) => Box::pin(ready(Err(refused))),
        }
    }
}

/// A connection, counted for as long as it is open.
#[derive(Debug)]
pub(super) struct CountedStream<S> {
    stream: S,
    _counted: Counted,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn connections_are_limited_in_all_and_from_one_address() {
        let connections = Connections::new(ConnectionLimits { all: 3, per_address: 2 });
        let admit = |text: &str| connections.admit(address(text));
        let first = admit("192.0.2.1").expect("the first");
        let _second = admit("::ffff:192.0.2.1").expect("the second, of the same address");
        assert_eq!(admit("192.0.2.1").err(), Some("address"));
        let _third = admit("192.0.2.2").expect("another address");
        assert_eq!(admit("192.0.2.3").err(), Some("all"));
        drop(first);
        assert!(admit("192.0.2.1").is_ok(), "one has ended");
        assert_eq!(lock(&connections.counts).by_address.len(), 2, "what has ended is forgotten");
    }

    #[test]
    fn a_customers_many_addresses_are_one() {
        let connections = Connections::new(ConnectionLimits { all: 9, per_address: 1 });
        let _first = connections.admit(address("2001:db8:0:1::1")).expect("the first");
        assert_eq!(connections.admit(address("2001:db8:0:1:ffff::2")).err(), Some("address"));
        assert!(connections.admit(address("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn the_limits_leave_room() {
        const { assert!(ConnectionLimits::API.all + ConnectionLimits::ADMIN.all < 1_024 - 128) };
        const { assert!(ConnectionLimits::BEHIND_PROXY.all + ConnectionLimits::ADMIN.all < 1_024 - 128) };
        const { assert!(ConnectionLimits::API.per_address < ConnectionLimits::API.all) };
    }
}
