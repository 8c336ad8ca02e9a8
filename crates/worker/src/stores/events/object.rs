//! The Durable Object: a topic, or what counts against the bound of a subscriber, in a SQLite
//! database of its own. A request is answered without a wait between its reads and its writes, so no
//! other one comes between them; an answer leaves after what it says is on disk.
//!
//! | table | content |
//! |---|---|
//! | `log` | events by their positions |
//! | `subscription` | who subscribed, by ids |
//! | `held` | of a subscriber: its subscriptions to any topic |
//!
//! Where a log begins and ends is a value beside them (`head`), written when it begins and when
//! something is dropped; an append writes its row alone. An alarm deletes what expired, as in the
//! objects of idempotent writes.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Date, Promise};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys;

use super::kept::{Kept, Known, Left};
use crate::event_message::{EventAction, EventRequest};
use crate::stores::objects::{ObjectState, Storage, bytes, response};

/// Between two looks at what has expired.
const SWEEP_MS: f64 = 3_600_000.0;
/// How late an alarm may be before it counts as given up: the runtime tries again for some minutes.
const LATE_MS: f64 = 600_000.0;

/// One object. `wrangler.toml` names the class; who writes a server does not.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
#[derive(Debug)]
pub struct McpfnEvents {
    storage: Storage,
    known: AssertUnwindSafe<Rc<Known>>,
}

#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
impl McpfnEvents {
    /// Called by the runtime when the object wakes up. Nothing may fail here: worker-build takes an
    /// error of a constructor for the end of the module, and starts it anew.
    #[wasm_bindgen(constructor)]
    pub fn new(state: &ObjectState) -> Self {
        Self {
            storage: state.storage(),
            known: AssertUnwindSafe(Rc::default()),
        }
    }

    /// Called by the runtime with what `DurableEvents` sends.
    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let kept = self.kept();
        future_to_promise(AssertUnwindSafe(async move {
            let body = bytes(&request).await?;
            let Some(request) = EventRequest::read(&body) else {
                return Ok(response(None));
            };
            let answer = kept.answer(&request)?;
            if writes(&request.action) {
                ensure_alarm(&kept).await?;
            }
            Ok(response(Some(answer.write())))
        }))
    }

    /// Called by the runtime some time after something was kept: deletes what expired, and comes
    /// again while there is what can expire.
    pub fn alarm(&self) -> Promise {
        let kept = self.kept();
        future_to_promise(AssertUnwindSafe(async move {
            let now_ms = Date::now();
            // what fails now is tried at the next alarm: the runtime gives up one that fails for long
            let left = kept.sweep(now_ms as u64).unwrap_or(Left::Rows);
            let promise = match left {
                Left::Rows => {
                    kept.known.due_ms.set(now_ms + SWEEP_MS);
                    kept.storage.set_alarm(now_ms + SWEEP_MS)?
                }
                // a log is known by its head: who asks is told that nothing was missed
                Left::Head => {
                    kept.known.due_ms.set(0.0);
                    return Ok(JsValue::UNDEFINED);
                }
                Left::Nothing => {
                    kept.known.forget();
                    kept.storage.delete_all()?
                }
            };
            JsFuture::from(promise).await
        }))
    }
}

impl McpfnEvents {
    fn kept(&self) -> Kept {
        Kept {
            storage: self.storage.clone(),
            known: Rc::clone(&self.known.0),
        }
    }
}

/// Whether something is there afterwards that can expire.
fn writes(action: &EventAction<'_>) -> bool {
    matches!(
        action,
        EventAction::Append { .. } | EventAction::Write { .. } | EventAction::Hold { .. }
    )
}

/// An object with rows has an alarm. Asks for it once in the life of an object in memory, and when
/// one is overdue: each question is a read of a row.
async fn ensure_alarm(kept: &Kept) -> Result<(), JsValue> {
    let (now_ms, due_ms) = (Date::now(), &kept.known.due_ms);
    if now_ms < due_ms.get() + LATE_MS {
        return Ok(());
    }
    let set = JsFuture::from(kept.storage.get_alarm()?).await?.as_f64();
    let due = match set.filter(|at_ms| now_ms < at_ms + LATE_MS) {
        Some(at_ms) => at_ms,
        None => {
            JsFuture::from(kept.storage.set_alarm(now_ms + SWEEP_MS)?).await?;
            now_ms + SWEEP_MS
        }
    };
    due_ms.set(due);
    Ok(())
}
