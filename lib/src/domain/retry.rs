//! Whether a failed call to Google is worth another try, and after how long.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries altogether, the first among them.
    pub max_attempts: u32,
    /// HTTP statuses that are worth another try.
    pub statuses: Vec<u16>,
}

/// A function does not wait longer than this: the mailbox is looked at again later instead.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3);

const FIRST_WAIT: Duration = Duration::from_millis(400);

impl RetryPolicy {
    /// The wait before the next try after `attempt` tries (from 1), or `None` to give up. `status`
    /// is `None` when no answer came. `jitter` is a random number; it spreads callers over the
    /// second half of the wait.
    pub fn wait(
        &self,
        attempt: u32,
        status: Option<u16>,
        retry_after: Option<Duration>,
        jitter: u64,
    ) -> Option<Duration> {
        let may_pass = status.is_none_or(|status| self.statuses.contains(&status));
        // A timeout is long already: more than one repetition would take a function's whole time.
        let most = if status.is_none() { self.max_attempts.min(2) } else { self.max_attempts };
        if !may_pass || attempt >= most {
            return None;
        }
        let backoff = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let half = backoff / 2;
        let spread = half
            + Duration::from_millis(jitter % (u64::try_from(half.as_millis()).unwrap_or(0) + 1));
        let wait = retry_after.map_or(spread, |requested| requested.max(spread));
        (wait <= LONGEST_WAIT).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decides_by_status_attempt_and_retry_after() {
        let policy = RetryPolicy { max_attempts: 3, statuses: vec![429, 503] };
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        let table = [
            ("first refusal", 1, Some(503), None, Some(ms(200))),
            ("second refusal doubles", 2, Some(503), None, Some(ms(400))),
            ("attempts spent", 3, Some(503), None, None),
            ("no answer at all", 1, None, None, Some(ms(200))),
            ("no answer again", 2, None, None, None),
            ("a refusal that stays", 1, Some(400), None, None),
            ("Retry-After", 1, Some(429), Some(s(2)), Some(s(2))),
            ("Retry-After, longer than a function waits", 1, Some(429), Some(s(60)), None),
        ];
        for (case, attempt, status, retry_after, expected) in table {
            assert_eq!(policy.wait(attempt, status, retry_after, 0), expected, "{case}");
        }
    }

    #[test]
    fn jitter_stays_within_the_second_half_of_the_wait() {
        let policy = RetryPolicy { max_attempts: 2, statuses: vec![503] };
        for jitter in [0, 1, 199, 200, 201, u64::MAX] {
            let wait = policy.wait(1, Some(503), None, jitter).unwrap();
            assert!(
                (Duration::from_millis(200)..=Duration::from_millis(400)).contains(&wait),
                "{jitter}: {wait:?}"
            );
        }
    }
}
