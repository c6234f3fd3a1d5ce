//! `b2fast._core.planning`.

use b2fast_core::plan;
use pyo3::exceptions::{PyAssertionError, PyValueError};
use pyo3::prelude::*;

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MIN_PART_SIZE", plan::MIN_PART_SIZE)?;
    module.add("MAX_PART_SIZE", plan::MAX_PART_SIZE)?;
    module.add("MAX_PARTS", plan::MAX_PARTS)?;
    module.add("MAX_FILE_SIZE", plan::MAX_FILE_SIZE)?;
    module.add_function(wrap_pyfunction!(choose_part_ranges, module)?)?;
    module.add_function(wrap_pyfunction!(plan_parts, module)?)?;
    Ok(())
}

/// Cut content into as many equal parts as B2's limits allow.
///
/// Returns (offset, length) of each, in bytes; the last takes what is left over too. There
/// are at most `MAX_PARTS`.
///
/// Raises `AssertionError`, as b2sdk does, if the content does not make 2 parts of at least
/// `minimum_part_size` bytes.
#[pyfunction]
fn choose_part_ranges(content_length: u64, minimum_part_size: u64) -> PyResult<Vec<(u64, u64)>> {
    plan::choose_part_ranges(content_length, minimum_part_size)
        .map_err(|error| PyAssertionError::new_err(error.to_string()))
}

/// Cut content into parts of the recommended size, the last one taking the rest.
///
/// Returns (offset, length) of each, in bytes; one if the content fits into one part, which
/// is then uploaded as an ordinary file. Parts are larger than recommended where
/// `minimum_part_size` asks for it or where `MAX_PARTS` would not do, and never larger than
/// `MAX_PART_SIZE`.
///
/// Raises `ValueError` if the content is larger than `MAX_FILE_SIZE`, the minimum larger than
/// `MAX_PART_SIZE`, or both part sizes are 0.
#[pyfunction]
fn plan_parts(
    content_length: u64,
    recommended_part_size: u64,
    minimum_part_size: u64,
) -> PyResult<Vec<(u64, u64)>> {
    let parts = plan::plan_parts(content_length, recommended_part_size, minimum_part_size)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(parts
        .iter()
        .map(|part| (part.offset, part.length))
        .collect())
}
