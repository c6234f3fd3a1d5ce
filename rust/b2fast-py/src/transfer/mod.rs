//! `b2fast._core.transfer`: uploads and downloads over HTTP.

mod bulk;
mod counters;
mod download;
mod engine;
mod gate;
mod place;
mod rate_limits;
mod resources;
mod source;

use std::os::fd::{IntoRawFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use b2fast_core::download::{self as core_download, TEMPORARY_SUFFIXES};
use b2fast_core::error::Result;
use b2fast_core::hash::{self, Digest};
use b2fast_core::lease;
use b2fast_core::retry::RetryPolicy;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::{TransferError, file_error, from_callback};
use crate::scope;

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("TransferError", module.py().get_type::<TransferError>())?;
    let suffixes = PyTuple::new(module.py(), TEMPORARY_SUFFIXES)?;
    module.add("TEMPORARY_SUFFIXES", suffixes)?;
    module.add_function(wrap_pyfunction!(create_beside, module)?)?;
    module.add_class::<Retry>()?;
    module.add_class::<Leases>()?;
    module.add_class::<counters::Counters>()?;
    module.add_class::<gate::Gate>()?;
    module.add_class::<rate_limits::RateLimits>()?;
    module.add_class::<resources::Resources>()?;
    module.add_class::<source::Source>()?;
    module.add_class::<place::Anchor>()?;
    module.add_class::<place::Place>()?;
    module.add_class::<download::Download>()?;
    module.add_class::<engine::Engine>()?;
    scope::fill(module)?;
    module.add_class::<bulk::BulkUploads>()?;
    module.add_class::<bulk::BulkDownloads>()
}

/// Create the file that a download writes before it has its target's name.
#[pyfunction]
fn create_beside(py: Python<'_>, target: PathBuf, mode: u32) -> PyResult<(RawFd, PathBuf)> {
    let (file, path) = py
        .detach(|| core_download::create_beside(&target, mode))
        .map_err(|error| file_error(py, error).unwrap_or_else(|failed| failed))?;
    Ok((file.into_raw_fd(), path))
}

/// How often and how long one request is tried; times in seconds.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Retry(pub(crate) RetryPolicy);

#[pymethods]
impl Retry {
    #[new]
    #[pyo3(signature = (*, attempts=20, first_delay=1.0, factor=1.5, max_delay=64.0, deadline=Some(3600.0)))]
    fn new(
        attempts: u32,
        first_delay: f64,
        factor: f64,
        max_delay: f64,
        deadline: Option<f64>,
    ) -> PyResult<Self> {
        if attempts == 0 || !factor.is_finite() || factor < 1.0 {
            return Err(PyValueError::new_err(
                "attempts must be at least 1 and factor at least 1.0",
            ));
        }
        Ok(Self(RetryPolicy {
            attempts,
            first_delay: duration("first_delay", first_delay)?,
            factor,
            max_delay: duration("max_delay", max_delay)?,
            deadline: deadline
                .map(|seconds| duration("deadline", seconds))
                .transpose()?,
        }))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// Upload URLs with their tokens, lent to one upload at a time.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Leases(pub(crate) Arc<lease::Leases>);

#[pymethods]
impl Leases {
    #[new]
    fn new(source: Py<PyAny>) -> Self {
        let ask = move || -> Result<lease::Lease> {
            let (url, token) =
                Python::attach(|py| source.call0(py)?.extract(py)).map_err(from_callback)?;
            Ok(lease::Lease::new(url, token))
        };
        Self(Arc::new(lease::Leases::new(Box::new(ask))))
    }

    /// Forget all upload URLs.
    fn clear(&self) {
        self.0.clear();
    }
}

/// Seconds as a duration.
pub(crate) fn duration(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{name} must be a number of seconds >= 0")))
}

/// A SHA-1 given in hex.
pub(crate) fn digest(text: &str) -> PyResult<Digest> {
    hash::parse_hex(text)
        .ok_or_else(|| PyValueError::new_err(format!("not a SHA-1 in 40 hex digits: {text:?}")))
}
