//! `b2fast._core.server`.

use pyo3::prelude::*;

pub(crate) fn fill(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
