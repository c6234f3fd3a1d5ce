//! TLS over any transport of ureq.
//!
//! ureq brings a connector of its own for rustls. This one is here for three reasons: it
//! hands the records of a whole buffer to the socket in one write (ureq's writes every
//! 16 KiB record by itself), it keeps what rustls says about a failed handshake, and it
//! takes its certificates from where users of other B2 clients have configured them.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Stream};
use ureq::unversioned::transport::time::Duration as Span;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

use crate::error::{Error, NetworkError};
use crate::transport::http::exchange;

/// The most plain text of a record (RFC 8446, section 5.1).
const RECORD: usize = 16 * 1024;

/// Plain text sent in one go: as many whole records as fit, encrypted, into one write of
/// the socket.
const OUTPUT_BUFFER: usize = 7 * RECORD;

/// Plain text received in one go.
const INPUT_BUFFER: usize = 8 * RECORD;

/// Puts TLS on top of a connection, where the URL asks for it.
pub(super) struct TlsConnector {
    pub(super) config: Arc<ClientConfig>,
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let fail = |error: rustls::Error| failure(host, &error);
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| fail(rustls::Error::General("invalid host name".to_owned())))?;

        let mut connection = ClientConnection::new(self.config.clone(), name).map_err(fail)?;
        connection.set_buffer_limit(Some(OUTPUT_BUFFER));
        let mut lower = Lower::new(transport.boxed());
        lower.set_timeout(details.timeout);
        while connection.is_handshaking() {
            let (read, _) = connection
                .complete_io(&mut lower)
                .map_err(|error| named(host, error))?;
            if read == 0 && connection.is_handshaking() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        Ok(Some(Either::B(TlsTransport {
            connection,
            lower,
            buffers: LazyBuffers::new(INPUT_BUFFER, OUTPUT_BUFFER),
        })))
    }
}

/// What rustls says, as an error of the network; other errors as they are.
fn named(host: &str, error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(inner) => failure(host, inner),
        None => error,
    }
}

fn failure(host: &str, error: &rustls::Error) -> io::Error {
    io::Error::other(Error::Network {
        kind: NetworkError::Tls,
        host: host.to_owned(),
        detail: error.to_string(),
    })
}

/// An encrypted connection.
pub(super) struct TlsTransport {
    connection: ClientConnection,
    lower: Lower,
    buffers: LazyBuffers,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if exchange::events().answered_early {
            // Encrypting what nobody receives costs time, too.
            return Ok(());
        }
        self.lower.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Stream::new(&mut self.connection, &mut self.lower).write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.lower.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let count = Stream::new(&mut self.connection, &mut self.lower).read(input)?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        // Records that are still unread are the peer's goodbye, or bytes nobody asked for.
        self.lower.transport.buffers().input().is_empty() && self.lower.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// The transport below, as rustls wants to see it.
struct Lower {
    transport: Box<dyn Transport>,
    timeout: NextTimeout,
    since: Instant,
}

impl Lower {
    fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            timeout: NextTimeout::default(),
            since: Instant::now(),
        }
    }

    fn set_timeout(&mut self, timeout: NextTimeout) {
        self.timeout = timeout;
        self.since = Instant::now();
    }

    /// The time that is left: one call of ureq may be many reads and writes here.
    fn timeout(&self) -> NextTimeout {
        let after = match self.timeout.after {
            Span::Exact(limit) => Span::Exact(limit.saturating_sub(self.since.elapsed())),
            Span::NotHappening => Span::NotHappening,
        };
        NextTimeout {
            after,
            ..self.timeout
        }
    }
}

impl Read for Lower {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.transport.buffers().input().is_empty() {
            let timeout = self.timeout();
            self.transport
                .await_input(timeout)
                .map_err(ureq::Error::into_io)?;
        }
        let buffers = self.transport.buffers();
        let count = buffers.input().read(buffer)?;
        buffers.input_consume(count);
        Ok(count)
    }
}

impl Write for Lower {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut output = self.transport.buffers().output();
        let mut count = 0;
        for slice in slices {
            let written = output.write(slice)?;
            count += written;
            if written < slice.len() {
                break;
            }
        }
        let timeout = self.timeout();
        self.transport
            .transmit_output(count, timeout)
            .map_err(ureq::Error::into_io)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

// The buffers hold tokens and content.
impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
