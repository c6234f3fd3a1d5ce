//! A pause that all requests of a client keep when the service asks one of them to slow down.
//!
//! B2 counts the requests of an account, not of a connection: if only the request that was
//! refused with 429 paused, the others would have the next ones refused.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::rate_limit::nanoseconds;

/// The pause after the first refusal that names none; B2's documentation begins with a second.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause; that of B2's documentation.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// Closed for a while by a refusal; open otherwise.
///
/// There is no lock in it, so that it survives a fork. What two threads do to it at the same
/// moment counts as one of them.
pub struct Gate {
    first_pause: u64,
    longest_pause: u64,
    made: Instant,
    /// When it opens, in nanoseconds since it was made.
    until: AtomicU64,
    /// The next pause in nanoseconds, if nothing goes well in between; 0 is the first one.
    next_pause: AtomicU64,
}

impl Gate {
    /// An open gate. After a refusal that names no time it is closed for `first_pause`, after
    /// the next ones for twice as long each; for `longest_pause` at most in any case.
    #[must_use]
    pub fn new(first_pause: Duration, longest_pause: Duration) -> Self {
        Self {
            first_pause: nanoseconds(first_pause),
            longest_pause: nanoseconds(longest_pause),
            made: Instant::now(),
            until: AtomicU64::new(0),
            next_pause: AtomicU64::new(0),
        }
    }

    /// The service refused a request for being one too many; `retry_after` is what it said.
    pub fn refused(&self, retry_after: Option<Duration>) {
        self.refuse(retry_after, self.now());
    }

    fn refuse(&self, retry_after: Option<Duration>, now: u64) {
        let was_open = self.left(now) == 0;
        if retry_after.is_none() && !was_open {
            // Sent before the gate closed: it says nothing that is not known.
            return;
        }
        let next = match self.next_pause.load(Ordering::Relaxed) {
            0 => self.first_pause,
            next => next,
        };
        // Who was refused waits as long as it was told; for the others that may be too long.
        let pause = retry_after.map_or(next, nanoseconds);
        let until = now.saturating_add(pause.min(self.longest_pause));
        self.until.fetch_max(until, Ordering::Relaxed);
        if was_open {
            let doubled = next.saturating_mul(2).min(self.longest_pause);
            self.next_pause.store(doubled, Ordering::Relaxed);
        }
    }

    /// The service took a request.
    pub fn accepted(&self) {
        // One that was sent before the gate closed says nothing.
        if self.next_pause.load(Ordering::Relaxed) != 0 && self.left(self.now()) == 0 {
            self.next_pause.store(0, Ordering::Relaxed);
        }
    }

    /// How long the gate stays closed.
    pub fn pause(&self) -> Duration {
        match self.until.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            _ => Duration::from_nanos(self.left(self.now())),
        }
    }

    /// Waits until the gate is open, and a little longer: not all are to come back at once.
    pub fn wait(&self, cancel: &CancelToken) -> Result<()> {
        loop {
            let pause = self.pause();
            if pause.is_zero() {
                return Ok(());
            }
            cancel.sleep(pause.mul_f64(1.0 + 0.25 * fastrand::f64()))?;
        }
    }

    fn left(&self, now: u64) -> u64 {
        self.until.load(Ordering::Relaxed).saturating_sub(now)
    }

    fn now(&self) -> u64 {
        nanoseconds(self.made.elapsed())
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(FIRST_PAUSE, LONGEST_PAUSE)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("pause", &self.pause())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Scope;
    use crate::error::Error;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn pauses_grow_until_something_goes_well() {
        let gate = Gate::default();
        let mut now = 5;
        for expected in [1, 2, 4, 8, 16, 32, 64, 64] {
            assert_eq!(gate.left(now), 0);
            gate.refuse(None, now);
            assert_eq!(gate.left(now), SECOND * expected);
            // The others that were under way are refused as well.
            gate.refuse(None, now + SECOND / 2);
            assert_eq!(gate.left(now), SECOND * expected);
            now += SECOND * expected;
        }
    }

    #[test]
    fn the_longest_pause_that_was_asked_for_counts() {
        let gate = Gate::default();
        for (asked, expected) in [(5, 5), (2, 5), (9, 9)] {
            gate.refuse(Some(Duration::from_secs(asked)), 0);
            assert_eq!(gate.left(0), SECOND * expected);
        }
        gate.refuse(Some(Duration::MAX), 0);
        assert_eq!(gate.left(0), SECOND * 64);
    }

    #[test]
    fn a_success_of_before_does_not_open_it() {
        let gate = Gate::default();
        gate.accepted();
        assert_eq!(gate.pause(), Duration::ZERO);
        gate.refused(Some(LONGEST_PAUSE));
        gate.accepted();
        assert!(gate.pause() > FIRST_PAUSE);
        let cancel = CancelToken::with_poll(Scope::default(), Box::new(|| false));
        assert!(matches!(gate.wait(&cancel), Err(Error::Cancelled)));
    }

    #[test]
    fn a_success_afterwards_ends_the_growth() {
        let gate = Gate::default();
        for _ in 0..3 {
            gate.refused(Some(Duration::ZERO));
        }
        gate.accepted();
        gate.refused(None);
        assert!(gate.pause() <= FIRST_PAUSE);
        assert!(!gate.pause().is_zero());
    }
}
