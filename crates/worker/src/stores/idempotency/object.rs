//! The Durable Object: one shard of the idempotent writes, in a SQLite database of its own.
//! Each request is decided by statements between which nothing waits, so no other request comes
//! between them; an answer leaves after what it says is on disk.
//!
//! | column | of a hold | of a result |
//! |---|---|---|
//! | `until_ms` | the end of the hold | when the result expires |
//! | `holder` | who has begun | who has begun |
//! | `result` | null | the result |

use std::panic::AssertUnwindSafe;

use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Array, Date, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{ResponseBuilder, web_sys};

use crate::idempotency_message::{HOLDER, HoldAction, HoldAnswer, HoldRequest};

/// Without a row id, so that a write of a row is one write and not another one of its index.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY, until_ms INTEGER NOT \
    NULL, holder BLOB NOT NULL, result BLOB) WITHOUT ROWID";
/// Between two looks at what has expired.
const SWEEP_MS: f64 = 3_600_000.0;
const BAD_REQUEST: u16 = 400;

/// One shard. `wrangler.toml` names the class; who writes a server does not.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
#[derive(Debug)]
pub struct McpfnIdempotency {
    storage: Storage,
}

#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
impl McpfnIdempotency {
    /// Called by the runtime when the object wakes up. Nothing may fail here: worker-build takes an
    /// error of a constructor for the end of the module, and starts it anew.
    #[wasm_bindgen(constructor)]
    pub fn new(state: &ObjectState) -> Self {
        Self {
            storage: state.storage(),
        }
    }

    /// Called by the runtime with what `DurableIdempotency` sends.
    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let storage = self.storage.clone();
        future_to_promise(AssertUnwindSafe(async move {
            let body = Uint8Array::new(&JsFuture::from(request.array_buffer()?).await?).to_vec();
            let Some(request) = HoldRequest::read(&body) else {
                return Ok(web_sys::Response::from(
                    ResponseBuilder::new().with_status(BAD_REQUEST).empty(),
                )
                .into());
            };
            let (answer, alarm) = decide(&storage, &request)?;
            if let Some(alarm) = alarm {
                JsFuture::from(alarm).await?;
            }
            Ok(web_sys::Response::from(ResponseBuilder::new().fixed(answer.write())).into())
        }))
    }

    /// Called by the runtime some time after a row came into an empty table: deletes what expired,
    /// and comes again while rows are left.
    pub fn alarm(&self) -> Result<Option<Promise>, JsValue> {
        let now_ms = Date::now();
        run(&self.storage, TABLE, &[])?;
        run(
            &self.storage,
            "DELETE FROM idempotency WHERE until_ms <= ?",
            &[now_ms.into()],
        )?;
        if is_empty(&self.storage)? {
            Ok(None)
        } else {
            self.storage.set_alarm(now_ms + SWEEP_MS).map(Some)
        }
    }
}

/// What is answered, and an alarm that is on its way to be set. Nothing in here waits.
fn decide(
    storage: &Storage,
    request: &HoldRequest<'_>,
) -> Result<(HoldAnswer, Option<Promise>), JsValue> {
    run(storage, TABLE, &[])?;
    let key = JsValue::from_str(request.key);
    let holder = JsValue::from(Uint8Array::from(request.holder.as_slice()));
    let found = run(
        storage,
        "SELECT until_ms, holder, result FROM idempotency WHERE key = ?",
        std::slice::from_ref(&key),
    )?;
    let row = found
        .iter()
        .next()
        .map(|row| HoldRow::read(&Array::from(&row)));
    let keep = |until_ms: u64, result: JsValue| {
        // a table with rows has an alarm that was set with the first of them, in the same write
        let alarm = if is_empty(storage)? {
            Some(storage.set_alarm(Date::now() + SWEEP_MS)?)
        } else {
            None
        };
        run(
            storage,
            "REPLACE INTO idempotency VALUES (?, ?, ?, ?)",
            &[
                key.clone(),
                (until_ms as f64).into(),
                holder.clone(),
                result,
            ],
        )?;
        Ok(alarm)
    };
    match request.action {
        HoldAction::Begin {
            now_ms,
            held_until_ms,
        } => match row.filter(|row| row.until_ms > now_ms as f64) {
            Some(HoldRow {
                result: Some(result),
                ..
            }) => Ok((HoldAnswer::Done(result), None)),
            Some(_) => Ok((HoldAnswer::Running, None)),
            None => keep(held_until_ms, JsValue::NULL).map(|alarm| (HoldAnswer::First, alarm)),
        },
        // a row that was swept has no other holder either
        HoldAction::Complete { .. } if row.is_some_and(|row| row.holder != *request.holder) => {
            Ok((HoldAnswer::Lost, None))
        }
        HoldAction::Complete { expires_ms, result } => {
            keep(expires_ms, Uint8Array::from(result).into()).map(|alarm| (HoldAnswer::Kept, alarm))
        }
        HoldAction::Release => {
            run(
                storage,
                "DELETE FROM idempotency WHERE key = ? AND holder = ? AND result IS NULL",
                &[key, holder],
            )?;
            Ok((HoldAnswer::Kept, None))
        }
    }
}

struct HoldRow {
    until_ms: f64,
    holder: [u8; HOLDER],
    result: Option<Vec<u8>>,
}

impl HoldRow {
    fn read(row: &Array) -> Self {
        let bytes = |cell: JsValue| (!cell.is_null()).then(|| Uint8Array::new(&cell).to_vec());
        let holder = bytes(row.get(1))
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or_default();
        Self {
            until_ms: row.get(0).as_f64().unwrap_or_default(),
            holder,
            result: bytes(row.get(2)),
        }
    }
}

fn is_empty(storage: &Storage) -> Result<bool, JsValue> {
    Ok(run(storage, "SELECT 1 FROM idempotency LIMIT 1", &[])?.length() == 0)
}

/// The rows of one statement, each as an array.
fn run(storage: &Storage, statement: &str, parameters: &[JsValue]) -> Result<Array, JsValue> {
    let bound = Array::new();
    for parameter in parameters {
        bound.push(parameter);
    }
    Ok(Array::from(&storage.sql().exec(statement, &bound)?.raw()))
}

#[wasm_bindgen]
extern "C" {
    /// What the runtime gives an object.
    pub type ObjectState;

    #[wasm_bindgen(method, getter)]
    fn storage(this: &ObjectState) -> Storage;

    #[derive(Debug, Clone)]
    type Storage;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &Storage) -> Sql;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &Storage, at_ms: f64) -> Result<Promise, JsValue>;

    type Sql;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &Sql, statement: &str, parameters: &Array) -> Result<Cursor, JsValue>;

    type Cursor;

    #[wasm_bindgen(method)]
    fn raw(this: &Cursor) -> JsValue;
}
