//! Faults on the way in and on the way out.

use std::io;
use std::num::NonZeroU64;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::support::{Client, Shelf, pattern, shelf_server};
use b2fast_server::{BodyFaults, Content, ContentStore, Ending, Handler, HowItEnds};
use b2fast_server::{Options, Request, Response, Server};

const UPLOAD: &str = "/b2api/v4/b2_upload_file/bucket/name";

/// What `cut=3`, `reset=3`, `stall=3`, `flip=3` or `rate=3` stands for.
fn faults(text: &str) -> BodyFaults {
    let mut faults = BodyFaults::default();
    let Some((kind, number)) = text.split_once('=') else {
        return faults;
    };
    let after = number.parse().unwrap();
    let ending = |how| Some(Ending { after, how });
    match kind {
        "cut" => faults.ending = ending(HowItEnds::Close),
        "reset" => faults.ending = ending(HowItEnds::Reset),
        "stall" => faults.ending = ending(HowItEnds::Stall),
        "flip" => faults.flip_at = Some(after),
        "rate" => faults.bytes_per_second = NonZeroU64::new(after),
        _ => panic!("no such fault: {kind}"),
    }
    faults
}

/// Serves `bytes` from memory and from a file to `test`; the query says which fault to commit.
fn for_each_store(bytes: &[u8], test: impl Fn(&Server)) {
    let change = |query: &str, response: &mut Response| match query.strip_prefix("delay=") {
        Some(seconds) => response.delay = Duration::from_secs(seconds.parse().unwrap()),
        None => response.faults = faults(query),
    };
    let directory = tempfile::tempdir().unwrap();
    let in_directory = ContentStore::below(directory.path()).unwrap();
    for store in [ContentStore::default(), in_directory] {
        let options = Options {
            store,
            ..Options::default()
        };
        let (server, _shelf): (Server, Shelf) = shelf_server(&options, change);
        let upload = Client::new(&server).request("POST", "/b2_upload_file/name", "", bytes);
        assert_eq!(upload.status, 200);
        test(&server);
    }
}

#[test]
fn a_cut_answer_announces_what_it_does_not_send() {
    let bytes = pattern(3_000_000);
    for_each_store(&bytes, |server| {
        for cut in [1, 1000, 600_000, 1 << 20, 2_999_999] {
            let mut client = Client::new(server);
            client.send(format!("GET /file/name?cut={cut} HTTP/1.1\r\n\r\n"));
            assert_eq!(client.head().unwrap().announced(), bytes.len());
            let received = client.rest();
            assert_eq!(received.len(), cut);
            assert!(received == bytes[..cut]);
        }
    });
}

#[test]
fn an_answer_cut_at_once_is_lost() {
    for_each_store(b"abc", |server| {
        let mut client = Client::new(server);
        client.send("GET /file/name?cut=0 HTTP/1.1\r\n\r\n");
        assert!(client.rest().is_empty());
    });
}

#[test]
fn an_answer_cut_behind_its_end_is_whole_and_the_last() {
    for_each_store(b"abc", |server| {
        for cut in [3, 4] {
            let mut client = Client::new(server);
            assert_eq!(client.get(&format!("/file/name?cut={cut}")).text(), "abc");
            assert!(client.rest().is_empty());
        }
        let mut client = Client::new(server);
        assert_eq!(
            client
                .request("HEAD", "/file/name?cut=1", "", b"")
                .announced(),
            3
        );
        assert!(client.rest().is_empty());
    });
}

#[test]
fn one_byte_is_flipped_on_its_way_only() {
    let bytes = pattern(3_000_000);
    for_each_store(&bytes, |server| {
        let mut client = Client::new(server);
        for offset in [0, 700_000, 1 << 20, 2_999_999] {
            let mut expected = bytes.clone();
            expected[offset] = !expected[offset];
            assert!(client.get(&format!("/file/name?flip={offset}")).body == expected);
            assert!(client.get("/file/name").body == bytes);
        }
        assert!(client.get("/file/name?flip=3000000").body == bytes);
    });
}

#[test]
fn a_reset_is_no_orderly_end() {
    let bytes = pattern(300_000);
    for_each_store(&bytes, |server| {
        for (fault, expected) in [
            ("cut", None),
            ("reset", Some(io::ErrorKind::ConnectionReset)),
        ] {
            for after in [0, 1, 1000] {
                let mut client = Client::new(server);
                client.send(format!("GET /file/name?{fault}={after} HTTP/1.1\r\n\r\n"));
                let (received, end) = client.until_the_end();
                assert_eq!(end, expected, "{fault} after {after}");
                assert_eq!(received.is_empty(), after == 0);
                if after > 0 {
                    assert!(received.ends_with(&bytes[..after]));
                }
            }
        }
    });
}

#[test]
fn a_stalled_answer_says_nothing_more() {
    let bytes = pattern(300_000);
    for_each_store(&bytes, |server| {
        let mut client = Client::new(server);
        client.send("GET /file/name?stall=100000 HTTP/1.1\r\n\r\n");
        client.head().unwrap();
        assert!(client.exactly(100_000) == bytes[..100_000]);
        assert!(client.is_silent());
        let mut client = Client::new(server);
        client.send("GET /file/name?stall=0 HTTP/1.1\r\n\r\n");
        assert!(client.is_silent());
    });
}

#[test]
fn neither_a_stall_nor_a_delay_keeps_others_waiting() {
    for_each_store(b"abc", |server| {
        let waiting: Vec<Client> = ["stall=0", "stall=1", "delay=1000000"]
            .into_iter()
            .cycle()
            .take(150)
            .map(|query| {
                let mut client = Client::new(server);
                client.send(format!("GET /file/name?{query} HTTP/1.1\r\n\r\n"));
                client
            })
            .collect();
        for _ in 0..10 {
            assert_eq!(Client::new(server).get("/file/name").text(), "abc");
        }
        let stopped = Instant::now();
        server.stop();
        assert!(stopped.elapsed() < Duration::from_secs(30));
        for mut client in waiting {
            client.rest();
        }
    });
}

#[test]
fn a_delayed_answer_arrives_late_and_whole() {
    for_each_store(b"abc", |server| {
        let asked = Instant::now();
        assert_eq!(Client::new(server).get("/file/name?delay=1").text(), "abc");
        assert!(asked.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn a_slow_answer_arrives_whole() {
    for (length, rate) in [(11, 10), (3_000_000, 2_000_000)] {
        let bytes = pattern(length);
        for_each_store(&bytes, |server| {
            let asked = Instant::now();
            let answer = Client::new(server).get(&format!("/file/name?rate={rate}"));
            assert!(answer.body == bytes);
            assert!(asked.elapsed() >= Duration::from_secs(1));
        });
    }
}

/// Commits the next of its faults on every upload; keeps what arrives.
struct FaultyUploads {
    faults: Mutex<Vec<&'static str>>,
    heads: Mutex<Vec<String>>,
    arrived: std::sync::mpsc::SyncSender<Content>,
}

impl Handler for &'static FaultyUploads {
    fn handle(&self, request: Request) -> Response {
        if let b2fast_server::Payload::Content { content, .. } = request.payload {
            self.arrived.try_send(content).unwrap();
        }
        Response::new(200, [("a", "b")], Content::default()).unwrap()
    }

    fn begin_upload(&self, head: Request) -> BodyFaults {
        self.heads.lock().unwrap().push(head.path);
        faults(self.faults.lock().unwrap().pop().unwrap_or_default())
    }
}

/// A server for one upload of 3 MB that meets a fault.
fn faulty_server(
    fault: &'static str,
) -> (
    Server,
    &'static FaultyUploads,
    std::sync::mpsc::Receiver<Content>,
) {
    let (arrived, arrivals) = std::sync::mpsc::sync_channel(10);
    let handler: &FaultyUploads = Box::leak(Box::new(FaultyUploads {
        faults: Mutex::new(vec![fault]),
        heads: Mutex::default(),
        arrived,
    }));
    let server = Server::start(handler, &Options::default()).unwrap();
    server.watch_uploads(true);
    (server, handler, arrivals)
}

fn begin_upload(server: &Server, length: usize) -> Client {
    let mut client = Client::new(server);
    client.send(format!(
        "POST {UPLOAD} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
    ));
    client
}

#[test]
fn an_upload_that_breaks_off_is_not_heard_of() {
    let bytes = pattern(3_000_000);
    for (fault, expected) in [
        ("cut=0", None),
        ("cut=1000000", None),
        ("cut=5000000", None),
        ("reset=0", Some(io::ErrorKind::ConnectionReset)),
        ("reset=1000000", Some(io::ErrorKind::ConnectionReset)),
        ("reset=5000000", Some(io::ErrorKind::ConnectionReset)),
    ] {
        let (server, handler, arrivals) = faulty_server(fault);
        let mut client = begin_upload(&server, bytes.len());
        client.send_as_far_as_possible(&bytes);
        let (answer, end) = client.until_the_end();
        assert!(answer.is_empty());
        // A sender that is reset may find its connection gone when it comes to read.
        if end.is_some() || expected.is_none() {
            assert_eq!(end, expected, "{fault}");
        }
        assert_eq!(*handler.heads.lock().unwrap(), [UPLOAD]);
        let answer = Client::new(&server).request("POST", UPLOAD, "", &bytes);
        assert_eq!(answer.status, 200);
        assert!(arrivals.recv().unwrap().read(0..u64::MAX).unwrap() == bytes);
        assert!(arrivals.try_recv().is_err());
    }
}

#[test]
fn a_cut_upload_ends_before_it_was_sent() {
    let (server, _, _arrivals) = faulty_server("cut=1000");
    let mut client = begin_upload(&server, 3_000_000);
    client.send(pattern(1000));
    let (answer, end) = client.until_the_end();
    assert!(answer.is_empty());
    assert_eq!(end, None);
}

#[test]
fn a_stalled_upload_takes_no_more_and_says_nothing() {
    let (server, _, arrivals) = faulty_server("stall=1000");
    let mut client = begin_upload(&server, 100_000);
    client.send(pattern(100_000));
    assert!(client.is_silent());
    assert_eq!(Client::new(&server).get("/").status, 200);
    server.stop();
    client.rest();
    assert!(arrivals.try_recv().is_err());
}

#[test]
fn an_upload_may_be_flipped_or_slow() {
    let bytes = pattern(300_000);
    let mut flipped = bytes.clone();
    flipped[70_000] = !flipped[70_000];
    for (fault, expected) in [("flip=70000", &flipped), ("rate=200000", &bytes)] {
        let (server, _, arrivals) = faulty_server(fault);
        let began = Instant::now();
        let answer = Client::new(&server).request("POST", UPLOAD, "", &bytes);
        assert_eq!(answer.status, 200);
        assert!(&arrivals.recv().unwrap().read(0..u64::MAX).unwrap() == expected);
        if fault.starts_with("rate") {
            assert!(began.elapsed() >= Duration::from_secs(1));
        }
    }
}

#[test]
fn nobody_asks_about_uploads_that_are_not_watched() {
    let (server, handler, arrivals) = faulty_server("cut=0");
    server.watch_uploads(false);
    let answer = Client::new(&server).request("POST", UPLOAD, "", b"abc");
    assert_eq!(answer.status, 200);
    assert!(handler.heads.lock().unwrap().is_empty());
    assert_eq!(arrivals.recv().unwrap().length(), 3);
    server.watch_uploads(true);
    // A small body is no upload.
    let mut client = Client::new(&server);
    client.request("POST", "/b2api/v4/b2_list", "", b"{}");
    assert!(handler.heads.lock().unwrap().is_empty());
}

#[test]
fn a_request_tells_who_sent_it() {
    let handler = |request: Request| {
        let peer = request.peer.to_string().into_bytes();
        Response::new(200, [("a", "b")], Content::from(peer)).unwrap()
    };
    for host in ["127.0.0.1", "::1", "::"] {
        let options = Options {
            host: host.to_owned(),
            ..Options::default()
        };
        // A machine may have no IPv6.
        let Ok(server) = Server::start(handler, &options) else {
            assert_ne!(host, "127.0.0.1");
            continue;
        };
        let peer = Client::new(&server).get("/").text();
        let expected: &[&str] = match host {
            "::" => &["::1", "127.0.0.1"],
            _ => &[host],
        };
        assert!(expected.contains(&peer.as_str()), "{peer} for {host}");
    }
}
