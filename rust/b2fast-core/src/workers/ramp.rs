//! How many threads a transfer uses: as many as make it faster.
//!
//! More connections than the link needs cost processor time and nothing else (ten instead of
//! four on two cores: 0.1 to 0.2 s per GiB). So a transfer begins with two and doubles them as
//! long as that raises its rate; two steps without gain lead back to the number of before, since
//! what one step moves depends on what the one before has left in buffers. Where the round trip is
//! long or the answers are slow, next to nothing moves in most steps, and all run after a few of
//! them, be it at the beginning or later. From time to time it tries whether the link has become
//! wider.

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
    /// The same of the last look whether a transfer that holds its number still moves.
    looked: Instant,
    looked_bytes: u64,
    /// Bytes per second that more threads have to surpass, and how many threads moved them.
    rate: f64,
    best: usize,
}

#[derive(Clone, Copy)]
enum Phase {
    Growing,
    /// Once more than has shown a gain.
    Hoping,
    Holding,
    /// With more threads than the best number.
    Trying,
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
                looked: Instant::now(),
                looked_bytes: progress.bytes(),
                rate: 0.0,
                best: FIRST,
            }),
            progress,
        }
    }

    /// The number of threads that the transfer will keep for a while; the most while it looks for
    /// one.
    #[must_use]
    pub fn settled(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.phase {
            Phase::Holding => state.allowed.min(self.most),
            Phase::Growing | Phase::Hoping | Phase::Trying => self.most,
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
        if self.is_standing_still(bytes, now) && self.allowed < most {
            self.allowed = self.allowed.saturating_mul(2);
            self.phase = Phase::Growing;
            self.since = now;
            self.bytes = bytes;
            return;
        }
        let elapsed = now.saturating_duration_since(self.since);
        let due = match self.phase {
            Phase::Growing | Phase::Hoping => STEP,
            Phase::Holding => HOLD,
            Phase::Trying => TRIAL,
        };
        let is_all = self.allowed >= most && matches!(self.phase, Phase::Growing | Phase::Holding);
        if elapsed < due || is_all {
            return;
        }
        let rate = rate(bytes.saturating_sub(self.bytes), elapsed);
        let is_gain = self.rate <= 0.0 || rate >= GAIN * self.rate;
        if is_gain {
            self.rate = rate;
            self.best = self.allowed;
        }
        self.phase = match self.phase {
            Phase::Growing | Phase::Hoping if is_gain || rate < WAITING * self.rate => {
                self.allowed = self.allowed.saturating_mul(2);
                Phase::Growing
            }
            Phase::Growing => {
                self.allowed = self.allowed.saturating_mul(2);
                Phase::Hoping
            }
            Phase::Holding => {
                self.rate = rate;
                self.best = self.allowed;
                self.allowed += self.allowed.div_ceil(2);
                Phase::Trying
            }
            Phase::Trying if is_gain => Phase::Growing,
            Phase::Hoping | Phase::Trying => {
                self.allowed = self.best;
                Phase::Holding
            }
        };
        self.since = now;
        self.bytes = bytes;
        self.looked = now;
        self.looked_bytes = bytes;
    }

    /// Has next to nothing moved in the last step, with the number that it holds?
    fn is_standing_still(&mut self, bytes: u64, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.looked);
        if !matches!(self.phase, Phase::Holding) || elapsed < STEP {
            return false;
        }
        let rate = rate(bytes.saturating_sub(self.looked_bytes), elapsed);
        self.looked = now;
        self.looked_bytes = bytes;
        rate < WAITING * self.rate
    }
}

fn rate(bytes: u64, elapsed: Duration) -> f64 {
    // A rate needs no more digits than it has.
    #[allow(clippy::cast_precision_loss)]
    let bytes = bytes as f64;
    bytes / elapsed.as_secs_f64()
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
        assert_eq!(allowed_at_first(&[100, 105]), 8);
        assert_eq!(allowed_at_first(&[100, 105, 105]), 2);
        assert_eq!(allowed_at_first(&[100, 105, 105, 999]), 2);
        assert_eq!(allowed_at_first(&[100, 200, 205, 205]), 4);
        // A service that answers late: all that moves is what each new thread has sent.
        assert_eq!(allowed_at_first(&[200, 200, 400, 800]), 32);
        assert_eq!(allowed_at_first(&[0, 0, 0, 10]), 32);
        assert_eq!(allowed_at_first(&[100, 0, 9, 0]), 32);
    }

    #[test]
    fn a_step_takes_its_time() {
        assert_eq!(allowed_after(&mut new(), &[(STEP / 2, 100)]), 2);
    }

    #[test]
    fn it_is_settled_while_it_holds() {
        let ramp = Ramp::new(MOST, Arc::default());
        assert_eq!(ramp.settled(), MOST);
        let mut state = settled();
        *ramp.state.lock().unwrap() = settled();
        assert_eq!(ramp.settled(), 4);
        allowed_after(&mut state, &[(HOLD, 15_000)]);
        *ramp.state.lock().unwrap() = state;
        assert_eq!(ramp.settled(), MOST);
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
        let steps = [100, 200, 200, 200].map(|moved| (STEP, moved));
        assert_eq!(allowed_after(&mut state, &steps), 4);
        state
    }

    #[test]
    fn more_are_tried_after_a_while_and_given_up_without_gain() {
        let mut state = settled();
        assert_eq!(allowed_after(&mut state, &[(HOLD / 2, 15_000)]), 4);
        assert_eq!(allowed_after(&mut state, &[(HOLD, 30_000)]), 6);
        assert_eq!(allowed_after(&mut state, &[(TRIAL / 2, 2_000)]), 6);
        assert_eq!(allowed_after(&mut state, &[(TRIAL, 4_200)]), 4);
        assert_eq!(allowed_after(&mut state, &[(TRIAL, 99_000)]), 4);
    }

    #[test]
    fn who_waits_for_the_service_takes_more() {
        let mut state = settled();
        assert_eq!(allowed_after(&mut state, &[(STEP, 100)]), 4);
        // Steps are counted from where the transfer has settled.
        assert_eq!(allowed_after(&mut state, &[(2 * STEP, 110)]), 8);
        assert_eq!(allowed_after(&mut state, &[(STEP, 0), (STEP, 0)]), 32);
    }

    #[test]
    fn a_wider_link_is_used() {
        let mut state = settled();
        let steps = [(HOLD, 15_000), (TRIAL, 2_500)];
        assert_eq!(allowed_after(&mut state, &steps), 6);
        // The rate of the trial is the one that more have to surpass now.
        let steps = [(STEP, 200), (STEP, 200), (STEP, 200), (STEP, 200)];
        assert_eq!(allowed_after(&mut state, &steps[..1]), 12);
        assert_eq!(allowed_after(&mut state, &steps[1..]), 6);
        assert_eq!(allowed_after(&mut state, &[(HOLD / 2, 99_000)]), 6);
    }
}
