//! SHA-1 of a stream, and of several in step.

use std::cmp::Reverse;
use std::fmt;

use super::Digest;
use super::kernel::{BLOCK_SIZE, Block, Lane, State, kernel};

/// The SHA-1 of bytes that arrive piece by piece.
#[derive(Clone)]
pub struct Sha1 {
    state: State,
    /// The bytes since the last whole block: the first `length % BLOCK_SIZE` count.
    partial: Block,
    /// All bytes so far.
    length: u64,
}

impl Sha1 {
    /// The state before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: [
                0x6745_2301,
                0xefcd_ab89,
                0x98ba_dcfe,
                0x1032_5476,
                0xc3d2_e1f0,
            ],
            partial: [0; BLOCK_SIZE],
            length: 0,
        }
    }

    /// Continue with `data`.
    pub fn update(&mut self, data: &[u8]) {
        let data = self.fill_partial(data);
        let (blocks, rest) = data.as_chunks();
        self.compress(blocks);
        self.keep_partial(rest);
    }

    /// The digest of everything so far.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        const LENGTH_SIZE: usize = size_of::<u64>();
        // In bits and modulo 2^64, as the standard wants it.
        let bits = self.length.wrapping_mul(8).to_be_bytes();
        let used = self.partial_length();
        let mut padding = [0; 2 * BLOCK_SIZE];
        padding[..used].copy_from_slice(&self.partial[..used]);
        padding[used] = 0x80;
        let count = (used + 1 + LENGTH_SIZE).div_ceil(BLOCK_SIZE);
        padding[count * BLOCK_SIZE - LENGTH_SIZE..count * BLOCK_SIZE].copy_from_slice(&bits);
        let (blocks, _) = padding.as_chunks();
        self.compress(&blocks[..count]);

        let mut digest = Digest::default();
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    fn partial_length(&self) -> usize {
        // Less than BLOCK_SIZE, so no bit is lost.
        #[allow(clippy::cast_possible_truncation)]
        let length = (self.length % BLOCK_SIZE as u64) as usize;
        length
    }

    /// Take what completes the block begun; the rest of `data` starts at a block boundary
    /// or is empty.
    fn fill_partial<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let used = self.partial_length();
        if used == 0 {
            return data;
        }
        let (head, rest) = data.split_at(data.len().min(BLOCK_SIZE - used));
        self.partial[used..used + head.len()].copy_from_slice(head);
        self.count(head.len());
        if self.partial_length() == 0 {
            kernel().compress(&mut [Lane {
                state: &mut self.state,
                blocks: &[self.partial],
            }]);
        }
        rest
    }

    /// Keep what does not make a block. The stream has to be at a block boundary unless
    /// `rest` is empty.
    fn keep_partial(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.partial[..rest.len()].copy_from_slice(rest);
            self.count(rest.len());
        }
    }

    fn compress(&mut self, blocks: &[Block]) {
        if !blocks.is_empty() {
            kernel().compress(&mut [self.lane(blocks)]);
        }
    }

    /// This stream, to be advanced by `blocks`, which count as done.
    fn lane<'a>(&'a mut self, blocks: &'a [Block]) -> Lane<'a> {
        self.count(blocks.len() * BLOCK_SIZE);
        Lane {
            state: &mut self.state,
            blocks,
        }
    }

    fn count(&mut self, bytes: usize) {
        self.length = self.length.wrapping_add(bytes as u64);
    }
}

impl Default for Sha1 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha1")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// The SHA-1 of `data`.
#[must_use]
pub fn sha1(data: &[u8]) -> Digest {
    let mut hasher = Sha1::new();
    hasher.update(data);
    hasher.finish()
}

/// Continue two streams with the same data.
///
/// The result is that of [`Sha1::update`] on each. Most of the work is done once for both if
/// their lengths differ by whole blocks of 64 bytes, as those of a file and of its parts do.
pub fn update_both(first: &mut Sha1, second: &mut Sha1, data: &[u8]) {
    if first.partial_length() != second.partial_length() {
        return update_many(&mut [(first, data), (second, data)]);
    }
    second.fill_partial(data);
    let data = first.fill_partial(data);
    let (blocks, rest) = data.as_chunks();
    if !blocks.is_empty() {
        let (first, second) = (first.lane(blocks), second.lane(blocks));
        kernel().compress_both([first.state, second.state], blocks);
    }
    first.keep_partial(rest);
    second.keep_partial(rest);
}

/// Continue each stream with its data, several streams at a time.
///
/// The result is that of [`Sha1::update`] on each. Streams of the same length gain most, but
/// any lengths will do. The slice is used as working space: its order and the data
/// left in it mean nothing afterwards.
pub fn update_many(streams: &mut [(&mut Sha1, &[u8])]) {
    for (hasher, data) in &mut *streams {
        *data = hasher.fill_partial(data);
    }
    // Neighbours of about the same length leave the least to be done by fewer lanes.
    streams.sort_unstable_by_key(|(_, data)| Reverse(data.len()));
    for group in streams.chunks_mut(kernel().lanes()) {
        update_group(group);
    }
}

/// [`update_many`] of some streams at block boundaries, the longest first.
fn update_group(group: &mut [(&mut Sha1, &[u8])]) {
    let mut done = 0;
    for active in (1..=group.len()).rev() {
        let end = group[active - 1].1.len() / BLOCK_SIZE;
        if end > done {
            let mut lanes: Vec<_> = group[..active]
                .iter_mut()
                .map(|(hasher, data)| hasher.lane(&data.as_chunks().0[done..end]))
                .collect();
            kernel().compress(&mut lanes);
            done = end;
        }
        let (hasher, data) = &mut group[active - 1];
        hasher.keep_partial(&data[done * BLOCK_SIZE..]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::to_hex;

    #[test]
    fn knows_the_examples_of_the_standard() {
        // FIPS 180-4's examples, and the lengths around which the padding grows by a block.
        for (data, expected) in [
            (vec![], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (b"abc".to_vec(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec(),
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
            (vec![b'a'; 55], "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            (vec![b'a'; 56], "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
            (vec![b'a'; 64], "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
            (
                vec![b'a'; 1_000_000],
                "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            ),
        ] {
            assert_eq!(to_hex(&sha1(&data)), expected, "{} bytes", data.len());
        }
    }

    #[test]
    fn knows_an_example_in_any_number_of_streams() {
        for count in 1..=33 {
            let mut hashers = vec![Sha1::new(); count];
            let mut streams: Vec<_> = hashers
                .iter_mut()
                .map(|hasher| (hasher, &[b'a'; 1000][..]))
                .collect();
            update_many(&mut streams);
            for hasher in hashers {
                assert_eq!(
                    to_hex(&hasher.finish()),
                    "291e9a6c66994949b57ba5e650361e98fc36b1ba"
                );
            }
        }
    }

    #[test]
    fn debug_shows_no_content() {
        let mut hasher = Sha1::new();
        hasher.update(b"secret");
        assert_eq!(format!("{hasher:?}"), "Sha1 { length: 6, .. }");
    }

    fn data() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..400)
    }

    proptest! {
        #[test]
        fn pieces_add_up(pieces in prop::collection::vec(data(), 0..6)) {
            let mut hasher = Sha1::new();
            for piece in &pieces {
                hasher.update(piece);
            }
            prop_assert_eq!(hasher.finish(), sha1(&pieces.concat()));
        }

        #[test]
        fn both_are_like_each(
            head in data(),
            gap in prop_oneof![Just(0), Just(BLOCK_SIZE), Just(3 * BLOCK_SIZE), 0..400_usize],
            tail in data(),
        ) {
            let heads = [[&head[..], &vec![7; gap]].concat(), head];
            let mut hashers = heads.each_ref().map(|head| {
                let mut hasher = Sha1::new();
                hasher.update(head);
                hasher
            });
            let [first, second] = &mut hashers;
            update_both(first, second, &tail);
            for (hasher, head) in hashers.into_iter().zip(heads) {
                prop_assert_eq!(hasher.finish(), sha1(&[&head[..], &tail].concat()));
            }
        }

        #[test]
        fn many_are_like_each(streams in prop::collection::vec((data(), data()), 0..35)) {
            let mut hashers: Vec<_> = streams
                .iter()
                .map(|(head, _)| {
                    let mut hasher = Sha1::new();
                    hasher.update(head);
                    hasher
                })
                .collect();
            let mut pairs: Vec<_> = hashers
                .iter_mut()
                .zip(streams.iter().map(|(_, tail)| tail.as_slice()))
                .collect();
            update_many(&mut pairs);
            for (hasher, (head, tail)) in hashers.into_iter().zip(streams) {
                prop_assert_eq!(hasher.finish(), sha1(&[head, tail].concat()));
            }
        }
    }
}
