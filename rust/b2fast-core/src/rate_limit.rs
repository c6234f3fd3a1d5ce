//! A limit to the bytes per second of all transfers that share it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cancel::{CancelToken, POLL_INTERVAL};
use crate::error::Result;

/// What may move at once after a pause: a tenth of a second's bytes.
const BURST: f64 = 0.1;

/// Bytes per second, shared by all who hold it. It can be changed while they move bytes.
#[derive(Default)]
pub struct RateLimit {
    /// 0: no limit.
    bytes_per_second: AtomicU64,
    account: Mutex<Option<Account>>,
}

/// What is owed, as a bank would see it: bytes are drawn after they moved, and time pays them.
#[derive(Clone, Copy)]
struct Account {
    balance: f64,
    at: Instant,
}

impl RateLimit {
    /// The limit; none if there is none.
    pub fn bytes_per_second(&self) -> Option<u64> {
        match self.bytes_per_second.load(Ordering::Relaxed) {
            0 => None,
            rate => Some(rate),
        }
    }

    /// Sets the limit, or none. What waits at the moment waits by the new one.
    pub fn set(&self, bytes_per_second: Option<u64>) {
        // A debt was made at the old rate: nobody is to pay for it at the new one.
        *self.account() = None;
        self.bytes_per_second
            .store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// How much is to move at a time of `wanted` bytes: what takes a twentieth of a second, or
    /// a connection would be idle for long and then busy again.
    #[must_use]
    pub fn at_once(&self, wanted: usize) -> usize {
        let Some(rate) = self.bytes_per_second() else {
            return wanted;
        };
        let share = usize::try_from(rate / 20).unwrap_or(usize::MAX);
        wanted.min(share.max(1))
    }

    /// Waits as long as the bytes that have just moved take, and those of others before.
    pub fn pay(&self, bytes: usize, cancel: &CancelToken) -> Result<()> {
        let mut bytes = bytes;
        while let Some(rate) = self.bytes_per_second() {
            let debt = draw(&mut self.account(), rate, bytes, Instant::now());
            if debt.is_zero() {
                return Ok(());
            }
            bytes = 0;
            // In slices, since the rate may change meanwhile.
            cancel.sleep(debt.min(POLL_INTERVAL))?;
        }
        Ok(())
    }

    fn account(&self) -> MutexGuard<'_, Option<Account>> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws `bytes` at the moment `now`; how long it takes until they are paid for.
fn draw(account: &mut Option<Account>, rate: u64, bytes: usize, now: Instant) -> Duration {
    // Rates and lengths are far below 2^52.
    #[allow(clippy::cast_precision_loss)]
    let (rate, bytes) = (rate as f64, bytes as f64);
    let last = account.unwrap_or(Account {
        balance: 0.0,
        at: now,
    });
    let earned = now.saturating_duration_since(last.at).as_secs_f64() * rate;
    let balance = (last.balance + earned).min(rate * BURST) - bytes;
    *account = Some(Account { balance, at: now });
    Duration::try_from_secs_f64(-balance / rate).unwrap_or_default()
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RateLimit")
            .field(&self.bytes_per_second())
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;

    proptest! {
        #[test]
        fn nobody_is_faster_than_the_rate_and_a_burst(
            rate in 1..1_000_000_u64,
            draws in prop::collection::vec((1..100_000_usize, 0..200_u64), 1..50),
        ) {
            let mut now = Instant::now();
            let start = now;
            let (mut account, mut moved) = (None, 0);
            for (bytes, pause) in draws {
                now += Duration::from_millis(pause);
                now += draw(&mut account, rate, bytes, now);
                moved += bytes as u64;
                // Paid, up to what a float cannot tell.
                let left = draw(&mut account, rate, 0, now + Duration::from_micros(1));
                prop_assert!(left < Duration::from_micros(1), "{left:?}");
                let most = (now - start).as_secs_f64() * rate as f64 + rate as f64 * BURST;
                prop_assert!(moved as f64 <= most + 1.0, "{moved} {most}");
            }
        }

        #[test]
        fn who_always_moves_gets_the_rate(rate in 1_000..1_000_000_u64, bytes in 1..50_000_usize) {
            let start = Instant::now();
            let (mut now, mut account) = (start, None);
            for _ in 0..100 {
                now += draw(&mut account, rate, bytes, now);
            }
            let taken = (now - start).as_secs_f64();
            let fair = 100.0 * bytes as f64 / rate as f64;
            prop_assert!((taken - fair).abs() <= fair * 0.001, "{taken} {fair}");
        }
    }

    #[test]
    fn there_is_no_limit_unless_it_is_set() {
        let limit = RateLimit::default();
        assert_eq!(limit.bytes_per_second(), None);
        assert_eq!(limit.at_once(1 << 20), 1 << 20);
        limit.pay(usize::MAX, &CancelToken::new()).unwrap();
    }

    #[test]
    fn a_wait_ends_with_the_limit_or_the_transfer() {
        let limit = RateLimit::default();
        limit.set(Some(1));
        assert_eq!(limit.at_once(1 << 20), 1);
        let cancel = CancelToken::with_poll(Box::new(|| false));
        assert!(matches!(limit.pay(1000, &cancel), Err(Error::Cancelled)));
        std::thread::scope(|scope| {
            // Waits for centuries, or for the line below.
            let waiting = scope.spawn(|| limit.pay(usize::MAX, &CancelToken::new()));
            limit.set(None);
            waiting.join().unwrap().unwrap();
        });
    }
}
