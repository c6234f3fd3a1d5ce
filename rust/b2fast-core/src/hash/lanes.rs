//! SHA-1 of as many streams as a vector register has places for words.
//!
//! Each lane does what [`portable`](super::portable) does, and the compiler makes vector code of
//! it: [`compress_blocks`] is a loop over lanes around all 80 rounds, written out, which is the
//! form that LLVM's loop vectoriser turns into one pass over registers. Loops over lanes
//! inside of each round become scalar code that is ten times slower.
//!
//! The functions here have no instructions of their own. They are always inlined, so that
//! they are compiled with the features of whoever instantiates them.

use std::array;

use super::kernel::{Block, Lane, State};
use super::portable::compress_words;

/// A word of each lane.
type Words<const N: usize> = [u32; N];

/// Advance up to `N` lanes, all with the same number of blocks.
///
/// The time is that of `N` lanes, however few there are. `prefetch` is called for each lane and
/// block with the block before it is hashed, and may ask memory for later ones.
// Only what is inlined is compiled with the features of the caller.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn compress<const N: usize>(lanes: &mut [Lane<'_>], prefetch: impl Fn(&Block)) {
    assert!((1..=N).contains(&lanes.len()));
    let count = lanes[0].blocks.len();
    // Places without a lane repeat the first one's work, for nobody.
    let blocks: [&[Block]; N] = array::from_fn(|i| {
        let lane = lanes.get(i).unwrap_or(&lanes[0]);
        &lane.blocks[..count]
    });
    let mut states: [Words<N>; 5] =
        array::from_fn(|j| array::from_fn(|i| lanes.get(i).map_or(0, |lane| lane.state[j])));
    for index in 0..count {
        let blocks = blocks.map(|blocks| &blocks[index]);
        for block in blocks {
            prefetch(block);
        }
        compress_blocks(&mut states, blocks);
    }
    for (i, lane) in lanes.iter_mut().enumerate() {
        *lane.state = states.map(|words| words[i]);
    }
}

/// Advance each lane by its block.
// As above. The index is for all arrays at once.
#[allow(clippy::inline_always, clippy::needless_range_loop)]
#[inline(always)]
fn compress_blocks<const N: usize>(states: &mut [Words<N>; 5], blocks: [&Block; N]) {
    // Transposed, so that a word of all lanes lies together. This order of the loops is the
    // one that becomes shuffles of registers.
    let mut words = [[0; N]; 16];
    for t in 0..16 {
        for i in 0..N {
            words[t][i] = u32::from_be_bytes(blocks[i].as_chunks().0[t]);
        }
    }
    for i in 0..N {
        let state: State = array::from_fn(|j| states[j][i]);
        let state = compress_words(state, array::from_fn(|t| words[t][i]));
        for j in 0..5 {
            states[j][i] = state[j];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Without the features that an instance has elsewhere: what is compiled is the same.
    fn check<const N: usize>(lanes: &[(State, [Block; 3])]) {
        for count in 1..=N {
            let mut states = lanes.iter().map(|(state, _)| *state).collect::<Vec<_>>();
            let mut group: Vec<_> = states
                .iter_mut()
                .zip(lanes)
                .map(|(state, (_, blocks))| Lane { state, blocks })
                .take(count)
                .collect();
            compress::<N>(&mut group, |_| ());
            for (index, (state, (before, blocks))) in states.into_iter().zip(lanes).enumerate() {
                let expected = blocks.iter().fold(*before, |state, block| {
                    let words = array::from_fn(|t| u32::from_be_bytes(block.as_chunks().0[t]));
                    compress_words(state, words)
                });
                let expected = if index < count { expected } else { *before };
                assert_eq!(state, expected, "lane {index} of {count}, {N} places");
            }
        }
    }

    proptest! {
        #[test]
        fn lanes_are_independent(seed: u64) {
            let mut random = fastrand::Rng::with_seed(seed);
            let lanes: Vec<(State, [Block; 3])> = (0..16)
                .map(|_| {
                    let mut blocks = [[0; 64]; 3];
                    random.fill(blocks.as_flattened_mut());
                    (array::from_fn(|_| random.u32(..)), blocks)
                })
                .collect();
            check::<16>(&lanes);
            check::<8>(&lanes);
            check::<4>(&lanes);
        }
    }
}
