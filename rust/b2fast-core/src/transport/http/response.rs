//! Answers: ureq's, as the contract wants them.

use std::io::{self, Read};
use std::time::Duration;

use ureq::BodyReader;
use ureq::http::{self, HeaderMap, header};

use crate::cancel::CancelToken;
use crate::error::{Error, NetworkError, Result};
use crate::transport::http::{exchange, from_io};
use crate::transport::{Method, Response, ResponseBody};

/// Convert an answer to a request of this method; `idle` limits the waits for its body.
pub(super) fn convert(
    response: http::Response<ureq::Body>,
    method: Method,
    host: &str,
    idle: Duration,
) -> Response {
    let (head, body) = response.into_parts();
    let expected = match method {
        Method::Head => Some(0),
        Method::Get | Method::Post => content_length(&head.headers),
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let mut body = HttpBody {
        state: State::Open(body.into_reader()),
        expected,
        received: 0,
        host: host.into(),
        idle,
    };
    body.finish_if_complete();
    Response {
        status: head.status.as_u16(),
        headers,
        body: Box::new(body),
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    // A chunked body has its own end; ureq ignores the length then, too.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

struct HttpBody {
    state: State,
    expected: Option<u64>,
    received: u64,
    host: Box<str>,
    idle: Duration,
}

enum State {
    Open(BodyReader<'static>),
    Complete,
    Failed,
}

impl HttpBody {
    /// Give the connection back as soon as the last byte is read, not when the caller asks
    /// for more: one who knows the length may never do so.
    fn finish_if_complete(&mut self) {
        if self.expected == Some(self.received)
            && let State::Open(reader) = &mut self.state
        {
            // ureq returns the connection to the pool when it reports the end. It waits for
            // nothing here; should it fail, the connection is closed and the body is whole.
            let _ = reader.read(&mut [0]);
            self.state = State::Complete;
        }
    }

    fn failure(&self, error: io::Error) -> Error {
        match (from_io(error, &self.host), self.expected) {
            (
                Error::Network {
                    kind: NetworkError::ConnectionLost,
                    ..
                },
                Some(expected),
            ) => Error::Truncated {
                expected,
                received: self.received,
            },
            (error, _) => error,
        }
    }
}

impl ResponseBody for HttpBody {
    fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        let reader = match &mut self.state {
            State::Complete => return Ok(0),
            State::Failed => {
                return Err(Error::Network {
                    kind: NetworkError::ConnectionLost,
                    host: self.host.to_string(),
                    detail: "the body failed before".to_owned(),
                });
            }
            State::Open(_) if buffer.is_empty() => return Ok(0),
            State::Open(reader) => reader,
        };
        let _guard = exchange::Guard::enter(cancel, self.idle);
        let result = cancel.check().map_err(io::Error::other);
        match result.and_then(|()| reader.read(buffer)) {
            Ok(0) => {
                self.state = State::Complete;
                Ok(0)
            }
            Ok(count) => {
                self.received += count as u64;
                self.finish_if_complete();
                Ok(count)
            }
            Err(error) => {
                // Closes the connection at once: the rest of the body is still in it.
                self.state = State::Failed;
                Err(self.failure(error))
            }
        }
    }
}
