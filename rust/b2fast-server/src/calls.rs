//! What connections ask the handler, and the threads that put it to it.
//!
//! One thread leads: it puts one question after the other, so that a handler behind a lock of
//! its own (the interpreter's) takes that once for many questions and never queues for it. A
//! handler that blocks loses the lead to the next thread. Rejected: tokio's
//! `block_in_place`, where every question wakes a thread that takes the worker's place, and
//! as many threads as there are connections fight for the handler's lock (a download of 10 kB
//! took the server 254 µs of CPU, now 110).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::body_faults::BodyFaults;
use crate::message::{Request, Response};
use crate::server::Handler;

/// How many handlers may block at the same time.
const MAX_THREADS: usize = 512;

/// A question that takes longer than this loses its thread the lead.
const STUCK_AFTER: Duration = Duration::from_millis(10);

/// A question of a connection.
pub struct Call(Question);

enum Question {
    Handle(Request, oneshot::Sender<Response>),
    BeginUpload(Request, oneshot::Sender<BodyFaults>),
}

impl Call {
    /// Puts the question, and passes the answer on.
    pub fn put_to(self, handler: &(impl Handler + ?Sized)) {
        // A connection that has gone does not wait for its answer.
        match self.0 {
            Question::Handle(request, reply) => drop(reply.send(handler.handle(request))),
            Question::BeginUpload(head, reply) => drop(reply.send(handler.begin_upload(head))),
        }
    }
}

/// What a server asks its handler.
pub(crate) struct Calls(Arc<Shared>);

struct Shared {
    handler: Box<dyn Handler>,
    state: Mutex<State>,
    /// A thread that rests has something to do.
    wake: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Call>,
    /// The one thread that takes calls.
    leader: Option<ThreadId>,
    /// How many calls were taken: tells whether the leader is stuck.
    taken: u64,
    threads: usize,
    resting: usize,
    /// One of the resting threads looks whether the leader is stuck.
    watched: bool,
    closed: bool,
}

impl Calls {
    pub(crate) fn new(handler: impl Handler) -> Self {
        Self(Arc::new(Shared {
            handler: Box::new(handler),
            state: Mutex::default(),
            wake: Condvar::new(),
            ended: Condvar::new(),
        }))
    }

    /// What the handler answers. None when it panicked, or the server stops.
    pub(crate) async fn handle(&self, request: Request) -> Option<Response> {
        let (reply, answer) = oneshot::channel();
        self.0.submit(Question::Handle(request, reply));
        answer.await.ok()
    }

    /// What the handler says of the upload that begins with `head`.
    pub(crate) async fn begin_upload(&self, head: Request) -> Option<BodyFaults> {
        let (reply, answer) = oneshot::channel();
        self.0.submit(Question::BeginUpload(head, reply));
        answer.await.ok()
    }

    /// Drops the calls that wait, and lets the threads end.
    pub(crate) fn close(&self) {
        let mut state = self.0.state();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.0.wake.notify_all();
    }

    /// Waits for the threads to end, up to `patience`. A handler does not wait for itself.
    pub(crate) fn join(&self, patience: Duration) {
        let state = self.0.state();
        let own = usize::from(state.leader == Some(thread::current().id()));
        // What is still at work when the time is over goes on alone.
        let _ = self
            .0
            .ended
            .wait_timeout_while(state, patience, |state| state.threads > own);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, question: Question) {
        let mut state = self.state();
        if !state.closed {
            state.waiting.push_back(Call(question));
            self.see_to(state);
        }
    }

    /// Makes sure that a thread takes the calls that wait, or looks after the one that does.
    fn see_to(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.waiting.is_empty() || (state.leader.is_some() && state.watched) {
            return;
        }
        if state.resting > 0 {
            drop(state);
            self.wake.notify_one();
        } else if state.threads < MAX_THREADS {
            let attendant = Attendant(Arc::clone(self));
            state.threads += 1;
            drop(state);
            // The system's refusal drops the attendant, which sees to the rest.
            let _ = thread::Builder::new()
                .name("b2fast-handler".to_owned())
                .spawn(move || attendant.0.handler.attend(&attendant));
        }
    }
}

/// A thread that puts calls to the handler.
pub struct Attendant(Arc<Shared>);

impl Attendant {
    /// Waits until there are calls to [take](Self::take). False when the thread is to end.
    #[must_use]
    pub fn wait(&self) -> bool {
        let mut state = self.0.state();
        while !state.closed {
            if state.leader.is_none() && !state.waiting.is_empty() {
                state.leader = Some(thread::current().id());
                return true;
            }
            state = self.rest(state);
        }
        false
    }

    /// The next call for this thread; none when it is to [wait](Self::wait) again.
    #[must_use]
    pub fn take(&self) -> Option<Call> {
        let mut state = self.0.state();
        if state.leader != Some(thread::current().id()) {
            return None;
        }
        let call = state.waiting.pop_front();
        if call.is_some() {
            state.taken += 1;
        } else {
            state.leader = None;
        }
        self.0.see_to(state);
        call
    }

    /// Waits for a change, as the lookout if calls wait for a leader that nobody watches.
    fn rest<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let leader = state.leader;
        let wake = &self.0.wake;
        state.resting += 1;
        if leader.is_none() || state.waiting.is_empty() || state.watched {
            state = wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        } else {
            let taken = state.taken;
            state.watched = true;
            state = wake
                .wait_timeout_while(state, STUCK_AFTER, |state| {
                    !state.closed && state.leader.is_some()
                })
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.watched = false;
            if state.leader == leader && state.taken == taken {
                state.leader = None;
            }
        }
        state.resting -= 1;
        state
    }
}

impl Drop for Attendant {
    /// A handler that panicked ends its thread; the others go on.
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.threads -= 1;
        if state.leader == Some(thread::current().id()) {
            state.leader = None;
        }
        self.0.ended.notify_all();
        if thread::panicking() {
            self.0.see_to(state);
        } else if state.threads == 0 {
            // The system refuses threads, or the handler has no use for them.
            state.waiting.clear();
        }
    }
}
