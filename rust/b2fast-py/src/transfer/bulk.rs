//! Many small uploads or downloads.

use std::mem;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use b2fast_core::bulk::{
    Bulk, Content, DownloadJob, Downloads, Finished, Received, Sent, UploadJob, Uploads, Work,
};
use b2fast_core::engine;
use b2fast_core::progress::Progress;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::{from_callback, to_python};
use crate::scope;

use super::download::Download;
use super::engine::Engine;
use super::place::Anchor;
use super::{Leases, Retry, digest, duration};

type Header = (String, String);

/// The ticket of an item, its value and its error, one of them None, and its bytes.
type Outcome = (u64, Option<Py<PyAny>>, Option<Py<PyAny>>, u64);

/// A queue that stays in the process that made it.
struct Owned<W: Work> {
    bulk: Option<Bulk<W>>,
    pid: u32,
}

impl<W: Work> Owned<W> {
    fn new(py: Python<'_>, work: W, workers: usize, engine: &engine::Engine) -> PyResult<Self> {
        let share = Arc::clone(engine.share());
        Ok(Self {
            bulk: Some(Bulk::new(work, workers, share, scope::current(py)?)),
            pid: process::id(),
        })
    }

    fn get(&self) -> PyResult<&Bulk<W>> {
        match &self.bulk {
            Some(bulk) if self.pid == process::id() => Ok(bulk),
            _ => Err(PyRuntimeError::new_err(
                "a bulk call belongs to the parent process: make a new one after a fork",
            )),
        }
    }

    fn push(&self, py: Python<'_>, ticket: u64, job: W::Job) -> PyResult<()> {
        self.get()?
            .push(ticket, job)
            .map_err(|error| to_python(py, error))
    }

    fn results(&self, py: Python<'_>, wait: f64) -> PyResult<Vec<Finished<W::Output>>> {
        let bulk = self.get()?;
        if wait == 0.0 || bulk.is_ready() {
            return Ok(bulk.results(Duration::ZERO));
        }
        let wait = duration("wait", wait)?;
        Ok(py.detach(|| bulk.results(wait)))
    }

    fn ring(&self) -> PyResult<()> {
        self.get()?.ring();
        Ok(())
    }

    fn stop(&self, py: Python<'_>, grace: f64) -> PyResult<()> {
        let bulk = self.get()?;
        let grace = duration("grace", grace)?;
        py.detach(|| bulk.stop(grace));
        Ok(())
    }
}

impl<W: Work> Drop for Owned<W> {
    fn drop(&mut self) {
        if self.pid != process::id() {
            // Its threads stayed with the parent and its locks may be held for ever.
            mem::forget(self.bulk.take());
        }
    }
}

/// The outcome of a finished job; `value_of` makes a value, if there is one, and the bytes.
fn outcome<T>(
    py: Python<'_>,
    (ticket, result): Finished<T>,
    value_of: impl FnOnce(T) -> PyResult<(Option<Py<PyAny>>, u64)>,
) -> PyResult<Outcome> {
    match result {
        Ok(output) => {
            let (value, bytes) = value_of(output)?;
            Ok((ticket, value, None, bytes))
        }
        Err(error) => {
            let error = to_python(py, error).into_value(py).into_any();
            Ok((ticket, None, Some(error), 0))
        }
    }
}

/// Sends small files to a bucket, many at a time.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct BulkUploads {
    queue: Owned<Uploads>,
    progress: Arc<Progress>,
}

#[pymethods]
impl BulkUploads {
    /// Files of `large_from` bytes and more are left to others.
    #[new]
    #[pyo3(signature = (engine, leases, *, retry, workers, large_from))]
    fn new(
        py: Python<'_>,
        engine: &Engine,
        leases: &Leases,
        retry: &Retry,
        workers: usize,
        large_from: u64,
    ) -> PyResult<Self> {
        let engine = engine.inner()?;
        let progress: Arc<Progress> = Arc::default();
        let uploads = Uploads {
            engine: engine.clone(),
            leases: Arc::clone(&leases.0),
            retry: retry.0,
            progress: Arc::clone(&progress),
            large_from,
        };
        Ok(Self {
            queue: Owned::new(py, uploads, workers, engine)?,
            progress,
        })
    }

    /// Send a local file; for the headers see `Engine.upload`.
    #[pyo3(signature = (ticket, path, headers, sha1=None))]
    fn push_file(
        &self,
        py: Python<'_>,
        ticket: u64,
        path: PathBuf,
        headers: Vec<Header>,
        sha1: Option<&str>,
    ) -> PyResult<()> {
        self.push(py, ticket, Content::File(path), headers, sha1)
    }

    /// Send bytes; a bytearray is copied.
    #[pyo3(signature = (ticket, data, headers, sha1=None))]
    fn push_bytes(
        &self,
        py: Python<'_>,
        ticket: u64,
        data: PyBackedBytes,
        headers: Vec<Header>,
        sha1: Option<&str>,
    ) -> PyResult<()> {
        self.push(py, ticket, Content::Memory(Box::new(data)), headers, sha1)
    }

    /// What is done since the last call: tickets with the answer of B2 (JSON) or an exception and
    /// the number of bytes. Neither of them: it is not for this queue. Waits up to `wait` seconds
    /// for the first one, or for `ring`.
    fn results(&self, py: Python<'_>, wait: f64) -> PyResult<Vec<Outcome>> {
        let finished = self.queue.results(py, wait)?;
        let to_outcome = |one| {
            outcome(py, one, |sent| {
                Ok(match sent {
                    Sent::Answer(answer, bytes) => {
                        (Some(PyBytes::new(py, &answer).into_any().unbind()), bytes)
                    }
                    Sent::Unsuitable => (None, 0),
                })
            })
        };
        finished.into_iter().map(to_outcome).collect()
    }

    /// How many bytes were sent again so far.
    #[getter]
    fn bytes_retried(&self) -> u64 {
        self.progress.retried()
    }

    /// Wake who waits for results, or will.
    fn ring(&self) -> PyResult<()> {
        self.queue.ring()
    }

    /// Give up everything; wait for the threads for at most `grace` seconds.
    fn stop(&self, py: Python<'_>, grace: f64) -> PyResult<()> {
        self.queue.stop(py, grace)
    }
}

impl BulkUploads {
    fn push(
        &self,
        py: Python<'_>,
        ticket: u64,
        content: Content,
        headers: Vec<Header>,
        sha1: Option<&str>,
    ) -> PyResult<()> {
        let job = UploadJob {
            content,
            headers,
            sha1: sha1.map(digest).transpose()?,
        };
        self.queue.push(py, ticket, job)
    }
}

/// Receives small files, many at a time.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct BulkDownloads(Owned<Downloads>);

#[pymethods]
impl BulkDownloads {
    /// `authorize` is that of `Engine.open_download`. A file ID behind `url_of_ids` is the URL of
    /// that version.
    #[new]
    #[pyo3(signature = (engine, authorize, *, retry, workers, verify, url_of_ids))]
    fn new(
        py: Python<'_>,
        engine: &Engine,
        authorize: Py<PyAny>,
        retry: &Retry,
        workers: usize,
        verify: bool,
        url_of_ids: String,
    ) -> PyResult<Self> {
        let token = move |refused: Option<&str>| {
            Python::attach(|py| authorize.call1(py, (refused,))?.extract(py)).map_err(from_callback)
        };
        let engine = engine.inner()?;
        let downloads =
            Downloads::new(engine.clone(), Box::new(token), retry.0, verify, url_of_ids);
        Ok(Self(Owned::new(py, downloads, workers, engine)?))
    }

    /// Fetch a file to `path`. With an anchor it stays below that, and directories that are
    /// missing are made.
    #[pyo3(signature = (ticket, url, headers, path, anchor=None))]
    fn push(
        &self,
        py: Python<'_>,
        ticket: u64,
        url: String,
        headers: Vec<Header>,
        path: PathBuf,
        anchor: Option<&Anchor>,
    ) -> PyResult<()> {
        let job = DownloadJob {
            url,
            headers,
            path,
            anchor: anchor.map(|anchor| Arc::clone(&anchor.0)),
        };
        self.0.push(py, ticket, job)
    }

    /// What is done since the last call: tickets with the headers of the saved file, or the open
    /// download of one that is not for this queue, or an exception; and the number of bytes.
    /// Waits up to `wait` seconds for the first one, or for `ring`.
    fn results(&self, py: Python<'_>, wait: f64) -> PyResult<Vec<Outcome>> {
        let finished = self.0.results(py, wait)?;
        let to_outcome = |one| {
            outcome(py, one, |received| {
                Ok(match received {
                    Received::Saved(headers, bytes) => {
                        let found = PyDict::new(py);
                        for (name, value) in headers {
                            found.set_item(name, value)?;
                        }
                        (Some(found.into_any().unbind()), bytes)
                    }
                    Received::Unsuitable(open) => {
                        let open = Py::new(py, Download::new(*open))?;
                        (Some(open.into_any()), 0)
                    }
                })
            })
        };
        finished.into_iter().map(to_outcome).collect()
    }

    /// Wake who waits for results, or will.
    fn ring(&self) -> PyResult<()> {
        self.0.ring()
    }

    /// Give up everything; wait for the threads for at most `grace` seconds.
    fn stop(&self, py: Python<'_>, grace: f64) -> PyResult<()> {
        self.0.stop(py, grace)
    }
}
