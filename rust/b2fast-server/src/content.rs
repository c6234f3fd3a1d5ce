//! Content: immutable bytes in memory or in files.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use b2fast_core::hash::{Digest, Sha1, to_hex};
use md5::{Digest as _, Md5};

/// How much of a file is read at once: one call per 512 KiB costs little beside the copy,
/// and the buffer stays in the second-level cache until it is sent.
pub(crate) const READ_SIZE: u64 = 512 << 10;

/// Immutable bytes, made of pieces of what was received.
///
/// Clones, slices and concatenations share the bytes. Bytes in a file vanish with the last
/// content that shares them, unless somebody said [`keep`](Self::keep).
#[derive(Clone)]
pub struct Content(Arc<Inner>);

struct Inner {
    segments: Vec<Segment>,
    length: u64,
    sha1: OnceLock<Digest>,
    md5: OnceLock<[u8; 16]>,
}

/// Adjacent bytes of one buffer or file.
#[derive(Clone)]
pub(crate) enum Segment {
    Memory(Bytes),
    File {
        file: Arc<StoredFile>,
        offset: u64,
        length: u64,
    },
}

/// A file that is removed when nobody refers to it and nobody keeps it.
///
/// It is opened when it is read: an open file per content would exhaust the process's
/// descriptors long before the disk is full.
pub(crate) struct StoredFile {
    path: PathBuf,
    name: String,
    /// How many records outside of this process's memory name the file. Not a flag that turns
    /// all removal off at the end: what is recorded has to stay however the process ends.
    keepers: AtomicUsize,
}

impl StoredFile {
    pub(crate) fn new(path: PathBuf, name: String) -> Self {
        Self {
            path,
            name,
            keepers: AtomicUsize::new(0),
        }
    }

    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    pub(crate) fn keep(&self) {
        self.keepers.fetch_add(1, Ordering::SeqCst);
    }

    fn release(&self) {
        // A release too many would be the caller's mistake; it must not make the number huge.
        let _ = self
            .keepers
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |keepers| {
                keepers.checked_sub(1)
            });
    }
}

impl Drop for StoredFile {
    fn drop(&mut self) {
        if *self.keepers.get_mut() == 0 {
            // Who removed the directory has removed the file; nothing can be done about the rest.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Where some bytes of a content lie in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSegment {
    /// What the store calls the file.
    pub name: String,
    /// The first byte.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
}

impl Segment {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            Self::Memory(bytes) => Self::Memory(bytes.slice(to_usize(range))),
            Self::File { file, offset, .. } => Self::File {
                file: Arc::clone(file),
                offset: offset + range.start,
                length: range.end - range.start,
            },
        }
    }
}

/// A range within a buffer: it exists, so its bounds fit.
fn to_usize(range: Range<u64>) -> Range<usize> {
    let bound = |value| usize::try_from(value).unwrap_or(usize::MAX);
    bound(range.start)..bound(range.end)
}

impl Content {
    pub(crate) fn new(segments: Vec<Segment>, sha1: Option<Digest>) -> Self {
        let length = segments.iter().map(Segment::length).sum();
        Self(Arc::new(Inner {
            segments,
            length,
            sha1: sha1.map_or_else(OnceLock::new, OnceLock::from),
            md5: OnceLock::new(),
        }))
    }

    /// The bytes of `contents`, one after the other.
    #[must_use]
    pub fn concat(contents: &[Self]) -> Self {
        if let [single] = contents {
            return single.clone();
        }
        let segments = contents
            .iter()
            .flat_map(|content| content.0.segments.iter().cloned());
        Self::new(segments.collect(), None)
    }

    /// The bytes of `range`, as far as it lies within this content.
    #[must_use]
    pub fn slice(&self, range: Range<u64>) -> Self {
        if range.start == 0 && range.end >= self.length() {
            return self.clone();
        }
        let mut segments = Vec::new();
        let mut position = 0;
        for segment in self.segments() {
            let length = segment.length();
            let start = range.start.saturating_sub(position).min(length);
            let end = range.end.saturating_sub(position).min(length);
            if start < end {
                segments.push(segment.slice(start..end));
            }
            position += length;
        }
        Self::new(segments, None)
    }

    /// The bytes of `range`, as far as it lies within this content, in one buffer.
    pub fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let wanted = self.slice(range);
        let mut bytes = Vec::with_capacity(to_usize(0..wanted.length()).end);
        wanted.for_each_chunk(|chunk| bytes.extend_from_slice(chunk))?;
        Ok(bytes)
    }

    /// The SHA-1 of this content in hexadecimal digits: computed on arrival for what was
    /// received, on the first call for what was made of it.
    pub fn sha1(&self) -> io::Result<String> {
        if let Some(digest) = self.0.sha1.get() {
            return Ok(to_hex(digest));
        }
        let mut sha1 = Sha1::new();
        self.for_each_chunk(|chunk| sha1.update(chunk))?;
        Ok(to_hex(self.0.sha1.get_or_init(|| sha1.finish())))
    }

    /// The MD5 of this content in hexadecimal digits: computed on arrival for what was received
    /// in one small buffer, on the first call for the rest.
    pub fn md5(&self) -> io::Result<String> {
        if let Some(digest) = self.0.md5.get() {
            return Ok(to_hex(digest));
        }
        let mut md5 = Md5::new();
        self.for_each_chunk(|chunk| md5.update(chunk))?;
        Ok(to_hex(self.0.md5.get_or_init(|| md5.finalize().into())))
    }

    /// Computes the MD5 while `bytes`, which are all of this content, are at hand.
    pub(crate) fn know_md5_of(&self, bytes: &[u8]) {
        self.0.md5.get_or_init(|| Md5::digest(bytes).into());
    }

    /// The number of bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// Where the bytes lie in their store; none when some of them are in memory.
    #[must_use]
    pub fn stored(&self) -> Option<Vec<StoredSegment>> {
        let segments = self.segments().iter();
        segments
            .map(|segment| match segment {
                Segment::Memory(_) => None,
                Segment::File {
                    file,
                    offset,
                    length,
                } => Some(StoredSegment {
                    name: file.name.clone(),
                    offset: *offset,
                    length: *length,
                }),
            })
            .collect()
    }

    /// Lets the files of this content outlive it, and the process. To be said once for each
    /// record that names them.
    pub fn keep(&self) {
        self.files().for_each(StoredFile::keep);
    }

    /// Takes one [`keep`](Self::keep) back: one record is gone.
    pub fn release(&self) {
        self.files().for_each(StoredFile::release);
    }

    fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.segments().iter().filter_map(|segment| match segment {
            Segment::Memory(_) => None,
            Segment::File { file, .. } => Some(&**file),
        })
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0.segments
    }

    fn for_each_chunk(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = Vec::new();
        for segment in self.segments() {
            match segment {
                Segment::Memory(bytes) => take(bytes),
                Segment::File {
                    file,
                    offset,
                    length,
                } => {
                    let open = file.open()?;
                    let end = offset + length;
                    let mut position = *offset;
                    while position < end {
                        let size = READ_SIZE.min(end - position);
                        buffer.resize(to_usize(0..size).end, 0);
                        open.read_exact_at(&mut buffer, position)?;
                        take(&buffer);
                        position += size;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::new(Vec::new(), None)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Self::default();
        }
        Self::new(vec![Segment::Memory(bytes.into())], None)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Content")
            .field("length", &self.0.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::{ContentStore, received};

    fn all(content: &Content) -> Vec<u8> {
        content.read(0..u64::MAX).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn slices_and_concatenations_are_those_of_bytes(
            pieces in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(any::<u8>(), 0..50)), 0..6),
            start in 0..300_u64,
            end in 0..300_u64,
            inner_start in 0..100_u64,
            inner_end in 0..100_u64,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let in_files = ContentStore::below(directory.path()).unwrap();
            let contents: Vec<Content> = pieces
                .iter()
                .map(|(in_file, bytes)| {
                    if *in_file { received(&in_files, bytes, 50).unwrap() } else { bytes.clone().into() }
                })
                .collect();
            let bytes: Vec<u8> = pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect();

            let whole = Content::concat(&contents);
            prop_assert_eq!(whole.length(), bytes.len() as u64);
            prop_assert_eq!(all(&whole), bytes.clone());
            let copy = Content::from(bytes.clone());
            prop_assert_eq!(whole.sha1().unwrap(), copy.sha1().unwrap());
            prop_assert_eq!(whole.md5().unwrap(), copy.md5().unwrap());

            let length = bytes.len() as u64;
            let (from, to) = (start.min(length), end.min(length));
            let expected = bytes.get(to_usize(from..to)).unwrap_or_default();
            let slice = whole.slice(start..end);
            prop_assert_eq!(slice.length(), expected.len() as u64);
            prop_assert_eq!(&all(&slice), expected);

            let nested = slice.slice(inner_start..inner_end);
            let once = Content::from(expected.to_vec()).slice(inner_start..inner_end);
            prop_assert_eq!(all(&nested), all(&once));

            if from <= to {
                let joined = Content::concat(&[
                    whole.slice(0..from), slice, whole.slice(to..length)]);
                prop_assert_eq!(all(&joined), bytes);
            }
        }
    }

    #[test]
    fn digests_of_nothing() {
        let nothing = Content::default();
        assert_eq!(
            nothing.sha1().unwrap(),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        );
        assert_eq!(nothing.md5().unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert_eq!(
            format!("{:?}", Content::from(b"abc".to_vec())),
            "Content { length: 3, .. }"
        );
    }
}
