//! The server: accepts connections and asks the handler.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::body::ResponseBody;
use crate::body_faults::{BodyFaults, HowItEnds};
use crate::calls::{Attendant, Calls};
use crate::connection::TcpConnection;
use crate::content::Content;
use crate::flush_gate::FlushGate;
use crate::hang_up::HangUp;
use crate::intake::HALF_OF_THE_CORES;
use crate::message::{Payload, Request, Response};
use crate::receive::{self, Aborted, Received, Receiver};
use crate::store::ContentStore;
use crate::tls::Identity;

/// How much hyper reads from a connection at once, at most. Large reads are what an upload
/// needs; a connection that carries small requests stays at hyper's first 8 KiB.
const READ_BUFFER: usize = 512 << 10;

/// The largest head of a request. B2 allows 8 KiB of custom headers.
const MAX_HEAD: usize = 64 << 10;

/// Connections that wait to be accepted: more than any client opens at once.
const BACKLOG: u32 = 1024;

/// How long a client may take for the handshake of TLS.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(30);

/// How long [`Server::stop`] waits for handlers that are at work.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Decides about requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request`, whose body has arrived. Called on several threads at once, and
    /// free to block.
    fn handle(&self, request: Request) -> Response;

    /// Says what goes wrong with the body of an upload whose head has arrived; `head` has no
    /// body yet. Asked while [`Server::watch_uploads`] says so.
    fn begin_upload(&self, head: Request) -> BodyFaults {
        let _ = head;
        BodyFaults::default()
    }

    /// Runs on each thread that asks this handler, until `attendant` has no more calls. To be
    /// written anew by a handler that needs something around its calls, or once per thread.
    fn attend(&self, attendant: &Attendant) {
        while attendant.wait() {
            while let Some(call) = attendant.take() {
                call.put_to(self);
            }
        }
    }
}

impl<F: Fn(Request) -> Response + Send + Sync + 'static> Handler for F {
    fn handle(&self, request: Request) -> Response {
        self(request)
    }
}

/// Where a server listens and how it keeps content.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name or address of the interface.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Where received content goes; in memory by default.
    pub store: ContentStore,
    /// The largest body that is not content, in bytes.
    pub max_body: u64,
    /// Serve HTTPS as this; plain HTTP if none.
    pub identity: Option<Identity>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            store: ContentStore::default(),
            max_body: 8 << 20,
            identity: None,
        }
    }
}

/// Why a server did not start.
#[derive(Debug)]
pub struct StartError {
    what: String,
    source: io::Error,
}

impl StartError {
    fn new(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self { what, source }
    }

    /// The number that the operating system gave the error.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.source)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A running HTTP server. Stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Mutex<Option<Runtime>>,
    /// The process whose threads serve: a fork has the object, not the threads.
    process: u32,
}

struct Shared {
    calls: Calls,
    receiver: Receiver,
    watches_uploads: AtomicBool,
}

impl Server {
    /// Listens as `options` say and passes every request to `handler`.
    pub fn start(handler: impl Handler, options: &Options) -> Result<Self, StartError> {
        let Options {
            host,
            port,
            store,
            max_body,
            identity,
        } = options;
        let tls = identity
            .as_ref()
            .map(Identity::acceptor)
            .transpose()
            .map_err(StartError::new("cannot use the certificate"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(*HALF_OF_THE_CORES)
            .thread_name("b2fast-http")
            .enable_io()
            .enable_time()
            .build()
            .map_err(StartError::new("cannot start threads"))?;
        let listener = {
            let _context = runtime.enter();
            listen(host, *port)
        };
        let (listener, address) =
            listener.map_err(StartError::new(format!("cannot listen on {host}:{port}")))?;
        let shared = Arc::new(Shared {
            calls: Calls::new(handler),
            receiver: Receiver {
                store: store.clone(),
                max_body: *max_body,
            },
            watches_uploads: AtomicBool::new(false),
        });
        runtime.spawn(accept(listener, tls, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            runtime: Mutex::new(Some(runtime)),
            process: std::process::id(),
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the handler decide about the body of every upload as it begins, or no longer.
    pub fn watch_uploads(&self, on: bool) {
        self.shared.watches_uploads.store(on, Ordering::Release);
    }

    /// Closes the port and every connection. Waits one second at most for handlers at work;
    /// their answers go nowhere. Does nothing when the server has stopped.
    pub fn stop(&self) {
        let runtime = self
            .runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(runtime) = runtime else { return };
        if self.process == std::process::id() {
            self.shared.calls.close();
            runtime.shutdown_timeout(STOP_PATIENCE);
            self.shared.calls.join(STOP_PATIENCE);
        } else {
            // The threads are the parent's: to wait for them would be to wait for ever.
            std::mem::forget(runtime);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn listen(host: &str, port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let address = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))?;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(greet(stream, peer.ip(), tls.clone(), Arc::clone(&shared)));
            }
            // Out of descriptors, or a client that has gone: neither is there to stay.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// What the answers on a connection need to know of it.
struct Connection {
    peer: IpAddr,
    gate: FlushGate,
    hang_up: HangUp,
}

async fn greet(stream: TcpStream, peer: IpAddr, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Without it a small answer waits for the acknowledgement of the one before; a socket
    // that refuses is as good as closed, which the next lines find out.
    let _ = stream.set_nodelay(true);
    let connection = Connection {
        // An IPv6 socket gives the addresses of IPv4 in a form of their own.
        peer: peer.to_canonical(),
        gate: FlushGate::default(),
        hang_up: HangUp::default(),
    };
    let stream = TcpConnection::new(stream, connection.gate.clone(), connection.hang_up.clone());
    let Some(tls) = tls else {
        return serve_connection(stream, connection, shared).await;
    };
    // A client that does not trust the certificate, or does not speak TLS, knows that better
    // than this side.
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_PATIENCE, tls.accept(stream)).await {
        serve_connection(stream, connection, shared).await;
    }
}

async fn serve_connection<S>(stream: S, connection: Connection, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| answer(request, &shared, &connection));
    // What ends a connection early is the client's doing or a scripted fault; a handler
    // has reported what went wrong on this side.
    let _ = http1::Builder::new()
        .max_buf_size(READ_BUFFER)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    shared: &Shared,
    connection: &Connection,
) -> Result<hyper::Response<ResponseBody>, Aborted> {
    let (parts, body) = request.into_parts();
    let Connection {
        peer,
        gate,
        hang_up,
    } = connection;
    let faults_of_upload = async {
        if !shared.watches_uploads.load(Ordering::Acquire) {
            return Ok(BodyFaults::default());
        }
        let payload = Payload::Body(Bytes::new());
        let head = receive::request(&parts, payload, Instant::now(), *peer);
        let faults = shared.calls.begin_upload(head).await;
        faults.ok_or(Aborted::Unanswered)
    };
    let received = shared
        .receiver
        .receive(&parts, body, *peer, hang_up, faults_of_upload);
    let mut response = match received.await? {
        Received::Request(request) => {
            let response = shared.calls.handle(request).await;
            response.ok_or(Aborted::Unanswered)?
        }
        Received::Refused(response) => response,
    };
    if !response.delay.is_zero() {
        tokio::time::sleep(response.delay).await;
    }
    let length = response.length();
    let has_body = response.has_body(&parts.method);
    let mut faults = response.faults;
    if let Some(ending) = faults.ending {
        if ending.after == 0 {
            match ending.how {
                HowItEnds::Close => (),
                HowItEnds::Reset => hang_up.reset(),
                HowItEnds::Stall => std::future::pending().await,
            }
            return Err(Aborted::ByFault);
        }
        if !has_body || ending.after >= length {
            faults.ending = None;
            response.close = true;
        }
    }

    let (close, has_length) = (response.close, response.has_length());
    let (status, mut headers, content) = response.into_parts();
    if has_length {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    if close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let content = if has_body {
        content
    } else {
        Content::default()
    };
    let body = ResponseBody::new(content, shared.receiver.store.pool().clone());
    let mut answer = hyper::Response::new(body.with_faults(faults, gate.clone(), hang_up.clone()));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}
