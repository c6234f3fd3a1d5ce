//! Which requests go through a proxy.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

use crate::error::{Error, Result};

/// The proxies for both kinds of URLs, and the hosts that are asked directly.
///
/// A proxy is asked for a tunnel (CONNECT), for http:// URLs too.
#[derive(Clone, Default)]
pub struct Proxies {
    pub(super) http: Option<Proxy>,
    pub(super) https: Option<Proxy>,
    direct: Vec<Exception>,
}

/// A host, or several, that `NO_PROXY` names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    Everything,
    /// A domain and everything below it, or an address.
    Host {
        name: String,
        port: Option<u16>,
    },
    Network {
        address: IpAddr,
        prefix: u32,
    },
}

impl Proxies {
    /// What the environment asks for: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    ///
    /// Names in lower case count first, as with curl and Python; a variable that is set to nothing
    /// means no proxy. A proxy that cannot be used is `Error::InvalidArgument`.
    pub fn from_environment() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// What these values of the environment variables ask for.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let either_case = |name: &str| variable(&name.to_lowercase()).or_else(|| variable(name));
        let proxy = |name| {
            [name, "ALL_PROXY"]
                .into_iter()
                .find_map(|name| either_case(name).map(|value| (name, value)))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| parse_proxy(name, &value))
                .transpose()
        };
        let direct = either_case("NO_PROXY").unwrap_or_default();
        Ok(Self {
            http: proxy("HTTP_PROXY")?,
            https: proxy("HTTPS_PROXY")?,
            direct: direct.split(',').filter_map(Exception::parse).collect(),
        })
    }

    /// Is this URL asked for without a proxy, although there is one?
    pub(super) fn is_direct(&self, url: &Uri) -> bool {
        let host = url.host().unwrap_or_default();
        let host = bare(host).trim_end_matches('.').to_ascii_lowercase();
        let default_port = if url.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = url.port_u16().unwrap_or(default_port);
        self.direct
            .iter()
            .any(|exception| exception.matches(&host, port))
    }
}

fn parse_proxy(name: &str, value: &str) -> Result<Proxy> {
    // The value may hold a password, so no message shows it.
    let proxy = Proxy::new(value)
        .map_err(|_| Error::InvalidArgument(format!("{name} is not the URL of a proxy")))?;
    match proxy.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => Ok(proxy),
        other => Err(Error::InvalidArgument(format!(
            "{name} names a {other} proxy; only http and https ones are supported"
        ))),
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Some((address, prefix)) = entry.split_once('/') {
            return Some(Self::Network {
                address: address.parse().ok()?,
                prefix: prefix.parse().ok()?,
            });
        }
        let (name, port) = match entry.rsplit_once(':') {
            // More than one colon is an IPv6 address without a port.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                (name, Some(port.parse().ok()?))
            }
            _ => (entry.as_str(), None),
        };
        let name = bare(name).trim_start_matches("*.").trim_matches('.');
        (!name.is_empty()).then(|| Self::Host {
            name: name.to_owned(),
            port,
        })
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Host { name, port: only } => {
                only.is_none_or(|only| only == port)
                    && host
                        .strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Network { address, prefix } => match (host.parse(), address) {
                (Ok(IpAddr::V4(host)), IpAddr::V4(network)) => {
                    let differing = host.to_bits() ^ network.to_bits();
                    differing.leading_zeros() >= *prefix
                }
                (Ok(IpAddr::V6(host)), IpAddr::V6(network)) => {
                    let differing = host.to_bits() ^ network.to_bits();
                    differing.leading_zeros() >= *prefix
                }
                _ => false,
            },
        }
    }
}

/// A host without the brackets that URLs put around IPv6 addresses.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

// Proxies may have passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.as_ref().map(Proxy::host))
            .field("https", &self.https.as_ref().map(Proxy::host))
            .field("direct", &self.direct)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies> {
        Proxies::from_variables(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn hosts(variables: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let proxies = proxies(variables).unwrap();
        let host = |proxy: Option<Proxy>| proxy.map(|proxy| proxy.host().to_owned());
        (host(proxies.http), host(proxies.https))
    }

    fn both(http: &str, https: &str) -> (Option<String>, Option<String>) {
        (Some(http.to_owned()), Some(https.to_owned()))
    }

    #[test]
    fn variables_by_scheme() {
        assert_eq!(hosts(&[]), (None, None));
        assert_eq!(hosts(&[("ALL_PROXY", "http://all:1")]), both("all", "all"));
        assert_eq!(
            hosts(&[("all_proxy", "all:1"), ("https_proxy", "http://secure:1")]),
            both("all", "secure")
        );
        assert_eq!(
            hosts(&[
                ("HTTP_PROXY", "upper:1"),
                ("http_proxy", "lower:1"),
                ("HTTPS_PROXY", "secure:1"),
            ]),
            both("lower", "secure")
        );
        assert_eq!(
            hosts(&[("ALL_PROXY", "all:1"), ("https_proxy", "")]),
            (Some("all".to_owned()), None)
        );
    }

    #[test]
    fn unusable_proxies_are_refused_without_their_password() {
        for value in [
            "http://",
            "socks5://user:secret@host:1080",
            "gopher://user:secret@host",
        ] {
            let error = proxies(&[("HTTPS_PROXY", value)]).unwrap_err().to_string();
            assert!(error.contains("HTTPS_PROXY"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let good = proxies(&[("HTTPS_PROXY", "http://user:secret@host:1")]).unwrap();
        assert!(!format!("{good:?}").contains("secret"));
    }

    #[test]
    fn exceptions() {
        let is_direct = |no_proxy: &str, url: &str| {
            let proxies = proxies(&[("NO_PROXY", no_proxy)]).unwrap();
            proxies.is_direct(&url.parse().unwrap())
        };
        for (no_proxy, url) in [
            ("*", "https://anything.example"),
            ("example.com", "https://example.com"),
            ("example.com", "https://sub.EXAMPLE.com:8443/path"),
            (".example.com", "http://sub.example.com"),
            ("*.example.com", "http://sub.example.com"),
            ("other, example.com", "http://example.com"),
            ("example.com:8080", "http://example.com:8080"),
            ("example.com:443", "https://example.com"),
            ("127.0.0.1", "http://127.0.0.1:9"),
            ("10.0.0.0/8", "http://10.1.2.3"),
            ("0.0.0.0/0", "http://10.1.2.3"),
            ("::1", "http://[::1]:80"),
            ("[::1]:80", "http://[::1]"),
            ("fe80::/10", "http://[fe80::1]"),
        ] {
            assert!(is_direct(no_proxy, url), "{no_proxy} {url}");
        }
        for (no_proxy, url) in [
            ("", "https://example.com"),
            (",", "https://example.com"),
            ("example.com", "https://notexample.com"),
            ("sub.example.com", "https://example.com"),
            ("example.com:8080", "http://example.com"),
            ("10.0.0.0/8", "http://11.1.2.3"),
            ("10.0.0.0/8", "http://ten.example"),
            ("10.0.0.0/8", "http://[::1]"),
        ] {
            assert!(!is_direct(no_proxy, url), "{no_proxy} {url}");
        }
    }
}
