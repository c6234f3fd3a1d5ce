//! Where received content is kept.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::content::{Content, Segment, StoredFile, StoredSegment};
use crate::directory::Directory;
use crate::intake::{Intake, Taking};
use crate::pool::{BUFFER_SIZE, BufferPool};
use b2fast_core::hash::{Digest, Sha1};

/// A buffer of at most so many bytes is hashed and written on the thread that received it:
/// another one would take longer to wake.
const SMALL: usize = 64 << 10;

/// Makes content of received bytes: in memory, or in one file each below a directory.
///
/// A file is removed with the last content that shares its bytes, unless it is
/// [kept](Content::keep). A later store on the directory [opens](Self::open) what was kept
/// and [sweeps](Self::sweep) the rest.
#[derive(Clone, Default)]
pub struct ContentStore {
    pool: BufferPool,
    intake: Intake,
    directory: Option<Arc<Directory>>,
}

impl ContentStore {
    /// A store below the directory `path`, which is made (for its owner only) when it is
    /// missing. The default store is in memory.
    pub fn below(path: &Path) -> io::Result<Self> {
        Ok(Self {
            directory: Some(Arc::new(Directory::at(path)?)),
            ..Self::default()
        })
    }

    /// Content that an earlier store on the directory made, with its SHA-1 if that is known.
    /// It counts as kept. A name that no store gives, a symbolic link and a file that is too
    /// short are refused.
    pub fn open(&self, segments: &[StoredSegment], sha1: Option<Digest>) -> io::Result<Content> {
        let segments = segments
            .iter()
            .map(|segment| self.directory()?.open(segment));
        Ok(Content::new(segments.collect::<io::Result<_>>()?, sha1))
    }

    /// Removes what earlier stores on the directory left and nobody opened in this one;
    /// nothing if there is anything else in the directory. Returns the number of files.
    pub fn sweep(&self) -> io::Result<usize> {
        self.directory()?.sweep()
    }

    fn directory(&self) -> io::Result<&Directory> {
        self.directory.as_deref().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::Unsupported,
                "a store in memory has no directory",
            )
        })
    }

    pub(crate) fn pool(&self) -> &BufferPool {
        &self.pool
    }

    /// Receives a content of `length` bytes.
    pub(crate) fn writer(&self, length: u64) -> io::Result<ContentWriter> {
        let file = match &self.directory {
            Some(directory) if length > 0 => Some(directory.create()?),
            _ => None,
        };
        Ok(ContentWriter {
            store: self.clone(),
            hashed: Hashed::Here(Sha1::new()),
            length: 0,
            announced: length,
            current: Vec::new(),
            full: Vec::new(),
            file: file.map(|(file, stored)| (Arc::new(file), stored)),
        })
    }
}

impl fmt::Debug for ContentStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ContentStore")
            .field("in_directory", &self.directory.is_some())
            .finish_non_exhaustive()
    }
}

/// A content that is being received. Dropped before [`finish`](Self::finish), it leaves
/// nothing behind.
pub(crate) struct ContentWriter {
    store: ContentStore,
    hashed: Hashed,
    /// The bytes so far.
    length: u64,
    /// How many there will be, as the client says.
    announced: u64,
    current: Vec<u8>,
    /// The buffers before the current one, if they are kept in memory.
    full: Vec<Bytes>,
    file: Option<(Arc<File>, StoredFile)>,
}

/// The hash of the buffers that are full.
enum Hashed {
    Here(Sha1),
    /// The last one is still at work.
    ByIntake(Taking),
    /// It was lost with an error.
    Lost,
}

impl ContentWriter {
    /// Appends `chunk`; an error may be that of an earlier one.
    pub(crate) async fn write(&mut self, mut chunk: &[u8]) -> io::Result<()> {
        while !chunk.is_empty() {
            if self.current.len() == self.current.capacity() {
                let left = self.announced.saturating_sub(self.length);
                let next = buffer_for(left, &self.store.pool);
                let filled = std::mem::replace(&mut self.current, next);
                self.pass_on(filled).await?;
            }
            let room = self.current.capacity() - self.current.len();
            let (now, later) = chunk.split_at(room.min(chunk.len()));
            self.current.extend_from_slice(now);
            self.length += now.len() as u64;
            chunk = later;
        }
        Ok(())
    }

    /// The content, complete.
    pub(crate) async fn finish(mut self) -> io::Result<Content> {
        let last = std::mem::take(&mut self.current);
        let is_small = last.len() as u64 == self.length && last.len() <= SMALL;
        let last = self.pass_on(last).await?;
        let sha1 = self.hash().await?;
        let segments = match self.file {
            None => self.full.into_iter().map(Segment::Memory).collect(),
            Some((_, stored)) => vec![Segment::File {
                file: Arc::new(stored),
                offset: 0,
                length: self.length,
            }],
        };
        let content = Content::new(segments, Some(sha1.finish()));
        if is_small {
            content.know_md5_of(&last);
        }
        Ok(content)
    }

    /// Has a buffer hashed, and written or kept. Returns what was in it.
    async fn pass_on(&mut self, buffer: Vec<u8>) -> io::Result<Bytes> {
        if buffer.is_empty() {
            return Ok(Bytes::new());
        }
        let is_small = buffer.len() <= SMALL;
        let bytes = share(buffer, &self.store.pool);
        let mut sha1 = self.hash().await?;
        let file = self.file.as_ref().map(|(file, _)| file);
        if is_small {
            sha1.update(&bytes);
            if let Some(file) = file {
                (&**file).write_all(&bytes)?;
            }
            self.hashed = Hashed::Here(sha1);
        } else {
            let taking = self.store.intake.take(sha1, bytes.clone(), file.cloned());
            self.hashed = Hashed::ByIntake(taking);
        }
        if self.file.is_none() {
            self.full.push(bytes.clone());
        }
        Ok(bytes)
    }

    /// The hash of all buffers that were passed on.
    async fn hash(&mut self) -> io::Result<Sha1> {
        match std::mem::replace(&mut self.hashed, Hashed::Lost) {
            Hashed::Here(sha1) => Ok(sha1),
            Hashed::ByIntake(taking) => taking.done().await,
            Hashed::Lost => Err(io::Error::other("the content is incomplete")),
        }
    }
}

/// A buffer for the next of `left` bytes: small content takes no more memory than it needs.
fn buffer_for(left: u64, pool: &BufferPool) -> Vec<u8> {
    match usize::try_from(left) {
        Ok(left) if left > 0 && left < BUFFER_SIZE => Vec::with_capacity(left),
        _ => pool.take(),
    }
}

/// What is in `buffer`, to be shared; a buffer of the pool's returns to it.
fn share(buffer: Vec<u8>, pool: &BufferPool) -> Bytes {
    if buffer.capacity() == BUFFER_SIZE {
        pool.share(buffer)
    } else {
        buffer.into()
    }
}

#[cfg(test)]
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// The content of `bytes` that arrive in chunks of `chunk_size`.
#[cfg(test)]
pub(crate) fn received(
    store: &ContentStore,
    bytes: &[u8],
    chunk_size: usize,
) -> io::Result<Content> {
    block_on(async {
        let mut writer = store.writer(bytes.len() as u64)?;
        for chunk in bytes.chunks(chunk_size) {
            writer.write(chunk).await?;
        }
        writer.finish().await
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    /// The files below a store's directory.
    fn files(directory: &Path) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }

    fn stored(store: &ContentStore, bytes: &[u8]) -> Content {
        received(store, bytes, bytes.len().max(1)).unwrap()
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
                    let content = received(&store, &bytes, chunk_size).unwrap();
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
        let content = block_on(async {
            let mut writer = store.writer(3).unwrap();
            writer.write(b"abcdef").await.unwrap();
            writer.finish().await.unwrap()
        });
        assert_eq!(content.read(0..10).unwrap(), b"abcdef");
    }

    #[test]
    fn files_vanish_with_the_last_content_that_shares_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made/when/missing");
        let store = ContentStore::below(&path).unwrap();

        let content = stored(&store, b"abcdef");
        assert_eq!(files(&path).len(), 1);

        let slice = Content::concat(&[content.slice(1..3), Content::from(b"!".to_vec())]);
        drop(content);
        assert_eq!(slice.read(0..3).unwrap(), b"bc!");
        drop(slice);
        assert!(files(&path).is_empty());
    }

    #[test]
    fn an_unfinished_file_vanishes() {
        let directory = tempfile::tempdir().unwrap();
        let store = ContentStore::below(directory.path()).unwrap();
        block_on(async {
            let mut writer = store.writer(6).unwrap();
            writer.write(b"abc").await.unwrap();
        });
        assert!(files(directory.path()).is_empty());
    }

    #[test]
    fn what_it_makes_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        let store = ContentStore::below(&path).unwrap();
        let _content = stored(&store, b"abc");
        let file = files(&path).remove(0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn kept_content_outlives_its_store() {
        let directory = tempfile::tempdir().unwrap();
        let first = ContentStore::below(directory.path()).unwrap();
        let contents = [
            stored(&first, b"abcdef"),
            stored(&first, b"ghi"),
            stored(&first, b""),
        ];
        let whole = Content::concat(&contents).slice(1..8);
        let records = [contents[0].stored().unwrap(), whole.stored().unwrap()];
        contents[0].keep();
        whole.keep();
        drop((whole, contents, first));
        assert_eq!(files(directory.path()).len(), 2);

        let second = ContentStore::below(directory.path()).unwrap();
        let one = second.open(&records[0], None).unwrap();
        let whole = second.open(&records[1], Some([7; 20])).unwrap();
        assert_eq!(one.read(0..9).unwrap(), b"abcdef");
        assert_eq!(whole.read(0..9).unwrap(), b"bcdefgh");
        assert_eq!(
            one.sha1().unwrap(),
            Content::from(b"abcdef".to_vec()).sha1().unwrap()
        );
        assert_eq!(whole.sha1().unwrap(), "07".repeat(20));
        assert_eq!(second.sweep().unwrap(), 0);

        // What two records share stays until both are gone and nobody reads it.
        whole.release();
        drop(whole);
        assert_eq!(files(directory.path()).len(), 1);
        one.release();
        assert_eq!(files(directory.path()).len(), 1);
        drop(one);
        assert!(files(directory.path()).is_empty());
    }

    #[test]
    fn a_sweep_leaves_what_was_opened_and_what_is_new() {
        let directory = tempfile::tempdir().unwrap();
        let first = ContentStore::below(directory.path()).unwrap();
        let (wanted, unwanted) = (stored(&first, b"abc"), stored(&first, b"def"));
        wanted.keep();
        unwanted.keep();
        let record = wanted.stored().unwrap();
        drop((wanted, unwanted));

        let second = ContentStore::below(directory.path()).unwrap();
        let wanted = second.open(&record, None).unwrap();
        let new = stored(&second, b"new");
        assert_eq!(second.sweep().unwrap(), 1);
        assert_eq!(files(directory.path()).len(), 2);
        assert_eq!(wanted.read(0..3).unwrap(), b"abc");
        assert_eq!(new.read(0..3).unwrap(), b"new");
    }

    #[test]
    fn names_that_no_store_gives_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = ContentStore::below(directory.path()).unwrap();
        let open = |name: &str, offset, length| {
            let name = name.to_owned();
            let segment = StoredSegment {
                name,
                offset,
                length,
            };
            store.open(&[segment], None).unwrap_err().to_string()
        };
        let real = stored(&store, b"abc");
        let name = real.stored().unwrap()[0].name.clone();
        let (run, number) = name.split_once('-').unwrap();
        for bad in [
            "",
            "/etc/passwd",
            "../../etc/passwd",
            "-",
            "\u{e9}",
            &name
                .to_uppercase()
                .replace(|c: char| c.is_ascii_digit(), "A"),
            &format!("{name}\n"),
            &format!("{run}-{number}/x"),
            &format!("{run}-0"),
            &format!("{run}0-{number}"),
        ] {
            assert!(
                open(bad, 0, 1).contains("no name of a content file"),
                "{bad}"
            );
        }
        assert!(open(&name, 0, 4).contains("too short"));
        assert!(open(&name, u64::MAX, 2).contains("too short"));
        assert!(open(&format!("{run}-ffffffff"), 0, 1).contains("ffffffff"));

        let link = format!("{run}-12345600");
        let file = files(directory.path()).remove(0);
        symlink(&file, file.parent().unwrap().join(&link)).unwrap();
        assert!(open(&link, 0, 1).contains("is no content file"));
        assert!(store.sweep().unwrap_err().to_string().contains(&link));
    }

    #[test]
    fn a_sweep_touches_nothing_beside_a_stranger() {
        let strangers: [fn(&Path); 3] = [
            |path| fs::write(path.join("notes.txt"), "mine").unwrap(),
            |path| fs::create_dir(path.join("photos")).unwrap(),
            |path| fs::create_dir(path.join("0123456789abcdef-00000000")).unwrap(),
        ];
        for stranger in strangers {
            let directory = tempfile::tempdir().unwrap();
            let first = ContentStore::below(directory.path()).unwrap();
            let content = stored(&first, b"abc");
            content.keep();
            drop(content);
            stranger(directory.path());
            let before = files(directory.path());
            let second = ContentStore::below(directory.path()).unwrap();
            let error = second.sweep().unwrap_err().to_string();
            assert!(error.contains("is no content file"), "{error}");
            assert_eq!(files(directory.path()), before);
        }
    }

    #[test]
    fn a_store_in_memory_has_no_files() {
        let store = ContentStore::default();
        assert!(stored(&store, b"abc").stored().is_none());
        assert!(store.sweep().is_err());
    }

    #[test]
    fn large_content_reuses_memory() {
        let store = ContentStore::default();
        let addresses = || -> Vec<*const u8> {
            let content = stored(&store, &pattern(3 * BUFFER_SIZE));
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
