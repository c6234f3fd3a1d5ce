//! The buffers of all transfers of an engine: its one limit on memory.
//!
//! They are kept for the next transfer. Buffers allocated and freed by many threads stay in
//! as many arenas of the allocator (measured: 180 MiB for a budget of 40), and memory fresh
//! from the system costs more than hashing what is written to it.

use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes received at once: large enough for few system calls, small enough for the cache.
pub const CHUNK: usize = 512 << 10;

/// Enough for ten streams to run 4 MiB ahead of the one that is hashed.
pub const DEFAULT_MEMORY: usize = 40 << 20;

/// A bounded stock of buffers of [`CHUNK`] bytes. Cheap to clone.
#[derive(Clone)]
pub struct Buffers(Arc<Stock>);

struct Stock {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: Vec<Vec<u8>>,
    lent: usize,
}

impl Buffers {
    /// As many buffers as fit into `memory` bytes, made when they are needed.
    #[must_use]
    pub fn new(memory: usize) -> Self {
        Self(Arc::new(Stock {
            limit: memory / CHUNK,
            state: Mutex::default(),
        }))
    }

    /// The bytes that all buffers hold together.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.0.limit * CHUNK
    }

    /// A buffer, unless the limit is reached.
    #[must_use]
    pub fn try_take(&self) -> Option<Buffer> {
        let mut state = self.0.lock();
        (state.lent < self.0.limit).then(|| self.lend(&mut state))
    }

    /// The one buffer without which a thread cannot work, whatever the limit.
    #[must_use]
    pub fn take(&self) -> Buffer {
        self.lend(&mut self.0.lock())
    }

    fn lend(&self, state: &mut State) -> Buffer {
        state.lent += 1;
        Buffer {
            bytes: state.free.pop().unwrap_or_else(|| vec![0; CHUNK]),
            length: CHUNK,
            home: Arc::clone(&self.0),
        }
    }
}

impl Stock {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that goes back to its stock when it is dropped.
pub struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    home: Arc<Stock>,
}

impl Buffer {
    /// Use the first `length` bytes only, at most [`CHUNK`].
    pub fn set_length(&mut self, length: usize) {
        self.length = length.min(CHUNK);
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut state = self.home.lock();
        state.lent -= 1;
        if state.free.len() + state.lent < self.home.limit {
            state.free.push(mem::take(&mut self.bytes));
        }
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers")
            .field("limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_lent_up_to_the_limit_and_used_again() {
        let buffers = Buffers::new(2 * CHUNK + 1);
        let mut first = buffers.try_take().unwrap();
        let _second = buffers.try_take().unwrap();
        assert!(buffers.try_take().is_none());
        let address = first.as_ptr();
        first.set_length(7);
        assert_eq!(first.len(), 7);
        drop(first);
        let again = buffers.try_take().unwrap();
        assert_eq!((again.as_ptr(), again.len()), (address, CHUNK));
    }

    #[test]
    fn a_thread_gets_its_buffer_beyond_the_limit() {
        let buffers = Buffers::new(0);
        assert!(buffers.try_take().is_none());
        drop(buffers.take());
        let state = buffers.0.lock();
        assert_eq!((state.free.len(), state.lent), (0, 0));
    }
}
