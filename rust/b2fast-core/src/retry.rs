//! When to try again, and how long to wait before.

use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::error::{Error, Result};

/// How often and how long one request is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How many attempts are made in a row without progress.
    pub attempts: u32,
    /// The longest pause before the second attempt.
    pub first_delay: Duration,
    /// By how much the pause grows from attempt to attempt.
    pub factor: f64,
    /// The longest pause at all.
    pub max_delay: Duration,
    /// The longest time without progress, from the first failure on, pauses included.
    pub deadline: Option<Duration>,
}

impl Default for RetryPolicy {
    /// About twelve minutes of a service that refuses everything.
    fn default() -> Self {
        Self {
            attempts: 20,
            first_delay: Duration::from_secs(1),
            factor: 1.5,
            max_delay: Duration::from_secs(64),
            deadline: Some(Duration::from_secs(3600)),
        }
    }
}

/// How many answers in a row may break the protocol.
///
/// One may be a proxy's or garbled on its way. A server that keeps to it will not change while
/// a whole policy's pauses pass.
const MAX_BROKEN_ANSWERS: u32 = 3;

/// One request's attempts under a policy.
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    made: u32,
    broken: u32,
    /// The first failure since the last progress. Time before it was spent on moving bytes, or by
    /// a reader who did not ask for any.
    failing_since: Option<Instant>,
}

impl Attempts {
    /// No attempt made yet.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            made: 0,
            broken: 0,
            failing_since: None,
        }
    }

    /// Bytes moved: what failed before does not count any more.
    pub fn progress(&mut self) {
        *self = Self::new(self.policy);
    }

    /// After a failure that may pass: wait, or give up with `Error::RetriesExhausted`.
    ///
    /// The pause is what the service asks for by `Retry-After`, else a random one of at
    /// least half of what the policy allows, so that many workers do not come back at once.
    pub fn wait(&mut self, error: Error, cancel: &CancelToken) -> Result<()> {
        self.made += 1;
        self.broken += u32::from(matches!(error, Error::Protocol(_)));
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let pause = self.pause(&error);
        let too_late = self
            .policy
            .deadline
            .is_some_and(|deadline| since.elapsed().saturating_add(pause) > deadline);
        let too_often = self.made >= self.policy.attempts || self.broken >= MAX_BROKEN_ANSWERS;
        if too_often || too_late {
            return Err(Error::RetriesExhausted {
                attempts: self.made,
                last: Box::new(error),
            });
        }
        cancel.sleep(pause)
    }

    fn pause(&self, error: &Error) -> Duration {
        if let Error::Service(answer) = error
            && let Some(asked) = answer.retry_after
        {
            return asked;
        }
        let doublings = i32::try_from(self.made.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = self.policy.max_delay.as_secs_f64();
        let grown = self.policy.first_delay.as_secs_f64() * self.policy.factor.powi(doublings);
        Duration::from_secs_f64(grown.min(longest) * (0.5 + 0.5 * fastrand::f64()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::cancel::Scope;
    use crate::error::ServiceError;

    fn busy(retry_after: Option<Duration>) -> Error {
        Error::Service(ServiceError {
            status: 503,
            code: "service_unavailable".into(),
            message: String::new(),
            retry_after,
        })
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            attempts: 3,
            first_delay: Duration::ZERO,
            ..RetryPolicy::default()
        }
    }

    #[test]
    fn gives_up_after_the_last_attempt_with_its_error() {
        let mut attempts = Attempts::new(policy());
        let cancel = CancelToken::new();
        assert!(attempts.wait(busy(None), &cancel).is_ok());
        assert!(attempts.wait(busy(None), &cancel).is_ok());
        let error = attempts.wait(busy(None), &cancel).unwrap_err();
        assert!(matches!(
            error,
            Error::RetriesExhausted { attempts: 3, ref last } if matches!(**last, Error::Service(_))
        ));
    }

    #[test]
    fn progress_starts_the_count_again() {
        let mut attempts = Attempts::new(policy());
        let cancel = CancelToken::new();
        for _ in 0..10 {
            assert!(attempts.wait(busy(None), &cancel).is_ok());
            attempts.progress();
        }
    }

    #[test]
    fn a_pause_beyond_the_deadline_is_not_waited_for() {
        let mut attempts = Attempts::new(RetryPolicy {
            deadline: Some(Duration::from_secs(60)),
            ..policy()
        });
        let hour = Some(Duration::from_secs(3600));
        assert!(matches!(
            attempts.wait(busy(hour), &CancelToken::new()),
            Err(Error::RetriesExhausted { attempts: 1, .. })
        ));
    }

    #[test]
    fn no_pause_is_too_long_to_reckon_with() {
        let forever = Some(Duration::MAX);
        let mut attempts = Attempts::new(policy());
        assert!(matches!(
            attempts.wait(busy(forever), &CancelToken::new()),
            Err(Error::RetriesExhausted { attempts: 1, .. })
        ));
        let mut attempts = Attempts::new(RetryPolicy {
            deadline: None,
            ..policy()
        });
        let calls = AtomicU32::new(0);
        let cancel = CancelToken::with_poll(
            Scope::default(),
            Box::new(move || calls.fetch_add(1, Ordering::Relaxed) < 2),
        );
        assert!(matches!(
            attempts.wait(busy(forever), &cancel),
            Err(Error::Cancelled)
        ));
    }

    #[test]
    fn time_before_the_first_failure_does_not_count() {
        let mut attempts = Attempts::new(RetryPolicy {
            deadline: Some(Duration::from_secs(1)),
            ..policy()
        });
        std::thread::sleep(Duration::from_millis(1100));
        assert!(attempts.wait(busy(None), &CancelToken::new()).is_ok());
    }

    #[test]
    fn a_server_that_breaks_the_protocol_is_given_up_early() {
        let mut attempts = Attempts::new(RetryPolicy {
            attempts: 20,
            ..policy()
        });
        let cancel = CancelToken::new();
        let broken = || Error::Protocol("no length".into());
        assert!(attempts.wait(broken(), &cancel).is_ok());
        assert!(attempts.wait(busy(None), &cancel).is_ok());
        assert!(attempts.wait(broken(), &cancel).is_ok());
        assert!(matches!(
            attempts.wait(broken(), &cancel),
            Err(Error::RetriesExhausted { attempts: 4, .. })
        ));
    }

    #[test]
    fn pauses_grow_up_to_the_limit() {
        let mut attempts = Attempts::new(RetryPolicy {
            first_delay: Duration::from_secs(1),
            factor: 2.0,
            max_delay: Duration::from_secs(5),
            ..policy()
        });
        for (made, longest) in [(1, 1), (2, 2), (3, 4), (4, 5), (1000, 5)] {
            attempts.made = made;
            let pause = attempts.pause(&busy(None));
            let longest = Duration::from_secs(longest);
            assert!(
                pause <= longest && pause >= longest / 2,
                "{made}: {pause:?}"
            );
        }
    }
}
