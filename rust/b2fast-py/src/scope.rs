//! What ends the transfers that are started in one context of Python's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use b2fast_core::cancel;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::transfer::duration;

/// The `contextvars.ContextVar` that holds the scope, or None.
static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("CURRENT_SCOPE", variable(py)?)?;
    module.add_class::<CancelFlag>()?;
    module.add_class::<Scope>()
}

fn variable(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    CURRENT.get_or_try_init(py, || {
        let class = py.import("contextvars")?.getattr("ContextVar")?;
        Ok(class.call1(("b2fast_scope",))?.unbind())
    })
}

/// What ends the transfers of the calling context.
pub(crate) fn current(py: Python<'_>) -> PyResult<cancel::Scope> {
    let found = variable(py)?.bind(py).call_method1("get", (py.None(),))?;
    let scope: Option<PyRef<'_, Scope>> = found.extract()?;
    Ok(scope.map_or_else(Default::default, |scope| scope.0.clone()))
}

/// Set once, from any thread.
#[pyclass(frozen, subclass, module = "b2fast._core.transfer")]
pub(crate) struct CancelFlag(Arc<AtomicBool>);

#[pymethods]
impl CancelFlag {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// End the transfers of every scope with this flag, those to come as well.
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Was it set?
    #[getter]
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Ends transfers when a flag is set or a number of seconds has passed, or when the scope
/// around it ends.
#[pyclass(frozen, subclass, module = "b2fast._core.transfer")]
pub(crate) struct Scope(cancel::Scope);

#[pymethods]
impl Scope {
    #[new]
    fn new(
        outer: Option<PyRef<'_, Self>>,
        flag: Option<PyRef<'_, CancelFlag>>,
        deadline: Option<f64>,
    ) -> PyResult<Self> {
        let mut scope = outer.map_or_else(Default::default, |outer| outer.0.clone());
        if let Some(flag) = flag {
            scope = scope.with_flag(Arc::clone(&flag.0));
        }
        let left = deadline
            .map(|seconds| duration("deadline", seconds))
            .transpose()?;
        // What no `Instant` can name never comes.
        if let Some(end) = left.and_then(|left| Instant::now().checked_add(left)) {
            scope = scope.with_deadline(end);
        }
        Ok(Self(scope))
    }

    /// Was a flag set, or has the deadline passed?
    #[getter]
    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// Seconds until the deadline; None without one.
    #[getter]
    fn remaining(&self) -> Option<f64> {
        self.0.remaining().map(|left| left.as_secs_f64())
    }
}
