//! A transport that keeps to the user's limits.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::rate_limit::RateLimit;
use crate::transport::paced::{self, Pace};
use crate::transport::{Body, Request, Response, Transport};

/// The limits of both directions.
#[derive(Clone, Debug, Default)]
pub struct RateLimits {
    /// Of the bodies of requests.
    pub upload: Arc<RateLimit>,
    /// Of the bodies of answers.
    pub download: Arc<RateLimit>,
}

/// Holds all bodies together to limits that may change while they move.
#[derive(Debug)]
pub struct Limited<T> {
    inner: T,
    limits: RateLimits,
}

impl<T> Limited<T> {
    /// The same transport within `limits`.
    pub fn new(inner: T, limits: RateLimits) -> Self {
        Self { inner, limits }
    }
}

impl<T: Transport> Transport for Limited<T> {
    fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        let response = paced::send(&self.inner, request, body, &self.limits.upload, cancel)?;
        Ok(paced::paced(response, Arc::clone(&self.limits.download)))
    }
}

impl Pace for Arc<RateLimit> {
    fn at_once(&self, wanted: usize) -> usize {
        RateLimit::at_once(self, wanted)
    }

    fn pay(&self, bytes: usize, cancel: &CancelToken) -> Result<()> {
        RateLimit::pay(self, bytes, cancel)
    }
}
