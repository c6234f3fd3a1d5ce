//! Counting the bytes of a transfer.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes moved, never fewer than before: what is moved again counts once here, and apart.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    retried: AtomicU64,
}

impl Progress {
    /// The bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many bytes were moved again so far.
    #[must_use]
    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// More bytes moved.
    pub fn add(&self, count: u64) {
        self.bytes.fetch_add(count, Ordering::Relaxed);
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

    /// An attempt has moved the bytes from `start` to `end` of the request.
    pub fn moved(&mut self, start: u64, end: u64) {
        let again = self.counted.min(end).saturating_sub(start);
        self.total.retried.fetch_add(again, Ordering::Relaxed);
        if end > self.counted {
            self.total.add(end - self.counted);
            self.counted = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_attempt_counts_apart() {
        let total = Progress::default();
        let mut request = RequestProgress::new(&total);
        request.moved(0, 40);
        request.moved(40, 70);
        assert_eq!((total.bytes(), total.retried()), (70, 0));
        request.moved(0, 10);
        assert_eq!((total.bytes(), total.retried()), (70, 10));
        request.moved(0, 60);
        request.moved(60, 100);
        assert_eq!((total.bytes(), total.retried()), (100, 80));
    }
}
