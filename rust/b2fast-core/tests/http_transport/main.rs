//! The HTTP transport against servers written by hand, on the loopback interface.

mod cancelling;
mod failures;
mod proxies;
mod requests;
mod support;
mod tls;
