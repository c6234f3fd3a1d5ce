//! What can go wrong in a transfer, grouped by what its user can do about it.

use std::any::Any;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the transfer core.
///
/// No variant holds a token or a key: URLs in it are reduced to their host.
#[derive(Debug)]
pub enum Error {
    /// The service answered with an error status.
    Service(ServiceError),
    /// The network failed before, while or after the request was sent.
    Network {
        /// What failed.
        kind: NetworkError,
        /// The host that was asked.
        host: String,
        /// What the operating system or the TLS library said.
        detail: String,
    },
    /// The server's answer is not HTTP or breaks B2's contract.
    Protocol(String),
    /// A body ended before its announced length.
    Truncated {
        /// Bytes announced.
        expected: u64,
        /// Bytes received.
        received: u64,
    },
    /// Content does not have the SHA-1 that it should have.
    ChecksumMismatch {
        /// The digest announced, in hex.
        expected: String,
        /// The digest computed, in hex.
        actual: String,
    },
    /// The source of an upload is not the file any more that it was at the start.
    SourceChanged {
        /// The file.
        path: PathBuf,
        /// What changed.
        detail: String,
    },
    /// A local file could not be opened, read or written.
    LocalFile {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb: "open", "read", "write", ...
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A symbolic link leads out of the directory that a file has to stay below.
    OutsideDirectory {
        /// The file.
        path: PathBuf,
        /// The link.
        link: PathBuf,
    },
    /// The caller cancelled the transfer.
    Cancelled,
    /// The caller asked for something impossible.
    InvalidArgument(String),
    /// The operating system has no thread left, or a thread of ours ended by accident.
    Resources(String),
    /// All attempts failed, or the deadline passed.
    RetriesExhausted {
        /// How many attempts were made.
        attempts: u32,
        /// The error of the last one.
        last: Box<Error>,
    },
    /// A callback of the caller failed; its own error travels along.
    Callback(Box<dyn Any + Send + Sync>),
}

/// An error answer of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// B2's error code; empty when the body is not B2's JSON.
    pub code: String,
    /// B2's message, for humans.
    pub message: String,
    /// The `Retry-After` header.
    pub retry_after: Option<Duration>,
}

/// What part of the network failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// The host name does not resolve.
    UnknownHost,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The peer closed or reset the connection.
    ConnectionLost,
    /// No connection in time, or no byte moved for the idle time-out.
    Timeout,
    /// A proxy refused or is not usable.
    Proxy,
}

impl Error {
    /// An error of the local file system.
    pub fn local_file(path: impl Into<PathBuf>, action: &'static str, source: io::Error) -> Self {
        Self::LocalFile {
            path: path.into(),
            action,
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => write!(
                f,
                "the service answered {} {}: {}",
                error.status, error.code, error.message
            ),
            Self::Network { kind, host, detail } => write!(f, "{kind} ({host}): {detail}"),
            Self::Protocol(detail) => write!(f, "unexpected answer of the server: {detail}"),
            Self::Truncated { expected, received } => {
                write!(f, "the body ended after {received} of {expected} bytes")
            }
            Self::ChecksumMismatch { expected, actual } => {
                write!(f, "the SHA-1 is {actual}, not {expected}")
            }
            Self::SourceChanged { path, detail } => {
                write!(f, "{} changed while it was read: {detail}", path.display())
            }
            Self::LocalFile {
                path,
                action,
                source,
            } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::OutsideDirectory { path, link } => write!(
                f,
                "{} is not written: {} leads out of the directory",
                path.display(),
                link.display()
            ),
            Self::Cancelled => f.write_str("the transfer was cancelled"),
            Self::InvalidArgument(detail) | Self::Resources(detail) => f.write_str(detail),
            Self::RetriesExhausted { attempts, last } => {
                write!(f, "gave up after {attempts} attempts: {last}")
            }
            Self::Callback(_) => f.write_str("a callback failed"),
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownHost => "unknown host",
            Self::Connect => "cannot connect",
            Self::Tls => "TLS failed",
            Self::ConnectionLost => "connection lost",
            Self::Timeout => "timed out",
            Self::Proxy => "proxy failed",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::LocalFile { source, .. } => Some(source),
            Self::RetriesExhausted { last, .. } => Some(last),
            _ => None,
        }
    }
}
