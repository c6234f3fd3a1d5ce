//! A transport that fails by script, for tests of what stands above it.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::error::{Error, NetworkError, Result};
use crate::transport::body::BodyReader;
use crate::transport::memory::Answer;
use crate::transport::{Body, Request, Response, ResponseBody, Transport};

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The network fails before anything is sent.
    Fail(NetworkError),
    /// This is the answer; the request is not passed on, and its body not read.
    Answer(Answer),
    /// The connection is lost after this many bytes of the request's body.
    CutRequest(u64),
    /// The request is passed on and takes effect, but the connection is lost before the answer.
    LoseAnswer,
    /// The connection is lost after this many bytes of the answer's body.
    TruncateAnswer(u64),
    /// The lowest bit of the answer's byte at this offset is flipped.
    FlipBit(u64),
}

impl Fault {
    /// An error answer as B2 gives it.
    #[must_use]
    pub fn refuse(status: u16, code: &str, retry_after: Option<Duration>) -> Self {
        let body =
            format!(r#"{{"code": "{code}", "message": "scripted failure", "status": {status}}}"#);
        let answer = Answer::new(status, body).header("content-type", "application/json");
        Self::Answer(match retry_after {
            Some(duration) => answer.header("retry-after", duration.as_secs().to_string()),
            None => answer,
        })
    }
}

/// Decides by the number of a request, counted from 0, and by its head.
type Script = Box<dyn Fn(usize, &Request<'_>) -> Option<Fault> + Send + Sync>;

/// Passes requests on to another transport, but for those that its script lets fail.
pub struct Faulty<T> {
    inner: T,
    script: Script,
    requests: AtomicUsize,
}

impl<T> Faulty<T> {
    /// A transport that asks `script` about every request: its number, counted from 0, and its head.
    pub fn new(
        inner: T,
        script: impl Fn(usize, &Request<'_>) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            script: Box::new(script),
            requests: AtomicUsize::new(0),
        }
    }

    /// A transport in which the requests with these numbers, counted from 0, fail.
    pub fn scripted(inner: T, faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        let faults: Vec<(usize, Fault)> = faults.into_iter().collect();
        Self::new(inner, move |number, _| {
            let found = faults.iter().find(|(which, _)| *which == number);
            found.map(|(_, fault)| fault.clone())
        })
    }

    /// The transport that gets the requests.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// How many requests there were, with those that failed.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }
}

impl<T: Transport> Transport for Faulty<T> {
    fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        cancel.check()?;
        let number = self.requests.fetch_add(1, Ordering::AcqRel);
        match (self.script)(number, request) {
            None => self.inner.send(request, body, cancel),
            Some(Fault::Fail(kind)) => Err(failure(kind)),
            Some(Fault::Answer(answer)) => Ok(answer.into_response(request.method)),
            Some(Fault::CutRequest(after)) => {
                let length = body.length();
                let mut reader = CutReader {
                    body: BodyReader::new(body),
                    left: after,
                };
                let reader = &mut reader;
                self.inner
                    .send(request, Body::Reader { length, reader }, cancel)
            }
            Some(Fault::LoseAnswer) => {
                self.inner.send(request, body, cancel)?;
                Err(failure(NetworkError::ConnectionLost))
            }
            Some(Fault::TruncateAnswer(after)) => {
                let response = self.inner.send(request, body, cancel)?;
                Ok(truncate(response, after))
            }
            Some(Fault::FlipBit(offset)) => {
                let response = self.inner.send(request, body, cancel)?;
                Ok(Response {
                    body: Box::new(FlippedBody {
                        inner: response.body,
                        left: offset,
                    }),
                    ..response
                })
            }
        }
    }
}

fn failure(kind: NetworkError) -> Error {
    Error::Network {
        kind,
        host: "scripted.invalid".to_owned(),
        detail: "scripted failure".to_owned(),
    }
}

/// A request body whose sender goes away.
struct CutReader<'a> {
    body: BodyReader<'a>,
    left: u64,
}

impl Read for CutReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(failure(NetworkError::ConnectionLost)));
        }
        let count = self.body.by_ref().take(self.left).read(buffer)?;
        self.left -= count as u64;
        Ok(count)
    }
}

fn truncate(response: Response, after: u64) -> Response {
    let expected = response
        .header("content-length")
        .and_then(|value| value.parse().ok());
    Response {
        body: Box::new(TruncatedBody {
            inner: response.body,
            expected,
            after,
            received: 0,
        }),
        ..response
    }
}

/// The body of an answer whose sender goes away.
struct TruncatedBody {
    inner: Box<dyn ResponseBody>,
    expected: Option<u64>,
    after: u64,
    received: u64,
}

impl ResponseBody for TruncatedBody {
    fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        let left = self.after - self.received;
        if left == 0 && self.expected != Some(self.received) {
            return Err(match self.expected {
                Some(expected) => Error::Truncated {
                    expected,
                    received: self.received,
                },
                None => failure(NetworkError::ConnectionLost),
            });
        }
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut buffer[..most], cancel)?;
        self.received += count as u64;
        Ok(count)
    }
}

/// The body of an answer with one bit wrong.
struct FlippedBody {
    inner: Box<dyn ResponseBody>,
    /// Bytes before the wrong one. Stays as it is after that byte.
    left: u64,
}

impl ResponseBody for FlippedBody {
    fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        let count = self.inner.read(buffer, cancel)?;
        if let Some(byte) = usize::try_from(self.left)
            .ok()
            .and_then(|left| buffer[..count].get_mut(left))
        {
            *byte ^= 1;
            self.left = u64::MAX;
        } else if self.left != u64::MAX {
            self.left -= count as u64;
        }
        Ok(count)
    }
}

impl<T: fmt::Debug> fmt::Debug for Faulty<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty")
            .field("inner", &self.inner)
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Method;
    use crate::transport::memory::MemoryTransport;

    const CONTENT: &[u8] = b"0123456789";

    fn faulty(faults: impl IntoIterator<Item = (usize, Fault)>) -> Faulty<MemoryTransport> {
        Faulty::scripted(
            MemoryTransport::new(|_, body| Answer::new(200, body)),
            faults,
        )
    }

    fn post(transport: &impl Transport) -> Result<Response> {
        let request = Request {
            method: Method::Post,
            url: "https://pod.example/",
            headers: &[],
        };
        let mut reader = CONTENT;
        let body = Body::Reader {
            length: CONTENT.len() as u64,
            reader: &mut reader,
        };
        transport.send(&request, body, &CancelToken::new())
    }

    fn read_all(response: &mut Response) -> (Vec<u8>, Result<()>) {
        let mut content = Vec::new();
        let mut buffer = [0; 3];
        loop {
            match response.body.read(&mut buffer, &CancelToken::new()) {
                Ok(0) => return (content, Ok(())),
                Ok(count) => content.extend_from_slice(&buffer[..count]),
                Err(error) => return (content, Err(error)),
            }
        }
    }

    fn is_lost<T>(result: &Result<T>) -> bool {
        matches!(
            result,
            Err(Error::Network {
                kind: NetworkError::ConnectionLost,
                ..
            })
        )
    }

    #[test]
    fn fails_by_number() {
        let transport = faulty([
            (1, Fault::Fail(NetworkError::Timeout)),
            (
                2,
                Fault::refuse(503, "service_unavailable", Some(Duration::from_secs(7))),
            ),
        ]);
        assert_eq!(post(&transport).unwrap().status, 200);
        let failed = post(&transport);
        assert!(matches!(
            failed,
            Err(Error::Network {
                kind: NetworkError::Timeout,
                ..
            })
        ));
        let mut refused = post(&transport).unwrap();
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("retry-after"), Some("7"));
        let (body, _) = read_all(&mut refused);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], "service_unavailable");
        assert_eq!(body["status"], 503);
        assert_eq!(post(&transport).unwrap().status, 200);
        assert_eq!(transport.requests(), 4);
        assert_eq!(transport.inner().requests().len(), 2);
    }

    #[test]
    fn cuts_requests() {
        for after in [0, 4, 9] {
            let transport = faulty([(0, Fault::CutRequest(after))]);
            assert!(is_lost(&post(&transport)), "{after}");
            assert!(transport.inner().requests().is_empty(), "{after}");
        }
    }

    #[test]
    fn loses_answers_of_requests_that_took_effect() {
        let transport = faulty([(0, Fault::LoseAnswer)]);
        assert!(is_lost(&post(&transport)));
        assert_eq!(transport.inner().requests().len(), 1);
    }

    #[test]
    fn truncates_answers() {
        for after in [0, 4, 9] {
            let transport = faulty([(0, Fault::TruncateAnswer(after))]);
            let (content, result) = read_all(&mut post(&transport).unwrap());
            assert_eq!(content.len() as u64, after);
            let Err(Error::Truncated { expected, received }) = result else {
                panic!("{result:?}");
            };
            assert_eq!((expected, received), (10, after));
        }
        let transport = faulty([(0, Fault::TruncateAnswer(10))]);
        let (content, result) = read_all(&mut post(&transport).unwrap());
        assert_eq!(content, CONTENT);
        assert!(result.is_ok(), "nothing is missing");
    }

    #[test]
    fn flips_one_bit() {
        for offset in 0..12 {
            let transport = faulty([(0, Fault::FlipBit(offset))]);
            let (content, _) = read_all(&mut post(&transport).unwrap());
            let wrong: Vec<usize> = (0..10).filter(|&i| content[i] != CONTENT[i]).collect();
            let expected: Vec<usize> = (0..10).filter(|&i| i as u64 == offset).collect();
            assert_eq!(wrong, expected);
        }
    }
}
