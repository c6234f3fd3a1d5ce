//! Receiving a file: the first answer, its continuation after a break, and saving it.
//!
//! The first request asks for one stretch, not for the whole file: a client that asks for
//! everything and then reads a part of it has to throw its connection away, with all that
//! the server has sent meanwhile.

mod anchor;
mod front;
mod journal;
mod partial;
mod place;
mod range_reader;
mod save;
mod target;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cancel::CancelToken;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::retry::RetryPolicy;
use crate::transport::Response;
use crate::upload::Header;

pub use anchor::Anchor;
pub use partial::{TEMPORARY_SUFFIXES, create_beside};
pub use place::Place;
use range_reader::{Opened, RangeReader};
pub use save::SaveOptions;

/// How many bytes the first request asks for unless the engine says otherwise, and the most
/// that one stream runs ahead of the front with ten streams and the default budget.
pub const FIRST_STRETCH: u64 = 4 << 20;

/// Gives the token of the account; the argument is one that was refused.
pub type Authorizer = Box<dyn Fn(Option<&str>) -> Result<String> + Send + Sync>;

/// What every request for one file needs.
pub(crate) struct Remote {
    engine: Engine,
    headers: Vec<Header>,
    authorize: Authorizer,
    token: Mutex<Option<String>>,
    retry: RetryPolicy,
}

impl Remote {
    /// The token that worked last.
    fn token(&self) -> Result<String> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        match &*token {
            Some(known) => Ok(known.clone()),
            None => Ok(token.insert((self.authorize)(None)?).clone()),
        }
    }

    /// A newer token than the refused one.
    fn token_after(&self, refused: &str) -> Result<()> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if token.as_deref() == Some(refused) {
            *token = Some((self.authorize)(Some(refused))?);
        }
        Ok(())
    }
}

/// A download whose first answer has arrived.
pub struct Download {
    remote: Arc<Remote>,
    first: RangeReader,
    status: u16,
    headers: Vec<Header>,
    start: u64,
    end: u64,
}

impl Download {
    /// Ask for a file, or for the bytes `start..=last` of it.
    ///
    /// `url` names the file by name or ID. Retries what may pass; an error answer is
    /// `Error::Service`.
    pub fn open(
        engine: &Engine,
        url: &str,
        headers: Vec<Header>,
        authorize: Authorizer,
        range: Option<(u64, Option<u64>)>,
        retry: RetryPolicy,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let remote = Arc::new(Remote {
            engine: engine.clone(),
            headers,
            authorize,
            token: Mutex::new(None),
            retry,
        });
        let (start, last) = range.unwrap_or((0, None));
        if last.is_some_and(|last| last < start) {
            return Err(Error::InvalidArgument(
                "a range whose end is before its start".into(),
            ));
        }
        let end = last.map_or(u64::MAX, |last| last.saturating_add(1));
        let stretch_end = end.min(start.saturating_add(engine.first_stretch()));
        let opened = match range_reader::open(&remote, url, Some((start, stretch_end)), cancel) {
            // An empty file has no byte that a range could name.
            Err(Error::Service(answer)) if answer.status == 416 && range.is_none() => {
                range_reader::open(&remote, url, None, cancel)?
            }
            opened => opened?,
        };
        Self::new(remote, url, opened, start, end, range.is_some())
    }

    fn new(
        remote: Arc<Remote>,
        url: &str,
        opened: Opened,
        start: u64,
        wanted_end: u64,
        is_range: bool,
    ) -> Result<Self> {
        let end = wanted_end.min(opened.total);
        if opened.start != start || start > end {
            return Err(Error::Protocol(format!(
                "bytes from {} on of {} were sent, {start} on were asked for",
                opened.start, opened.total
            )));
        }
        let headers = headers_of_whole(&opened.response, start, end, opened.total, is_range);
        Ok(Self {
            status: if is_range { 206 } else { 200 },
            headers,
            start,
            end,
            first: RangeReader::continued(Arc::clone(&remote), url.to_owned(), opened, end),
            remote,
        })
    }

    /// The status of an answer to the whole request.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers of an answer to the whole request; names in lower case.
    #[must_use]
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// How many bytes the whole request gives.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.end - self.start
    }

    /// Further requests go to this URL, which names this version of the file by its ID.
    ///
    /// Without it they go where the first one went; when a name gets a new version
    /// meanwhile, that ends the download with an error.
    pub fn continue_at(&mut self, url: String) {
        self.first.continue_at(url);
    }

    /// Read on, in order; 0 at the end. A connection that breaks is replaced.
    pub fn read(&mut self, buffer: &mut [u8], cancel: &CancelToken) -> Result<usize> {
        self.first.read(buffer, cancel)
    }

    /// Save everything that was not read yet to a file: see [`SaveOptions`].
    pub fn save(self, options: SaveOptions, cancel: &CancelToken) -> Result<()> {
        save::save(self, options, cancel)
    }
}

/// The answer's headers, as if it were the answer to the whole request.
fn headers_of_whole(
    response: &Response,
    start: u64,
    end: u64,
    total: u64,
    is_range: bool,
) -> Vec<Header> {
    let mut headers: Vec<Header> = response
        .headers
        .iter()
        .filter(|(name, _)| name != "content-length" && name != "content-range")
        .cloned()
        .collect();
    headers.push(("content-length".into(), (end - start).to_string()));
    if is_range {
        let last = end.saturating_sub(1);
        headers.push((
            "content-range".into(),
            format!("bytes {start}-{last}/{total}"),
        ));
    }
    headers
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("status", &self.status)
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
