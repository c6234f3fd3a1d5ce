//! Alone in its process, so that nothing else opens descriptors or starts threads.

use std::io::{Read, Write};
use std::net::TcpStream;

use b2fast_server::{Content, Options, Request, Response, Server};

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

/// Serves a request on each of three connections that stay open until the server closes them.
fn serve_and_stop() {
    let handler = |_: Request| Response::new(200, [("a", "b")], Content::default()).unwrap();
    let server = Server::start(handler, &Options::default()).unwrap();
    let connections = [(); 3].map(|()| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        stream
    });
    server.stop();
    drop(connections);
}

#[test]
fn stopped_servers_leave_no_threads_and_no_descriptors() {
    const SERVERS: usize = 50;
    serve_and_stop();
    let (threads, descriptors) = (count("/proc/self/task"), count("/proc/self/fd"));
    for _ in 0..SERVERS {
        serve_and_stop();
    }
    // The kernel lists a thread for a moment after it was joined, so the counts may differ by
    // less than one per server.
    assert!(count("/proc/self/task") < threads + SERVERS);
    assert!(count("/proc/self/fd") < descriptors + SERVERS);
}
