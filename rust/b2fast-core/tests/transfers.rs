//! Uploads and downloads against a small B2 in memory.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use b2fast_core::buffers::CHUNK;
use b2fast_core::cancel::{CancelToken, Scope};
use b2fast_core::download::{Download, FIRST_STRETCH, SaveOptions};
use b2fast_core::engine::Engine;
use b2fast_core::error::{Error, Result};
use b2fast_core::file_io::SourceFile;
use b2fast_core::hash::{self, Digest};
use b2fast_core::lease::{Lease, Leases};
use b2fast_core::plan::plan_parts;
use b2fast_core::progress::Progress;
use b2fast_core::retry::RetryPolicy;
use b2fast_core::source::Source;
use b2fast_core::transport::faulty::{Fault, Faulty};
use b2fast_core::transport::memory::{Answer, MemoryTransport, RecordedRequest};
use b2fast_core::upload::{PartPiece, PartsJob, Piece, Upload, upload_parts};

const RETRY: RetryPolicy = RetryPolicy {
    attempts: 8,
    first_delay: Duration::ZERO,
    factor: 1.0,
    max_delay: Duration::ZERO,
    deadline: None,
};

fn content(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(length as u64);
    (0..length).map(|_| random.u8(..)).collect()
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body =
        format!(r#"{{"status":{status},"code":"{code}","message":"{message}","extra":null}}"#);
    Answer::new(status, body)
}

/// Stores uploads by file name or part number and refuses the first `refusals`.
#[derive(Default)]
struct Store {
    stored: Mutex<HashMap<String, Vec<u8>>>,
    refusals: Mutex<Vec<Answer>>,
    requests: AtomicUsize,
}

impl Store {
    fn receive(&self, request: &RecordedRequest, mut body: Vec<u8>) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(answer) = self.refusals.lock().unwrap().pop() {
            return answer;
        }
        let mut sha1 = request.header("x-bz-content-sha1").unwrap().to_owned();
        if sha1 == "hex_digits_at_end" {
            sha1 = String::from_utf8(body.split_off(body.len() - 40)).unwrap();
        }
        if sha1 != hash::to_hex(&hash::sha1(&body)) {
            return refusal(400, "bad_request", "Sha1 did not match data received");
        }
        let key = request
            .header("x-bz-part-number")
            .or(request.header("x-bz-file-name"))
            .unwrap();
        let length = body.len();
        self.stored.lock().unwrap().insert(key.to_owned(), body);
        Answer::new(
            200,
            format!(r#"{{"fileId":"1","contentLength":{length},"contentSha1":"{sha1}"}}"#),
        )
    }
}

fn engine_of(
    handler: impl Fn(&RecordedRequest, Vec<u8>) -> Answer + Send + Sync + 'static,
) -> Engine {
    Engine::new(Box::new(MemoryTransport::new(handler)), 4, 8 << 20)
}

fn counted_leases() -> (Arc<Leases>, Arc<AtomicU32>) {
    let issued = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&issued);
    let leases = Leases::new(Box::new(move || {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        Ok(Lease::new(
            format!("http://pod/{number}"),
            format!("token {number}"),
        ))
    }));
    (Arc::new(leases), issued)
}

struct Uploads {
    store: Arc<Store>,
    engine: Engine,
    leases: Arc<Leases>,
    issued: Arc<AtomicU32>,
    progress: Progress,
}

impl Uploads {
    fn new(mut refusals: Vec<Answer>) -> Self {
        refusals.reverse();
        let store = Arc::new(Store {
            refusals: Mutex::new(refusals),
            ..Store::default()
        });
        let receiver = Arc::clone(&store);
        let engine = engine_of(move |request, body| receiver.receive(request, body));
        let (leases, issued) = counted_leases();
        Self {
            store,
            engine,
            leases,
            issued,
            progress: Progress::default(),
        }
    }

    fn send(&self, source: &Source, sha1: Option<Digest>) -> Result<Vec<u8>> {
        Upload {
            source,
            leases: &self.leases,
            headers: &[("X-Bz-File-Name".into(), "file".into())],
            retry: RETRY,
            progress: &self.progress,
        }
        .send_file(&self.engine, sha1, &CancelToken::new())
    }

    fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.store.stored.lock().unwrap().get(key).cloned()
    }
}

fn in_memory(bytes: &[u8]) -> Source {
    Source::Memory(Box::new(bytes.to_vec()))
}

#[test]
fn a_file_is_hashed_while_it_is_sent_or_before() {
    for length in [0, 1, 40, 65_536, 3_000_000] {
        let bytes = content(length);
        for sha1 in [None, Some(hash::sha1(&bytes))] {
            let uploads = Uploads::new(vec![]);
            uploads.send(&in_memory(&bytes), sha1).unwrap();
            assert_eq!(uploads.stored("file").unwrap(), bytes);
            assert_eq!(uploads.progress.bytes(), length as u64);
        }
    }
}

#[test]
fn five_refusals_take_five_new_upload_urls() {
    let uploads = Uploads::new(vec![refusal(503, "service_unavailable", "no tomes"); 5]);
    let bytes = content(100_000);
    uploads.send(&in_memory(&bytes), None).unwrap();
    assert_eq!(uploads.stored("file").unwrap(), bytes);
    assert_eq!(uploads.issued.load(Ordering::Relaxed), 6);
    assert_eq!(uploads.progress.bytes(), 100_000);
    // The one that worked is used again.
    uploads.send(&in_memory(&bytes), None).unwrap();
    assert_eq!(uploads.issued.load(Ordering::Relaxed), 6);
}

#[test]
fn refusals_without_end_are_given_up() {
    let uploads = Uploads::new(vec![refusal(503, "service_unavailable", "busy"); 100]);
    let error = uploads.send(&in_memory(b"x"), None).unwrap_err();
    assert!(matches!(error, Error::RetriesExhausted { attempts: 8, .. }));
    assert_eq!(uploads.store.requests.load(Ordering::Relaxed), 8);
}

#[test]
fn a_refused_token_is_replaced_but_not_for_ever() {
    let expired = refusal(401, "expired_auth_token", "");
    let uploads = Uploads::new(vec![expired.clone(); 2]);
    uploads.send(&in_memory(b"x"), None).unwrap();
    let uploads = Uploads::new(vec![expired; 100]);
    let error = uploads.send(&in_memory(b"x"), None).unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.status == 401));
    assert_eq!(uploads.store.requests.load(Ordering::Relaxed), 4);
}

#[test]
fn what_cannot_pass_is_not_tried_again() {
    let uploads = Uploads::new(vec![refusal(403, "storage_cap_exceeded", "full")]);
    let error = uploads.send(&in_memory(b"x"), None).unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.code == "storage_cap_exceeded"));
    assert_eq!(uploads.store.requests.load(Ordering::Relaxed), 1);
}

#[test]
fn a_wrong_digest_never_becomes_a_file() {
    let uploads = Uploads::new(vec![]);
    let error = uploads
        .send(&in_memory(b"content"), Some(hash::sha1(b"other")))
        .unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.status == 400));
    assert_eq!(uploads.stored("file"), None);
}

#[test]
fn a_file_that_changes_between_hashing_and_sending_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content(500_000)).unwrap();
    let source = SourceFile::open(file.path()).unwrap();
    let digest = hash::sha1(&content(500_000));
    fs::write(file.path(), content(500_001)).unwrap();
    let error = Uploads::new(vec![])
        .send(&Source::File(source), Some(digest))
        .unwrap_err();
    assert!(matches!(error, Error::SourceChanged { .. }), "{error:?}");
}

fn send_parts(uploads: &Uploads, source: Source, lengths: &[u64]) -> Result<Vec<Digest>> {
    let mut offset = 0;
    let parts = (1..)
        .zip(lengths)
        .map(|(number, &length)| {
            let piece = Piece {
                offset,
                length,
                sha1: None,
            };
            offset += length;
            PartPiece { number, piece }
        })
        .collect();
    let job = PartsJob {
        source: Arc::new(source),
        leases: Arc::clone(&uploads.leases),
        headers: vec![],
        parts,
        retry: RETRY,
        workers: 3,
        progress: Arc::default(),
    };
    upload_parts(&uploads.engine, job, &CancelToken::new())
}

#[test]
fn an_upload_that_gets_further_each_time_is_not_given_up() {
    let bytes = content(500_000);
    let store = Arc::new(Store::default());
    let server = MemoryTransport::new(move |request, body| store.receive(request, body));
    let cuts = (0..6).map(|number| (number, Fault::CutRequest(70_000 * (number as u64 + 1))));
    let engine = Engine::new(Box::new(Faulty::scripted(server, cuts)), 1, 0);
    let progress = Progress::default();
    let upload = Upload {
        source: &in_memory(&bytes),
        leases: &counted_leases().0,
        headers: &[("X-Bz-File-Name".into(), "file".into())],
        retry: RetryPolicy {
            attempts: 2,
            ..RETRY
        },
        progress: &progress,
    };
    upload
        .send_file(&engine, None, &CancelToken::new())
        .unwrap();
    assert_eq!(progress.bytes(), 500_000);
}

#[test]
fn a_token_that_the_service_quotes_is_not_shown() {
    let message = "more than one upload using auth token token 3";
    let uploads = Uploads::new(vec![refusal(400, "bad_request", message); 100]);
    let error = uploads.send(&in_memory(b"x"), None).unwrap_err();
    assert!(
        error.to_string().contains("more than one upload"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("token 3"), "{error}");
}

#[test]
fn a_cancelled_upload_asks_for_no_upload_url() {
    let uploads = Uploads::new(vec![]);
    let cancel = CancelToken::new();
    cancel.cancel();
    let upload = Upload {
        source: &in_memory(b"x"),
        leases: &uploads.leases,
        headers: &[],
        retry: RETRY,
        progress: &uploads.progress,
    };
    let error = upload
        .send_file(&uploads.engine, None, &cancel)
        .unwrap_err();
    assert!(matches!(error, Error::Cancelled));
    assert_eq!(uploads.issued.load(Ordering::Relaxed), 0);
}

#[test]
fn parts_beyond_the_end_are_refused_before_anything_is_sent() {
    for lengths in [&[60, 41][..], &[u64::MAX], &[100, u64::MAX - 100]] {
        let uploads = Uploads::new(vec![]);
        let error = send_parts(&uploads, in_memory(&content(100)), lengths).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
        assert_eq!(uploads.stored(&lengths.len().to_string()), None);
    }
}

#[test]
fn parts_arrive_whole_whatever_is_refused() {
    let bytes = content(2_500_000);
    let lengths: Vec<u64> = plan_parts(2_500_000, 200_000, 100_000)
        .unwrap()
        .iter()
        .map(|part| part.length)
        .collect();
    let refusals = vec![
        refusal(503, "service_unavailable", ""),
        refusal(
            400,
            "auth_token_limit",
            "more than one upload using auth token x",
        ),
        refusal(429, "too_many_requests", ""),
        refusal(408, "request_timeout", ""),
    ];
    let uploads = Uploads::new(refusals);
    let digests = send_parts(&uploads, in_memory(&bytes), &lengths).unwrap();
    assert_eq!(digests.len(), lengths.len());
    let mut joined = Vec::new();
    for (number, digest) in (1..).zip(&digests) {
        let part = uploads.stored(&number.to_string()).unwrap();
        assert_eq!(hash::sha1(&part), *digest);
        joined.extend(part);
    }
    assert_eq!(joined, bytes);
}

#[test]
fn one_failed_part_ends_the_others() {
    let uploads = Uploads::new(vec![refusal(403, "cap_exceeded", ""); 100]);
    let error = send_parts(&uploads, in_memory(&content(1000)), &[100; 10]).unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.status == 403));
}

/// What a download server does with one request, before it answers properly.
type Trick = Box<dyn Fn(usize, &RecordedRequest, &mut Answer) + Send + Sync>;

struct Downloads {
    engine: Engine,
    requests: Arc<AtomicUsize>,
    directory: tempfile::TempDir,
    bytes: Vec<u8>,
}

fn serve(bytes: &[u8], request: &RecordedRequest) -> Answer {
    let total = bytes.len();
    let mut answer = match request.header("range") {
        None => Answer::new(200, bytes),
        Some(range) => {
            let (first, last) = range
                .strip_prefix("bytes=")
                .and_then(|range| range.split_once('-'))
                .unwrap();
            let first: usize = first.parse().unwrap();
            let end = last.parse::<usize>().unwrap().saturating_add(1).min(total);
            if first >= total {
                return refusal(416, "range_not_satisfiable", "");
            }
            let mut answer = Answer::new(206, &bytes[first..end]);
            answer.headers.push((
                "content-range".into(),
                format!("bytes {first}-{}/{total}", end - 1),
            ));
            answer
        }
    };
    answer.headers.push(("x-bz-file-id".into(), "id".into()));
    answer
}

impl Downloads {
    fn new(length: usize, trick: Trick) -> Self {
        let bytes = content(length);
        let requests = Arc::new(AtomicUsize::new(0));
        let (served, counter) = (bytes.clone(), Arc::clone(&requests));
        let engine = engine_of(move |request, _| {
            let number = counter.fetch_add(1, Ordering::Relaxed);
            let mut answer = serve(&served, request);
            trick(number, request, &mut answer);
            answer
        });
        Self {
            engine,
            requests,
            directory: tempfile::tempdir().unwrap(),
            bytes,
        }
    }

    fn plain(length: usize) -> Self {
        Self::new(length, Box::new(|_, _, _| ()))
    }

    fn open(&self, range: Option<(u64, Option<u64>)>) -> Result<Download> {
        Download::open(
            &self.engine,
            "http://host/file/bucket/name",
            vec![],
            Box::new(|refused| Ok(format!("after {}", refused.unwrap_or("nothing")))),
            range,
            RETRY,
            &CancelToken::new(),
        )
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("target")
    }

    fn save(&self, streams: usize, sha1: Option<Digest>) -> Result<()> {
        self.save_range(streams, sha1, None)
    }

    fn save_range(
        &self,
        streams: usize,
        sha1: Option<Digest>,
        range: Option<(u64, Option<u64>)>,
    ) -> Result<()> {
        let options = SaveOptions {
            place: self.path().into(),
            sha1,
            streams,
            mtime_ns: Some(1_234_567_891_234_567_890),
            progress: Arc::default(),
        };
        let progress = Arc::clone(&options.progress);
        let mut download = self.open(range)?;
        download.continue_at("http://host/by_id".into());
        let length = download.length();
        download.save(options, &CancelToken::new())?;
        assert_eq!(progress.bytes(), length);
        Ok(())
    }

    fn digest(&self) -> Digest {
        hash::sha1(&self.bytes)
    }

    /// Damage what an interrupted download left.
    fn damage(&self, offset: usize) {
        let path = self.directory.path().join(PART);
        let mut bytes = fs::read(&path).unwrap();
        bytes[offset] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    /// The old file is there and nothing else.
    fn assert_untouched(&self, old: &[u8]) {
        assert_eq!(fs::read(self.path()).unwrap(), old);
        assert_eq!(names(self.directory.path()), ["target"]);
    }
}

const PART: &str = ".target.b2fast-part";
const JOURNAL: &str = ".target.b2fast-journal";

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_size_arrives_whole() {
    let stretch = usize::try_from(FIRST_STRETCH).unwrap();
    for length in [
        0,
        1,
        stretch - 1,
        stretch,
        stretch + 1,
        5 * stretch,
        7 * stretch + 12_345,
    ] {
        for streams in [1, 4, 9] {
            let downloads = Downloads::plain(length);
            downloads.save(streams, Some(downloads.digest())).unwrap();
            let found = fs::read(downloads.path()).unwrap();
            assert!(
                found == downloads.bytes,
                "{length} bytes, {streams} streams"
            );
            assert_eq!(names(downloads.directory.path()), ["target"]);
        }
    }
}

#[test]
fn reading_goes_on_behind_the_first_stretch() {
    let stretch = usize::try_from(FIRST_STRETCH).unwrap();
    for length in [0, 1, stretch, stretch + 1, 3 * stretch + 7] {
        let downloads = Downloads::plain(length);
        let mut download = downloads.open(None).unwrap();
        let (mut read, mut buffer) = (Vec::new(), vec![0; 100_000]);
        loop {
            match download.read(&mut buffer, &CancelToken::new()).unwrap() {
                0 => break,
                count => read.extend_from_slice(&buffer[..count]),
            }
        }
        assert!(read == downloads.bytes, "{length} bytes");
    }
}

#[test]
fn reading_nothing_asks_for_nothing() {
    let downloads = Downloads::new(
        5_000_000,
        Box::new(|number, _, answer| {
            if number > 0 {
                *answer = refusal(403, "access_denied", "");
            }
        }),
    );
    let mut download = downloads.open(None).unwrap();
    let count = download.read(&mut [], &CancelToken::new()).unwrap();
    assert_eq!(count, 0);
    assert_eq!(downloads.requests.load(Ordering::Relaxed), 1);
}

#[test]
fn ranges_are_clamped_to_the_file() {
    let downloads = Downloads::plain(20_000_000);
    for (range, expected) in [
        ((5, Some(4_999_999)), 5..5_000_000),
        ((0, Some(0)), 0..1),
        ((19_999_999, Some(99_999_999)), 19_999_999..20_000_000),
        ((3, None), 3..20_000_000),
    ] {
        let part = &downloads.bytes[expected];
        downloads
            .save_range(3, Some(hash::sha1(part)), Some(range))
            .unwrap();
        assert!(fs::read(downloads.path()).unwrap() == part, "{range:?}");
        assert_eq!(
            downloads.open(Some(range)).unwrap().length(),
            part.len() as u64
        );
    }
    let error = downloads.open(Some((20_000_000, None))).unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.status == 416));
}

#[test]
fn the_head_is_that_of_the_whole_answer() {
    let downloads = Downloads::plain(9_000_000);
    let header = |download: &Download, wanted: &str| {
        download
            .headers()
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let whole = downloads.open(None).unwrap();
    assert_eq!(whole.status(), 200);
    assert_eq!(header(&whole, "content-length").unwrap(), "9000000");
    assert_eq!(header(&whole, "content-range"), None);
    let part = downloads.open(Some((10, Some(8_999_999_999)))).unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(
        header(&part, "content-range").unwrap(),
        "bytes 10-8999999/9000000"
    );
}

#[test]
fn broken_connections_are_continued_where_they_broke() {
    for streams in [1, 4] {
        let downloads = Downloads::new(
            30_000_000,
            Box::new(|number, _, answer| {
                if number % 3 != 2 {
                    // The announced length stays.
                    let length = answer.body.len().to_string();
                    answer.headers.push(("content-length".into(), length));
                    answer.body.truncate(answer.body.len() / 2);
                }
            }),
        );
        downloads.save(streams, Some(downloads.digest())).unwrap();
        assert!(fs::read(downloads.path()).unwrap() == downloads.bytes);
        let requests = downloads.requests.load(Ordering::Relaxed);
        assert!(requests >= 3, "{requests}");
    }
}

#[test]
fn a_flipped_byte_leaves_the_old_file() {
    for streams in [1, 4] {
        let downloads = Downloads::new(
            10_000_000,
            Box::new(|_, request, answer| {
                if request
                    .header("range")
                    .is_none_or(|range| !range.starts_with("bytes=0-"))
                {
                    answer.body[17] ^= 1;
                }
            }),
        );
        fs::write(downloads.path(), b"old").unwrap();
        let error = downloads
            .save(streams, Some(downloads.digest()))
            .unwrap_err();
        assert!(matches!(error, Error::ChecksumMismatch { .. }));
        downloads.assert_untouched(b"old");
    }
}

#[test]
fn another_version_is_never_mixed_in() {
    let downloads = Downloads::new(
        10_000_000,
        Box::new(|number, _, answer| {
            if number > 0 {
                answer.headers.retain(|(name, _)| name != "x-bz-file-id");
                answer.headers.push(("x-bz-file-id".into(), "newer".into()));
            }
        }),
    );
    fs::write(downloads.path(), b"old").unwrap();
    let error = downloads.save(4, None).unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.code == "file_changed"));
    downloads.assert_untouched(b"old");
}

#[test]
fn a_server_that_refuses_for_a_while_or_for_ever() {
    let refusals: Mutex<HashMap<String, u32>> = Mutex::default();
    let downloads = Downloads::new(
        10_000_000,
        Box::new(move |_, request, answer| {
            let range = request.header("range").unwrap_or_default().to_owned();
            let mut refusals = refusals.lock().unwrap();
            let refused = refusals.entry(range).or_default();
            if *refused < 3 {
                *refused += 1;
                *answer = refusal(503, "service_unavailable", "");
            }
        }),
    );
    downloads.save(4, Some(downloads.digest())).unwrap();
    let downloads = Downloads::new(
        8_000_000,
        Box::new(|number, _, answer| {
            if number > 1 {
                *answer = refusal(500, "internal_error", "");
            }
        }),
    );
    fs::write(downloads.path(), b"old").unwrap();
    let error = downloads.save(4, None).unwrap_err();
    assert!(matches!(error, Error::RetriesExhausted { attempts: 8, .. }));
    downloads.assert_untouched(b"old");
}

#[test]
fn an_expired_token_is_replaced() {
    let downloads = Downloads::new(
        10_000_000,
        Box::new(|_, request, answer| {
            if request.header("authorization") == Some("after nothing") {
                *answer = refusal(401, "expired_auth_token", "");
            }
        }),
    );
    downloads.save(4, Some(downloads.digest())).unwrap();
    let downloads = Downloads::new(
        10,
        Box::new(|_, _, answer| *answer = refusal(401, "bad_auth_token", "")),
    );
    let error = downloads.open(None).unwrap_err();
    assert!(matches!(error, Error::Service(answer) if answer.status == 401));
    assert_eq!(downloads.requests.load(Ordering::Relaxed), 3);
}

#[test]
fn the_time_and_the_permissions_are_kept() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    let downloads = Downloads::plain(100);
    fs::write(downloads.path(), b"old").unwrap();
    fs::set_permissions(downloads.path(), fs::Permissions::from_mode(0o640)).unwrap();
    downloads.save(1, None).unwrap();
    let found = fs::metadata(downloads.path()).unwrap();
    assert_eq!(found.mode() & 0o777, 0o640);
    assert_eq!(
        (found.mtime(), found.mtime_nsec()),
        (1_234_567_891, 234_567_890)
    );

    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("real");
    fs::write(&real, b"old").unwrap();
    fs::remove_file(downloads.path()).unwrap();
    symlink(&real, downloads.path()).unwrap();
    downloads.save(1, None).unwrap();
    assert!(fs::symlink_metadata(downloads.path()).unwrap().is_symlink());
    assert_eq!(fs::read(&real).unwrap(), downloads.bytes);

    // A link that leads nowhere yet names the file to be made.
    fs::remove_file(&real).unwrap();
    downloads.save(1, None).unwrap();
    assert!(fs::symlink_metadata(downloads.path()).unwrap().is_symlink());
    assert_eq!(fs::read(&real).unwrap(), downloads.bytes);

    // What comes over the network does not run as the owner of the old file.
    fs::set_permissions(&real, fs::Permissions::from_mode(0o6755)).unwrap();
    downloads.save(1, None).unwrap();
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn targets_that_cannot_be_written_are_errors_of_the_file() {
    let downloads = Downloads::plain(100);
    fs::create_dir(downloads.path()).unwrap();
    assert!(matches!(
        downloads.save(1, None),
        Err(Error::LocalFile { .. })
    ));
    fs::remove_dir(downloads.path()).unwrap();
    let missing = downloads.directory.path().join("missing/target");
    let options = SaveOptions {
        place: missing.clone().into(),
        sha1: None,
        streams: 1,
        mtime_ns: None,
        progress: Arc::default(),
    };
    let error = downloads
        .open(None)
        .unwrap()
        .save(options, &CancelToken::new())
        .unwrap_err();
    assert!(matches!(error, Error::LocalFile { path, .. } if path == missing));
}

#[test]
fn a_cancelled_download_leaves_the_old_file() {
    for streams in [1, 4] {
        let downloads = Downloads::plain(8_000_000);
        fs::write(downloads.path(), b"old").unwrap();
        let cancel = CancelToken::new();
        let options = SaveOptions {
            place: downloads.path().into(),
            sha1: None,
            streams,
            mtime_ns: None,
            progress: Arc::default(),
        };
        let download = downloads.open(None).unwrap();
        cancel.cancel();
        let error = download.save(options, &cancel).unwrap_err();
        assert!(matches!(error, Error::Cancelled));
        downloads.assert_untouched(b"old");
    }
}

/// First bytes and ends of ranges, as they were asked for.
type Ranges = Arc<Mutex<Vec<(u64, u64)>>>;

/// A server that fails behind its first answers until a second download begins, but not
/// before 2 MiB are recorded; it keeps the ranges it was asked for.
fn failing_once(length: usize, answers: usize) -> (Downloads, Ranges) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (ranges, begun) = (Arc::clone(&asked), AtomicUsize::new(0));
    let journal = Arc::new(OnceLock::new());
    let wanted: Arc<OnceLock<PathBuf>> = Arc::clone(&journal);
    let downloads = Downloads::new(
        length,
        Box::new(move |number, request, answer| {
            let range = request.header("range").unwrap();
            let (first, last) = range["bytes=".len()..].split_once('-').unwrap();
            let range = (first.parse().unwrap(), last.parse::<u64>().unwrap() + 1);
            ranges.lock().unwrap().push(range);
            if range == (0, FIRST_STRETCH) {
                begun.fetch_add(1, Ordering::Relaxed);
            }
            if number < answers || begun.load(Ordering::Relaxed) > 1 {
                return;
            }
            let journal = wanted.get().unwrap();
            while fs::metadata(journal).unwrap().len() < 48 + 4 * 52 {
                std::thread::sleep(Duration::from_millis(1));
            }
            *answer = refusal(503, "service_unavailable", "");
        }),
    );
    let path = downloads.directory.path().join(JOURNAL);
    journal.set(path).unwrap();
    (downloads, asked)
}

/// How many bytes the journal records; stretches are of 512 KiB.
fn recorded(downloads: &Downloads) -> u64 {
    let length = fs::metadata(downloads.directory.path().join(JOURNAL))
        .unwrap()
        .len();
    assert_eq!((length - 48) % 36, 0);
    (length - 48) / 36 * CHUNK as u64
}

#[test]
fn a_failed_download_is_resumed_with_what_is_missing() {
    for streams in [1, 4] {
        let (downloads, asked) = failing_once(40 << 20, streams);
        fs::write(downloads.path(), b"old").unwrap();
        downloads
            .save(streams, Some(downloads.digest()))
            .unwrap_err();
        assert_eq!(fs::read(downloads.path()).unwrap(), b"old");
        assert_eq!(names(downloads.directory.path()), [JOURNAL, PART, "target"]);
        let missing = (40 << 20) - recorded(&downloads);
        asked.lock().unwrap().clear();
        // The one that resumes may have any number of streams.
        downloads
            .save(5 - streams, Some(downloads.digest()))
            .unwrap();
        assert!(fs::read(downloads.path()).unwrap() == downloads.bytes);
        assert_eq!(names(downloads.directory.path()), ["target"]);
        // The first request was made before anything was known of the target.
        let ranges = asked.lock().unwrap();
        assert_eq!(ranges[0], (0, FIRST_STRETCH));
        let asked_for: u64 = ranges[1..].iter().map(|(start, end)| end - start).sum();
        assert_eq!(asked_for, missing);
        assert!(missing < 38 << 20, "{missing}");
    }
}

#[test]
fn damaged_stretches_alone_are_fetched_again() {
    let (downloads, asked) = failing_once(20 << 20, 1);
    downloads.save(1, Some(downloads.digest())).unwrap_err();
    let kept = recorded(&downloads);
    downloads.damage(5);
    downloads.damage(2 * CHUNK - 1);
    asked.lock().unwrap().clear();
    downloads.save(1, Some(downloads.digest())).unwrap();
    assert!(fs::read(downloads.path()).unwrap() == downloads.bytes);
    let chunk = CHUNK as u64;
    let rest = (kept, 20 << 20);
    let expected = [(0, FIRST_STRETCH), (0, chunk), (chunk, 2 * chunk), rest];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn another_version_is_fetched_anew() {
    let (downloads, _) = failing_once(20 << 20, 1);
    downloads.save(1, Some(downloads.digest())).unwrap_err();
    let other = Downloads {
        directory: downloads.directory,
        ..Downloads::new(
            19 << 20,
            Box::new(|_, _, answer| {
                answer.headers.retain(|(name, _)| name != "x-bz-file-id");
                answer.headers.push(("x-bz-file-id".into(), "newer".into()));
            }),
        )
    };
    other.save(2, None).unwrap();
    assert!(fs::read(other.path()).unwrap() == other.bytes);
    assert_eq!(names(other.directory.path()), ["target"]);
}

#[test]
fn a_small_download_removes_what_a_large_one_left() {
    let (downloads, _) = failing_once(20 << 20, 1);
    downloads.save(1, None).unwrap_err();
    assert_eq!(names(downloads.directory.path()), [JOURNAL, PART]);
    let small = Downloads {
        directory: downloads.directory,
        ..Downloads::plain(100)
    };
    small.save(1, None).unwrap();
    assert_eq!(names(small.directory.path()), ["target"]);
}

#[test]
fn little_is_not_kept_nor_is_what_is_wrong() {
    let downloads = Downloads::plain(20 << 20);
    let cancel = CancelToken::new();
    cancel.cancel();
    let options = SaveOptions {
        place: downloads.path().into(),
        sha1: None,
        streams: 1,
        mtime_ns: None,
        progress: Arc::default(),
    };
    downloads
        .open(None)
        .unwrap()
        .save(options, &cancel)
        .unwrap_err();
    assert!(names(downloads.directory.path()).is_empty());

    let (downloads, _) = failing_once(20 << 20, 1);
    downloads.save(1, None).unwrap_err();
    assert_eq!(names(downloads.directory.path()), [JOURNAL, PART]);
    let error = downloads.save(1, Some([0; 20])).unwrap_err();
    assert!(matches!(error, Error::ChecksumMismatch { .. }));
    assert!(names(downloads.directory.path()).is_empty());
}

#[test]
fn downloads_to_one_target_at_the_same_time_do_not_mix() {
    let downloads = Downloads::plain(12 << 20);
    let other = Downloads::plain(11 << 20);
    let other = Downloads {
        directory: tempfile::TempDir::new_in(downloads.directory.path()).unwrap(),
        ..other
    };
    let path = downloads.path();
    std::os::unix::fs::symlink(&path, other.path()).unwrap();
    std::thread::scope(|scope| {
        for one in [&downloads, &other, &downloads, &other] {
            scope.spawn(|| one.save(2, Some(one.digest())).unwrap());
        }
    });
    let found = fs::read(&path).unwrap();
    assert!(found == downloads.bytes || found == other.bytes);
    drop(other);
    assert_eq!(names(downloads.directory.path()), ["target"]);
}

fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[test]
fn waiting_for_the_reader_of_a_pipe_can_be_cancelled() {
    let downloads = Downloads::plain(10);
    make_pipe(&downloads.path());
    let options = SaveOptions {
        place: downloads.path().into(),
        sha1: None,
        streams: 1,
        mtime_ns: None,
        progress: Arc::default(),
    };
    let download = downloads.open(None).unwrap();
    let cancel = CancelToken::with_poll(Scope::default(), Box::new(|| false));
    let error = download.save(options, &cancel).unwrap_err();
    assert!(matches!(error, Error::Cancelled));
}

#[test]
fn a_pipe_is_written_in_order() {
    use std::io::Read;

    let downloads = Downloads::plain(10_000_000);
    make_pipe(&downloads.path());
    let path = downloads.path();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        fs::File::open(path)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    });
    downloads.save(4, Some(downloads.digest())).unwrap();
    assert!(reader.join().unwrap() == downloads.bytes);
}
