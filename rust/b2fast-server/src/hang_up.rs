//! How a connection ends that a scripted fault ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

// 0, the default, is to go on.
const FINISH: u8 = 1;
const RESET: u8 = 2;

/// Tells a [`TcpConnection`](crate::connection::TcpConnection) how to end. A flag and no handle of the socket, since a second
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

    pub(crate) fn is_finish(&self) -> bool {
        self.is(FINISH)
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.is(RESET)
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Relaxed) == state
    }
}
