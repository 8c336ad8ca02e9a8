//! A queue of Cloudflare behind the port `EventQueue`: work for subscribers is sent to it, and comes
//! back to this Worker's `queue` handler (`queue`), which does it.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{EventJob, EventQueue, StoreError};
use worker::js_sys::{Array, Object, Promise, Reflect};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

use crate::error::message;
use crate::event_letter::{EventLetter, batches, delay_s};

/// The queue of work, and that of what nobody does any more, if there is one.
#[derive(Debug)]
pub(crate) struct QueueOfEvents {
    work: JsValue,
    dead: Option<JsValue>,
}

impl QueueOfEvents {
    pub(crate) fn new(work: JsValue, dead: Option<JsValue>) -> Self {
        Self { work, dead }
    }

    /// Sends work on.
    pub(crate) async fn send_on(
        &self,
        queue: &str,
        work: Bytes,
        due_ms: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let job = EventJob {
            key: String::new(),
            body: work,
            due_ms,
        };
        self.put(queue, vec![job], now_ms).await
    }

    /// Keeps a message for an operator, with the reason; does nothing without a queue for it.
    pub(crate) async fn bury(&self, text: &str, reason: &str) -> Result<(), StoreError> {
        match &self.dead {
            Some(dead) => send(dead, &[(EventLetter::dead(text, reason), 0)]).await,
            None => Ok(()),
        }
    }
}

impl EventQueue for QueueOfEvents {
    fn put<'a>(
        &'a self,
        queue: &'a str,
        jobs: Vec<EventJob>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let letter = |job: &EventJob| {
                let letter = EventLetter::of(queue, job)?;
                Some((letter.write(), delay_s(job.due_ms, now_ms)))
            };
            let letters: Option<Vec<_>> = jobs.iter().map(letter).collect();
            let letters = letters.ok_or_else(|| StoreError::lasting("work that is no text"))?;
            // one request after the other: an invocation has six connections
            for batch in batches(&letters) {
                send(&self.work, batch).await?;
            }
            Ok(())
        })
    }
}

async fn send(queue: &JsValue, batch: &[(String, u64)]) -> Result<(), StoreError> {
    let messages: Array = batch.iter().map(as_message).collect();
    let queue: &Queue = queue.unchecked_ref();
    let sent = queue.send_batch(&messages).map(JsFuture::from);
    let sent = match sent {
        Ok(sent) => sent.await.map(drop),
        Err(error) => Err(error),
    };
    sent.map_err(|error| StoreError::new(format_args!("the queue of events: {}", message(&error))))
}

fn as_message((text, delay_s): &(String, u64)) -> JsValue {
    let object = Object::new();
    for (name, value) in [
        ("body", JsValue::from_str(text)),
        ("contentType", "text".into()),
        ("delaySeconds", (*delay_s as f64).into()),
    ] {
        // a new object takes any member
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

#[wasm_bindgen]
extern "C" {
    type Queue;

    #[wasm_bindgen(method, catch, js_name = sendBatch)]
    fn send_batch(this: &Queue, messages: &Array) -> Result<Promise, JsValue>;
}
