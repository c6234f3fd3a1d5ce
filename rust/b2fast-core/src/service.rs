//! B2's error answers, and what they mean for a transfer.

use serde::Deserialize;

use crate::cancel::CancelToken;
use crate::error::{Error, NetworkError, Result, ServiceError};
use crate::transport::Response;

/// Answers of JSON calls are small; anything larger is not B2's.
const MAX_JSON: usize = 1 << 20;

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Read a body that should be a small one.
pub fn read_small_body(response: &mut Response, cancel: &CancelToken) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let count = response.body.read(&mut buffer, cancel)?;
        if count == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&buffer[..count]);
        if body.len() > MAX_JSON {
            return Err(Error::Protocol("a JSON answer of more than 1 MiB".into()));
        }
    }
}

/// The error that an answer with an error status stands for.
///
/// A body that is not B2's JSON (of a proxy, say) leaves the code empty. The secrets among the
/// headers of the request are taken out: B2 quotes the token of an upload URL in use twice.
#[must_use]
pub fn error_of(mut response: Response, sent: &[(&str, &str)], cancel: &CancelToken) -> Error {
    let retry_after = response.retry_after();
    let body = match read_small_body(&mut response, cancel) {
        Ok(body) => body,
        Err(Error::Cancelled) => return Error::Cancelled,
        // The status alone says enough.
        Err(_) => Vec::new(),
    };
    let (code, message) = match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(body) => (body.code, body.message),
        Err(_) => (String::new(), String::new()),
    };
    Error::Service(ServiceError {
        status: response.status,
        code: without_secrets(code, sent),
        message: without_secrets(message, sent),
        retry_after,
    })
}

/// Headers whose values no message may show.
const SECRET_HEADERS: [&str; 2] = ["authorization", "x-bz-server-side-encryption-customer-key"];

fn without_secrets(text: String, sent: &[(&str, &str)]) -> String {
    let is_secret = |name: &str| {
        SECRET_HEADERS
            .iter()
            .any(|it| name.eq_ignore_ascii_case(it))
    };
    sent.iter()
        .filter(|(name, value)| is_secret(name) && !value.is_empty())
        .fold(text, |text, (_, secret)| text.replace(secret, "******"))
}

/// Does the error go away by trying again, as it is?
#[must_use]
pub fn is_transient(error: &Error) -> bool {
    match error {
        Error::Service(answer) => matches!(answer.status, 408 | 429 | 500..=599),
        Error::Network { kind, .. } => !matches!(kind, NetworkError::Tls | NetworkError::Proxy),
        Error::Truncated { .. } | Error::Protocol(_) => true,
        _ => false,
    }
}

/// Is the token of the request the reason?
#[must_use]
pub fn is_token_refused(error: &Error) -> bool {
    matches!(error, Error::Service(answer) if answer.status == 401
        && matches!(answer.code.as_str(), "expired_auth_token" | "bad_auth_token" | ""))
}

/// Did a refused upload fail for a reason that a new upload URL mends?
///
/// Any 401, a URL in use by another upload, or content damaged on its way.
#[must_use]
pub fn is_upload_url_refused(error: &Error) -> bool {
    let Error::Service(answer) = error else {
        return false;
    };
    let message = answer.message.to_ascii_lowercase();
    answer.status == 401
        || answer.status == 400
            && (answer.code == "auth_token_limit"
                || message.starts_with("more than one upload using auth token")
                || is_damaged(error))
}

/// Did the service receive other content than was announced?
#[must_use]
pub fn is_damaged(error: &Error) -> bool {
    matches!(error, Error::Service(answer) if answer.status == 400
        && answer.message.to_ascii_lowercase().contains("did not match data received"))
}
