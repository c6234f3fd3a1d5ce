//! How a file is cut into parts, within the limits of B2.

use crate::error::{Error, Result};

/// The smallest part of a large file but its last one, in bytes: what B2 announces as
/// `absoluteMinimumPartSize`.
pub const MIN_PART_SIZE: u64 = 5_000_000;

/// The largest part, and the largest file that is not a large file, in bytes.
pub const MAX_PART_SIZE: u64 = 5_000_000_000;

/// The most parts of a large file.
pub const MAX_PARTS: u64 = 10_000;

/// The largest file, in bytes.
pub const MAX_FILE_SIZE: u64 = 10_000_000_000_000;

/// The fewest parts of a large file.
pub const MIN_PARTS: u64 = 2;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// B2's part number, from 1.
    pub number: u32,
    /// Where the part starts in the file, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

impl Part {
    /// Where the part ends in the file, in bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.length
    }
}

/// Cut a file of `length` bytes into parts of the `recommended` size, the last one taking
/// the rest.
///
/// A file that fits into one part is one: it is then uploaded without parts. Parts
/// are larger than recommended where `minimum` asks for it, or where [`MAX_PARTS`] of them
/// would not hold the file, and never larger than [`MAX_PART_SIZE`]. The minimum comes from
/// the service ([`MIN_PART_SIZE`] at B2; simulators have tiny ones).
///
/// `Error::InvalidArgument` for a file above [`MAX_FILE_SIZE`], a minimum above
/// [`MAX_PART_SIZE`], and for parts of no bytes.
pub fn plan_parts(length: u64, recommended: u64, minimum: u64) -> Result<Vec<Part>> {
    if length > MAX_FILE_SIZE {
        return Err(Error::InvalidArgument(format!(
            "a file of {length} bytes is larger than the {MAX_FILE_SIZE} bytes that B2 allows"
        )));
    }
    if minimum > MAX_PART_SIZE {
        return Err(Error::InvalidArgument(format!(
            "a minimum part size of {minimum} bytes is larger than the {MAX_PART_SIZE} bytes \
             that B2 allows"
        )));
    }
    let wanted = recommended.max(minimum).min(MAX_PART_SIZE);
    if wanted == 0 {
        return Err(Error::InvalidArgument(
            "the part size has to be at least 1 byte".to_owned(),
        ));
    }
    // MAX_FILE_SIZE / MAX_PARTS is far below MAX_PART_SIZE, so growing never gets there.
    let size = wanted.max(length.div_ceil(MAX_PARTS));
    let count = length.div_ceil(size).max(1);
    Ok((1..)
        .zip(0..count)
        .map(|(number, index)| {
            let offset = index * size;
            Part {
                number,
                offset,
                length: size.min(length - offset),
            }
        })
        .collect())
}

/// Cut `content_length` bytes into as many equal ranges, (offset, length), as
/// `minimum_part_size` and [`MAX_PARTS`] allow; the last one takes what is left over too.
///
/// `Error::InvalidArgument` if that makes fewer than [`MIN_PARTS`] ranges, or if the minimum
/// is 0.
pub fn choose_part_ranges(content_length: u64, minimum_part_size: u64) -> Result<Vec<(u64, u64)>> {
    let Some(most) = content_length.checked_div(minimum_part_size) else {
        return Err(Error::InvalidArgument(
            "the minimum part size has to be at least 1 byte".to_owned(),
        ));
    };
    if most < MIN_PARTS {
        return Err(Error::InvalidArgument(format!(
            "{content_length} bytes do not make {MIN_PARTS} parts of at least \
             {minimum_part_size} bytes"
        )));
    }
    let count = most.min(MAX_PARTS);
    let size = content_length / count;
    let last = (count - 1) * size;
    let mut ranges: Vec<_> = (0..count - 1).map(|index| (index * size, size)).collect();
    ranges.push((last, content_length - last));
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lengths() -> impl Strategy<Value = u64> {
        prop_oneof![0..=2000_u64, 0..=MAX_FILE_SIZE]
    }

    fn sizes() -> impl Strategy<Value = u64> {
        prop_oneof![1..=100_u64, MIN_PART_SIZE..=2 * MAX_PART_SIZE]
    }

    fn cover(ranges: impl IntoIterator<Item = (u64, u64)>, length: u64) -> bool {
        let end = ranges.into_iter().try_fold(0, |end, (offset, length)| {
            (offset == end).then_some(offset + length)
        });
        end == Some(length)
    }

    proptest! {
        #[test]
        fn parts_are_what_b2_takes(
            length in lengths(),
            recommended in sizes(),
            minimum in 0..=MIN_PART_SIZE,
        ) {
            let parts = plan_parts(length, recommended, minimum).unwrap();
            prop_assert!(cover(parts.iter().map(|part| (part.offset, part.length)), length));
            prop_assert!(parts.len() as u64 <= MAX_PARTS);
            prop_assert!(parts.iter().zip(1..).all(|(part, number)| part.number == number));
            let [all_but_last @ .., last] = parts.as_slice() else {
                unreachable!("no parts");
            };
            prop_assert!(last.length >= u64::from(length > 0));
            prop_assert!(last.length <= MAX_PART_SIZE);
            for part in all_but_last {
                prop_assert_eq!(part.length, parts[0].length);
                prop_assert!(part.length >= minimum);
                prop_assert!(part.length <= MAX_PART_SIZE);
                prop_assert!(last.length <= part.length);
            }
            let fits = length <= recommended.max(minimum).min(MAX_PART_SIZE);
            prop_assert_eq!(parts.len() == 1, fits);
            if length <= recommended.min(MAX_PART_SIZE).saturating_mul(MAX_PARTS) && !fits {
                prop_assert_eq!(parts[0].length, recommended.max(minimum).min(MAX_PART_SIZE));
            }
        }

        #[test]
        fn ranges_are_even(minimum in sizes(), parts in 2..30_000_u64, extra in 0..1000_u64) {
            let length = minimum * parts + extra;
            let ranges = choose_part_ranges(length, minimum).unwrap();
            prop_assert!(cover(ranges.iter().copied(), length));
            prop_assert_eq!(ranges.len() as u64, (length / minimum).min(MAX_PARTS));
            prop_assert!(ranges.iter().all(|&(_, length)| length >= minimum));
            let size = ranges[0].1;
            let (_, last) = ranges[ranges.len() - 1];
            prop_assert!(ranges[..ranges.len() - 1].iter().all(|&(_, length)| length == size));
            prop_assert!(last >= size);
            prop_assert!(last - size < ranges.len() as u64);
        }
    }

    #[test]
    fn the_last_part_takes_the_rest() {
        let lengths = |length, recommended, minimum| -> Vec<u64> {
            let parts = plan_parts(length, recommended, minimum).unwrap();
            parts.iter().map(|part| part.length).collect()
        };
        assert_eq!(lengths(0, 100, 5), [0]);
        assert_eq!(lengths(100, 100, 5), [100]);
        assert_eq!(lengths(101, 100, 5), [100, 1]);
        assert_eq!(lengths(250, 100, 5), [100, 100, 50]);
        assert_eq!(lengths(250, 100, 120), [120, 120, 10]);
        assert_eq!(
            lengths(6_000_000_000, u64::MAX, 5),
            [MAX_PART_SIZE, 1_000_000_000]
        );
    }

    #[test]
    fn parts_grow_when_there_would_be_too_many() {
        let parts = plan_parts(MAX_FILE_SIZE, 100_000_000, MIN_PART_SIZE).unwrap();
        assert_eq!(parts.len(), 10_000);
        assert!(parts.iter().all(|part| part.length == 1_000_000_000));
        let parts = plan_parts(1_000_000_000_001, 100_000_000, MIN_PART_SIZE).unwrap();
        assert_eq!(parts[0].length, 100_000_001);
        assert_eq!(parts.len(), 10_000);
    }

    #[test]
    fn the_impossible_is_refused() {
        for (length, recommended, minimum) in [
            (MAX_FILE_SIZE + 1, 100_000_000, MIN_PART_SIZE),
            (1000, 0, 0),
            (1000, 100, MAX_PART_SIZE + 1),
        ] {
            let result = plan_parts(length, recommended, minimum);
            assert!(matches!(result, Err(Error::InvalidArgument(_))));
        }
        for (length, minimum) in [(0, 100), (199, 100), (1, 1), (100, 0)] {
            let result = choose_part_ranges(length, minimum);
            assert!(matches!(result, Err(Error::InvalidArgument(_))));
        }
    }
}
