//! Waiting for the core without the GIL, yet open to signals and progress.

use std::sync::{Arc, Mutex, PoisonError};

use b2fast_core::cancel::CancelToken;
use b2fast_core::error::Result;
use b2fast_core::progress::Progress;
use pyo3::prelude::*;

use crate::scope;

/// A Python callable that is told how many bytes have moved, and how many of them again.
pub(crate) struct ProgressCallback {
    callback: Py<PyAny>,
    progress: Arc<Progress>,
    delivered: Mutex<Option<(u64, u64)>>,
}

impl ProgressCallback {
    pub(crate) fn new(callback: Option<Py<PyAny>>, progress: &Arc<Progress>) -> Option<Arc<Self>> {
        callback.map(|callback| {
            Arc::new(Self {
                callback,
                progress: Arc::clone(progress),
                delivered: Mutex::new(None),
            })
        })
    }

    /// Tell the callable, unless it knows already.
    fn deliver(&self, py: Python<'_>) -> PyResult<()> {
        let bytes = (self.progress.bytes(), self.progress.retried());
        let known = self
            .delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(bytes);
        if known != Some(bytes) {
            self.callback.call1(py, bytes)?;
        }
        Ok(())
    }
}

/// Run `work` without the GIL.
///
/// While it runs, on this thread or on others, signals are checked and progress is
/// delivered; an exception of a signal handler or of the progress callback cancels the work
/// and is raised.
pub(crate) fn run_blocking<T: Send>(
    py: Python<'_>,
    progress: Option<Arc<ProgressCallback>>,
    work: impl FnOnce(&CancelToken) -> Result<T> + Send,
) -> PyResult<T> {
    let raised: Arc<Mutex<Option<PyErr>>> = Arc::default();
    let poll = {
        let raised = Arc::clone(&raised);
        let progress = progress.clone();
        move || {
            let asked = Python::attach(|py| {
                py.check_signals()?;
                progress
                    .as_ref()
                    .map_or(Ok(()), |progress| progress.deliver(py))
            });
            match asked {
                Ok(()) => true,
                Err(error) => {
                    *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    false
                }
            }
        }
    };
    let scope = scope::current(py)?;
    let result = py.detach(|| work(&CancelToken::with_poll(scope, Box::new(poll))));
    let raised = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(raised) = raised {
        // Whatever the work came to: a signal is delivered once and must not be lost.
        return Err(raised);
    }
    let value = result.map_err(|error| crate::errors::to_python(py, error))?;
    if let Some(progress) = progress {
        progress.deliver(py)?;
    }
    Ok(value)
}
