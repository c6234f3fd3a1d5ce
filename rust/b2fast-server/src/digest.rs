//! SHA-1 digests.

pub(crate) type Digest = [u8; 20];

/// A SHA-1 computation.
#[derive(Clone)]
pub(crate) struct Sha1(sha1::Sha1);

impl Sha1 {
    pub(crate) fn new() -> Self {
        use sha1::Digest;
        Self(sha1::Sha1::new())
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        use sha1::Digest;
        self.0.update(data);
    }

    pub(crate) fn finish(self) -> Digest {
        use sha1::Digest;
        self.0.finalize().into()
    }
}

pub(crate) fn to_hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
