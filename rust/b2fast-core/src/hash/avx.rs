//! SHA-1 of 8 streams with AVX2 and of 16 with AVX-512, one in each place of a vector.

// The instructions may be used only where they exist, which the compiler cannot know. The calls
// are all that is unsafe.
#![allow(unsafe_code)]

use super::kernel::{Lane, Step};
use super::lanes;
use super::prefetch::prefetch_after;

pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

pub(super) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
}

/// Only for kernels that ask for [`has_avx2`].
pub(super) const fn eight_lanes(least: usize) -> Step {
    Step {
        least,
        most: 8,
        compress: |lanes| {
            // SAFETY: a step is run by a kernel that is available, and each that has this one
            // asks for `has_avx2`.
            unsafe { compress_with_avx2(lanes) }
        },
    }
}

/// Only for kernels that ask for [`has_avx512`].
pub(super) const fn sixteen_lanes(least: usize) -> Step {
    Step {
        least,
        most: 16,
        compress: |lanes| {
            // SAFETY: a step is run by a kernel that is available, and each that has this one
            // asks for `has_avx512`.
            unsafe { compress_with_avx512(lanes) }
        },
    }
}

#[target_feature(enable = "avx2")]
fn compress_with_avx2(lanes: &mut [Lane<'_>]) {
    lanes::compress::<8>(lanes, prefetch_after);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn compress_with_avx512(lanes: &mut [Lane<'_>]) {
    lanes::compress::<16>(lanes, prefetch_after);
}
