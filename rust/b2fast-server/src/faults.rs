//! What scripted faults need from the connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Tells when everything written to a connection has left the process.
///
/// hyper drops what it has buffered when a body fails, so a body that is cut at a certain
/// byte has to know that the bytes before it are on their way.
#[derive(Clone, Default)]
pub(crate) struct FlushGate(Arc<Mutex<Gate>>);

#[derive(Default)]
enum Gate {
    #[default]
    Idle,
    Waiting(Waker),
    Flushed,
}

impl FlushGate {
    /// Ready when the connection was flushed after the first call.
    pub(crate) fn poll_flushed(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Gate::Flushed = *gate {
            return Poll::Ready(());
        }
        *gate = Gate::Waiting(context.waker().clone());
        Poll::Pending
    }

    fn flushed(&self) {
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*gate, Gate::Waiting(_))
            && let Gate::Waiting(waker) = std::mem::replace(&mut *gate, Gate::Flushed)
        {
            waker.wake();
        }
    }
}

/// A connection that tells its gate when it was flushed.
pub(crate) struct GatedStream<S> {
    stream: S,
    gate: FlushGate,
}

impl<S> GatedStream<S> {
    pub(crate) fn new(stream: S, gate: FlushGate) -> Self {
        Self { stream, gate }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GatedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GatedStream<S> {
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
