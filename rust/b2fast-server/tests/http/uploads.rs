//! Content on its way in.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Client, pattern, shelf_server};
use b2fast_core::hash::{sha1, to_hex};
use b2fast_server::{Content, ContentStore, Options, Request, Response, Server};

const UPLOAD: &str = "/b2api/v4/b2_upload_file/bucket/name";

fn in_directory(path: &Path) -> Options {
    Options {
        store: ContentStore::below(path).unwrap(),
        ..Options::default()
    }
}

fn file_count(path: &Path) -> usize {
    std::fs::read_dir(path).unwrap().count()
}

/// A server that counts the requests that reach its handler.
fn counting_server(options: &Options) -> (Server, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let handler = move |_: Request| {
        counted.fetch_add(1, Ordering::SeqCst);
        Response::new(200, [("a", "b")], Content::default()).unwrap()
    };
    (Server::start(handler, options).unwrap(), count)
}

#[test]
fn content_of_any_size_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    for options in [Options::default(), in_directory(directory.path())] {
        let (server, shelf) = shelf_server(&options, |_, _| ());
        let mut client = Client::new(&server);
        for size in [0, 1, 10_000_000] {
            let bytes = pattern(size);
            for call in ["b2_upload_file", "b2_upload_part"] {
                let target = format!("/b2api/v4/{call}/bucket/name");
                let answer = client.request("POST", &target, "", &bytes);
                assert_eq!(answer.status, 200);
                assert_eq!(answer.text(), format!("{} None", to_hex(&sha1(&bytes))));
            }
            let answer = client.get("/file/name");
            assert!(answer.body == bytes);
        }
        shelf.lock().unwrap().clear();
    }
    assert_eq!(file_count(directory.path()), 0);
}

#[test]
fn digits_at_the_end_are_no_content() {
    let (server, _shelf) = shelf_server(&Options::default(), |_, _| ());
    let mut client = Client::new(&server);
    let headers = "X-Bz-Content-Sha1: hex_digits_at_end\r\n";
    for size in [0, 1, 1_000_000] {
        let content = pattern(size);
        let digits = to_hex(&sha1(&content));
        let body = [&content, digits.as_bytes()].concat();
        let answer = client.request("POST", UPLOAD, headers, &body);
        assert_eq!(answer.text(), format!("{digits} Some({digits:?})"));
        assert!(client.get("/file/name").body == content);
    }
}

#[test]
fn a_body_that_ends_early_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    for options in [Options::default(), in_directory(directory.path())] {
        let (server, count) = counting_server(&options);
        for (sent, length) in [(0, 1), (99, 100), (3_000_000, 10_000_000)] {
            let mut client = Client::new(&server);
            client.send(format!(
                "POST {UPLOAD} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
            ));
            client.send(pattern(sent)).end_of_sending();
            let answer = client.rest();
            assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }
    assert_eq!(file_count(directory.path()), 0);
}

#[test]
fn chunked_uploads_are_refused() {
    let (server, count) = counting_server(&Options::default());
    let mut client = Client::new(&server);
    client.send(format!(
        "POST {UPLOAD} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ));
    client.send("3\r\nabc\r\n0\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains(r#""code":"bad_request""#),
        "{}",
        answer.text()
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn more_than_5_gb_are_refused_before_they_are_sent() {
    let (server, count) = counting_server(&Options::default());
    for expect in ["", "Expect: 100-continue\r\n"] {
        let mut client = Client::new(&server);
        let head = format!("POST {UPLOAD} HTTP/1.1\r\n{expect}");
        client.send(format!("{head}Content-Length: 5000000041\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(answer.status, 400);
        assert!(client.rest().is_empty());
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn who_asks_gets_a_go_ahead() {
    let (server, count) = counting_server(&Options::default());
    let mut client = Client::new(&server);
    let head = format!("POST {UPLOAD} HTTP/1.1\r\nExpect: 100-continue\r\n");
    client.send(format!("{head}Content-Length: 3\r\n\r\n"));
    assert_eq!(client.head().unwrap().status, 100);
    client.send("abc");
    assert_eq!(client.answer().status, 200);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn what_cannot_be_stored_is_an_internal_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gone");
    let (server, count) = counting_server(&in_directory(&path));
    std::fs::remove_dir(&path).unwrap();
    let answer = Client::new(&server).request("POST", UPLOAD, "", &pattern(100_000));
    assert_eq!(answer.status, 500);
    assert!(
        answer.text().contains("cannot be stored"),
        "{}",
        answer.text()
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
}
