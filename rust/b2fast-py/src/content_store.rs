//! `b2fast._core.server.ContentStore`: content in files that outlive the process.

use std::path::PathBuf;

use b2fast_core::hash::parse_hex;
use b2fast_server::{self as http, StoredSegment};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::server::Content;

/// A directory for content that a server receives, one file for each.
///
/// A file is removed with the last content that shares its bytes, unless that was kept.
#[pyclass(frozen, module = "b2fast._core.server")]
pub(crate) struct ContentStore(pub(crate) http::ContentStore);

#[pymethods]
impl ContentStore {
    /// A store below `directory`, which is made (for its owner only) when it is missing.
    ///
    /// Raises `OSError` when that is not possible.
    #[new]
    fn new(py: Python<'_>, directory: PathBuf) -> PyResult<Self> {
        Ok(Self(py.detach(|| http::ContentStore::below(&directory))?))
    }

    /// The content that `Content.stored` of an earlier store on the directory described.
    /// It counts as kept.
    ///
    /// `sha1` has 40 hexadecimal digits, if it is known. Raises `OSError` for a file that is
    /// missing or too short, and for whatever is no file of a store: other names, symbolic
    /// links. Raises `ValueError` for a `sha1` that is none.
    #[pyo3(signature = (segments, sha1 = None))]
    fn open(&self, segments: Vec<(String, u64, u64)>, sha1: Option<&str>) -> PyResult<Content> {
        let digest = sha1
            .map(|text| parse_hex(text).ok_or_else(|| PyValueError::new_err("no SHA-1 in hex")))
            .transpose()?;
        let segments: Vec<_> = segments
            .into_iter()
            .map(|(name, offset, length)| StoredSegment {
                name,
                offset,
                length,
            })
            .collect();
        Ok(Content(self.0.open(&segments, digest)?))
    }

    /// Removes the files of earlier stores on the directory that were not opened in this
    /// one, and returns their number.
    ///
    /// Raises `OSError`, and removes nothing, if there is anything that no store made.
    fn sweep(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(py.detach(|| self.0.sweep())?)
    }
}
