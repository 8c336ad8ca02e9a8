//! The Durable Object: one shard of the idempotent writes, in a SQLite database of its own.
//! Each request is decided (`idempotency_row`) between two statements between which nothing waits,
//! so no other request comes between them; an answer leaves after what it says is on disk.
//!
//! | column | of a hold | of a result |
//! |---|---|---|
//! | `until_ms` | the end of the hold | 0 |
//! | `expires_ms` | until when it is known that there was one | when the result expires |
//! | `holder` | who has begun | who has begun |
//! | `result` | null | the result |
//!
//! An alarm deletes what expired. The runtime gives an alarm up that failed several times, so the
//! object looks after it: it knows when the next one is due, and one that did not come is set again.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Array, Date, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys;

use crate::idempotency_message::{HoldRequest, RecordAnswer, RecordRequest};
use crate::idempotency_row::{Change, HoldRow, decide};
use crate::stores::objects::{ObjectState, Storage, bytes, response};
use mcpfn_core::port::{Holder, TopicRecord};

/// Without a row id, so that a write of a row is one write and not another one of its index.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY, until_ms INTEGER NOT \
    NULL, expires_ms INTEGER NOT NULL, holder BLOB NOT NULL, result BLOB) WITHOUT ROWID";
/// Between two looks at what has expired.
const SWEEP_MS: f64 = 3_600_000.0;
/// How late an alarm may be before it counts as given up: the runtime tries again for some minutes.
const LATE_MS: f64 = 600_000.0;

/// One shard. `wrangler.toml` names the class; who writes a server does not.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
#[derive(Debug)]
pub struct McpfnIdempotency {
    storage: Storage,
    /// When the alarm comes, as far as is known; 0 before anything is.
    due_ms: AssertUnwindSafe<Rc<Cell<f64>>>,
}

#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
impl McpfnIdempotency {
    /// Called by the runtime when the object wakes up. Nothing may fail here: worker-build takes an
    /// error of a constructor for the end of the module, and starts it anew.
    #[wasm_bindgen(constructor)]
    pub fn new(state: &ObjectState) -> Self {
        Self {
            storage: state.storage(),
            due_ms: AssertUnwindSafe(Rc::default()),
        }
    }

    /// Called by the runtime with what `DurableIdempotency` sends.
    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let (storage, due_ms) = (self.storage.clone(), Rc::clone(&self.due_ms.0));
        future_to_promise(AssertUnwindSafe(async move {
            let body = bytes(&request).await?;
            if let Some(request) = RecordRequest::read(&body) {
                return Ok(response(Some(records(&storage, &request)?.write())));
            }
            let Some(request) = HoldRequest::read(&body) else {
                return Ok(response(None));
            };
            let (answer, change) = decide(find(&storage, request.key)?, &request);
            let writes = matches!(change, Change::Keep(_));
            apply(&storage, request.key, change)?;
            if writes {
                ensure_alarm(&storage, &due_ms).await?;
            }
            Ok(response(Some(answer.write())))
        }))
    }

    /// Called by the runtime some time after a row came into an empty table: deletes what expired,
    /// and comes again while rows are left.
    pub fn alarm(&self) -> Result<Option<Promise>, JsValue> {
        let now_ms = Date::now();
        // what fails now is tried at the next alarm: the runtime gives up one that fails for long
        if sweep(&self.storage, now_ms) == Ok(true) {
            self.due_ms.set(0.0);
            return Ok(None);
        }
        self.due_ms.set(now_ms + SWEEP_MS);
        self.storage.set_alarm(now_ms + SWEEP_MS).map(Some)
    }
}

/// Whether nothing is left.
fn sweep(storage: &Storage, now_ms: f64) -> Result<bool, JsValue> {
    run(storage, TABLE, &[])?;
    run(
        storage,
        "DELETE FROM idempotency WHERE expires_ms <= ?",
        &[now_ms.into()],
    )?;
    Ok(run(storage, "SELECT 1 FROM idempotency LIMIT 1", &[])?.length() == 0)
}

/// A table with rows has an alarm. Asks for it once in the life of an object in memory, and when
/// one is overdue: each question is a read of a row.
async fn ensure_alarm(storage: &Storage, due_ms: &Cell<f64>) -> Result<(), JsValue> {
    let now_ms = Date::now();
    if now_ms < due_ms.get() + LATE_MS {
        return Ok(());
    }
    let set = JsFuture::from(storage.get_alarm()?).await?.as_f64();
    let due = match set.filter(|at_ms| now_ms < at_ms + LATE_MS) {
        Some(at_ms) => at_ms,
        None => {
            JsFuture::from(storage.set_alarm(now_ms + SWEEP_MS)?).await?;
            now_ms + SWEEP_MS
        }
    };
    due_ms.set(due);
    Ok(())
}

/// The records of subscriptions that count.
fn records(storage: &Storage, request: &RecordRequest<'_>) -> Result<RecordAnswer, JsValue> {
    let keys = request.keys.iter();
    let records = keys.map(|key| {
        let row = find(storage, key)?.filter(|row| row.expires_ms > request.now_ms);
        Ok(row.and_then(|row| {
            Some(TopicRecord {
                version: row.holder,
                value: row.result?.into(),
            })
        }))
    });
    records.collect::<Result<_, JsValue>>().map(RecordAnswer)
}

fn find(storage: &Storage, key: &str) -> Result<Option<HoldRow>, JsValue> {
    run(storage, TABLE, &[])?;
    let found = run(
        storage,
        "SELECT until_ms, expires_ms, holder, result FROM idempotency WHERE key = ?",
        &[JsValue::from_str(key)],
    )?;
    Ok(found.iter().next().map(|row| read(&Array::from(&row))))
}

fn apply(storage: &Storage, key: &str, change: Change) -> Result<(), JsValue> {
    let key = JsValue::from_str(key);
    match change {
        Change::None => Ok(()),
        Change::Keep(row) => {
            let result = row.result.as_deref().map(Uint8Array::from);
            let cells = [
                key,
                (row.until_ms as f64).into(),
                (row.expires_ms as f64).into(),
                Uint8Array::from(row.holder.as_slice()).into(),
                result.map_or(JsValue::NULL, JsValue::from),
            ];
            let statement = "REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)";
            run(storage, statement, &cells).map(drop)
        }
        Change::Delete => run(storage, "DELETE FROM idempotency WHERE key = ?", &[key]).map(drop),
    }
}

fn read(row: &Array) -> HoldRow {
    let bytes = |cell: JsValue| (!cell.is_null()).then(|| Uint8Array::new(&cell).to_vec());
    let number = |cell: JsValue| cell.as_f64().unwrap_or_default() as u64;
    HoldRow {
        until_ms: number(row.get(0)),
        expires_ms: number(row.get(1)),
        holder: bytes(row.get(2))
            .and_then(|bytes| Holder::try_from(bytes).ok())
            .unwrap_or_default(),
        result: bytes(row.get(3)),
    }
}

/// The rows of one statement, each as an array.
fn run(storage: &Storage, statement: &str, parameters: &[JsValue]) -> Result<Array, JsValue> {
    let bound = Array::new();
    for parameter in parameters {
        bound.push(parameter);
    }
    Ok(Array::from(&storage.sql().exec(statement, &bound)?.raw()))
}
