//! The SHA-1 that follows the content in the body of an upload.

/// The length of the digest in hexadecimal digits.
pub(crate) const TRAILER_LENGTH: u64 = 40;

/// Splits a body into its content and the digits that follow it.
///
/// The length of the body is declared, so that what belongs where is known in advance and
/// nothing needs to be held back until the end shows.
pub(crate) struct TrailerSplitter {
    content_left: u64,
    trailer: Vec<u8>,
}

impl TrailerSplitter {
    /// Splits a body of `length` bytes. One shorter than the trailer has no content.
    pub(crate) fn new(length: u64) -> Self {
        Self {
            content_left: length.saturating_sub(TRAILER_LENGTH),
            trailer: Vec::new(),
        }
    }

    /// The part of the next `chunk` of the body that is content.
    pub(crate) fn content_of<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let wanted = usize::try_from(self.content_left).unwrap_or(usize::MAX);
        let (content, trailer) = chunk.split_at(wanted.min(chunk.len()));
        self.content_left -= content.len() as u64;
        self.trailer.extend_from_slice(trailer);
        content
    }

    /// What followed the content.
    pub(crate) fn finish(self) -> String {
        lenient_text(&self.trailer)
    }
}

/// UTF-8 where it is, Latin-1 (every byte a character) otherwise.
pub(crate) fn lenient_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0123456789abcdef0123456789abcdef01234567";

    fn split(body: &[u8], chunks: &[&[u8]]) -> (Vec<u8>, String) {
        let mut splitter = TrailerSplitter::new(body.len() as u64);
        let mut content = Vec::new();
        for chunk in chunks {
            content.extend_from_slice(splitter.content_of(chunk));
        }
        (content, splitter.finish())
    }

    #[test]
    fn the_split_does_not_depend_on_the_chunks() {
        for length in [0, 1, 7, 39, 40, 41, 100] {
            let content: Vec<u8> = (0..length).collect();
            let body = [&content, DIGITS.as_bytes()].concat();
            for first in 0..=body.len() {
                for second in first..=body.len() {
                    let chunks = [&body[..first], &body[first..second], &body[second..]];
                    assert_eq!(split(&body, &chunks), (content.clone(), DIGITS.to_owned()));
                }
            }
            let single_bytes: Vec<&[u8]> = body.chunks(1).collect();
            assert_eq!(split(&body, &single_bytes), (content, DIGITS.to_owned()));
        }
    }

    #[test]
    fn a_body_shorter_than_the_trailer_has_no_content() {
        assert_eq!(split(b"abc", &[b"a", b"bc"]), (vec![], "abc".to_owned()));
    }

    #[test]
    fn text_that_is_no_utf8_is_latin1() {
        assert_eq!(lenient_text("ä".as_bytes()), "ä");
        assert_eq!(lenient_text(b"\xe4"), "ä");
    }
}
