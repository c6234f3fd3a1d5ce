//! The file that a download becomes: written beside its final name, then put in its place.

use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::buffers::Buffer;
use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::{Error, Result};
use crate::file_io;

use super::journal::Pin;
use super::partial::{self, Partial, Record};
use super::place::{Found, Place, end_of_path};

/// Opening does not wait: the system's own number.
const O_NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };

/// Nobody reads the pipe; the same number on every Unix.
const ENXIO: i32 = 6;

/// The permissions of a file that replaces none, before the user's mask.
const DEFAULT_MODE: u32 = 0o666;

/// The permissions that are handed on: not those to run as the old file's owner.
const KEPT_MODE: u32 = 0o777;

/// How many recorded bytes are worth a file that stays when a download fails.
const WORTH_KEEPING: u64 = 1 << 20;

/// Where the bytes of a download go.
pub(crate) enum Target {
    /// A new file beside the final name.
    Beside(TemporaryFile),
    /// A pipe or device, written in order: it cannot be replaced.
    InPlace(File, Place),
}

impl Target {
    /// Prepare to write a file; what is there stays untouched until [`Target::finish`].
    ///
    /// A symbolic link that is followed has the file replaced that it names, and not the link.
    /// With a pin, a journal is kept, and what an earlier download of the same bytes left is
    /// taken up; without one it is removed.
    pub(crate) fn open(mut place: Place, pin: Option<Pin>, cancel: &CancelToken) -> Result<Self> {
        let found = if place.found == Found::Followed {
            place.path = end_of_path(&place.path)?;
            fs::metadata(&place.path)
        } else {
            fs::symlink_metadata(&place.path)
        };
        let path = &place.path;
        match found {
            Ok(found) if found.is_dir() => Err(Error::local_file(
                path,
                "write",
                io::Error::from_raw_os_error(file_io::IS_A_DIRECTORY),
            )),
            Ok(found) if found.is_file() => {
                // Replacing needs no right to the old file, but its owner wants to be asked.
                to_write(&place, 0)
                    .open(path)
                    .map_err(|error| Error::local_file(path, "write", error))?;
                let mode = found.permissions().mode() & KEPT_MODE;
                let temporary = TemporaryFile::open(place, mode, pin)?;
                // Again, without the user's mask.
                temporary
                    .file
                    .set_permissions(Permissions::from_mode(mode))
                    .map_err(|error| {
                        Error::local_file(temporary.final_path(), "set the permissions of", error)
                    })?;
                Ok(Self::Beside(temporary))
            }
            // A link that is there by now is replaced.
            Ok(found) if place.found != Found::Replaced && !found.is_symlink() => {
                // Kept until the pipe is open for good: a reader without any writer sees its end.
                let _reached = if found.file_type().is_fifo() {
                    Some(reach_reader(&place, cancel)?)
                } else {
                    None
                };
                let file = to_write(&place, 0)
                    .open(path)
                    .map_err(|error| Error::local_file(path, "open", error))?;
                Ok(Self::InPlace(file, place))
            }
            _ => TemporaryFile::open(place, DEFAULT_MODE, pin).map(Self::Beside),
        }
    }

    /// Can it be written at any offset?
    pub(crate) fn is_seekable(&self) -> bool {
        matches!(self, Self::Beside(_))
    }

    /// Write at an offset; a pipe or device is written in the order of the calls.
    pub(crate) fn write_all_at(&self, buffer: &[u8], offset: u64) -> Result<()> {
        match self {
            Self::Beside(temporary) => {
                let _turn = temporary
                    .writing
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                file_io::write_all_at(&temporary.file, temporary.final_path(), buffer, offset)
            }
            Self::InPlace(file, place) => {
                let mut file: &File = file;
                file.write_all(buffer)
                    .map_err(|error| Error::local_file(&place.path, "write", error))
            }
        }
    }

    /// Where the first recorded stretch at or behind an offset begins.
    pub(crate) fn next_recorded(&self, offset: u64) -> Option<u64> {
        let known = &self.record()?.known;
        known.range(offset..).next().map(|(&start, _)| start)
    }

    /// The length of the stretch that an earlier download recorded at this offset.
    pub(crate) fn recorded_at(&self, offset: u64) -> Option<u64> {
        let stretch = self.record()?.known.get(&offset)?;
        Some(stretch.length as u64)
    }

    /// Fill the buffer with the stretch recorded at this offset. False if there is none, or if
    /// the file does not have what was recorded.
    pub(crate) fn read_back(&self, offset: u64, buffer: &mut Buffer) -> bool {
        let Self::Beside(TemporaryFile {
            file,
            record: Some(record),
            ..
        }) = self
        else {
            return false;
        };
        record.known.get(&offset).is_some_and(|stretch| {
            buffer.set_length(stretch.length);
            file.read_exact_at(buffer, offset).is_ok() && record.journal.is(stretch, buffer)
        })
    }

    /// Record in the journal, if there is one, what is written at an offset.
    pub(crate) fn record_at(&self, content: &[u8], offset: u64) {
        if let Some(record) = self.record() {
            record.journal.append(offset, content);
        }
    }

    fn record(&self) -> Option<&Record> {
        match self {
            Self::Beside(temporary) => temporary.record.as_ref(),
            Self::InPlace(..) => None,
        }
    }

    /// Everything is written and verified: give the file its time and its name.
    pub(crate) fn finish(&self, mtime_ns: Option<i64>) -> Result<()> {
        match self {
            Self::Beside(temporary) => temporary.replace(mtime_ns),
            Self::InPlace(..) => Ok(()),
        }
    }

    /// Remove what was written, now: others may still hold on to the target.
    pub(crate) fn discard(&self) {
        if let Self::Beside(temporary) = self {
            temporary.discard();
        }
    }

    /// Leave what was written to the next download, if that is worth it.
    pub(crate) fn keep(&self) {
        if let Self::Beside(temporary) = self {
            temporary.keep();
        }
    }
}

/// A file that vanishes unless it gets its final name or is kept.
pub(crate) struct TemporaryFile {
    file: File,
    path: PathBuf,
    /// Keeps the directory open that the paths lead through.
    place: Place,
    /// Held while writing. The kernel lets one thread at a time write a file, and has the
    /// others spin for their turn: with a lock of our own they sleep.
    writing: Mutex<()>,
    /// Renamed, removed, or left to the next download.
    settled: AtomicBool,
    /// Of a file that the next download can take up.
    record: Option<Record>,
}

impl TemporaryFile {
    fn open(place: Place, mode: u32, pin: Option<Pin>) -> Result<Self> {
        let kept = pin.and_then(|pin| Partial::open(&place.path, mode, pin));
        let (file, path, record) = if let Some(partial) = kept {
            (partial.file, partial.path, Some(partial.record))
        } else {
            let (file, path) = partial::create_beside(&place.path, mode)?;
            (file, path, None)
        };
        Ok(Self {
            file,
            path,
            place,
            writing: Mutex::new(()),
            settled: AtomicBool::new(false),
            record,
        })
    }

    fn final_path(&self) -> &Path {
        &self.place.path
    }

    fn replace(&self, mtime_ns: Option<i64>) -> Result<()> {
        if let Some(time) = mtime_ns.and_then(system_time) {
            self.file
                .set_times(FileTimes::new().set_modified(time))
                .map_err(|error| Error::local_file(self.final_path(), "set the time of", error))?;
        }
        fs::rename(&self.path, self.final_path())
            .map_err(|error| Error::local_file(self.final_path(), "replace", error))?;
        self.settled.store(true, Ordering::Release);
        self.remove_journal();
        Ok(())
    }

    fn discard(&self) {
        if !self.settled.swap(true, Ordering::AcqRel) {
            // The transfer's own error is the one to report; the name says what was left.
            drop(fs::remove_file(&self.path));
            self.remove_journal();
        }
    }

    fn remove_journal(&self) {
        if let Some(record) = &self.record {
            // Without its file it does no harm.
            drop(fs::remove_file(&record.journal_path));
        }
    }

    fn keep(&self) {
        let recorded = self
            .record
            .as_ref()
            .map_or(0, |record| record.journal.recorded());
        if recorded < WORTH_KEEPING {
            self.discard();
        } else {
            self.settled.store(true, Ordering::Release);
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        self.discard();
        if self.record.is_some() {
            // Closing is not enough if a child of fork has inherited the file.
            drop(self.file.unlock());
        }
    }
}

/// Opening a pipe waits for somebody to read it. This waits too, but can be cancelled.
fn reach_reader(place: &Place, cancel: &CancelToken) -> Result<File> {
    let options = to_write(place, O_NONBLOCK);
    loop {
        match options.open(&place.path) {
            Err(error) if error.raw_os_error() == Some(ENXIO) => cancel.sleep(POLL_INTERVAL)?,
            Err(error) => return Err(Error::local_file(&place.path, "open", error)),
            Ok(file) => return Ok(file),
        }
    }
}

/// Options to write what is there; a link only if it is to be followed.
fn to_write(place: &Place, flags: i32) -> OpenOptions {
    let follow = place.found == Found::Followed;
    let mut options = OpenOptions::new();
    options
        .write(true)
        .custom_flags(flags | if follow { 0 } else { file_io::O_NOFOLLOW });
    options
}

fn system_time(nanoseconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_nanos(nanoseconds.unsigned_abs());
    if nanoseconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}
