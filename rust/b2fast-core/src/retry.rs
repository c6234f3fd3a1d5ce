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
    /// The longest time without progress, pauses included.
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

/// One request's attempts under a policy.
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    made: u32,
    since: Instant,
}

impl Attempts {
    /// No attempt made yet.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            made: 0,
            since: Instant::now(),
        }
    }

    /// Bytes moved: what failed before does not count any more.
    pub fn progress(&mut self) {
        self.made = 0;
        self.since = Instant::now();
    }

    /// After a failure that may pass: wait, or give up with `Error::RetriesExhausted`.
    ///
    /// The pause is what the service asks for by `Retry-After`, else a random one of at
    /// least half of what the policy allows, so that many workers do not come back at once.
    pub fn wait(&mut self, error: Error, cancel: &CancelToken) -> Result<()> {
        self.made += 1;
        let pause = self.pause(&error);
        let too_late = self
            .policy
            .deadline
            .is_some_and(|deadline| self.since.elapsed() + pause > deadline);
        if self.made >= self.policy.attempts || too_late {
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
    use super::*;
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
