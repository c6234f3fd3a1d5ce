//! A transport whose requests pause together, and become fewer, when the service asks for it.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::gate::Gate;
use crate::transport::{Body, Request, Response, Transport};
use crate::workers::Share;

/// The status of an answer to a request that was one too many.
const TOO_MANY_REQUESTS: u16 = 429;

/// The status of an answer of a service that is busy.
const SERVICE_UNAVAILABLE: u16 = 503;

/// Keeps every request waiting while a gate is closed, and closes it when the service asks;
/// tells a pool of threads whether they are too many.
#[derive(Debug)]
pub struct Gated<T> {
    inner: T,
    gate: Arc<Gate>,
    share: Arc<Share>,
}

impl<T> Gated<T> {
    /// The same transport behind `gate`; others may share it, and `share`.
    pub fn new(inner: T, gate: Arc<Gate>, share: Arc<Share>) -> Self {
        Self { inner, gate, share }
    }
}

impl<T: Transport> Transport for Gated<T> {
    fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        cancel: &CancelToken,
    ) -> Result<Response> {
        self.gate.wait(cancel)?;
        let response = self.inner.send(request, body, cancel)?;
        match response.status {
            TOO_MANY_REQUESTS => {
                self.gate.refused(response.retry_after());
                self.share.refused();
            }
            SERVICE_UNAVAILABLE => self.share.busy(),
            200..300 => {
                self.gate.accepted();
                self.share.accepted();
            }
            _ => {}
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::cancel::Scope;
    use crate::error::Error;
    use crate::transport::Method;
    use crate::transport::memory::{Answer, MemoryTransport};

    const REQUEST: Request<'static> = Request {
        method: Method::Get,
        url: "https://pod.example/",
        headers: &[],
    };

    #[test]
    fn one_refusal_holds_back_all() {
        let gate = Arc::new(Gate::default());
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let service = MemoryTransport::new(move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            Answer::new(429, Vec::new()).header("retry-after", "60")
        });
        let share = Arc::new(Share::default());
        let transport = Gated::new(service, gate.clone(), share.clone());
        let cancel = CancelToken::new();
        let response = transport.send(&REQUEST, Body::Empty, &cancel).unwrap();
        assert_eq!(response.status, 429);
        assert_eq!(share.of(10), 5);
        assert!(gate.pause() > Duration::from_secs(30));

        let other = Gated::new(
            MemoryTransport::new(|_, _| Answer::new(200, Vec::new())),
            gate,
            share,
        );
        let impatient = CancelToken::with_poll(Scope::default(), Box::new(|| false));
        for result in [
            other.send(&REQUEST, Body::Empty, &impatient),
            transport.send(&REQUEST, Body::Empty, &impatient),
        ] {
            assert!(matches!(result, Err(Error::Cancelled)));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn other_answers_hold_back_nobody() {
        for status in [200, 206, 401, 503] {
            let share = Arc::new(Share::default());
            let gate = Arc::new(Gate::default());
            let service = MemoryTransport::new(move |_, _| {
                Answer::new(status, Vec::new()).header("retry-after", "60")
            });
            let transport = Gated::new(service, gate.clone(), share.clone());
            for _ in 0..3 {
                transport
                    .send(&REQUEST, Body::Empty, &CancelToken::new())
                    .unwrap();
            }
            assert_eq!(gate.pause(), Duration::ZERO, "{status}");
            // A service that is busy again and again is left alone by some.
            assert_eq!(share.of(10), if status == 503 { 5 } else { 10 }, "{status}");
        }
    }
}
