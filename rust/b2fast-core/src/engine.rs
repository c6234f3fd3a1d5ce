//! What all transfers of one client share: connections, threads and memory.

use std::fmt;
use std::sync::Arc;

use crate::buffers::Buffers;
use crate::counters::Counters;
use crate::download::FIRST_STRETCH;
use crate::transport::Transport;
use crate::workers::Workers;

/// The transport, the threads and the memory of all transfers. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    transport: Box<dyn Transport>,
    workers: Workers,
    buffers: Buffers,
    first_stretch: u64,
    counters: Arc<Counters>,
}

impl Engine {
    /// An engine with at most `threads` transfer threads and `memory` bytes of content held
    /// beside the fixed buffers. No thread is started and no connection made before use.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>, threads: usize, memory: usize) -> Self {
        Self::build(transport, threads, memory, FIRST_STRETCH, Arc::default())
    }

    /// The same, with another length than [`FIRST_STRETCH`] for the first request of a download.
    #[must_use]
    pub fn with_first_stretch(
        transport: Box<dyn Transport>,
        threads: usize,
        memory: usize,
        first_stretch: u64,
    ) -> Self {
        Self::build(transport, threads, memory, first_stretch, Arc::default())
    }

    /// The same as [`Engine::new`], with counters that others may see or share.
    #[must_use]
    pub fn with_counters(
        transport: Box<dyn Transport>,
        threads: usize,
        memory: usize,
        counters: Arc<Counters>,
    ) -> Self {
        Self::build(transport, threads, memory, FIRST_STRETCH, counters)
    }

    fn build(
        transport: Box<dyn Transport>,
        threads: usize,
        memory: usize,
        first_stretch: u64,
        counters: Arc<Counters>,
    ) -> Self {
        Self(Arc::new(Shared {
            transport,
            workers: Workers::new(threads),
            buffers: Buffers::new(memory),
            first_stretch: first_stretch.max(1),
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
        &self.0.workers
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
        &self.0.buffers
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("workers", &self.0.workers)
            .field("buffers", &self.0.buffers)
            .finish_non_exhaustive()
    }
}
