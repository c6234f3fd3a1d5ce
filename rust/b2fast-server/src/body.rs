//! The body of a response on its way to the client.

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use crate::body_faults::{BodyFaults, HowItEnds, Pace};
use crate::content::{Content, READ_SIZE, Segment};
use crate::flush_gate::FlushGate;
use crate::hang_up::HangUp;
use crate::pool::BufferPool;

/// Sends a content, faults included.
pub(crate) struct ResponseBody {
    reader: ContentReader,
    sent: u64,
    length: u64,
    /// Boxed, since it is seldom there.
    faults: Option<Box<Departing>>,
}

/// What goes wrong with a body on its way out.
struct Departing {
    faults: BodyFaults,
    gate: FlushGate,
    hang_up: HangUp,
    pace: Option<Pace>,
    pause: Option<Pin<Box<Sleep>>>,
    /// What was read, but is not due yet.
    rest: Bytes,
}

impl ResponseBody {
    pub(crate) fn new(content: Content, pool: BufferPool) -> Self {
        let length = content.length();
        Self {
            reader: ContentReader::new(content, pool),
            sent: 0,
            length,
            faults: None,
        }
    }

    /// Meets `faults`. An ending strikes once the bytes before it have left through the
    /// connection behind `gate`, and ends that by `hang_up`.
    pub(crate) fn with_faults(
        mut self,
        faults: BodyFaults,
        gate: FlushGate,
        hang_up: HangUp,
    ) -> Self {
        self.faults = (faults != BodyFaults::default()).then(|| {
            Box::new(Departing {
                faults,
                gate,
                hang_up,
                pace: faults.pace(),
                pause: None,
                rest: Bytes::new(),
            })
        });
        self
    }
}

impl Departing {
    /// The bytes behind the first `sent` ones.
    fn poll_chunk(
        &mut self,
        reader: &mut ContentReader,
        sent: u64,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Bytes>>> {
        let ending = self.faults.ending;
        if let Some(ending) = ending
            && sent >= ending.after
        {
            if ending.how == HowItEnds::Stall {
                return Poll::Pending;
            }
            ready!(self.gate.poll_flushed(context));
            if ending.how == HowItEnds::Reset {
                self.hang_up.reset();
            }
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if let Some(pace) = &self.pace {
            let due = pace.due(sent);
            let pause = self
                .pause
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if self.rest.is_empty() {
            match ready!(reader.poll_chunk(context)?) {
                Some(chunk) => self.rest = self.faults.flip(sent, chunk),
                None => return Poll::Ready(Ok(None)),
            }
        }
        let wanted = ending
            .map(|ending| ending.after - sent)
            .into_iter()
            .chain(self.pace.as_ref().map(Pace::step))
            .min()
            .and_then(|wanted| usize::try_from(wanted).ok())
            .unwrap_or(usize::MAX);
        let chunk = self.rest.split_to(wanted.min(self.rest.len()));
        Poll::Ready(Ok(Some(chunk)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self {
            reader,
            sent,
            faults,
            ..
        } = &mut *self;
        let chunk = match faults {
            None => ready!(reader.poll_chunk(context)?),
            Some(faults) => ready!(faults.poll_chunk(reader, *sent, context)?),
        };
        *sent += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length - self.sent)
    }
}

/// Yields the bytes of a content chunk by chunk: those in memory as they are, those in
/// files read into pooled buffers.
struct ContentReader {
    content: Content,
    pool: BufferPool,
    next_segment: usize,
    open: Option<OpenSegment>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

/// A file segment that is being read.
struct OpenSegment {
    file: Arc<File>,
    unread: Range<u64>,
}

impl OpenSegment {
    /// Reads the next bytes, or says that there are none.
    fn read(&mut self, pool: &BufferPool) -> Option<JoinHandle<io::Result<Bytes>>> {
        let offset = self.unread.start;
        let size = READ_SIZE.min(self.unread.end - offset);
        if size == 0 {
            return None;
        }
        self.unread.start += size;
        let (file, pool) = (Arc::clone(&self.file), pool.clone());
        Some(tokio::task::spawn_blocking(move || {
            let mut buffer = pool.take_filled(usize::try_from(size).unwrap_or_default());
            file.read_exact_at(&mut buffer, offset)?;
            Ok(pool.share(buffer))
        }))
    }
}

impl ContentReader {
    fn new(content: Content, pool: BufferPool) -> Self {
        Self {
            content,
            pool,
            next_segment: 0,
            open: None,
            reading: None,
        }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let chunk = ready!(Pin::new(reading).poll(context));
                self.reading = None;
                return Poll::Ready(chunk.map_err(io::Error::other)?.map(Some));
            }
            if let Some(open) = &mut self.open {
                self.reading = open.read(&self.pool);
                if self.reading.is_some() {
                    continue;
                }
                self.open = None;
            }
            let Some(segment) = self.content.segments().get(self.next_segment) else {
                return Poll::Ready(Ok(None));
            };
            self.next_segment += 1;
            match segment {
                Segment::Memory(bytes) => return Poll::Ready(Ok(Some(bytes.clone()))),
                Segment::File {
                    file,
                    offset,
                    length,
                } => {
                    self.open = Some(OpenSegment {
                        file: Arc::new(file.open()?),
                        unread: *offset..offset + length,
                    });
                }
            }
        }
    }
}
