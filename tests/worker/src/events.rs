//! Logs of events and who subscribed, as tools: what the ports say, one tool a function. And events
//! of a server, from tools, from messages of queues and from schedules, under a clock that runs faster.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpfn::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn::handler::BoxFuture;
use mcpfn::port::{
    Clock, EventLog, EventPosition, EventRetention, EventSubscriptions, Platform, StoreError,
    SubscriptionBounds, SubscriptionKey, SubscriptionWritten,
};
use mcpfn::prelude::*;
use mcpfn::worker::{QueueMessage, Scheduled, Variables, WorkerEvents};
use serde_json::{Value, json};

/// A week, in milliseconds.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

pub(crate) fn server() -> Builder {
    let happened = Event::new("thing.happened")
        .description("Something happened.")
        .payload_schema(json!({"type": "object"}));
    let written = Event::new("file.written")
        .description("A file was written.")
        .payload_schema(json!({"type": "object", "required": ["path", "bytes"]}));
    Server::builder("events", "1.0.0")
        .event(happened)
        .event(written)
        .event(turned())
        .tool(happen)
        .tool(append)
        .tool(read)
        .tool(end)
        .tool(find)
        .tool(write)
        .tool(remove)
        .tool(page)
}

/// What a function knows: nobody emits it.
fn turned() -> Event {
    Event::new("tide.turned")
        .description("The tide turned, as it does each second here.")
        .payload_schema(json!({"type": "object", "required": ["second"]}))
        .sent()
        .poll(turns)
}

/// What is behind a second.
async fn turns(_: NoArguments, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    let now = cx.now_ms() / 1000;
    let Some(cursor) = poll.cursor() else {
        return Ok(EventPage::new(now.to_string()));
    };
    let from: u64 = cursor.parse().unwrap_or(now).min(now);
    let until = now.min(from + poll.limit() as u64);
    let turn = |second: u64| {
        let data = json!({"second": second});
        EventOccurrence::new(format!("tide-{second}"), second * 1000, &data)
    };
    Ok(EventPage::new(until.to_string())
        .events((from + 1..=until).map(turn))
        .more(until < now))
}

/// How fast the clock runs.
pub(crate) fn speed(variables: &Variables) -> Option<u64> {
    variables.text("TEST_SPEED")?.parse().ok()
}

/// A clock that runs so many times as fast, from the beginning of a week on.
struct Fast(Arc<dyn Clock>, u64);

impl Clock for Fast {
    fn now_ms(&self) -> u64 {
        let now_ms = self.0.now_ms();
        let begun_ms = now_ms - now_ms % WEEK_MS;
        begun_ms + (now_ms - begun_ms) * self.1
    }
}

pub(crate) fn ports(
    platform: Platform,
    log: Arc<dyn EventLog>,
    subscriptions: Arc<dyn EventSubscriptions>,
    speed: Option<u64>,
) -> Platform {
    let platform = platform
        .with_port::<dyn EventLog>(log)
        .with_port::<dyn EventSubscriptions>(subscriptions)
        .with_port::<dyn WorkerEvents>(Arc::new(Outside));
    let Some(speed) = speed else {
        return platform;
    };
    let clock = Arc::clone(platform.clock());
    platform.with_clock(Arc::new(Fast(clock, speed)))
}

/// What comes from outside: notices of a bucket, and what is to be told.
struct Outside;

impl WorkerEvents for Outside {
    fn message<'a>(
        &'a self,
        message: QueueMessage,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<(), ToolError>> {
        Box::pin(async move {
            if message.body["fail"] == true && message.attempts < 3 {
                return Err(ToolError::internal("it fails twice"));
            }
            let told = json!({"said": message.body, "attempts": message.attempts});
            let told = EventOccurrence::new(message.id, platform.now_ms(), &told);
            server
                .emit(platform, "thing.happened", told)
                .await
                .map(drop)
        })
    }

    fn scheduled<'a>(
        &'a self,
        run: Scheduled,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<(), ToolError>> {
        Box::pin(async move {
            let id = format!("run-{}", run.time_ms);
            let told = EventOccurrence::new(id, platform.now_ms(), &json!({"cron": run.cron}));
            server
                .emit(platform, "thing.happened", told)
                .await
                .map(drop)
        })
    }
}

#[input]
struct Happen {
    what: String,
}

/// Something happens.
#[tool]
async fn happen(args: Happen, cx: &Cx) -> Result<String, ToolError> {
    cx.emit("thing.happened", &json!({"what": args.what})).await
}

#[input]
struct Keep {
    max_age_ms: u64,
    max_events: usize,
}

impl From<Keep> for EventRetention {
    fn from(keep: Keep) -> Self {
        Self {
            max_age_ms: keep.max_age_ms,
            max_events: keep.max_events,
        }
    }
}

#[input]
struct Append {
    topic: String,
    body: String,
    now_ms: u64,
    keep: Keep,
}

/// Gives the position.
#[tool]
async fn append(args: Append, cx: &Cx) -> Result<String, ToolError> {
    let (log, body) = (cx.port::<dyn EventLog>()?, bytes(&args.body)?);
    let append = log.append(&args.topic, body.into(), args.now_ms, args.keep.into());
    let position = append.await.map_err(|error| said(&error))?;
    Ok(position.number().to_string())
}

#[input]
struct Read {
    topic: String,
    after: u64,
    limit: usize,
    now_ms: u64,
    keep: Keep,
}

/// Gives positions and events in Base64.
#[tool]
async fn read(args: Read, cx: &Cx) -> Result<String, ToolError> {
    let log = cx.port::<dyn EventLog>()?;
    let after = EventPosition::from_number(args.after);
    let read = log.read(
        &args.topic,
        after,
        args.limit,
        args.now_ms,
        args.keep.into(),
    );
    let read = read.await.map_err(|error| said(&error))?;
    let events = read.events.iter();
    let events: Vec<Value> = events
        .map(|event| json!([event.position.number(), STANDARD.encode(&event.body)]))
        .collect();
    let read = json!({"events": events, "truncated": read.truncated, "more": read.more});
    Ok(read.to_string())
}

#[input]
struct End {
    topic: String,
    now_ms: u64,
    keep: Keep,
}

/// Gives the last position.
#[tool]
async fn end(args: End, cx: &Cx) -> Result<String, ToolError> {
    let log = cx.port::<dyn EventLog>()?;
    let end = log.end(&args.topic, args.now_ms, args.keep.into());
    let position = end.await.map_err(|error| said(&error))?;
    Ok(position.number().to_string())
}

#[input]
struct Key {
    topic: String,
    owner: String,
    id: String,
    #[serde(default)]
    now_ms: u64,
}

impl Key {
    fn key(&self) -> SubscriptionKey<'_> {
        SubscriptionKey {
            topic: &self.topic,
            owner: &self.owner,
            id: &self.id,
        }
    }
}

fn rows(rows: impl IntoIterator<Item = mcpfn::port::SubscriptionRow>) -> String {
    let row = |row: mcpfn::port::SubscriptionRow| {
        json!([
            row.id,
            row.version,
            STANDARD.encode(&row.body),
            row.expires_ms
        ])
    };
    Value::Array(rows.into_iter().map(row).collect()).to_string()
}

/// Gives a subscription, in a list.
#[tool]
async fn find(args: Key, cx: &Cx) -> Result<String, ToolError> {
    let subscriptions = cx.port::<dyn EventSubscriptions>()?;
    let found = subscriptions.find(args.key(), args.now_ms).await;
    Ok(rows(found.map_err(|error| said(&error))?))
}

#[input]
struct Write {
    key: Key,
    replaces: Option<u64>,
    body: String,
    expires_ms: u64,
    per_owner: usize,
    per_topic: usize,
}

/// Says what became of it.
#[tool]
async fn write(args: Write, cx: &Cx) -> Result<&'static str, ToolError> {
    let bounds = SubscriptionBounds {
        per_owner: args.per_owner,
        per_topic: args.per_topic,
    };
    let (key, now_ms) = (args.key.key(), args.key.now_ms);
    let body = bytes(&args.body)?.into();
    let subscriptions = cx.port::<dyn EventSubscriptions>()?;
    let write = subscriptions.write(key, args.replaces, body, args.expires_ms, now_ms, bounds);
    Ok(match write.await.map_err(|error| said(&error))? {
        SubscriptionWritten::Done => "done",
        SubscriptionWritten::Changed => "changed",
        SubscriptionWritten::OwnerFull => "owner full",
        SubscriptionWritten::TopicFull => "topic full",
    })
}

/// Forgets a subscription.
#[tool]
async fn remove(args: Key, cx: &Cx) -> Result<&'static str, ToolError> {
    let subscriptions = cx.port::<dyn EventSubscriptions>()?;
    let removed = subscriptions.remove(args.key()).await;
    removed.map_err(|error| said(&error))?;
    Ok("removed")
}

#[input]
struct Page {
    topic: String,
    after: Option<String>,
    limit: usize,
    now_ms: u64,
}

/// Gives subscriptions.
#[tool]
async fn page(args: Page, cx: &Cx) -> Result<String, ToolError> {
    let subscriptions = cx.port::<dyn EventSubscriptions>()?;
    let page = subscriptions.page(&args.topic, args.after.as_deref(), args.limit, args.now_ms);
    Ok(rows(page.await.map_err(|error| said(&error))?))
}

fn bytes(text: &str) -> Result<Vec<u8>, ToolError> {
    STANDARD
        .decode(text)
        .map_err(|error| ToolError::new(error.to_string()))
}

/// Elsewhere a store's words are for the log only.
fn said(error: &StoreError) -> ToolError {
    ToolError::new(error.to_string())
}
