//! Stopping a transfer from outside, and asking the caller whether to go on.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::error::Error;

/// How often a blocked or busy transfer asks whether it may go on.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What the thread that started a transfer wants to be asked now and then.
///
/// Returning false cancels the transfer. The binding uses it to check for signals and to
/// deliver progress while the calling thread itself moves the bytes.
pub type Poll = Box<dyn Fn() -> bool + Send + Sync>;

/// A flag shared by everyone who works on one transfer.
///
/// Cheap to clone. Blocking operations call [`CancelToken::check`] at least every
/// [`POLL_INTERVAL`].
#[derive(Clone)]
pub struct CancelToken(Arc<Inner>);

struct Inner {
    cancelled: AtomicBool,
    poll: Option<(ThreadId, Poll)>,
}

thread_local! {
    static LAST_POLL: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl CancelToken {
    /// A token that only [`CancelToken::cancel`] sets.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            cancelled: AtomicBool::new(false),
            poll: None,
        }))
    }

    /// A token that also asks `poll`, on the current thread only and at most once per
    /// [`POLL_INTERVAL`].
    #[must_use]
    pub fn with_poll(poll: Poll) -> Self {
        LAST_POLL.set(Some(Instant::now()));
        Self(Arc::new(Inner {
            cancelled: AtomicBool::new(false),
            poll: Some((thread::current().id(), poll)),
        }))
    }

    /// Stop the transfer: every later [`CancelToken::check`] fails.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
    }

    /// Was the transfer cancelled?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// May the transfer go on?  `Error::Cancelled` if not.
    pub fn check(&self) -> Result<(), Error> {
        if let Some((owner, poll)) = &self.0.poll
            && !self.is_cancelled()
            && *owner == thread::current().id()
            && LAST_POLL
                .get()
                .is_none_or(|last| last.elapsed() >= POLL_INTERVAL)
        {
            LAST_POLL.set(Some(Instant::now()));
            if !poll() {
                self.cancel();
            }
        }
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Sleep, waking up to look whether the transfer was cancelled.
    pub fn sleep(&self, duration: Duration) -> Result<(), Error> {
        // Beyond what an `Instant` can name, only cancelling ends it.
        let end = Instant::now().checked_add(duration);
        loop {
            self.check()?;
            let left = end.map_or(POLL_INTERVAL, |end| {
                end.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(POLL_INTERVAL));
        }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelToken")
            .field(&self.is_cancelled())
            .finish()
    }
}
