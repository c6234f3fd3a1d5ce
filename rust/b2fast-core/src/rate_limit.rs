//! A limit to the bytes per second of all transfers that share it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::Result;

/// What may move at once after a pause: a tenth of a second's bytes, in nanoseconds.
const BURST: u64 = 100_000_000;

/// Bytes per second, shared by all who hold it. It can be changed while they move bytes.
///
/// Each stretch that moved takes its place on a line of time behind those before it, and its
/// mover waits until that moment: in turn, and without a lock, so that it survives a fork.
pub struct RateLimit {
    /// 0: no limit.
    bytes_per_second: AtomicU64,
    /// How often the limit was set: a moment of another limit's line means nothing.
    changes: AtomicU64,
    made: Instant,
    /// When all that moved so far is paid for, in nanoseconds since the limit was made.
    paid: AtomicU64,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            bytes_per_second: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            made: Instant::now(),
            paid: AtomicU64::new(0),
        }
    }
}

impl RateLimit {
    /// The limit; none if there is none.
    pub fn bytes_per_second(&self) -> Option<u64> {
        match self.bytes_per_second.load(Ordering::Relaxed) {
            0 => None,
            rate => Some(rate),
        }
    }

    /// Sets the limit, or none. What waits by the old one goes on at once.
    pub fn set(&self, bytes_per_second: Option<u64>) {
        self.bytes_per_second
            .store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
        self.paid.store(0, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How much is to move at a time of `wanted` bytes: what takes a twentieth of a second, or
    /// a connection would be idle for long and then busy again.
    #[must_use]
    pub fn at_once(&self, wanted: usize) -> usize {
        let Some(rate) = self.bytes_per_second() else {
            return wanted;
        };
        let share = usize::try_from(rate / 20).unwrap_or(usize::MAX);
        wanted.min(share.max(1))
    }

    /// Waits as long as the bytes that have just moved take, and those of others before.
    pub fn pay(&self, bytes: usize, cancel: &CancelToken) -> Result<()> {
        let Some(rate) = self.bytes_per_second() else {
            return Ok(());
        };
        let changes = self.changes.load(Ordering::Acquire);
        let now = nanoseconds(self.made.elapsed());
        let before = self
            .paid
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |paid| {
                Some(draw(paid, rate, bytes, now))
            });
        // The closure always has a value, so there always is one before.
        let due = draw(before.unwrap_or(now), rate, bytes, now);
        while self.changes.load(Ordering::Acquire) == changes {
            let left = due.saturating_sub(nanoseconds(self.made.elapsed()));
            if left == 0 {
                break;
            }
            // In slices, since the limit may change meanwhile.
            cancel.sleep(Duration::from_nanos(left).min(POLL_INTERVAL))?;
        }
        Ok(())
    }
}

/// When `bytes` that move at the moment `now` are paid for, if all before them are at `paid`.
fn draw(paid: u64, rate: u64, bytes: usize, now: u64) -> u64 {
    let time = bytes as u128 * 1_000_000_000 / u128::from(rate);
    paid.max(now.saturating_sub(BURST))
        .saturating_add(u64::try_from(time).unwrap_or(u64::MAX))
}

/// A duration as a number; the longest one for what is too long, which is centuries.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RateLimit")
            .field(&self.bytes_per_second())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cancel::Scope;
    use crate::error::Error;

    proptest! {
        #[test]
        fn nobody_is_faster_than_the_rate_and_a_burst(
            rate in 1..1_000_000_u64,
            draws in prop::collection::vec((1..100_000_usize, 0..200_000_000_u64), 1..50),
        ) {
            let start = 1_000_000_000_000;
            let (mut now, mut paid, mut moved) = (start, 0, 0);
            for (bytes, pause) in draws {
                now += pause;
                paid = draw(paid, rate, bytes, now);
                now = now.max(paid);
                moved += bytes as u128 * 1_000_000_000;
                // The time of each stretch is rounded down to a nanosecond.
                let most = u128::from(now - start + BURST + 50) * u128::from(rate);
                prop_assert!(moved <= most, "{moved} {most}");
            }
        }

        #[test]
        fn who_always_moves_gets_the_rate(rate in 1_000..1_000_000_u64, bytes in 1..50_000_usize) {
            let (mut now, mut paid) = (0, 0);
            for _ in 0..100 {
                paid = draw(paid, rate, bytes, now);
                now = now.max(paid);
            }
            let fair = 100 * (bytes as u64 * 1_000_000_000 / rate);
            prop_assert_eq!(now, fair);
        }
    }

    #[test]
    fn there_is_no_limit_unless_it_is_set() {
        let limit = RateLimit::default();
        assert_eq!(limit.bytes_per_second(), None);
        assert_eq!(limit.at_once(1 << 20), 1 << 20);
        limit.pay(usize::MAX, &CancelToken::new()).unwrap();
    }

    #[test]
    fn a_wait_ends_with_the_limit_or_the_transfer() {
        let limit = RateLimit::default();
        limit.set(Some(1));
        assert_eq!(limit.at_once(1 << 20), 1);
        let cancel = CancelToken::with_poll(Scope::default(), Box::new(|| false));
        assert!(matches!(limit.pay(1000, &cancel), Err(Error::Cancelled)));
        std::thread::scope(|scope| {
            // Waits for centuries, or for the line below.
            let waiting = scope.spawn(|| limit.pay(usize::MAX, &CancelToken::new()));
            limit.set(None);
            waiting.join().unwrap().unwrap();
        });
    }
}
