//! What moving a GiB costs: CPU time of the thread that sends and receives, kernel included.
//!
//! ```text
//! cargo run --profile quick -p b2fast-core --example transport_cost [GiB] [rounds]
//! ```
//!
//! The server is a thread of the same process that only writes zeros or drops what it reads;
//! its time is not counted. Linux only: the time is read from `/proc/thread-self`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use b2fast_core::cancel::CancelToken;
use b2fast_core::transport::http::{HttpConfig, HttpTransport, Trust};
use b2fast_core::transport::{Body, Method, Request, Transport};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const GIB: u64 = 1 << 30;
const BUFFER: usize = 1 << 20;
/// As large as the buffers of the transport.
const BARE_BUFFER: usize = 128 * 1024;
const SMALL: u64 = 1 << 10;
const REQUESTS: u32 = 10_000;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let gib: u32 = arguments.next().transpose()?.unwrap_or(1);
    let rounds: u32 = arguments.next().transpose()?.unwrap_or(5);
    let size = u64::from(gib) * GIB;

    let identity = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let bundle = tempfile::NamedTempFile::new()?;
    bundle.as_file().write_all(identity.cert.pem().as_bytes())?;
    let mut config = HttpConfig::new("b2fast-cost");
    config.trust = Trust::Bundle(bundle.path().to_owned());
    let transport = HttpTransport::new(config)?;

    let plain = listen(serve)?;
    let tls = Arc::new(server_config(&identity)?);
    let secure = listen(move |stream| {
        let connection = ServerConnection::new(tls.clone()).map_err(io::Error::other)?;
        serve(StreamOwned::new(connection, stream))
    })?;

    println!(
        "Seconds per GiB, or per {REQUESTS} uploads of {SMALL} bytes; least of {rounds} rounds:"
    );
    println!("CPU of the client's thread (user + system), wall");
    // What the kernel alone takes: it varies with the load, and with who does the receiving.
    let cost = measure(rounds, || bare_upload(plain, size))?;
    println!("bare  upload   {}", cost.per(gib));
    let cost = measure(rounds, || bare_download(plain, size))?;
    println!("bare  download {}", cost.per(gib));
    for (scheme, server) in [("http", plain), ("https", secure)] {
        let url = format!("{scheme}://localhost:{}/{size}", server.port());
        let cost = measure(rounds, || upload(&transport, &url, size))?;
        println!("{scheme:5} upload   {}", cost.per(gib));
        let cost = measure(rounds, || download(&transport, &url, size))?;
        println!("{scheme:5} download {}", cost.per(gib));
        let url = format!("{scheme}://localhost:{}/{SMALL}", server.port());
        let cost = measure(rounds, || {
            (0..REQUESTS).try_for_each(|_| upload(&transport, &url, SMALL))
        })?;
        println!("{scheme:5} small    {}", cost.per(1));
    }
    Ok(())
}

/// Times in seconds.
struct Cost {
    user: f64,
    system: f64,
    wall: f64,
}

impl Cost {
    fn cpu(&self) -> f64 {
        self.user + self.system
    }

    fn per(&self, gib: u32) -> String {
        let [cpu, user, system, wall] =
            [self.cpu(), self.user, self.system, self.wall].map(|time| time / f64::from(gib));
        format!("{cpu:.3} ({user:.3} + {system:.3}), wall {wall:.3}")
    }
}

/// The least cost of some rounds, after one that is not counted.
fn measure(rounds: u32, mut run: impl FnMut() -> Outcome<()>) -> Outcome<Cost> {
    run()?;
    let mut costs = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let (user, system) = cpu_time()?;
        run()?;
        let (user_end, system_end) = cpu_time()?;
        costs.push(Cost {
            user: user_end - user,
            system: system_end - system,
            wall: start.elapsed().as_secs_f64(),
        });
    }
    let least = costs.into_iter().min_by(|a, b| a.cpu().total_cmp(&b.cpu()));
    least.ok_or_else(|| "no rounds".into())
}

/// User and system time of this thread, in seconds.
fn cpu_time() -> io::Result<(f64, f64)> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/thread-self/stat")?;
    // The name before it is in parentheses and may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut ticks = fields
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse::<f64>().map_err(io::Error::other));
    let mut next = || {
        ticks
            .next()
            .unwrap_or(Ok(0.0))
            .map(|ticks| ticks / TICKS_PER_SECOND)
    };
    Ok((next()?, next()?))
}

/// Stands for a file whose pages are in memory, at no cost.
struct Blank;

impl Read for Blank {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }
}

fn upload(transport: &HttpTransport, url: &str, size: u64) -> Outcome<()> {
    let request = Request {
        method: Method::Post,
        url,
        headers: &[],
    };
    let body = Body::Reader {
        length: size,
        reader: &mut Blank,
    };
    let response = transport.send(&request, body, &CancelToken::new())?;
    assert_eq!(response.status, 200);
    Ok(())
}

fn download(transport: &HttpTransport, url: &str, size: u64) -> Outcome<()> {
    let request = Request {
        method: Method::Get,
        url,
        headers: &[],
    };
    let cancel = CancelToken::new();
    let mut response = transport.send(&request, Body::Empty, &cancel)?;
    let mut buffer = vec![0; BUFFER];
    let mut received = 0;
    loop {
        let count = response.body.read(&mut buffer, &cancel)?;
        if count == 0 {
            break;
        }
        received += count as u64;
    }
    assert_eq!(received, size);
    Ok(())
}

fn bare_upload(server: SocketAddr, size: u64) -> Outcome<()> {
    let mut stream = TcpStream::connect(server)?;
    write!(stream, "POST /{size} HTTP/1.1\r\n\r\n")?;
    let zeros = vec![0; BARE_BUFFER];
    for _ in 0..size / BARE_BUFFER as u64 {
        stream.write_all(&zeros)?;
    }
    stream.read_exact(&mut [0])?;
    Ok(())
}

fn bare_download(server: SocketAddr, size: u64) -> Outcome<()> {
    let mut stream = TcpStream::connect(server)?;
    write!(stream, "GET /{size} HTTP/1.1\r\n\r\n")?;
    let mut buffer = vec![0; BARE_BUFFER];
    let mut received = 0;
    while received < size {
        received += stream.read(&mut buffer)? as u64;
    }
    Ok(())
}

fn listen(
    handle: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client's end of a connection is no failure.
            let _ = stream.set_nodelay(true).and_then(|()| handle(stream));
        }
    });
    Ok(address)
}

fn server_config(identity: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Outcome<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(identity.signing_key.serialize_pem().as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)?)
}

/// Drop the bodies of POST requests, answer GET requests with as many zeros as the path says.
fn serve(stream: impl Read + Write) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    let zeros = vec![0; BUFFER];
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let size: u64 = path
            .trim_start_matches('/')
            .parse()
            .map_err(io::Error::other)?;
        let is_upload = head.starts_with("POST");
        if is_upload {
            let mut left = size;
            while left > 0 {
                let count = stream.fill_buf()?.len();
                if count == 0 {
                    return Ok(());
                }
                stream.consume(count);
                left -= count as u64;
            }
        }
        let mut left = if is_upload { 0 } else { size };
        let output = stream.get_mut();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n");
        output.write_all(head.as_bytes())?;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            output.write_all(&zeros[..count])?;
            left -= count as u64;
        }
        output.flush()?;
    }
}
