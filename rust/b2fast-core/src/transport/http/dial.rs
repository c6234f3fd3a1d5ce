//! Making TCP connections: name resolution and the choice among addresses.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::cancel::POLL_INTERVAL;
use crate::error::{Error, NetworkError};
use crate::transport::http::exchange;

/// How long one address may take before the next one is tried beside it: the recommended
/// value of RFC 8305, section 5. A host whose IPv6 is broken costs this and no more.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connect to a host within `limit`, to whichever of its addresses answers first.
///
/// Neither the resolver nor a connection attempt can be interrupted, so both run on threads
/// of their own; those of a cancelled attempt end by themselves within `limit`, or when
/// the resolver gives up.
pub(super) fn dial(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let failure = |kind, detail: String| {
        io::Error::other(Error::Network {
            kind,
            host: host.to_owned(),
            detail,
        })
    };
    let end = Instant::now() + limit;
    let addresses = resolve(host, port, end)?
        .map_err(|error| failure(NetworkError::UnknownHost, error.to_string()))?;
    connect(&addresses, end)?.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => failure(
            NetworkError::Timeout,
            format!("no connection within {} s", limit.as_secs_f32()),
        ),
        _ => failure(NetworkError::Connect, error.to_string()),
    })
}

fn resolve(host: &str, port: u16, end: Instant) -> io::Result<io::Result<Vec<SocketAddr>>> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse() {
        return Ok(Ok(vec![SocketAddr::new(address, port)]));
    }
    let target = (host.to_owned(), port);
    let (sender, receiver) = mpsc::channel();
    spawn(&sender, move || {
        target
            .to_socket_addrs()
            .map(Iterator::collect::<Vec<SocketAddr>>)
    });
    Ok(match wait(&receiver, end)? {
        Some(Ok(addresses)) if addresses.is_empty() => Err(io::Error::other("no address")),
        Some(result) => result,
        None => Err(io::Error::other("no answer of the resolver in time")),
    })
}

fn connect(addresses: &[SocketAddr], end: Instant) -> io::Result<io::Result<TcpStream>> {
    let (sender, receiver) = mpsc::channel();
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    let mut pending = 0_usize;
    let mut rest = addresses.iter().copied();
    loop {
        let next = rest.next();
        if let Some(address) = next {
            // A time-out of zero is refused by the standard library.
            let limit = end
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1));
            spawn(&sender, move || TcpStream::connect_timeout(&address, limit));
            pending += 1;
        }
        let turn = match next {
            Some(_) => end.min(Instant::now() + HEAD_START),
            None => end,
        };
        match wait(&receiver, turn)? {
            Some(Ok(stream)) => return Ok(Ok(stream)),
            Some(Err(error)) => {
                last = error;
                pending -= 1;
            }
            None if Instant::now() >= end => return Ok(Err(io::ErrorKind::TimedOut.into())),
            None => {}
        }
        if pending == 0 && rest.len() == 0 {
            return Ok(Err(last));
        }
    }
}

/// Run a task on a thread of its own, and report its result.
fn spawn<T: Send + 'static>(
    sender: &Sender<io::Result<T>>,
    task: impl FnOnce() -> io::Result<T> + Send + 'static,
) {
    let results = sender.clone();
    let spawned = thread::Builder::new()
        .name("b2fast-connect".to_owned())
        .spawn(move || {
            // The caller may be gone: it was cancelled, or another address was faster.
            let _ = results.send(task());
        });
    if let Err(error) = spawned {
        let _ = sender.send(Err(error));
    }
}

/// Wait for a result until `end`, looking for cancellation. None when there is none.
fn wait<T>(receiver: &Receiver<io::Result<T>>, end: Instant) -> io::Result<Option<io::Result<T>>> {
    loop {
        exchange::check()?;
        let left = end.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left.min(POLL_INTERVAL)) {
            Ok(result) => return Ok(Some(result)),
            Err(RecvTimeoutError::Timeout) if left > POLL_INTERVAL => {}
            Err(_) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::cancel::{CancelToken, Scope};
    use crate::transport::body::unwrap_own_error;

    const LONG: Duration = Duration::from_secs(60);

    fn kind(result: io::Result<TcpStream>) -> NetworkError {
        match unwrap_own_error(result.unwrap_err()).unwrap() {
            Error::Network { kind, .. } => kind,
            other => panic!("{other}"),
        }
    }

    /// A port of the loopback interface that refuses connections.
    fn closed_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    #[test]
    fn connects_by_name_and_by_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(dial("localhost", port, LONG).is_ok());
        assert!(dial("127.0.0.1", port, LONG).is_ok());
    }

    #[test]
    fn falls_back_to_the_next_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let bad = SocketAddr::from(([127, 0, 0, 1], closed_port()));
        let stream = connect(&[bad, good], Instant::now() + LONG)
            .unwrap()
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
    }

    #[test]
    fn says_what_failed() {
        let refused = dial("127.0.0.1", closed_port(), LONG);
        assert_eq!(kind(refused), NetworkError::Connect);
        // RFC 6761 keeps this domain free of names for ever.
        let unknown = dial("no-such-host.invalid", 443, LONG);
        assert_eq!(kind(unknown), NetworkError::UnknownHost);
    }

    #[test]
    fn cancelled_while_it_waits() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let _guard = exchange::Guard::enter(&cancel, LONG);
        let error = dial("localhost", 1, LONG).unwrap_err();
        assert!(matches!(unwrap_own_error(error), Ok(Error::Cancelled)));
    }

    #[test]
    fn waits_for_a_result_until_the_end() {
        let (sender, receiver) = mpsc::channel();
        assert!(wait(&receiver, Instant::now()).unwrap().is_none());
        sender.send(Ok(7)).unwrap();
        let result = wait(&receiver, Instant::now()).unwrap().unwrap();
        assert_eq!(result.unwrap(), 7);
    }

    #[test]
    fn cancelled_in_the_middle_of_a_wait() {
        let (_sender, receiver) = mpsc::channel::<io::Result<()>>();
        let cancel = CancelToken::with_poll(Scope::default(), Box::new(|| false));
        let _guard = exchange::Guard::enter(&cancel, LONG);
        let error = wait(&receiver, Instant::now() + LONG).unwrap_err();
        assert!(matches!(unwrap_own_error(error), Ok(Error::Cancelled)));
    }
}
