//! An open download.

use std::collections::HashMap;
use std::mem;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use b2fast_core::download::{self, SaveOptions};
use b2fast_core::progress::Progress;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::blocking::{ProgressCallback, run_blocking};

use super::digest;
use super::place::Target;

/// The most bytes that one `read` returns.
const MAX_READ: usize = 16 << 20;

/// An open download: its head, and its content to be read in order or saved to a file.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Download {
    // Taken out while a thread works with it: waiting for a lock would hold the GIL, which
    // the owner of the lock may need.
    open: Mutex<Option<download::Download>>,
    status: u16,
    headers: HashMap<String, String>,
    length: u64,
    pid: u32,
}

impl Download {
    pub(crate) fn new(open: download::Download) -> Self {
        let mut headers: HashMap<String, String> = HashMap::new();
        for (name, value) in open.headers() {
            headers
                .entry(name.clone())
                .and_modify(|known| {
                    known.push_str(", ");
                    known.push_str(value);
                })
                .or_insert_with(|| value.clone());
        }
        Self {
            status: open.status(),
            length: open.length(),
            headers,
            open: Mutex::new(Some(open)),
            pid: process::id(),
        }
    }

    fn take(&self) -> PyResult<download::Download> {
        if self.pid != process::id() {
            return Err(PyRuntimeError::new_err(
                "this Download belongs to the parent process: open it again after a fork",
            ));
        }
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or_else(|| {
                PyRuntimeError::new_err("the download is closed, saved or read by another thread")
            })
    }

    fn put_back(&self, open: download::Download) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.pid != process::id() {
            // Its connection belongs to the parent and the locks of its engine may be held for
            // ever: leaking is all that is safe.
            let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
            mem::forget(open.take());
        }
    }
}

#[pymethods]
impl Download {
    /// The status of an answer to the whole request.
    #[getter]
    fn status(&self) -> u16 {
        self.status
    }

    /// The headers of an answer to the whole request; names in lower case.
    #[getter]
    fn headers(&self) -> HashMap<String, String> {
        self.headers.clone()
    }

    /// How many bytes the whole request gives.
    #[getter]
    fn length(&self) -> u64 {
        self.length
    }

    /// Read up to `size` bytes; empty at the end. A connection that breaks is replaced.
    fn read<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        if size == 0 {
            return Err(PyValueError::new_err("size must be at least 1"));
        }
        let mut open = self.take()?;
        let mut buffer = vec![0; size.min(MAX_READ)];
        let count = run_blocking(py, None, |cancel| open.read(&mut buffer, cancel))?;
        self.put_back(open);
        Ok(PyBytes::new(py, &buffer[..count]))
    }

    /// Send further requests to `file_url`, which names this version of the file by its ID.
    fn continue_at(&self, file_url: String) -> PyResult<()> {
        let mut open = self.take()?;
        open.continue_at(file_url);
        self.put_back(open);
        Ok(())
    }

    /// Give the connection up.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.take()));
    }

    /// Save what was not read yet to `path`, in one step when it is complete and verified.
    #[pyo3(signature = (path, *, sha1=None, streams=1, mtime_ns=None, progress=None))]
    fn save_to(
        &self,
        py: Python<'_>,
        path: Target,
        sha1: Option<&str>,
        streams: usize,
        mtime_ns: Option<i64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let counted = Arc::new(Progress::default());
        let callback = ProgressCallback::new(progress, &counted);
        let options = SaveOptions {
            place: path.into(),
            sha1: sha1.map(digest).transpose()?,
            streams,
            mtime_ns,
            progress: counted,
        };
        let open = self.take()?;
        run_blocking(py, callback, |cancel| open.save(options, cancel))
    }

    fn __repr__(&self) -> String {
        format!("<Download of {} bytes>", self.length)
    }
}
