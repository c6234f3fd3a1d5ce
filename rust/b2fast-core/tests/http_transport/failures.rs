//! Servers that close, lie, stall or are not there.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use b2fast_core::error::{Error, NetworkError, Result};
use b2fast_core::transport::http::HttpTransport;
use b2fast_core::transport::{Body, Method, Response, Timeouts};

use crate::support::{
    Received, Server, answer, config, get, noise, post, read_all, receive, receive_head, send,
    transport,
};

fn kind<T>(result: Result<T>) -> NetworkError {
    match result {
        Err(error @ Error::Network { kind, .. }) => {
            assert!(!error.to_string().contains("secret"), "{error}");
            kind
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3600);

fn impatient(idle: Duration) -> HttpTransport {
    waiting(idle, HOUR)
}

fn waiting(idle: Duration, upload_idle: Duration) -> HttpTransport {
    let mut config = config();
    config.timeouts = Timeouts {
        idle,
        upload_idle,
        ..Timeouts::default()
    };
    HttpTransport::new(config).unwrap()
}

/// A server that answers one request per connection and then closes it, unannounced.
/// Every time it has done so, it sends a message.
fn closing_server() -> (Server, mpsc::Receiver<()>) {
    let (closed, wait) = mpsc::channel();
    let closed = Mutex::new(closed);
    let server = Server::start(move |_, stream| {
        let mut stream = BufReader::new(stream);
        if receive(&mut stream)?.is_some() {
            stream.get_mut().write_all(&answer(200, b"body"))?;
        }
        drop(stream);
        closed.lock().unwrap().send(()).unwrap();
        Ok(())
    });
    (server, wait)
}

#[test]
fn a_connection_closed_while_idle_is_not_used() {
    let (server, wait) = closing_server();
    let transport = transport();
    for expected in 1..4 {
        let mut response = post(&transport, &server.url("/"), b"content").unwrap();
        assert_eq!(read_all(&mut response).unwrap(), b"body");
        wait.recv().unwrap();
        assert_eq!(server.accepted(), expected);
    }
}

#[test]
fn a_connection_closed_under_the_request_is_replaced_if_that_is_safe() {
    // The second request of every connection is read, and the connection closed.
    let server = Server::start(|_, stream| {
        let mut stream = BufReader::new(stream);
        if receive(&mut stream)?.is_some() {
            stream.get_mut().write_all(&answer(200, b"body"))?;
        }
        receive(&mut stream).map(|_| ())
    });
    let transport = transport();
    let body = |response: Result<Response>| read_all(&mut response.unwrap()).unwrap();
    assert_eq!(body(get(&transport, &server.url("/"))), b"body");
    assert_eq!(body(get(&transport, &server.url("/"))), b"body");
    assert_eq!(server.accepted(), 2);
    // A POST may have taken effect, so only its sender can decide to repeat it.
    let lost = send(
        &transport,
        Method::Post,
        &server.url("/"),
        Body::Bytes(b"1"),
    );
    assert_eq!(kind(lost), NetworkError::ConnectionLost);
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_fresh_connection_that_breaks_is_not_replaced() {
    let server = Server::start(|_, stream| receive(&mut BufReader::new(stream)).map(|_| ()));
    let lost = get(&transport(), &server.url("/secret?secret"));
    assert_eq!(kind(lost), NetworkError::ConnectionLost);
    assert_eq!(server.accepted(), 1);
}

#[test]
fn truncated_bodies() {
    let truncate = |received: &Received| match received.path() {
        "/length" => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234".to_vec(),
        "/nothing" => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_vec(),
        "/chunked" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n12".to_vec(),
        _ => b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(),
    };
    let server = Server::start(move |_, stream| {
        let mut stream = BufReader::new(stream);
        match receive(&mut stream)? {
            Some(received) => stream.get_mut().write_all(&truncate(&received)),
            None => Ok(()),
        }
    });
    let transport = transport();
    let read = |path: &str| read_all(&mut get(&transport, &server.url(path))?);
    let truncated = |path: &str| match read(path).unwrap_err() {
        Error::Truncated { expected, received } => (expected, received),
        other => panic!("{other}"),
    };
    assert_eq!(truncated("/length"), (10, 4));
    assert_eq!(truncated("/nothing"), (10, 0));
    assert_eq!(kind(read("/chunked")), NetworkError::ConnectionLost);
    assert_eq!(kind(read("/head")), NetworkError::ConnectionLost);

    let mut failed = get(&transport, &server.url("/nothing")).unwrap();
    assert!(read_all(&mut failed).is_err());
    assert!(
        read_all(&mut failed).is_err(),
        "a failed body never looks complete"
    );
}

#[test]
fn answers_that_are_not_http() {
    let server = Server::start(|_, mut stream| stream.write_all(b"220 mail.example ESMTP\r\n\r\n"));
    let error = get(&transport(), &server.url("/secret")).unwrap_err();
    assert!(
        matches!(&error, Error::Protocol(detail) if !detail.contains("secret")),
        "{error}"
    );
}

#[test]
fn hosts_that_are_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/secret", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(kind(get(&transport(), &closed)), NetworkError::Connect);
    // RFC 6761 keeps this domain free of names for ever.
    let unknown = get(&transport(), "http://no-such-host.invalid/secret");
    assert_eq!(kind(unknown), NetworkError::UnknownHost);
}

/// Counts what is read from it; never ends.
struct Endless(Arc<AtomicU64>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Ok(buffer.len())
    }
}

/// Upload a terabyte to a server that reads the head, writes `reply` and closes.
fn upload_to_refusing(reply: &'static [u8]) -> (Result<Response>, u64) {
    let server = Server::start(move |_, stream| {
        let mut stream = BufReader::new(stream);
        receive_head(&mut stream)?;
        stream.get_mut().write_all(reply)
    });
    let read = Arc::new(AtomicU64::new(0));
    let body = Body::Reader {
        length: 1 << 40,
        reader: &mut Endless(read.clone()),
    };
    let result = send(&transport(), Method::Post, &server.url("/secret"), body);
    (result, read.load(Ordering::Relaxed))
}

#[test]
fn early_refusals_are_delivered() {
    let (result, read) = upload_to_refusing(
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy",
    );
    let mut response = result.unwrap();
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("7"));
    assert_eq!(read_all(&mut response).unwrap(), b"busy");
    assert!(read < 1 << 30, "{read} bytes were read for nobody");
}

#[test]
fn early_success_is_not_believed() {
    let (result, _) = upload_to_refusing(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(kind(result), NetworkError::ConnectionLost);
}

#[test]
fn servers_that_close_without_a_word() {
    let (result, read) = upload_to_refusing(b"");
    assert_eq!(kind(result), NetworkError::ConnectionLost);
    assert!(read < 1 << 30, "{read} bytes were read for nobody");
}

/// Holds a connection open until the client closes it.
fn hold(mut stream: TcpStream) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink()).map(|_| ())
}

#[test]
fn silence_is_a_timeout() {
    let server = Server::start(|number, mut stream| {
        if number == 1 {
            receive_head(&mut BufReader::new(stream.try_clone()?))?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234")?;
        }
        hold(stream)
    });
    let transport = impatient(Duration::from_millis(300));
    assert_eq!(
        kind(get(&transport, &server.url("/secret"))),
        NetworkError::Timeout
    );
    let mut response = get(&transport, &server.url("/secret")).unwrap();
    assert_eq!(kind(read_all(&mut response)), NetworkError::Timeout);
}

#[test]
fn a_server_that_stops_receiving_is_a_timeout() {
    let (done, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let server = Server::start(move |_, stream| {
        // Until the test ends.
        let _ = wait.lock().unwrap().recv();
        stream.shutdown(Shutdown::Both)
    });
    let transport = waiting(HOUR, Duration::from_millis(300));
    let body = Body::Reader {
        length: 1 << 40,
        reader: &mut Endless(Arc::default()),
    };
    let result = send(&transport, Method::Post, &server.url("/secret"), body);
    assert_eq!(kind(result), NetworkError::Timeout);
    drop(done);
}

#[test]
fn slow_transfers_are_not_idle() {
    let content = noise(20);
    let server = Server::start({
        let content = content.clone();
        move |_, mut stream| {
            receive_head(&mut BufReader::new(stream.try_clone()?))?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")?;
            for byte in &content {
                thread::sleep(Duration::from_millis(100));
                stream.write_all(&[*byte])?;
            }
            Ok(())
        }
    });
    // Less than the whole takes, much more than the pauses in it.
    let mut response = get(&impatient(Duration::from_millis(1500)), &server.url("/")).unwrap();
    assert_eq!(read_all(&mut response).unwrap(), content);
}
