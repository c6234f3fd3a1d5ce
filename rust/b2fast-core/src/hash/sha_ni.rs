//! SHA-1 with the SHA extensions of x86-64, up to six streams interleaved.
//!
//! A stream is a chain of `sha1rnds4`, each waiting for the one before; a core can have
//! several of them in flight. So the one kernel here is generic over the number of lanes and
//! takes every step for all lanes before the next. A Zen 3 does 1.55, 2.8, 3.25, 3.5, 3.7 and
//! 3.55 GiB/s for one to six: from three on the lanes do not fit into the 16 registers, but the
//! loads and stores of the rest have time.
//!
//! On Intel's cores that is not enough: there `sha1msg2` keeps `sha1rnds4` waiting, so that
//! four streams are no faster in step than one by one (a Xeon with AMX: 2.05, 2.35 and 2.05
//! GiB/s for one, two and four). For them a second instance of the kernel computes the
//! message schedule with plain vector instructions, which pays with the rotations and three-way
//! XORs of AVX-512 (2.2, 2.75 and 3.0 GiB/s) and not without (1.65, 2.05 and 2.1).
//!
//! The schedule depends on nothing but the bytes. So two streams that get the same bytes, a
//! file and its part, share one: both together then take little more than one alone.

// The instructions may be used only where they exist, which the compiler cannot know. The calls
// are all that is unsafe.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_extract_epi32, _mm_rol_epi32, _mm_set_epi8, _mm_set_epi32,
    _mm_set_epi64x, _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32,
    _mm_sha1rnds4_epu32, _mm_shuffle_epi8, _mm_slli_si128, _mm_srli_si128, _mm_ternarylogic_epi32,
    _mm_xor_si128,
};
use std::{array, mem};

use super::kernel::{Block, Lane, State, Step};
use super::prefetch::prefetch_after;

/// A multiple of what each of the two interleaves, so that groups are full.
const MOST: usize = 12;

/// With the instructions for the schedule. Only for kernels that ask for [`available`].
pub(super) const STEP: Step = Step {
    least: 1,
    most: MOST,
    compress: sha_ni::compress,
};

/// With the schedule by AVX-512. Only for kernels that ask for [`available`] and AVX-512.
pub(super) const STEP_WITH_AVX512: Step = Step {
    least: 1,
    most: MOST,
    compress: sha_ni_avx512::compress,
};

/// Like [`STEP`].
pub(super) fn compress_both(states: [&mut State; 2], blocks: &[Block]) {
    sha_ni::compress_both(states, blocks);
}

/// Like [`STEP_WITH_AVX512`].
pub(super) fn compress_both_with_avx512(states: [&mut State; 2], blocks: &[Block]) {
    sha_ni_avx512::compress_both(states, blocks);
}

pub(super) fn available() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

/// One value per lane.
type Lanes<const N: usize> = [__m128i; N];

/// The kernel, with some features and a way to extend the message schedule that uses them.
///
/// A macro because a `target_feature` cannot be a parameter of a function. The next four words
/// of the schedule come from the 16 before, four in each of the variables, the first in
/// the highest place.
macro_rules! kernel {
    (
        $name:ident,
        $features:literal,
        $widest:literal,
        |$w0:ident, $w1:ident, $w2:ident, $w3:ident| $next:expr
    ) => {
        mod $name {
            use super::*;

            pub(super) fn compress(lanes: &mut [Lane<'_>]) {
                // SAFETY: only kernels that are available are called, and each that has this
                // function asks for all the features.
                unsafe { all(lanes) }
            }

            pub(super) fn compress_both(states: [&mut State; 2], blocks: &[Block]) {
                // SAFETY: as above.
                unsafe { both(states, blocks) }
            }

            #[target_feature(enable = $features)]
            fn all(mut lanes: &mut [Lane<'_>]) {
                while !lanes.is_empty() {
                    // Groups of about the same size: four and three lanes take less time than
                    // six and one.
                    let groups = lanes.len().div_ceil($widest);
                    let count = lanes.len().div_ceil(groups);
                    let (group, rest) = mem::take(&mut lanes).split_at_mut(count);
                    match count {
                        1 => interleave::<1>(group),
                        2 => interleave::<2>(group),
                        3 => interleave::<3>(group),
                        4 => interleave::<4>(group),
                        5 => interleave::<5>(group),
                        6 => interleave::<6>(group),
                        _ => unreachable!("more than six lanes"),
                    }
                    lanes = rest;
                }
            }

            /// Advance two streams by the same blocks.
            #[target_feature(enable = $features)]
            fn both(states: [&mut State; 2], blocks: &[Block]) {
                let mut abcd = [_mm_set_epi32(0, 0, 0, 0); 2];
                let mut e = abcd;
                for i in 0..2 {
                    (abcd[i], e[i]) = load_state(states[i]);
                }
                for block in blocks {
                    prefetch_after(block);
                    compress_block(&mut abcd, &mut e, [block]);
                }
                for (i, state) in states.into_iter().enumerate() {
                    *state = store_state(abcd[i], e[i]);
                }
            }

            #[target_feature(enable = $features)]
            fn interleave<const N: usize>(lanes: &mut [Lane<'_>]) {
                let lanes: &mut [Lane<'_>; N] = lanes.try_into().expect("N lanes");
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
                    let blocks: [&Block; N] = array::from_fn(|i| &blocks[i][index]);
                    for block in blocks {
                        prefetch_after(block);
                    }
                    compress_block::<N, N>(&mut abcd, &mut e, blocks);
                }
                for i in 0..N {
                    *lanes[i].state = store_state(abcd[i], e[i]);
                }
            }

            /// Advance `N` streams by a block each, or all by the same one (`M` = 1).
            #[target_feature(enable = $features)]
            #[inline]
            fn compress_block<const N: usize, const M: usize>(
                abcd: &mut Lanes<N>,
                e: &mut Lanes<N>,
                blocks: [&Block; M],
            ) {
                // Words are scheduled as soon as those that they replace are used: the processor
                // sees only so far ahead.
                macro_rules! rounds_and_schedule {
                    ($f:literal, $a:ident, $b:ident, $c:ident, $d:ident) => {
                        four_rounds::<$f, N, M>(abcd, e, &$a);
                        schedule(&mut $a, &$b, &$c, &$d);
                    };
                }
                let (abcd_before, e_before) = (*abcd, *e);
                let mut w0 = load_words::<0, M>(blocks);
                let mut w1 = load_words::<1, M>(blocks);
                let mut w2 = load_words::<2, M>(blocks);
                let mut w3 = load_words::<3, M>(blocks);
                first_four_rounds(abcd, e, &w0);
                schedule(&mut w0, &w1, &w2, &w3);
                rounds_and_schedule!(0, w1, w2, w3, w0);
                rounds_and_schedule!(0, w2, w3, w0, w1);
                rounds_and_schedule!(0, w3, w0, w1, w2);
                rounds_and_schedule!(0, w0, w1, w2, w3);
                rounds_and_schedule!(1, w1, w2, w3, w0);
                rounds_and_schedule!(1, w2, w3, w0, w1);
                rounds_and_schedule!(1, w3, w0, w1, w2);
                rounds_and_schedule!(1, w0, w1, w2, w3);
                rounds_and_schedule!(1, w1, w2, w3, w0);
                rounds_and_schedule!(2, w2, w3, w0, w1);
                rounds_and_schedule!(2, w3, w0, w1, w2);
                rounds_and_schedule!(2, w0, w1, w2, w3);
                rounds_and_schedule!(2, w1, w2, w3, w0);
                rounds_and_schedule!(2, w2, w3, w0, w1);
                rounds_and_schedule!(3, w3, w0, w1, w2);
                four_rounds::<3, N, M>(abcd, e, &w0);
                four_rounds::<3, N, M>(abcd, e, &w1);
                four_rounds::<3, N, M>(abcd, e, &w2);
                four_rounds::<3, N, M>(abcd, e, &w3);
                for i in 0..N {
                    abcd[i] = _mm_add_epi32(abcd[i], abcd_before[i]);
                    e[i] = _mm_sha1nexte_epu32(e[i], e_before[i]);
                }
            }

            #[target_feature(enable = $features)]
            #[inline]
            fn schedule<const M: usize>(
                w0: &mut Lanes<M>,
                w1: &Lanes<M>,
                w2: &Lanes<M>,
                w3: &Lanes<M>,
            ) {
                for i in 0..M {
                    let ($w0, $w1, $w2, $w3) = (w0[i], w1[i], w2[i], w3[i]);
                    w0[i] = $next;
                }
            }
        }
    };
}

kernel!(sha_ni, "sha,ssse3,sse4.1", 6, |w0, w1, w2, w3| {
    let sum = _mm_xor_si128(_mm_sha1msg1_epu32(w0, w1), w2);
    _mm_sha1msg2_epu32(sum, w3)
});

kernel!(
    sha_ni_avx512,
    "sha,ssse3,sse4.1,avx512f,avx512vl",
    4,
    |w0, w1, w2, w3| {
        const XOR: i32 = 0b1001_0110;
        let sum =
            _mm_ternarylogic_epi32::<XOR>(_mm_sha1msg1_epu32(w0, w1), w2, _mm_slli_si128::<4>(w3));
        // The last of the four words needs the first of them, rotated once more.
        let first = _mm_rol_epi32::<2>(_mm_srli_si128::<12>(sum));
        _mm_xor_si128(_mm_rol_epi32::<1>(sum), first)
    }
);

/// The first rounds of a block: `e` is added as it is.
///
/// Afterwards it holds the `abcd` of four rounds before, from which E is derived.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn first_four_rounds<const N: usize, const M: usize>(
    abcd: &mut Lanes<N>,
    e: &mut Lanes<N>,
    words: &Lanes<M>,
) {
    for i in 0..N {
        let e_and_words = _mm_add_epi32(e[i], words[i % M]);
        e[i] = abcd[i];
        abcd[i] = _mm_sha1rnds4_epu32::<0>(abcd[i], e_and_words);
    }
}

/// Four rounds with the function and constant number `F`.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn four_rounds<const F: i32, const N: usize, const M: usize>(
    abcd: &mut Lanes<N>,
    e: &mut Lanes<N>,
    words: &Lanes<M>,
) {
    for i in 0..N {
        let e_and_words = _mm_sha1nexte_epu32(e[i], words[i % M]);
        e[i] = abcd[i];
        abcd[i] = _mm_sha1rnds4_epu32::<F>(abcd[i], e_and_words);
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
