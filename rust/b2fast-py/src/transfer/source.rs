//! What an upload reads.

use std::path::PathBuf;
use std::sync::Arc;

use b2fast_core::file_io::{ReadAt, SourceFile};
use b2fast_core::hash;
use b2fast_core::progress::Progress;
use b2fast_core::source;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::blocking::{ProgressCallback, run_blocking};
use crate::errors::to_python;
use crate::hashing::{in_hex, numbered};

/// A file that stays open, or bytes: what is hashed is what is sent.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Source {
    pub(crate) inner: Arc<source::Source>,
    mtime_ns: Option<i128>,
}

#[pymethods]
impl Source {
    /// Open a regular file for an upload.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let file = py
            .detach(|| SourceFile::open(&path))
            .map_err(|error| to_python(py, error))?;
        Ok(Self {
            mtime_ns: Some(file.version().modified_ns),
            inner: Arc::new(source::Source::File(file)),
        })
    }

    /// Upload bytes; a bytearray is copied.
    #[staticmethod]
    fn of_bytes(data: PyBackedBytes) -> Self {
        Self {
            inner: Arc::new(source::Source::Memory(Box::new(data))),
            mtime_ns: None,
        }
    }

    /// The number of bytes.
    #[getter]
    fn length(&self) -> u64 {
        self.inner.length()
    }

    /// When the file was last modified, in nanoseconds since 1970.
    #[getter]
    fn mtime_ns(&self) -> Option<i128> {
        self.mtime_ns
    }

    /// The SHA-1 of all content and of each part (offset, length), in one pass.
    #[pyo3(signature = (parts, *, progress=None))]
    fn hash_parts(
        &self,
        py: Python<'_>,
        parts: Vec<(u64, u64)>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(String, Vec<String>)> {
        let parts = numbered(parts);
        let counted = Arc::new(Progress::default());
        let callback = ProgressCallback::new(progress, &counted);
        let digests = run_blocking(py, callback, |cancel| {
            hash::sha1_of_parts(&*self.inner, &parts, cancel, &|count| counted.add(count))
        })?;
        Ok(in_hex(&digests))
    }

    fn __repr__(&self) -> String {
        format!("<Source of {} bytes>", self.inner.length())
    }
}
