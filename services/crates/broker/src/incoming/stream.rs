//! The stream that lapin reads from: a TLS connection behind the filter.

use std::{
    io::{self, IoSlice, Read, Write},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use async_rs::{Runtime, Tokio, traits::Reactor, util::RuntimeParts};
use futures::{AsyncRead, AsyncWrite, Stream};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::frames::FrameFilter;

/// Bytes read from the connection at once: one record of TLS.
const READ_BYTES: usize = 16 * 1024;

/// A connection to a broker whose incoming frames pass the filter. There is none without TLS.
pub(crate) struct FilteredStream {
    connection: Compat<TlsStream<TcpStream>>,
    filter: FrameFilter,
    received: Box<[u8]>,
    /// Filtered bytes, of which the first `taken` were handed on.
    filtered: Vec<u8>,
    taken: usize,
}

impl FilteredStream {
    pub(crate) fn new(connection: TlsStream<TcpStream>) -> Self {
        Self {
            connection: connection.compat(),
            filter: FrameFilter::default(),
            received: vec![0; READ_BYTES].into(),
            filtered: Vec::new(),
            taken: 0,
        }
    }
}

impl AsyncRead for FilteredStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // A read may give no byte to hand on, when it brings the inside of a frame that is left out.
        while this.taken == this.filtered.len() {
            this.filtered.clear();
            this.taken = 0;
            let count = ready!(Pin::new(&mut this.connection).poll_read(context, &mut this.received))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            this.filter.filter(&this.received[..count], &mut this.filtered);
        }
        let waiting = &this.filtered[this.taken..];
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        this.taken += count;
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for FilteredStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().connection).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().connection).poll_write_vectored(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_close(context)
    }
}

/// Tokio, with filtered streams in the place of its own: lapin reads from the streams of its runtime and from no others.
#[derive(Clone, Debug)]
pub(crate) struct FilteringReactor(Tokio);

/// The runtime of the present task, with filtered streams.
pub(crate) fn runtime() -> Runtime<RuntimeParts<Tokio, FilteringReactor>> {
    let tokio = Tokio::current();
    Runtime::new(RuntimeParts::new(tokio.clone(), FilteringReactor(tokio)))
}

impl Reactor for FilteringReactor {
    type TcpStream = FilteredStream;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    /// Refused: lapin would connect without TLS. It is handed connections that were made.
    fn tcp_connect_addr(
        &self,
        _: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
