//! The kernels of x86-64: which there are, and which is the fastest where.

use super::kernel::Kernel;
use super::portable::ONE_BY_ONE;
use super::{avx, sha_ni};

pub(super) static KERNELS: [&Kernel; 6] = [
    &SHA_NI_AND_AVX512,
    &SHA_NI_OF_INTEL_AND_AVX512,
    &SHA_NI_OF_INTEL,
    &SHA_NI,
    &AVX512,
    &AVX2,
];

/// With so many lanes 16 with AVX-512 (5.5 GiB/s on a Zen 4, places without a lane included) are
/// faster than groups of six with SHA instructions (4.6 GiB/s).
const NEARLY_SIXTEEN: usize = 14;

static SHA_NI: Kernel = Kernel {
    name: "sha-ni",
    available: sha_ni::available,
    steps: &[sha_ni::STEP],
    compress_both: Some(sha_ni::compress_both),
};

static SHA_NI_OF_INTEL: Kernel = Kernel {
    name: "sha-ni-avx512",
    available: sha_ni_and_avx512,
    steps: &[sha_ni::STEP_WITH_AVX512],
    compress_both: Some(sha_ni::compress_both_with_avx512),
};

static SHA_NI_AND_AVX512: Kernel = Kernel {
    name: "sha-ni+avx512",
    available: sha_ni_and_avx512,
    steps: &[avx::sixteen_lanes(NEARLY_SIXTEEN), sha_ni::STEP],
    compress_both: Some(sha_ni::compress_both),
};

static SHA_NI_OF_INTEL_AND_AVX512: Kernel = Kernel {
    name: "sha-ni-avx512+avx512",
    available: sha_ni_and_avx512,
    steps: &[avx::sixteen_lanes(NEARLY_SIXTEEN), sha_ni::STEP_WITH_AVX512],
    compress_both: Some(sha_ni::compress_both_with_avx512),
};

static AVX2: Kernel = Kernel {
    name: "avx2",
    available: avx::has_avx2,
    steps: &[avx::eight_lanes(2), ONE_BY_ONE],
    compress_both: None,
};

static AVX512: Kernel = Kernel {
    name: "avx512",
    available: || avx::has_avx512() && avx::has_avx2(),
    steps: &[avx::sixteen_lanes(9), avx::eight_lanes(2), ONE_BY_ONE],
    compress_both: None,
};

/// The fastest of the kernels here that this processor can run.
pub(super) fn best() -> Option<&'static Kernel> {
    let with_both = if is_amd() {
        &SHA_NI_AND_AVX512
    } else {
        &SHA_NI_OF_INTEL_AND_AVX512
    };
    // Eight lanes with AVX2 are slower than three with SHA instructions.
    [with_both, &SHA_NI, &AVX512, &AVX2]
        .into_iter()
        .find(|kernel| (kernel.available)())
}

fn sha_ni_and_avx512() -> bool {
    sha_ni::available() && avx::has_avx512()
}

/// AMD's cores do not share the weakness that Intel's schedule is for. They alone have `sse4a`.
fn is_amd() -> bool {
    is_x86_feature_detected!("sse4a")
}
