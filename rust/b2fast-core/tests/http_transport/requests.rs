//! Requests and answers as they should be.

use std::io::{self, Read};

use b2fast_core::cancel::CancelToken;
use b2fast_core::error::Error;
use b2fast_core::transport::http::{HttpConfig, HttpTransport};
use b2fast_core::transport::{Body, Method, Request, Transport};

use crate::support::{Server, answer, get, noise, post, read_all, send, transport};

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::answering(|received| match received.path() {
        "/empty" => answer(200, b""),
        "/missing" => answer(404, b"{}"),
        "/head" => b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".to_vec(),
        "/chunked" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                        4\r\nchun\r\n3\r\nked\r\n0\r\n\r\n"
            .to_vec(),
        _ => answer(200, &received.body),
    });
    let transport = transport();

    assert_eq!(get(&transport, &server.url("/empty")).unwrap().status, 200);
    assert_eq!(
        get(&transport, &server.url("/missing")).unwrap().status,
        404
    );
    let missing = &mut get(&transport, &server.url("/missing")).unwrap();
    assert_eq!(read_all(missing).unwrap(), b"{}");
    let head = &mut send(&transport, Method::Head, &server.url("/head"), Body::Empty).unwrap();
    assert_eq!(head.header("content-length"), Some("99"));
    assert_eq!(read_all(head).unwrap(), b"");
    let chunked = &mut get(&transport, &server.url("/chunked")).unwrap();
    assert_eq!(read_all(chunked).unwrap(), b"chunked");
    let echo = &mut send(
        &transport,
        Method::Post,
        &server.url("/"),
        Body::Bytes(b"echo"),
    )
    .unwrap();
    // Only what was announced is read, not the end after it.
    let mut buffer = [0; 4];
    assert_eq!(echo.body.read(&mut buffer, &CancelToken::new()).unwrap(), 4);
    assert_eq!(&buffer, b"echo");
    let empty = &mut send(&transport, Method::Post, &server.url("/"), Body::Empty).unwrap();
    assert_eq!(read_all(empty).unwrap(), b"");

    // The body of the first /missing was dropped unread, which closed its connection.
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_body_dropped_before_its_end_closes_the_connection() {
    let server = Server::answering(|_| answer(200, &noise(10_000_000)));
    let transport = transport();
    for _ in 0..3 {
        let mut response = get(&transport, &server.url("/")).unwrap();
        response
            .body
            .read(&mut [0; 100], &CancelToken::new())
            .unwrap();
    }
    assert_eq!(server.accepted(), 3);
}

#[test]
fn large_bodies_arrive_whole() {
    let server = Server::answering(|received| answer(200, &received.body));
    let content = noise(20_000_003);
    let mut response = post(&transport(), &server.url("/"), &content).unwrap();
    assert!(read_all(&mut response).unwrap() == content);
}

#[test]
fn requests_carry_exact_heads() {
    let server = Server::answering(|received| answer(200, received.head.as_bytes()));
    let transport = transport();
    let head = |method, headers: &[(&str, &str)], body: Body<'_>| {
        let url = server.url("/a%20b/%C3%A4?x=%2F&y");
        let request = Request {
            method,
            url: &url,
            headers,
        };
        let mut response = transport.send(&request, body, &CancelToken::new()).unwrap();
        String::from_utf8(read_all(&mut response).unwrap()).unwrap()
    };

    let get = head(Method::Get, &[], Body::Empty);
    assert!(
        get.starts_with("GET /a%20b/%C3%A4?x=%2F&y HTTP/1.1\r\n"),
        "{get}"
    );
    assert!(
        get.contains(&format!("host: {}\r\n", server.address())),
        "{get}"
    );
    assert!(get.contains("user-agent: b2fast-tests\r\n"), "{get}");
    for absent in ["accept-encoding", "content-length", "transfer-encoding"] {
        assert!(!get.contains(absent), "{get}");
    }

    let post = head(
        Method::Post,
        &[
            ("User-Agent", "another"),
            ("X-Twice", "1"),
            ("X-Twice", "2"),
            ("X-Unicode", "ä"),
        ],
        Body::Bytes(b"123"),
    );
    assert!(post.starts_with("POST "), "{post}");
    for present in [
        "content-length: 3",
        "user-agent: another",
        "x-twice: 1",
        "x-twice: 2",
        "x-unicode: ä",
    ] {
        assert!(post.contains(&format!("{present}\r\n")), "{post}");
    }
    assert!(!post.contains("b2fast-tests"), "{post}");

    let empty = head(Method::Post, &[], Body::Empty);
    assert!(empty.contains("content-length: 0\r\n"), "{empty}");
}

#[test]
fn headers_of_answers_are_kept_one_by_one() {
    let server = Server::answering(|_| {
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nX-Bz-Twice: 1\r\n\
          X-BZ-TWICE: 2\r\nX-Latin: \xE4\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw"
            .to_vec()
    });
    let mut response = get(&transport(), &server.url("/")).unwrap();
    assert_eq!(response.status, 302);
    assert_eq!(
        response.header("location"),
        Some("http://elsewhere.invalid/")
    );
    assert_eq!(response.header("x-latin"), Some("\u{FFFD}"));
    let twice = response
        .headers
        .iter()
        .filter(|(name, _)| name == "x-bz-twice");
    let twice: Vec<&str> = twice.map(|(_, value)| value.as_str()).collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(read_all(&mut response).unwrap(), b"raw");
}

#[test]
fn malformed_requests_are_refused_before_they_are_sent() {
    let server = Server::answering(|_| answer(200, b""));
    let transport = transport();
    let refused = |method, url: &str, header: (&str, &str), body: Body<'_>| {
        let request = Request {
            method,
            url,
            headers: &[header],
        };
        match transport.send(&request, body, &CancelToken::new()) {
            Err(Error::InvalidArgument(detail)) => assert!(!detail.contains("secret"), "{detail}"),
            other => panic!("{other:?}"),
        }
    };
    let url = server.url("/secret");
    for header in [
        ("X-Name", "secret\r\nX-Injected: 1"),
        ("X-Name", "secret\n"),
        ("X-Name", "secret\0"),
        ("X-Name\r\nX-Injected", "1"),
        ("", "1"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("Expect", "100-continue"),
        ("Host", "elsewhere"),
    ] {
        refused(Method::Get, &url, header, Body::Empty);
    }
    let good = ("X-Name", "1");
    for url in [
        "/secret",
        "http://",
        "ftp://secret/",
        "http://host/secret path",
        "http://ho st/secret",
    ] {
        refused(Method::Get, url, good, Body::Empty);
    }
    refused(Method::Get, &url, good, Body::Bytes(b"1"));
    assert_eq!(server.accepted(), 0);

    let bad_agent = HttpTransport::new(HttpConfig::new("a\r\nb"));
    assert!(matches!(bad_agent, Err(Error::InvalidArgument(_))));
}

#[test]
fn sources_that_fail_say_so() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Error::SourceChanged {
                path: "/file".into(),
                detail: "it was truncated".to_owned(),
            }))
        }
    }
    let server = Server::answering(|_| answer(200, b""));
    let transport = transport();
    let sent = |length, reader: &mut (dyn Read + Send)| {
        let body = Body::Reader { length, reader };
        send(&transport, Method::Post, &server.url("/"), body)
    };
    let mut failing = (&b"123"[..]).chain(Failing);
    let failed = sent(5, &mut failing).unwrap_err();
    assert!(matches!(failed, Error::SourceChanged { .. }), "{failed}");
    let mut short = &b"123"[..];
    let short = sent(5, &mut short).unwrap_err();
    assert!(
        matches!(&short, Error::InvalidArgument(detail) if detail.contains("3 of 5")),
        "{short}"
    );
    let mut long = &b"12345"[..];
    assert_eq!(sent(3, &mut long).unwrap().status, 200);
    assert_eq!(long, b"45");
    // The connections of failed uploads are useless.
    assert_eq!(server.accepted(), 3);
}
