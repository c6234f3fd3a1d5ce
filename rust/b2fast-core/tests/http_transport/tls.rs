//! TLS with certificates of its own.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use b2fast_core::error::{Error, NetworkError, Result};
use b2fast_core::transport::http::{HttpTransport, Trust};
use b2fast_core::transport::{Body, Method};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::proxies::{proxies, proxy};
use crate::support::{
    Received, Server, answer, config, get, noise, post, read_all, receive, receive_head, send,
    serve,
};

/// A self-signed certificate for a host.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    fn new(host: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap(),
            key,
        }
    }

    fn server_config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from_pem_slice(self.key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }

    /// Write the certificate to a file for as long as the result lives.
    fn bundle(&self) -> Bundle {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.certificate.pem().as_bytes()).unwrap();
        Bundle(file)
    }

    fn serve(&self, answer: fn(&Received) -> Vec<u8>) -> Server {
        let config = self.server_config();
        Server::start(move |_, stream| {
            let connection = ServerConnection::new(config.clone()).unwrap();
            serve(StreamOwned::new(connection, stream), &answer)
        })
    }
}

struct Bundle(tempfile::NamedTempFile);

impl Bundle {
    fn trust(&self) -> Trust {
        Trust::Bundle(PathBuf::from(self.0.path()))
    }
}

fn echo(received: &Received) -> Vec<u8> {
    answer(200, &received.body)
}

fn trusting(trust: Trust) -> HttpTransport {
    let mut config = config();
    config.trust = trust;
    HttpTransport::new(config).unwrap()
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}/secret", server.address().port())
}

fn assert_tls_error<T>(result: Result<T>) {
    match result {
        Err(
            error @ Error::Network {
                kind: NetworkError::Tls,
                ..
            },
        ) => {
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn a_trusted_server() {
    let identity = Identity::new("localhost");
    let server = identity.serve(echo);
    let transport = trusting(identity.bundle().trust());
    let content = noise(5_000_011);
    for _ in 0..2 {
        let mut response = post(&transport, &url(&server), &content).unwrap();
        assert!(read_all(&mut response).unwrap() == content);
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_directory_of_certificates() {
    let identity = Identity::new("localhost");
    let server = identity.serve(echo);
    let directory = tempfile::tempdir().unwrap();
    // The name that OpenSSL's c_rehash would give it: eight hex digits and a number.
    let file = directory.path().join("0123abcd.0");
    std::fs::write(file, identity.certificate.pem()).unwrap();
    let transport = trusting(Trust::Bundle(directory.path().to_owned()));
    assert_eq!(get(&transport, &url(&server)).unwrap().status, 200);
}

#[test]
fn strangers_are_refused() {
    let identity = Identity::new("localhost");
    let server = identity.serve(echo);
    assert_tls_error(get(&trusting(Trust::System), &url(&server)));
    let other = Identity::new("localhost");
    assert_tls_error(get(&trusting(other.bundle().trust()), &url(&server)));
}

#[test]
fn certificates_of_other_hosts_are_refused() {
    let identity = Identity::new("other.example");
    let server = identity.serve(echo);
    assert_tls_error(get(&trusting(identity.bundle().trust()), &url(&server)));
}

#[test]
fn servers_without_tls_are_refused() {
    let server = Server::start(|_, mut stream| stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n"));
    assert_tls_error(get(&trusting(Trust::System), &url(&server)));
}

#[test]
fn a_body_cut_off() {
    let identity = Identity::new("localhost");
    let config = identity.server_config();
    let server = Server::start(move |_, stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = std::io::BufReader::new(StreamOwned::new(connection, stream));
        receive(&mut stream)?;
        let whole = answer(200, b"0123456789");
        stream.get_mut().write_all(&whole[..whole.len() - 6])
    });
    let mut response = get(&trusting(identity.bundle().trust()), &url(&server)).unwrap();
    let error = read_all(&mut response).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Truncated {
                expected: 10,
                received: 4
            }
        ),
        "{error}"
    );
}

#[test]
fn early_refusals_are_delivered() {
    let identity = Identity::new("localhost");
    let config = identity.server_config();
    let server = Server::start(move |_, stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = std::io::BufReader::new(StreamOwned::new(connection, stream));
        receive_head(&mut stream)?;
        stream.get_mut().write_all(&answer(503, b"busy"))
    });
    let body = Body::Reader {
        length: 1 << 40,
        reader: &mut std::io::repeat(7),
    };
    let transport = trusting(identity.bundle().trust());
    let mut response = send(&transport, Method::Post, &url(&server), body).unwrap();
    assert_eq!(response.status, 503);
    assert_eq!(read_all(&mut response).unwrap(), b"busy");
}

#[test]
fn a_handshake_that_stalls_is_a_timeout() {
    let server =
        Server::start(|_, mut stream| std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ()));
    let mut config = config();
    config.timeouts.connect = Duration::from_millis(300);
    let transport = HttpTransport::new(config).unwrap();
    let error = get(&transport, &url(&server)).unwrap_err();
    let kind = NetworkError::Timeout;
    assert!(
        matches!(error, Error::Network { kind: it, .. } if it == kind),
        "{error}"
    );
}

#[test]
fn through_a_proxy() {
    let identity = Identity::new("localhost");
    let server = identity.serve(echo);
    let (proxy, heads) = proxy();
    let bundle = identity.bundle();
    let mut config = config();
    config.trust = bundle.trust();
    config.proxies = proxies(&format!("user:secret@{}", proxy.address()), "");
    let transport = HttpTransport::new(config).unwrap();
    let content = noise(1_000_003);
    let mut response = post(&transport, &url(&server), &content).unwrap();
    assert!(read_all(&mut response).unwrap() == content);
    let head = heads.lock().unwrap().remove(0);
    let target = format!("CONNECT localhost:{} ", server.address().port());
    assert!(head.starts_with(&target), "{head}");
}
