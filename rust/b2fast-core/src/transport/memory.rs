//! A transport without a network, for tests: a closure answers.

use std::fmt;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::transport::body::{BodyReader, unwrap_own_error};
use crate::transport::{Body, Method, Request, Response, ResponseBody, Transport};

/// How much of a request body is read between two checks for cancellation.
const CHUNK: u64 = 64 * 1024;

/// A request that was sent, without its body.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The number of bytes of the body.
    pub body_length: u64,
}

/// What a handler answers.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values. `content-length` is added where it is missing.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Answers a request and its body.
pub type Handler = Box<dyn Fn(&RecordedRequest, Vec<u8>) -> Answer + Send + Sync>;

/// A transport that asks a closure for every answer and records every request.
///
/// Requests of several threads are answered at the same time.
pub struct MemoryTransport {
    handler: Handler,
    requests: Mutex<Vec<RecordedRequest>>,
}

impl RecordedRequest {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Answer {
    /// An answer with a status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The answer as a transport hands it out.
    pub(super) fn into_response(mut self, method: Method) -> Response {
        if find(&self.headers, "content-length").is_none() {
            let length = self.body.len().to_string();
            self.headers.push(("content-length".to_owned(), length));
        }
        if method == Method::Head {
            self.body.clear();
        }
        Response {
            status: self.status,
            headers: self.headers,
            body: Box::new(MemoryBody {
                content: self.body,
                position: 0,
            }),
        }
    }
}

impl MemoryTransport {
    /// A transport that answers with what `handler` returns.
    ///
    /// The handler gets the whole body of the request.
    pub fn new(
        handler: impl Fn(&RecordedRequest, Vec<u8>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            handler: Box::new(handler),
            requests: Mutex::new(Vec::new()),
        }
    }

    /// The requests whose bodies arrived in full, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.recorded().clone()
    }

    fn recorded(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        // A panic elsewhere leaves the list whole: it only ever grows by a push.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for MemoryTransport {
    fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        let content = read_body(body, cancel)?;
        let recorded = RecordedRequest {
            method: request.method,
            url: request.url.to_owned(),
            headers: request
                .headers
                .iter()
                .map(|&(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body_length: content.len() as u64,
        };
        self.recorded().push(recorded.clone());
        let answer = (self.handler)(&recorded, content);
        cancel.check()?;
        Ok(answer.into_response(request.method))
    }
}

fn read_body(body: Body<'_>, cancel: &CancelToken) -> Result<Vec<u8>> {
    let mut reader = BodyReader::new(body);
    let mut content = Vec::new();
    loop {
        cancel.check()?;
        let count = reader
            .by_ref()
            .take(CHUNK)
            .read_to_end(&mut content)
            .map_err(|error| {
                unwrap_own_error(error)
                    .unwrap_or_else(|error| Error::InvalidArgument(error.to_string()))
            })?;
        if count == 0 {
            return Ok(content);
        }
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

struct MemoryBody {
    content: Vec<u8>,
    position: usize,
}

impl ResponseBody for MemoryBody {
    fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        cancel.check()?;
        let rest = &self.content[self.position..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}

// Values of headers may hold tokens, so none of these shows them.
impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("body_length", &self.body_length)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTransport")
            .field("requests", &self.recorded().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://pod.example/upload";

    fn request(method: Method) -> Request<'static> {
        Request {
            method,
            url: URL,
            headers: &[("Authorization", "very secret")],
        }
    }

    fn echo() -> MemoryTransport {
        MemoryTransport::new(|_, body| Answer::new(200, body).header("X-Echo", "yes"))
    }

    fn read_all(mut response: Response) -> Vec<u8> {
        let mut content = Vec::new();
        let mut buffer = [0; 3];
        loop {
            let count = response
                .body
                .read(&mut buffer, &CancelToken::new())
                .unwrap();
            if count == 0 {
                return content;
            }
            content.extend_from_slice(&buffer[..count]);
        }
    }

    #[test]
    fn answers_and_records() {
        let transport = echo();
        let mut source: &[u8] = b"hello world";
        let body = Body::Reader {
            length: 5,
            reader: &mut source,
        };
        let response = transport
            .send(&request(Method::Post), body, &CancelToken::new())
            .unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.header("x-echo"), Some("yes"));
        assert_eq!(response.header("content-length"), Some("5"));
        assert_eq!(read_all(response), b"hello");

        let recorded = transport.requests();
        assert_eq!(recorded.len(), 1);
        assert_eq!(recorded[0].url, URL);
        assert_eq!(recorded[0].header("authorization"), Some("very secret"));
        assert_eq!(recorded[0].body_length, 5);
        assert!(!format!("{recorded:?}").contains("secret"));
    }

    #[test]
    fn head_has_a_length_but_no_body() {
        let transport = MemoryTransport::new(|_, _| Answer::new(200, "content"));
        let response = transport
            .send(&request(Method::Head), Body::Empty, &CancelToken::new())
            .unwrap();
        assert_eq!(response.header("content-length"), Some("7"));
        assert_eq!(read_all(response), b"");
    }

    #[test]
    fn cancelled_requests_are_not_answered() {
        let transport = echo();
        let cancel = CancelToken::new();
        cancel.cancel();
        let result = transport.send(&request(Method::Get), Body::Empty, &cancel);
        assert!(matches!(result, Err(Error::Cancelled)));
        assert!(transport.requests().is_empty());
    }
}
