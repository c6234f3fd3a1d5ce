//! Counting the bytes of a transfer.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes moved, never fewer than before: what is sent again counts once.
#[derive(Debug, Default)]
pub struct Progress(AtomicU64);

impl Progress {
    /// The bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// More bytes moved.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

/// The share of one request that may have to be sent again.
#[derive(Debug)]
pub struct RequestProgress<'a> {
    total: &'a Progress,
    counted: u64,
}

impl<'a> RequestProgress<'a> {
    /// Nothing of the request counted yet.
    #[must_use]
    pub fn new(total: &'a Progress) -> Self {
        Self { total, counted: 0 }
    }

    /// The most bytes that one attempt has moved.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.counted
    }

    /// This attempt has moved `bytes` in all.
    pub fn reached(&mut self, bytes: u64) {
        if bytes > self.counted {
            self.total.add(bytes - self.counted);
            self.counted = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_attempt_does_not_count_twice() {
        let total = Progress::default();
        let mut request = RequestProgress::new(&total);
        request.reached(70);
        request.reached(10);
        assert_eq!(total.bytes(), 70);
        request.reached(100);
        assert_eq!(total.bytes(), 100);
    }
}
