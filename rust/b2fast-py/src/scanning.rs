//! `b2fast._core.scanning`.

use std::ffi::OsString;
use std::path::PathBuf;

use b2fast_core::local_files;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyType};

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(find_files, module)?)?;
    Ok(())
}

/// Look at files of a directory; symbolic links are followed.
///
/// The directory has a separator at the end, and the prefix is what the relative paths of its
/// files begin with. Returns a `LocalPath`, which is the class given, for each name; None for whatever asks for a closer look: a file that is not
/// there or may not be readable, what is no regular file, and a name that might not be possible
/// elsewhere.
#[pyfunction]
fn find_files<'py>(
    directory: &Bound<'py, PyString>,
    prefix: &Bound<'py, PyString>,
    names: &Bound<'py, PyList>,
    path_class: &Bound<'py, PyType>,
) -> PyResult<Bound<'py, PyList>> {
    let py = directory.py();
    let path: PathBuf = directory.extract()?;
    let prefix_length = prefix.to_str()?.len();
    let asked: Vec<OsString> = names.extract()?;
    let found = py.detach(|| local_files::find_files(&path, prefix_length, &asked));
    let paths = PyList::empty(py);
    for (name, file) in names.iter().zip(found) {
        let Some(file) = file else {
            paths.append(py.None())?;
            continue;
        };
        let absolute = directory.add(&name)?;
        let relative = prefix.add(&name)?;
        paths.append(path_class.call1((absolute, relative, file.mod_time_millis, file.size))?)?;
    }
    Ok(paths)
}
