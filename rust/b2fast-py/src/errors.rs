//! The one way from an error of the core to a Python exception.

use b2fast_core::error::{Error, NetworkError};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOSError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    b2fast._core.transfer,
    TransferError,
    PyException,
    "A transfer failed; `kind` says how. b2fast.transfer.errors turns it into an exception of b2fast.exception."
);

/// What Python learns about an error.
#[derive(Default)]
struct Description {
    kind: &'static str,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    retry_after: Option<f64>,
    host: Option<String>,
    path: Option<String>,
    link: Option<String>,
    errno: Option<i32>,
    expected: Option<String>,
    actual: Option<String>,
    attempts: Option<u32>,
}

/// The exception for an error; a callback's own exception comes back as it was.
pub(crate) fn to_python(py: Python<'_>, error: Error) -> PyErr {
    let error = match error {
        Error::Callback(payload) => match payload.downcast::<PyErr>() {
            Ok(raised) => return *raised,
            Err(payload) => Error::Callback(payload),
        },
        error => error,
    };
    let text = error.to_string();
    let exception = TransferError::new_err(text.clone());
    match set_attributes(py, &exception, describe(&error), text) {
        Ok(()) => exception,
        Err(failed) => failed,
    }
}

/// An exception of a Python callback, on its way through the core.
pub(crate) fn from_callback(error: PyErr) -> Error {
    Error::Callback(Box::new(error))
}

fn describe(error: &Error) -> Description {
    match error {
        Error::Service(answer) => Description {
            kind: "service",
            status: Some(answer.status),
            code: Some(answer.code.clone()),
            message: Some(answer.message.clone()),
            retry_after: answer.retry_after.map(|pause| pause.as_secs_f64()),
            ..Description::default()
        },
        Error::Network { kind, host, detail } => Description {
            kind: match kind {
                NetworkError::UnknownHost => "unknown_host",
                NetworkError::Connect => "connect",
                NetworkError::Tls => "tls",
                NetworkError::ConnectionLost => "connection_lost",
                NetworkError::Timeout => "timeout",
                NetworkError::Proxy => "proxy",
            },
            host: Some(host.clone()),
            message: Some(detail.clone()),
            ..Description::default()
        },
        Error::Protocol(_) => kind("protocol"),
        Error::Truncated { expected, received } => Description {
            kind: "truncated",
            expected: Some(expected.to_string()),
            actual: Some(received.to_string()),
            ..Description::default()
        },
        Error::ChecksumMismatch { expected, actual } => Description {
            kind: "checksum",
            expected: Some(expected.clone()),
            actual: Some(actual.clone()),
            ..Description::default()
        },
        Error::SourceChanged { path, detail } => Description {
            kind: "source_changed",
            path: Some(path.to_string_lossy().into_owned()),
            message: Some(detail.clone()),
            ..Description::default()
        },
        Error::LocalFile { path, source, .. } => Description {
            kind: "local_file",
            path: Some(path.to_string_lossy().into_owned()),
            errno: source.raw_os_error(),
            ..Description::default()
        },
        Error::OutsideDirectory { path, link } => Description {
            kind: "outside_directory",
            path: Some(path.to_string_lossy().into_owned()),
            link: Some(link.to_string_lossy().into_owned()),
            ..Description::default()
        },
        Error::Cancelled => kind("cancelled"),
        Error::InvalidArgument(_) => kind("invalid_argument"),
        Error::Resources(_) | Error::Callback(_) => kind("resources"),
        Error::RetriesExhausted { attempts, last } => Description {
            attempts: Some(*attempts),
            ..describe(last)
        },
    }
}

fn kind(kind: &'static str) -> Description {
    Description {
        kind,
        ..Description::default()
    }
}

fn set_attributes(
    py: Python<'_>,
    exception: &PyErr,
    description: Description,
    text: String,
) -> PyResult<()> {
    let value = exception.value(py);
    value.setattr("kind", description.kind)?;
    value.setattr("message", description.message.unwrap_or(text))?;
    value.setattr("status", description.status)?;
    value.setattr("code", description.code)?;
    value.setattr("retry_after", description.retry_after)?;
    value.setattr("host", description.host)?;
    value.setattr("path", description.path)?;
    value.setattr("link", description.link)?;
    value.setattr("errno", description.errno)?;
    value.setattr("expected", description.expected)?;
    value.setattr("actual", description.actual)?;
    value.setattr("attempts", description.attempts)
}

/// The error of a call about local files: that of Python's own file functions.
pub(crate) fn file_error(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    Ok(match error {
        Error::LocalFile { path, source, .. } => match source.raw_os_error() {
            Some(errno) => {
                let text = py.import("os")?.call_method1("strerror", (errno,))?;
                // OSError chooses the subclass for the number itself.
                PyOSError::new_err((errno, text.unbind(), path.into_os_string()))
            }
            None => PyOSError::new_err(format!("{}: {source}", path.display())),
        },
        Error::SourceChanged { .. } => PyOSError::new_err(error.to_string()),
        Error::InvalidArgument(message) => PyValueError::new_err(message),
        error => to_python(py, error),
    })
}
