//! Threads and memory that the engines of a process share.

use std::mem;
use std::process;

use b2fast_core::engine;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The threads of parallel transfers, and the memory for content that they hold.
///
/// There are as many threads as the engine with most connections has, and one for each transfer
/// beyond them.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Resources {
    resources: Option<engine::Resources>,
    pid: u32,
}

impl Resources {
    pub(crate) fn shared(&self) -> PyResult<engine::Resources> {
        match &self.resources {
            Some(resources) if self.pid == process::id() => Ok(resources.clone()),
            _ => Err(PyRuntimeError::new_err(
                "these Resources belong to the parent process: make new ones after a fork",
            )),
        }
    }
}

impl Drop for Resources {
    fn drop(&mut self) {
        if self.pid != process::id() {
            // The threads stayed with the parent, and locks may be held for ever.
            mem::forget(self.resources.take());
        }
    }
}

#[pymethods]
impl Resources {
    #[new]
    fn new() -> Self {
        Self {
            resources: Some(engine::Resources::default()),
            pid: process::id(),
        }
    }

    fn __repr__(&self) -> String {
        format!("<Resources of process {}>", self.pid)
    }
}
