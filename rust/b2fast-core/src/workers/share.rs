//! Which share of its threads a pool uses: fewer after the service was overrun.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::rate_limit::nanoseconds;

const WHOLE: u32 = 1024;

/// The least share; a pool uses at least one thread in any case.
const LEAST: u32 = WHOLE / 64;

/// By how much the share grows when requests are accepted.
const GROWTH: u32 = WHOLE / 8;

/// A change shows its effect before the next one: what is under way now was sent before it.
const PACE: Duration = Duration::from_secs(1);

/// How many answers 503 in a row mean that the service as a whole is busy. One or two are
/// those of a pod, and the next upload URL leads to another.
const BUSY_IN_A_ROW: u32 = 3;

/// Halved by refusals, and whole again some seconds after them.
///
/// There is no lock in it. What two threads do to it at the same moment counts as one of them.
pub struct Share {
    made: Instant,
    used: AtomicU32,
    /// When it changed, in nanoseconds since it was made.
    changed: AtomicU64,
    busy_in_a_row: AtomicU32,
}

impl Share {
    /// A request was one too many (429).
    pub fn refused(&self) {
        self.halve(self.now());
    }

    /// The service was too busy for a request (503).
    pub fn busy(&self) {
        if self.busy_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= BUSY_IN_A_ROW {
            self.busy_in_a_row.store(0, Ordering::Relaxed);
            self.halve(self.now());
        }
    }

    /// The service took a request.
    pub fn accepted(&self) {
        // Looked at first: a store takes the cache line away from the other threads.
        if self.busy_in_a_row.load(Ordering::Relaxed) != 0 {
            self.busy_in_a_row.store(0, Ordering::Relaxed);
        }
        if self.used.load(Ordering::Relaxed) != WHOLE {
            self.grow(self.now());
        }
    }

    /// How many of so many threads may work; at least one.
    #[must_use]
    pub fn of(&self, threads: usize) -> usize {
        match self.used.load(Ordering::Relaxed) {
            WHOLE => threads,
            share => (threads.saturating_mul(share as usize) / WHOLE as usize).max(1),
        }
    }

    fn halve(&self, now: u64) {
        let share = self.used.load(Ordering::Relaxed);
        if share == WHOLE || self.is_due(now) {
            self.change((share / 2).max(LEAST), now);
        }
    }

    fn grow(&self, now: u64) {
        if self.is_due(now) {
            let share = self.used.load(Ordering::Relaxed);
            self.change((share + GROWTH).min(WHOLE), now);
        }
    }

    fn change(&self, share: u32, now: u64) {
        self.used.store(share, Ordering::Relaxed);
        self.changed.store(now, Ordering::Relaxed);
    }

    fn is_due(&self, now: u64) -> bool {
        now.saturating_sub(self.changed.load(Ordering::Relaxed)) >= nanoseconds(PACE)
    }

    fn now(&self) -> u64 {
        nanoseconds(self.made.elapsed())
    }
}

impl Default for Share {
    fn default() -> Self {
        Self {
            made: Instant::now(),
            used: AtomicU32::new(WHOLE),
            changed: AtomicU64::new(0),
            busy_in_a_row: AtomicU32::new(0),
        }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = f64::from(self.used.load(Ordering::Relaxed)) / f64::from(WHOLE);
        f.debug_tuple("Share").field(&share).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_refusal_halves_it_once_a_second() {
        let share = Share::default();
        assert_eq!(share.of(10), 10);
        share.halve(5);
        assert_eq!(share.of(10), 5);
        // Those that were under way are refused as well.
        share.halve(SECOND);
        assert_eq!(share.of(10), 5);
        share.halve(SECOND + 5);
        assert_eq!(share.of(10), 2);
        for second in 2..30 {
            share.halve(second * SECOND + 5);
        }
        assert_eq!((share.of(10), share.of(1000)), (1, 15));
    }

    #[test]
    fn it_grows_until_it_is_whole() {
        let share = Share::default();
        share.halve(0);
        let found: Vec<usize> = (1..=6)
            .map(|second| {
                share.grow(second * SECOND);
                share.grow(second * SECOND + 1);
                share.of(16)
            })
            .collect();
        assert_eq!(found, [10, 12, 14, 16, 16, 16]);
    }

    #[test]
    fn only_several_answers_503_in_a_row_count() {
        let share = Share::default();
        for _ in 0..10 {
            share.busy();
            share.busy();
            share.accepted();
        }
        assert_eq!(share.of(10), 10);
        for _ in 0..3 {
            share.busy();
        }
        assert_eq!(share.of(10), 5);
        share.accepted();
        assert_eq!(share.of(10), 5);
        share.refused();
        assert_eq!(share.of(10), 5);
    }
}
