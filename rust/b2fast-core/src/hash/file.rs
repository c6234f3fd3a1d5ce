//! SHA-1 of files and their parts.

use super::{Digest, Sha1, update_both, update_many};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::file_io::ReadAt;
use crate::plan::Part;

/// How much is read at once: little enough to be hashed before it leaves the L2 cache.
const READ_SIZE: usize = 1 << 20;

/// The SHA-1 of `length` bytes of a file from `offset` on.
///
/// `Error::InvalidArgument` if the file was shorter than that when it was opened.
pub fn sha1_of_range(
    source: &impl ReadAt,
    offset: u64,
    length: u64,
    cancel: &CancelToken,
) -> Result<Digest> {
    source.check_range(offset, length)?;
    let mut hasher = Sha1::new();
    read_pieces(
        source,
        offset,
        length,
        &mut buffer(length),
        cancel,
        |piece| {
            hasher.update(piece);
        },
    )?;
    Ok(hasher.finish())
}

/// The SHA-1s of a few ranges of a file, (offset, length), hashed in step.
///
/// Memory grows with their number, so they should be as many as are hashed at a time.
/// `Error::InvalidArgument` if one of them is not in the file.
pub fn sha1_of_ranges(
    source: &impl ReadAt,
    ranges: &[(u64, u64)],
    cancel: &CancelToken,
) -> Result<Vec<Digest>> {
    for &(offset, length) in ranges {
        source.check_range(offset, length)?;
    }
    let size = READ_SIZE / ranges.len().max(1);
    let mut hashers = vec![Sha1::new(); ranges.len()];
    let mut buffers = vec![vec![0; size]; ranges.len()];
    let mut done = 0;
    while ranges.iter().any(|&(_, length)| length > done) {
        cancel.check()?;
        let mut streams = Vec::with_capacity(ranges.len());
        for ((hasher, buffer), &(offset, length)) in
            hashers.iter_mut().zip(&mut buffers).zip(ranges)
        {
            let done = done.min(length);
            let left = usize::try_from(length - done).unwrap_or(size);
            let piece = &mut buffer[..left.min(size)];
            source.read_exact_at(piece, offset + done)?;
            streams.push((hasher, &*piece));
        }
        update_many(&mut streams);
        done += size as u64;
    }
    Ok(hashers.into_iter().map(Sha1::finish).collect())
}

/// The SHA-1 of a whole file and of each of its parts, in one pass.
///
/// The parts have to follow each other and make up the file, or the result is
/// `Error::InvalidArgument`. `on_bytes` is told how many bytes each step has done.
pub fn sha1_of_parts(
    source: &impl ReadAt,
    parts: &[Part],
    cancel: &CancelToken,
    on_bytes: &dyn Fn(u64),
) -> Result<(Digest, Vec<Digest>)> {
    let end = parts.iter().try_fold(0, |end, part| {
        (part.offset == end)
            .then(|| part.offset.checked_add(part.length))
            .flatten()
    });
    if end != Some(source.length()) {
        return Err(Error::InvalidArgument(format!(
            "the parts do not make up the {} bytes of {}",
            source.length(),
            source.name()
        )));
    }
    let mut buffer = buffer(source.length());
    let mut whole = Sha1::new();
    let mut digests = Vec::with_capacity(parts.len());
    for part in parts {
        let mut hasher = Sha1::new();
        read_pieces(
            source,
            part.offset,
            part.length,
            &mut buffer,
            cancel,
            |piece| {
                update_both(&mut whole, &mut hasher, piece);
                on_bytes(piece.len() as u64);
            },
        )?;
        digests.push(hasher.finish());
    }
    Ok((whole.finish(), digests))
}

fn buffer(length: u64) -> Vec<u8> {
    vec![0; usize::try_from(length).map_or(READ_SIZE, |length| length.min(READ_SIZE))]
}

/// Read a range of `source` in pieces of the size of `buffer`.
fn read_pieces(
    source: &impl ReadAt,
    mut offset: u64,
    mut length: u64,
    buffer: &mut [u8],
    cancel: &CancelToken,
    mut take: impl FnMut(&[u8]),
) -> Result<()> {
    while length > 0 {
        cancel.check()?;
        let size = usize::try_from(length).map_or(buffer.len(), |length| length.min(buffer.len()));
        let piece = &mut buffer[..size];
        source.read_exact_at(piece, offset)?;
        take(piece);
        offset += size as u64;
        length -= size as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;
    use crate::file_io::SourceFile;
    use crate::hash::sha1;
    use crate::plan::plan_parts;

    fn temporary(length: usize) -> (NamedTempFile, Vec<u8>, SourceFile) {
        let content: Vec<u8> = (0..=250).cycle().take(length).collect();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&content).unwrap();
        let source = SourceFile::open(file.path()).unwrap();
        (file, content, source)
    }

    #[test]
    fn a_range_has_the_sha1_of_its_bytes() {
        let (_file, content, source) = temporary(2 * READ_SIZE + 77);
        for (offset, length) in [
            (0, content.len()),
            (13, READ_SIZE),
            (99, 0),
            (content.len(), 0),
        ] {
            let digest = sha1_of_range(&source, offset as u64, length as u64, &CancelToken::new());
            assert_eq!(digest.unwrap(), sha1(&content[offset..offset + length]));
        }
    }

    #[test]
    fn ranges_in_step_have_the_sha1s_of_their_bytes() {
        let (_file, content, source) = temporary(2 * READ_SIZE + 77);
        let end = content.len();
        let ranges = [(0, end), (13, 1), (end, 0), (99, READ_SIZE), (5, 64)];
        for count in 0..=ranges.len() {
            let (ranges, expected): (Vec<_>, Vec<_>) = ranges[..count]
                .iter()
                .map(|&(offset, length)| {
                    let digest = sha1(&content[offset..offset + length]);
                    ((offset as u64, length as u64), digest)
                })
                .unzip();
            let digests = sha1_of_ranges(&source, &ranges, &CancelToken::new());
            assert_eq!(digests.unwrap(), expected);
        }
    }

    #[test]
    fn a_range_beyond_the_end_is_refused() {
        let (_file, _, source) = temporary(100);
        for (offset, length) in [(0, 101), (100, 1), (101, 0), (u64::MAX, 2)] {
            let result = sha1_of_range(&source, offset, length, &CancelToken::new());
            assert!(matches!(result, Err(Error::InvalidArgument(_))));
            let ranges = [(0, 100), (offset, length)];
            let result = sha1_of_ranges(&source, &ranges, &CancelToken::new());
            assert!(matches!(result, Err(Error::InvalidArgument(_))));
        }
    }

    #[test]
    fn parts_and_whole_are_hashed_in_one_pass() {
        let (_file, content, source) = temporary(3 * READ_SIZE + 77);
        for size in [READ_SIZE + 13, 2 * READ_SIZE, content.len()] {
            let parts = plan_parts(source.len(), size as u64, 1).unwrap();
            let done = Cell::new(0);
            let (whole, digests) = sha1_of_parts(&source, &parts, &CancelToken::new(), &|bytes| {
                done.set(done.get() + bytes);
            })
            .unwrap();
            assert_eq!(whole, sha1(&content));
            let expected: Vec<_> = content.chunks(size).map(sha1).collect();
            assert_eq!(digests, expected);
            assert_eq!(done.get(), source.len());
        }
    }

    #[test]
    fn parts_have_to_make_up_the_file() {
        let (_file, _, source) = temporary(100);
        let part = |offset, length| Part {
            number: 1,
            offset,
            length,
        };
        for parts in [
            vec![],
            vec![part(0, 99)],
            vec![part(1, 99)],
            vec![part(0, 50), part(51, 49)],
            vec![part(0, 50), part(49, 51)],
            vec![part(0, 50), part(50, u64::MAX)],
        ] {
            let result = sha1_of_parts(&source, &parts, &CancelToken::new(), &|_| ());
            assert!(matches!(result, Err(Error::InvalidArgument(_))));
        }
    }

    #[test]
    fn hashing_can_be_cancelled() {
        let (_file, _, source) = temporary(2 * READ_SIZE);
        let cancel = CancelToken::new();
        let parts = plan_parts(source.len(), source.len(), 1).unwrap();
        let result = sha1_of_parts(&source, &parts, &cancel, &|_| cancel.cancel());
        assert!(matches!(result, Err(Error::Cancelled)));
        let result = sha1_of_range(&source, 0, source.len(), &cancel);
        assert!(matches!(result, Err(Error::Cancelled)));
        let result = sha1_of_ranges(&source, &[(0, 1), (1, 1)], &cancel);
        assert!(matches!(result, Err(Error::Cancelled)));
    }
}
