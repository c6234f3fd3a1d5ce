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

/// What ends many transfers at once: flags that somebody sets, and a point in time.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    flags: Vec<Arc<AtomicBool>>,
    deadline: Option<Instant>,
}

impl Scope {
    /// Also ended by `flag`.
    #[must_use]
    pub fn with_flag(mut self, flag: Arc<AtomicBool>) -> Self {
        self.flags.push(flag);
        self
    }

    /// Also ended at `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |other| other.min(deadline)));
        self
    }

    /// How long until the deadline, if there is one.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Was a flag set, or has the deadline passed?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.flags.iter().any(|flag| flag.load(Ordering::Acquire))
            || self.remaining().is_some_and(|left| left.is_zero())
    }
}

/// A flag shared by everyone who works on one transfer.
///
/// Cheap to clone. Blocking operations call [`CancelToken::check`] at least every
/// [`POLL_INTERVAL`].
#[derive(Clone)]
pub struct CancelToken(Arc<Inner>);

struct Inner {
    cancelled: AtomicBool,
    scope: Scope,
    poll: Option<(ThreadId, Poll)>,
}

thread_local! {
    static LAST_POLL: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl CancelToken {
    /// A token that only [`CancelToken::cancel`] sets.
    #[must_use]
    pub fn new() -> Self {
        Self::build(Scope::default(), None)
    }

    /// A token that the end of `scope` cancels as well.
    #[must_use]
    pub fn within(scope: Scope) -> Self {
        Self::build(scope, None)
    }

    /// A token that also asks `poll`, on the current thread only and at most once per
    /// [`POLL_INTERVAL`].
    #[must_use]
    pub fn with_poll(scope: Scope, poll: Poll) -> Self {
        LAST_POLL.set(Some(Instant::now()));
        Self::build(scope, Some((thread::current().id(), poll)))
    }

    fn build(scope: Scope, poll: Option<(ThreadId, Poll)>) -> Self {
        Self(Arc::new(Inner {
            cancelled: AtomicBool::new(false),
            scope,
            poll,
        }))
    }

    /// Stop the transfer: every later [`CancelToken::check`] fails.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
    }

    /// Was the transfer cancelled?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire) || self.0.scope.is_over()
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
            let until_deadline = self.0.scope.remaining().unwrap_or(POLL_INTERVAL);
            thread::sleep(left.min(POLL_INTERVAL).min(until_deadline));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_scope_cancels() {
        let flag = Arc::new(AtomicBool::new(false));
        let scope = Scope::default().with_flag(Arc::clone(&flag));
        let inner = CancelToken::within(scope.clone().with_flag(Arc::default()));
        assert!(inner.check().is_ok());
        flag.store(true, Ordering::Release);
        assert!(scope.is_over());
        assert!(matches!(inner.check(), Err(Error::Cancelled)));
    }

    #[test]
    fn no_sleep_passes_the_earliest_deadline() {
        let now = Instant::now();
        let scope = Scope::default()
            .with_deadline(now + Duration::from_millis(20))
            .with_deadline(now + Duration::from_secs(600));
        let cancel = CancelToken::within(scope);
        assert!(cancel.check().is_ok() || now.elapsed() >= Duration::from_millis(20));
        assert!(matches!(
            cancel.sleep(Duration::from_secs(600)),
            Err(Error::Cancelled)
        ));
    }
}
