//! `b2fast._core.server`.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use b2fast_server::{self as http, Attendant, Ending, Handler, HowItEnds, Options, Payload};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::content_store::ContentStore;

pub(crate) fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BodyFaults>()?;
    module.add_class::<Content>()?;
    module.add_class::<ContentStore>()?;
    module.add_class::<Request>()?;
    module.add_class::<Response>()?;
    module.add_class::<HttpServer>()?;
    module.add_function(wrap_pyfunction!(make_certificate, module)?)?;
    // A thread that asks a handler while the interpreter goes down would crash the process.
    let stop_all = wrap_pyfunction!(stop_all, module)?;
    module
        .py()
        .import("atexit")?
        .call_method1("register", (stop_all,))?;
    Ok(())
}

/// Makes a certificate for `names` (host names and addresses).
///
/// Returns the certificate, its key, and the certificate of the authority that vouches for
/// it, which is what clients have to trust; all in PEM form.
///
/// Raises `OSError` when one of the names cannot be in a certificate.
#[pyfunction]
fn make_certificate(
    py: Python<'_>,
    names: Vec<String>,
) -> PyResult<(Py<PyBytes>, Py<PyBytes>, String)> {
    let (identity, authority) = py.detach(|| http::Identity::made_up(names))?;
    let bytes = |text: &[u8]| PyBytes::new(py, text).unbind();
    Ok((
        bytes(identity.certificates()),
        bytes(identity.key()),
        authority,
    ))
}

/// The servers that may be running.
static SERVERS: Mutex<Vec<Weak<http::Server>>> = Mutex::new(Vec::new());

#[pyfunction]
fn stop_all(py: Python<'_>) {
    py.detach(|| {
        let servers = std::mem::take(&mut *SERVERS.lock().unwrap_or_else(PoisonError::into_inner));
        for server in servers.iter().filter_map(Weak::upgrade) {
            server.stop();
        }
    });
}

fn remember(server: &Arc<http::Server>) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.retain(|server| server.strong_count() > 0);
    servers.push(Arc::downgrade(server));
}

/// Immutable bytes that the server received or that Python gave it.
///
/// Slices and concatenations share the bytes. What is kept in a file vanishes with the last
/// content that shares it, unless it is kept.
#[pyclass(frozen, module = "b2fast._core.server")]
pub(crate) struct Content(pub(crate) http::Content);

#[pymethods]
impl Content {
    /// A copy of `data`.
    #[new]
    #[pyo3(signature = (data = Data::default()), text_signature = "(data=b'')")]
    fn new(data: Data) -> Self {
        Self(data.0.into())
    }

    /// The bytes of `contents`, one after the other.
    #[staticmethod]
    fn concat(contents: Vec<Bound<'_, Self>>) -> Self {
        let contents: Vec<_> = contents
            .into_iter()
            .map(|content| content.get().0.clone())
            .collect();
        Self(http::Content::concat(&contents))
    }

    /// The bytes from `start` up to `end`, as far as there are any.
    fn slice(&self, start: u64, end: u64) -> Self {
        Self(self.0.slice(start..end))
    }

    /// The bytes from `start` up to `end` (by default: the last one).
    ///
    /// Raises `OSError` when the file that keeps them cannot be read.
    #[pyo3(signature = (start = 0, end = None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        start: u64,
        end: Option<u64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let range = start..end.unwrap_or(u64::MAX);
        let bytes = py.detach(|| self.0.read(range))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The SHA-1 in hexadecimal digits: known for what was received, computed once otherwise.
    ///
    /// Raises `OSError` when the file that keeps the bytes cannot be read.
    fn sha1(&self, py: Python<'_>) -> PyResult<String> {
        Ok(py.detach(|| self.0.sha1())?)
    }

    /// The MD5 in hexadecimal digits: known for small content that was received, computed once
    /// otherwise.
    ///
    /// Raises `OSError` when the file that keeps the bytes cannot be read.
    fn md5(&self, py: Python<'_>) -> PyResult<String> {
        Ok(py.detach(|| self.0.md5())?)
    }

    /// Where the bytes are: names of files in the store, offsets and lengths.
    ///
    /// Raises `ValueError` when some of them are in memory.
    fn stored(&self) -> PyResult<Vec<(String, u64, u64)>> {
        let segments = self.0.stored().ok_or_else(|| {
            PyValueError::new_err("the content is in memory, not in the files of a store")
        })?;
        Ok(segments
            .into_iter()
            .map(|segment| (segment.name, segment.offset, segment.length))
            .collect())
    }

    /// Lets the files of this content stay when nobody refers to it any more.
    ///
    /// To be called once for each record of what `stored` said.
    fn keep(&self) {
        self.0.keep();
    }

    /// Takes one `keep` back: the record is gone.
    fn release(&self) {
        self.0.release();
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.0.length())?)
    }

    fn __repr__(&self) -> String {
        format!("<Content of {} bytes>", self.0.length())
    }
}

/// What goes wrong with a body on its way, from the client or to it.
#[pyclass(frozen, get_all, module = "b2fast._core.server")]
#[derive(Clone)]
struct BodyFaults {
    /// The connection is closed after so many bytes.
    cut_after: Option<u64>,
    /// The connection is reset after so many bytes.
    reset_after: Option<u64>,
    /// Nothing moves any more after so many bytes.
    stall_after: Option<u64>,
    /// The byte at this offset is inverted.
    flip_at: Option<u64>,
    /// The speed of the body.
    bytes_per_second: Option<NonZeroU64>,
}

#[pymethods]
impl BodyFaults {
    /// One of `cut_after`, `reset_after` and `stall_after` can be given.
    ///
    /// Raises `ValueError` for more than one.
    #[new]
    #[pyo3(signature = (
        *, cut_after = None, reset_after = None, stall_after = None, flip_at = None,
        bytes_per_second = None,
    ))]
    fn new(
        cut_after: Option<u64>,
        reset_after: Option<u64>,
        stall_after: Option<u64>,
        flip_at: Option<u64>,
        bytes_per_second: Option<NonZeroU64>,
    ) -> PyResult<Self> {
        let endings = [cut_after, reset_after, stall_after];
        if endings.into_iter().flatten().count() > 1 {
            return Err(PyValueError::new_err("a body ends in one way only"));
        }
        Ok(Self {
            cut_after,
            reset_after,
            stall_after,
            flip_at,
            bytes_per_second,
        })
    }

    fn __repr__(&self) -> String {
        let fields = [
            ("cut_after", self.cut_after),
            ("reset_after", self.reset_after),
            ("stall_after", self.stall_after),
            ("flip_at", self.flip_at),
            ("bytes_per_second", self.bytes_per_second.map(Into::into)),
        ];
        let given: Vec<String> = fields
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)))
            .collect();
        format!("BodyFaults({})", given.join(", "))
    }
}

impl From<&BodyFaults> for http::BodyFaults {
    fn from(faults: &BodyFaults) -> Self {
        let endings = [
            (faults.cut_after, HowItEnds::Close),
            (faults.reset_after, HowItEnds::Reset),
            (faults.stall_after, HowItEnds::Stall),
        ];
        Self {
            ending: endings.into_iter().find_map(|(after, how)| {
                let after = after?;
                Some(Ending { after, how })
            }),
            flip_at: faults.flip_at,
            bytes_per_second: faults.bytes_per_second,
        }
    }
}

/// A request whose body has arrived completely.
#[pyclass(frozen, get_all, module = "b2fast._core.server")]
struct Request {
    /// The method, as sent.
    method: Py<PyString>,
    /// The path, as sent: still percent-encoded.
    path: Py<PyString>,
    /// What follows the `?`, as sent.
    query: Py<PyString>,
    /// Lower-case names with their values; values of one name are joined by `, `.
    headers: Py<PyDict>,
    /// The body, when it is not the content of a file.
    body: Py<PyBytes>,
    /// The content of a file or part, when the request uploads one.
    content: Option<Py<Content>>,
    /// What followed the content, when `X-Bz-Content-Sha1` was `hex_digits_at_end`.
    trailing_sha1: Option<Py<PyString>>,
    /// Seconds from the arrival of the head until now, when the handler is asked.
    age: f64,
    /// The address of the client, without its port, if it came over a network.
    peer: Option<Py<PyString>>,
}

#[pymethods]
impl Request {
    /// A request that did not come through a server: a handler can be asked in the process.
    #[new]
    #[pyo3(
        signature = (
            method, path, query, headers, body, content = None, trailing_sha1 = None, peer = None,
        ),
        text_signature = "(method, path, query, headers, body, content=None, trailing_sha1=None, peer=None)"
    )]
    // They are what a request has.
    #[allow(clippy::too_many_arguments)]
    fn from_parts(
        method: Py<PyString>,
        path: Py<PyString>,
        query: Py<PyString>,
        headers: Py<PyDict>,
        body: Py<PyBytes>,
        content: Option<Py<Content>>,
        trailing_sha1: Option<Py<PyString>>,
        peer: Option<Py<PyString>>,
    ) -> Self {
        Self {
            method,
            path,
            query,
            headers,
            body,
            content,
            trailing_sha1,
            age: 0.0,
            peer,
        }
    }

    /// Without query, headers and body: tokens travel in all of them.
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<Request {} {}>", self.method.bind(py), self.path.bind(py))
    }
}

impl Request {
    fn new(py: Python<'_>, request: http::Request) -> PyResult<Self> {
        let headers = PyDict::new(py);
        for (name, value) in &request.headers {
            headers.set_item(name, value)?;
        }
        let (body, content, trailing_sha1) = match request.payload {
            Payload::Body(body) => (PyBytes::new(py, &body), None, None),
            Payload::Content {
                content,
                trailing_sha1,
            } => (
                PyBytes::new(py, b""),
                Some(Py::new(py, Content(content))?),
                trailing_sha1.map(|digits| PyString::new(py, &digits).unbind()),
            ),
        };
        Ok(Self {
            method: PyString::new(py, &request.method).unbind(),
            path: PyString::new(py, &request.path).unbind(),
            query: PyString::new(py, &request.query).unbind(),
            headers: headers.unbind(),
            body: body.unbind(),
            content,
            trailing_sha1,
            age: request.started.elapsed().as_secs_f64(),
            peer: Some(PyString::new(py, &request.peer.to_string()).unbind()),
        })
    }
}

/// An answer, and the faults to commit while it is sent.
#[pyclass(frozen, module = "b2fast._core.server")]
struct Response {
    response: http::Response,
    faults: Option<Py<BodyFaults>>,
}

#[pymethods]
impl Response {
    /// Answers with `status`, `headers` and `body`.
    ///
    /// `Content-Length` is set by the server. `close` closes the connection afterwards.
    /// `delay` is how many seconds to wait before anything is sent. `faults` is what goes
    /// wrong with the body, of which all bytes are announced; an ending after 0 bytes strikes
    /// before the head is sent.
    ///
    /// Raises `ValueError` for a status outside of 200 to 599, for a header that HTTP does not
    /// allow and for a delay that is no time.
    #[new]
    #[pyo3(
        signature = (
            status, headers = Vec::new(), body = Body::default(), *,
            close = false, delay = 0.0, faults = None,
        ),
        text_signature = "(status, headers=(), body=b'', *, close=False, delay=0.0, faults=None)"
    )]
    fn new(
        status: u16,
        headers: Vec<(PyBackedStr, PyBackedStr)>,
        body: Body,
        close: bool,
        delay: f64,
        faults: Option<Py<BodyFaults>>,
    ) -> PyResult<Self> {
        let mut response = http::Response::new(status, headers, body.0)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        response.close = close;
        response.delay = Duration::try_from_secs_f64(delay)
            .map_err(|_| PyValueError::new_err("a delay is a number of seconds"))?;
        if let Some(faults) = &faults {
            response.faults = faults.get().into();
        }
        Ok(Self { response, faults })
    }

    /// The status code.
    #[getter]
    fn status(&self) -> u16 {
        self.response.status()
    }

    /// Names, in lower case, with their values.
    #[getter]
    fn headers(&self) -> Vec<(&str, &str)> {
        self.response.headers().collect()
    }

    /// The body.
    #[getter]
    fn body(&self) -> Content {
        Content(self.response.body().clone())
    }

    /// Whether the connection is closed afterwards.
    #[getter]
    fn close(&self) -> bool {
        self.response.close
    }

    /// Seconds to wait before anything is sent.
    #[getter]
    fn delay(&self) -> f64 {
        self.response.delay.as_secs_f64()
    }

    /// What goes wrong with the body.
    #[getter]
    fn faults(&self, py: Python<'_>) -> Option<Py<BodyFaults>> {
        self.faults.as_ref().map(|faults| faults.clone_ref(py))
    }

    fn __repr__(&self) -> String {
        format!(
            "<Response {} of {} bytes>",
            self.response.status(),
            self.response.length()
        )
    }
}

/// An HTTP server on threads of its own that asks `handler` about every request.
///
/// It stops when it is collected, and when the interpreter exits.
#[pyclass(frozen, module = "b2fast._core.server")]
struct HttpServer {
    server: Arc<http::Server>,
    handlers: Arc<Handlers>,
}

#[pymethods]
impl HttpServer {
    /// Listens on `host` and `port` (0: any that is free).
    ///
    /// `handler` is called from several threads. An exception that it raises becomes an
    /// answer with status 500 and goes to `sys.unraisablehook`. Content is kept in memory,
    /// or in the files of `store`. A body that is not content has at most `max_body` bytes.
    /// With `tls`, a certificate and its key in PEM form, the server speaks HTTPS.
    /// `begin_upload` is called while `watch_uploads` says so: with each upload before its
    /// body arrives, and says what goes wrong with that.
    ///
    /// Raises `OSError` when it cannot listen or the certificate cannot be used.
    #[new]
    #[pyo3(signature = (
        handler, *, host = "127.0.0.1", port = 0, store = None, max_body = 8_388_608, tls = None,
        begin_upload = None,
    ))]
    fn new(
        py: Python<'_>,
        handler: Py<PyAny>,
        host: &str,
        port: u16,
        store: Option<PyRef<'_, ContentStore>>,
        max_body: u64,
        tls: Option<(Vec<u8>, Vec<u8>)>,
        begin_upload: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let handlers = Arc::new(Handlers {
            handler,
            begin_upload,
        });
        let options = Options {
            host: host.to_owned(),
            port,
            store: store.map_or_else(http::ContentStore::default, |store| store.0.clone()),
            max_body,
            identity: tls.map(|(certificates, key)| http::Identity::new(certificates, key)),
        };
        let asked = AskPython(Arc::clone(&handlers));
        let server =
            py.detach(|| http::Server::start(asked, &options))
                .map_err(|error| match error.errno() {
                    Some(errno) => PyOSError::new_err((errno, error.to_string())),
                    None => PyOSError::new_err(error.to_string()),
                })?;
        let server = Arc::new(server);
        remember(&server);
        Ok(Self { server, handlers })
    }

    /// The address that the server listens on.
    #[getter]
    fn host(&self) -> String {
        self.address().ip().to_string()
    }

    /// The port that the server listens on.
    #[getter]
    fn port(&self) -> u16 {
        self.address().port()
    }

    /// Asks `begin_upload` about the uploads to come, or no longer.
    fn watch_uploads(&self, on: bool) {
        self.server.watch_uploads(on);
    }

    /// Closes the port and every connection; waits up to one second for handlers at work.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.server.stop());
    }

    fn __repr__(&self) -> String {
        format!("<HttpServer on {}>", self.address())
    }

    /// A simulator has a server whose handler is the simulator's: the collector must see it.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.handlers.handler)?;
        visit.call(&self.handlers.begin_upload)
    }
}

impl HttpServer {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        // Handlers at work need the interpreter to finish.
        Python::attach(|py| py.detach(|| self.server.stop()));
    }
}

/// Passes requests to Python.
struct AskPython(Arc<Handlers>);

/// What Python gave a server to ask.
struct Handlers {
    handler: Py<PyAny>,
    begin_upload: Option<Py<PyAny>>,
}

impl AskPython {
    fn ask(&self, py: Python<'_>, request: http::Request) -> PyResult<http::Response> {
        let request = Request::new(py, request)?;
        let response = self.0.handler.bind(py).call1((request,))?;
        Ok(response.cast::<Response>()?.get().response.clone())
    }
}

impl Handler for AskPython {
    /// The interpreter's data about a thread are made once, and its lock is taken once for all
    /// calls that wait: either costs as much as a short call.
    fn attend(&self, attendant: &Attendant) {
        // None: the interpreter is shutting down, and the server with it.
        let _ = Python::try_attach(|py| {
            while py.detach(|| attendant.wait()) {
                while let Some(call) = attendant.take() {
                    call.put_to(self);
                }
            }
        });
    }

    fn handle(&self, request: http::Request) -> http::Response {
        Python::try_attach(|py| {
            self.ask(py, request).unwrap_or_else(|error| {
                let response = http::Response::internal_error(&error.to_string());
                error.write_unraisable(py, Some(self.0.handler.bind(py)));
                response
            })
        })
        .unwrap_or_else(|| http::Response::internal_error("the interpreter is shutting down"))
    }

    fn begin_upload(&self, head: http::Request) -> http::BodyFaults {
        let Some(begin_upload) = &self.0.begin_upload else {
            return http::BodyFaults::default();
        };
        Python::try_attach(|py| {
            ask_about(py, begin_upload, head).unwrap_or_else(|error| {
                error.write_unraisable(py, Some(begin_upload.bind(py)));
                http::BodyFaults::default()
            })
        })
        .unwrap_or_default()
    }
}

/// What `begin_upload` says of the upload that begins with `head`.
fn ask_about(
    py: Python<'_>,
    begin_upload: &Py<PyAny>,
    head: http::Request,
) -> PyResult<http::BodyFaults> {
    let head = Request::new(py, head)?;
    let faults = begin_upload.bind(py).call1((head,))?;
    let faults: Option<Bound<'_, BodyFaults>> = faults.extract()?;
    Ok(faults.map_or_else(Default::default, |faults| faults.get().into()))
}

/// A copy of the bytes of an object with a buffer.
#[derive(Default)]
struct Data(Vec<u8>);

impl FromPyObject<'_, '_> for Data {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(bytes.as_bytes().to_vec()));
        }
        let buffer = PyBuffer::<u8>::get(&object)?;
        Ok(Self(buffer.to_vec(object.py())?))
    }
}

/// The body of a response: content, or bytes that become content.
#[derive(Default)]
struct Body(http::Content);

impl FromPyObject<'_, '_> for Body {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(content) = object.cast::<Content>() {
            return Ok(Self(content.get().0.clone()));
        }
        Ok(Self(object.extract::<Data>()?.0.into()))
    }
}
