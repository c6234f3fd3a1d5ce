//! Saving a download to a file: in order, or in ranges on several connections.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::buffers::{Buffer, CHUNK};
use crate::cancel::CancelToken;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hash::{self, Digest, Sha1};
use crate::progress::Progress;

use super::Download;
use super::front::Front;
use super::ramp::Ramp;
use super::range_reader::RangeReader;
use super::target::Target;

/// The bounds of one request's range while several streams run: each request costs a round
/// trip and a transaction, each byte ahead of the front costs memory.
const MIN_STRETCH: u64 = 1 << 20;
const MAX_STRETCH: u64 = 32 << 20;

/// How to save a download.
///
/// The content is written beside `path`, verified, and put in its place in one step: until
/// then, and after every error, an older file stays as it was and no partial one is seen.
pub struct SaveOptions {
    /// The final name. A pipe or a device is written straight.
    pub path: PathBuf,
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
    let target = Arc::new(Target::open(&options.path, cancel)?);
    let mtime_ns = options.mtime_ns;
    let result = receive(download, &target, options, cancel).and_then(|()| target.finish(mtime_ns));
    if result.is_err() {
        target.discard();
    }
    result
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
    let digest = if options.streams > 1 && target.is_seekable() && rest > first_stretch {
        let ranges = Ranges {
            stretch: stretch(engine, options.streams),
            front: options
                .sha1
                .map(|_| Front::new(start, engine.buffers().clone())),
            unclaimed: Mutex::new(Unclaimed::new(first, first_stretch)),
            ramp: Ramp::new(),
            start,
            end,
            target: Arc::clone(target),
            progress: options.progress,
        };
        in_ranges(engine, ranges, options.streams, cancel)?
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

/// The bytes of one range: as far as the budget lets each stream run ahead.
fn stretch(engine: &Engine, streams: usize) -> u64 {
    let share = engine.buffers().memory() as u64 / streams as u64;
    share.clamp(MIN_STRETCH.min(engine.first_stretch()), MAX_STRETCH)
}

/// Several connections and the threads of the pool.
fn in_ranges(
    engine: &Engine,
    ranges: Ranges,
    streams: usize,
    caller: &CancelToken,
) -> Result<Option<Digest>> {
    let ranges = Arc::new(ranges);
    let shared = Arc::clone(&ranges);
    let buffers = engine.buffers().clone();
    engine.workers().run(streams, caller, move |cancel| {
        if !shared.ramp.enter(&shared.progress, cancel)? {
            return Ok(());
        }
        let mut buffer = buffers.take();
        while let Some(reader) = shared.claim() {
            buffer = shared.receive(reader, buffer, cancel)?;
        }
        shared.ramp.end();
        Ok(())
    })?;
    Ok(ranges.front.as_ref().and_then(Front::finish))
}

/// The ranges of one file, claimed in ascending order so that the front follows closely.
struct Ranges {
    unclaimed: Mutex<Unclaimed>,
    start: u64,
    end: u64,
    stretch: u64,
    front: Option<Front>,
    ramp: Ramp,
    target: Arc<Target>,
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
    fn new(mut first: RangeReader, first_stretch: u64) -> Self {
        let next = first.position() + first_stretch;
        first.stop_at(next);
        Self {
            model: first.sibling(next, next),
            first: Some(first),
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
        unclaimed.next = start.saturating_add(self.stretch).min(self.end);
        (start < self.end).then(|| unclaimed.model.sibling(start, unclaimed.next))
    }

    /// Receive one range into the target; the buffer is handed from range to range.
    fn receive(
        &self,
        mut reader: RangeReader,
        mut buffer: Buffer,
        cancel: &CancelToken,
    ) -> Result<Buffer> {
        while reader.left() > 0 {
            let position = reader.position();
            fill(&mut reader, &mut buffer, cancel)?;
            self.target.write_all_at(&buffer, position - self.start)?;
            self.progress.add(buffer.len() as u64);
            if let Some(front) = &self.front {
                buffer = front.submit(position, buffer, cancel)?;
            }
        }
        Ok(buffer)
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
