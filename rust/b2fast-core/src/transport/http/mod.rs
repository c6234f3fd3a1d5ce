//! The HTTP/1.1 transport: ureq on sockets that can be cancelled, with rustls on top.

mod dial;
mod exchange;
mod proxy;
mod response;
mod socket;
mod tls;
mod trust;

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Uri, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, NextTimeout};
use ureq::{Agent, Proxy, SendBody};

pub use self::proxy::Proxies;
pub use self::trust::Trust;
use crate::cancel::CancelToken;
use crate::counters::Counters;
use crate::error::{Error, NetworkError, Result};
use crate::transport::body::{BodyReader, unwrap_own_error};
use crate::transport::{Body, Method, Request, Response, Timeouts, Transport};

/// How long an unused connection stays in the pool. Shorter than the minutes after which
/// routers forget a connection without telling either end.
const IDLE_CONNECTION_AGE: Duration = Duration::from_secs(60);

/// Longer than any transfer: time-outs above it mean "never".
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How an [`HttpTransport`] connects.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Sent with every request that names no other.
    pub user_agent: String,
    /// How long the parts of an exchange may take.
    pub timeouts: Timeouts,
    /// How many unused connections are kept, in all and to each host.
    pub connections: usize,
    /// The proxies.
    pub proxies: Proxies,
    /// The certificate authorities.
    pub trust: Trust,
    /// Counts the requests.
    pub counters: Arc<Counters>,
}

impl HttpConfig {
    /// Default time-outs, ten connections, no proxy, and the system's certificate authorities.
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            timeouts: Timeouts::default(),
            connections: 10,
            proxies: Proxies::default(),
            trust: Trust::System,
            counters: Arc::default(),
        }
    }

    /// The same, with the proxies and the authorities that the environment names.
    ///
    /// `Error::InvalidArgument` when the environment names a proxy that cannot be used.
    pub fn from_environment(user_agent: impl Into<String>) -> Result<Self> {
        Ok(Self {
            proxies: Proxies::from_environment()?,
            trust: Trust::from_environment(),
            ..Self::new(user_agent)
        })
    }
}

/// Sends requests over HTTP/1.1, plain or with TLS, and keeps the connections for the next ones.
///
/// Redirects are not followed: B2 uses none, and one must never carry a token to another host.
/// Bodies are delivered as they were sent, never decompressed. GET and HEAD are sent once more when a
/// connection of the pool turns out to be closed; other requests may have had an effect
/// that must not happen twice, so their `NetworkError::ConnectionLost` is the caller's.
pub struct HttpTransport {
    direct: Agent,
    /// For http:// and for https:// URLs: ureq has one proxy per agent.
    proxied: [Option<Agent>; 2],
    proxies: Proxies,
    timeouts: Timeouts,
    counters: Arc<Counters>,
}

impl HttpTransport {
    /// A transport without connections yet.
    ///
    /// Reads the certificate authorities: `Error::LocalFile` or `Error::InvalidArgument` when they
    /// cannot be used.
    pub fn new(config: HttpConfig) -> Result<Self> {
        let user_agent = header_value("User-Agent", &config.user_agent)?;
        let tls = Arc::new(config.trust.client_config()?);
        let agent = |proxy: Option<Proxy>| {
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(socket::SocketConnector)
                    .chain(tls::TlsConnector {
                        config: tls.clone(),
                    });
            let settings = Config::builder()
                .user_agent(config.user_agent.as_str())
                .accept(AutoHeaderValue::None)
                .accept_encoding(AutoHeaderValue::None)
                .proxy(proxy)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_idle_connections(config.connections)
                .max_idle_connections_per_host(config.connections)
                .max_idle_age(IDLE_CONNECTION_AGE)
                .timeout_connect(Some(config.timeouts.connect.min(FOREVER)))
                .build();
            Agent::with_parts(settings, connector, NoResolver)
        };
        if user_agent.is_empty() {
            return Err(Error::InvalidArgument("the user agent is empty".to_owned()));
        }
        Ok(Self {
            direct: agent(None),
            proxied: [&config.proxies.http, &config.proxies.https]
                .map(|proxy| proxy.clone().map(|proxy| agent(Some(proxy)))),
            proxies: config.proxies,
            timeouts: config.timeouts,
            counters: config.counters,
        })
    }

    /// The longest wait in a request of this method, and for its answer.
    fn idle(&self, method: Method) -> Duration {
        let idle = match method {
            Method::Post => self.timeouts.upload_idle,
            Method::Get | Method::Head => self.timeouts.idle,
        };
        idle.min(FOREVER)
    }

    /// Send once; on a connection made for it, if `fresh`.
    fn attempt(&self, head: &Head, body: Body<'_>, fresh: bool) -> Result<Response> {
        let proxied = &self.proxied[usize::from(head.is_https())];
        let agent = match proxied {
            Some(agent) if !self.proxies.is_direct(&head.uri) => agent,
            _ => &self.direct,
        };
        let result = if head.method == Method::Post {
            let mut upload = Upload(BodyReader::new(body));
            agent.run(head.with_body(SendBody::from_reader(&mut upload))?)
        } else {
            let mut request = head.with_body(())?;
            if fresh {
                request = agent
                    .configure_request(request)
                    .max_idle_age(Duration::ZERO)
                    .build();
            }
            agent.run(request)
        };
        let host = head.uri.host().unwrap_or_default();
        let response = result.map_err(|error| {
            let error = from_ureq(error, host);
            match agent.config().proxy() {
                Some(_) => blame_proxy(error),
                None => error,
            }
        })?;
        if exchange::events().answered_early && response.status().as_u16() < 400 {
            return Err(Error::Network {
                kind: NetworkError::ConnectionLost,
                host: host.to_owned(),
                detail: "the server closed the connection while the request was sent".to_owned(),
            });
        }
        Ok(response::convert(
            response,
            head.method,
            host,
            self.idle(head.method),
        ))
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        cancel.check()?;
        let head = Head::new(request, body.length())?;
        let guard = exchange::Guard::enter(cancel, self.idle(request.method));
        let repeatable = matches!(
            (request.method, &body),
            (Method::Get | Method::Head, Body::Empty)
        );
        let result = self.attempt(&head, body, false);
        self.counters.requested(request, &result);
        match result {
            Err(Error::Network {
                kind: NetworkError::ConnectionLost,
                ..
            }) if repeatable && is_stale(exchange::events()) => {}
            result => return result,
        }
        drop(guard);
        let _guard = exchange::Guard::enter(cancel, self.idle(request.method));
        let result = self.attempt(&head, Body::Empty, true);
        self.counters.requested(request, &result);
        result
    }
}

/// Did the request end on a connection of the pool that gave no answer?
fn is_stale(events: exchange::Events) -> bool {
    !events.connected && !events.received
}

/// The head of a request, checked.
struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Head {
    fn new(request: &Request<'_>, length: u64) -> Result<Self> {
        // No message shows the URL: its query may hold a token.
        let uri: Uri = request
            .url
            .parse()
            .map_err(|_| Error::InvalidArgument("the URL of a request is malformed".to_owned()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(Error::InvalidArgument(
                "the URL of a request is neither http:// nor https://".to_owned(),
            ));
        }
        if length > 0 && request.method != Method::Post {
            return Err(Error::InvalidArgument(
                "only POST requests have a body".to_owned(),
            ));
        }
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
        for (name, value) in request.headers {
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Error::InvalidArgument("the name of a header is malformed".to_owned())
            })?;
            if is_set_by_transport(&key) {
                return Err(Error::InvalidArgument(format!(
                    "the header {name} is set by the transport"
                )));
            }
            headers.append(key, header_value(name, value)?);
        }
        if request.method == Method::Post {
            // Always there, so that ureq never sends the body in chunks.
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        Ok(Self {
            method: request.method,
            uri,
            headers,
        })
    }

    fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    fn with_body<B>(&self, body: B) -> Result<ureq::http::Request<B>> {
        let mut request = ureq::http::Request::builder()
            .method(match self.method {
                Method::Get => HttpMethod::GET,
                Method::Head => HttpMethod::HEAD,
                Method::Post => HttpMethod::POST,
            })
            .uri(self.uri.clone())
            .body(body)
            .map_err(|error| Error::InvalidArgument(error.to_string()))?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue> {
    HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        Error::InvalidArgument(format!(
            "the value of the header {name} has control characters"
        ))
    })
}

/// Headers that decide where a request ends, or whether its body is sent at all.
fn is_set_by_transport(name: &HeaderName) -> bool {
    [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::EXPECT,
        header::HOST,
    ]
    .contains(name)
}

/// The body on its way into ureq's buffer.
struct Upload<'a>(BodyReader<'a>);

impl Read for Upload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        exchange::check()?;
        if exchange::events().answered_early {
            // Nobody receives the rest: see `Socket::take_early_answer`.
            return Ok(self.0.skip(buffer.len()));
        }
        self.0.read(buffer)
    }
}

/// Resolves nothing. ureq asks its resolver before every request, even one that takes a connection
/// from the pool; the socket connector asks only when it makes a connection.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// An error of ureq as one of ours.
fn from_ureq(error: ureq::Error, host: &str) -> Error {
    let network = |kind, detail: String| Error::Network {
        kind,
        host: host.to_owned(),
        detail,
    };
    match error {
        ureq::Error::Io(error) => from_io(error, host),
        ureq::Error::Timeout(_) => network(
            NetworkError::Timeout,
            "no connection within the time for it".to_owned(),
        ),
        ureq::Error::ConnectProxyFailed(detail) => network(NetworkError::Proxy, detail),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            Error::InvalidArgument("the URL of a request is malformed".to_owned())
        }
        other => Error::Protocol(format!("{host}: {other}")),
    }
}

/// An error of a connection, or the error of ours that travels in it.
fn from_io(error: io::Error, host: &str) -> Error {
    unwrap_own_error(error).unwrap_or_else(|error| {
        let kind = match error.kind() {
            io::ErrorKind::TimedOut => NetworkError::Timeout,
            _ if error
                .get_ref()
                .is_some_and(<dyn StdError + Send + Sync>::is::<rustls::Error>) =>
            {
                NetworkError::Tls
            }
            _ => NetworkError::ConnectionLost,
        };
        Error::Network {
            kind,
            host: host.to_owned(),
            detail: error.to_string(),
        }
    })
}

/// Where there is a proxy, it is the only host that is ever connected to.
fn blame_proxy(error: Error) -> Error {
    match error {
        Error::Network {
            kind: NetworkError::UnknownHost | NetworkError::Connect,
            host,
            detail,
        } => Error::Network {
            kind: NetworkError::Proxy,
            host,
            detail,
        },
        other => other,
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}
