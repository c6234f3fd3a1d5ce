//! SHA-1 in plain Rust, for processors without SHA instructions.

use super::kernel::{Block, Kernel, Lane, State};

pub(super) static KERNEL: Kernel = Kernel {
    name: "portable",
    compress,
    compress_both,
};

fn compress(lanes: &mut [Lane<'_>]) {
    for lane in lanes {
        for block in lane.blocks {
            compress_block(lane.state, block);
        }
    }
}

fn compress_both(states: [&mut State; 2], blocks: &[Block]) {
    for state in states {
        compress(&mut [Lane { state, blocks }]);
    }
}

/// FIPS 180-4, section 6.1.2, with the message schedule in a ring of 16 words (6.1.3).
fn compress_block(state: &mut State, block: &Block) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let mut variables = *state;
    rounds::<0>(&mut variables, &mut words, 0x5a82_7999, |b, c, d| {
        d ^ (b & (c ^ d))
    });
    rounds::<1>(&mut variables, &mut words, 0x6ed9_eba1, |b, c, d| b ^ c ^ d);
    rounds::<2>(&mut variables, &mut words, 0x8f1b_bcdc, |b, c, d| {
        (b & c) | (d & (b | c))
    });
    rounds::<3>(&mut variables, &mut words, 0xca62_c1d6, |b, c, d| b ^ c ^ d);
    for (word, variable) in state.iter_mut().zip(variables) {
        *word = word.wrapping_add(variable);
    }
}

/// The 20 rounds that share a constant and a function.
// The names are those of the standard.
#[allow(clippy::many_single_char_names)]
#[inline]
fn rounds<const QUARTER: usize>(
    variables: &mut State,
    words: &mut [u32; 16],
    k: u32,
    f: impl Fn(u32, u32, u32) -> u32,
) {
    for t in 20 * QUARTER..20 * (QUARTER + 1) {
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
        compress_block(&mut state, &block);
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
