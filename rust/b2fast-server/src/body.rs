//! The body of a response on its way to the client.

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::content::{Content, READ_SIZE, Segment};
use crate::faults::FlushGate;
use crate::pool::BufferPool;

/// Sends a content, faults included.
pub(crate) struct ResponseBody {
    reader: ContentReader,
    sent: u64,
    length: u64,
    cut: Option<(u64, FlushGate)>,
    flip_at: Option<u64>,
}

impl ResponseBody {
    pub(crate) fn new(content: Content, pool: BufferPool, flip_at: Option<u64>) -> Self {
        let length = content.length();
        Self {
            reader: ContentReader::new(content, pool),
            sent: 0,
            length,
            cut: None,
            flip_at,
        }
    }

    /// Fails after `after` bytes, once they have left through the connection behind `gate`.
    pub(crate) fn cut(mut self, after: u64, gate: FlushGate) -> Self {
        self.cut = Some((after, gate));
        self
    }

    fn flip(&self, chunk: Bytes) -> Bytes {
        let index = self
            .flip_at
            .and_then(|offset| offset.checked_sub(self.sent))
            .and_then(|offset| usize::try_from(offset).ok())
            .filter(|index| *index < chunk.len());
        let Some(index) = index else { return chunk };
        let mut copy = BytesMut::from(&chunk[..]);
        copy[index] = !copy[index];
        copy.freeze()
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some((after, gate)) = &self.cut
            && self.sent >= *after
        {
            ready!(gate.poll_flushed(context));
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        let Some(mut chunk) = ready!(self.reader.poll_chunk(context)?) else {
            return Poll::Ready(None);
        };
        if let Some((after, _)) = &self.cut {
            let left = usize::try_from(after - self.sent).unwrap_or(usize::MAX);
            chunk.truncate(left);
        }
        let chunk = self.flip(chunk);
        self.sent += chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
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
