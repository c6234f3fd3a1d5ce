//! The threads that move bytes: one pool for all transfers of an engine.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::{Error, Result};

/// Threads without work end after this time, so that an idle program keeps none.
const IDLE: Duration = Duration::from_secs(10);

/// How long a cancelled call waits for its copies. They look for it at least every
/// [`POLL_INTERVAL`], unless one is in a callback of the caller, which may wait for a network.
/// Ctrl-C has to work within a second.
const GRACE: Duration = Duration::from_millis(500);

struct Job {
    team: u64,
    run: Box<dyn FnOnce() + Send>,
}

/// A bounded pool of threads, started when there is work for them.
pub struct Workers {
    limit: usize,
    queue: Arc<Queue>,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    teams: u64,
    threads: usize,
    idle: usize,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // The job's own guard tells its caller; the thread stays for the next one.
                drop(catch_unwind(AssertUnwindSafe(job.run)));
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let (woken, timeout) = self
                .changed
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

impl Workers {
    /// A pool of at most `limit` threads; none is started yet.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            queue: Arc::new(Queue {
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    fn submit(&self, job: Job) -> Result<()> {
        let mut state = self.queue.lock();
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.threads >= self.limit {
            drop(state);
            self.queue.changed.notify_one();
            return Ok(());
        }
        let queue = Arc::clone(&self.queue);
        // Under the lock, so that nobody counts on a thread that does not come to be.
        let started = start_thread("b2fast", &mut state.threads, move || queue.work());
        if started.is_err() {
            state.jobs.pop_back();
        }
        started
    }

    /// Run `count` copies of `work`, at most one per thread, side by side and wait until all
    /// have ended.
    ///
    /// The first error cancels the others and is returned. The calling thread moves no
    /// bytes: it asks `caller`, whose poll may cancel all; then it leaves behind what has not
    /// ended after [`GRACE`], which ends by itself. A copy that has not started when the
    /// first one finds everything done, or after an error, never starts.
    pub fn run<W>(&self, count: usize, caller: &CancelToken, work: W) -> Result<()>
    where
        W: Fn(&CancelToken) -> Result<()> + Send + Sync + 'static,
    {
        let team = Arc::new(Team {
            state: Mutex::default(),
            ended: Condvar::new(),
            cancel: CancelToken::new(),
            work,
        });
        let number = {
            let mut state = self.queue.lock();
            state.teams += 1;
            state.teams
        };
        // More copies than threads would only wait in the queue.
        for _ in 0..count.clamp(1, self.limit) {
            let member = Arc::clone(&team);
            self.submit(Job {
                team: number,
                run: Box::new(move || member.join()),
            })?;
        }
        let result = team.wait(caller);
        // What waits for a thread in vain must not keep the work's memory and files.
        self.queue.lock().jobs.retain(|job| job.team != number);
        // A thread lets go of the work a moment after it has ended it. The caller may count on
        // closed files.
        while team.lock().active == 0 && Arc::strong_count(&team) > 1 {
            thread::yield_now();
        }
        result
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

/// The copies of one piece of work.
struct Team<W> {
    state: Mutex<TeamState>,
    ended: Condvar,
    cancel: CancelToken,
    work: W,
}

#[derive(Default)]
struct TeamState {
    active: usize,
    closed: bool,
    error: Option<Error>,
}

impl<W: Fn(&CancelToken) -> Result<()>> Team<W> {
    fn lock(&self) -> MutexGuard<'_, TeamState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self) {
        {
            let mut state = self.lock();
            if state.closed {
                return;
            }
            state.active += 1;
        }
        // A guard, since a panic must not leave the caller waiting.
        let _leave = Leave(self);
        if let Err(error) = (self.work)(&self.cancel) {
            self.fail(error);
        }
    }

    fn wait(&self, caller: &CancelToken) -> Result<()> {
        let mut leave_at: Option<Instant> = None;
        let mut state = self.lock();
        loop {
            if state.closed && state.active == 0 {
                return state.error.take().map_or(Ok(()), Err);
            }
            if leave_at.is_some_and(|time| Instant::now() >= time) {
                return Err(Error::Cancelled);
            }
            state = self
                .ended
                .wait_timeout(state, POLL_INTERVAL)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            drop(state);
            if caller.check().is_err() {
                self.fail(Error::Cancelled);
                leave_at.get_or_insert_with(|| Instant::now() + GRACE);
            }
            state = self.lock();
        }
    }

    fn fail(&self, error: Error) {
        let mut state = self.lock();
        state.closed = true;
        state.error.get_or_insert(error);
        drop(state);
        self.cancel.cancel();
        self.ended.notify_all();
    }
}

struct Leave<'a, W: Fn(&CancelToken) -> Result<()>>(&'a Team<W>);

impl<W: Fn(&CancelToken) -> Result<()>> Drop for Leave<'_, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0
                .fail(Error::Resources("a transfer thread panicked".into()));
        }
        let mut state = self.0.lock();
        state.active -= 1;
        // A copy that found nothing left to do means that there is nothing left to start.
        state.closed = true;
        drop(state);
        self.0.ended.notify_all();
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[test]
    fn all_copies_share_the_work() {
        let workers = Workers::new(4);
        let next = Arc::new(AtomicUsize::new(0));
        let sum = Arc::new(AtomicUsize::new(0));
        let (counter, total) = (Arc::clone(&next), Arc::clone(&sum));
        workers
            .run(4, &CancelToken::new(), move |_| {
                loop {
                    let item = counter.fetch_add(1, Ordering::Relaxed);
                    if item >= 1000 {
                        return Ok(());
                    }
                    total.fetch_add(item, Ordering::Relaxed);
                }
            })
            .unwrap();
        assert_eq!(sum.load(Ordering::Relaxed), 499_500);
    }

    #[test]
    fn the_first_error_cancels_the_others() {
        let workers = Workers::new(3);
        let turns = AtomicUsize::new(0);
        let error = workers
            .run(3, &CancelToken::new(), move |cancel| {
                if turns.fetch_add(1, Ordering::Relaxed) == 0 {
                    return Err(Error::Protocol("first".into()));
                }
                cancel.sleep(Duration::from_secs(600))
            })
            .unwrap_err();
        assert!(matches!(error, Error::Protocol(text) if text == "first"));
    }

    #[test]
    fn the_caller_can_cancel() {
        let caller = CancelToken::new();
        caller.cancel();
        let error = Workers::new(2)
            .run(2, &caller, |cancel| cancel.sleep(Duration::from_secs(600)))
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
            .run(1, &caller, move |_| {
                // Ends when the sender does, which is after the call.
                let _ = released.lock().unwrap().recv();
                Ok(())
            })
            .unwrap_err();
        assert!(matches!(error, Error::Cancelled));
        drop(release);
    }

    #[test]
    fn more_copies_than_threads_do_not_block() {
        let workers = Arc::new(Workers::new(1));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    workers
                        .run(3, &CancelToken::new(), CancelToken::check)
                        .unwrap();
                });
            }
        });
    }

    #[test]
    fn absurdly_many_copies_are_as_many_as_there_are_threads() {
        let started = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&started);
        Workers::new(2)
            .run(usize::MAX, &CancelToken::new(), move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(())
            })
            .unwrap();
        assert!(started.load(Ordering::Relaxed) <= 2);
    }

    #[test]
    fn a_panic_is_an_error_of_the_caller() {
        let error = Workers::new(1)
            .run(1, &CancelToken::new(), |_| panic!("on purpose"))
            .unwrap_err();
        assert!(matches!(error, Error::Resources(_)));
    }
}
