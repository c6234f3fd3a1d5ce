//! Counts of what the transfers of one client ask the service for.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, NetworkError, Result};
use crate::transport::{Method, Request};

/// The calls that transfers make, by what B2 bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `b2_upload_file`
    UploadFile,
    /// `b2_upload_part`
    UploadPart,
    /// `b2_download_file_by_id`
    DownloadById,
    /// `b2_download_file_by_name`
    DownloadByName,
}

impl Call {
    fn of(request: &Request<'_>) -> Self {
        let has = |wanted: &str| {
            let mut names = request.headers.iter().map(|(name, _)| name);
            names.any(|name| name.eq_ignore_ascii_case(wanted))
        };
        match request.method {
            Method::Post if has("X-Bz-Part-Number") => Self::UploadPart,
            Method::Post => Self::UploadFile,
            // A name cannot have an unescaped question mark.
            _ if request.url.contains("/b2_download_file_by_id?") => Self::DownloadById,
            _ => Self::DownloadByName,
        }
    }
}

/// How often each call was made, and what it moved. Only grows.
#[derive(Debug, Default)]
pub struct Counters {
    calls: [AtomicU64; 4],
    retries: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    /// A request went out, or it failed before it could. One that was cancelled on its way may
    /// have arrived, and counts.
    pub(crate) fn requested<T>(&self, request: &Request<'_>, result: &Result<T>) {
        let never_left = matches!(
            result,
            Err(Error::InvalidArgument(_)
                | Error::Network {
                    kind: NetworkError::UnknownHost
                        | NetworkError::Connect
                        | NetworkError::Tls
                        | NetworkError::Proxy,
                    ..
                })
        );
        if !never_left {
            self.calls[Call::of(request) as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A failed request is going to be repeated.
    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of content were sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes of content were received.
    pub(crate) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many requests there were of a call.
    #[must_use]
    pub fn calls(&self, call: Call) -> u64 {
        self.calls[call as usize].load(Ordering::Relaxed)
    }

    /// How many requests repeated a failed one.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// How many bytes of content were sent, those of failed requests included.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many bytes of content were received, those that were of no use included.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(method: Method, url: &'a str, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
        Request {
            method,
            url,
            headers,
        }
    }

    #[test]
    fn calls_are_told_apart() {
        let by_id = "https://f.example/b2api/v4/b2_download_file_by_id?fileId=4_z";
        assert_eq!(
            Call::of(&request(Method::Get, by_id, &[])),
            Call::DownloadById
        );
        for by_name in [
            "https://f.example/file/bucket/name",
            "https://f.example/file/bucket/b2_download_file_by_id%3F",
            "https://f.example/file/bucket/b2_download_file_by_id",
        ] {
            let by_name = request(Method::Get, by_name, &[]);
            assert_eq!(Call::of(&by_name), Call::DownloadByName);
        }
        let part = request(
            Method::Post,
            "https://pod.example/x",
            &[("X-Bz-Part-Number", "1")],
        );
        assert_eq!(Call::of(&part), Call::UploadPart);
        let file = request(
            Method::Post,
            "https://pod.example/x",
            &[("X-Bz-File-Name", "x")],
        );
        assert_eq!(Call::of(&file), Call::UploadFile);
    }

    #[test]
    fn what_never_left_does_not_count() {
        let counters = Counters::default();
        let file = request(Method::Post, "https://pod.example/x", &[]);
        let network = |kind| Error::Network {
            kind,
            host: String::new(),
            detail: String::new(),
        };
        for error in [
            Error::InvalidArgument(String::new()),
            network(NetworkError::Connect),
            network(NetworkError::UnknownHost),
        ] {
            counters.requested::<()>(&file, &Err(error));
        }
        assert_eq!(counters.calls(Call::UploadFile), 0);
        let lost = Err(network(NetworkError::ConnectionLost));
        counters.requested::<()>(&file, &lost);
        counters.requested(&file, &Ok(()));
        assert_eq!(counters.calls(Call::UploadFile), 2);
        assert_eq!(counters.calls(Call::UploadPart), 0);
    }
}
