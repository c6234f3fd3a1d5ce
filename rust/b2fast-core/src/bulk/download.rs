//! Small files received in one request each.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cancel::CancelToken;
use crate::download::{Anchor, Authorizer, Download, SaveOptions};
use crate::engine::Engine;
use crate::error::Result;
use crate::hash;
use crate::progress::Progress;
use crate::retry::RetryPolicy;
use crate::upload::Header;

use super::Work;

const NS_PER_MS: i64 = 1_000_000;

/// Headers without which an answer is not one of B2.
const HEADERS_OF_B2: [&str; 4] = [
    "x-bz-file-id",
    "x-bz-file-name",
    "x-bz-content-sha1",
    "x-bz-upload-timestamp",
];

/// One file to fetch.
pub struct DownloadJob {
    /// Names it, by name or ID.
    pub url: String,
    /// Headers beside those that the download sets.
    pub headers: Vec<Header>,
    /// Where it goes; see [`SaveOptions`].
    pub path: PathBuf,
    /// The directory that it stays below, whose directories are made. None for a path anywhere.
    pub anchor: Option<Arc<Anchor>>,
}

/// What came of a job.
pub enum Received {
    /// The file is in its place; the headers of the answer, names in lower case, and its bytes.
    Saved(Vec<Header>, u64),
    /// The download is open, and nothing was written: it is large, or not as B2's are.
    Unsuitable(Box<Download>),
}

/// Fetches files for one account.
pub struct Downloads {
    engine: Engine,
    token: Arc<Token>,
    retry: RetryPolicy,
    verify: bool,
    url_of_ids: String,
}

impl Downloads {
    /// `url_of_ids` followed by a file ID is the URL of that version. With `verify` the SHA-1 that
    /// B2 tells must be that of the content.
    #[must_use]
    pub fn new(
        engine: Engine,
        authorize: Authorizer,
        retry: RetryPolicy,
        verify: bool,
        url_of_ids: String,
    ) -> Self {
        Self {
            engine,
            token: Arc::new(Token {
                authorize,
                known: Mutex::new(None),
            }),
            retry,
            verify,
            url_of_ids,
        }
    }
}

impl Work for Downloads {
    type Job = DownloadJob;
    type Output = Received;

    fn run(&self, job: DownloadJob, cancel: &CancelToken) -> Result<Received> {
        let token = Arc::clone(&self.token);
        let mut download = Download::open(
            &self.engine,
            &job.url,
            job.headers,
            Box::new(move |refused| token.get(refused)),
            None,
            self.retry,
            cancel,
        )?;
        let headers = download.headers().to_vec();
        let Some(modified_ms) = modified_ms(&headers) else {
            return Ok(Received::Unsuitable(Box::new(download)));
        };
        let length = download.length();
        if length > self.engine.first_stretch() {
            return Ok(Received::Unsuitable(Box::new(download)));
        }
        if let Some(id) = value(&headers, "x-bz-file-id") {
            download.continue_at(format!("{}{id}", self.url_of_ids));
        }
        let place = match &job.anchor {
            Some(anchor) => anchor.place(&job.path)?,
            None => job.path.into(),
        };
        let options = SaveOptions {
            place,
            sha1: sha1_of(&headers)
                .filter(|_| self.verify)
                .and_then(hash::parse_hex),
            streams: 1,
            // None for a time that no file system has.
            mtime_ns: modified_ms.checked_mul(NS_PER_MS),
            progress: Arc::new(Progress::default()),
        };
        download.save(options, cancel)?;
        Ok(Received::Saved(headers, length))
    }
}

/// The token of the account, which all downloads share.
struct Token {
    authorize: Authorizer,
    known: Mutex<Option<String>>,
}

impl Token {
    /// The token, and another one than the refused.
    fn get(&self, refused: Option<&str>) -> Result<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(token) if Some(token.as_str()) != refused => Ok(token.clone()),
            _ => Ok(known.insert((self.authorize)(refused)?).clone()),
        }
    }
}

fn value<'a>(headers: &'a [Header], wanted: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.as_str())
}

/// The modification time in milliseconds since 1970, if the answer is a plain one of B2.
fn modified_ms(headers: &[Header]) -> Option<i64> {
    let is_of_b2 = HEADERS_OF_B2
        .iter()
        .all(|name| value(headers, name).is_some());
    if !is_of_b2 {
        return None;
    }
    value(headers, "x-bz-info-src_last_modified_millis")
        .or_else(|| value(headers, "x-bz-upload-timestamp"))?
        .parse()
        .ok()
}

/// The SHA-1 of the content in hex, whoever told it; B2 does not know that of a large file.
fn sha1_of(headers: &[Header]) -> Option<&str> {
    match value(headers, "x-bz-content-sha1") {
        Some("none") | None => value(headers, "x-bz-info-large_file_sha1"),
        Some(sha1) => Some(sha1.trim_start_matches("unverified:")),
    }
}

// Headers may hold a customer's key.
impl fmt::Debug for DownloadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadJob").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(more: &[(&str, &str)]) -> Vec<Header> {
        [
            ("x-bz-file-id", "4_z"),
            ("x-bz-file-name", "name"),
            ("x-bz-content-sha1", "none"),
            ("x-bz-upload-timestamp", "1700000000000"),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
    }

    #[test]
    fn the_time_is_that_of_the_source_or_of_the_upload() {
        assert_eq!(modified_ms(&headers(&[])), Some(1_700_000_000_000));
        let told = [("x-bz-info-src_last_modified_millis", "5")];
        assert_eq!(modified_ms(&headers(&told)), Some(5));
    }

    #[test]
    fn what_needs_more_than_saving_is_not_suitable() {
        let nonsense = [("x-bz-info-src_last_modified_millis", "yesterday")];
        assert_eq!(modified_ms(&headers(&nonsense)), None);
        assert_eq!(modified_ms(&headers(&[])[1..]), None);
    }

    #[test]
    fn a_large_file_has_its_sha1_in_the_file_info() {
        assert_eq!(sha1_of(&headers(&[])), None);
        let told = [("x-bz-info-large_file_sha1", "ab")];
        assert_eq!(sha1_of(&headers(&told)), Some("ab"));
        let known = [("x-bz-content-sha1".to_owned(), "unverified:cd".to_owned())];
        assert_eq!(sha1_of(&known), Some("cd"));
    }

    #[test]
    fn a_token_is_asked_for_once_and_replaced_when_it_is_refused() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let token = Token {
            authorize: Box::new(move |refused| {
                let mut log = log.lock().unwrap();
                log.push(refused.map(str::to_owned));
                Ok(format!("token {}", log.len()))
            }),
            known: Mutex::new(None),
        };
        assert_eq!(token.get(None).unwrap(), "token 1");
        assert_eq!(token.get(None).unwrap(), "token 1");
        assert_eq!(token.get(Some("token 1")).unwrap(), "token 2");
        assert_eq!(token.get(Some("token 1")).unwrap(), "token 2");
        assert_eq!(*asked.lock().unwrap(), [None, Some("token 1".into())]);
    }
}
