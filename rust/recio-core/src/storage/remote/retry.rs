//! When a request is tried again: exponential backoff with jitter.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::settings::RequestOptions;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(15);

/// Retries before any request to a server has been answered: a wrong address should be reported
/// soon.
const MAX_FIRST_CONNECTIONS: u32 = 3;

/// Progress of one request through its tries.
#[derive(Debug)]
pub(super) struct Tries {
    started: Instant,
    number: u32,
    max_retries: u32,
    timeout: Duration,
}

impl Tries {
    pub(super) fn new(options: &RequestOptions) -> Self {
        Self {
            started: Instant::now(),
            number: 1,
            max_retries: options.max_retries,
            timeout: options.retry_timeout,
        }
    }

    /// Limits the retries of a first connection.
    pub(super) fn limit_first_connection(&mut self) {
        self.max_retries = self.max_retries.min(MAX_FIRST_CONNECTIONS);
    }

    /// Counts a failed try, and returns the time until the next; `None` if that was the last.
    /// `retry_after` is what the server asks for.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        if self.number > self.max_retries {
            return None;
        }
        let delay = delay(self.number, random()).max(retry_after.unwrap_or_default());
        let is_in_time = self.started.elapsed().saturating_add(delay) <= self.timeout;
        self.number += u32::from(is_in_time);
        is_in_time.then_some(delay)
    }

    pub(super) fn count(&self) -> u32 {
        self.number
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Returns the delay after a number of tries: it doubles each time, less up to a half by chance, so
/// that many clients do not come back at once.
fn delay(tries: u32, random: f64) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1_u32 << (tries - 1).min(16));
    doubled.min(MAX_DELAY).mul_f64(1.0 - random / 2.0)
}

/// Returns a number from 0 to 1. It affects times only, never data.
fn random() -> f64 {
    RandomState::new().hash_one(Instant::now()) as f64 / u64::MAX as f64
}

/// Parses the header Retry-After: a number of seconds, or a date.
pub(super) fn parse_retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().ok()?;
    let seconds = u64::try_from(date.timestamp()).ok()?;
    Some(Duration::from_secs(seconds).saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        let delays = [1, 2, 3, 8, 40].map(|tries| delay(tries, 0.0).as_millis());
        assert_eq!(delays, [100, 200, 400, 12_800, 15_000]);
        assert_eq!(delay(2, 1.0).as_millis(), 100);
    }

    #[test]
    fn tries_are_bounded_in_number_and_time() {
        let options = RequestOptions {
            max_retries: 2,
            ..RequestOptions::default()
        };
        let mut tries = Tries::new(&options);
        assert!(tries.next(None).is_some());
        assert!(tries.next(Some(Duration::from_secs(9))).unwrap().as_secs() == 9);
        assert!(tries.next(None).is_none() && tries.count() == 3);
        let mut tries = Tries::new(&RequestOptions::default());
        assert!(tries.next(Some(Duration::from_secs(181))).is_none() && tries.count() == 1);
    }

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        assert_eq!(parse_retry_after("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO)
        );
        let later = parse_retry_after("Fri, 31 Dec 2100 23:59:59 GMT").unwrap();
        assert!(later > Duration::from_secs(3600));
        assert_eq!(parse_retry_after("soon"), None);
    }
}
