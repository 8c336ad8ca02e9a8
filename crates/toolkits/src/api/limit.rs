//! Budgets of APIs: when one is used up, and for how long. Waits for nothing.

use std::time::Duration;

use mcpfn_core::{ToolError, text};

use super::{ApiAnswer, ApiClient};

/// Seconds since 1970 are larger than this since 2001, and no service asks to wait for thirty
/// years.
const EPOCH: u64 = 1_000_000_000;

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

    /// For how long nothing should be asked, as `retry-after` or the `x-ratelimit-` headers say it.
    pub(super) fn wait(&self, now_ms: u64) -> Option<Duration> {
        if let Some(seconds) = self
            .header("retry-after")
            .and_then(|value| value.parse().ok())
        {
            return Some(Duration::from_secs(seconds));
        }
        // some services have several budgets, listed in both headers in the same order
        let (left, reset) = (
            self.header("x-ratelimit-remaining")?,
            self.header("x-ratelimit-reset")?,
        );
        let used_up = left
            .split(',')
            .zip(reset.split(','))
            .filter(|(left, _)| left.trim() == "0");
        let until = used_up
            .filter_map(|(_, reset)| reset.trim().parse::<u64>().ok())
            .max()?;
        let now = now_ms / 1000;
        // a time, or the seconds until then; one more, because both clocks cut
        Some(Duration::from_secs(if until > EPOCH {
            until.saturating_sub(now) + 1
        } else {
            until
        }))
    }
}

impl ApiClient {
    /// A budget that is used up, with when to try again.
    pub(super) fn limited(&self, answer: &ApiAnswer, now_ms: u64) -> ToolError {
        let until = match answer.wait(now_ms).map(|wait| wait.as_secs()) {
            None => "for now. Try again in a minute".to_owned(),
            Some(0 | 1) => "for a second. Try again then".to_owned(),
            Some(seconds @ ..=120) => format!("for the next {seconds} seconds. Try again then"),
            Some(seconds) => format!(
                "for the next {} minutes. Try again then",
                seconds.div_ceil(60)
            ),
        };
        let message = format!(
            "{} is temporarily unavailable: it takes no more requests {until}.",
            self.name
        );
        ToolError::unavailable(
            message,
            format_args!(
                "{}: status {}: {}",
                answer.asked,
                answer.status,
                text::quoted(&answer.body)
            ),
        )
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
