//! When what was sent has left the process.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

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

    /// Everything written so far has left.
    pub(crate) fn flushed(&self) {
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*gate, Gate::Waiting(_))
            && let Gate::Waiting(waker) = std::mem::replace(&mut *gate, Gate::Flushed)
        {
            waker.wake();
        }
    }
}
