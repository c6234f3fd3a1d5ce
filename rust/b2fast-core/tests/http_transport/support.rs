//! A server that does what a closure says, and what tests do with a transport.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use b2fast_core::cancel::CancelToken;
use b2fast_core::error::Result;
use b2fast_core::transport::http::{HttpConfig, HttpTransport};
use b2fast_core::transport::{Body, Method, Request, Response, Transport};

/// Accepts connections on a port of its own until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serve every connection by `handler`, which also gets its number, counted from 0.
    ///
    /// Errors of a handler are those of a client that went away, which is often the test.
    pub(crate) fn start(
        handler: impl Fn(usize, TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let stopping = Arc::new(AtomicBool::new(false));
        let handler = Arc::new(handler);
        let thread = thread::spawn({
            let (accepted, stopping) = (accepted.clone(), stopping.clone());
            move || {
                for stream in listener.incoming() {
                    if stopping.load(Ordering::Acquire) {
                        return;
                    }
                    let number = accepted.fetch_add(1, Ordering::AcqRel);
                    let handler = handler.clone();
                    let stream = stream.unwrap();
                    // An answer that Nagle's algorithm holds back is lost when its sender
                    // closes a connection whose input it has not read.
                    stream.set_nodelay(true).unwrap();
                    thread::spawn(move || handler(number, stream));
                }
            }
        });
        Self {
            address,
            accepted,
            stopping,
            thread: Some(thread),
        }
    }

    /// Serve requests one after the other with what `answer` returns, as long as the client
    /// keeps the connection.
    pub(crate) fn answering(answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |_, stream| serve(stream, &answer))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there were so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Acquire)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A request as the server got it.
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// Answer requests until the client closes the connection.
pub(crate) fn serve(
    stream: impl Read + Write,
    answer: &impl Fn(&Received) -> Vec<u8>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(received) = receive(&mut stream)? {
        stream.get_mut().write_all(&answer(&received))?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

/// Read one request; none when the client closed the connection.
pub(crate) fn receive(stream: &mut impl BufRead) -> io::Result<Option<Received>> {
    let Some(head) = receive_head(stream)? else {
        return Ok(None);
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Received { head, body }))
}

/// Read the head of a request.
pub(crate) fn receive_head(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut head = String::new();
    loop {
        let start = head.len();
        if stream.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if head[start..].trim_end().is_empty() {
            return Ok(Some(head));
        }
    }
}

/// An answer with a body of known length.
pub(crate) fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Reason\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn config() -> HttpConfig {
    HttpConfig::new("b2fast-tests")
}

pub(crate) fn transport() -> HttpTransport {
    HttpTransport::new(config()).unwrap()
}

pub(crate) fn send(
    transport: &HttpTransport,
    method: Method,
    url: &str,
    body: Body<'_>,
) -> Result<Response> {
    let request = Request {
        method,
        url,
        headers: &[("Authorization", "secret-token")],
    };
    transport.send(&request, body, &CancelToken::new())
}

pub(crate) fn get(transport: &HttpTransport, url: &str) -> Result<Response> {
    send(transport, Method::Get, url, Body::Empty)
}

pub(crate) fn post(transport: &HttpTransport, url: &str, body: &[u8]) -> Result<Response> {
    let mut reader = body;
    let body = Body::Reader {
        length: body.len() as u64,
        reader: &mut reader,
    };
    send(transport, Method::Post, url, body)
}

/// The whole body, read in pieces of an odd size.
pub(crate) fn read_all(response: &mut Response) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut buffer = vec![0; 99_991];
    loop {
        match response.body.read(&mut buffer, &CancelToken::new())? {
            0 => return Ok(content),
            count => content.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Bytes without a pattern that a lost or doubled block would fit into.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}
