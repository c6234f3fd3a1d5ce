//! The one limit on the memory that transfers hold beside their fixed buffers.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::Result;

/// Enough for ten streams to run 4 MiB ahead of the one that is hashed.
pub const DEFAULT_BUDGET: usize = 40 << 20;

/// A number of bytes that may be held at once.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: Mutex<usize>,
    released: Condvar,
}

impl Budget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            used: Mutex::new(0),
            released: Condvar::new(),
        }
    }

    /// All bytes of the budget.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Take `count` bytes if they are free.
    #[must_use]
    pub fn try_take(&self, count: usize) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = *used + count <= self.limit;
        if fits {
            *used += count;
        }
        fits
    }

    /// Give bytes back.
    pub fn give_back(&self, count: usize) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) -= count;
        self.released.notify_all();
    }

    /// Wait a moment for bytes to be given back.
    pub fn wait(&self, cancel: &CancelToken) -> Result<()> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.released.wait_timeout(used, POLL_INTERVAL));
        cancel.check()
    }
}
