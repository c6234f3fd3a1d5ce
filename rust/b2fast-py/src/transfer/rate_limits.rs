//! How fast transfers may be.

use std::num::NonZeroU64;

use b2fast_core::transport::limited;
use pyo3::prelude::*;

/// Limits, in bytes per second, of all engines that they are given to.
///
/// A child process goes on with a copy.
#[pyclass(frozen, module = "b2fast._core.transfer")]
#[derive(Default)]
pub(crate) struct RateLimits(limited::RateLimits);

impl RateLimits {
    pub(crate) fn shared(&self) -> limited::RateLimits {
        self.0.clone()
    }
}

#[pymethods]
impl RateLimits {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// The limit of what is sent; None if there is none.
    #[getter]
    fn get_upload(&self) -> Option<u64> {
        self.0.upload.bytes_per_second()
    }

    #[setter]
    fn set_upload(&self, bytes_per_second: Option<NonZeroU64>) {
        self.0.upload.set(bytes_per_second.map(Into::into));
    }

    /// The limit of what is received; None if there is none.
    #[getter]
    fn get_download(&self) -> Option<u64> {
        self.0.download.bytes_per_second()
    }

    #[setter]
    fn set_download(&self, bytes_per_second: Option<NonZeroU64>) {
        self.0.download.set(bytes_per_second.map(Into::into));
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}
