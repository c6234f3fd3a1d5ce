//! What an upload reads: a file that stays open, or bytes in memory.

use std::path::Path;

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::file_io::SourceFile;
use crate::hash::{self, Digest};
use crate::plan::Part;

/// Bytes kept alive by their owner (a Python object, say).
pub type SharedBytes = Box<dyn AsRef<[u8]> + Send + Sync>;

/// The content of an upload, readable at any offset by many threads.
pub enum Source {
    /// A regular file, opened once: what is hashed is what is sent.
    File(SourceFile),
    /// Bytes in memory.
    Memory(SharedBytes),
}

impl Source {
    /// Open a regular file.
    pub fn open(path: &Path) -> Result<Self> {
        SourceFile::open(path).map(Self::File)
    }

    /// The number of bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::File(file) => file.len(),
            Self::Memory(bytes) => (**bytes).as_ref().len() as u64,
        }
    }

    /// Fill `buffer` from `offset` on; a file that has become shorter is an error.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(buffer, offset),
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                buffer.copy_from_slice(&(**bytes).as_ref()[start..start + buffer.len()]);
                Ok(())
            }
        }
    }

    /// `Error::SourceChanged` if the file is not what it was when it was opened.
    pub fn check_unchanged(&self) -> Result<()> {
        match self {
            Self::File(file) => file.check_unchanged(),
            Self::Memory(_) => Ok(()),
        }
    }

    /// The SHA-1 of all content and of each part, in one pass.
    ///
    /// `parts` follow each other and cover the content.
    pub fn hash_parts(
        &self,
        parts: &[Part],
        cancel: &CancelToken,
        on_bytes: &dyn Fn(u64),
    ) -> Result<(Digest, Vec<Digest>)> {
        hash::sha1_of_parts(self, parts, cancel, on_bytes)
    }
}
