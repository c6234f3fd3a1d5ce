//! SHA-1 with the SHA extensions of x86-64, up to four streams interleaved.
//!
//! A stream is a chain of `sha1rnds4`, each waiting for the one before; a core can have
//! several of them in flight. So the one kernel here is generic over the number of lanes and
//! takes every step for all lanes before the next.
//!
//! On Intel's cores that is not enough: there `sha1msg2` keeps `sha1rnds4` waiting, so that
//! four streams are no faster in step than one by one (a Xeon with AMX: 2.05, 2.35 and 2.05
//! GiB/s for one, two and four). For them a second instance of the kernel computes the
//! message schedule with plain vector instructions, which pays with the rotations and three-way
//! XORs of AVX-512 (2.2, 2.75 and 3.0 GiB/s) and not without (1.65, 2.05 and 2.1).
//!
//! The schedule depends on nothing but the bytes. So two streams that get the same bytes, a
//! file and its part, share one: both together then take little more than one alone.

// The instructions may be used only where they exist, which the compiler cannot know, and a
// prefetch takes a raw pointer. These two are all that is unsafe.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_add_epi32, _mm_extract_epi32, _mm_prefetch, _mm_rol_epi32,
    _mm_set_epi8, _mm_set_epi32, _mm_set_epi64x, _mm_sha1msg1_epu32, _mm_sha1msg2_epu32,
    _mm_sha1nexte_epu32, _mm_sha1rnds4_epu32, _mm_shuffle_epi8, _mm_slli_si128, _mm_srli_si128,
    _mm_ternarylogic_epi32, _mm_xor_si128,
};
use std::array;

use super::kernel::{Block, Kernel, Lane, State};

/// How many blocks ahead memory is asked for.
///
/// The processor's own prefetcher does not keep up with bytes that another core has received:
/// without this they were hashed at half the speed of cached ones (1.06 and 2.1 GiB/s).
const PREFETCH_DISTANCE: usize = 64;

/// Ask for a block that is hashed soon. Nothing is read, so its address may be any.
fn prefetch(block: *const Block) {
    // SAFETY: a prefetch is a hint: it never faults and changes nothing but the caches.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast()) }
}

static SHA_NI: Kernel = Kernel {
    name: "sha-ni",
    compress: sha_ni::compress,
    compress_both: sha_ni::compress_both,
};

static SHA_NI_AVX512: Kernel = Kernel {
    name: "sha-ni-avx512",
    compress: sha_ni_avx512::compress,
    compress_both: sha_ni_avx512::compress_both,
};

/// The best of the kernels here that this processor can run.
pub(super) fn kernel() -> Option<&'static Kernel> {
    match (has_sha_ni(), has_avx512() && !is_amd()) {
        (false, _) => None,
        (true, false) => Some(&SHA_NI),
        (true, true) => Some(&SHA_NI_AVX512),
    }
}

fn has_sha_ni() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
}

/// AMD's cores do not share the weakness that the second kernel is for. They alone have `sse4a`.
fn is_amd() -> bool {
    is_x86_feature_detected!("sse4a")
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
        |$w0:ident, $w1:ident, $w2:ident, $w3:ident| $next:expr
    ) => {
        mod $name {
            use super::*;

            pub(super) fn compress(lanes: &mut [Lane<'_>]) {
                // SAFETY: this function is reachable through `kernel` alone, which hands it
                // out only where the processor has all the features.
                unsafe { all(lanes) }
            }

            pub(super) fn compress_both(states: [&mut State; 2], blocks: &[Block]) {
                // SAFETY: as above.
                unsafe { both(states, blocks) }
            }

            #[target_feature(enable = $features)]
            fn all(lanes: &mut [Lane<'_>]) {
                let rest = groups::<4>(lanes);
                let rest = groups::<3>(rest);
                let rest = groups::<2>(rest);
                groups::<1>(rest);
            }

            /// Advance two streams by the same blocks.
            #[target_feature(enable = $features)]
            fn both(states: [&mut State; 2], blocks: &[Block]) {
                let mut abcd = [_mm_set_epi32(0, 0, 0, 0); 2];
                let mut e = abcd;
                for i in 0..2 {
                    (abcd[i], e[i]) = load_state(states[i]);
                }
                for (index, block) in blocks.iter().enumerate() {
                    prefetch(blocks.as_ptr().wrapping_add(index + PREFETCH_DISTANCE));
                    compress_block(&mut abcd, &mut e, [block]);
                }
                for (i, state) in states.into_iter().enumerate() {
                    *state = store_state(abcd[i], e[i]);
                }
            }

            /// Advance groups of `N` lanes; the lanes left over are the result.
            #[target_feature(enable = $features)]
            fn groups<'a, 'b, const N: usize>(lanes: &'a mut [Lane<'b>]) -> &'a mut [Lane<'b>] {
                let (groups, rest) = lanes.as_chunks_mut::<N>();
                for group in groups {
                    interleave(group);
                }
                rest
            }

            #[target_feature(enable = $features)]
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
                    for lane in blocks {
                        prefetch(lane.as_ptr().wrapping_add(index + PREFETCH_DISTANCE));
                    }
                    compress_block::<N, N>(
                        &mut abcd,
                        &mut e,
                        array::from_fn(|i| &blocks[i][index]),
                    );
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

kernel!(sha_ni, "sha,ssse3,sse4.1", |w0, w1, w2, w3| {
    let sum = _mm_xor_si128(_mm_sha1msg1_epu32(w0, w1), w2);
    _mm_sha1msg2_epu32(sum, w3)
});

kernel!(
    sha_ni_avx512,
    "sha,ssse3,sse4.1,avx512f,avx512vl",
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
        fn they_agree_with_the_portable_kernel(lanes in lanes()) {
            let (states, blocks): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
            let mut expected = states.clone();
            run(&portable::KERNEL, &mut expected, &blocks);
            // Where the instructions are missing there is nothing to compare.
            for (kernel, available) in [
                (&SHA_NI, has_sha_ni()),
                (&SHA_NI_AVX512, has_sha_ni() && has_avx512()),
            ] {
                if available {
                    let mut actual = states.clone();
                    run(kernel, &mut actual, &blocks);
                    prop_assert_eq!(&actual, &expected, "{}", kernel.name);
                    if let ([first, second, ..], [blocks, ..]) = (&states[..], &blocks[..]) {
                        let (mut first, mut second) = (*first, *second);
                        (kernel.compress_both)([&mut first, &mut second], blocks);
                        let mut alone = [states[0], states[1]];
                        run(&portable::KERNEL, &mut alone, &[blocks.clone(), blocks.clone()]);
                        prop_assert_eq!([first, second], alone, "{}", kernel.name);
                    }
                }
            }
        }
    }
}
