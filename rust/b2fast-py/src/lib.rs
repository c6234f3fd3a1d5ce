//! The extension module `b2fast._core`.

// Arguments are converted from Python objects, so they are owned by the function; and what
// looks like too many of them are keyword arguments.
#![allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]

mod blocking;
mod content_store;
mod errors;
mod hashing;
mod listing;
mod planning;
mod scanning;
mod scope;
mod server;
mod transfer;

use pyo3::prelude::*;

/// The Rust core of b2fast.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    let modules = py.import("sys")?.getattr("modules")?;
    for (name, fill) in [
        (
            "hashing",
            hashing::fill as fn(&Bound<'_, PyModule>) -> PyResult<()>,
        ),
        ("listing", listing::fill),
        ("planning", planning::fill),
        ("scanning", scanning::fill),
        ("server", server::fill),
        ("transfer", transfer::fill),
    ] {
        let full_name = format!("b2fast._core.{name}");
        let submodule = PyModule::new(py, &full_name)?;
        fill(&submodule)?;
        module.add(name, &submodule)?;
        // `import b2fast._core.hashing` finds it only here: an extension is not a package.
        modules.set_item(full_name, submodule)?;
    }
    Ok(())
}
