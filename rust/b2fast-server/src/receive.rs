//! Receives a request: a small body into a buffer, content into the store.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{EXPECT, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use crate::body_faults::{BodyFaults, HowItEnds, Pace};
use crate::hang_up::HangUp;
use crate::message::{Payload, Request, Response};
use crate::store::ContentStore;
use crate::trailer::{TRAILER_LENGTH, TrailerSplitter, lenient_text};

/// The largest body of an upload: B2's limit of 5 GB for a file or part, and the digest.
const MAX_UPLOAD: u64 = 5_000_000_000 + TRAILER_LENGTH;

/// How much of a refused body is read all the same: most clients look at the answer only
/// when they have sent everything, and find a connection reset when nobody has read it.
const MAX_DISCARDED: u64 = 64 << 20;

/// The path segments of the calls whose body is content.
const UPLOAD_CALLS: [&str; 2] = ["b2_upload_file", "b2_upload_part"];

/// Why a connection is dropped without an answer.
#[derive(Debug)]
pub(crate) enum Aborted {
    /// The client ended its body early, or broke the rules of HTTP.
    ByClient(hyper::Error),
    /// A scripted fault.
    ByFault,
    /// The server stops, or its handler panicked.
    Unanswered,
}

impl std::fmt::Display for Aborted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByClient(error) => write!(formatter, "the request did not arrive: {error}"),
            Self::ByFault => formatter.write_str("dropped by a scripted fault"),
            Self::Unanswered => formatter.write_str("the server stops, or its handler panicked"),
        }
    }
}

impl std::error::Error for Aborted {}

impl From<hyper::Error> for Aborted {
    fn from(error: hyper::Error) -> Self {
        Self::ByClient(error)
    }
}

/// What became of a request.
pub(crate) enum Received {
    Request(Request),
    /// The handler is not asked: this is the answer.
    Refused(Response),
}

/// Receives requests.
pub(crate) struct Receiver {
    pub(crate) store: ContentStore,
    /// The largest body that is not content, in bytes.
    pub(crate) max_body: u64,
}

impl Receiver {
    /// Receives the request of `peer` that begins with `parts`. An upload's body meets what
    /// `faults_of` says of it.
    pub(crate) async fn receive(
        &self,
        parts: &Parts,
        body: Incoming,
        peer: IpAddr,
        hang_up: &HangUp,
        faults_of: impl Future<Output = Result<BodyFaults, Aborted>>,
    ) -> Result<Received, Aborted> {
        let started = Instant::now();
        let received = if is_upload(parts) {
            let body = Arriving::new(body, faults_of.await?, hang_up);
            self.receive_content(&parts.headers, body).await?
        } else {
            self.receive_small(&parts.headers, body).await?
        };
        Ok(match received {
            Ok(payload) => Received::Request(request(parts, payload, started, peer)),
            Err(refusal) => Received::Refused(refusal),
        })
    }

    async fn receive_content(
        &self,
        headers: &HeaderMap,
        mut arriving: Arriving<'_>,
    ) -> Result<Result<Payload, Response>, Aborted> {
        let Some(length) = arriving.body.size_hint().exact() else {
            let message = "an upload needs a Content-Length; chunked encoding is not supported";
            return refuse(
                headers,
                arriving.body,
                StatusCode::BAD_REQUEST,
                "bad_request",
                message,
            )
            .await;
        };
        if length > MAX_UPLOAD {
            let message = format!("an upload has at most {MAX_UPLOAD} bytes, not {length}");
            return refuse(
                headers,
                arriving.body,
                StatusCode::BAD_REQUEST,
                "bad_request",
                &message,
            )
            .await;
        }
        let has_trailer = headers
            .get("x-bz-content-sha1")
            .is_some_and(|value| value == "hex_digits_at_end");
        let mut splitter = has_trailer.then(|| TrailerSplitter::new(length));
        let content_length = if has_trailer {
            length.saturating_sub(TRAILER_LENGTH)
        } else {
            length
        };
        let mut writer = match self.store.writer(content_length) {
            Ok(writer) => writer,
            Err(error) => return refuse_unstored(headers, arriving.body, &error).await,
        };
        while let Some(chunk) = arriving.next_chunk().await? {
            let content = match &mut splitter {
                Some(splitter) => splitter.content_of(&chunk),
                None => &chunk[..],
            };
            if let Err(error) = writer.write(content).await {
                return refuse_unstored(headers, arriving.body, &error).await;
            }
        }
        match writer.finish().await {
            Ok(content) => Ok(Ok(Payload::Content {
                content,
                trailing_sha1: splitter.map(TrailerSplitter::finish),
            })),
            Err(error) => refuse_unstored(headers, arriving.body, &error).await,
        }
    }

    async fn receive_small(
        &self,
        headers: &HeaderMap,
        mut body: Incoming,
    ) -> Result<Result<Payload, Response>, Aborted> {
        let mut small = SmallBody::default();
        let mut fits = body.size_hint().lower() <= self.max_body;
        while fits && let Some(frame) = body.frame().await {
            let Ok(chunk) = frame?.into_data() else {
                continue;
            };
            small.push(chunk);
            fits = small.length() <= self.max_body;
        }
        if fits {
            return Ok(Ok(Payload::Body(small.finish())));
        }
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let message = format!("the body has more than {} bytes", self.max_body);
        refuse(headers, body, status, "bad_request", &message).await
    }
}

/// The body of an upload on its way in, faults included.
struct Arriving<'a> {
    body: Incoming,
    received: u64,
    faults: BodyFaults,
    pace: Option<Pace>,
    hang_up: &'a HangUp,
}

impl<'a> Arriving<'a> {
    fn new(body: Incoming, faults: BodyFaults, hang_up: &'a HangUp) -> Self {
        Self {
            body,
            received: 0,
            faults,
            pace: faults.pace(),
            hang_up,
        }
    }

    /// The next bytes. A body that is to break off never comes to its end.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Aborted> {
        loop {
            if let Some(ending) = self.faults.ending
                && self.received >= ending.after
            {
                return Err(self.break_off(ending.how).await);
            }
            if let Some(pace) = &self.pace {
                tokio::time::sleep_until(pace.due(self.received)).await;
            }
            let Some(frame) = self.body.frame().await else {
                return match self.faults.ending {
                    Some(ending) => Err(self.break_off(ending.how).await),
                    None => Ok(None),
                };
            };
            let Ok(chunk) = frame?.into_data() else {
                continue;
            };
            let chunk = self.faults.flip(self.received, chunk);
            self.received += chunk.len() as u64;
            return Ok(Some(chunk));
        }
    }

    async fn break_off(&mut self, how: HowItEnds) -> Aborted {
        match how {
            HowItEnds::Reset => self.hang_up.reset(),
            HowItEnds::Stall => std::future::pending().await,
            HowItEnds::Close => {
                self.hang_up.finish();
                // The kernel resets a connection that is closed before all that came was read.
                if let Err(error) = discard(&mut self.body).await {
                    return error.into();
                }
            }
        }
        Aborted::ByFault
    }
}

/// Reads what is left of a body and forgets it, up to a limit.
async fn discard(body: &mut Incoming) -> Result<(), hyper::Error> {
    let mut discarded = body.size_hint().lower();
    while discarded <= MAX_DISCARDED
        && let Some(frame) = body.frame().await
    {
        let Ok(chunk) = frame?.into_data() else {
            continue;
        };
        if body.size_hint().exact().is_none() {
            discarded += chunk.len() as u64;
        }
    }
    Ok(())
}

/// Joins chunks; a single one, the rule, is passed on without a copy.
#[derive(Default)]
struct SmallBody {
    first: Bytes,
    all: BytesMut,
}

impl SmallBody {
    fn push(&mut self, chunk: Bytes) {
        if self.length() == 0 {
            self.first = chunk;
        } else {
            if self.all.is_empty() {
                self.all.extend_from_slice(&self.first);
            }
            self.all.extend_from_slice(&chunk);
        }
    }

    fn length(&self) -> u64 {
        self.first.len().max(self.all.len()) as u64
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

/// The request of `peer` that begins with `parts`.
pub(crate) fn request(parts: &Parts, payload: Payload, started: Instant, peer: IpAddr) -> Request {
    Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: joined(&parts.headers),
        payload,
        started,
        peer,
    }
}

fn is_upload(parts: &Parts) -> bool {
    parts.method == Method::POST
        && parts
            .uri
            .path()
            .split('/')
            .any(|segment| UPLOAD_CALLS.contains(&segment))
}

fn joined(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .keys()
        .map(|name| {
            let values: Vec<String> = headers
                .get_all(name)
                .iter()
                .map(|value| lenient_text(value.as_bytes()))
                .collect();
            (name.as_str().to_owned(), values.join(", "))
        })
        .collect()
}

async fn refuse_unstored(
    headers: &HeaderMap,
    body: Incoming,
    error: &io::Error,
) -> Result<Result<Payload, Response>, Aborted> {
    let message = format!("the content cannot be stored: {error}");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    refuse(headers, body, status, "internal_error", &message).await
}

async fn refuse(
    headers: &HeaderMap,
    mut body: Incoming,
    status: StatusCode,
    code: &str,
    message: &str,
) -> Result<Result<Payload, Response>, Aborted> {
    let mut response = Response::error(status, code, message);
    response.close = true;
    // A client that waits for a go-ahead gets the answer instead.
    if !headers.contains_key(EXPECT) {
        discard(&mut body).await?;
    }
    Ok(Err(response))
}
