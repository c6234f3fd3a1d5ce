//! Which code compresses blocks on this machine.

use std::mem;
use std::sync::LazyLock;

use super::portable;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// The five words that SHA-1 carries from block to block.
pub(super) type State = [u32; 5];

/// The bytes that SHA-1 works on at once.
pub(super) type Block = [u8; BLOCK_SIZE];

/// The size of a [`Block`].
pub(super) const BLOCK_SIZE: usize = 64;

/// One of the streams that a kernel advances in step.
pub(super) struct Lane<'a> {
    pub(super) state: &'a mut State,
    pub(super) blocks: &'a [Block],
}

/// Advances two streams by the same blocks.
pub(super) type CompressBoth = fn([&mut State; 2], &[Block]);

/// An implementation of the compression function.
pub(super) struct Kernel {
    /// How [`kernel_name`] and `B2FAST_SHA1` call it.
    pub(super) name: &'static str,
    /// Whether this processor can run it. If not, nothing else here may be called.
    pub(super) available: fn() -> bool,
    /// How several streams are advanced, the way for the most of them first. The last one
    /// takes a single stream.
    pub(super) steps: &'static [Step],
    /// Advances two streams by the same blocks, if that is less work than two lanes are.
    pub(super) compress_both: Option<CompressBoth>,
}

/// A way to advance some streams in step.
pub(super) struct Step {
    /// With fewer lanes than this, those of the next step are faster.
    pub(super) least: usize,
    /// The most lanes that it takes at once.
    pub(super) most: usize,
    /// Advances `1..=most` lanes, all with the same number of blocks.
    pub(super) compress: fn(&mut [Lane<'_>]),
}

impl Kernel {
    /// How many streams are best advanced at once, if there are so many.
    pub(super) fn lanes(&self) -> usize {
        self.steps[0].most
    }

    /// Advance any number of lanes, all with the same number of blocks.
    pub(super) fn compress(&self, mut lanes: &mut [Lane<'_>]) {
        for step in self.steps {
            while lanes.len() >= step.least {
                let count = lanes.len().min(step.most);
                let (group, rest) = mem::take(&mut lanes).split_at_mut(count);
                (step.compress)(group);
                lanes = rest;
            }
        }
    }

    /// Advance two streams by the same blocks.
    pub(super) fn compress_both(&self, states: [&mut State; 2], blocks: &[Block]) {
        match self.compress_both {
            Some(compress_both) => compress_both(states, blocks),
            None => self.compress(&mut states.map(|state| Lane { state, blocks })),
        }
    }
}

/// Every kernel of this architecture, whether the processor can run it or not.
pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
    #[cfg(target_arch = "x86_64")]
    let special = x86::KERNELS;
    #[cfg(not(target_arch = "x86_64"))]
    let special: [&Kernel; 0] = [];
    special.into_iter().chain([&portable::KERNEL])
}

static KERNEL: LazyLock<&'static Kernel> = LazyLock::new(|| {
    // The way to tell a fault of a kernel from one of its callers, and to test each.
    let wanted = std::env::var_os("B2FAST_SHA1");
    kernels()
        .find(|kernel| {
            wanted.as_ref().is_some_and(|name| name == kernel.name) && (kernel.available)()
        })
        .unwrap_or_else(best)
});

/// The kernel that is fastest on this processor.
fn best() -> &'static Kernel {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = x86::best() {
        return kernel;
    }
    &portable::KERNEL
}

/// The kernel in use.
pub(super) fn kernel() -> &'static Kernel {
    *KERNEL
}

/// The SHA-1 implementation in use.
///
/// - "sha-ni": SHA instructions, up to six streams interleaved;
/// - "sha-ni-avx512": the same with a message schedule that suits Intel's processors;
/// - "sha-ni+avx512", "sha-ni-avx512+avx512": one of these, and vectors for 16 streams;
/// - "avx512", "avx2": vectors for 16 or 8 streams, and plain code for a single one;
/// - "portable": plain code.
///
/// The environment variable `B2FAST_SHA1`, read once, names the one to use. It is ignored if the
/// processor cannot run that.
#[must_use]
pub fn kernel_name() -> &'static str {
    kernel().name
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::{array, env};

    use proptest::prelude::*;

    use super::*;
    use crate::hash::portable::ONE_BY_ONE;

    /// Every kernel that can be tested here. Where instructions are missing there is nothing to
    /// compare.
    fn available() -> impl Iterator<Item = &'static Kernel> {
        kernels().filter(|kernel| (kernel.available)())
    }

    fn run(compress: impl Fn(&mut [Lane<'_>]), lanes: &[(State, Vec<Block>)]) -> Vec<State> {
        let mut states: Vec<_> = lanes.iter().map(|(state, _)| *state).collect();
        let mut lanes: Vec<_> = states
            .iter_mut()
            .zip(lanes)
            .map(|(state, (_, blocks))| Lane { state, blocks })
            .collect();
        compress(&mut lanes);
        states
    }

    fn one_by_one(lanes: &mut [Lane<'_>]) {
        for lane in lanes.chunks_mut(1) {
            (ONE_BY_ONE.compress)(lane);
        }
    }

    /// Some lanes, all with the same number of blocks.
    fn lanes(
        lanes: impl Strategy<Value = usize>,
    ) -> impl Strategy<Value = Vec<(State, Vec<Block>)>> {
        let block = prop::array::uniform32(any::<[u8; 2]>())
            .prop_map(|pairs| array::from_fn(|i| pairs[i / 2][i % 2]));
        (lanes, 0..4_usize).prop_flat_map(move |(lanes, count)| {
            prop::collection::vec(
                (any::<State>(), prop::collection::vec(block.clone(), count)),
                lanes,
            )
        })
    }

    proptest! {
        #[test]
        fn kernels_agree_with_plain_code(lanes in lanes(0..=35_usize)) {
            let expected = run(one_by_one, &lanes);
            for kernel in available() {
                let actual = run(|lanes| kernel.compress(lanes), &lanes);
                prop_assert_eq!(&actual, &expected, "{}", kernel.name);
            }
        }

        #[test]
        fn both_agree_with_plain_code(mut lanes in lanes(Just(2))) {
            lanes[1].1 = lanes[0].1.clone();
            let expected = run(one_by_one, &lanes);
            for kernel in available() {
                let [mut first, mut second] = [lanes[0].0, lanes[1].0];
                kernel.compress_both([&mut first, &mut second], &lanes[0].1);
                prop_assert_eq!(&[first, second][..], &expected, "{}", kernel.name);
            }
        }
    }

    #[test]
    fn kernels_have_a_step_for_any_number_of_lanes() {
        for kernel in kernels() {
            assert_eq!(kernel.steps.last().map(|step| step.least), Some(1));
            assert!(kernel.steps.iter().all(|step| step.least <= step.most));
        }
    }

    #[test]
    fn the_environment_names_the_kernel() {
        let wanted = env::var("B2FAST_SHA1").unwrap_or_default();
        let expected = available().find(|kernel| kernel.name == wanted);
        assert_eq!(kernel_name(), expected.unwrap_or_else(best).name);
    }

    #[test]
    fn every_kernel_passes_the_tests_of_the_public_functions() {
        for name in available().map(|kernel| kernel.name).chain(["", "unknown"]) {
            let output = Command::new(env::current_exe().unwrap())
                .args([
                    "hash::sha1::",
                    "hash::file::",
                    "the_environment_names_the_kernel",
                ])
                .env("B2FAST_SHA1", name)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{name}: {text}");
            assert!(
                text.contains("the_environment_names_the_kernel ... ok"),
                "{text}"
            );
            assert!(text.contains("many_are_like_each ... ok"), "{text}");
        }
    }
}
