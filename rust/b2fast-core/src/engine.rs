//! What transfers share: those of one client its connections, those of a process its threads
//! and its memory.

use std::fmt;
use std::sync::Arc;

use crate::buffers::{Buffers, DEFAULT_MEMORY};
use crate::counters::Counters;
use crate::download::FIRST_STRETCH;
use crate::transport::Transport;
use crate::workers::{Share, Workers};

/// The threads and the memory for content of any number of engines. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Resources {
    workers: Workers,
    buffers: Buffers,
}

impl Resources {
    /// At most `threads` threads, or as many as an engine asks for, and `memory` bytes of
    /// content held beside the fixed buffers. No thread is started before use.
    #[must_use]
    pub fn new(threads: usize, memory: usize) -> Self {
        Self {
            workers: Workers::new(threads),
            buffers: Buffers::new(memory),
        }
    }

    /// Which share of the threads is used.
    #[must_use]
    pub fn share(&self) -> &Arc<Share> {
        self.workers.share()
    }
}

impl Default for Resources {
    /// The default memory, and threads for the engines that come.
    fn default() -> Self {
        Self::new(1, DEFAULT_MEMORY)
    }
}

/// The transport, the threads and the memory of all transfers. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    transport: Box<dyn Transport>,
    resources: Resources,
    first_stretch: u64,
    counters: Arc<Counters>,
}

impl Engine {
    /// An engine with threads and memory of its own: see [`Resources::new`].
    #[must_use]
    pub fn new(transport: Box<dyn Transport>, threads: usize, memory: usize) -> Self {
        Self::with_first_stretch(transport, threads, memory, FIRST_STRETCH)
    }

    /// The same, with another length than [`FIRST_STRETCH`] for the first request of a download.
    #[must_use]
    pub fn with_first_stretch(
        transport: Box<dyn Transport>,
        threads: usize,
        memory: usize,
        first_stretch: u64,
    ) -> Self {
        Self(Arc::new(Shared {
            transport,
            resources: Resources::new(threads, memory),
            first_stretch: first_stretch.max(1),
            counters: Arc::default(),
        }))
    }

    /// An engine whose threads and memory, and whose counters, others may share.
    ///
    /// One of its transfers may use `threads` threads.
    #[must_use]
    pub fn sharing(
        transport: Box<dyn Transport>,
        resources: Resources,
        threads: usize,
        counters: Arc<Counters>,
    ) -> Self {
        resources.workers.grow(threads);
        Self(Arc::new(Shared {
            transport,
            resources,
            first_stretch: FIRST_STRETCH,
            counters,
        }))
    }

    /// Sends the requests.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        &*self.0.transport
    }

    /// The threads.
    #[must_use]
    pub fn workers(&self) -> &Workers {
        &self.0.resources.workers
    }

    /// Which share of the threads is used.
    #[must_use]
    pub fn share(&self) -> &Arc<Share> {
        self.0.resources.share()
    }

    /// How many bytes the first request of a download asks for.
    #[must_use]
    pub fn first_stretch(&self) -> u64 {
        self.0.first_stretch
    }

    /// Counts retries and bytes; the transport counts the requests.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// The buffers.
    #[must_use]
    pub fn buffers(&self) -> &Buffers {
        &self.0.resources.buffers
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("resources", &self.0.resources)
            .finish_non_exhaustive()
    }
}
