//! How many streams of a download run: as many as make it faster.
//!
//! More streams than the link needs cost processor time and nothing else (ten instead of
//! four on two cores: 0.1 to 0.2 s per GiB). So a download begins with two and doubles them
//! as long as that raises its rate. Where the round trip is long, nothing has arrived when
//! the first steps are over, and all streams run after a few of them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::progress::Progress;

/// Streams that run from the beginning.
const FIRST: usize = 2;

/// How long a number of streams is tried.
const STEP: Duration = Duration::from_millis(100);

/// How often those that wait look again.
const LOOK: Duration = Duration::from_millis(20);

/// By how much the rate has to grow for more streams.
const GAIN: f64 = 1.1;

/// Lets the streams of a download begin.
pub(crate) struct Ramp {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    entered: usize,
    allowed: usize,
    since: Instant,
    bytes: u64,
    best_rate: f64,
    settled: bool,
    over: bool,
}

impl Ramp {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                entered: 0,
                allowed: FIRST,
                since: Instant::now(),
                bytes: 0,
                best_rate: 0.0,
                settled: false,
                over: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait until one more stream is worth it; false if there is nothing left for it.
    pub(crate) fn enter(&self, progress: &Progress, cancel: &CancelToken) -> Result<bool> {
        let mut state = self.lock();
        let number = state.entered;
        state.entered += 1;
        loop {
            cancel.check()?;
            if state.over {
                return Ok(false);
            }
            state.step(progress.bytes(), Instant::now());
            if number < state.allowed {
                return Ok(true);
            }
            state = self
                .changed
                .wait_timeout(state, LOOK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Nothing is left to begin with.
    pub(crate) fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }
}

impl State {
    fn step(&mut self, bytes: u64, now: Instant) {
        let elapsed = now.saturating_duration_since(self.since);
        if self.settled || elapsed < STEP {
            return;
        }
        // A rate needs no more digits than it has.
        #[allow(clippy::cast_precision_loss)]
        let rate = (bytes - self.bytes) as f64 / elapsed.as_secs_f64();
        if self.best_rate > 0.0 && rate < GAIN * self.best_rate {
            self.settled = true;
            return;
        }
        self.allowed = self.allowed.saturating_mul(2);
        self.best_rate = rate;
        self.since = now;
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The streams allowed after steps with these bytes in all.
    fn allowed_after(totals: &[u64]) -> usize {
        let mut state = Ramp::new().state.into_inner().unwrap();
        for &bytes in totals {
            let now = state.since + STEP;
            state.step(bytes, now);
        }
        state.allowed
    }

    #[test]
    fn streams_double_as_long_as_they_bring_more() {
        assert_eq!(allowed_after(&[]), 2);
        assert_eq!(allowed_after(&[100]), 4);
        assert_eq!(allowed_after(&[100, 300]), 8);
        assert_eq!(allowed_after(&[100, 300, 700]), 16);
        assert_eq!(allowed_after(&[100, 205]), 4);
        assert_eq!(allowed_after(&[100, 205, 999]), 4);
        assert_eq!(allowed_after(&[0, 0, 0, 10]), 32);
    }

    #[test]
    fn a_step_takes_its_time() {
        let mut state = Ramp::new().state.into_inner().unwrap();
        let now = state.since + STEP / 2;
        state.step(100, now);
        assert_eq!(state.allowed, 2);
    }

    #[test]
    fn the_end_lets_those_go_who_wait() {
        let ramp = Ramp::new();
        let (progress, cancel) = (Progress::default(), CancelToken::new());
        assert!(ramp.enter(&progress, &cancel).unwrap());
        assert!(ramp.enter(&progress, &cancel).unwrap());
        ramp.end();
        assert!(!ramp.enter(&progress, &cancel).unwrap());
        cancel.cancel();
        assert!(ramp.enter(&progress, &cancel).is_err());
    }
}
