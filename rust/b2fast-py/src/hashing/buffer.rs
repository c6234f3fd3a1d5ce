//! Bytes of Python objects, safe to look at without the GIL.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PySlice};

/// How many bytes of a buffer that may change are copied at once.
const COPY_SIZE: usize = 1 << 20;

/// The content of an object with the buffer protocol.
///
/// The bytes of a `bytes` object never change and are lent as they are. Those of any other
/// buffer may be written by another thread while the GIL is released, so they are copied,
/// in pieces that stay in the cache.
pub(super) enum Buffer<'py> {
    Bytes(Bound<'py, PyBytes>),
    View {
        view: Bound<'py, PyAny>,
        length: usize,
        copy: Vec<u8>,
    },
}

impl<'py> Buffer<'py> {
    pub(super) fn new(data: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = data.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone()));
        }
        let view = PyMemoryView::from(data)?.into_any();
        if !view.getattr("c_contiguous")?.extract::<bool>()? {
            return Err(PyBufferError::new_err("the buffer is not contiguous"));
        }
        let length = view.getattr("nbytes")?.extract()?;
        Ok(Self::View {
            // Bytes, whatever the elements are. A shape with a zero in it cannot be cast.
            view: match length {
                0 => view,
                _ => view.call_method1("cast", ("B",))?,
            },
            length,
            copy: Vec::new(),
        })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes().len(),
            Self::View { length, .. } => *length,
        }
    }

    /// How many bytes may be asked for at once.
    pub(super) fn piece_size(&self) -> usize {
        match self {
            Self::Bytes(_) => usize::MAX,
            Self::View { .. } => COPY_SIZE,
        }
    }

    /// Up to `size` bytes from `offset` on; fewer, or none, at the end.
    pub(super) fn piece(&mut self, offset: usize, size: usize) -> PyResult<&[u8]> {
        let start = offset.min(self.len());
        let end = start.saturating_add(size).min(self.len());
        match self {
            Self::Bytes(bytes) => Ok(&bytes.as_bytes()[start..end]),
            Self::View { view, copy, .. } => {
                copy.resize(end - start, 0);
                if !copy.is_empty() {
                    let py = view.py();
                    let range = PySlice::new(py, start.cast_signed(), end.cast_signed(), 1);
                    PyBuffer::get(&view.get_item(range)?)?.copy_to_slice(py, copy)?;
                }
                Ok(copy)
            }
        }
    }
}
