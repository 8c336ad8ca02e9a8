//! Asking an API of JSON: within the call's time, bounded, reads once more after a passing failure,
//! and every failure as a sentence with its cause for the log. What an answer means is for the
//! toolkits.

mod limit;

use std::borrow::Cow;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use mcpfn_core::text::percent_encoded;
use mcpfn_core::{
    Cx, ServiceFault, ToolError,
    port::{HttpError, HttpRequest, HttpResponse},
    text,
};
use mcpfn_ports::Secret;
use serde::de::DeserializeOwned;

use crate::outage::Outage;

/// Some APIs refuse requests that do not say who asks.
pub(crate) const USER_AGENT: &str = concat!("mcpfn/", env!("CARGO_PKG_VERSION"));

/// Time left for the answer to reach the client before the call's own limit ends it.
const MARGIN: Duration = Duration::from_millis(250);

/// A second attempt with less time than this is not made.
const LEAST: Duration = Duration::from_millis(500);

/// The longest cause that a parser gives to the log, in characters.
const MAX_CAUSE_LENGTH: usize = 200;

/// One service: where it is, and how sentences call it.
#[derive(Debug, Clone)]
pub(crate) struct ApiClient {
    /// As a sentence begins with it, such as "The weather service".
    pub(crate) name: &'static str,
    /// Without a slash at the end.
    pub(crate) base: String,
    pub(crate) key: Option<Secret>,
    /// The variable that the key was in, for the log.
    pub(crate) key_variable: &'static str,
    /// Bytes of an answer.
    pub(crate) max_body: usize,
}

/// Whether a request may change something, and how long its answer is waited for.
#[derive(Debug, Clone, Copy)]
enum Asking {
    Read(Duration),
    Write(Duration),
}

/// An answer that came: neither a failure of the service nor a full budget.
#[derive(Debug)]
pub(crate) struct ApiAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// Without the key, should the service repeat it.
    pub(crate) body: String,
    truncated: bool,
    /// What was asked, for the log.
    asked: String,
}

impl ApiClient {
    /// This client with its key, which may have to be read first.
    pub(crate) async fn ready(&self, cx: &Cx) -> Result<Cow<'_, Self>, ToolError> {
        let key = match &self.key {
            Some(key) => key.ready(cx).await?,
            None => None,
        };
        Ok(match key {
            Some(key) => Cow::Owned(Self {
                key: Some(key),
                ..self.clone()
            }),
            None => Cow::Borrowed(self),
        })
    }

    /// A GET of a path with its query, each made with [`percent_encoded`].
    pub(crate) fn get(&self, path: &str) -> HttpRequest {
        HttpRequest::get(format!("{}{path}", self.base)).header("accept", "application/json")
    }

    /// A POST of JSON.
    pub(crate) fn post(&self, path: &str, body: &serde_json::Value) -> HttpRequest {
        HttpRequest::post(
            format!("{}{path}", self.base),
            "application/json",
            body.to_string(),
        )
        .header("accept", "application/json")
    }

    /// Asks for something that changes nothing. After a timeout, a broken connection, 429, 500,
    /// 502, 503 or 504 it asks once more, if there is time.
    pub(crate) async fn read(&self, cx: &Cx, request: HttpRequest) -> Result<ApiAnswer, ToolError> {
        let in_all = Self::time(cx);
        let started = cx.now_ms();
        // a service that used up two thirds of the time is given the last third
        let first = self.once(cx, request.clone(), in_all * 2 / 3).await?;
        let Some(wait) = self.wait_before_retry(cx, &first, &request) else {
            return self.judge(cx, &request, first, Asking::Read(in_all));
        };
        let used = Duration::from_millis(cx.now_ms().saturating_sub(started));
        let left = in_all.saturating_sub(used).saturating_sub(wait);
        if left < LEAST {
            return self.judge(cx, &request, first, Asking::Read(in_all));
        }
        cx.sleep(wait).await;
        let second = self.once(cx, request.clone(), left).await?;
        self.judge(cx, &request, second, Asking::Read(in_all))
    }

    /// Asks for a change, once: it is unknown whether a request without a response was done.
    pub(crate) async fn write(
        &self,
        cx: &Cx,
        request: HttpRequest,
    ) -> Result<ApiAnswer, ToolError> {
        let in_all = Self::time(cx);
        let result = self.once(cx, request.clone(), in_all).await?;
        self.judge(cx, &request, result, Asking::Write(in_all))
    }

    /// What any answer means that a toolkit does not expect. `answer` is no success.
    pub(crate) fn unexpected(&self, answer: &ApiAnswer) -> ToolError {
        let fault = ServiceFault::of_status(answer.status);
        self.failed(fault.into(), self.described(answer))
    }

    /// The JSON of a success.
    pub(crate) fn json<T: DeserializeOwned>(&self, answer: &ApiAnswer) -> Result<T, ToolError> {
        if !(200..300).contains(&answer.status) {
            return Err(self.unexpected(answer));
        }
        let fault = || ServiceFault::of_body(answer.body.as_bytes(), answer.truncated).into();
        if answer.truncated {
            let cause = format!(
                "{}: the answer has more than {} bytes",
                answer.asked, self.max_body
            );
            return Err(self.failed(fault(), cause));
        }
        serde_json::from_str(&answer.body).map_err(|error| {
            // it may repeat a value of any length
            let error: String = error.to_string().chars().take(MAX_CAUSE_LENGTH).collect();
            let cause = format!("{}: not the JSON that was expected: {error}", answer.asked);
            self.failed(fault(), cause)
        })
    }

    /// For all attempts together.
    fn time(cx: &Cx) -> Duration {
        cx.remaining().saturating_sub(MARGIN)
    }

    async fn once(
        &self,
        cx: &Cx,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<Result<ApiAnswer, HttpError>, ToolError> {
        let asked = format!("{request:?}");
        let request = request
            .header("user-agent", USER_AGENT)
            .timeout(timeout)
            .max_body(self.max_body);
        Ok(cx
            .fetch(request)
            .await?
            .map(|response| self.answer(response, asked)))
    }

    fn answer(&self, response: HttpResponse, asked: String) -> ApiAnswer {
        let HttpResponse {
            status,
            headers,
            body,
            truncated,
        } = response;
        ApiAnswer {
            status,
            headers,
            body: self.without_key(String::from_utf8_lossy(&body).into_owned()),
            truncated,
            asked,
        }
    }

    /// Whatever the service says, it does not say the key.
    fn without_key(&self, text: String) -> String {
        let Some(key) = self.key.as_ref().map(Secret::expose) else {
            return text;
        };
        [key, &percent_encoded(key)]
            .into_iter()
            .fold(text, |text, key| {
                if text.contains(key) {
                    text.replace(key, "[key]")
                } else {
                    text
                }
            })
    }

    /// How long to wait before the second attempt, if one makes sense.
    fn wait_before_retry(
        &self,
        cx: &Cx,
        first: &Result<ApiAnswer, HttpError>,
        request: &HttpRequest,
    ) -> Option<Duration> {
        match first {
            Ok(answer) if answer.is_limited() => {
                Some(answer.wait(cx.now_ms())?.max(jitter(cx, request)))
            }
            Ok(answer) if matches!(answer.status, 500 | 502 | 503 | 504) => Some(
                answer
                    .wait(cx.now_ms())
                    .unwrap_or_default()
                    .max(jitter(cx, request)),
            ),
            Err(
                HttpError::TimedOut
                | HttpError::Unreachable(_)
                | HttpError::Untrusted(_)
                | HttpError::Interrupted(_)
                | HttpError::Undecodable(_),
            ) => Some(jitter(cx, request)),
            Ok(_) | Err(_) => None,
        }
    }

    fn judge(
        &self,
        cx: &Cx,
        request: &HttpRequest,
        result: Result<ApiAnswer, HttpError>,
        asking: Asking,
    ) -> Result<ApiAnswer, ToolError> {
        let (Asking::Read(within) | Asking::Write(within)) = asking;
        let (outage, cause) = match result {
            Ok(answer) if answer.is_limited() => (
                Outage::limited(answer.wait(cx.now_ms())),
                self.described(&answer),
            ),
            Ok(answer) if answer.status >= 500 => (
                ServiceFault::of_status(answer.status).into(),
                self.described(&answer),
            ),
            Ok(answer) => return Ok(answer),
            Err(error) => (
                Outage::after(ServiceFault::of_error(&error), within),
                self.without_key(format!("{request:?}: {error}")),
            ),
        };
        let writes = matches!(asking, Asking::Write(_));
        Err(outage.error(self.name, writes, cause))
    }

    /// A read that came to nothing.
    fn failed(&self, outage: Outage, cause: impl Display) -> ToolError {
        outage.error(self.name, false, cause)
    }

    /// An answer, for the log.
    fn described(&self, answer: &ApiAnswer) -> String {
        let hint = match answer.status {
            401 | 403 if !answer.is_limited() => format!(
                " (the key in {} is missing, wrong, or not allowed to do this)",
                self.key_variable
            ),
            300..=399 => {
                " (it redirects: its address in the settings may be an old one)".to_owned()
            }
            _ => String::new(),
        };
        format!(
            "{}: status {}{hint}: {}",
            answer.asked,
            answer.status,
            text::quoted(&answer.body)
        )
    }
}

/// From 150 to 450 ms, so that callers who failed together do not come back together. Drawn from
/// the call, because the core has no randomness for handlers and needs none here.
fn jitter(cx: &Cx, request: &HttpRequest) -> Duration {
    let mut hasher = DefaultHasher::new();
    (
        cx.now_ms(),
        &request.url,
        &cx.principal().subject,
        &cx.trace().traceparent,
    )
        .hash(&mut hasher);
    Duration::from_millis(150 + hasher.finish() % 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_addresses() {
        assert_eq!(percent_encoded("São Paulo"), "S%C3%A3o%20Paulo");
        assert_eq!(
            percent_encoded("a/b?c=d&e#f%+"),
            "a%2Fb%3Fc%3Dd%26e%23f%25%2B"
        );
        assert_eq!(percent_encoded("a-b._~9"), "a-b._~9");
    }

    #[test]
    fn the_key_is_taken_out_of_what_a_service_says() {
        let key = Some(Secret::new("k/secret+1").unwrap());
        let api = ApiClient {
            name: "It",
            base: String::new(),
            key,
            key_variable: "K",
            max_body: 0,
        };
        let said = api.without_key("bad key k/secret+1 in ?appid=k%2Fsecret%2B1&q=x".to_owned());
        assert_eq!(said, "bad key [key] in ?appid=[key]&q=x");
    }
}
