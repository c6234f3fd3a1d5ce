//! `b2fast._core.hashing`.

use pyo3::prelude::*;

pub(crate) fn fill(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
