//! The SHA-1 of a file whose ranges arrive out of order.
//!
//! SHA-1 cannot skip ahead. Chunks that arrive at the front are hashed at once, while they
//! are in the cache of whoever received them; others are held, within the limit on memory,
//! until the front reaches them. The rejected alternative, hashing the finished file, reads
//! it a second time and leaves a tail in which no byte moves.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::buffers::{Buffer, Buffers};
use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::Result;
use crate::hash::{Digest, Sha1};

/// Hashes chunks in the order of their offsets.
pub(crate) struct Front {
    state: Mutex<State>,
    moved: Condvar,
    buffers: Buffers,
}

struct State {
    next: u64,
    /// Absent while someone hashes.
    hasher: Option<Sha1>,
    held: BTreeMap<u64, Buffer>,
}

impl Front {
    pub(crate) fn new(start: u64, buffers: Buffers) -> Self {
        Self {
            state: Mutex::new(State {
                next: start,
                hasher: Some(Sha1::new()),
                held: BTreeMap::new(),
            }),
            moved: Condvar::new(),
            buffers,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Take a chunk and give back a buffer for the next one.
    ///
    /// Waits while the chunk is ahead of the front and all buffers are in use. The one who
    /// receives the bytes at the front never waits for memory, so the front always moves.
    pub(crate) fn submit(
        &self,
        offset: u64,
        chunk: Buffer,
        cancel: &CancelToken,
    ) -> Result<Buffer> {
        let mut state = self.lock();
        loop {
            if offset == state.next
                && let Some(hasher) = state.hasher.take()
            {
                drop(state);
                return Ok(self.advance(hasher, chunk));
            }
            if let Some(buffer) = self.buffers.try_take() {
                state.held.insert(offset, chunk);
                return Ok(buffer);
            }
            state = self
                .moved
                .wait_timeout(state, POLL_INTERVAL)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            cancel.check()?;
        }
    }

    /// Hash the chunk at the front and all held ones that follow it.
    fn advance(&self, mut hasher: Sha1, chunk: Buffer) -> Buffer {
        hasher.update(&chunk);
        let mut state = self.lock();
        state.next += chunk.len() as u64;
        loop {
            let next = state.next;
            let Some(held) = state.held.remove(&next) else {
                break;
            };
            drop(state);
            hasher.update(&held);
            state = self.lock();
            state.next += held.len() as u64;
            drop(held);
            self.moved.notify_all();
        }
        state.hasher = Some(hasher);
        drop(state);
        self.moved.notify_all();
        chunk
    }

    /// The digest, once every chunk was submitted.
    pub(crate) fn finish(&self) -> Option<Digest> {
        self.lock().hasher.take().map(Sha1::finish)
    }
}
