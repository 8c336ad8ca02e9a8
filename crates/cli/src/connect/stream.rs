//! Event streams: what they bring, and how one that was cut goes on where the server gave its events
//! names (`Last-Event-ID`).

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use hyper::body::{Body as _, Incoming};
use serde_json::Value;

use super::{Bridge, PAUSES, is_stream};
use crate::events::SseReader;
use crate::output::CliError;
use crate::remote::SESSION;

/// Between the end of a stream and the question for its rest, where the server names no time.
const RETRY: Duration = Duration::from_secs(1);
/// The least and the most that a server can make it.
const RETRY_LIMITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_mins(1));
/// The longest time between two streams of a server that says nothing on either.
const LONGEST: Duration = Duration::from_mins(1);

/// How a stream ended.
#[derive(Debug, Default)]
struct StreamEnd {
    /// The answer was among its events.
    answered: bool,
    /// Anything was.
    spoke: bool,
    /// The name of its last event, from which it can go on.
    last: Option<String>,
    /// How long the server wants to be left alone.
    retry: Option<Duration>,
    /// Why it was cut, if it did not just end.
    cause: Option<String>,
}

impl StreamEnd {
    fn pause(&self) -> Duration {
        let (least, most) = RETRY_LIMITS;
        self.retry.unwrap_or(RETRY).clamp(least, most)
    }
}

impl Bridge {
    /// Gives the client what the stream that answers a message brings, to its end, across cuts.
    pub(super) async fn stream(
        &self,
        message: &Value,
        response: Response<Incoming>,
    ) -> Result<(), CliError> {
        let is_request = message.get("method").is_some() && message.get("id").is_some();
        let mut end = self.events(message, response).await?;
        let mut last = end.last.take();
        while is_request && !end.answered {
            let cause = end.cause.clone();
            let cause = cause.unwrap_or_else(|| "the stream ended".to_owned());
            let lost = format!("the answer did not come to its end: {cause}");
            let Some(from) = last.clone() else {
                return Err(lost.into());
            };
            tokio::time::sleep(end.pause()).await;
            let rest = self.rest(&from).await;
            let rest = rest.map_err(|why| format!("{lost}; its rest: {why}"))?;
            let retry = end.retry;
            end = self.events(message, rest).await?;
            end.retry = end.retry.or(retry);
            last = end.last.take().or(last);
        }
        Ok(())
    }

    /// What came after an event. A server that is away for a moment is asked again.
    async fn rest(&self, from: &str) -> Result<Response<Incoming>, CliError> {
        let mut pauses = PAUSES.iter();
        loop {
            let why = match self.remote.listen(Some(from)).await {
                Ok(response) if response.status().is_success() && is_stream(&response) => {
                    return Ok(response);
                }
                Ok(response) if self.remote.let_in(&response).await? => continue,
                Ok(response) => {
                    let status = response.status();
                    let why = CliError(format!("the server answered with status {status}"));
                    if !passes(status.as_u16()) {
                        return Err(why);
                    }
                    why
                }
                Err(lost) => CliError(lost.cause),
            };
            let pause = pauses.next().ok_or(why)?;
            tokio::time::sleep(*pause).await;
        }
    }

    /// Gives the client the events of one stream.
    async fn events(
        &self,
        message: &Value,
        response: Response<Incoming>,
    ) -> Result<StreamEnd, CliError> {
        let session = response.headers().get(SESSION).cloned();
        let mut body = response.into_body();
        let mut reader = SseReader::default();
        let mut end = StreamEnd::default();
        loop {
            match next_piece(&mut body).await {
                Ok(Some(piece)) => reader.take(&piece)?,
                Ok(None) => break,
                Err(error) => {
                    end.cause = Some(error);
                    break;
                }
            }
            while let Some(event) = reader.next() {
                end.spoke = true;
                if event.data.is_empty() {
                    continue;
                }
                let Ok(said) = serde_json::from_str::<Value>(&event.data) else {
                    return Err("the server sent an event that is no message".into());
                };
                if said.get("method").is_none() && said.get("id") == message.get("id") {
                    end.answered = true;
                    self.remote.learn(message, session.as_ref(), &said);
                }
                self.write(&said);
            }
        }
        end.last = reader.last_id().map(str::to_owned);
        end.retry = reader.retry();
        Ok(end)
    }

    /// Hears what a server with sessions says by itself, as long as the session lives.
    pub(super) async fn hear(self: Arc<Self>) {
        let session = self.remote.session();
        let (mut last, mut pause) = (None, RETRY);
        // a new session has a stream of its own
        while session.is_some() && self.remote.session() == session {
            match self.remote.listen(last.as_deref()).await {
                Ok(response) if response.status().is_success() && is_stream(&response) => {
                    let Ok(end) = self.events(&Value::Null, response).await else {
                        return;
                    };
                    let wanted = end.pause();
                    pause = if end.spoke {
                        wanted
                    } else {
                        (pause * 2).max(wanted)
                    };
                    last = end.last.or(last);
                }
                Ok(response) if !passes(response.status().as_u16()) => return,
                _ => pause *= 2,
            }
            pause = pause.min(LONGEST);
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether a status is one of a moment: the stream of before is still there, or the server is busy.
const fn passes(status: u16) -> bool {
    matches!(status, 409 | 425 | 429 | 500..=599)
}

async fn next_piece(body: &mut Incoming) -> Result<Option<bytes::Bytes>, String> {
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(error.to_string()),
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
}
