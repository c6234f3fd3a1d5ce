//! How a connection ends that a scripted fault ends.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

// 0, the default, is to go on.
const FINISH: u8 = 1;
const RESET: u8 = 2;

/// Tells a [`TcpConnection`] how to end. A flag and no handle of the socket, since a second
/// descriptor per connection would halve the number of connections.
///
/// Whatever lies between, TLS for one, need not know of it.
#[derive(Clone, Default)]
pub(crate) struct HangUp(Arc<AtomicU8>);

impl HangUp {
    /// Says to the peer that nothing more will be sent, when the connection is next read from.
    pub(crate) fn finish(&self) {
        self.0.store(FINISH, Ordering::Relaxed);
    }

    /// Resets the connection when it is dropped.
    pub(crate) fn reset(&self) {
        self.0.store(RESET, Ordering::Relaxed);
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Relaxed) == state
    }
}

/// A connection that ends as its [`HangUp`] says.
pub(crate) struct TcpConnection {
    stream: TcpStream,
    hang_up: HangUp,
}

impl TcpConnection {
    pub(crate) fn new(stream: TcpStream, hang_up: HangUp) -> Self {
        Self { stream, hang_up }
    }
}

impl Drop for TcpConnection {
    fn drop(&mut self) {
        if self.hang_up.is(RESET) {
            // A socket that refuses has lost its peer, who cannot see the difference.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.hang_up.is(FINISH) {
            let _ = Pin::new(&mut self.stream).poll_shutdown(context);
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
