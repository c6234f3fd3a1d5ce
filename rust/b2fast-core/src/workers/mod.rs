//! The threads that move bytes: one pool for all transfers of a process.
//!
//! Each transfer that several threads work on is a team. A thread does one turn of a team's
//! work, such as one part of a file, and then looks again who has the fewest threads of those
//! that want more: transfers that began earlier do not keep later ones waiting.

mod ramp;
mod share;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::{Error, Result};

pub use ramp::Ramp;
pub use share::Share;

/// Threads without work end after this time, so that an idle program keeps none.
const IDLE: Duration = Duration::from_secs(10);

/// How long a cancelled call waits for its threads. They look for it at least every
/// [`POLL_INTERVAL`], unless one is in a callback of the caller, which may wait for a network.
/// Ctrl-C has to work within a second.
const GRACE: Duration = Duration::from_millis(500);

/// What a turn of a team's work says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There may be more to do.
    More,
    /// Nothing is left to begin with. Turns that others are at are waited for.
    Last,
}

/// A bounded pool of threads, started when there is work for them. Cheap to clone.
#[derive(Clone)]
pub struct Workers(Arc<Pool>);

struct Pool {
    share: Arc<Share>,
    state: Mutex<State>,
    /// Wakes a thread that is idle.
    called: Condvar,
    /// A team has no more threads at work.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    limit: usize,
    threads: usize,
    idle: usize,
    /// How many were started and have not come yet.
    starting: usize,
    /// How many idle ones were called and have not come yet.
    called: usize,
    /// How many are in a turn.
    busy: usize,
    teams: BTreeMap<u64, Entry>,
    last_team: u64,
}

struct Entry {
    team: Arc<dyn Team>,
    active: usize,
    closed: bool,
    error: Option<Error>,
}

trait Team: Send + Sync {
    fn wanted(&self) -> usize;
    fn turn(&self) -> Result<Turn>;
    fn cancel(&self);
}

struct Work<W> {
    ramp: Arc<Ramp>,
    cancel: CancelToken,
    turn: W,
}

impl<W: Fn(&CancelToken) -> Result<Turn> + Send + Sync> Team for Work<W> {
    fn wanted(&self) -> usize {
        self.ramp.wanted()
    }

    fn turn(&self) -> Result<Turn> {
        (self.turn)(&self.cancel)
    }

    fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl Workers {
    /// A pool of at most `limit` threads, and one for each team beyond them; none is started
    /// yet.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Pool {
            share: Arc::default(),
            state: Mutex::new(State {
                limit: limit.max(1),
                ..State::default()
            }),
            called: Condvar::new(),
            ended: Condvar::new(),
        }))
    }

    /// Have at least that many threads.
    pub fn grow(&self, limit: usize) {
        let mut state = self.0.lock();
        state.limit = state.limit.max(limit);
    }

    /// Which share of the threads is used.
    #[must_use]
    pub fn share(&self) -> &Arc<Share> {
        &self.0.share
    }

    /// Do turns of `work`, as many side by side as `ramp` wants and there are threads for, until
    /// one is the last and all have ended.
    ///
    /// The first error cancels the others and is returned. The calling thread moves no
    /// bytes: it asks `caller`, whose poll may cancel all; then it leaves behind what has not
    /// ended after [`GRACE`], which ends by itself.
    pub fn run<W>(&self, ramp: Arc<Ramp>, caller: &CancelToken, work: W) -> Result<()>
    where
        W: Fn(&CancelToken) -> Result<Turn> + Send + Sync + 'static,
    {
        let mut state = self.0.lock();
        let number = state.add(Arc::new(Work {
            ramp,
            cancel: CancelToken::new(),
            turn: work,
        }));
        let mut leave_at: Option<Instant> = None;
        loop {
            if let Err(error) = self.0.call_threads(&mut state) {
                state.fail(number, error);
            }
            let is_late = leave_at.is_some_and(|time| Instant::now() >= time);
            if is_late || state.has_ended(number) {
                let team = state.teams.remove(&number);
                drop(state);
                let error = team.and_then(|mut team| team.error.take());
                return error.map_or(Ok(()), Err);
            }
            state = self
                .0
                .ended
                .wait_timeout(state, POLL_INTERVAL)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            drop(state);
            let is_cancelled = caller.check().is_err();
            state = self.0.lock();
            if is_cancelled {
                state.fail(number, Error::Cancelled);
                leave_at.get_or_insert_with(|| Instant::now() + GRACE);
            }
        }
    }
}

impl State {
    fn add(&mut self, team: Arc<dyn Team>) -> u64 {
        self.last_team += 1;
        self.teams.insert(
            self.last_team,
            Entry {
                team,
                active: 0,
                closed: false,
                error: None,
            },
        );
        self.last_team
    }

    fn fail(&mut self, number: u64, error: Error) {
        if let Some(entry) = self.teams.get_mut(&number) {
            entry.fail(error);
        }
    }

    fn has_ended(&self, number: u64) -> bool {
        self.teams
            .get(&number)
            .is_none_or(|entry| entry.closed && entry.active == 0)
    }

    /// How many more turns could be begun with so many threads at work.
    fn turns(&self, allowed: usize) -> usize {
        let open = self.teams.values().filter(|entry| !entry.closed);
        let (first, more) = open.fold((0, 0), |(first, more), entry| {
            let missing = entry.team.wanted().saturating_sub(entry.active);
            let is_first = usize::from(entry.active == 0 && missing > 0);
            (first + is_first, more + missing - is_first)
        });
        first + more.min(allowed.saturating_sub(self.busy + first))
    }

    /// Begin a turn of the team with the fewest threads, if one wants more of them.
    ///
    /// A team has one in any case: who waits for it may not know of the others.
    fn begin_turn(&mut self, allowed: usize) -> Option<(u64, Arc<dyn Team>)> {
        let is_free = self.busy < allowed;
        let (&number, entry) = self
            .teams
            .iter_mut()
            .filter(|(_, entry)| {
                !entry.closed
                    && (is_free || entry.active == 0)
                    && entry.active < entry.team.wanted()
            })
            .min_by_key(|(_, entry)| entry.active)?;
        entry.active += 1;
        self.busy += 1;
        Some((number, Arc::clone(&entry.team)))
    }

    /// Note what came of a turn; true if it was the last that was waited for.
    fn end_turn(&mut self, number: u64, result: Result<Turn>) -> bool {
        self.busy -= 1;
        // Nobody waits for a team any more that is not there.
        let Some(entry) = self.teams.get_mut(&number) else {
            return false;
        };
        entry.active -= 1;
        match result {
            Ok(Turn::More) => {}
            Ok(Turn::Last) => entry.closed = true,
            Err(error) => entry.fail(error),
        }
        entry.closed && entry.active == 0
    }
}

impl Entry {
    fn fail(&mut self, error: Error) {
        self.closed = true;
        self.error.get_or_insert(error);
        self.team.cancel();
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wake or start threads for the turns that could be begun.
    ///
    /// `Error::Resources` if there is no thread and none can be started.
    fn call_threads(self: &Arc<Self>, state: &mut State) -> Result<()> {
        let turns = state.turns(self.share.of(state.limit));
        while state.starting + state.called < turns {
            if state.idle > 0 {
                state.idle -= 1;
                state.called += 1;
                self.called.notify_one();
            } else {
                let pool = Arc::clone(self);
                let before = state.threads;
                start_thread("b2fast", &mut state.threads, move || pool.work())?;
                if state.threads == before {
                    // Those that there are do the work.
                    return Ok(());
                }
                state.starting += 1;
            }
        }
        Ok(())
    }

    fn work(&self) {
        let mut state = self.lock();
        state.starting -= 1;
        loop {
            loop {
                let allowed = self.share.of(state.limit);
                let Some((number, team)) = state.begin_turn(allowed) else {
                    break;
                };
                drop(state);
                let result = catch_unwind(AssertUnwindSafe(|| team.turn()))
                    .unwrap_or_else(|_| Err(Error::Resources("a transfer thread panicked".into())));
                // Before the turn ends: its caller may count on closed files then.
                drop(team);
                state = self.lock();
                if state.end_turn(number, result) {
                    self.ended.notify_all();
                }
            }
            state.idle += 1;
            let end = Instant::now() + IDLE;
            while state.called == 0 {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    state.idle -= 1;
                    state.threads -= 1;
                    return;
                }
                state = self
                    .called
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            // Who called has counted it as not idle.
            state.called -= 1;
        }
    }
}

/// Start one more of a pool's threads; the caller holds the lock of their number.
///
/// `Error::Resources` if the system refuses the first one; otherwise those that there are do
/// the work.
pub(crate) fn start_thread(
    name: &str,
    threads: &mut usize,
    work: impl FnOnce() + Send + 'static,
) -> Result<()> {
    match thread::Builder::new().name(name.into()).spawn(work) {
        Ok(_) => *threads += 1,
        Err(_) if *threads > 0 => {}
        Err(error) => return Err(Error::Resources(format!("cannot start a thread: {error}"))),
    }
    Ok(())
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("limit", &self.0.lock().limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc;

    use crate::progress::Progress;

    /// As many threads as there are, once the first steps are over.
    fn ramp() -> Arc<Ramp> {
        Arc::new(Ramp::new(usize::MAX, Arc::new(Progress::default())))
    }

    #[test]
    fn every_turn_is_done_once() {
        let workers = Workers::new(4);
        let next = Arc::new(AtomicUsize::new(0));
        let sum = Arc::new(AtomicUsize::new(0));
        let (counter, total) = (Arc::clone(&next), Arc::clone(&sum));
        workers
            .run(ramp(), &CancelToken::new(), move |_| {
                let item = counter.fetch_add(1, Ordering::Relaxed);
                if item >= 1000 {
                    return Ok(Turn::Last);
                }
                total.fetch_add(item, Ordering::Relaxed);
                Ok(Turn::More)
            })
            .unwrap();
        assert_eq!(sum.load(Ordering::Relaxed), 499_500);
        // Whatever the work held is let go of.
        assert_eq!(Arc::strong_count(&next), 1);
    }

    #[test]
    fn the_first_error_cancels_the_others() {
        let workers = Workers::new(3);
        let turns = AtomicUsize::new(0);
        let error = workers
            .run(ramp(), &CancelToken::new(), move |cancel| {
                if turns.fetch_add(1, Ordering::Relaxed) == 1 {
                    return Err(Error::Protocol("first".into()));
                }
                cancel.sleep(Duration::from_secs(600))?;
                Ok(Turn::More)
            })
            .unwrap_err();
        assert!(matches!(error, Error::Protocol(text) if text == "first"));
    }

    #[test]
    fn the_caller_can_cancel() {
        let caller = CancelToken::new();
        caller.cancel();
        let error = Workers::new(2)
            .run(ramp(), &caller, |cancel| {
                cancel.sleep(Duration::from_secs(600))?;
                Ok(Turn::More)
            })
            .unwrap_err();
        assert!(matches!(error, Error::Cancelled));
    }

    #[test]
    fn a_cancelled_caller_does_not_wait_for_what_hears_nothing() {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let caller = CancelToken::new();
        caller.cancel();
        let error = Workers::new(1)
            .run(ramp(), &caller, move |_| {
                // Ends when the sender does, which is after the call.
                let _ = released.lock().unwrap().recv();
                Ok(Turn::Last)
            })
            .unwrap_err();
        assert!(matches!(error, Error::Cancelled));
        drop(release);
    }

    #[test]
    fn no_more_threads_than_allowed() {
        let most = Arc::new(AtomicUsize::new(0));
        let (highest, active) = (Arc::clone(&most), AtomicUsize::new(0));
        let turns = AtomicUsize::new(0);
        let workers = Workers::new(2);
        workers.grow(3);
        workers.grow(1);
        workers
            .run(ramp(), &CancelToken::new(), move |cancel| {
                let now = active.fetch_add(1, Ordering::SeqCst) + 1;
                highest.fetch_max(now, Ordering::SeqCst);
                // Until all have come, and a little longer to see that no more do.
                while highest.load(Ordering::SeqCst) < 3 {
                    cancel.sleep(Duration::from_millis(1))?;
                }
                cancel.sleep(Duration::from_millis(20))?;
                active.fetch_sub(1, Ordering::SeqCst);
                let last = turns.fetch_add(1, Ordering::SeqCst) > 30;
                Ok(if last { Turn::Last } else { Turn::More })
            })
            .unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_team_has_a_thread_whatever_the_others_do() {
        let workers = Workers::new(2);
        let over = Arc::new(AtomicBool::new(false));
        let working = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let (over, working) = (Arc::clone(&over), Arc::clone(&working));
                workers.run(ramp(), &CancelToken::new(), move |cancel| {
                    working.fetch_add(1, Ordering::SeqCst);
                    while !over.load(Ordering::SeqCst) {
                        cancel.sleep(Duration::from_millis(1))?;
                    }
                    Ok(Turn::Last)
                })
            });
            while working.load(Ordering::SeqCst) < 2 {
                thread::yield_now();
            }
            // All threads are at the other one's turns, which end when this is done.
            workers
                .run(ramp(), &CancelToken::new(), |_| Ok(Turn::Last))
                .unwrap();
            over.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_thread_goes_to_the_team_with_the_fewest() {
        let mut state = State::default();
        let team = || {
            Arc::new(Work {
                ramp: ramp(),
                cancel: CancelToken::new(),
                turn: |_: &CancelToken| Ok(Turn::Last),
            })
        };
        let first = state.add(team());
        let begun = |state: &mut State| state.begin_turn(3).map(|(number, _)| number);
        assert_eq!(state.turns(3), 2);
        assert_eq!(begun(&mut state), Some(first));
        assert_eq!(begun(&mut state), Some(first));
        // It wants no more for now.
        assert_eq!(begun(&mut state), None);
        let second = state.add(team());
        assert_eq!(state.turns(3), 1);
        assert_eq!(begun(&mut state), Some(second));
        assert_eq!(begun(&mut state), None);
        assert!(!state.end_turn(first, Ok(Turn::More)));
        // Each has one now: the one that began earlier goes first.
        assert_eq!(begun(&mut state), Some(first));
        assert!(!state.end_turn(first, Ok(Turn::More)));
        assert!(!state.end_turn(first, Ok(Turn::More)));
        assert_eq!(begun(&mut state), Some(first));
        assert!(state.end_turn(second, Ok(Turn::Last)));
        assert_eq!(begun(&mut state), Some(first));
        assert_eq!((state.busy, state.turns(3)), (2, 0));
    }

    #[test]
    fn a_panic_is_an_error_of_the_caller() {
        let workers = Workers::new(1);
        for _ in 0..3 {
            let error = workers
                .run(ramp(), &CancelToken::new(), |_| panic!("on purpose"))
                .unwrap_err();
            assert!(matches!(error, Error::Resources(_)));
        }
    }
}
