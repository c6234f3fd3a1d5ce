//! What an upload reads: a file that stays open, or bytes in memory.

use crate::error::{Error, Result};
use crate::file_io::{ReadAt, SourceFile};

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
    /// `Error::SourceChanged` if the file is not what it was when it was opened.
    pub fn check_unchanged(&self) -> Result<()> {
        match self {
            Self::File(file) => file.check_unchanged(),
            Self::Memory(_) => Ok(()),
        }
    }
}

impl ReadAt for Source {
    fn length(&self) -> u64 {
        match self {
            Self::File(file) => file.length(),
            Self::Memory(bytes) => (**bytes).as_ref().len() as u64,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(file) => file.name(),
            Self::Memory(_) => "the given bytes".into(),
        }
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(buffer, offset),
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(buffer.len());
                let piece = (**bytes).as_ref().get(start..end).ok_or_else(|| {
                    Error::InvalidArgument(format!("no bytes from {offset} on to upload"))
                })?;
                buffer.copy_from_slice(piece);
                Ok(())
            }
        }
    }
}
