//! What goes wrong with a body on its way, in either direction.

use std::num::NonZeroU64;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

/// The faults to commit while a body is received or sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyFaults {
    /// Where the transfer of the body breaks off.
    pub ending: Option<Ending>,
    /// The offset of a byte that is inverted on its way.
    pub flip_at: Option<u64>,
    /// The body takes its time.
    pub bytes_per_second: Option<NonZeroU64>,
}

/// Where and how the transfer of a body breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How many bytes of the body are transferred.
    pub after: u64,
    /// What happens then.
    pub how: HowItEnds,
}

/// What becomes of a connection whose body breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowItEnds {
    /// It is closed in order, as by a process that ends.
    Close,
    /// It is reset.
    Reset,
    /// It stays, and nothing moves on it any more.
    Stall,
}

impl BodyFaults {
    /// The next `chunk` of a body of which `passed` bytes have gone before.
    pub(crate) fn flip(&self, passed: u64, chunk: Bytes) -> Bytes {
        let index = self
            .flip_at
            .and_then(|offset| offset.checked_sub(passed))
            .and_then(|offset| usize::try_from(offset).ok())
            .filter(|index| *index < chunk.len());
        let Some(index) = index else { return chunk };
        let mut copy = BytesMut::from(&chunk[..]);
        copy[index] = !copy[index];
        copy.freeze()
    }

    /// The speed of a body whose transfer begins now.
    pub(crate) fn pace(&self) -> Option<Pace> {
        let bytes_per_second = self.bytes_per_second?;
        let started = Instant::now();
        Some(Pace {
            bytes_per_second,
            started,
        })
    }
}

/// The speed of a body.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    bytes_per_second: NonZeroU64,
    started: Instant,
}

impl Pace {
    /// When the bytes behind the first `passed` ones may go on.
    pub(crate) fn due(&self, passed: u64) -> Instant {
        let bytes_per_second = u128::from(self.bytes_per_second.get());
        let nanoseconds = u128::from(passed) * 1_000_000_000 / bytes_per_second;
        // Six centuries are enough.
        self.started + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// The most bytes to send at once: those of a twentieth of a second, one at least.
    pub(crate) fn step(&self) -> u64 {
        (self.bytes_per_second.get() / 20).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_is_flipped_wherever_the_chunks_end() {
        let faults = BodyFaults {
            flip_at: Some(3),
            ..BodyFaults::default()
        };
        for split in 0..=6 {
            let (head, tail) = b"\x01\x02\x03\x04\x05\x06".split_at(split);
            let head = faults.flip(0, Bytes::from_static(head));
            let tail = faults.flip(split as u64, Bytes::from_static(tail));
            assert_eq!([head, tail].concat(), b"\x01\x02\x03\xfb\x05\x06");
        }
    }

    #[test]
    fn the_pace_follows_from_the_bytes_that_have_passed() {
        let pace = |rate| {
            let faults = BodyFaults {
                bytes_per_second: NonZeroU64::new(rate),
                ..BodyFaults::default()
            };
            faults.pace()
        };
        assert!(pace(0).is_none());
        let slow = pace(10).unwrap();
        assert_eq!(slow.step(), 1);
        assert_eq!(slow.due(0), slow.started);
        assert_eq!(slow.due(15), slow.started + Duration::from_millis(1500));
        assert!(slow.due(u64::MAX) > slow.due(1_000_000));
        assert_eq!(pace(1_000_000).unwrap().step(), 50_000);
    }
}
