//! The SHA-1s of parts that come without one: computed a few at a time, ahead of sending them.
//!
//! Several parts in step cost a third of what each costs while it is sent, which outweighs
//! reading them twice: the second time they come from the system's cache.

use std::sync::{Mutex, PoisonError};

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::file_io::ReadAt;
use crate::hash::{Digest, sha1_of_ranges};
use crate::upload::PartPiece;

/// How many parts are hashed in step. More gain little, and the first one waits for all.
const IN_STEP: usize = 5;

/// The bytes of parts that are hashed ahead: few enough to be in the system's cache still when
/// they are sent, and hashed in the time that a slow service takes to answer.
const MAX_AHEAD: u64 = 512 << 20;

/// Tells the SHA-1 of each part of a job.
pub(crate) struct PartDigests(Mutex<Vec<Option<Digest>>>);

impl PartDigests {
    /// Nothing is known but what the parts say.
    pub(crate) fn new(parts: &[PartPiece]) -> Self {
        Self(Mutex::new(
            parts.iter().map(|part| part.piece.sha1).collect(),
        ))
    }

    /// The SHA-1 of the part with this index; `None` if it is best computed while the part is
    /// sent, since there is no other one to hash in step with it.
    pub(crate) fn of(
        &self,
        source: &impl ReadAt,
        parts: &[PartPiece],
        index: usize,
        cancel: &CancelToken,
    ) -> Result<Option<Digest>> {
        // Held while hashing: whoever asks meanwhile mostly asks for one of the same parts.
        let mut digests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if digests[index].is_some() {
            return Ok(digests[index]);
        }
        let mut left = MAX_AHEAD;
        let group: Vec<usize> = (index..parts.len())
            .filter(|&index| digests[index].is_none())
            .take(IN_STEP)
            .take_while(|&index| {
                let rest = left.checked_sub(parts[index].piece.length);
                left = rest.unwrap_or(0);
                rest.is_some()
            })
            .collect();
        if group.len() > 1 {
            let ranges: Vec<_> = group
                .iter()
                .map(|&index| (parts[index].piece.offset, parts[index].piece.length))
                .collect();
            for (index, digest) in group
                .into_iter()
                .zip(sha1_of_ranges(source, &ranges, cancel)?)
            {
                digests[index] = Some(digest);
            }
        }
        Ok(digests[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha1;
    use crate::source::Source;
    use crate::upload::Piece;

    fn parts(pieces: &[(u64, u64, Option<Digest>)]) -> Vec<PartPiece> {
        (1..)
            .zip(pieces)
            .map(|(number, &(offset, length, sha1))| PartPiece {
                number,
                piece: Piece {
                    offset,
                    length,
                    sha1,
                },
            })
            .collect()
    }

    #[test]
    fn parts_are_hashed_with_the_next_ones_that_nobody_knows() {
        let content: Vec<u8> = (0..=250).cycle().take(1000).collect();
        let source = Source::Memory(Box::new(content.clone()));
        let given = Some([7; 20]);
        let parts = parts(&[
            (0, 100, None),
            (100, 100, given),
            (200, 50, None),
            (250, 350, None),
            (600, 1, None),
            (601, 99, None),
            (700, 100, None),
            (800, 200, given),
        ]);
        let digests = PartDigests::new(&parts);
        let of = |index| digests.of(&source, &parts, index, &CancelToken::new());
        assert_eq!(of(1).unwrap(), given);
        assert_eq!(of(0).unwrap(), Some(sha1(&content[..100])));
        let known = |index: usize| digests.0.lock().unwrap()[index];
        assert_eq!(known(2), Some(sha1(&content[200..250])));
        assert_eq!(known(3), Some(sha1(&content[250..600])));
        assert_eq!(known(4), Some(sha1(&content[600..601])));
        assert_eq!(known(5), Some(sha1(&content[601..700])));
        // The sixth one is left alone, with nothing to hash in step with it.
        assert_eq!(of(6).unwrap(), None);
    }

    #[test]
    fn long_parts_are_hashed_while_they_are_sent() {
        let source = Source::Memory(Box::new(Vec::new()));
        let parts = parts(&[(0, MAX_AHEAD, None), (MAX_AHEAD, 1, None)]);
        let digests = PartDigests::new(&parts);
        let found = digests.of(&source, &parts, 0, &CancelToken::new());
        assert_eq!(found.unwrap(), None);
    }
}
