//! A pause that Python's requests and those of the engine keep together.

use std::sync::Arc;

use b2fast_core::gate;
use pyo3::prelude::*;

use super::duration;

/// Closed for a while when the service has refused a request for being one too many.
///
/// `first_pause` and `longest_pause` are those after refusals that name none, in seconds.
/// A child process goes on with a copy.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Gate(Arc<gate::Gate>);

impl Gate {
    pub(crate) fn shared(&self) -> Arc<gate::Gate> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl Gate {
    #[new]
    #[pyo3(signature = (*, first_pause=1.0, longest_pause=64.0))]
    fn new(first_pause: f64, longest_pause: f64) -> PyResult<Self> {
        Ok(Self(Arc::new(gate::Gate::new(
            duration("first_pause", first_pause)?,
            duration("longest_pause", longest_pause)?,
        ))))
    }

    /// The service refused a request; `retry_after` is what it said, in seconds.
    #[pyo3(signature = (retry_after=None))]
    fn refused(&self, retry_after: Option<f64>) -> PyResult<()> {
        let asked = retry_after.map(|seconds| duration("retry_after", seconds));
        self.0.refused(asked.transpose()?);
        Ok(())
    }

    /// The service took a request.
    fn accepted(&self) {
        self.0.accepted();
    }

    /// How many seconds it stays closed.
    fn pause(&self) -> f64 {
        self.0.pause().as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}
