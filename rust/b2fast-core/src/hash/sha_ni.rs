//! SHA-1 with the SHA extensions of x86-64, up to four streams interleaved.
//!
//! A stream is a chain of `sha1rnds4`, each waiting for the one before; a core can have
//! several of them in flight. So the one kernel here is generic over the number of lanes and
//! takes every step for all lanes before the next.

// The instructions may be used only where they exist, which the compiler cannot know. That
// one call is all that is unsafe.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_extract_epi32, _mm_set_epi8, _mm_set_epi32, _mm_set_epi64x,
    _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32, _mm_sha1rnds4_epu32,
    _mm_shuffle_epi8, _mm_xor_si128,
};
use std::array;

use super::kernel::{Block, Kernel, Lane, State};

static KERNEL: Kernel = Kernel {
    name: "sha-ni",
    compress,
};

/// The kernel, if this processor has the instructions.
pub(super) fn kernel() -> Option<&'static Kernel> {
    let available = is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1");
    available.then_some(&KERNEL)
}

fn compress(lanes: &mut [Lane<'_>]) {
    // SAFETY: this function is reachable through `kernel` alone, which hands it out only
    // where the processor has all three features.
    unsafe { compress_lanes(lanes) }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress_lanes(lanes: &mut [Lane<'_>]) {
    let rest = interleave_groups::<4>(lanes);
    let rest = interleave_groups::<3>(rest);
    let rest = interleave_groups::<2>(rest);
    interleave_groups::<1>(rest);
}

/// Advance groups of `N` lanes; the lanes left over are the result.
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn interleave_groups<'a, 'b, const N: usize>(lanes: &'a mut [Lane<'b>]) -> &'a mut [Lane<'b>] {
    let (groups, rest) = lanes.as_chunks_mut::<N>();
    for group in groups {
        interleave(group);
    }
    rest
}

/// One value per lane.
type Lanes<const N: usize> = [__m128i; N];

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn interleave<const N: usize>(lanes: &mut [Lane<'_>; N]) {
    let blocks = lanes.each_ref().map(|lane| lane.blocks);
    let count = blocks[0].len();
    let blocks = blocks.map(|blocks| &blocks[..count]);
    let mut abcd = [_mm_set_epi32(0, 0, 0, 0); N];
    let mut e = abcd;
    for i in 0..N {
        (abcd[i], e[i]) = load_state(lanes[i].state);
    }
    // The index is for all lanes at once, which no iterator over one of them is.
    #[allow(clippy::needless_range_loop)]
    for index in 0..count {
        compress_block(&mut abcd, &mut e, array::from_fn(|i| &blocks[i][index]));
    }
    for i in 0..N {
        *lanes[i].state = store_state(abcd[i], e[i]);
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn compress_block<const N: usize>(abcd: &mut Lanes<N>, e: &mut Lanes<N>, blocks: [&Block; N]) {
    let (abcd_before, e_before) = (*abcd, *e);

    let mut w0 = load_words::<0, N>(blocks);
    // `e` is added as it is once; from then on it is derived from the `abcd` of four rounds ago.
    for i in 0..N {
        let e_and_words = _mm_add_epi32(e[i], w0[i]);
        e[i] = abcd[i];
        abcd[i] = _mm_sha1rnds4_epu32::<0>(abcd[i], e_and_words);
    }
    let mut w1 = load_words::<1, N>(blocks);
    four_rounds::<0, N>(abcd, e, &w1);
    let mut w2 = load_words::<2, N>(blocks);
    four_rounds::<0, N>(abcd, e, &w2);
    let mut w3 = load_words::<3, N>(blocks);
    four_rounds::<0, N>(abcd, e, &w3);

    // Four more words of the message schedule, and the four rounds that use them.
    macro_rules! extend {
        ($f:literal, $a:ident, $b:ident, $c:ident, $d:ident) => {
            schedule(&mut $a, &$b, &$c, &$d);
            four_rounds::<$f, N>(abcd, e, &$a);
        };
    }
    extend!(0, w0, w1, w2, w3);
    extend!(1, w1, w2, w3, w0);
    extend!(1, w2, w3, w0, w1);
    extend!(1, w3, w0, w1, w2);
    extend!(1, w0, w1, w2, w3);
    extend!(1, w1, w2, w3, w0);
    extend!(2, w2, w3, w0, w1);
    extend!(2, w3, w0, w1, w2);
    extend!(2, w0, w1, w2, w3);
    extend!(2, w1, w2, w3, w0);
    extend!(2, w2, w3, w0, w1);
    extend!(3, w3, w0, w1, w2);
    extend!(3, w0, w1, w2, w3);
    extend!(3, w1, w2, w3, w0);
    extend!(3, w2, w3, w0, w1);
    extend!(3, w3, w0, w1, w2);

    for i in 0..N {
        abcd[i] = _mm_add_epi32(abcd[i], abcd_before[i]);
        e[i] = _mm_sha1nexte_epu32(e[i], e_before[i]);
    }
}

/// Four rounds with the function and constant number `F`.
///
/// `e` holds the `abcd` of four rounds before, from which the instruction derives E.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn four_rounds<const F: i32, const N: usize>(
    abcd: &mut Lanes<N>,
    e: &mut Lanes<N>,
    words: &Lanes<N>,
) {
    for i in 0..N {
        let e_and_words = _mm_sha1nexte_epu32(e[i], words[i]);
        e[i] = abcd[i];
        abcd[i] = _mm_sha1rnds4_epu32::<F>(abcd[i], e_and_words);
    }
}

/// Replace the oldest four of the last 16 words of the message schedule by the next four.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn schedule<const N: usize>(w0: &mut Lanes<N>, w1: &Lanes<N>, w2: &Lanes<N>, w3: &Lanes<N>) {
    for i in 0..N {
        let sum = _mm_xor_si128(_mm_sha1msg1_epu32(w0[i], w1[i]), w2[i]);
        w0[i] = _mm_sha1msg2_epu32(sum, w3[i]);
    }
}

/// The big-endian words `4 * Q ..` of each block, the first in the highest place.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn load_words<const Q: usize, const N: usize>(blocks: [&Block; N]) -> Lanes<N> {
    let reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut words = [reverse; N];
    for i in 0..N {
        let (halves, _) = blocks[i].as_chunks();
        let low = i64::from_le_bytes(halves[2 * Q]);
        let high = i64::from_le_bytes(halves[2 * Q + 1]);
        words[i] = _mm_shuffle_epi8(_mm_set_epi64x(high, low), reverse);
    }
    words
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn load_state(state: &State) -> (__m128i, __m128i) {
    let words = state.map(u32::cast_signed);
    (
        _mm_set_epi32(words[0], words[1], words[2], words[3]),
        _mm_set_epi32(words[4], 0, 0, 0),
    )
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn store_state(abcd: __m128i, e: __m128i) -> State {
    [
        _mm_extract_epi32::<3>(abcd),
        _mm_extract_epi32::<2>(abcd),
        _mm_extract_epi32::<1>(abcd),
        _mm_extract_epi32::<0>(abcd),
        _mm_extract_epi32::<3>(e),
    ]
    .map(i32::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::portable;
    use super::*;

    fn run(kernel: &Kernel, states: &mut [State], blocks: &[Vec<Block>]) {
        let mut lanes: Vec<_> = states
            .iter_mut()
            .zip(blocks)
            .map(|(state, blocks)| Lane { state, blocks })
            .collect();
        (kernel.compress)(&mut lanes);
    }

    fn lanes() -> impl Strategy<Value = Vec<(State, Vec<Block>)>> {
        let block = prop::array::uniform32(any::<[u8; 2]>())
            .prop_map(|pairs| array::from_fn(|i| pairs[i / 2][i % 2]));
        (0..=5_usize, 0..4_usize).prop_flat_map(move |(lanes, count)| {
            prop::collection::vec(
                (any::<State>(), prop::collection::vec(block.clone(), count)),
                lanes,
            )
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_portable_kernel(lanes in lanes()) {
            // Where the instructions are missing there is nothing to compare.
            if let Some(kernel) = kernel() {
                let (mut actual, blocks): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
                let mut expected = actual.clone();
                run(kernel, &mut actual, &blocks);
                run(&portable::KERNEL, &mut expected, &blocks);
                prop_assert_eq!(actual, expected);
            }
        }
    }
}
