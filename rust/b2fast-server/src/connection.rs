//! A connection that scripted faults can watch and end.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::flush_gate::FlushGate;
use crate::hang_up::HangUp;

/// The innermost stream of a connection, below TLS: what its gate and its [`HangUp`] know of
/// is what the network sees.
pub(crate) struct TcpConnection {
    stream: TcpStream,
    gate: FlushGate,
    hang_up: HangUp,
}

impl TcpConnection {
    pub(crate) fn new(stream: TcpStream, gate: FlushGate, hang_up: HangUp) -> Self {
        Self {
            stream,
            gate,
            hang_up,
        }
    }
}

impl Drop for TcpConnection {
    fn drop(&mut self) {
        if self.hang_up.is_reset() {
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
        if self.hang_up.is_finish() {
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
        let result = Pin::new(&mut self.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = result {
            self.gate.flushed();
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
