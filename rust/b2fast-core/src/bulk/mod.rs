//! Many small transfers: threads that take jobs from a queue and leave results in another.
//!
//! Whoever gives the jobs is woken when a result is there, and not once for each transfer: what
//! finished meanwhile comes along. The threads are not those of [`crate::workers`], which send
//! the parts of large files: a thread that is busy for as long as there are jobs would keep
//! these waiting.

mod download;
mod upload;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::{CancelToken, Scope};
use crate::error::{Error, Result};
use crate::workers::{Share, start_thread};

pub use download::{DownloadJob, Downloads, Received};
pub use upload::{Content, Sent, UploadJob, Uploads};

/// What the threads do with a job.
pub trait Work: Send + Sync + 'static {
    /// What is to be done.
    type Job: Send;
    /// What comes of it.
    type Output: Send;

    /// Do it.
    fn run(&self, job: Self::Job, cancel: &CancelToken) -> Result<Self::Output>;
}

/// How often a thread that the service's refusals hold back looks again.
const LOOK: Duration = Duration::from_millis(100);

/// A result under the number that its job was given.
pub type Finished<T> = (u64, Result<T>);

/// The jobs, the threads that do them, and the results. Stopped when it is dropped.
pub struct Bulk<W: Work>(Arc<Shared<W>>);

struct Shared<W: Work> {
    work: W,
    limit: usize,
    share: Arc<Share>,
    cancel: CancelToken,
    state: Mutex<State<W>>,
    has_job: Condvar,
    changed: Condvar,
}

struct State<W: Work> {
    jobs: VecDeque<(u64, W::Job)>,
    results: Vec<Finished<W::Output>>,
    threads: usize,
    idle: usize,
    busy: usize,
    awaited: bool,
    rung: bool,
    closed: bool,
}

impl<W: Work> Bulk<W> {
    /// At most `threads` threads, which start when there are jobs for them. `share` tells how
    /// many of them are used. After the end of `scope` every job fails.
    #[must_use]
    pub fn new(work: W, threads: usize, share: Arc<Share>, scope: Scope) -> Self {
        Self(Arc::new(Shared {
            work,
            limit: threads.max(1),
            share,
            cancel: CancelToken::within(scope),
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                results: Vec::new(),
                threads: 0,
                idle: 0,
                busy: 0,
                awaited: false,
                rung: false,
                closed: false,
            }),
            has_job: Condvar::new(),
            changed: Condvar::new(),
        }))
    }

    /// Leave a job to the next thread that is free. After [`Bulk::stop`] it is dropped.
    pub fn push(&self, number: u64, job: W::Job) -> Result<()> {
        let mut state = self.0.lock();
        if state.closed {
            return Ok(());
        }
        state.jobs.push_back((number, job));
        if state.idle >= state.jobs.len() || state.threads >= self.0.limit {
            let wake = state.idle > 0;
            drop(state);
            if wake {
                self.0.has_job.notify_one();
            }
            return Ok(());
        }
        let shared = Arc::clone(&self.0);
        let started = start_thread("b2fast-bulk", &mut state.threads, move || shared.serve());
        if started.is_err() {
            state.jobs.pop_back();
        }
        started
    }

    /// Is a result there, or did somebody ring?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.lock().is_ready()
    }

    /// All results since the last call; if there are none, wait for one or for [`Bulk::ring`].
    pub fn results(&self, wait: Duration) -> Vec<Finished<W::Output>> {
        let end = Instant::now() + wait;
        let mut state = self.0.lock();
        while !state.is_ready() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.awaited = true;
            state = self
                .0
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.awaited = false;
        state.rung = false;
        mem::take(&mut state.results)
    }

    /// Wake who waits for results, or will.
    pub fn ring(&self) {
        self.0.lock().rung = true;
        self.0.changed.notify_all();
    }

    /// Drop all jobs and cancel those that are running; wait for their threads for `grace`.
    pub fn stop(&self, grace: Duration) {
        self.0.cancel.cancel();
        let end = Instant::now() + grace;
        let mut state = self.0.lock();
        state.closed = true;
        // Dropped without the lock: their owners may have work to do then.
        let jobs = mem::take(&mut state.jobs);
        drop(state);
        drop(jobs);
        self.0.has_job.notify_all();
        let mut state = self.0.lock();
        while state.threads > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .0
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let results = mem::take(&mut state.results);
        drop(state);
        drop(results);
    }
}

impl<W: Work> State<W> {
    fn is_ready(&self) -> bool {
        self.rung || !self.results.is_empty()
    }
}

impl<W: Work> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut state = self.lock();
        while !state.closed {
            if state.busy >= self.share.of(self.limit) {
                state = self
                    .has_job
                    .wait_timeout(state, LOOK)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
                continue;
            }
            let Some((number, job)) = state.jobs.pop_front() else {
                state.idle += 1;
                state = self
                    .has_job
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                continue;
            };
            state.busy += 1;
            drop(state);
            let result = catch_unwind(AssertUnwindSafe(|| self.work.run(job, &self.cancel)))
                .unwrap_or_else(|_| Err(Error::Resources("a transfer thread panicked".into())));
            state = self.lock();
            state.busy -= 1;
            state.results.push((number, result));
            if mem::take(&mut state.awaited) {
                self.changed.notify_all();
            }
        }
        state.threads -= 1;
        drop(state);
        self.changed.notify_all();
    }
}

impl<W: Work> Drop for Bulk<W> {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

impl<W: Work> fmt::Debug for Bulk<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// Doubles numbers, but for 13, which it waits for ever with, and 7, which it fails at.
    struct Double;

    impl Work for Double {
        type Job = u64;
        type Output = u64;

        fn run(&self, job: u64, cancel: &CancelToken) -> Result<u64> {
            match job {
                13 => cancel.sleep(Duration::from_secs(600)).map(|()| 0),
                7 => Err(Error::Protocol("seven".into())),
                8 => panic!("on purpose"),
                job => Ok(2 * job),
            }
        }
    }

    #[test]
    fn every_job_has_one_result() {
        let bulk = Bulk::new(Double, 4, Arc::default(), Scope::default());
        for number in 100..1100 {
            bulk.push(number, number).unwrap();
        }
        let mut seen = HashSet::new();
        while seen.len() < 1000 {
            for (number, result) in bulk.results(SOON) {
                assert_eq!(result.unwrap(), 2 * number);
                assert!(seen.insert(number));
            }
        }
        assert!(bulk.results(Duration::ZERO).is_empty());
    }

    /// Counts who works at the same time.
    #[derive(Default)]
    struct Together {
        now: AtomicUsize,
        most: Arc<AtomicUsize>,
    }

    impl Work for Together {
        type Job = ();
        type Output = ();

        fn run(&self, (): (), cancel: &CancelToken) -> Result<()> {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            cancel.sleep(Duration::from_millis(5))?;
            self.now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn a_service_that_refuses_is_asked_by_fewer() {
        let (work, share) = (Together::default(), Arc::new(Share::default()));
        let most = Arc::clone(&work.most);
        let bulk = Bulk::new(work, 8, Arc::clone(&share), Scope::default());
        share.refused();
        for number in 0..40 {
            bulk.push(number, ()).unwrap();
        }
        let mut done = 0;
        while done < 40 {
            done += bulk.results(SOON).len();
        }
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn errors_and_panics_are_results() {
        let bulk = Bulk::new(Double, 1, Arc::default(), Scope::default());
        for number in [7, 8, 9] {
            bulk.push(number, number).unwrap();
        }
        let mut results = Vec::new();
        while results.len() < 3 {
            results.extend(bulk.results(SOON));
        }
        assert!(matches!(results[0], (7, Err(Error::Protocol(_)))));
        assert!(matches!(results[1], (8, Err(Error::Resources(_)))));
        assert!(matches!(results[2], (9, Ok(18))));
    }

    #[test]
    fn stopping_cancels_what_runs_and_drops_what_waits() {
        let bulk = Bulk::new(Double, 1, Arc::default(), Scope::default());
        bulk.push(1, 13).unwrap();
        bulk.push(2, 13).unwrap();
        bulk.stop(SOON);
        assert_eq!(bulk.0.lock().threads, 0);
        bulk.push(3, 1).unwrap();
        assert!(bulk.results(Duration::ZERO).is_empty());
    }

    #[test]
    fn the_end_of_the_scope_is_the_result_of_every_job() {
        let flag = Arc::default();
        let bulk = Bulk::new(
            Double,
            1,
            Arc::default(),
            Scope::default().with_flag(Arc::clone(&flag)),
        );
        bulk.push(1, 13).unwrap();
        bulk.push(2, 13).unwrap();
        flag.store(true, Ordering::Release);
        let mut results = Vec::new();
        while results.len() < 2 {
            results.extend(bulk.results(SOON));
        }
        assert!(matches!(results[0], (1, Err(Error::Cancelled))));
        assert!(matches!(results[1], (2, Err(Error::Cancelled))));
    }

    #[test]
    fn a_ring_ends_the_wait() {
        let bulk = Bulk::new(Double, 1, Arc::default(), Scope::default());
        bulk.ring();
        assert!(bulk.is_ready());
        assert!(bulk.results(Duration::from_secs(600)).is_empty());
        assert!(!bulk.is_ready());
    }
}
