//! `b2fast._core.hashing`.

mod buffer;
mod hashers;
mod sources;

use b2fast_core::hash;
use b2fast_core::plan::Part;
use pyo3::prelude::*;

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<hashers::Sha1>()?;
    module.add_class::<hashers::Blake3>()?;
    module.add_function(wrap_pyfunction!(hashers::update_many, module)?)?;
    module.add_function(wrap_pyfunction!(hashers::sha1_of_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(sources::sha1_of_file, module)?)?;
    module.add_function(wrap_pyfunction!(sources::sha1_of_stream, module)?)?;
    module.add_function(wrap_pyfunction!(sources::sha1_of_parts, module)?)?;
    module.add_function(wrap_pyfunction!(sha1_kernel, module)?)?;
    Ok(())
}

/// Parts (offset, length) with their numbers, which count from 1.
pub(crate) fn numbered(parts: Vec<(u64, u64)>) -> Vec<Part> {
    (1..)
        .zip(parts)
        .map(|(number, (offset, length))| Part {
            number,
            offset,
            length,
        })
        .collect()
}

/// The digests of a whole and of its parts in hex digits.
pub(crate) fn in_hex((whole, parts): &(hash::Digest, Vec<hash::Digest>)) -> (String, Vec<String>) {
    let parts = parts.iter().map(|digest| hash::to_hex(digest)).collect();
    (hash::to_hex(whole), parts)
}

/// The SHA-1 implementation in use, such as 'sha-ni', 'sha-ni+avx512', 'avx2' or 'portable'.
///
/// The environment variable `B2FAST_SHA1`, read once, names the one to use. It is ignored if the
/// processor cannot run that.
#[pyfunction]
fn sha1_kernel() -> &'static str {
    hash::kernel_name()
}
