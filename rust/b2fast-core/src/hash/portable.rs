//! SHA-1 in plain Rust, for processors without SHA instructions and vectors.

use super::kernel::{Kernel, Lane, State, Step};
use super::lanes;

/// Four words are what the vector registers hold that every x86-64 and every `AArch64` has.
const LANES: usize = 4;

pub(super) static KERNEL: Kernel = Kernel {
    name: "portable",
    available: || true,
    steps: &[
        Step {
            least: 2,
            most: LANES,
            compress: compress_lanes,
        },
        ONE_BY_ONE,
    ],
    compress_both: None,
};

/// For the streams that are too few for more.
pub(super) const ONE_BY_ONE: Step = Step {
    least: 1,
    most: 1,
    compress,
};

fn compress_lanes(lanes: &mut [Lane<'_>]) {
    lanes::compress::<LANES>(lanes, |_| ());
}

fn compress(lanes: &mut [Lane<'_>]) {
    for lane in lanes {
        for block in lane.blocks {
            let mut words = [0; 16];
            for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
                *word = u32::from_be_bytes(*bytes);
            }
            *lane.state = compress_words(*lane.state, words);
        }
    }
}

/// FIPS 180-4, section 6.1.2, with the message schedule in a ring of 16 words (6.1.3).
// `lanes` wants it with the features of its callers, and without a branch or a call left.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn compress_words(state: State, mut words: [u32; 16]) -> State {
    let mut variables = state;
    rounds::<0>(&mut variables, &mut words, 0x5a82_7999, |b, c, d| {
        d ^ (b & (c ^ d))
    });
    rounds::<1>(&mut variables, &mut words, 0x6ed9_eba1, |b, c, d| b ^ c ^ d);
    rounds::<2>(&mut variables, &mut words, 0x8f1b_bcdc, |b, c, d| {
        (b & c) | (d & (b | c))
    });
    rounds::<3>(&mut variables, &mut words, 0xca62_c1d6, |b, c, d| b ^ c ^ d);
    for (variable, word) in variables.iter_mut().zip(state) {
        *variable = variable.wrapping_add(word);
    }
    variables
}

/// The 20 rounds that share a constant and a function.
// As above.
#[allow(clippy::inline_always)]
#[inline(always)]
fn rounds<const QUARTER: usize>(
    variables: &mut State,
    words: &mut [u32; 16],
    k: u32,
    f: impl Fn(u32, u32, u32) -> u32,
) {
    // Written out: in a loop, the ring and the variables would stay in memory.
    macro_rules! rounds {
        ($($t:literal)*) => { $( round(variables, words, 20 * QUARTER + $t, k, &f); )* };
    }
    rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
}

// As above. The names are those of the standard.
#[allow(clippy::inline_always, clippy::many_single_char_names)]
#[inline(always)]
fn round(
    variables: &mut State,
    words: &mut [u32; 16],
    t: usize,
    k: u32,
    f: impl Fn(u32, u32, u32) -> u32,
) {
    if t >= 16 {
        words[t % 16] =
            (words[(t + 13) % 16] ^ words[(t + 8) % 16] ^ words[(t + 2) % 16] ^ words[t % 16])
                .rotate_left(1);
    }
    let [a, b, c, d, e] = *variables;
    let sum = a
        .rotate_left(5)
        .wrapping_add(f(b, c, d))
        .wrapping_add(e)
        .wrapping_add(k)
        .wrapping_add(words[t % 16]);
    *variables = [sum, a, b.rotate_left(30), c, d];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compresses_the_example_of_the_standard() {
        // "abc", padded: FIPS 180-4's example of one block.
        let mut block = [0; 64];
        block[..4].copy_from_slice(b"abc\x80");
        block[63] = 24;
        let mut state = [
            0x6745_2301,
            0xefcd_ab89,
            0x98ba_dcfe,
            0x1032_5476,
            0xc3d2_e1f0,
        ];
        compress(&mut [Lane {
            state: &mut state,
            blocks: &[block],
        }]);
        assert_eq!(
            state,
            [
                0xa999_3e36,
                0x4706_816a,
                0xba3e_2571,
                0x7850_c26c,
                0x9cd0_d89d
            ]
        );
    }
}
