//! The connections of one client, and what its transfers share with those of others.

use std::process;
use std::sync::Arc;

use b2fast_core::download as core_download;
use b2fast_core::engine;
use b2fast_core::progress::Progress;
use b2fast_core::transport::Timeouts;
use b2fast_core::transport::gated::Gated;
use b2fast_core::transport::http::{HttpConfig, HttpTransport};
use b2fast_core::transport::limited::Limited;
use b2fast_core::upload::{self, PartPiece, PartsJob, Piece, Upload};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::blocking::{ProgressCallback, run_blocking};
use crate::errors::{from_callback, to_python};

use super::counters::Counters;
use super::download::Download;
use super::gate::Gate;
use super::rate_limits::RateLimits;
use super::resources::Resources;
use super::source::Source;
use super::{Leases, Retry, digest, duration};

type Header = (String, String);

/// Small transfers run on the callers' threads, which may be more than those of the engine.
const MIN_KEPT_CONNECTIONS: usize = 64;

/// The connections of one client.
///
/// Its threads and memory are those of `resources`, which other engines may share.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Engine {
    engine: Option<engine::Engine>,
    pid: u32,
}

impl Engine {
    pub(crate) fn inner(&self) -> PyResult<&engine::Engine> {
        match &self.engine {
            Some(engine) if self.pid == process::id() => Ok(engine),
            _ => Err(PyRuntimeError::new_err(
                "this Engine belongs to the parent process: make a new one after a fork",
            )),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.pid != process::id() {
            // Its threads stayed with the parent, its connections belong to it and its
            // locks may be held for ever: leaking is all that is safe.
            std::mem::forget(self.engine.take());
        }
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, user_agent, connect_timeout=46.0, idle_timeout=128.0, upload_idle_timeout=128.0, connections=10, counters=None, rate_limits=None, gate=None, resources=None))]
    fn new(
        py: Python<'_>,
        user_agent: String,
        connect_timeout: f64,
        idle_timeout: f64,
        upload_idle_timeout: f64,
        connections: usize,
        counters: Option<&Counters>,
        rate_limits: Option<&RateLimits>,
        gate: Option<&Gate>,
        resources: Option<&Resources>,
    ) -> PyResult<Self> {
        let mut config =
            HttpConfig::from_environment(user_agent).map_err(|error| to_python(py, error))?;
        config.timeouts = Timeouts {
            connect: duration("connect_timeout", connect_timeout)?,
            idle: duration("idle_timeout", idle_timeout)?,
            upload_idle: duration("upload_idle_timeout", upload_idle_timeout)?,
        };
        let counters = counters.map(Counters::shared).unwrap_or_default();
        config.counters = Arc::clone(&counters);
        config.connections = connections.max(MIN_KEPT_CONNECTIONS);
        let transport = HttpTransport::new(config).map_err(|error| to_python(py, error))?;
        let limits = rate_limits.map(RateLimits::shared).unwrap_or_default();
        let gate = gate.map(Gate::shared).unwrap_or_default();
        let resources = match resources {
            Some(resources) => resources.shared()?,
            None => engine::Resources::default(),
        };
        let share = Arc::clone(resources.share());
        Ok(Self {
            engine: Some(engine::Engine::sharing(
                Box::new(Gated::new(Limited::new(transport, limits), gate, share)),
                resources,
                connections,
                counters,
            )),
            pid: process::id(),
        })
    }

    /// Send a source as one file; the answer of B2 as JSON.
    ///
    /// `headers` are sent besides Authorization, Content-Length and X-Bz-Content-Sha1.
    /// Without `sha1` it is computed while sending.
    #[pyo3(signature = (source, leases, headers, *, retry, sha1=None, progress=None))]
    fn upload<'py>(
        &self,
        py: Python<'py>,
        source: &Source,
        leases: &Leases,
        headers: Vec<Header>,
        retry: &Retry,
        sha1: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let engine = self.inner()?;
        let sha1 = sha1.map(digest).transpose()?;
        let counted = Arc::new(Progress::default());
        let callback = ProgressCallback::new(progress, &counted);
        let upload = Upload {
            source: &source.inner,
            leases: &leases.0,
            headers: &headers,
            retry: retry.0,
            progress: &counted,
        };
        let answer = run_blocking(py, callback, |cancel| {
            upload.send_file(engine, sha1, cancel)
        })?;
        Ok(PyBytes::new(py, &answer))
    }

    /// Send the parts (number, offset, length, SHA-1 or None) of a large file in parallel;
    /// their SHA-1s in the same order.
    #[pyo3(signature = (source, leases, headers, parts, *, retry, workers, progress=None))]
    fn upload_parts(
        &self,
        py: Python<'_>,
        source: &Source,
        leases: &Leases,
        headers: Vec<Header>,
        parts: Vec<(u32, u64, u64, Option<String>)>,
        retry: &Retry,
        workers: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<String>> {
        let engine = self.inner()?;
        let parts = parts
            .into_iter()
            .map(|(number, offset, length, sha1)| {
                let sha1 = sha1.as_deref().map(digest).transpose()?;
                let piece = Piece {
                    offset,
                    length,
                    sha1,
                };
                Ok(PartPiece { number, piece })
            })
            .collect::<PyResult<_>>()?;
        let counted = Arc::new(Progress::default());
        let callback = ProgressCallback::new(progress, &counted);
        let job = PartsJob {
            source: Arc::clone(&source.inner),
            leases: Arc::clone(&leases.0),
            headers,
            parts,
            retry: retry.0,
            workers,
            progress: counted,
        };
        let digests = run_blocking(py, callback, |cancel| {
            upload::upload_parts(engine, job, cancel)
        })?;
        Ok(digests
            .iter()
            .map(|digest| b2fast_core::hash::to_hex(digest))
            .collect())
    }

    /// Ask for a file, or for a range (first byte, last byte or None) of it.
    ///
    /// `authorize(refused)` returns the account's token; `refused` is one that the service
    /// did not take, or None.
    #[pyo3(signature = (url, headers, authorize, *, retry, range=None))]
    fn open_download(
        &self,
        py: Python<'_>,
        url: &str,
        headers: Vec<Header>,
        authorize: Py<PyAny>,
        retry: &Retry,
        range: Option<(u64, Option<u64>)>,
    ) -> PyResult<Download> {
        let engine = self.inner()?;
        let token = move |refused: Option<&str>| {
            Python::attach(|py| authorize.call1(py, (refused,))?.extract(py)).map_err(from_callback)
        };
        let open = run_blocking(py, None, |cancel| {
            core_download::Download::open(
                engine,
                url,
                headers,
                Box::new(token),
                range,
                retry.0,
                cancel,
            )
        })?;
        Ok(Download::new(open))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.engine)
    }
}
