//! The TCP sockets under ureq: waits in slices, so that every one of them can be cancelled.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

use crate::cancel::POLL_INTERVAL;
use crate::transport::http::dial::dial;
use crate::transport::http::exchange;

/// The size of one write to the socket.
///
/// Both sizes are per connection, and as large again with TLS on top. Measured on loopback
/// from 32 KiB to 1 MiB (see `examples/transport_cost.rs`): the CPU time per GiB falls until
/// 128 KiB, and rises again from 1 MiB, where the buffers leave the L2 cache.
const OUTPUT_BUFFER: usize = 128 * 1024;

/// The most that is read from the socket at once.
const INPUT_BUFFER: usize = 128 * 1024;

/// Connects to the host of a URL, unless the connectors before it did so.
#[derive(Debug)]
pub(super) struct SocketConnector;

impl<In: Transport> Connector<In> for SocketConnector {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let default_port = if details.needs_tls() { 443 } else { 80 };
        let port = details.uri.port_u16().unwrap_or(default_port);
        let stream = dial(host, port, *details.timeout.after)?;
        exchange::note(|events| events.connected = true);
        Ok(Some(Either::B(Socket::new(stream)?)))
    }
}

/// A connected socket.
pub(super) struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    /// The peer takes no more bytes; what it had sent before is in the input buffer.
    closed_for_writing: bool,
}

impl Socket {
    fn new(stream: TcpStream) -> io::Result<Self> {
        // Requests are written in one piece, so Nagle's algorithm could only delay them.
        stream.set_nodelay(true)?;
        // The slices: every blocked call returns at least this often.
        stream.set_read_timeout(Some(POLL_INTERVAL))?;
        stream.set_write_timeout(Some(POLL_INTERVAL))?;
        Ok(Self {
            stream,
            buffers: LazyBuffers::new(INPUT_BUFFER, OUTPUT_BUFFER),
            closed_for_writing: false,
        })
    }

    /// The peer broke the connection while it was written to.
    ///
    /// A server that refuses an upload answers and closes, without reading the rest. Its
    /// answer says more than the broken pipe: when there is one, pretend that the rest was
    /// sent, so that ureq goes on to read it. The body reader is cut short for the same
    /// reason, and an early answer that claims success is not believed (see `HttpTransport`).
    fn take_early_answer(&mut self, broken: io::Error) -> io::Result<()> {
        match self.stream.read(self.buffers.input_append_buf()) {
            Ok(count) if count > 0 => {
                self.buffers.input_appended(count);
                self.closed_for_writing = true;
                exchange::note(|events| {
                    events.received = true;
                    events.answered_early = true;
                });
                Ok(())
            }
            _ => Err(broken),
        }
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let limit = limit(timeout);
        let mut since = Instant::now();
        let mut sent = 0;
        while sent < amount && !self.closed_for_writing {
            exchange::check()?;
            match self.stream.write(&self.buffers.output()[sent..amount]) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(count) => {
                    sent += count;
                    since = Instant::now();
                }
                Err(error) if is_broken(&error) => self.take_early_answer(error)?,
                Err(error) => keep_waiting(error, since, limit)?,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let limit = limit(timeout);
        let since = Instant::now();
        loop {
            exchange::check()?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    if count > 0 {
                        exchange::note(|events| events.received = true);
                    }
                    return Ok(count > 0);
                }
                // The answer that came early may be complete as it is.
                Err(error) if self.closed_for_writing && is_broken(&error) => return Ok(false),
                Err(error) => keep_waiting(error, since, limit)?,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // Bytes that nobody asked for are as bad as an end: the next answer would start
        // with them.
        !self.closed_for_writing && is_quiet(&self.stream).unwrap_or(false)
    }
}

/// How long a wait may take: what is left of the time to connect, or the idle time-out.
fn limit(timeout: NextTimeout) -> Duration {
    exchange::idle().min(*timeout.after)
}

/// Is there nothing to read, not even the end of the stream?
fn is_quiet(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
}

fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
    )
}

/// After a call that moved nothing: was it a slice that ended, within the limit?
fn keep_waiting(error: io::Error, since: Instant, limit: Duration) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        // A socket time-out is the first on Unix, the second on Windows.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            if since.elapsed() < limit {
                return Ok(());
            }
            let detail = format!("no byte moved for {} s", limit.as_secs_f32());
            Err(io::Error::new(io::ErrorKind::TimedOut, detail))
        }
        _ => Err(error),
    }
}

// The buffers hold tokens and content.
impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}
