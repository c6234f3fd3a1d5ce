//! The journal of a partial file: which stretches of it are complete, each with a digest.
//!
//! The digest is a BLAKE3, unless the whole content is proven by its SHA-1 in the end: then it
//! only has to find what is damaged, and an XXH3 of the same length does that for a tenth of
//! the time.
//!
//! A header pins it to one version of one file. Behind it come records of one size, each with
//! a check of its own, so that a record torn by a crash or damaged on the disk costs its own
//! stretch and no other. Nothing is synced: a journal serves when the process has died, and
//! after a power cut the digests still tell what is there from what is not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use twox_hash::XxHash3_128;

use crate::buffers::CHUNK;
use crate::hash::{Blake3, Digest};

/// Begins every journal; the last character is the version of the format.
const FORMAT: &[u8; 16] = b"b2fast journal 2";

/// The format and the pin.
const HEADER: usize = FORMAT.len() + 32;

/// Offset, length and digest of a stretch: what the check is computed of.
const CHECKED: usize = 8 + 4 + size_of::<StretchDigest>();

/// With its check.
const RECORD: usize = CHECKED + 8;

type StretchDigest = [u8; 16];

/// What the bytes of a partial file belong to. Two downloads with equal pins are of the same
/// bytes.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    digest: [u8; 32],
    length: u64,
    /// Will the whole be held against its SHA-1?
    is_proven_later: bool,
}

impl Pin {
    /// `range` is the stretch of the version that the whole download brings.
    pub(crate) fn new(file_id: &str, range: &Range<u64>, sha1: Option<Digest>) -> Self {
        let mut hasher = Blake3::new();
        hasher.update(&range.start.to_le_bytes());
        hasher.update(&range.end.to_le_bytes());
        hasher.update(&sha1.unwrap_or_default());
        hasher.update(file_id.as_bytes());
        Self {
            digest: hasher.finalize().into(),
            length: range.end - range.start,
            is_proven_later: sha1.is_some(),
        }
    }

    /// How long the finished file is.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    fn header(&self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..FORMAT.len()].copy_from_slice(FORMAT);
        header[FORMAT.len()..].copy_from_slice(&self.digest);
        header
    }

    /// A stretch of these bytes.
    fn stretch(&self, content: &[u8]) -> Stretch {
        let mut digest = StretchDigest::default();
        if self.is_proven_later {
            digest = XxHash3_128::oneshot(content).to_le_bytes();
        } else {
            Blake3::new()
                .update(content)
                .finalize_xof()
                .fill(&mut digest);
        }
        Stretch {
            length: content.len(),
            digest,
        }
    }

    fn check(&self, record: &[u8]) -> [u8; RECORD - CHECKED] {
        let mut hasher = Blake3::new();
        hasher.update(&self.digest);
        hasher.update(record);
        let mut check = [0; RECORD - CHECKED];
        hasher.finalize_xof().fill(&mut check);
        check
    }
}

/// A stretch of the file that was complete when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// At most [`CHUNK`], so that it is read back into one buffer.
    pub(crate) length: usize,
    digest: StretchDigest,
}

impl Stretch {
    fn encode(&self, offset: u64, pin: &Pin) -> Option<[u8; RECORD]> {
        let length = u32::try_from(self.length).ok()?;
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&offset.to_le_bytes());
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        bytes[12..CHECKED].copy_from_slice(&self.digest);
        let check = pin.check(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&check);
        Some(bytes)
    }

    fn decode(bytes: &[u8; RECORD], pin: &Pin) -> Option<(u64, Self)> {
        let (offset, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (digest, check) = rest.split_first_chunk()?;
        let offset = u64::from_le_bytes(*offset);
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let end = offset.checked_add(length as u64)?;
        let is_sound = check == pin.check(&bytes[..CHECKED])
            && (1..=CHUNK).contains(&length)
            && end <= pin.length;
        is_sound.then_some((
            offset,
            Self {
                length,
                digest: *digest,
            },
        ))
    }
}

/// Recorded stretches by their offsets in the file; they do not overlap.
pub(crate) type Stretches = BTreeMap<u64, Stretch>;

/// What a journal records, nothing if it is none or belongs to other bytes.
pub(crate) fn read(journal: impl Read, pin: &Pin) -> Stretches {
    let mut journal = BufReader::new(journal);
    let mut stretches = Stretches::new();
    let mut header = [0; HEADER];
    if journal.read_exact(&mut header).is_err() || header != pin.header() {
        return stretches;
    }
    let mut record = [0; RECORD];
    while journal.read_exact(&mut record).is_ok() {
        if let Some((offset, stretch)) = Stretch::decode(&record, pin) {
            // A later record is of bytes that were fetched again.
            stretches.insert(offset, stretch);
        }
    }
    let mut end = 0;
    stretches.retain(|&offset, stretch| {
        let is_apart = offset >= end;
        if is_apart {
            end = offset + stretch.length as u64;
        }
        is_apart
    });
    stretches
}

/// A journal that is being written.
pub(crate) struct Journal {
    /// Absent since a record could not be written: what would follow a half of one is lost.
    file: Mutex<Option<File>>,
    pin: Pin,
    recorded: AtomicU64,
}

impl Journal {
    /// Begin a journal in an empty file with what is known already.
    pub(crate) fn begin(mut file: File, pin: Pin, known: &Stretches) -> io::Result<Self> {
        let mut bytes = pin.header().to_vec();
        let mut recorded = 0;
        for (&offset, stretch) in known {
            bytes.extend(stretch.encode(offset, &pin).into_iter().flatten());
            recorded += stretch.length as u64;
        }
        file.write_all(&bytes)?;
        Ok(Self {
            file: Mutex::new(Some(file)),
            pin,
            recorded: AtomicU64::new(recorded),
        })
    }

    /// Record a stretch that is written, at most [`CHUNK`] bytes.
    ///
    /// The download goes on if it cannot be recorded; less of it may be resumed then.
    pub(crate) fn append(&self, offset: u64, content: &[u8]) {
        let Some(record) = self.pin.stretch(content).encode(offset, &self.pin) else {
            return;
        };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = file.as_mut() {
            if open.write_all(&record).is_ok() {
                let count = content.len() as u64;
                self.recorded.fetch_add(count, Ordering::Relaxed);
            } else {
                *file = None;
            }
        }
    }

    /// Are these the bytes of a recorded stretch?
    pub(crate) fn is(&self, stretch: &Stretch, content: &[u8]) -> bool {
        self.pin.stretch(content) == *stretch
    }

    /// How many bytes are recorded.
    pub(crate) fn recorded(&self) -> u64 {
        self.recorded.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use tempfile::NamedTempFile;

    use super::*;

    const LENGTH: u64 = 1 << 40;

    fn pin() -> Pin {
        Pin::new("id", &(5..5 + LENGTH), Some([7; 20]))
    }

    /// A journal of consecutive stretches of these lengths, and what it records.
    fn journal_of(lengths: &[usize]) -> (Vec<u8>, Stretches) {
        let file = NamedTempFile::new().unwrap();
        let journal = Journal::begin(file.reopen().unwrap(), pin(), &Stretches::new()).unwrap();
        let mut stretches = Stretches::new();
        let mut offset = 0;
        for &length in lengths {
            let content = vec![u8::try_from(length % 251).unwrap(); length];
            journal.append(offset, &content);
            stretches.insert(offset, pin().stretch(&content));
            offset += length as u64;
        }
        assert_eq!(journal.recorded(), offset);
        (fs::read(file.path()).unwrap(), stretches)
    }

    proptest! {
        #[test]
        fn what_is_recorded_is_read(lengths in vec(1..3000_usize, 0..20)) {
            let (bytes, stretches) = journal_of(&lengths);
            prop_assert_eq!(bytes.len(), HEADER + lengths.len() * RECORD);
            prop_assert_eq!(&read(&bytes[..], &pin()), &stretches);
            // And is the beginning of the next journal.
            let file = NamedTempFile::new().unwrap();
            let next = Journal::begin(file.reopen().unwrap(), pin(), &stretches).unwrap();
            prop_assert_eq!(next.recorded(), lengths.iter().sum::<usize>() as u64);
            prop_assert_eq!(fs::read(file.path()).unwrap(), bytes);
        }

        #[test]
        fn torn_anywhere_it_keeps_the_whole_records(
            lengths in vec(1..3000_usize, 0..20), torn in any::<prop::sample::Index>()
        ) {
            let (bytes, stretches) = journal_of(&lengths);
            let left = torn.index(bytes.len() + 1);
            let whole = left.saturating_sub(HEADER) / RECORD;
            let expected: Stretches = stretches.into_iter().take(whole).collect();
            prop_assert_eq!(read(&bytes[..left], &pin()), expected);
        }

        #[test]
        fn a_damaged_byte_costs_one_record(
            lengths in vec(1..3000_usize, 1..20),
            place in any::<prop::sample::Index>(),
            damage in 1..=u8::MAX,
        ) {
            let (mut bytes, mut stretches) = journal_of(&lengths);
            let place = place.index(bytes.len());
            bytes[place] ^= damage;
            match place.checked_sub(HEADER) {
                None => stretches.clear(),
                Some(place) => {
                    let offset = *stretches.keys().nth(place / RECORD).unwrap();
                    stretches.remove(&offset);
                }
            }
            prop_assert_eq!(read(&bytes[..], &pin()), stretches);
        }

        #[test]
        fn arbitrary_bytes_record_nothing(bytes in vec(any::<u8>(), 0..500)) {
            prop_assert_eq!(read(&bytes[..], &pin()), Stretches::new());
            let mut behind_header = pin().header().to_vec();
            behind_header.extend(bytes);
            prop_assert_eq!(read(&behind_header[..], &pin()), Stretches::new());
        }
    }

    #[test]
    fn another_version_records_nothing() {
        let (bytes, stretches) = journal_of(&[100, 200]);
        let range = 5..5 + LENGTH;
        assert_eq!(read(&bytes[..], &pin()), stretches);
        for other in [
            Pin::new("other", &range, Some([7; 20])),
            Pin::new("id", &range, Some([8; 20])),
            Pin::new("id", &range, None),
            Pin::new("id", &(4..5 + LENGTH), Some([7; 20])),
            Pin::new("id", &(5..4 + LENGTH), Some([7; 20])),
        ] {
            assert_eq!(read(&bytes[..], &other), Stretches::new());
        }
    }

    #[test]
    fn a_later_record_counts_and_none_overlaps() {
        let pin = pin();
        let stretch = |content: &[u8]| pin.stretch(content);
        let mut bytes = pin.header().to_vec();
        for (offset, content) in [
            (10, &b"0123456789"[..]),
            (0, b"damaged ones"),
            (0, b"repaired "),
            (15, b"overlapping"),
            (LENGTH - 1, b"beyond the end"),
            (u64::MAX, b"far beyond"),
            (30, b""),
        ] {
            bytes.extend(stretch(content).encode(offset, &pin).unwrap());
        }
        let expected = [(0, stretch(b"repaired ")), (10, stretch(b"0123456789"))];
        assert_eq!(read(&bytes[..], &pin), Stretches::from(expected));
    }

    #[test]
    fn a_stretch_is_what_it_was() {
        for sha1 in [None, Some([7; 20])] {
            let pin = Pin::new("id", &(0..LENGTH), sha1);
            let file = NamedTempFile::new().unwrap();
            let stretch = pin.stretch(b"content");
            let journal = Journal::begin(file.reopen().unwrap(), pin, &Stretches::new()).unwrap();
            assert!(journal.is(&stretch, b"content"));
            assert!(!journal.is(&stretch, b"contenT"));
            assert!(!journal.is(&stretch, b"content "));
        }
    }

    #[test]
    fn what_cannot_be_written_ends_the_journal_but_nothing_else() {
        let file = NamedTempFile::new().unwrap();
        drop(Journal::begin(file.reopen().unwrap(), pin(), &Stretches::new()).unwrap());
        let journal = Journal {
            file: Mutex::new(Some(File::open(file.path()).unwrap())),
            pin: pin(),
            recorded: AtomicU64::new(0),
        };
        journal.append(0, b"content");
        assert_eq!(journal.recorded(), 0);
        assert!(journal.file.lock().unwrap().is_none());
    }
}
