//! The events of the platform that are no requests: messages of queues and schedules. Work for
//! subscribers is done here; what else comes is for the program ([`WorkerEvents`]).

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use mcpfn_core::host::{EventJobRun, due_too_late};
use mcpfn_core::port::{Platform, StoreError};
use mcpfn_settings::{Setting, Setup};
use worker::Env;
use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Array, JSON, Object, Promise, Reflect};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast as _, JsValue};

use crate::event_letter::{EventLetter, ReadLetter};
use crate::fetch::{WorkerHost, host};
use crate::request_id::RequestId;
use crate::settings::EVENTS_SCHEDULE;
use crate::stores::QueueOfEvents;
use crate::uncaught::uncaught;
use crate::variables::Variables;
use crate::worker_events::{QueueMessage, Scheduled, WorkerEvents};

/// Messages at work at the same time: an invocation waits for six connections at once.
const AT_ONCE: usize = 6;
/// Until a message comes again, in seconds, whose work could not be done now.
const AGAIN_S: u32 = 10;
/// Until one comes again with which nothing can be done: until somebody deploys what can.
const LATER_S: u32 = 300;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MessageEnd {
    Done,
    /// It comes again after so many seconds, or goes where the operator has messages that came too
    /// often.
    Again(u32),
}

/// Takes a batch of messages of a queue; [`fetch!`](crate::fetch!) exports it. `setup` and `program`
/// are those of [`fetch`](crate::fetch()).
pub fn queue<E, P>(
    batch: MessageBatch,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E> + 'static,
    program: &'static [Setting],
) -> Promise
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    future_to_promise(AssertUnwindSafe(async move {
        let Some((host, id)) = started(env, setup, program).await else {
            batch.retry_all(&again(LATER_S));
            return Ok(JsValue::UNDEFINED);
        };
        let (queue, messages) = (batch.queue(), batch.messages());
        let works = messages.iter().map(|message| {
            let (host, queue, id) = (Rc::clone(&host), queue.clone(), Rc::clone(&id));
            Box::pin(async move {
                let message: Message = message.unchecked_into();
                let work = during(id, take(&host, &queue, &message));
                // the panic hook has logged it
                let end = uncaught(work).await.unwrap_or(MessageEnd::Again(LATER_S));
                match end {
                    MessageEnd::Done => message.ack(),
                    MessageEnd::Again(delay_s) => message.retry(&again(delay_s)),
                }
            }) as Pin<Box<dyn Future<Output = ()>>>
        });
        some_at_a_time(works).await;
        Ok(JsValue::UNDEFINED)
    }))
}

/// Takes a run of a schedule; [`fetch!`](crate::fetch!) exports it.
pub fn scheduled<E, P>(
    event: ScheduledEvent,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E> + 'static,
    program: &'static [Setting],
) -> Promise
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    future_to_promise(AssertUnwindSafe(async move {
        let failed = || Err(JsValue::from_str("it failed; the log says why"));
        let Some((host, id)) = started(env, setup, program).await else {
            return failed();
        };
        let run = Scheduled {
            cron: event.cron(),
            time_ms: event.scheduled_time() as u64,
        };
        match uncaught(during(id, due(&host, run))).await {
            Ok(true) => Ok(JsValue::UNDEFINED),
            _ => failed(),
        }
    }))
}

/// What is to be done when a schedule runs: events that have a function are read for their
/// subscribers, where the settings say so, and the program has what it is there for. Whether all of
/// it could be done; the log has what could not.
async fn due(host: &WorkerHost, run: Scheduled) -> bool {
    let port = host.platform.port::<dyn WorkerEvents>();
    if port.is_none() && !host.platform.pumps_events() {
        tracing::warn!(
            event = "schedule_unknown",
            "a schedule runs, and nothing is there for it: set {EVENTS_SCHEDULE}=on for events that \
             have a function of their own, or take it out of [triggers] in wrangler.toml"
        );
    }
    let (server, platform) = (&host.server, &host.platform);
    // what is left of many is for the next run
    let read = server.pump_events(platform).await.failed == 0;
    let Some(events) = port else {
        return read;
    };
    let done = events.scheduled(run, server, platform).await;
    if let Err(error) = &done {
        let cause = format!("{error:?}");
        tracing::error!(event = "schedule_failed", cause, "the next run comes");
    }
    read && done.is_ok()
}

/// What every event shares, and by whom the log knows this one; nothing where it is not as it should
/// be, which the log says.
async fn started<E, P>(
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Option<(Rc<WorkerHost>, Rc<RequestId>)>
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    let of_event = |cold_start| RequestId::new(None, None, cold_start);
    let (host, id) = host(env, setup, program, of_event).await;
    match host {
        Ok(host) => Some((host, id)),
        Err(mistake) => {
            id.during(|| tracing::error!(event = "start_failed", "{mistake}"));
            None
        }
    }
}

async fn during<T>(id: Rc<RequestId>, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| id.during(|| work.as_mut().poll(cx))).await
}

/// Ends once all have ended.
async fn some_at_a_time(works: impl Iterator<Item = Pin<Box<dyn Future<Output = ()>>>>) {
    let (mut waiting, mut running) = (works.fuse(), Vec::new());
    poll_fn(|cx| {
        loop {
            running.extend(waiting.by_ref().take(AT_ONCE.saturating_sub(running.len())));
            let before = running.len();
            running.retain_mut(|work| work.as_mut().poll(cx).is_pending());
            if running.is_empty() && before == 0 {
                return Poll::Ready(());
            }
            // those that ended make room
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
}

/// Does what a message asks for.
async fn take(host: &WorkerHost, queue: &str, message: &Message) -> MessageEnd {
    let body = message.body();
    let text = body.as_string();
    let read = text
        .as_deref()
        .map_or(ReadLetter::Foreign, EventLetter::read);
    match (read, text, &host.events) {
        (ReadLetter::Event(letter), Some(text), Some(events)) => {
            event(host, events, letter, &text).await
        }
        (ReadLetter::Event(_), ..) => {
            tracing::error!(
                event = "queue_unbound",
                "work for subscribers comes, and EVENTS and EVENT_QUEUE are not bound: bind them \
                 again, or purge the queue"
            );
            MessageEnd::Again(LATER_S)
        }
        (ReadLetter::Unknown, Some(text), Some(events)) => {
            let reason = "another version of this server wrote it";
            buried(events, &text, reason).await
        }
        _ => foreign(host, queue, message, &body).await,
    }
}

/// Work for subscribers.
async fn event(
    host: &WorkerHost,
    events: &QueueOfEvents,
    letter: EventLetter,
    text: &str,
) -> MessageEnd {
    let queue = host.server.event_queue();
    if letter.queue != queue {
        let reason = "a server of another name wrote it";
        return buried(events, text, reason).await;
    }
    let work = bytes::Bytes::from(letter.work);
    let now_ms = host.platform.now_ms();
    if let Some(reason) = due_too_late(letter.due_ms, now_ms) {
        return buried(events, text, reason).await;
    }
    if letter.due_ms > now_ms {
        let sent = events.send_on(&queue, work, letter.due_ms, now_ms).await;
        return followed(host, sent);
    }
    match host.server.run_event_job(work, &host.platform).await {
        EventJobRun::Done => MessageEnd::Done,
        EventJobRun::Again { body, at_ms } => {
            let now_ms = host.platform.now_ms();
            followed(host, events.send_on(&queue, body, at_ms, now_ms).await)
        }
        EventJobRun::Dead { reason } => buried(events, text, &reason).await,
        EventJobRun::Unavailable => MessageEnd::Again(AGAIN_S),
    }
}

/// A message is done once the one that follows it is sent.
fn followed(host: &WorkerHost, sent: Result<(), StoreError>) -> MessageEnd {
    match sent {
        Ok(()) => MessageEnd::Done,
        Err(error) => {
            let log = host.platform.audit_log();
            log.store_failure("events", &error.to_string());
            MessageEnd::Again(AGAIN_S)
        }
    }
}

async fn buried(events: &QueueOfEvents, text: &str, reason: &str) -> MessageEnd {
    tracing::warn!(
        event = "event_job_dead",
        reason,
        "work for a subscriber is given up"
    );
    match events.bury(text, reason).await {
        Ok(()) => MessageEnd::Done,
        Err(error) => {
            let cause = error.to_string();
            tracing::error!(event = "event_job_lost", cause, "it can't be kept now");
            MessageEnd::Again(AGAIN_S)
        }
    }
}

/// A message that this library did not write.
async fn foreign(host: &WorkerHost, queue: &str, message: &Message, body: &JsValue) -> MessageEnd {
    let Some(events) = host.platform.port::<dyn WorkerEvents>() else {
        tracing::error!(
            event = "queue_message_unknown",
            queue,
            "a message comes that is none of this library, and this program has no port \
             `WorkerEvents` for it"
        );
        return MessageEnd::Again(LATER_S);
    };
    let text = JSON::stringify(body).ok().and_then(|text| text.as_string());
    let value = text.and_then(|text| serde_json::from_str(&text).ok());
    let message = QueueMessage {
        queue: queue.to_owned(),
        id: message.id(),
        attempts: message.attempts() as u32,
        body: value.unwrap_or_default(),
    };
    let taken = events.message(message, &host.server, &host.platform).await;
    match taken {
        Ok(()) => MessageEnd::Done,
        Err(error) => {
            let cause = format!("{error:?}");
            tracing::error!(
                event = "queue_message_failed",
                queue,
                cause,
                "it comes again"
            );
            MessageEnd::Again(AGAIN_S)
        }
    }
}

fn again(delay_s: u32) -> Object {
    let options = Object::new();
    // a new object takes any member
    let _ = Reflect::set(&options, &"delaySeconds".into(), &delay_s.into());
    options
}

#[wasm_bindgen]
extern "C" {
    /// Messages that a queue gives.
    pub type MessageBatch;

    #[wasm_bindgen(method, getter)]
    fn queue(this: &MessageBatch) -> String;

    #[wasm_bindgen(method, getter)]
    fn messages(this: &MessageBatch) -> Array;

    #[wasm_bindgen(method, js_name = retryAll)]
    fn retry_all(this: &MessageBatch, options: &Object);

    type Message;

    #[wasm_bindgen(method, getter)]
    fn id(this: &Message) -> String;

    #[wasm_bindgen(method, getter)]
    fn attempts(this: &Message) -> f64;

    #[wasm_bindgen(method, getter)]
    fn body(this: &Message) -> JsValue;

    #[wasm_bindgen(method)]
    fn ack(this: &Message);

    #[wasm_bindgen(method)]
    fn retry(this: &Message, options: &Object);

    /// A run of a schedule.
    pub type ScheduledEvent;

    #[wasm_bindgen(method, getter)]
    fn cron(this: &ScheduledEvent) -> String;

    #[wasm_bindgen(method, getter, js_name = scheduledTime)]
    fn scheduled_time(this: &ScheduledEvent) -> f64;
}
