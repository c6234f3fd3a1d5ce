//! Laws of transfers over a network and a service that fail in every way: what arrives is
//! right or an error, and nothing is left behind.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use b2fast_core::buffers::CHUNK;
use b2fast_core::cancel::CancelToken;
use b2fast_core::download::{Download, SaveOptions};
use b2fast_core::engine::Engine;
use b2fast_core::error::{Error, NetworkError, Result};
use b2fast_core::hash::{self, Digest};
use b2fast_core::lease::{Lease, Leases};
use b2fast_core::progress::Progress;
use b2fast_core::retry::RetryPolicy;
use b2fast_core::source::Source;
use b2fast_core::transport::Request;
use b2fast_core::transport::faulty::{Fault, Faulty};
use b2fast_core::transport::memory::{Answer, MemoryTransport, RecordedRequest};
use b2fast_core::upload::{PartPiece, PartsJob, Piece, upload_parts};
use proptest::prelude::*;

/// Few attempts, so that some transfers fail; no pauses.
const RETRY: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_delay: Duration::ZERO,
    factor: 1.0,
    max_delay: Duration::ZERO,
    deadline: None,
};

const OLD: &[u8] = b"the file that was there before";

fn content(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(length as u64).fill(&mut bytes);
    bytes
}

/// What happens to one request of a download.
#[derive(Clone, Debug)]
enum Trick {
    Nothing,
    /// It takes this many tenths of a millisecond.
    Late(u8),
    Refuse(u16),
    Lose,
    /// The connection is lost after this many bytes of the answer.
    Truncate(u32),
    /// The range is not heeded.
    Whole,
    /// The answer ends with the first half of the range, and says so.
    Shorter,
    /// The answer goes on to the end of the file, and says so.
    Longer,
    /// The answer is the range after the one that was asked for, and says so.
    Shifted,
    /// The file has another size now.
    OtherTotal,
    /// The file is another version now.
    OtherVersion,
    /// The caller gives up.
    Cancel,
}

fn trick() -> impl Strategy<Value = Trick> {
    prop_oneof![
        12 => Just(Trick::Nothing),
        12 => (0..20_u8).prop_map(Trick::Late),
        4 => prop::sample::select(vec![408, 429, 500, 503]).prop_map(Trick::Refuse),
        4 => Just(Trick::Lose),
        4 => (0..400_000_u32).prop_map(Trick::Truncate),
        1 => Just(Trick::Refuse(403)),
        1 => Just(Trick::Whole),
        2 => Just(Trick::Shorter),
        2 => Just(Trick::Longer),
        1 => Just(Trick::Shifted),
        1 => Just(Trick::OtherTotal),
        1 => Just(Trick::OtherVersion),
        1 => Just(Trick::Cancel),
    ]
}

/// The first byte of the range that is asked for, and the one behind its last.
fn range_of(headers: &[(&str, &str)], total: usize) -> Option<(usize, usize)> {
    let (_, value) = headers.iter().find(|(name, _)| *name == "Range")?;
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let last: usize = last.parse().unwrap();
    Some((first.parse().unwrap(), total.min(last.saturating_add(1))))
}

fn partial(bytes: &[u8], start: usize, end: usize, total: usize) -> Answer {
    if start >= end {
        return Answer::new(416, "{}");
    }
    Answer::new(206, &bytes[start..end])
        .header(
            "Content-Range",
            format!("bytes {start}-{}/{total}", end - 1),
        )
        .header("X-Bz-File-Id", "version 1")
}

fn whole(bytes: &[u8]) -> Answer {
    Answer::new(200, bytes).header("X-Bz-File-Id", "version 1")
}

fn serve(bytes: &[u8], request: &Request<'_>) -> Answer {
    match range_of(request.headers, bytes.len()) {
        Some((start, end)) => partial(bytes, start, end, bytes.len()),
        None => whole(bytes),
    }
}

fn play(trick: &Trick, bytes: &[u8], request: &Request<'_>, caller: &CancelToken) -> Option<Fault> {
    let total = bytes.len();
    let range = range_of(request.headers, total);
    let answer = match (trick, range) {
        (Trick::Late(tenths), _) => {
            thread::sleep(Duration::from_micros(100) * u32::from(*tenths));
            return None;
        }
        (Trick::Refuse(status), _) => return Some(Fault::refuse(*status, "refused", None)),
        (Trick::Lose, _) => return Some(Fault::Fail(NetworkError::ConnectionLost)),
        (Trick::Truncate(after), _) => return Some(Fault::TruncateAnswer(u64::from(*after))),
        (Trick::Cancel, _) => {
            caller.cancel();
            return None;
        }
        (Trick::Nothing, _) | (_, None) => return None,
        (Trick::Whole, _) => whole(bytes),
        (Trick::Shorter, Some((start, end))) => partial(
            bytes,
            start,
            end.min(start + (end.saturating_sub(start)).div_ceil(2)),
            total,
        ),
        (Trick::Longer, Some((start, _))) => partial(bytes, start, total, total),
        (Trick::Shifted, Some((start, end))) => {
            partial(bytes, start + 1, total.min(end + 1), total)
        }
        (Trick::OtherTotal, Some((start, end))) => partial(bytes, start, end, total + 1),
        (Trick::OtherVersion, Some((start, end))) => {
            let mut answer = partial(bytes, start, end, total);
            answer.headers.retain(|(name, _)| name != "x-bz-file-id");
            // Content that must not get into the file.
            answer.body.fill(0);
            answer.header("X-Bz-File-Id", "version 2")
        }
    };
    Some(Fault::Answer(answer))
}

#[derive(Clone, Debug)]
struct Scene {
    length: usize,
    streams: usize,
    threads: usize,
    chunks: usize,
    first_stretch: u64,
    verified: bool,
    tricks: Vec<Trick>,
}

fn scene() -> impl Strategy<Value = Scene> {
    (
        prop_oneof![0..5_usize, 0..3_000_000_usize],
        1..6_usize,
        1..5_usize,
        // None, so that everyone waits for the front, up to enough for a few to run ahead.
        0..8_usize,
        30_000..500_000_u64,
        any::<bool>(),
        prop::collection::vec(trick(), 0..16),
    )
        .prop_map(
            |(length, streams, threads, chunks, first_stretch, verified, tricks)| Scene {
                length,
                streams,
                threads,
                chunks,
                first_stretch,
                verified,
                tricks,
            },
        )
}

fn download(scene: &Scene, bytes: &Arc<Vec<u8>>, path: &Path) -> Result<()> {
    let caller = CancelToken::new();
    let (tricks, altered, player) = (scene.tricks.clone(), Arc::clone(bytes), caller.clone());
    let original = Arc::clone(bytes);
    let server = MemoryTransport::new(move |request, _| {
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (if name == "range" { "Range" } else { name }, value.as_str()))
            .collect();
        let request = Request {
            method: request.method,
            url: &request.url,
            headers: &headers,
        };
        serve(&original, &request)
    });
    let transport = Faulty::new(server, move |number, request| {
        play(tricks.get(number)?, &altered, request, &player)
    });
    let engine = Engine::with_first_stretch(
        Box::new(transport),
        scene.threads,
        scene.chunks * CHUNK,
        scene.first_stretch,
    );
    let progress = Arc::new(Progress::default());
    let authorize = Box::new(|_: Option<&str>| Ok("token".to_owned()));
    let download = Download::open(
        &engine,
        "http://host/file/bucket/name",
        vec![],
        authorize,
        None,
        RETRY,
        &caller,
    )?;
    let options = SaveOptions {
        place: path.to_owned().into(),
        sha1: scene.verified.then(|| hash::sha1(bytes)),
        streams: scene.streams,
        mtime_ns: None,
        progress: Arc::clone(&progress),
    };
    download.save(options, &caller)?;
    assert_eq!(progress.bytes(), bytes.len() as u64);
    Ok(())
}

/// What happens to one request of an upload.
fn upload_fault() -> impl Strategy<Value = Option<Fault>> {
    let statuses = prop::sample::select(vec![401, 408, 429, 500, 503, 403]);
    prop_oneof![
        4 => Just(None),
        3 => statuses.prop_map(|status| Some(Fault::refuse(status, "refused", None))),
        2 => Just(Some(Fault::Fail(NetworkError::Timeout))),
        3 => (0..200_000_u64).prop_map(|after| Some(Fault::CutRequest(after))),
        3 => Just(Some(Fault::LoseAnswer)),
        2 => (0..60_u64).prop_map(|after| Some(Fault::TruncateAnswer(after))),
    ]
}

/// Stores parts by their number; each URL is used by one request at a time.
#[derive(Default)]
struct Store {
    parts: Mutex<HashMap<u32, Vec<u8>>>,
    busy: Mutex<HashSet<String>>,
}

impl Store {
    fn receive(&self, request: &RecordedRequest, mut body: Vec<u8>) -> Answer {
        let is_free = self.busy.lock().unwrap().insert(request.url.clone());
        assert!(is_free, "two uploads at once to one URL");
        thread::sleep(Duration::from_micros(fastrand::u64(..500)));
        let mut sha1 = request.header("x-bz-content-sha1").unwrap().to_owned();
        if sha1 == "hex_digits_at_end" {
            sha1 = String::from_utf8(body.split_off(body.len() - 40)).unwrap();
        }
        assert_eq!(sha1, hash::to_hex(&hash::sha1(&body)));
        let number = request.header("x-bz-part-number").unwrap();
        let answer = Answer::new(
            200,
            format!(
                r#"{{"contentLength":{},"contentSha1":"{sha1}"}}"#,
                body.len()
            ),
        );
        let mut parts = self.parts.lock().unwrap();
        parts.insert(number.parse().unwrap(), body);
        self.busy.lock().unwrap().remove(&request.url);
        answer
    }
}

fn upload(
    bytes: &[u8],
    parts: &[PartPiece],
    workers: usize,
    faults: Vec<Option<Fault>>,
    store: &Arc<Store>,
) -> Result<Vec<Digest>> {
    let receiver = Arc::clone(store);
    let server = MemoryTransport::new(move |request, body| receiver.receive(request, body));
    let transport = Faulty::new(server, move |number, _| faults.get(number)?.clone());
    let engine = Engine::new(Box::new(transport), 3, CHUNK);
    let issued = AtomicUsize::new(0);
    let leases = Leases::new(Box::new(move || {
        let number = issued.fetch_add(1, Ordering::Relaxed);
        Ok(Lease::new(format!("http://pod/{number}"), "token".into()))
    }));
    let progress = Arc::new(Progress::default());
    let job = PartsJob {
        source: Arc::new(Source::Memory(Box::new(bytes.to_vec()))),
        leases: Arc::new(leases),
        headers: vec![],
        parts: parts.to_vec(),
        retry: RETRY,
        workers,
        progress: Arc::clone(&progress),
    };
    let digests = upload_parts(&engine, job, &CancelToken::new())?;
    assert_eq!(progress.bytes(), bytes.len() as u64);
    Ok(digests)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_download_is_right_or_nothing(scene in scene()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        fs::write(&path, OLD).unwrap();
        let bytes = Arc::new(content(scene.length));
        let result = download(&scene, &bytes, &path);
        let found = fs::read(&path).unwrap();
        // The other version is right if it is the one that the first answer brought.
        let other = scene.tricks.iter().any(|trick| matches!(trick, Trick::OtherVersion));
        let is_right = match &result {
            Ok(()) => found == *bytes || other && found == vec![0; bytes.len()],
            Err(_) => found == OLD,
        };
        prop_assert!(is_right, "{:?}", result);
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        prop_assert!(!matches!(result, Err(Error::Resources(_))), "{:?}", result);
        let is_mismatch = matches!(result, Err(Error::ChecksumMismatch { .. }));
        prop_assert!(other || !is_mismatch, "{:?}", result);
        let harmless = |trick: &Trick| {
            matches!(trick, Trick::Nothing | Trick::Late(_) | Trick::Shorter | Trick::Longer)
        };
        if scene.tricks.iter().all(harmless) {
            prop_assert!(result.is_ok(), "{:?}", result);
        }
    }

    #[test]
    fn parts_are_stored_right_or_refused(
        lengths in prop::collection::vec(0..150_000_usize, 1..8),
        known in any::<bool>(),
        workers in 1..5_usize,
        faults in prop::collection::vec(upload_fault(), 0..12),
    ) {
        let bytes = content(lengths.iter().sum());
        let mut contents = Vec::new();
        let mut parts = Vec::new();
        let mut offset = 0;
        for (number, &length) in (1..).zip(&lengths) {
            let part = &bytes[offset..offset + length];
            let piece = Piece {
                offset: offset as u64,
                length: length as u64,
                sha1: known.then(|| hash::sha1(part)),
            };
            parts.push(PartPiece { number, piece });
            contents.push(part);
            offset += length;
        }
        let store = Arc::new(Store::default());
        let is_quiet = faults.iter().all(Option::is_none);
        let result = upload(&bytes, &parts, workers, faults, &store);
        prop_assert!(result.is_ok() || !is_quiet, "{:?}", result);
        let stored = store.parts.lock().unwrap();
        for (number, part) in (1..).zip(&contents) {
            match stored.get(&number) {
                Some(found) => prop_assert!(found == part, "part {number}"),
                None => prop_assert!(result.is_err(), "part {number} is missing"),
            }
        }
        prop_assert!(!matches!(result, Err(Error::Resources(_))), "{:?}", result);
        if let Ok(digests) = result {
            let expected: Vec<_> = contents.iter().map(|part| hash::sha1(part)).collect();
            prop_assert_eq!(digests, expected);
        }
    }
}
