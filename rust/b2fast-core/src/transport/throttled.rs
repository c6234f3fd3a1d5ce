//! A transport made slower, for tests and benchmarks: latency and a limited rate.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::transport::paced::{self, Pace};
use crate::transport::{Body, Request, Response, Transport};

/// Waits, looking for cancellation.
type Sleep = Arc<dyn Fn(Duration, &CancelToken) -> Result<()> + Send + Sync>;

/// Delays every answer, and limits the rate of every body in both directions.
///
/// The rate is that of each request by itself, like that of connections to a distant server:
/// parallel requests are faster together. Bytes are paid for after they moved, by a sleep
/// as long as the rate allows for them, so the time that the inner transport takes comes on top.
pub struct Throttled<T> {
    inner: T,
    latency: Duration,
    pace: RequestPace,
}

#[derive(Clone)]
struct RequestPace {
    bytes_per_second: Option<NonZeroU64>,
    sleep: Sleep,
}

impl<T: Transport> Throttled<T> {
    /// Wait `latency` before every answer, and move at most `bytes_per_second` per request.
    pub fn new(inner: T, latency: Duration, bytes_per_second: Option<NonZeroU64>) -> Self {
        let sleep = |duration, cancel: &CancelToken| cancel.sleep(duration);
        Self::with_sleep(inner, latency, bytes_per_second, Arc::new(sleep))
    }

    fn with_sleep(
        inner: T,
        latency: Duration,
        bytes_per_second: Option<NonZeroU64>,
        sleep: Sleep,
    ) -> Self {
        Self {
            inner,
            latency,
            pace: RequestPace {
                bytes_per_second,
                sleep,
            },
        }
    }
}

impl Pace for RequestPace {
    fn at_once(&self, wanted: usize) -> usize {
        wanted
    }

    fn pay(&self, bytes: usize, cancel: &CancelToken) -> Result<()> {
        let Some(rate) = self.bytes_per_second else {
            return Ok(());
        };
        let nanoseconds = bytes as u128 * 1_000_000_000 / u128::from(rate.get());
        let duration = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        (self.sleep)(duration, cancel)
    }
}

impl<T: Transport> Transport for Throttled<T> {
    fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        let response = paced::send(&self.inner, request, body, &self.pace, cancel)?;
        (self.pace.sleep)(self.latency, cancel)?;
        Ok(paced::paced(response, self.pace.clone()))
    }
}

impl<T: fmt::Debug> fmt::Debug for Throttled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttled")
            .field("inner", &self.inner)
            .field("latency", &self.latency)
            .field("bytes_per_second", &self.pace.bytes_per_second)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::cancel::Scope;
    use crate::error::Error;
    use crate::transport::Method;
    use crate::transport::memory::{Answer, MemoryTransport};

    const REQUEST: Request<'static> = Request {
        method: Method::Post,
        url: "https://pod.example/",
        headers: &[],
    };

    fn echo() -> MemoryTransport {
        MemoryTransport::new(|_, body| Answer::new(200, body))
    }

    #[test]
    fn every_byte_is_paid_for_and_none_is_lost() {
        let slept = Arc::new(Mutex::new(Duration::ZERO));
        let clock = slept.clone();
        let transport = Throttled::with_sleep(
            echo(),
            Duration::from_millis(20),
            NonZeroU64::new(1000),
            Arc::new(move |duration, _: &CancelToken| {
                *clock.lock().unwrap() += duration;
                Ok(())
            }),
        );
        let cancel = CancelToken::new();
        let content = [7; 500];
        let mut response = transport
            .send(&REQUEST, Body::Bytes(&content), &cancel)
            .unwrap();
        assert_eq!(*slept.lock().unwrap(), Duration::from_millis(520));
        let mut received = Vec::new();
        let mut buffer = [0; 130];
        loop {
            match response.body.read(&mut buffer, &cancel).unwrap() {
                0 => break,
                count => received.extend_from_slice(&buffer[..count]),
            }
        }
        assert_eq!(received, content);
        assert_eq!(*slept.lock().unwrap(), Duration::from_millis(1020));
    }

    #[test]
    fn waiting_can_be_cancelled() {
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let late = Throttled::new(echo(), year, None);
        let slow = Throttled::new(echo(), Duration::ZERO, NonZeroU64::new(1));
        for transport in [late, slow] {
            let cancel = CancelToken::with_poll(Scope::default(), Box::new(|| false));
            let result = transport.send(&REQUEST, Body::Bytes(&[0; 1000]), &cancel);
            assert!(matches!(result, Err(Error::Cancelled)));
        }
    }
}
