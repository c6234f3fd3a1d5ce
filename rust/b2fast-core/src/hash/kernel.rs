//! Which code compresses blocks on this machine.

use std::sync::LazyLock;

use super::portable;

/// The five words that SHA-1 carries from block to block.
pub(super) type State = [u32; 5];

/// The bytes that SHA-1 works on at once.
pub(super) type Block = [u8; BLOCK_SIZE];

/// The size of a [`Block`].
pub(super) const BLOCK_SIZE: usize = 64;

/// The most lanes that are given to a kernel at once.
///
/// Four fill the SHA unit; more streams would only cost registers.
pub(super) const MAX_LANES: usize = 4;

/// One of the streams that a kernel advances in step.
pub(super) struct Lane<'a> {
    pub(super) state: &'a mut State,
    pub(super) blocks: &'a [Block],
}

/// An implementation of the compression function.
pub(super) struct Kernel {
    /// How [`kernel_name`] calls it.
    pub(super) name: &'static str,
    /// Advances up to [`MAX_LANES`] lanes, all with the same number of blocks.
    pub(super) compress: fn(&mut [Lane<'_>]),
    /// Advances two streams by the same blocks.
    pub(super) compress_both: fn([&mut State; 2], &[Block]),
}

static KERNEL: LazyLock<&'static Kernel> = LazyLock::new(|| {
    // The way to tell a fault of a kernel from one of its callers, and to test the fallback.
    if std::env::var_os("B2FAST_SHA1").is_some_and(|value| value == "portable") {
        return &portable::KERNEL;
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = super::sha_ni::kernel() {
        return kernel;
    }
    &portable::KERNEL
});

/// Advance up to [`MAX_LANES`] lanes, all with the same number of blocks.
pub(super) fn compress(lanes: &mut [Lane<'_>]) {
    (KERNEL.compress)(lanes);
}

/// Advance two streams by the same blocks.
pub(super) fn compress_both(states: [&mut State; 2], blocks: &[Block]) {
    (KERNEL.compress_both)(states, blocks);
}

/// The SHA-1 implementation in use: "sha-ni", "sha-ni-avx512" or "portable".
///
/// The environment variable `B2FAST_SHA1=portable`, read once, forces the last.
#[must_use]
pub fn kernel_name() -> &'static str {
    KERNEL.name
}
