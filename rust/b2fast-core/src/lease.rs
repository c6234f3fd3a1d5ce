//! Upload URLs and their tokens, lent to one upload at a time.
//!
//! B2 allows one upload at a time per URL, and wants a new one after a refusal. The stack
//! is last in, first out: what worked a moment ago has the warmest connection, since the
//! transport keeps its connections by host and each URL names its own.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;

/// B2's upload URLs live for 24 hours; older ones are not worth a failed upload.
const MAX_AGE: Duration = Duration::from_secs(23 * 3600);

/// An upload URL and its token.
#[derive(Clone)]
pub struct Lease {
    /// Where to post, used verbatim.
    pub url: String,
    /// The upload token.
    pub token: String,
    born: Instant,
}

impl Lease {
    /// A lease that was just issued.
    #[must_use]
    pub fn new(url: String, token: String) -> Self {
        Self {
            url,
            token,
            born: Instant::now(),
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

/// Where new leases come from: `b2_get_upload_url` or `b2_get_upload_part_url`.
pub type LeaseSource = Box<dyn Fn() -> Result<Lease> + Send + Sync>;

/// The leases of one bucket or one large file.
pub struct Leases {
    source: LeaseSource,
    free: Mutex<Vec<Lease>>,
}

impl Leases {
    /// No lease yet; each one that is missing is asked of `source`.
    #[must_use]
    pub fn new(source: LeaseSource) -> Self {
        Self {
            source,
            free: Mutex::new(Vec::new()),
        }
    }

    /// The lease that worked last, or a new one.
    pub fn take(&self) -> Result<Lease> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(lease) = free.pop() {
            if lease.born.elapsed() < MAX_AGE {
                return Ok(lease);
            }
        }
        drop(free);
        self.fresh()
    }

    /// A new lease: after a failure the others of the stack tend to be stale as well.
    pub fn fresh(&self) -> Result<Lease> {
        (self.source)()
    }

    /// After a successful upload; a lease whose upload failed is simply dropped.
    pub fn give_back(&self, lease: Lease) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(lease);
    }

    /// Forget all leases.
    pub fn clear(&self) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").finish_non_exhaustive()
    }
}
