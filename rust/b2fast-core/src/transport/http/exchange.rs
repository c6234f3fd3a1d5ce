//! What the sockets have to know about the request that they serve.
//!
//! ureq hands its transports nothing that belongs to one request, but runs all of it on the
//! thread that sends: connecting, sending, and, while a body is read, receiving. So the
//! request in progress sits in a thread-local, and the sockets look there whom to ask for
//! cancellation and where to note what a retry depends on.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use crate::cancel::CancelToken;

/// What happened to a request on its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// A connection was made; without this, it came from the pool.
    pub(super) connected: bool,
    /// A byte arrived.
    pub(super) received: bool,
    /// The peer stopped receiving, but had sent something first.
    pub(super) answered_early: bool,
}

struct Exchange {
    cancel: CancelToken,
    idle: Duration,
    events: Events,
}

thread_local! {
    static CURRENT: RefCell<Option<Exchange>> = const { RefCell::new(None) };
}

/// Makes a request the current one of this thread, as long as it lives.
///
/// Nests: the body of a request may itself be read through another one.
pub(super) struct Guard(Option<Exchange>);

impl Guard {
    /// `idle` is the longest wait in which no byte moves.
    pub(super) fn enter(cancel: &CancelToken, idle: Duration) -> Self {
        let exchange = Exchange {
            cancel: cancel.clone(),
            idle,
            events: Events::default(),
        };
        Self(CURRENT.replace(Some(exchange)))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// May the current request go on?  The error wraps `Error::Cancelled`.
pub(super) fn check() -> io::Result<()> {
    // The token is cloned out, because its poll may run code that sends a request itself.
    let cancel = CURRENT.with_borrow(|current| current.as_ref().map(|it| it.cancel.clone()));
    cancel.map_or(Ok(()), |cancel| cancel.check().map_err(io::Error::other))
}

/// The longest wait in which no byte of the current request moves.
pub(super) fn idle() -> Duration {
    CURRENT.with_borrow(|current| current.as_ref().map_or(Duration::MAX, |it| it.idle))
}

/// Note an event of the current request.
pub(super) fn note(change: impl FnOnce(&mut Events)) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(exchange) = current {
            change(&mut exchange.events);
        }
    });
}

/// What happened to the current request so far.
pub(super) fn events() -> Events {
    CURRENT.with_borrow(|current| current.as_ref().map(|it| it.events).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_and_ends() {
        let outer = CancelToken::new();
        let inner = CancelToken::new();
        inner.cancel();
        assert!(check().is_ok());
        {
            let _outer = Guard::enter(&outer, Duration::from_secs(2));
            note(|events| events.received = true);
            {
                let _inner = Guard::enter(&inner, Duration::from_secs(1));
                assert!(check().is_err());
                assert_eq!(events(), Events::default());
                assert_eq!(idle(), Duration::from_secs(1));
            }
            assert_eq!(idle(), Duration::from_secs(2));
            assert!(check().is_ok());
            assert!(events().received);
        }
        assert_eq!(events(), Events::default());
    }
}
