//! Hashes and writes what arrives, off the threads that receive it.
//!
//! While one batch is hashed, buffers of other uploads come in and make the next one, whose
//! streams are hashed in step: two of them take little more time than one (on a Zen 3 core,
//! 0.38 and 0.70 s per GiB). A connection waits for its buffer when it has filled the next,
//! so what waits here is bounded by the number of connections.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use b2fast_core::hash::{Sha1, update_many};
use bytes::Bytes;
use tokio::sync::oneshot;

/// The most buffers that are hashed in step. With four and with six the server was no faster,
/// and each of them would wait longer.
const BATCH: usize = 3;

/// How many threads receive, and how many hash: the rest is the client's, as a rule. Read
/// once, since the system makes that as expensive as hashing a small file.
pub(crate) static HALF_OF_THE_CORES: LazyLock<usize> = LazyLock::new(|| {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (cores / 2).max(1)
});

/// Takes buffers from the connections of a server.
#[derive(Clone, Default)]
pub(crate) struct Intake(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    at_work: usize,
}

/// The next bytes of an upload.
struct Job {
    sha1: Sha1,
    bytes: Bytes,
    file: Option<Arc<File>>,
    reply: oneshot::Sender<io::Result<Sha1>>,
}

/// A buffer that is being taken.
pub(crate) struct Taking(oneshot::Receiver<io::Result<Sha1>>);

impl Taking {
    /// The stream's hash with the buffer.
    pub(crate) async fn done(self) -> io::Result<Sha1> {
        self.0.await.map_err(io::Error::other)?
    }
}

impl Intake {
    /// Goes on with `sha1` by `bytes`, which are appended to `file` if there is one.
    pub(crate) fn take(&self, sha1: Sha1, bytes: Bytes, file: Option<Arc<File>>) -> Taking {
        let (reply, done) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push_back(Job {
            sha1,
            bytes,
            file,
            reply,
        });
        if state.at_work < *HALF_OF_THE_CORES {
            state.at_work += 1;
            drop(state);
            let intake = self.clone();
            // Not awaited: it tells each connection itself.
            drop(tokio::task::spawn_blocking(move || intake.work()));
        }
        Taking(done)
    }

    fn work(&self) {
        loop {
            let mut state = self.state();
            let count = state.waiting.len().min(BATCH);
            let batch: Vec<Job> = state.waiting.drain(..count).collect();
            if batch.is_empty() {
                state.at_work -= 1;
                return;
            }
            drop(state);
            finish(batch);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn finish(mut batch: Vec<Job>) {
    let written: Vec<io::Result<()>> = batch
        .iter()
        .map(|job| match &job.file {
            Some(file) => (&**file).write_all(&job.bytes),
            None => Ok(()),
        })
        .collect();
    let mut streams: Vec<(&mut Sha1, &[u8])> = batch
        .iter_mut()
        .map(|job| (&mut job.sha1, &job.bytes[..]))
        .collect();
    update_many(&mut streams);
    for (job, written) in batch.into_iter().zip(written) {
        // The buffer goes back to its pool before the connection asks for the next one.
        drop(job.bytes);
        // A connection that was given up does not wait.
        let _ = job.reply.send(written.map(|()| job.sha1));
    }
}
