//! Budgets of APIs: when one is used up, and for how long. Waits for nothing.

use std::time::Duration;

use super::ApiAnswer;
use crate::outage;

impl ApiAnswer {
    /// The first header of a name, given in lower case.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.trim())
    }

    /// The caller's rate limit is reached. GitHub says so with 403 too, and not always with a header.
    pub(super) fn is_limited(&self) -> bool {
        match self.status {
            429 => true,
            403 => {
                self.header("retry-after").is_some()
                    || self.header("x-ratelimit-remaining") == Some("0")
                    || self.body.to_ascii_lowercase().contains("rate limit")
            }
            _ => false,
        }
    }

    /// For how long nothing should be asked.
    pub(super) fn wait(&self, now_ms: u64) -> Option<Duration> {
        outage::wait(|name| self.header(name), now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> ApiAnswer {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        ApiAnswer {
            status,
            headers,
            body: body.to_owned(),
            truncated: false,
            asked: String::new(),
        }
    }

    #[test]
    fn budgets_that_are_used_up() {
        assert!(answer(429, &[], "").is_limited());
        assert!(answer(403, &[("retry-after", "60")], "").is_limited());
        assert!(answer(403, &[("x-ratelimit-remaining", "0")], "").is_limited());
        assert!(
            answer(
                403,
                &[],
                r#"{"message":"You have exceeded a secondary rate limit."}"#
            )
            .is_limited()
        );
        assert!(
            !answer(
                403,
                &[("x-ratelimit-remaining", "58")],
                "Resource not accessible by personal access token"
            )
            .is_limited()
        );
        assert!(!answer(500, &[("retry-after", "60")], "").is_limited());
    }

    #[test]
    fn how_long_to_wait() {
        let now = 1_793_000_000_500;
        let wait = |headers: &[(&str, &str)]| {
            answer(429, headers, "")
                .wait(now)
                .map(|wait| wait.as_secs())
        };
        assert_eq!(
            wait(&[
                ("retry-after", "30"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "9")
            ]),
            Some(30)
        );
        assert_eq!(
            wait(&[
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1793000060")
            ]),
            Some(61)
        );
        assert_eq!(
            wait(&[
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1792999999")
            ]),
            Some(1)
        );
        assert_eq!(
            wait(&[
                ("x-ratelimit-remaining", "0, 14999"),
                ("x-ratelimit-reset", "1, 1419704")
            ]),
            Some(1)
        );
        assert_eq!(
            wait(&[
                ("x-ratelimit-remaining", "5"),
                ("x-ratelimit-reset", "1793000060")
            ]),
            None
        );
        assert_eq!(
            wait(&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")]),
            None
        );
        assert_eq!(wait(&[]), None);
    }
}
