//! Sending one HTTP request and reading its answer.
//!
//! Everything above this module speaks to a [`Transport`]; the real one is HTTP/1.1, the
//! ones that throttle or fail are for tests.

mod body;
pub mod faulty;
pub mod gated;
pub mod http;
pub mod limited;
pub mod memory;
mod paced;
pub mod throttled;

use std::fmt;
use std::io::Read;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::error::Result;

/// Sends requests over connections that it keeps warm.
pub trait Transport: Send + Sync {
    /// Send a request with its body and wait for the head of the answer.
    ///
    /// An answer with an error status is not an error here. Blocking for the whole call;
    /// `cancel` is checked at least every [`crate::cancel::POLL_INTERVAL`].
    fn send(&self, request: &Request<'_>, body: Body<'_>, cancel: &CancelToken)
    -> Result<Response>;
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// HEAD
    Head,
}

/// The head of a request. `Content-Length` is set by the transport.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: &'a str,
    /// Names and values; values are sent as they are.
    pub headers: &'a [(&'a str, &'a str)],
}

/// The body of a request.
pub enum Body<'a> {
    /// No body.
    Empty,
    /// A body that is in memory.
    Bytes(&'a [u8]),
    /// A body that is read while it is sent.
    ///
    /// An error of the reader that wraps a [`crate::error::Error`] comes back from
    /// [`Transport::send`] as that error.
    Reader {
        /// The exact number of bytes.
        length: u64,
        /// Where they come from.
        reader: &'a mut (dyn Read + Send),
    },
}

/// The head of an answer, and its body still to be read.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body. Dropping it before its end closes the connection.
    pub body: Box<dyn ResponseBody>,
}

/// The body of an answer, read as it arrives.
pub trait ResponseBody: Send {
    /// Read up to `buffer.len()` bytes; 0 at the end of the body.
    ///
    /// A connection that ends before the announced length is `Error::Truncated`.
    fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize>;
}

/// How long the parts of an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name resolution, connection and TLS handshake together.
    pub connect: Duration,
    /// The longest time in which no byte moves in either direction.
    pub idle: Duration,
    /// The same for requests with a body: the service answers when it has stored the content.
    pub upload_idle: Duration,
}

impl Default for Timeouts {
    /// Values that outlast the stalls of 30 to 60 s that B2's users report.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(46),
            idle: Duration::from_secs(128),
            upload_idle: Duration::from_secs(128),
        }
    }
}

impl Response {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// How long the service asks to wait before the request is repeated.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

// Values may hold tokens, so neither of these shows them.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
