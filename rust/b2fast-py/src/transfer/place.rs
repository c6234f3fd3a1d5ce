//! Where downloads go.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use b2fast_core::download;
use pyo3::prelude::*;

use crate::errors::to_python;

/// A directory that downloads stay below.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Anchor(pub(crate) Arc<download::Anchor>);

#[pymethods]
impl Anchor {
    /// With `replaces_all`, links, pipes and devices in the place of a file are replaced.
    #[new]
    #[pyo3(signature = (directory, *, replaces_all=false))]
    fn new(directory: PathBuf, replaces_all: bool) -> Self {
        Self(Arc::new(download::Anchor::new(directory, replaces_all)))
    }

    /// The place of a path, which begins with the directory; directories are made.
    fn place(&self, py: Python<'_>, path: PathBuf) -> PyResult<Place> {
        py.detach(|| self.0.place(&path))
            .map(Place)
            .map_err(|error| to_python(py, error))
    }
}

/// The place of one file.
#[pyclass(frozen, module = "b2fast._core.transfer")]
pub(crate) struct Place(download::Place);

#[pymethods]
impl Place {
    /// What to open, rename and remove, for as long as this is there.
    #[getter]
    fn path(&self) -> OsString {
        self.0.path().into()
    }

    /// Are pipes and devices replaced, too?
    #[getter]
    fn replaces_all(&self) -> bool {
        self.0.replaces_all()
    }
}

/// A path or a place.
#[derive(FromPyObject)]
pub(crate) enum Target {
    Place(Py<Place>),
    Path(PathBuf),
}

impl From<Target> for download::Place {
    fn from(target: Target) -> Self {
        match target {
            Target::Place(place) => place.get().0.clone(),
            Target::Path(path) => path.into(),
        }
    }
}
