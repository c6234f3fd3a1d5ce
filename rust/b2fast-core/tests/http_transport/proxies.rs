//! Tunnels through a proxy.

use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;

use b2fast_core::error::{Error, NetworkError};
use b2fast_core::transport::http::{HttpTransport, Proxies};

use crate::support::{Server, answer, config, get, read_all, receive_head};

/// A proxy that makes tunnels for those who know the password, and the heads it got.
pub(crate) fn proxy() -> (Server, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let server = Server::start(move |_, stream| {
        let mut client = BufReader::new(stream.try_clone()?);
        let Some(head) = receive_head(&mut client)? else {
            return Ok(());
        };
        seen.lock().unwrap().push(head.clone());
        // "user:secret"
        if !head.contains("Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n") {
            return client.get_mut().write_all(&answer(407, b""));
        }
        let target = TcpStream::connect(head.split(' ').nth(1).unwrap())?;
        client.get_mut().write_all(b"HTTP/1.1 200 Tunnel\r\n\r\n")?;
        let upward = (stream.try_clone()?, target.try_clone()?);
        thread::spawn(move || pump(upward.0, upward.1));
        pump(target, stream)
    });
    (server, heads)
}

fn pump(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(std::net::Shutdown::Write)
}

/// A transport that knows the proxy under this authority ("user:password@host:port").
pub(crate) fn proxies(authority: &str, no_proxy: &str) -> Proxies {
    Proxies::from_variables(|name| match name {
        "ALL_PROXY" => Some(format!("http://{authority}")),
        "NO_PROXY" => Some(no_proxy.to_owned()),
        _ => None,
    })
    .unwrap()
}

fn transport(authority: &str, no_proxy: &str) -> HttpTransport {
    let mut config = config();
    config.proxies = proxies(authority, no_proxy);
    HttpTransport::new(config).unwrap()
}

#[test]
fn requests_go_through_one_tunnel() {
    let target = Server::answering(|received| answer(200, received.path().as_bytes()));
    let (proxy, heads) = proxy();
    let transport = transport(&format!("user:secret@{}", proxy.address()), "");
    for path in ["/1", "/2"] {
        let mut response = get(&transport, &target.url(path)).unwrap();
        assert_eq!(read_all(&mut response).unwrap(), path.as_bytes());
    }
    assert_eq!((proxy.accepted(), target.accepted()), (1, 1));
    let head = heads.lock().unwrap().remove(0);
    assert!(
        head.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", target.address())),
        "{head}"
    );
    assert!(
        !head.contains("secret-token"),
        "tokens are for the target only: {head}"
    );
    assert!(!format!("{transport:?}").contains("secret"));
}

#[test]
fn exceptions_are_asked_directly() {
    let target = Server::answering(|_| answer(200, b""));
    let (proxy, _) = proxy();
    let transport = transport(&proxy.address().to_string(), "127.0.0.0/8");
    assert_eq!(get(&transport, &target.url("/")).unwrap().status, 200);
    assert_eq!(proxy.accepted(), 0);
}

#[test]
fn proxies_that_refuse_or_are_not_there() {
    let target = Server::answering(|_| answer(200, b""));
    let (proxy, _) = proxy();
    let refusing = format!("user:wrong-secret@{}", proxy.address());
    for authority in [
        refusing.as_str(),
        "no-such-proxy.invalid:3128",
        "127.0.0.1:1",
    ] {
        let error = get(&transport(authority, ""), &target.url("/secret")).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        let kind = NetworkError::Proxy;
        assert!(
            matches!(error, Error::Network { kind: it, .. } if it == kind),
            "{error}"
        );
    }
    assert_eq!(target.accepted(), 0);
}
