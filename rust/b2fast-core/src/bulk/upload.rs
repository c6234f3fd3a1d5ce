//! Small files sent in one request each.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::engine::Engine;
use crate::error::Result;
use crate::file_io::{ReadAt, SourceFile};
use crate::hash::Digest;
use crate::lease::Leases;
use crate::progress::Progress;
use crate::retry::RetryPolicy;
use crate::source::{SharedBytes, Source};
use crate::upload::{Header, Upload};

use super::Work;

/// What is sent.
pub enum Content {
    /// A local file, opened when its turn comes.
    File(PathBuf),
    /// Bytes in memory.
    Memory(SharedBytes),
}

/// One file to make.
pub struct UploadJob {
    /// Its content.
    pub content: Content,
    /// Headers beside those that the upload sets.
    pub headers: Vec<Header>,
    /// Its SHA-1 if known.
    pub sha1: Option<Digest>,
}

/// What came of a job.
pub enum Sent {
    /// The answer of B2 (JSON), and the number of bytes.
    Answer(Vec<u8>, u64),
    /// Nothing was sent: the file cannot be opened, is no regular file, or takes parts.
    Unsuitable,
}

/// Sends files to one bucket.
pub struct Uploads {
    /// Connections.
    pub engine: Engine,
    /// Leases of the bucket.
    pub leases: Arc<Leases>,
    /// How often to try.
    pub retry: RetryPolicy,
    /// Counts the bytes of all files.
    pub progress: Arc<Progress>,
    /// Files of this length and more are unsuitable.
    pub large_from: u64,
}

impl Work for Uploads {
    type Job = UploadJob;
    type Output = Sent;

    fn run(&self, job: UploadJob, cancel: &CancelToken) -> Result<Sent> {
        let source = match job.content {
            Content::File(path) => match SourceFile::open(path) {
                Ok(file) => Source::File(file),
                Err(_) => return Ok(Sent::Unsuitable),
            },
            Content::Memory(bytes) => Source::Memory(bytes),
        };
        let length = source.length();
        if length >= self.large_from {
            return Ok(Sent::Unsuitable);
        }
        let upload = Upload {
            source: &source,
            leases: &self.leases,
            headers: &job.headers,
            retry: self.retry,
            progress: &self.progress,
        };
        let answer = upload.send_file(&self.engine, job.sha1, cancel)?;
        Ok(Sent::Answer(answer, length))
    }
}

// Headers may hold a customer's key.
impl fmt::Debug for UploadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadJob").finish_non_exhaustive()
    }
}
