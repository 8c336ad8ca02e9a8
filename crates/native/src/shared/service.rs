//! One question to a service that instances share: its limits, its one retry, and the breaker of the
//! store that asks. What is asked, and over which connection, is the adapters' business.

use std::fmt;
use std::time::Duration;

use mcpfn_core::port::StoreError;
use tokio::time::{Instant, timeout};

use super::breaker::{Breaker, Closed};

/// How long a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// With its retry.
    pub total: Duration,
    /// One attempt.
    pub attempt: Duration,
}

impl RequestLimits {
    /// Three fifths of the total for one attempt: a second one has a chance.
    #[must_use]
    pub fn of(total: Duration) -> Self {
        Self {
            total,
            attempt: total * 3 / 5,
        }
    }
}

/// Why a question has no answer. The text is the end of a sentence about the service, begins with a
/// verb, and has no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFailure {
    /// The next question will meet it, too.
    Lasting(String),
    /// The key, or the service, has no capacity left at the moment. It says nothing of other keys.
    Throttled(String),
    /// Asking again at once changes nothing.
    Passing(String),
    /// A new connection may help at once.
    Retried(String),
}

impl RequestFailure {
    /// The end of the sentence.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Lasting(text)
            | Self::Throttled(text)
            | Self::Passing(text)
            | Self::Retried(text) => text,
        }
    }
}

/// A question without an answer of use.
#[derive(Debug)]
pub struct Unanswered {
    error: StoreError,
    /// The key has no capacity left: it is this key that is hot, and nothing is wrong with the
    /// service.
    pub throttled: bool,
}

impl From<Unanswered> for StoreError {
    fn from(asked: Unanswered) -> Self {
        asked.error
    }
}

/// A service as its errors name it, and how patient its callers are.
#[derive(Debug, Clone)]
pub struct SharedService {
    /// The beginning of sentences about it, such as "the DynamoDB table `mcpfn`".
    pub subject: String,
    /// The setting that says how long a question may take.
    pub setting: &'static str,
    /// How long that is.
    pub limits: RequestLimits,
}

impl SharedService {
    /// Asks, and once more where that may help, unless the breaker of the store says that it is of
    /// no use. `attempt` is told how long it has, and keeps to it with [`Self::within`].
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask<T, F>(
        &self,
        breaker: &Breaker,
        key: &str,
        attempt: impl Fn(Duration) -> F,
    ) -> Result<T, Unanswered>
    where
        F: Future<Output = Result<T, RequestFailure>>,
    {
        let mut pass = breaker.enter(key).map_err(|closed| Unanswered {
            error: self.left_alone(&closed),
            throttled: false,
        })?;
        let answer = self
            .send(attempt, |failure| {
                let lasting = matches!(failure, RequestFailure::Lasting(_));
                pass.failed(failure.sentence(), lasting)
            })
            .await;
        if answer.as_ref().err().is_none_or(|asked| asked.throttled) {
            pass.succeeded();
        }
        answer
    }

    /// Asks whatever a breaker says: for what must not be left undone. It neither waits for the
    /// breaker nor counts for it.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn insist<T, F>(&self, attempt: impl Fn(Duration) -> F) -> Result<T, Unanswered>
    where
        F: Future<Output = Result<T, RequestFailure>>,
    {
        self.send(attempt, |_| true).await
    }

    /// One attempt, and a second one where that may help and `again` allows it.
    async fn send<T, F>(
        &self,
        attempt: impl Fn(Duration) -> F,
        mut again: impl FnMut(&RequestFailure) -> bool,
    ) -> Result<T, Unanswered>
    where
        F: Future<Output = Result<T, RequestFailure>>,
    {
        let end = Instant::now() + self.limits.total;
        let mut retried = false;
        loop {
            let left = end
                .saturating_duration_since(Instant::now())
                .min(self.limits.attempt);
            let failure = match attempt(left).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let throttled = matches!(failure, RequestFailure::Throttled(_));
            let may = throttled || again(&failure);
            let helps = matches!(failure, RequestFailure::Retried(_));
            if !may || retried || !helps || end <= Instant::now() {
                return Err(Unanswered {
                    error: self.error(failure.sentence()),
                    throttled,
                });
            }
            retried = true;
        }
    }

    /// Ends what takes longer than an attempt has.
    ///
    /// # Errors
    /// The future's own, or that it took too long.
    pub async fn within<T>(
        &self,
        left: Duration,
        future: impl Future<Output = Result<T, RequestFailure>>,
    ) -> Result<T, RequestFailure> {
        timeout(left, future).await.unwrap_or_else(|_| {
            Err(RequestFailure::Retried(format!(
                "timed out after {} ms ({})",
                left.as_millis(),
                self.setting
            )))
        })
    }

    /// A sentence about the service.
    #[must_use]
    pub fn error(&self, sentence: impl fmt::Display) -> StoreError {
        StoreError::new(format_args!("{} {sentence}", self.subject))
    }

    /// As well, about what the same question will meet again.
    #[must_use]
    pub fn lasting(&self, sentence: impl fmt::Display) -> StoreError {
        StoreError::lasting(format_args!("{} {sentence}", self.subject))
    }

    fn left_alone(&self, closed: &Closed) -> StoreError {
        self.error(format_args!(
            "is not asked for another {} ms, because it {}",
            closed.wait.as_millis(),
            closed.cause
        ))
        .already_known()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn service() -> SharedService {
        SharedService {
            subject: "the store".to_owned(),
            setting: "MCPFN_TIMEOUT",
            limits: RequestLimits::of(Duration::from_millis(100)),
        }
    }

    /// How often it is asked, and what the caller is told.
    async fn failing(failure: RequestFailure) -> (usize, String, bool) {
        let (service, breaker, count) = (service(), Breaker::default(), AtomicUsize::new(0));
        let asked = service.ask(&breaker, "key", |_| {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Err::<(), _>(failure.clone()))
        });
        let asked = asked.await.unwrap_err();
        let throttled = asked.throttled;
        let error = StoreError::from(asked).to_string();
        (count.into_inner(), error, throttled)
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_a_new_connection_may_mend_is_asked_again() {
        let text = || "is tired".to_owned();
        let error = || "the store is tired".to_owned();
        for (failure, times, throttled) in [
            (RequestFailure::Retried(text()), 2, false),
            (RequestFailure::Passing(text()), 1, false),
            (RequestFailure::Lasting(text()), 1, false),
            (RequestFailure::Throttled(text()), 1, true),
        ] {
            assert_eq!(failing(failure).await, (times, error(), throttled));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_ends_within_its_limits_and_names_the_setting() {
        let (service, start) = (service(), Instant::now());
        let asked = service
            .insist(|left| service.within(left, std::future::pending::<Result<(), _>>()))
            .await;
        assert_eq!(start.elapsed(), Duration::from_millis(100));
        let error = StoreError::from(asked.unwrap_err()).to_string();
        assert_eq!(error, "the store timed out after 40 ms (MCPFN_TIMEOUT)");
    }
}
