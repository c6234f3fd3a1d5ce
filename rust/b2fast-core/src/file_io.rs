//! Positional reads and writes of local files.
//!
//! Nothing here has or moves a file position, so that several threads can share one open
//! file.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// EISDIR, the same number on every Unix.
pub(crate) const IS_A_DIRECTORY: i32 = 21;

/// Opening fails where a symbolic link is.
pub(crate) const O_NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Content that can be read anywhere, by several threads.
pub trait ReadAt {
    /// The number of bytes.
    fn length(&self) -> u64;

    /// What to call it in an error.
    fn name(&self) -> String;

    /// Fill `buffer` from `offset` on.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()>;

    /// `Error::InvalidArgument` if it never had so many bytes from `offset` on.
    fn check_range(&self, offset: u64, length: u64) -> Result<()> {
        let end = offset.checked_add(length);
        if end.is_some_and(|end| end <= self.length()) {
            return Ok(());
        }
        Err(Error::InvalidArgument(format!(
            "{} has {} bytes, not {length} from {offset} on",
            self.name(),
            self.length()
        )))
    }
}

/// A regular file that is open for reading, and what it was when it was opened.
#[derive(Debug)]
pub struct SourceFile {
    file: File,
    path: PathBuf,
    version: FileVersion,
}

/// What tells whether a file is still the one it was, short of reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last modified, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// The file system that it is on.
    pub device: u64,
    /// Its number in that file system.
    pub inode: u64,
}

impl FileVersion {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

impl SourceFile {
    /// Open a file.
    ///
    /// `Error::LocalFile` if it cannot be opened or is a directory, `Error::InvalidArgument`
    /// if it is not a regular file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let open_error = |error| Error::local_file(&path, "open", error);
        // Looked at before it is opened too: opening a named pipe waits for a writer.
        let metadata = fs::metadata(&path).map_err(open_error)?;
        check_regular(&path, &metadata)?;
        let file = File::open(&path).map_err(open_error)?;
        let metadata = file.metadata().map_err(open_error)?;
        check_regular(&path, &metadata)?;
        Ok(Self {
            file,
            path,
            version: FileVersion::of(&metadata),
        })
    }

    /// Its length in bytes when it was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.version.length
    }

    /// Was it empty when it was opened?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was when it was opened.
    #[must_use]
    pub fn version(&self) -> FileVersion {
        self.version
    }

    /// Fill `buffer` from `offset`.
    ///
    /// `Error::SourceChanged` if the file ends before that.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => self.shrunk(offset.saturating_add(buffer.len() as u64)),
                _ => self.read_error(error),
            })
    }

    /// Is the file still what it was when it was opened?  `Error::SourceChanged` if not.
    ///
    /// A file that another one has replaced under the same name is unchanged: what is read
    /// is the file that was opened.
    pub fn check_unchanged(&self) -> Result<()> {
        let now = self.version_now()?;
        if now.length != self.version.length {
            return Err(self.changed(format!(
                "its size went from {} to {} bytes",
                self.version.length, now.length
            )));
        }
        if now != self.version {
            return Err(self.changed("it was modified".to_owned()));
        }
        Ok(())
    }

    fn version_now(&self) -> Result<FileVersion> {
        match self.file.metadata() {
            Ok(metadata) => Ok(FileVersion::of(&metadata)),
            Err(error) => Err(Error::local_file(&self.path, "stat", error)),
        }
    }

    /// The file ended although it had at least `end` bytes.
    fn shrunk(&self, end: u64) -> Error {
        match self.version_now() {
            Ok(now) => self.changed(format!(
                "shrank from {} to {} bytes",
                self.version.length.max(end),
                now.length
            )),
            Err(error) => error,
        }
    }

    fn changed(&self, detail: String) -> Error {
        Error::SourceChanged {
            path: self.path.clone(),
            detail,
        }
    }

    fn read_error(&self, error: io::Error) -> Error {
        Error::local_file(&self.path, "read", error)
    }
}

impl ReadAt for SourceFile {
    fn length(&self) -> u64 {
        self.len()
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        SourceFile::read_exact_at(self, buffer, offset)
    }
}

/// Write all of `buffer` at `offset` of `file`; `path` is for the error.
pub fn write_all_at(file: &File, path: &Path, buffer: &[u8], offset: u64) -> Result<()> {
    file.write_all_at(buffer, offset)
        .map_err(|error| Error::local_file(path, "write", error))
}

fn check_regular(path: &Path, metadata: &Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    if metadata.is_dir() {
        let error = io::Error::from_raw_os_error(IS_A_DIRECTORY);
        return Err(Error::local_file(path, "open", error));
    }
    Err(Error::InvalidArgument(format!(
        "{} is not a regular file",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, SystemTime};

    use tempfile::{NamedTempFile, tempdir};

    use super::*;

    fn temporary(content: &[u8]) -> (NamedTempFile, SourceFile) {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let source = SourceFile::open(file.path()).unwrap();
        (file, source)
    }

    fn detail(error: Error) -> String {
        match error {
            Error::SourceChanged { detail, .. } => detail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_anywhere() {
        let (_file, source) = temporary(b"0123456789");
        assert_eq!(source.len(), 10);
        let mut buffer = [0; 4];
        source.read_exact_at(&mut buffer, 6).unwrap();
        assert_eq!(&buffer, b"6789");
        source.check_unchanged().unwrap();
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let (file, source) = temporary(b"0123456789");
        file.as_file().set_len(7).unwrap();
        let error = source.read_exact_at(&mut [0; 4], 6).unwrap_err();
        assert_eq!(detail(error), "shrank from 10 to 7 bytes");
        let error = source.check_unchanged().unwrap_err();
        assert_eq!(detail(error), "its size went from 10 to 7 bytes");
    }

    #[test]
    fn a_file_that_was_modified_is_an_error() {
        let (file, source) = temporary(b"0123456789");
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_000_000_001);
        file.as_file().set_modified(time).unwrap();
        let error = source.check_unchanged().unwrap_err();
        assert_eq!(detail(error), "it was modified");
        let source = SourceFile::open(file.path()).unwrap();
        assert_eq!(source.version().modified_ns, 1_000_000_001);
    }

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempdir().unwrap();
        let socket = directory.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let Err(Error::InvalidArgument(message)) = SourceFile::open(&socket) else {
            panic!("opened a socket");
        };
        assert!(message.ends_with("socket is not a regular file"));
        for (path, kind) in [
            (directory.path().to_owned(), ErrorKind::IsADirectory),
            (directory.path().join("missing"), ErrorKind::NotFound),
        ] {
            match SourceFile::open(&path) {
                Err(Error::LocalFile { source, .. }) => assert_eq!(source.kind(), kind),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn writes_anywhere() {
        let target = NamedTempFile::new().unwrap();
        write_all_at(target.as_file(), target.path(), b"456", 4).unwrap();
        write_all_at(target.as_file(), target.path(), b"0123", 0).unwrap();
        assert_eq!(fs::read(target.path()).unwrap(), b"0123456");
        let read_only = OpenOptions::new().read(true).open(target.path()).unwrap();
        let error = write_all_at(&read_only, target.path(), b"x", 0).unwrap_err();
        assert!(matches!(
            error,
            Error::LocalFile {
                action: "write",
                ..
            }
        ));
    }
}
