//! Transfers that are stopped while they wait.
//!
//! The time-outs are minutes, so a wait that does not notice shows as a test that hangs.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};
use std::thread;

use b2fast_core::cancel::{CancelToken, Scope};
use b2fast_core::error::{Error, Result};
use b2fast_core::transport::{Body, Method, Request, Response, Transport};

use crate::support::{Server, receive_head, transport};

/// A server that writes `reply` after the head of a request, and reports when this is done and
/// when the client has closed the connection.
fn stalling_server(reply: &'static [u8], reads_body: bool) -> (Server, mpsc::Receiver<()>) {
    let (report, reports) = mpsc::channel();
    let report = Mutex::new(report);
    let server = Server::start(move |_, stream: TcpStream| {
        let mut stream = BufReader::new(stream);
        receive_head(&mut stream)?;
        stream.get_mut().write_all(reply)?;
        report.lock().unwrap().send(()).unwrap();
        if reads_body {
            // A reset ends a connection as well as an orderly close.
            let _ = io::copy(&mut stream, &mut io::sink());
        } else {
            while stream.get_ref().take_error()?.is_none() && stream.get_ref().peek(&mut [0])? > 0 {
                thread::yield_now();
            }
        }
        report.lock().unwrap().send(()).unwrap();
        Ok(())
    });
    (server, reports)
}

fn send(url: &str, body: Body<'_>, cancel: &CancelToken) -> Result<Response> {
    let request = Request {
        method: Method::Post,
        url,
        headers: &[],
    };
    transport().send(&request, body, cancel)
}

#[test]
fn before_anything_is_sent() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let result = send("http://no-such-host.invalid/", Body::Empty, &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
}

#[test]
fn while_the_answer_is_awaited() {
    let (server, reports) = stalling_server(b"", true);
    let cancel = CancelToken::new();
    thread::scope(|scope| {
        let sender = scope.spawn(|| send(&server.url("/"), Body::Bytes(b"1"), &cancel));
        reports.recv().unwrap();
        cancel.cancel();
        assert!(matches!(sender.join().unwrap(), Err(Error::Cancelled)));
    });
    reports.recv().unwrap();
}

#[test]
fn by_the_poll_of_the_sending_thread() {
    let (server, reports) = stalling_server(b"", true);
    let cancel = CancelToken::with_poll(Scope::default(), Box::new(|| false));
    let result = send(&server.url("/"), Body::Empty, &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
    reports.recv().unwrap();
    reports.recv().unwrap();
}

#[test]
fn while_the_body_of_the_answer_is_awaited() {
    let (server, reports) = stalling_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", true);
    let cancel = CancelToken::new();
    let mut response = send(&server.url("/"), Body::Empty, &cancel).unwrap();
    assert_eq!(response.body.read(&mut [0; 9], &cancel).unwrap(), 1);
    reports.recv().unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(|| response.body.read(&mut [0; 9], &cancel));
        cancel.cancel();
        assert!(matches!(reader.join().unwrap(), Err(Error::Cancelled)));
    });
    // The connection is closed although the response still exists.
    reports.recv().unwrap();
    drop(response);
}

/// Gives bytes for ever, and says when it is asked for the first ones.
struct Endless(Option<mpsc::Sender<()>>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(started) = self.0.take() {
            started.send(()).map_err(io::Error::other)?;
        }
        Ok(buffer.len())
    }
}

fn cancel_upload(reads_body: bool) {
    let (server, _reports) = stalling_server(b"", reads_body);
    let cancel = CancelToken::new();
    let (started, wait) = mpsc::channel();
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let body = Body::Reader {
                length: 1 << 40,
                reader: &mut Endless(Some(started)),
            };
            send(&server.url("/"), body, &cancel)
        });
        wait.recv().unwrap();
        cancel.cancel();
        assert!(matches!(sender.join().unwrap(), Err(Error::Cancelled)));
    });
}

#[test]
fn while_the_body_is_sent() {
    cancel_upload(true);
}

#[test]
fn while_the_server_does_not_receive() {
    cancel_upload(false);
}
