//! Requests and answers without content, and the life of a server.

use std::io;
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};

use crate::support::Client;
use b2fast_server::{Content, Options, Payload, Request, Response, Server};

/// A server that answers with what it was asked.
fn echo_server(options: &Options) -> Server {
    let handler = |request: Request| {
        let said = match &request.payload {
            Payload::Body(body) => format!("body {}", String::from_utf8_lossy(body)),
            Payload::Content { .. } => "content".to_owned(),
        };
        let headers: Vec<String> = request
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let Request {
            method,
            path,
            query,
            ..
        } = &request;
        let text = format!("{method}|{path}|{query}|{}|{said}", headers.join(";"));
        let status = query.parse().unwrap_or(200);
        let mut response = Response::new(status, [("X-A", "b")], text.into_bytes().into()).unwrap();
        response.close = query == "close";
        response
    };
    Server::start(handler, options).unwrap()
}

#[test]
fn a_request_is_passed_as_it_was_sent() {
    let server = echo_server(&Options::default());
    let mut client = Client::new(&server);
    let headers = "X-One: a\r\nx-two: \u{e4}\r\nX-ONE: b\r\n";
    let answer = client.request("POST", "/a%2fb/c%20d?e=%20f&g", headers, b"body");
    assert_eq!(
        answer.text(),
        "POST|/a%2fb/c%20d|e=%20f&g|x-one=a, b;x-two=\u{e4}|body body"
    );

    client.send(b"GET / HTTP/1.1\r\nX-Latin: \xe4\r\n\r\n");
    assert_eq!(client.answer().text(), "GET|/||x-latin=\u{e4}|body ");
}

#[test]
fn only_uploads_carry_content() {
    let server = echo_server(&Options::default());
    let mut client = Client::new(&server);
    let mut is_content = |method: &str, target: &str| {
        client
            .request(method, target, "", b"x")
            .text()
            .ends_with("|content")
    };
    assert!(is_content("POST", "/b2api/v1/b2_upload_file/id"));
    assert!(is_content("POST", "/b2api/v4/b2_upload_part"));
    assert!(!is_content("POST", "/b2api/v4/b2_upload_files"));
    assert!(!is_content("POST", "/b2api/v4/b2_get_upload_url"));
    assert!(!is_content("POST", "/b2api/v4/other?b2_upload_file"));
    assert!(!is_content("GET", "/file/bucket/b2_upload_file/x"));
}

#[test]
fn the_body_may_be_chunked_when_it_is_small() {
    let server = echo_server(&Options::default());
    let mut client = Client::new(&server);
    client.send("POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    client
        .send("3\r\nabc\r\n")
        .send("1\r\nd\r\n2\r\nef\r\n0\r\n\r\n");
    assert_eq!(client.answer().text(), "POST|/x|||body abcdef");
}

#[test]
fn a_large_body_is_refused() {
    let server = echo_server(&Options {
        max_body: 10,
        ..Options::default()
    });
    assert_eq!(
        Client::new(&server)
            .request("POST", "/", "", &[b'a'; 10])
            .status,
        200
    );
    for size in [11, 3_000_000] {
        let mut client = Client::new(&server);
        let answer = client.request("POST", "/", "", &vec![b'a'; size]);
        assert_eq!(answer.status, 413);
        assert!(
            answer.text().starts_with(r#"{"status":413,"code":""#),
            "{}",
            answer.text()
        );
        assert!(client.rest().is_empty());
    }
    let mut client = Client::new(&server);
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    client
        .send("6\r\nabcdef\r\n")
        .send("6\r\nabcdef\r\n0\r\n\r\n");
    assert_eq!(client.answer().status, 413);
}

#[test]
fn a_large_head_is_refused() {
    let server = echo_server(&Options::default());
    let header = |size: usize| format!("X-Large: {}\r\n", "a".repeat(size));
    assert_eq!(
        Client::new(&server)
            .request("GET", "/", &header(50_000), b"")
            .status,
        200
    );
    let mut client = Client::new(&server);
    client.send(format!("GET / HTTP/1.1\r\n{}", header(70_000)));
    assert_eq!(client.head().unwrap().status, 431);
}

#[test]
fn an_answer_has_its_length_with_and_without_a_body() {
    let server = echo_server(&Options::default());
    let mut client = Client::new(&server);
    let got = client.get("/x");
    assert_eq!(got.announced(), "GET|/x|||body ".len());
    assert_eq!(got.headers["x-a"], "b");
    let headed = client.request("HEAD", "/x", "", b"");
    assert_eq!(headed.announced(), "HEAD|/x|||body ".len());
    assert_eq!(client.get("/x").status, 200);
    let empty = client.get("/x?204");
    assert_eq!(
        (empty.status, empty.headers.get("content-length")),
        (204, None)
    );
    assert_eq!(client.get("/x?503").status, 503);
}

#[test]
fn a_connection_is_kept_until_someone_closes_it() {
    let server = echo_server(&Options::default());
    let mut client = Client::new(&server);
    for _ in 0..3 {
        assert_eq!(client.get("/x").status, 200);
    }
    assert_eq!(client.get("/x?close").headers["connection"], "close");
    assert!(client.rest().is_empty());

    let mut client = Client::new(&server);
    client.send("GET /x HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert!(client.rest().is_empty());
}

#[test]
fn what_is_not_http_is_refused() {
    let server = echo_server(&Options::default());
    let mut client = Client::new(&server);
    client.send("\x16\x03\x01\x02\r\n\r\n");
    assert_eq!(client.head().unwrap().status, 400);
}

#[test]
fn a_stopped_server_leaves_its_port_and_its_connections() {
    let server = echo_server(&Options::default());
    let address = server.address();
    let mut client = Client::new(&server);
    assert_eq!(client.get("/x").status, 200);
    server.stop();
    server.stop();
    assert!(client.rest().is_empty());
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    let options = Options {
        port: address.port(),
        ..Options::default()
    };
    let again = echo_server(&options);
    assert_eq!(again.address(), address);
    assert_eq!(Client::new(&again).get("/x").status, 200);
}

#[test]
fn a_server_does_not_wait_for_a_stuck_handler() {
    let (arrived, arrival) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let handler = move |request: Request| {
        if request.path == "/stuck" {
            arrived.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        }
        Response::new(200, [("a", "b")], Content::default()).unwrap()
    };
    let server = Server::start(handler, &Options::default()).unwrap();
    let mut stuck: Vec<Client> = (0..4).map(|_| Client::new(&server)).collect();
    for client in &mut stuck {
        client.send("GET /stuck HTTP/1.1\r\n\r\n");
    }
    for _ in 0..4 {
        arrival.recv().unwrap();
    }
    // More handlers are stuck than there are workers, and others are served.
    assert_eq!(Client::new(&server).get("/x").status, 200);
    server.stop();
    drop(release);
}

#[test]
fn a_handler_that_panics_closes_one_connection() {
    let handler = |request: Request| {
        assert_ne!(request.path, "/panic");
        Response::new(200, [("a", "b")], Content::default()).unwrap()
    };
    let server = Server::start(handler, &Options::default()).unwrap();
    let mut other = Client::new(&server);
    for _ in 0..5 {
        let mut client = Client::new(&server);
        client.send("GET /panic HTTP/1.1\r\n\r\n");
        assert!(client.rest().is_empty());
        assert_eq!(other.get("/x").status, 200);
    }
}

#[test]
fn each_of_many_connections_gets_its_own_answers() {
    let server = echo_server(&Options::default());
    std::thread::scope(|scope| {
        for connection in 0..20 {
            let server = &server;
            scope.spawn(move || {
                let mut client = Client::new(server);
                for number in 0..100 {
                    let path = format!("/{connection}/{number}");
                    assert_eq!(client.get(&path).text(), format!("GET|{path}|||body "));
                }
            });
        }
    });
}

#[test]
fn a_handler_may_stop_its_server() {
    let (to_handler, from_test) = mpsc::channel::<Server>();
    let from_test = Mutex::new(from_test);
    let handler = move |_: Request| {
        drop(from_test.lock().unwrap().recv().unwrap());
        Response::new(200, [("a", "b")], Content::default()).unwrap()
    };
    let server = Server::start(handler, &Options::default()).unwrap();
    let mut client = Client::new(&server);
    client.send("GET / HTTP/1.1\r\n\r\n");
    to_handler.send(server).unwrap();
    client.rest();
}

#[test]
fn a_start_that_fails_says_why() {
    let server = echo_server(&Options::default());
    let options = Options {
        port: server.address().port(),
        ..Options::default()
    };
    let handler = |_: Request| Response::internal_error("");
    let error = Server::start(handler, &options).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("cannot listen on {}", server.address())),
        "{text}"
    );
    assert!(error.errno().is_some());
}
