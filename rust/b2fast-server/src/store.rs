//! Where received content is kept.

use std::fs::{DirBuilder, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::content::{Content, Segment, StoredFile};
use crate::pool::{BUFFER_SIZE, BufferPool};
use b2fast_core::hash::Sha1;

/// Makes content of received bytes: in memory, or in one file each below a directory.
#[derive(Clone, Default)]
pub(crate) struct ContentStore {
    pool: BufferPool,
    directory: Option<Arc<Directory>>,
}

struct Directory {
    path: PathBuf,
    /// Tells the files of this run from those that another one left behind.
    run: u64,
    next: AtomicU64,
}

impl ContentStore {
    /// A store below the directory `path`, which is made (for its owner only) when it is
    /// missing. The default store is in memory.
    pub(crate) fn below(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let directory = Directory {
            // The files are opened by name later, from wherever the process then is.
            path: std::path::absolute(path)?,
            run: RandomState::new().hash_one(std::process::id()),
            next: AtomicU64::new(0),
        };
        Ok(Self {
            directory: Some(Arc::new(directory)),
            ..Self::default()
        })
    }

    pub(crate) fn pool(&self) -> &BufferPool {
        &self.pool
    }

    /// Receives a content of `length` bytes.
    pub(crate) fn writer(&self, length: u64) -> io::Result<ContentWriter> {
        let sink = match &self.directory {
            Some(directory) if length > 0 => {
                let number = directory.next.fetch_add(1, Ordering::Relaxed);
                let name = format!("{:016x}-{number:08x}", directory.run);
                let part = directory.path.join(format!("{name}.part"));
                let file = File::create_new(&part)?;
                Sink::File {
                    file,
                    part: StoredFile::new(part),
                    path: directory.path.join(name),
                }
            }
            _ => Sink::Memory {
                pool: self.pool.clone(),
                full: Vec::new(),
                current: Vec::new(),
                left: length,
            },
        };
        Ok(ContentWriter {
            sha1: Sha1::new(),
            length: 0,
            sink,
        })
    }
}

/// A content that is being received. Dropped before [`finish`](Self::finish), it leaves
/// nothing behind.
pub(crate) struct ContentWriter {
    sha1: Sha1,
    length: u64,
    sink: Sink,
}

enum Sink {
    Memory {
        pool: BufferPool,
        full: Vec<Bytes>,
        current: Vec<u8>,
        /// The bytes that have no place in a buffer yet.
        left: u64,
    },
    File {
        file: File,
        part: StoredFile,
        path: PathBuf,
    },
}

impl ContentWriter {
    /// Appends `chunk`. A file is written to at once: that is a copy into the page cache,
    /// cheaper than handing it to another thread.
    pub(crate) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.sha1.update(chunk);
        self.length += chunk.len() as u64;
        match &mut self.sink {
            Sink::File { file, .. } => file.write_all(chunk),
            Sink::Memory {
                pool,
                full,
                current,
                left,
            } => {
                let mut rest = chunk;
                while !rest.is_empty() {
                    if current.len() == current.capacity() {
                        let next = buffer_for(*left, pool);
                        *left = left.saturating_sub(next.capacity() as u64);
                        let filled = std::mem::replace(current, next);
                        push_shared(pool, full, filled);
                    }
                    let room = current.capacity() - current.len();
                    let (now, later) = rest.split_at(room.min(rest.len()));
                    current.extend_from_slice(now);
                    rest = later;
                }
                Ok(())
            }
        }
    }

    /// The content, complete.
    pub(crate) fn finish(self) -> io::Result<Content> {
        let segments = match self.sink {
            Sink::Memory {
                pool,
                mut full,
                current,
                ..
            } => {
                push_shared(&pool, &mut full, current);
                full.into_iter().map(Segment::Memory).collect()
            }
            Sink::File { part, path, .. } => {
                std::fs::rename(part.path(), &path)?;
                vec![Segment::File {
                    file: Arc::new(StoredFile::new(path)),
                    offset: 0,
                    length: self.length,
                }]
            }
        };
        Ok(Content::new(segments, Some(self.sha1.finish())))
    }
}

/// A buffer for the next of `left` bytes: small content takes no more memory than it needs.
fn buffer_for(left: u64, pool: &BufferPool) -> Vec<u8> {
    match usize::try_from(left) {
        Ok(left) if left > 0 && left < BUFFER_SIZE => Vec::with_capacity(left),
        _ => pool.take(),
    }
}

fn push_shared(pool: &BufferPool, full: &mut Vec<Bytes>, buffer: Vec<u8>) {
    if buffer.capacity() == BUFFER_SIZE {
        full.push(pool.share(buffer));
    } else if !buffer.is_empty() {
        full.push(buffer.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    #[test]
    fn content_of_any_size_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let sizes = [
            0,
            1,
            1000,
            BUFFER_SIZE - 1,
            BUFFER_SIZE,
            BUFFER_SIZE + 1,
            3 * BUFFER_SIZE + 7,
        ];
        let in_directory = ContentStore::below(directory.path()).unwrap();
        for store in [ContentStore::default(), in_directory] {
            for size in sizes {
                for chunk_size in [1 << 14, 100_003, 5 << 20] {
                    let bytes = pattern(size);
                    let mut writer = store.writer(size as u64).unwrap();
                    for chunk in bytes.chunks(chunk_size) {
                        writer.write(chunk).unwrap();
                    }
                    let content = writer.finish().unwrap();
                    assert_eq!(content.length(), size as u64);
                    assert!(content.read(0..u64::MAX).unwrap() == bytes);
                    assert_eq!(
                        content.sha1().unwrap(),
                        Content::from(bytes).sha1().unwrap()
                    );
                }
            }
        }
    }

    #[test]
    fn more_than_announced_is_kept() {
        let store = ContentStore::default();
        let mut writer = store.writer(3).unwrap();
        writer.write(b"abcdef").unwrap();
        assert_eq!(writer.finish().unwrap().read(0..10).unwrap(), b"abcdef");
    }

    #[test]
    fn files_vanish_with_the_last_content_that_shares_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made/when/missing");
        let store = ContentStore::below(&path).unwrap();

        let mut writer = store.writer(6).unwrap();
        writer.write(b"abc").unwrap();
        assert!(names(&path)[0].contains(".part"));
        writer.write(b"def").unwrap();
        let content = writer.finish().unwrap();
        assert_eq!(names(&path).len(), 1);
        assert!(!names(&path)[0].contains(".part"));

        let slice = Content::concat(&[content.slice(1..3), Content::from(b"!".to_vec())]);
        drop(content);
        assert_eq!(slice.read(0..3).unwrap(), b"bc!");
        drop(slice);
        assert!(names(&path).is_empty());
    }

    #[test]
    fn an_unfinished_file_vanishes() {
        let directory = tempfile::tempdir().unwrap();
        let store = ContentStore::below(directory.path()).unwrap();
        let mut writer = store.writer(6).unwrap();
        writer.write(b"abc").unwrap();
        drop(writer);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn a_new_directory_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        let _store = ContentStore::below(&path).unwrap();
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn large_content_reuses_memory() {
        let store = ContentStore::default();
        let addresses = || -> Vec<*const u8> {
            let mut writer = store.writer(3 * BUFFER_SIZE as u64).unwrap();
            writer.write(&pattern(3 * BUFFER_SIZE)).unwrap();
            let content = writer.finish().unwrap();
            let mut addresses: Vec<_> = content
                .segments()
                .iter()
                .map(|segment| match segment {
                    Segment::Memory(bytes) => bytes.as_ptr(),
                    Segment::File { .. } => unreachable!("this store is in memory"),
                })
                .collect();
            addresses.sort();
            addresses
        };
        assert_eq!(addresses(), addresses());
    }
}
