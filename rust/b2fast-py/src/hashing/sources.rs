//! SHA-1 of files and streams.

use std::path::PathBuf;

use b2fast_core::cancel::CancelToken;
use b2fast_core::error::{Error, Result};
use b2fast_core::file_io::SourceFile;
use b2fast_core::hash;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::hashers::Shared;
use super::{in_hex, numbered};
use crate::blocking::run_blocking;
use crate::errors::file_error;

/// How much of a stream is read at once.
const READ_SIZE: u64 = 1 << 20;

/// The SHA-1 of `length` bytes of a file from `offset` on, in hex digits.
///
/// Without `length`, up to the end of the file. Stops at signals.
///
/// Raises `OSError` if the file cannot be read or shrinks meanwhile, `ValueError` if it is not a
/// regular file or ends before that range does.
#[pyfunction]
#[pyo3(signature = (path, offset=0, length=None))]
pub(super) fn sha1_of_file(
    py: Python<'_>,
    path: PathBuf,
    offset: u64,
    length: Option<u64>,
) -> PyResult<String> {
    let digest = run(py, |cancel| {
        let source = SourceFile::open(&path)?;
        let length = length.unwrap_or_else(|| source.len().saturating_sub(offset));
        hash::sha1_of_range(&source, offset, length, cancel)
    })?;
    Ok(hash::to_hex(&digest))
}

/// The SHA-1 of a file and of each of its parts (offset, length), in hex digits.
///
/// The file is read once. Stops at signals.
///
/// Raises `OSError` if the file cannot be read or shrinks meanwhile, `ValueError` if it is not a
/// regular file or if the parts do not follow each other and make it up.
#[pyfunction]
pub(super) fn sha1_of_parts(
    py: Python<'_>,
    path: PathBuf,
    parts: Vec<(u64, u64)>,
) -> PyResult<(String, Vec<String>)> {
    let parts = numbered(parts);
    let digests = run(py, |cancel| {
        hash::sha1_of_parts(&SourceFile::open(&path)?, &parts, cancel, &|_| ())
    })?;
    Ok(in_hex(&digests))
}

/// The SHA-1 of the next `length` bytes of an object with a read method, in hex digits.
///
/// Reads up to 1 MiB at once and nothing beyond these bytes.
///
/// Raises `ValueError` if the stream ends before that.
#[pyfunction]
pub(super) fn sha1_of_stream(stream: &Bound<'_, PyAny>, length: i64) -> PyResult<String> {
    let length = u64::try_from(length)
        .map_err(|_| PyValueError::new_err(format!("a stream cannot have {length} bytes")))?;
    let hasher = Shared::<hash::Sha1>::default();
    let mut done = 0;
    while done < length {
        let wanted = READ_SIZE.min(length - done);
        let data = stream.call_method1("read", (wanted,))?;
        let count = hasher.update(&data)? as u64;
        if count == 0 {
            return Err(PyValueError::new_err(format!(
                "the stream ended after {done} of {length} bytes"
            )));
        }
        if count > wanted {
            return Err(PyValueError::new_err(format!(
                "the stream returned {count} bytes when asked for {wanted}"
            )));
        }
        done += count;
    }
    Ok(hash::to_hex(&hasher.digest(stream.py())))
}

/// Run `work` without the GIL; its errors are those of Python's own file functions.
fn run<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&CancelToken) -> Result<T> + Send,
) -> PyResult<T> {
    run_blocking(py, None, |cancel| match work(cancel) {
        Err(Error::Cancelled) => Err(Error::Cancelled),
        result => Ok(result),
    })?
    .map_err(|error| file_error(py, error).unwrap_or_else(|failed| failed))
}
