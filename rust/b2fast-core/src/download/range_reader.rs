//! A range of one file, read in order, over as many connections as it takes.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::retry::Attempts;
use crate::service;
use crate::transport::{Body, Method, Request, Response};

use super::Remote;

/// How many times in a row a new token may be refused.
const MAX_REFUSED_TOKENS: u32 = 2;

/// An answer that brings content.
pub(crate) struct Opened {
    pub(crate) response: Response,
    pub(crate) start: u64,
    /// Behind the last byte of this answer.
    pub(crate) end: u64,
    /// The size of the whole file.
    pub(crate) total: u64,
    /// The version of the file that is sent, if the service named it.
    file_id: Option<String>,
}

/// Ask for the bytes of `range` (end exclusive), or for everything.
///
/// Waits and tries again where that helps; a refused token is replaced.
pub(crate) fn open(
    remote: &Remote,
    url: &str,
    range: Option<(u64, u64)>,
    cancel: &CancelToken,
) -> Result<Opened> {
    let mut attempts = Attempts::new(remote.retry);
    loop {
        match open_once(remote, url, range, cancel) {
            Err(error) if service::is_transient(&error) => {
                attempts.wait(error, cancel)?;
                remote.engine.counters().retry();
            }
            result => return result,
        }
    }
}

fn open_once(
    remote: &Remote,
    url: &str,
    range: Option<(u64, u64)>,
    cancel: &CancelToken,
) -> Result<Opened> {
    let range_header = range.map(|(start, end)| format!("bytes={start}-{}", end - 1));
    let mut refused = 0;
    loop {
        let token = remote.token()?;
        let mut headers: Vec<(&str, &str)> = remote
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("Authorization", &token));
        if let Some(range_header) = &range_header {
            headers.push(("Range", range_header));
        }
        let request = Request {
            method: Method::Get,
            url,
            headers: &headers,
        };
        let response = remote
            .engine
            .transport()
            .send(&request, Body::Empty, cancel)?;
        if matches!(response.status, 200 | 206) {
            return Opened::new(response);
        }
        let error = service::error_of(response, &headers, cancel);
        if !service::is_token_refused(&error) || refused == MAX_REFUSED_TOKENS {
            return Err(error);
        }
        refused += 1;
        remote.token_after(&token)?;
    }
}

impl Opened {
    fn new(response: Response) -> Result<Self> {
        let (start, end, total) = if response.status == 206 {
            response
                .header("content-range")
                .and_then(parse_content_range)
                .ok_or_else(|| Error::Protocol("a partial answer without Content-Range".into()))?
        } else {
            let total = response
                .header("content-length")
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| Error::Protocol("a download without Content-Length".into()))?;
            (0, total, total)
        };
        Ok(Self {
            file_id: response.header("x-bz-file-id").map(str::to_owned),
            response,
            start,
            end,
            total,
        })
    }
}

/// `bytes a-b/total` as (a, b + 1, total).
fn parse_content_range(value: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (start, end) = (
        first.parse().ok()?,
        last.parse::<u64>().ok()?.checked_add(1)?,
    );
    let total = total.parse().ok()?;
    (start < end && end <= total).then_some((start, end, total))
}

/// Reads `position..end` of a file; a broken connection is replaced where it broke.
pub(crate) struct RangeReader {
    remote: Arc<Remote>,
    url: String,
    file_id: Option<String>,
    position: u64,
    end: u64,
    total: u64,
    current: Option<(Response, u64)>,
    attempts: Attempts,
}

impl RangeReader {
    /// Read on with an answer that has arrived, up to `end` even if it brings less.
    pub(crate) fn continued(remote: Arc<Remote>, url: String, opened: Opened, end: u64) -> Self {
        Self {
            attempts: Attempts::new(remote.retry),
            remote,
            url,
            file_id: opened.file_id,
            position: opened.start,
            end,
            total: opened.total,
            current: Some((opened.response, opened.end)),
        }
    }

    /// Another range of the same version of the file.
    pub(crate) fn sibling(&self, start: u64, end: u64) -> Self {
        Self {
            remote: Arc::clone(&self.remote),
            url: self.url.clone(),
            file_id: self.file_id.clone(),
            position: start,
            end,
            total: self.total,
            current: None,
            attempts: Attempts::new(self.remote.retry),
        }
    }

    /// The ID of the version that is read, if the service named it.
    pub(crate) fn file_id(&self) -> Option<&str> {
        self.file_id.as_deref()
    }

    /// Where the next byte comes from.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes are still to come.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.position
    }

    /// Read no further than this.
    pub(crate) fn stop_at(&mut self, end: u64) {
        self.end = end.min(self.end);
    }

    /// Where this very version of the file is found by its ID, for new connections.
    pub(crate) fn continue_at(&mut self, url: String) {
        self.url = url;
    }

    /// Read up to `buffer.len()` bytes; 0 at the end of the range.
    pub(crate) fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        loop {
            if self.left() == 0 || buffer.is_empty() {
                return Ok(0);
            }
            match self.read_once(buffer, cancel) {
                Ok(0) => self.current = None,
                Ok(count) => {
                    self.position += count as u64;
                    self.attempts.progress();
                    return Ok(count);
                }
                Err(error) if service::is_transient(&error) => {
                    self.current = None;
                    self.attempts.wait(error, cancel)?;
                    self.remote.engine.counters().retry();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// 0 when the current answer is at its end.
    fn read_once(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        if self.current.is_none() {
            self.current = Some(self.reopen(cancel)?);
        }
        let Some((response, answer_end)) = &mut self.current else {
            return Ok(0);
        };
        let left = self.end.min(*answer_end) - self.position;
        let count = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 {
            return Ok(0);
        }
        match response.body.read(&mut buffer[..count], cancel)? {
            0 => Err(Error::Truncated {
                expected: *answer_end,
                received: self.position,
            }),
            count => {
                self.remote.engine.counters().received(count);
                Ok(count)
            }
        }
    }

    fn reopen(&self, cancel: &CancelToken) -> Result<(Response, u64)> {
        let opened = open_once(
            &self.remote,
            &self.url,
            Some((self.position, self.end)),
            cancel,
        )?;
        let same_file = self.file_id == opened.file_id || self.file_id.is_none();
        if !same_file || opened.total != self.total || opened.start != self.position {
            return Err(Error::Service(crate::error::ServiceError {
                status: 409,
                code: "file_changed".into(),
                message: "the file was replaced by another version during the download".into(),
                retry_after: None,
            }));
        }
        Ok((opened.response, opened.end))
    }
}

#[cfg(test)]
mod tests {
    use super::parse_content_range;

    #[test]
    fn content_range() {
        assert_eq!(parse_content_range("bytes 0-9/10"), Some((0, 10, 10)));
        assert_eq!(parse_content_range("bytes 5-5/10"), Some((5, 6, 10)));
        for wrong in [
            "",
            "bytes */10",
            "bytes 9-5/10",
            "bytes 0-10/10",
            "0-9/10",
            "bytes 0-9/*",
            "bytes 0-18446744073709551615/10",
        ] {
            assert_eq!(parse_content_range(wrong), None, "{wrong}");
        }
    }
}
