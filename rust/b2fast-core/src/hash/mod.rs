//! SHA-1 of several independent streams in step, and BLAKE3.
//!
//! SHA-1 is what B2 verifies content with, and the largest cost per byte of a transfer. One
//! stream is bound by the latency of the SHA instructions, not by their throughput, so
//! [`update_many`] advances several at once, and [`update_both`] a file and its part, which get
//! the same bytes. Which code does it is chosen at run time, [`kernel_name`] tells which: SHA
//! instructions where they are (`sha_ni`), vectors with a stream in each place (`lanes`, `avx`)
//! where there are many streams or no such instructions, plain code (`portable`) else.
//! BLAKE3 serves what B2 never sees, such as the journal of a partial download.

#[cfg(target_arch = "x86_64")]
mod avx;
mod file;
mod kernel;
mod lanes;
mod portable;
#[cfg(target_arch = "x86_64")]
mod prefetch;
mod sha1;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use blake3::Hasher as Blake3;

pub use self::file::{sha1_of_parts, sha1_of_range, sha1_of_ranges};
pub use self::kernel::kernel_name;
pub use self::sha1::{Sha1, sha1, update_both, update_many};

/// A SHA-1.
pub type Digest = [u8; 20];

/// Bytes as lower-case hex digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// A SHA-1 from its 40 hex digits, in either case; `None` if `text` is anything else.
#[must_use]
pub fn parse_hex(text: &str) -> Option<Digest> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut digest = Digest::default();
    if pairs.len() != digest.len() {
        return None;
    }
    for (byte, &[high, low]) in digest.iter_mut().zip(pairs) {
        *byte = (nibble(high)? << 4) | nibble(low)?;
    }
    Some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hex_is_read_back(digest: Digest) {
            let text = to_hex(&digest);
            prop_assert_eq!(parse_hex(&text), Some(digest));
            prop_assert_eq!(parse_hex(&text.to_uppercase()), Some(digest));
        }
    }

    #[test]
    fn only_40_hex_digits_are_a_digest() {
        let text = "0123456789abcdef0123456789abcdef01234567";
        assert!(parse_hex(text).is_some());
        assert_eq!(parse_hex(""), None);
        assert_eq!(parse_hex(&text[1..]), None);
        assert_eq!(parse_hex(&text[2..]), None);
        assert_eq!(parse_hex(&format!("{text}00")), None);
        assert_eq!(parse_hex(&text.replace('f', "g")), None);
        assert_eq!(parse_hex(&text.replace("01", "+1")), None);
        assert_eq!(parse_hex(&text.replace("ab", "é")), None);
    }
}
