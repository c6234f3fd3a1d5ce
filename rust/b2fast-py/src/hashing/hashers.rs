//! The hash objects.

use std::sync::{Mutex, MutexGuard, PoisonError};

use b2fast_core::hash;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;

use super::buffer::Buffer;

/// Below this many bytes, letting go of the GIL costs more than it gives to other threads.
const DETACH_SIZE: usize = 2048;

/// What the classes have in common: the methods of hashlib's objects.
#[derive(Default)]
pub(super) struct Shared<H>(Mutex<H>);

pub(super) trait Hasher: Clone + Default + Send {
    type Digest: AsRef<[u8]>;
    fn update(&mut self, data: &[u8]);
    fn finish(self) -> Self::Digest;
}

impl Hasher for hash::Sha1 {
    type Digest = hash::Digest;

    fn update(&mut self, data: &[u8]) {
        self.update(data);
    }

    fn finish(self) -> Self::Digest {
        self.finish()
    }
}

impl Hasher for hash::Blake3 {
    type Digest = [u8; 32];

    fn update(&mut self, data: &[u8]) {
        self.update(data);
    }

    fn finish(self) -> Self::Digest {
        self.finalize().into()
    }
}

impl<H: Hasher> Shared<H> {
    fn new(data: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let shared = Self::default();
        if let Some(data) = data {
            shared.update(data)?;
        }
        Ok(shared)
    }

    /// Whoever holds the lock may be waiting for the GIL, so it is not held while waiting.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, H> {
        self.0
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Continue with a buffer; the number of its bytes is the result.
    pub(super) fn update(&self, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = data.py();
        let mut buffer = Buffer::new(data)?;
        let mut guard = self.lock(py);
        let hasher = &mut *guard;
        let size = buffer.piece_size();
        for offset in (0..buffer.len()).step_by(size) {
            let piece = buffer.piece(offset, size)?;
            detach(py, piece.len(), || hasher.update(piece));
        }
        Ok(buffer.len())
    }

    fn copy(&self, py: Python<'_>) -> Self {
        Self(Mutex::new(self.lock(py).clone()))
    }

    pub(super) fn digest(&self, py: Python<'_>) -> H::Digest {
        self.lock(py).clone().finish()
    }
}

fn detach(py: Python<'_>, size: usize, work: impl FnOnce() + Send) {
    if size > DETACH_SIZE {
        py.detach(work);
    } else {
        work();
    }
}

macro_rules! hash_class {
    ($(#[$doc:meta])* $name:ident, $hasher:ty) => {
        $(#[$doc])*
        ///
        /// Bytes are hashed without the GIL. A buffer that can be written to is copied piece
        /// by piece, so writing to it meanwhile changes at most what is hashed.
        #[pyclass(frozen, module = "b2fast._core.hashing")]
        pub(super) struct $name(Shared<$hasher>);

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (data=None), text_signature = "(data=b'')")]
            fn new(data: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
                Shared::new(data).map(Self)
            }

            /// Continue with the bytes of `data`, any contiguous buffer.
            fn update(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
                self.0.update(data)?;
                Ok(())
            }

            /// The digest of everything so far.
            fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                PyBytes::new(py, &self.0.digest(py))
            }

            /// The digest of everything so far, in lower-case hex digits.
            fn hexdigest(&self, py: Python<'_>) -> String {
                hash::to_hex(&self.0.digest(py))
            }

            /// A second object that continues from here.
            fn copy(&self, py: Python<'_>) -> Self {
                Self(self.0.copy(py))
            }

            fn __repr__(&self, py: Python<'_>) -> String {
                format!(concat!("<", stringify!($name), " {}>"), self.hexdigest(py))
            }
        }
    };
}

hash_class! {
    /// The SHA-1 of bytes that arrive piece by piece, as B2 wants it for all content.
    Sha1, hash::Sha1
}

hash_class! {
    /// The BLAKE3 digest, of 32 bytes, of bytes that arrive piece by piece.
    Blake3, hash::Blake3
}

/// Continue each of `hashers` with the chunk at its place in `chunks`.
///
/// The result is that of `Sha1.update` on each, in less time: several streams are advanced in
/// step. Chunks of the same length gain most.
///
/// Raises `ValueError` if there are not as many chunks as hashers, or if a hasher occurs twice.
#[pyfunction]
pub(super) fn update_many(
    py: Python<'_>,
    hashers: Vec<Bound<'_, Sha1>>,
    chunks: Vec<Bound<'_, PyAny>>,
) -> PyResult<()> {
    if hashers.len() != chunks.len() {
        return Err(PyValueError::new_err(format!(
            "{} chunks for {} hashers",
            chunks.len(),
            hashers.len()
        )));
    }
    let mut pairs = hashers
        .iter()
        .zip(&chunks)
        .map(|(hasher, chunk)| Ok((hasher, Buffer::new(chunk)?)))
        .collect::<PyResult<Vec<_>>>()?;
    // Locked in one order by everyone, no two calls can wait for each other.
    pairs.sort_unstable_by_key(|(hasher, _)| hasher.as_ptr());
    if pairs.windows(2).any(|pair| pair[0].0.is(pair[1].0)) {
        return Err(PyValueError::new_err("a hasher occurs twice"));
    }
    let mut pairs: Vec<_> = pairs
        .into_iter()
        .map(|(hasher, buffer)| (hasher.get().0.lock(py), buffer))
        .collect();

    let longest = pairs.iter().map(|pair| pair.1.len()).max().unwrap_or(0);
    let size = pairs
        .iter()
        .map(|pair| pair.1.piece_size())
        .min()
        .unwrap_or(1);
    for offset in (0..longest).step_by(size) {
        let mut streams = pairs
            .iter_mut()
            .map(|(hasher, buffer)| Ok((&mut **hasher, buffer.piece(offset, size)?)))
            .collect::<PyResult<Vec<_>>>()?;
        let total = streams.iter().map(|(_, piece)| piece.len()).sum();
        detach(py, total, || hash::update_many(&mut streams));
    }
    Ok(())
}

/// The SHA-1 of a contiguous buffer, in hex digits.
#[pyfunction]
pub(super) fn sha1_of_bytes(data: &Bound<'_, PyAny>) -> PyResult<String> {
    let hasher = Shared::<hash::Sha1>::new(Some(data))?;
    Ok(hash::to_hex(&hasher.digest(data.py())))
}
