//! A client that says exactly what a test wants said, and a server with a shelf of contents.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use b2fast_server::{Content, Options, Payload, Request, Response, Server};

/// A connection to a server.
pub(crate) struct Client(BufReader<TcpStream>);

/// An answer as it arrived.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn announced(&self) -> usize {
        self.headers["content-length"].parse().unwrap()
    }
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        // So that a server which says nothing fails the test instead of hanging it.
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends what the server lets through before it closes the connection.
    pub(crate) fn send_as_far_as_possible(&mut self, bytes: &[u8]) {
        if let Err(error) = self.0.get_mut().write_all(bytes) {
            let expected = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
            assert!(expected.contains(&error.kind()), "{error}");
        }
    }

    /// Sends a request with a body of known length.
    pub(crate) fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &[u8],
    ) -> Answer {
        let length = body.len();
        let head = format!("{method} {target} HTTP/1.1\r\nHost: b2\r\n{headers}");
        self.send(format!("{head}Content-Length: {length}\r\n\r\n"));
        self.send(body);
        if method == "HEAD" {
            self.head().unwrap()
        } else {
            self.answer()
        }
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.request("GET", target, "", b"")
    }

    pub(crate) fn end_of_sending(&mut self) -> &mut Self {
        self.0
            .get_ref()
            .shutdown(std::net::Shutdown::Write)
            .unwrap();
        self
    }

    /// Reads a whole answer.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head().unwrap();
        let length = answer.headers.get("content-length");
        answer.body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut answer.body).unwrap();
        answer
    }

    /// Reads the head of an answer.
    pub(crate) fn head(&mut self) -> io::Result<Answer> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines[1..]
            .iter()
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Answer {
            status,
            headers,
            body: Vec::new(),
        })
    }

    /// What arrives until the connection ends, and the error that ends it if it is no orderly end.
    pub(crate) fn until_the_end(&mut self) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut bytes = Vec::new();
        let end = self.0.read_to_end(&mut bytes);
        (bytes, end.err().map(|error| error.kind()))
    }

    /// The next `count` bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Whether nothing arrives for a while, nor the connection ends.
    pub(crate) fn is_silent(&mut self) -> bool {
        let while_ = Some(Duration::from_millis(300));
        self.0.get_ref().set_read_timeout(while_).unwrap();
        let read = self.0.read(&mut [0]);
        let patience = Some(Duration::from_secs(30));
        self.0.get_ref().set_read_timeout(patience).unwrap();
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// What arrives until the server closes or resets the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => bytes,
        }
    }
}

/// The contents that were uploaded.
pub(crate) type Shelf = Arc<Mutex<HashMap<String, Content>>>;

/// A server that keeps uploads under the last segment of their path and hands them out below
/// `/file/`, through `change`, with the query at hand.
pub(crate) fn shelf_server(
    options: &Options,
    change: impl Fn(&str, &mut Response) + Send + Sync + 'static,
) -> (Server, Shelf) {
    let shelf = Shelf::default();
    let kept = Arc::clone(&shelf);
    let handler = move |request: Request| {
        let name = request.path.rsplit('/').next().unwrap().to_owned();
        let mut kept = kept.lock().unwrap();
        let content = match request.payload {
            Payload::Content {
                content,
                trailing_sha1,
            } => {
                let said = format!("{} {trailing_sha1:?}", content.sha1().unwrap());
                kept.insert(name, content);
                said.into_bytes().into()
            }
            Payload::Body(_) => kept.get(&name).cloned().unwrap_or_default(),
        };
        let mut response = Response::new(200, [("X-Name", "value")], content).unwrap();
        change(&request.query, &mut response);
        response
    };
    (Server::start(handler, options).unwrap(), shelf)
}

/// Bytes without a short period.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}
