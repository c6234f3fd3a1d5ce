//! Saving a download to a file: in order, or in ranges on several connections.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::buffers::{Buffer, CHUNK};
use crate::cancel::CancelToken;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hash::{self, Digest, Sha1};
use crate::progress::Progress;
use crate::workers::{Ramp, Turn};

use super::Download;
use super::front::Front;
use super::journal::Pin;
use super::place::Place;
use super::range_reader::RangeReader;
use super::target::Target;

/// The bounds of one request's range while several streams run: each request costs a round
/// trip and a transaction, each byte ahead of the front costs memory.
const MIN_STRETCH: u64 = 1 << 20;
const MAX_STRETCH: u64 = 32 << 20;

/// Content that is shorter is fetched again as quickly as it is proven.
const MIN_JOURNALED: u64 = 8 << 20;

/// How to save a download.
///
/// The content is written beside its place, verified, and put in its place in one step: until
/// then, and after every error, an older file stays as it was and no partial one is seen
/// under its name. What arrives of content of 8 MiB and more is recorded in a journal
/// (names: [`super::TEMPORARY_SUFFIXES`]): when the process dies, or the download fails for a
/// reason that may pass, the next one to the same path fetches only what is missing of the
/// same version.
pub struct SaveOptions {
    /// Where it goes. A pipe or a device is written straight, unless it is to be replaced.
    pub place: Place,
    /// The SHA-1 that the content must have; `None` leaves it unverified.
    pub sha1: Option<Digest>,
    /// The most connections at once.
    pub streams: usize,
    /// The modification time to set, in nanoseconds since 1970.
    pub mtime_ns: Option<i64>,
    /// Counts the bytes written.
    pub progress: Arc<Progress>,
}

pub(super) fn save(download: Download, options: SaveOptions, cancel: &CancelToken) -> Result<()> {
    let place = options.place.clone();
    save_at(download, options, cancel).map_err(|error| place.named(error))
}

fn save_at(download: Download, options: SaveOptions, cancel: &CancelToken) -> Result<()> {
    let pin = pin(&download, options.sha1);
    let target = Arc::new(Target::open(options.place.clone(), pin, cancel)?);
    let mtime_ns = options.mtime_ns;
    let result = receive(download, &target, options, cancel).and_then(|()| target.finish(mtime_ns));
    match &result {
        Ok(()) => {}
        Err(error) if may_be_resumed(error) => target.keep(),
        Err(_) => target.discard(),
    }
    result
}

/// What is to be saved, if it is worth a journal.
fn pin(download: &Download, sha1: Option<Digest>) -> Option<Pin> {
    let range = download.first.position()..download.end;
    let is_long =
        range.end - range.start >= MIN_JOURNALED.max(download.remote.engine.first_stretch());
    let file_id = download.first.file_id().filter(|_| is_long)?;
    Some(Pin::new(file_id, &range, sha1))
}

/// May a later download of the same version succeed with what is there?
///
/// Wrong content is of no use, nor is any once the version is gone; and a disk that is full
/// must not stay so because of us.
fn may_be_resumed(error: &Error) -> bool {
    match error {
        Error::ChecksumMismatch { .. } | Error::LocalFile { .. } => false,
        Error::Service(answer) => {
            matches!(answer.status, 401 | 403 | 408 | 429) || answer.status >= 500
        }
        Error::RetriesExhausted { last, .. } => may_be_resumed(last),
        _ => true,
    }
}

/// Write and verify all content.
fn receive(
    download: Download,
    target: &Arc<Target>,
    options: SaveOptions,
    cancel: &CancelToken,
) -> Result<()> {
    let end = download.end;
    let first = download.first;
    let start = first.position();
    let rest = end - start;
    let engine = &download.remote.engine;
    let first_stretch = engine.first_stretch();
    let digest = if target.is_seekable() && rest > first_stretch {
        let received: Arc<Progress> = Arc::default();
        let ranges = Ranges {
            memory: engine.buffers().memory() as u64,
            min_stretch: MIN_STRETCH.min(first_stretch),
            doublings: AtomicU32::new(0),
            ramp: Arc::new(Ramp::new(options.streams, Arc::clone(&received))),
            front: options
                .sha1
                .map(|_| Front::new(start, engine.buffers().clone())),
            unclaimed: Mutex::new(Unclaimed::new(first, first_stretch, target)),
            start,
            end,
            target: Arc::clone(target),
            received,
            progress: options.progress,
        };
        if options.streams > 1 {
            in_ranges(engine, ranges, cancel)?
        } else {
            ranges.receive_all(engine.buffers().take(), cancel)?;
            ranges.digest()
        }
    } else {
        let hasher = options.sha1.map(|_| Sha1::new());
        in_order(target, first, hasher, &options.progress, cancel)?
    };
    match options.sha1 {
        Some(expected) if digest != Some(expected) => Err(Error::ChecksumMismatch {
            expected: hash::to_hex(&expected),
            actual: digest.map_or_else(|| "unknown".into(), |actual| hash::to_hex(&actual)),
        }),
        _ => Ok(()),
    }
}

/// One connection, one thread: the caller's.
fn in_order(
    target: &Target,
    mut reader: RangeReader,
    mut hasher: Option<Sha1>,
    progress: &Progress,
    cancel: &CancelToken,
) -> Result<Option<Digest>> {
    let start = reader.position();
    let left = usize::try_from(reader.left()).unwrap_or(usize::MAX);
    let mut buffer = vec![0; left.min(CHUNK)];
    loop {
        let position = reader.position();
        let count = reader.read(&mut buffer, cancel)?;
        if count == 0 {
            return Ok(hasher.map(Sha1::finish));
        }
        let chunk = &buffer[..count];
        if let Some(hasher) = &mut hasher {
            hasher.update(chunk);
        }
        target.write_all_at(chunk, position - start)?;
        progress.add(count as u64);
    }
}

/// Several connections and the threads of the pool.
fn in_ranges(engine: &Engine, ranges: Ranges, caller: &CancelToken) -> Result<Option<Digest>> {
    let ranges = Arc::new(ranges);
    let ramp = Arc::clone(&ranges.ramp);
    let shared = Arc::clone(&ranges);
    let buffers = engine.buffers().clone();
    engine.workers().run(ramp, caller, move |cancel| {
        let Some(reader) = shared.claim() else {
            return Ok(Turn::Last);
        };
        shared.receive(reader, buffers.take(), cancel)?;
        Ok(Turn::More)
    })?;
    Ok(ranges.digest())
}

/// The ranges of one file, claimed in ascending order so that the front follows closely.
///
/// What an earlier download recorded is claimed like what is missing, stretch by stretch, and
/// read from the partial file in place of the network.
struct Ranges {
    unclaimed: Mutex<Unclaimed>,
    start: u64,
    end: u64,
    memory: u64,
    min_stretch: u64,
    /// How often the ranges were made longer because they wait longer than they move.
    doublings: AtomicU32,
    ramp: Arc<Ramp>,
    front: Option<Front>,
    target: Arc<Target>,
    /// From the network alone: what tells how many streams pay.
    received: Arc<Progress>,
    progress: Arc<Progress>,
}

struct Unclaimed {
    /// The range whose answer has begun to arrive.
    first: Option<RangeReader>,
    /// What the other ranges are made from.
    model: RangeReader,
    next: u64,
}

impl Unclaimed {
    fn new(mut first: RangeReader, first_stretch: u64, target: &Target) -> Self {
        let start = first.position();
        let missing = target.next_recorded(0).unwrap_or(u64::MAX);
        let next = start + first_stretch.min(missing);
        first.stop_at(next);
        Self {
            model: first.sibling(next, next),
            first: (next > start).then_some(first),
            next,
        }
    }
}

impl Ranges {
    fn claim(&self) -> Option<RangeReader> {
        let mut unclaimed = self
            .unclaimed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = unclaimed.first.take() {
            return Some(first);
        }
        let start = unclaimed.next;
        let offset = start - self.start;
        let length = match self.target.recorded_at(offset) {
            Some(length) => length,
            None => self
                .target
                .next_recorded(offset)
                .map_or(u64::MAX, |next| next - offset)
                .min(self.stretch()),
        };
        unclaimed.next = start.saturating_add(length).min(self.end);
        (start < self.end).then(|| unclaimed.model.sibling(start, unclaimed.next))
    }

    /// The bytes of one range: as far as the budget lets each stream run ahead. A single one
    /// cannot.
    ///
    /// Once it is known how many streams pay, fewer of them ask for more at a time. Before that
    /// it would keep others waiting for the end of a long range.
    fn stretch(&self) -> u64 {
        match self.ramp.settled() {
            0 | 1 => u64::MAX,
            streams => {
                let share = (self.memory / streams as u64).clamp(self.min_stretch, MAX_STRETCH);
                (share << self.doublings.load(Ordering::Relaxed)).min(MAX_STRETCH)
            }
        }
    }

    /// Note how long a whole range has waited for its first chunk, and taken for the others.
    ///
    /// Where streams are fast and answers slow, twice as much at a time has fewer waits. What
    /// this brings ahead of the front may not fit into memory; then the others keep their
    /// connections waiting, and the one at the front is fast enough alone.
    fn note_times(&self, length: u64, waited: Duration, moved: Duration) {
        if length >= self.stretch() && length < MAX_STRETCH && waited > moved {
            self.doublings.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Receive ranges until all are claimed; the buffer is handed from range to range.
    fn receive_all(&self, mut buffer: Buffer, cancel: &CancelToken) -> Result<()> {
        while let Some(reader) = self.claim() {
            buffer = self.receive(reader, buffer, cancel)?;
        }
        Ok(())
    }

    /// Receive one range into the target, unless it is there.
    fn receive(
        &self,
        mut reader: RangeReader,
        mut buffer: Buffer,
        cancel: &CancelToken,
    ) -> Result<Buffer> {
        cancel.check()?;
        let position = reader.position();
        if self.target.read_back(position - self.start, &mut buffer) {
            return self.submit(position, buffer, cancel);
        }
        let length = reader.left();
        let start = Instant::now();
        let mut waited = None;
        while reader.left() > 0 {
            let position = reader.position();
            fill(&mut reader, &mut buffer, cancel)?;
            let waited = *waited.get_or_insert_with(|| start.elapsed());
            let offset = position - self.start;
            self.target.write_all_at(&buffer, offset)?;
            self.target.record_at(&buffer, offset);
            self.received.add(buffer.len() as u64);
            buffer = self.submit(position, buffer, cancel)?;
            if reader.left() == 0 {
                self.note_times(length, waited, start.elapsed().saturating_sub(waited));
            }
        }
        Ok(buffer)
    }

    /// Count and hash what is in the target; gives back a buffer.
    fn submit(&self, position: u64, chunk: Buffer, cancel: &CancelToken) -> Result<Buffer> {
        self.progress.add(chunk.len() as u64);
        match &self.front {
            Some(front) => front.submit(position, chunk, cancel),
            None => Ok(chunk),
        }
    }

    /// The SHA-1 of everything, if it is wanted.
    fn digest(&self) -> Option<Digest> {
        self.front.as_ref().and_then(Front::finish)
    }
}

/// Fill a whole chunk, or what is left: held chunks should not be mostly empty memory.
fn fill(reader: &mut RangeReader, buffer: &mut Buffer, cancel: &CancelToken) -> Result<()> {
    let left = usize::try_from(reader.left()).unwrap_or(usize::MAX);
    buffer.set_length(left.min(CHUNK));
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..], cancel)? {
            0 => break,
            count => filled += count,
        }
    }
    buffer.set_length(filled);
    Ok(())
}
