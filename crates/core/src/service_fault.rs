//! What was wrong with a service that a handler asked: the one place where an exchange over HTTP is
//! classified. What a model is told of it is the toolkit's business.

use crate::port::HttpError;

/// What was wrong with a service that a handler asked. A bounded set: logs and metrics count by it.
///
/// ```
/// use mcpfn_core::{ServiceFault, ToolError, port::{HttpError, Outcome}};
///
/// let fault = ServiceFault::of_error(&HttpError::TimedOut);
/// assert_eq!(fault, ServiceFault::TimedOut);
/// assert_eq!(Outcome::Service(fault).as_str(), "service_timeout");
///
/// let error = ToolError::unavailable("The bank did not answer within 5 s.", "no answer in time");
/// assert_eq!(error.with_fault(fault).fault(), Some(ServiceFault::TimedOut));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceFault {
    /// It rejects this server's credentials: no retry helps, its operator has to act.
    Credentials,
    /// It takes no more requests of this server for now.
    RateLimited,
    /// It did not answer in time.
    TimedOut,
    /// No connection.
    Unreachable,
    /// The connection broke before the answer was whole.
    Interrupted,
    /// It answered that it failed.
    Failing,
    /// It does not take the request as this server makes it, or is at another address: its operator
    /// has to act.
    Refused,
    /// Its answer can't be read, or is not what was asked for.
    Malformed,
    /// Its answer has nothing in it.
    Empty,
    /// Its answer is longer than what is read.
    TooLong,
}

impl ServiceFault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Credentials,
        Self::RateLimited,
        Self::TimedOut,
        Self::Unreachable,
        Self::Interrupted,
        Self::Failing,
        Self::Refused,
        Self::Malformed,
        Self::Empty,
        Self::TooLong,
    ];

    /// Why there was no answer.
    #[must_use]
    pub fn of_error(error: &HttpError) -> Self {
        match error {
            HttpError::TimedOut => Self::TimedOut,
            HttpError::Unreachable(_) | HttpError::Untrusted(_) => Self::Unreachable,
            HttpError::Interrupted(_) => Self::Interrupted,
            HttpError::Undecodable(_) => Self::Malformed,
            HttpError::BadUrl(_) | HttpError::NotPublic(_) => Self::Refused,
        }
    }

    /// What a status means that is no success: of a service that is asked with this server's own
    /// credentials, and only for what it has.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 | 407 => Self::Credentials,
            429 => Self::RateLimited,
            200..=299 => Self::Malformed,
            408 | 500.. => Self::Failing,
            _ => Self::Refused,
        }
    }

    /// What a success means whose body is not what was asked for; `truncated` if it was longer than
    /// the request's limit.
    #[must_use]
    pub fn of_body(body: &[u8], truncated: bool) -> Self {
        if truncated {
            return Self::TooLong;
        }
        // as services write it that have nothing to say
        match body.trim_ascii() {
            b"" | b"null" | b"{}" | b"[]" => Self::Empty,
            _ => Self::Malformed,
        }
    }

    /// Whether the same request may go well in a while, without anybody's doing.
    #[must_use]
    pub fn passes(self) -> bool {
        !matches!(self, Self::Credentials | Self::Refused)
    }

    /// Whether the request was not carried out for certain, so that a write may be made again.
    #[must_use]
    pub fn did_nothing(self) -> bool {
        matches!(self, Self::Credentials | Self::RateLimited | Self::Refused)
    }

    /// One word for a log or a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "service_credentials",
            Self::RateLimited => "service_rate_limited",
            Self::TimedOut => "service_timeout",
            Self::Unreachable => "service_unreachable",
            Self::Interrupted => "service_interrupted",
            Self::Failing => "service_failing",
            Self::Refused => "service_refused",
            Self::Malformed => "service_malformed",
            Self::Empty => "service_empty",
            Self::TooLong => "service_too_long",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exchange_has_a_fault_of_the_set() {
        let words: std::collections::BTreeSet<&str> = ServiceFault::ALL
            .iter()
            .map(|fault| fault.as_str())
            .collect();
        assert_eq!(words.len(), ServiceFault::ALL.len());
        for status in (100..200).chain(300..=999) {
            let fault = ServiceFault::of_status(status);
            assert_eq!(
                fault == ServiceFault::Credentials,
                [401, 403, 407].contains(&status)
            );
            // what a service did before it failed is not known
            assert_eq!(
                fault.did_nothing(),
                status < 500 && status != 408,
                "{status}"
            );
        }
    }

    #[test]
    fn bodies_that_are_not_what_was_asked_for() {
        let of = |body: &str, truncated| ServiceFault::of_body(body.as_bytes(), truncated);
        for body in ["", " \n", "null", "{}", " [] "] {
            assert_eq!(of(body, false), ServiceFault::Empty, "{body:?}");
        }
        for body in ["<html>", "{\"a\": 1}", "0"] {
            assert_eq!(of(body, false), ServiceFault::Malformed, "{body:?}");
        }
        assert_eq!(of("", true), ServiceFault::TooLong);
    }
}
