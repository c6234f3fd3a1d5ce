//! The directory of a content store: the names of its files, and which of them are wanted.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::content::{Segment, StoredFile, StoredSegment};

/// Digits of the run, a dash, digits of the number within the run.
const RUN_DIGITS: usize = 16;
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 8..=16;

/// Files of received bytes. Only those that [`Directory`] named itself are ever touched.
pub(crate) struct Directory {
    path: PathBuf,
    /// Tells the files of this run from those that another one left.
    run: u64,
    next: AtomicU64,
    /// The files of earlier runs that were asked for, until the sweep.
    opened: Mutex<HashMap<String, Arc<StoredFile>>>,
}

impl Directory {
    /// Makes the directory, for its owner only, when it is missing.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self {
            // The files are opened by name later, from wherever the process then is.
            path: std::path::absolute(path)?,
            run: RandomState::new().hash_one(std::process::id()),
            next: AtomicU64::new(0),
            opened: Mutex::default(),
        })
    }

    /// A new file. It has its final name at once: what makes it count is the record that
    /// names it later, not the name.
    pub(crate) fn create(&self) -> io::Result<(File, StoredFile)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:0RUN_DIGITS$x}-{number:08x}", self.run);
        let path = self.path.join(&name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok((file, StoredFile::new(path, name)))
    }

    /// Bytes of a file that an earlier run made. The file is kept, once more with each call.
    pub(crate) fn open(&self, segment: &StoredSegment) -> io::Result<Segment> {
        let StoredSegment {
            name,
            offset,
            length,
        } = segment;
        if !is_name(name) {
            return Err(refusal(format!("{name:?} is no name of a content file")));
        }
        let path = self.path.join(name);
        let metadata = fs::symlink_metadata(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        if !metadata.is_file() {
            return Err(not_ours(&path));
        }
        if offset
            .checked_add(*length)
            .is_none_or(|end| end > metadata.len())
        {
            return Err(refusal(format!(
                "{} is too short: {} bytes, not {length} from {offset} on",
                path.display(),
                metadata.len()
            )));
        }
        let file = Arc::clone(
            self.opened()
                .entry(name.clone())
                .or_insert_with(|| Arc::new(StoredFile::new(path, name.clone()))),
        );
        file.keep();
        Ok(Segment::File {
            file,
            offset: *offset,
            length: *length,
        })
    }

    /// Removes the files of earlier runs that were not opened; none if there is anything
    /// that no store made. Returns their number.
    pub(crate) fn sweep(&self) -> io::Result<usize> {
        let mut opened = self.opened();
        let this_run = format!("{:0RUN_DIGITS$x}-", self.run);
        let mut unwanted = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_name(name)) else {
                return Err(not_ours(&entry.path()));
            };
            if !entry.file_type()?.is_file() {
                return Err(not_ours(&entry.path()));
            }
            if !opened.contains_key(name) && !name.starts_with(&this_run) {
                unwanted.push(entry.path());
            }
        }
        for path in &unwanted {
            fs::remove_file(path)?;
        }
        opened.clear();
        Ok(unwanted.len())
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<String, Arc<StoredFile>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_name(name: &str) -> bool {
    name.split_once('-').is_some_and(|(run, number)| {
        run.len() == RUN_DIGITS
            && NUMBER_DIGITS.contains(&number.len())
            && is_hex(run)
            && is_hex(number)
    })
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn not_ours(path: &Path) -> io::Error {
    refusal(format!("{} is no content file", path.display()))
}

fn refusal(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
