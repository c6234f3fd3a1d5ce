//! Request bodies of an exact length.

use std::error::Error as StdError;
use std::io::{self, Read};

use crate::error::Error;
use crate::transport::Body;

impl Body<'_> {
    /// The number of bytes that will be sent.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Reader { length, .. } => *length,
        }
    }
}

/// Reads a body and holds it to its announced length.
///
/// More is never read; a source that ends early is an error, because its end would leave
/// the peer waiting for the rest of the announced length.
pub(super) struct BodyReader<'a> {
    source: Source<'a>,
    length: u64,
    left: u64,
}

enum Source<'a> {
    Bytes(&'a [u8]),
    Reader(&'a mut (dyn Read + Send)),
}

impl<'a> BodyReader<'a> {
    pub(super) fn new(body: Body<'a>) -> Self {
        let length = body.length();
        let source = match body {
            Body::Empty => Source::Bytes(&[]),
            Body::Bytes(bytes) => Source::Bytes(bytes),
            Body::Reader { reader, .. } => Source::Reader(reader),
        };
        Self {
            source,
            length,
            left: length,
        }
    }
}

impl BodyReader<'_> {
    /// Pass over up to `most` bytes without reading them; how many there were.
    pub(super) fn skip(&mut self, most: usize) -> usize {
        let count = self.at_most(most);
        self.left -= count as u64;
        count
    }

    fn at_most(&self, most: usize) -> usize {
        most.min(usize::try_from(self.left).unwrap_or(usize::MAX))
    }
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.at_most(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let buffer = &mut buffer[..most];
        let count = loop {
            let result = match &mut self.source {
                Source::Bytes(bytes) => bytes.read(buffer),
                Source::Reader(reader) => reader.read(buffer),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(source_error)?,
            }
        };
        if count == 0 {
            return Err(io::Error::other(Error::InvalidArgument(format!(
                "the source of the upload ended after {} of {} bytes",
                self.length - self.left,
                self.length
            ))));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Mark an error as one of the source, so that it is not mistaken for one of the network.
fn source_error(error: io::Error) -> io::Error {
    if wraps_own_error(&error) {
        return error;
    }
    io::Error::other(Error::InvalidArgument(format!(
        "the source of the upload failed: {error}"
    )))
}

fn wraps_own_error(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(<dyn StdError + Send + Sync>::is::<Error>)
}

/// The crate's own error that travels in `error`, or `error` itself.
pub(super) fn unwrap_own_error(error: io::Error) -> Result<Error, io::Error> {
    if !wraps_own_error(&error) {
        return Err(error);
    }
    error.downcast::<Error>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exactly_the_announced_bytes() {
        let mut source: &[u8] = b"0123456789";
        let mut body = BodyReader::new(Body::Reader {
            length: 4,
            reader: &mut source,
        });
        let mut content = Vec::new();
        body.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"0123");
    }

    #[test]
    fn a_short_source_is_an_error() {
        let mut source: &[u8] = b"0123";
        let mut body = BodyReader::new(Body::Reader {
            length: 5,
            reader: &mut source,
        });
        let error = body.read_to_end(&mut Vec::new()).unwrap_err();
        let error = unwrap_own_error(error).unwrap();
        assert!(matches!(error, Error::InvalidArgument(detail) if detail.contains("4 of 5")));
    }

    /// A source that gives these results, one after the other.
    struct Scripted(Vec<io::Result<u8>>);

    impl Read for Scripted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer[0] = self.0.remove(0)?;
            Ok(1)
        }
    }

    fn read_one(results: Vec<io::Result<u8>>) -> io::Result<u8> {
        let mut source = Scripted(results);
        let mut body = BodyReader::new(Body::Reader {
            length: 1,
            reader: &mut source,
        });
        let mut buffer = [0];
        body.read_exact(&mut buffer).map(|()| buffer[0])
    }

    #[test]
    fn errors_of_the_source_keep_their_identity() {
        let own = read_one(vec![Err(io::Error::other(Error::Cancelled))]);
        assert!(matches!(
            unwrap_own_error(own.unwrap_err()),
            Ok(Error::Cancelled)
        ));
        let foreign = read_one(vec![Err(io::ErrorKind::BrokenPipe.into())]);
        assert!(matches!(
            unwrap_own_error(foreign.unwrap_err()),
            Ok(Error::InvalidArgument(_))
        ));
    }

    #[test]
    fn interrupted_reads_are_repeated() {
        let result = read_one(vec![Err(io::ErrorKind::Interrupted.into()), Ok(7)]);
        assert_eq!(result.unwrap(), 7);
    }

    #[test]
    fn skipped_bytes_count() {
        let mut body = BodyReader::new(Body::Bytes(b"0123456789"));
        assert_eq!(body.skip(8), 8);
        assert_eq!(body.skip(8), 2);
        assert_eq!(body.read(&mut [0]).unwrap(), 0);
    }
}
