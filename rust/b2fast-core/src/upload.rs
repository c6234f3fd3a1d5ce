//! Sending one small file, or the parts of a large one in parallel.

use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::cancel::CancelToken;
use crate::counters::Counters;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::file_io::ReadAt;
use crate::hash::{self, Digest, Sha1};
use crate::lease::{Lease, Leases};
use crate::part_digests::PartDigests;
use crate::progress::{Progress, RequestProgress};
use crate::retry::{Attempts, RetryPolicy};
use crate::service;
use crate::source::Source;
use crate::transport::{Body, Method, Request};
use crate::workers::{Ramp, Turn};

/// How many new upload URLs in a row may be refused with 401 or for damaged content.
///
/// A new URL mends these; when it does not, the reason is a real one.
const MAX_REFUSED_URLS: u32 = 3;

/// A header of a request: name and value as sent.
pub type Header = (String, String);

/// A stretch of the source that is sent as one body.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where it starts.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// Its SHA-1 if known. Else it is computed ahead, in step with that of other parts; or,
    /// where there is no other, while sending, and sent behind the content
    /// (`hex_digits_at_end`).
    pub sha1: Option<Digest>,
}

/// A piece that is one part of a large file.
#[derive(Clone, Copy, Debug)]
pub struct PartPiece {
    /// The part's number, from 1.
    pub number: u32,
    /// What it holds.
    pub piece: Piece,
}

/// Everything the parts of one large file have in common.
pub struct PartsJob {
    /// What is read.
    pub source: Arc<Source>,
    /// Leases of the large file.
    pub leases: Arc<Leases>,
    /// Headers beside those that this module sets.
    pub headers: Vec<Header>,
    /// The parts to send.
    pub parts: Vec<PartPiece>,
    /// How often to try.
    pub retry: RetryPolicy,
    /// How many connections.
    pub workers: usize,
    /// Counts the bytes sent.
    pub progress: Arc<Progress>,
}

/// What one body needs besides its bytes.
pub struct Upload<'a> {
    /// What is read.
    pub source: &'a Source,
    /// Leases of the bucket or of the large file.
    pub leases: &'a Leases,
    /// Headers beside those that this module sets.
    pub headers: &'a [Header],
    /// How often to try.
    pub retry: RetryPolicy,
    /// Counts the bytes sent.
    pub progress: &'a Progress,
}

/// Send the parts of a large file in parallel and return their SHA-1s, in their order.
pub fn upload_parts(engine: &Engine, job: PartsJob, caller: &CancelToken) -> Result<Vec<Digest>> {
    let count = job.parts.len();
    let workers = job.workers.min(count);
    let digests = Arc::new(Mutex::new(vec![Digest::default(); count]));
    let ramp = Arc::new(Ramp::new(workers, Arc::clone(&job.progress)));
    let results = Arc::clone(&digests);
    let sha1s = PartDigests::new(&job.parts);
    let next = AtomicUsize::new(0);
    let sender = engine.clone();
    engine.workers().run(ramp, caller, move |cancel| {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(part) = job.parts.get(index) else {
            return Ok(Turn::Last);
        };
        let mut part = *part;
        part.piece.sha1 = sha1s.of(&*job.source, &job.parts, index, cancel)?;
        let digest = upload_part(&sender, &job, &part, cancel)?;
        results.lock().unwrap_or_else(PoisonError::into_inner)[index] = digest;
        Ok(Turn::More)
    })?;
    let digests = digests.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(digests.clone())
}

fn upload_part(
    engine: &Engine,
    job: &PartsJob,
    part: &PartPiece,
    cancel: &CancelToken,
) -> Result<Digest> {
    let mut headers = job.headers.clone();
    headers.push(("X-Bz-Part-Number".into(), part.number.to_string()));
    let upload = Upload {
        source: &job.source,
        leases: &job.leases,
        headers: &headers,
        retry: job.retry,
        progress: &job.progress,
    };
    let check = |answer: &[u8], digest: &Digest| check_part(answer, part, digest);
    let (_, digest) = upload.send(engine, part.piece, check, cancel)?;
    job.source.check_unchanged()?;
    Ok(digest)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartAnswer {
    content_length: u64,
    content_sha1: String,
}

/// What B2 says it stored is what was sent.
fn check_part(answer: &[u8], part: &PartPiece, digest: &Digest) -> Result<()> {
    let stored: PartAnswer = serde_json::from_slice(answer)
        .map_err(|error| Error::Protocol(format!("answer of b2_upload_part: {error}")))?;
    let expected = hash::to_hex(digest);
    let actual = stored.content_sha1.trim_start_matches("unverified:");
    if stored.content_length != part.piece.length || !actual.eq_ignore_ascii_case(&expected) {
        return Err(Error::ChecksumMismatch {
            expected,
            actual: format!("{actual} of {} bytes", stored.content_length),
        });
    }
    Ok(())
}

#[derive(Deserialize)]
struct FileAnswer {
    #[serde(rename = "fileId")]
    _file_id: String,
}

/// B2 says that there is a file.
fn check_file(answer: &[u8]) -> Result<()> {
    serde_json::from_slice::<FileAnswer>(answer)
        .map(|_| ())
        .map_err(|error| Error::Protocol(format!("answer of b2_upload_file: {error}")))
}

impl Upload<'_> {
    /// Send all content as one file and return B2's answer (JSON).
    pub fn send_file(
        &self,
        engine: &Engine,
        sha1: Option<Digest>,
        cancel: &CancelToken,
    ) -> Result<Vec<u8>> {
        let piece = Piece {
            offset: 0,
            length: self.source.length(),
            sha1,
        };
        let (answer, _) = self.send(engine, piece, |answer, _| check_file(answer), cancel)?;
        self.source.check_unchanged()?;
        Ok(answer)
    }

    /// Send one piece, with a new lease and a pause after each failure that may pass.
    ///
    /// An answer that `check` finds unreadable is as good as a lost one.
    fn send(
        &self,
        engine: &Engine,
        piece: Piece,
        check: impl Fn(&[u8], &Digest) -> Result<()>,
        cancel: &CancelToken,
    ) -> Result<(Vec<u8>, Digest)> {
        self.source.check_range(piece.offset, piece.length)?;
        let mut attempts = Attempts::new(self.retry);
        let mut counted = RequestProgress::new(self.progress);
        let mut refused = 0;
        // Asking for a lease may take long: not for an upload that is cancelled already.
        cancel.check()?;
        let mut lease = self.leases.take()?;
        loop {
            let before = counted.most();
            let checked = self
                .attempt(engine, &lease, piece, &mut counted, cancel)
                .and_then(|sent| check(&sent.0, &sent.1).map(|()| sent));
            let error = match checked {
                Ok(sent) => {
                    self.leases.give_back(lease);
                    return Ok(sent);
                }
                Err(error) => error,
            };
            if counted.most() > before {
                // One attempt at a large body on a slow line may outlast the deadline.
                attempts.progress();
            }
            if service::is_damaged(&error) {
                // Most of the time the file has changed between hashing and sending.
                self.source.check_unchanged()?;
            }
            if service::is_upload_url_refused(&error) && refused < MAX_REFUSED_URLS {
                refused += 1;
            } else if !service::is_transient(&error) {
                return Err(error);
            }
            attempts.wait(error, cancel)?;
            engine.counters().retry();
            lease = self.leases.fresh()?;
        }
    }

    fn attempt(
        &self,
        engine: &Engine,
        lease: &Lease,
        piece: Piece,
        counted: &mut RequestProgress<'_>,
        cancel: &CancelToken,
    ) -> Result<(Vec<u8>, Digest)> {
        let known = piece.sha1.map(|digest| hash::to_hex(&digest));
        let sha1 = known.as_deref().unwrap_or("hex_digits_at_end");
        let mut headers: Vec<(&str, &str)> =
            vec![("Authorization", &lease.token), ("X-Bz-Content-Sha1", sha1)];
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let request = Request {
            method: Method::Post,
            url: &lease.url,
            headers: &headers,
        };
        let mut reader = PieceReader::new(self.source, piece, counted, engine.counters());
        let body = Body::Reader {
            length: reader.length(),
            reader: &mut reader,
        };
        let mut response = engine.transport().send(&request, body, cancel)?;
        if response.status != 200 {
            return Err(service::error_of(response, &headers, cancel));
        }
        let answer = service::read_small_body(&mut response, cancel)?;
        Ok((answer, reader.digest()?))
    }
}

/// Reads a piece of the source, and behind it the SHA-1 in hex if that was not known before.
struct PieceReader<'a, 'b> {
    source: &'a Source,
    piece: Piece,
    position: u64,
    hasher: Option<Sha1>,
    trailer: Vec<u8>,
    digest: Option<Digest>,
    counted: &'a mut RequestProgress<'b>,
    counters: &'a Counters,
}

/// The SHA-1 behind the content.
const TRAILER: u64 = 40;

impl<'a, 'b> PieceReader<'a, 'b> {
    fn new(
        source: &'a Source,
        piece: Piece,
        counted: &'a mut RequestProgress<'b>,
        counters: &'a Counters,
    ) -> Self {
        Self {
            source,
            piece,
            position: 0,
            hasher: piece.sha1.is_none().then(Sha1::new),
            trailer: Vec::new(),
            digest: piece.sha1,
            counted,
            counters,
        }
    }

    fn length(&self) -> u64 {
        self.piece.length + if self.hasher.is_some() { TRAILER } else { 0 }
    }

    /// The SHA-1 of what was sent.
    fn digest(&self) -> Result<Digest> {
        self.digest
            .ok_or_else(|| Error::Protocol("an answer before the end of the upload".into()))
    }

    fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.piece.length - self.position;
        let count = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let filled = &mut buffer[..count];
        self.source
            .read_exact_at(filled, self.piece.offset + self.position)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(filled);
        }
        let start = self.position;
        self.position += count as u64;
        self.counted.moved(start, self.position);
        self.counters.sent(count);
        Ok(count)
    }
}

impl Read for PieceReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position < self.piece.length {
            return self.read_content(buffer).map_err(io::Error::other);
        }
        if let Some(hasher) = self.hasher.take() {
            let digest = hasher.finish();
            self.digest = Some(digest);
            self.trailer = hash::to_hex(&digest).into_bytes();
        }
        let count = buffer.len().min(self.trailer.len());
        buffer[..count].copy_from_slice(&self.trailer[..count]);
        self.trailer.drain(..count);
        Ok(count)
    }
}
