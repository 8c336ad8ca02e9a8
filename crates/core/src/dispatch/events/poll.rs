//! `events/poll`: what happened behind a cursor. Nothing is kept of who asks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::audited::{OwnedRequest, audited};
use super::super::handler::{self, HandlerFailure};
use super::failed::failed;
use super::wanted::{WantedEvent, cx, most, since_ms};
use crate::call::Call;
use crate::context::Cx;
use crate::error::ToolError;
use crate::event::cursor::EventCursor;
use crate::event::registry::ServerEvents;
use crate::event::source::{EventBatch, EventFeed, FeedFailure};
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::running::Execution;
use crate::server::Server;

/// How long a function of an author's may take.
pub(super) const WITHIN: Duration = Duration::from_secs(5);

/// What is asked of an event.
#[derive(Debug, Clone)]
pub(super) struct EventQuestion {
    /// Where its client is; nothing if it begins.
    pub(super) cursor: Option<EventCursor>,
    pub(super) since_ms: Option<u64>,
    pub(super) limit: usize,
}

pub(super) fn poll(
    server: &Server,
    service: &ServerEvents,
    call: &Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let wanted = WantedEvent::read(service, call, platform)?;
    let members = call.params.events();
    let (cursor, limit) = (call.params.cursor()?, most(members)?);
    let since_ms = since_ms(members, platform.clock.now_ms())?;
    let feed = wanted.feed(service, call, platform);
    let (cursor, stale) = feed.read(cursor.as_deref());
    let question = EventQuestion {
        cursor,
        since_ms,
        limit,
    };
    let cx = cx(server, call, platform);
    let polled = move |request: OwnedRequest| async move {
        let (server, platform) = (&request.server, &request.platform);
        rate_limit::admit_poll(platform, server.name(), &request.principal).await?;
        let mut batch = ask(&feed, question, &cx, "events/poll").await?;
        batch.truncated |= stale;
        let body = to_json(&body(&feed, batch)?);
        let results = server.results();
        Ok(results.complete(request.revision, &body, &JsonObject::new(), ""))
    };
    Ok(audited(server, call, "events/poll", platform, polled))
}

/// Reads a batch: a function of the author's runs as every handler, under a deadline and apart from
/// the rest.
pub(super) async fn ask(
    feed: &EventFeed,
    question: EventQuestion,
    cx: &Cx,
    method: &str,
) -> Result<EventBatch, Error> {
    let (owned, cx) = (feed.clone(), cx.clone());
    let start = || -> Result<_, ToolError> {
        Ok(Box::pin(async move {
            Ok::<_, ToolError>(match question.cursor {
                Some(cursor) => {
                    let (since_ms, limit) = (question.since_ms, question.limit);
                    owned.batch(&cursor, since_ms, limit, &cx).await
                }
                None => owned.beginning(&cx).await.map(|cursor| EventBatch {
                    events: Vec::new(),
                    cursor,
                    truncated: false,
                    more: false,
                }),
            })
        }) as crate::send::BoxFuture<'static, _>)
    };
    let (platform, event) = (&feed.platform, feed.event.name.as_str());
    let asked = handler::run(start, WITHIN, &platform.timer).await;
    let asked: Result<EventBatch, FeedFailure> = asked.unwrap_or_else(|failure| {
        Err(FeedFailure::Author(match failure {
            HandlerFailure::TimedOut => {
                let sentence = "the event could not be read in time: ask again in a minute";
                ToolError::unavailable(sentence, "its function took too long")
            }
            HandlerFailure::Panicked(cause) => ToolError::internal(cause),
            HandlerFailure::Returned(_) => ToolError::internal("it gave nothing"),
        }))
    });
    asked.map_err(|failure| failed(platform, method, event, failure))
}

/// A cursor as the client gets it.
pub(super) fn written(
    feed: &EventFeed,
    cursor: &EventCursor,
    method: &str,
) -> Result<String, Error> {
    feed.written(cursor).ok_or_else(|| {
        let cause = ToolError::internal("the function of the event gave a cursor over 4 KiB");
        failed(
            &feed.platform,
            method,
            &feed.event.name,
            FeedFailure::Author(cause),
        )
    })
}

fn body(feed: &EventFeed, batch: EventBatch) -> Result<Value, Error> {
    let events = batch.events.into_iter().map(|(occurrence, _)| occurrence);
    Ok(json!({
        "events": events.collect::<Vec<_>>(),
        "cursor": written(feed, &batch.cursor, "events/poll")?,
        "truncated": batch.truncated,
        "hasMore": batch.more,
        "nextPollMs": feed.event.every_ms,
    }))
}
