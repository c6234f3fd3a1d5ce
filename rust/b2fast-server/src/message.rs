//! What a handler is asked and what it answers.

use std::fmt::{self, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, StatusCode};

use crate::body_faults::BodyFaults;
use crate::content::Content;

/// A request whose body has arrived completely, if nothing else is said.
pub struct Request {
    /// The method, as sent: `GET`.
    pub method: String,
    /// The path, as sent: still percent-encoded.
    pub path: String,
    /// What follows the `?`, as sent; empty when there is none.
    pub query: String,
    /// Lower-case names with their values; values of one name joined by `, `.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Payload,
    /// When the head had arrived: the body takes its time, and uploads may overlap.
    pub started: Instant,
    /// Who sent it.
    pub peer: IpAddr,
}

/// The body of a request.
pub enum Payload {
    /// Anything but the content of a file.
    Body(Bytes),
    /// The content of a file or part.
    Content {
        /// What is to be stored.
        content: Content,
        /// What followed the content in the body, when the client announced a digest there.
        trailing_sha1: Option<String>,
    },
}

impl fmt::Debug for Request {
    /// Without query, headers and body: tokens travel in all of them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// An answer, and the faults to commit while it is sent.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Content,
    /// Close the connection afterwards.
    pub close: bool,
    /// Wait so long before anything is sent.
    pub delay: Duration,
    /// What goes wrong with the body, of which all bytes are announced; what is stored stays
    /// intact. An ending after 0 bytes strikes before the head: the answer is lost. Otherwise
    /// a body of no more bytes than that, or none because of the method, is sent whole, and
    /// the connection closed.
    pub faults: BodyFaults,
}

/// Why a response cannot be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidResponse(String);

impl fmt::Display for InvalidResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InvalidResponse {}

impl Response {
    /// An answer with `status` (200 to 599), `headers` and `body`. The server sets
    /// `Content-Length`.
    pub fn new(
        status: u16,
        headers: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
        body: Content,
    ) -> Result<Self, InvalidResponse> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|code| (200..600).contains(&code.as_u16()))
            .ok_or_else(|| InvalidResponse(format!("status {status} is not in 200..=599")))?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            // The value may be a secret, so only the name is told.
            let header_name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| InvalidResponse(format!("{name:?} is no name of a header")))?;
            let header_value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| InvalidResponse(format!("the value of {name:?} is not valid")))?;
            if header_name == TRANSFER_ENCODING {
                return Err(InvalidResponse(format!(
                    "{name:?} is for the server to set"
                )));
            }
            map.append(header_name, header_value);
        }
        Ok(Self {
            status,
            headers: map,
            body,
            close: false,
            delay: Duration::ZERO,
            faults: BodyFaults::default(),
        })
    }

    /// An error in the form of B2's: a JSON object with `status`, `code` and `message`.
    #[must_use]
    pub fn error(status: StatusCode, code: &str, message: &str) -> Self {
        let mut json = format!("{{\"status\":{},\"code\":", status.as_u16());
        push_json_string(&mut json, code);
        json.push_str(",\"message\":");
        push_json_string(&mut json, message);
        json.push('}');
        let content_type = HeaderValue::from_static("application/json;charset=utf-8");
        Self {
            status,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: Content::from(json.into_bytes()),
            close: false,
            delay: Duration::ZERO,
            faults: BodyFaults::default(),
        }
    }

    /// The answer to a request that the server failed to serve.
    #[must_use]
    pub fn internal_error(message: &str) -> Self {
        Self::error(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The headers: names in lower case, and their values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| {
            // It was text when the response was made.
            let value = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
            (name.as_str(), value)
        })
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Content {
        &self.body
    }

    /// The length of the body in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.body.length()
    }

    pub(crate) fn into_parts(self) -> (StatusCode, HeaderMap, Content) {
        (self.status, self.headers, self.body)
    }

    /// Whether an answer to `method` with this status has a body.
    pub(crate) fn has_body(&self, method: &Method) -> bool {
        method != Method::HEAD && self.has_length()
    }

    /// Whether an answer with this status may announce a length.
    pub(crate) fn has_length(&self) -> bool {
        !matches!(
            self.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
    }
}

impl fmt::Debug for Response {
    /// Without headers and body: tokens travel in both.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status())
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}

fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => {
                // Writing to a string does not fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_json() {
        let response = Response::internal_error("a \"quoted\\\" line\nand ä");
        let body = response.body.read(0..1000).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"status":500,"code":"internal_error","message":"a \"quoted\\\" line\u000aand ä"}"#
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_telling_the_value() {
        let invalid = |status, name, value| {
            Response::new(status, [(name, value)], Content::default())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(invalid(100, "a", "b"), "status 100 is not in 200..=599");
        assert_eq!(invalid(700, "a", "b"), "status 700 is not in 200..=599");
        assert_eq!(invalid(200, "a b", "c"), r#""a b" is no name of a header"#);
        assert_eq!(
            invalid(200, "a", "secret\n"),
            r#"the value of "a" is not valid"#
        );
        assert_eq!(
            invalid(200, "Transfer-Encoding", "chunked"),
            r#""Transfer-Encoding" is for the server to set"#
        );
    }

    #[test]
    fn debug_shows_no_header() {
        let response = Response::new(200, [("token", "secret")], Content::from(vec![0; 7]));
        assert_eq!(
            format!("{:?}", response.unwrap()),
            "Response { status: 200, length: 7, .. }"
        );
    }
}
