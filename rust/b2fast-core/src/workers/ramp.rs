//! How many threads a transfer uses: as many as make it faster.
//!
//! More connections than the link needs cost processor time and nothing else (ten instead of
//! four on two cores: 0.1 to 0.2 s per GiB). So a transfer begins with two and doubles them as
//! long as that raises its rate. Where the round trip is long or the answers are slow, next to
//! nothing moves in most of the first steps, and all run after a few of them. Later it tries from
//! time to time whether the link has become wider.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::progress::Progress;

/// Threads that run from the beginning.
const FIRST: usize = 2;

/// How long a number of threads is tried at the beginning.
const STEP: Duration = Duration::from_millis(100);

/// How long a number that was found holds before more are tried.
const HOLD: Duration = Duration::from_secs(15);

/// How long more are tried then.
const TRIAL: Duration = Duration::from_secs(2);

/// By how much the rate has to grow for more threads.
const GAIN: f64 = 1.1;

/// Below this share of the best rate the transfer waits for the service, not for the link.
const WAITING: f64 = 0.1;

/// Tells how many threads a transfer wants.
pub struct Ramp {
    most: usize,
    progress: Arc<Progress>,
    state: Mutex<State>,
}

struct State {
    allowed: usize,
    phase: Phase,
    /// When the phase or its last step began, and how many bytes had moved then.
    since: Instant,
    bytes: u64,
    /// Bytes per second that more threads have to surpass.
    rate: f64,
}

#[derive(Clone, Copy)]
enum Phase {
    Growing,
    Holding,
    /// With more threads than the number that was found.
    Trying(usize),
}

impl Ramp {
    /// For a transfer that uses `most` threads at most and counts the bytes that it moves.
    #[must_use]
    pub fn new(most: usize, progress: Arc<Progress>) -> Self {
        Self {
            most,
            state: Mutex::new(State {
                allowed: FIRST,
                phase: Phase::Growing,
                since: Instant::now(),
                bytes: progress.bytes(),
                rate: 0.0,
            }),
            progress,
        }
    }

    /// How many threads are worth it now.
    pub(super) fn wanted(&self) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.step(self.progress.bytes(), Instant::now(), self.most);
        state.allowed.min(self.most)
    }
}

impl State {
    fn step(&mut self, bytes: u64, now: Instant, most: usize) {
        let elapsed = now.saturating_duration_since(self.since);
        let due = match self.phase {
            Phase::Growing => STEP,
            Phase::Holding => HOLD,
            Phase::Trying(_) => TRIAL,
        };
        if elapsed < due || (self.allowed >= most && !matches!(self.phase, Phase::Trying(_))) {
            return;
        }
        // A rate needs no more digits than it has.
        #[allow(clippy::cast_precision_loss)]
        let rate = bytes.saturating_sub(self.bytes) as f64 / elapsed.as_secs_f64();
        let is_gain = self.rate <= 0.0 || rate >= GAIN * self.rate;
        match self.phase {
            Phase::Growing if is_gain || rate < WAITING * self.rate => {
                self.allowed = self.allowed.saturating_mul(2);
                self.rate = rate.max(self.rate);
            }
            Phase::Growing => self.phase = Phase::Holding,
            Phase::Holding => {
                self.phase = Phase::Trying(self.allowed);
                self.allowed += self.allowed.div_ceil(2);
                self.rate = rate;
            }
            Phase::Trying(_) if is_gain => {
                self.phase = Phase::Growing;
                self.rate = rate;
            }
            Phase::Trying(before) => {
                self.phase = Phase::Holding;
                self.allowed = before;
            }
        }
        self.since = now;
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 100;

    fn new() -> State {
        Ramp::new(MOST, Arc::default()).state.into_inner().unwrap()
    }

    /// The threads allowed after steps of this length that move so many bytes each.
    fn allowed_after(state: &mut State, steps: &[(Duration, u64)]) -> usize {
        for &(length, moved) in steps {
            let (bytes, now) = (state.bytes + moved, state.since + length);
            state.step(bytes, now, MOST);
        }
        state.allowed
    }

    fn allowed_at_first(moved: &[u64]) -> usize {
        let steps: Vec<_> = moved.iter().map(|&bytes| (STEP, bytes)).collect();
        allowed_after(&mut new(), &steps)
    }

    #[test]
    fn threads_double_as_long_as_they_bring_more() {
        assert_eq!(allowed_at_first(&[]), 2);
        assert_eq!(allowed_at_first(&[100]), 4);
        assert_eq!(allowed_at_first(&[100, 200]), 8);
        assert_eq!(allowed_at_first(&[100, 200, 400]), 16);
        assert_eq!(allowed_at_first(&[100, 105]), 4);
        assert_eq!(allowed_at_first(&[100, 105, 999]), 4);
        assert_eq!(allowed_at_first(&[0, 0, 0, 10]), 32);
        assert_eq!(allowed_at_first(&[100, 0, 9, 11]), 16);
    }

    #[test]
    fn a_step_takes_its_time() {
        assert_eq!(allowed_after(&mut new(), &[(STEP / 2, 100)]), 2);
    }

    #[test]
    fn no_more_than_the_most() {
        let progress = Arc::new(Progress::default());
        let ramp = Ramp::new(1, progress);
        assert_eq!(ramp.wanted(), 1);
        let mut state = new();
        for _ in 0..1000 {
            let (bytes, now) = (state.bytes + 1, state.since + STEP);
            state.step(bytes, now, 3);
        }
        assert_eq!(state.allowed, 4);
    }

    /// Four threads, which is what the link took at first.
    fn settled() -> State {
        let mut state = new();
        assert_eq!(allowed_after(&mut state, &[(STEP, 100), (STEP, 100)]), 4);
        state
    }

    #[test]
    fn more_are_tried_after_a_while_and_given_up_without_gain() {
        let mut state = settled();
        assert_eq!(allowed_after(&mut state, &[(HOLD / 2, 15_000)]), 4);
        assert_eq!(allowed_after(&mut state, &[(HOLD, 15_000)]), 6);
        assert_eq!(allowed_after(&mut state, &[(TRIAL / 2, 2_000)]), 6);
        assert_eq!(allowed_after(&mut state, &[(TRIAL, 2_100)]), 4);
        assert_eq!(allowed_after(&mut state, &[(TRIAL, 99_000)]), 4);
    }

    #[test]
    fn a_wider_link_is_used() {
        let mut state = settled();
        let steps = [(HOLD, 15_000), (TRIAL, 2_500)];
        assert_eq!(allowed_after(&mut state, &steps), 6);
        assert_eq!(allowed_after(&mut state, &[(STEP, 200)]), 12);
        assert_eq!(allowed_after(&mut state, &[(STEP, 200)]), 12);
        assert_eq!(allowed_after(&mut state, &[(HOLD / 2, 99_000)]), 12);
    }
}
