//! Bodies that wait after each stretch that moved.

use std::io::{self, Read};

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::transport::body::BodyReader;
use crate::transport::{Body, Request, Response, ResponseBody, Transport};

/// Says how fast bytes may move.
pub(super) trait Pace: Send + Sync {
    /// How much of `wanted` bytes is to move at a time.
    fn at_once(&self, wanted: usize) -> usize;

    /// Waits for as long as the bytes that moved are to take.
    fn pay(&self, bytes: usize, cancel: &CancelToken) -> Result<()>;
}

/// Sends a request whose body keeps to a pace.
pub(super) fn send(
    transport: &impl Transport,
    request: &Request<'_>,
    body: Body<'_>,
    pace: &impl Pace,
    cancel: &CancelToken,
) -> Result<Response> {
    let length = body.length();
    if length == 0 {
        return transport.send(request, body, cancel);
    }
    let mut reader = PacedReader {
        body: BodyReader::new(body),
        pace,
        cancel,
    };
    let body = Body::Reader {
        length,
        reader: &mut reader,
    };
    transport.send(request, body, cancel)
}

/// The same answer, whose body keeps to a pace.
pub(super) fn paced(response: Response, pace: impl Pace + 'static) -> Response {
    Response {
        body: Box::new(PacedBody {
            inner: response.body,
            pace,
        }),
        ..response
    }
}

struct PacedReader<'a, 'b, P> {
    body: BodyReader<'b>,
    pace: &'a P,
    cancel: &'a CancelToken,
}

impl<P: Pace> Read for PacedReader<'_, '_, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.pace.at_once(buffer.len());
        let count = self.body.read(&mut buffer[..most])?;
        self.pace
            .pay(count, self.cancel)
            .map_err(io::Error::other)?;
        Ok(count)
    }
}

struct PacedBody<P> {
    inner: Box<dyn ResponseBody>,
    pace: P,
}

impl<P: Pace> ResponseBody for PacedBody<P> {
    fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        let most = self.pace.at_once(buffer.len());
        let count = self.inner.read(&mut buffer[..most], cancel)?;
        self.pace.pay(count, cancel)?;
        Ok(count)
    }
}
