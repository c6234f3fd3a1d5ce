//! What engines have asked the service for.

use std::sync::Arc;

use b2fast_core::counters::{self, Call};
use pyo3::prelude::*;

/// Counts the requests of the engines that it is given to. A child process goes on with a copy.
#[pyclass(frozen, module = "b2fast._core.transfer")]
#[derive(Default)]
pub(crate) struct Counters(Arc<counters::Counters>);

impl Counters {
    pub(crate) fn shared(&self) -> Arc<counters::Counters> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl Counters {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// How many requests there were of each call that the engine makes.
    #[getter]
    fn calls(&self) -> Vec<(&'static str, u64)> {
        [
            ("b2_upload_file", Call::UploadFile),
            ("b2_upload_part", Call::UploadPart),
            ("b2_download_file_by_id", Call::DownloadById),
            ("b2_download_file_by_name", Call::DownloadByName),
        ]
        .map(|(name, call)| (name, self.0.calls(call)))
        .into()
    }

    /// How many requests repeated a failed one.
    #[getter]
    fn retries(&self) -> u64 {
        self.0.retries()
    }

    /// How many bytes of content were sent, those of failed requests included.
    #[getter]
    fn bytes_sent(&self) -> u64 {
        self.0.bytes_sent()
    }

    /// How many bytes of content were received, those that were of no use included.
    #[getter]
    fn bytes_received(&self) -> u64 {
        self.0.bytes_received()
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}
