//! What an object of events keeps, and what follows from a request: statements, and between them no
//! wait.

use std::cell::Cell;
use std::rc::Rc;

use mcpfn_core::port::{EVENTS_AT_ONCE, EventPosition, EventRetention};
use worker::js_sys::{Array, Uint8Array, try_iter};
use worker::wasm_bindgen::JsValue;

use crate::event_message::{EventAction, EventAnswer, EventRequest, KeptSubscription};
use crate::octets::{UnreadBytes, put_number};
use crate::stores::objects::Storage;

const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY, nonce BLOB NOT NULL, body BLOB \
     NOT NULL)",
    // without a row id, so that a write of a row is one write and not another one of its index
    "CREATE TABLE IF NOT EXISTS subscription (id TEXT PRIMARY KEY, version INTEGER NOT NULL, nonce \
     BLOB NOT NULL, expires_ms INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS held (id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) WITHOUT \
     ROWID",
];
/// Where the head of the log is.
const HEAD: &str = "head";
/// Bytes of one answer, about.
const ANSWER: usize = 2 * 1024 * 1024;
/// Events among which one is looked for that may have been appended before.
const RECENT: &str = "SELECT position FROM (SELECT position, nonce FROM log ORDER BY position DESC \
                      LIMIT 64) WHERE nonce = ?";

/// What an object in memory need not ask its database.
#[derive(Debug, Default)]
pub(super) struct Known {
    has_tables: Cell<bool>,
    /// How many events the log has.
    events: Cell<Option<u64>>,
    /// When the alarm comes; 0 before anything is known.
    pub(super) due_ms: Cell<f64>,
}

impl Known {
    /// The database is empty.
    pub(super) fn forget(&self) {
        self.has_tables.set(false);
        self.events.set(None);
        self.due_ms.set(0.0);
    }
}

/// The database of an object, and what is known of it.
pub(super) struct Kept {
    pub(super) storage: Storage,
    pub(super) known: Rc<Known>,
}

/// What is left of a database.
pub(super) enum Left {
    /// What can expire.
    Rows,
    /// A log that has no events.
    Head,
    Nothing,
}

/// Where a log begins and ends: events up to `floor` are gone, the last one that was dropped or the
/// beginning is `last`, and `age_ms` is how long they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ObjectLogHead {
    floor: u64,
    last: u64,
    age_ms: u64,
}

impl Kept {
    /// Does what is asked.
    pub(super) fn answer(&self, request: &EventRequest<'_>) -> Result<EventAnswer, JsValue> {
        self.make_tables()?;
        let now_ms = request.now_ms;
        match request.action {
            EventAction::Append { keep, body } => self.append(request, keep, body),
            EventAction::Read { keep, after, limit } => {
                let head = self.begin(now_ms, keep)?;
                self.read(head, after, limit)
            }
            EventAction::End { keep } => {
                let head = self.begin(now_ms, keep)?;
                Ok(EventAnswer::Position(self.last(head)?))
            }
            EventAction::Find { id } => self.rows(
                "SELECT id, version, expires_ms, body FROM subscription WHERE id = ? AND \
                 expires_ms > ?",
                &[id.into(), number(now_ms)],
            ),
            EventAction::Page { after, limit } => self.rows(
                "SELECT id, version, expires_ms, body FROM subscription WHERE id > ? AND \
                 expires_ms > ? ORDER BY id LIMIT ?",
                &[after.into(), number(now_ms), number(limit)],
            ),
            EventAction::Write { .. } => self.write(request),
            EventAction::Remove { id } => {
                self.run("DELETE FROM subscription WHERE id = ?", &[id.into()])?;
                Ok(EventAnswer::Done)
            }
            EventAction::Hold {
                id,
                expires_ms,
                most,
            } => {
                self.run("DELETE FROM held WHERE expires_ms <= ?", &[number(now_ms)])?;
                if self.is_full("held", id, most)? {
                    return Ok(EventAnswer::Full);
                }
                let row = [id.into(), number(expires_ms)];
                self.run("REPLACE INTO held VALUES (?, ?)", &row)?;
                Ok(EventAnswer::Done)
            }
            EventAction::Release { id } => {
                self.run("DELETE FROM held WHERE id = ?", &[id.into()])?;
                Ok(EventAnswer::Done)
            }
        }
    }

    /// Deletes what expired.
    pub(super) fn sweep(&self, now_ms: u64) -> Result<Left, JsValue> {
        self.make_tables()?;
        for statement in [
            "DELETE FROM subscription WHERE expires_ms <= ?",
            "DELETE FROM held WHERE expires_ms <= ?",
        ] {
            self.run(statement, &[number(now_ms)])?;
        }
        let head = match self.head()? {
            Some(head) => Some(self.drop_old(head, now_ms)?),
            None => None,
        };
        let left = "SELECT EXISTS (SELECT 1 FROM log) + EXISTS (SELECT 1 FROM subscription) + \
                    EXISTS (SELECT 1 FROM held)";
        Ok(match (self.number(left, &[])?, head) {
            (None | Some(0), None) => Left::Nothing,
            (None | Some(0), Some(_)) => Left::Head,
            _ => Left::Rows,
        })
    }

    fn make_tables(&self) -> Result<(), JsValue> {
        if !self.known.has_tables.replace(true) {
            for table in TABLES {
                self.run(table, &[])
                    .inspect_err(|_| self.known.has_tables.set(false))?;
            }
        }
        Ok(())
    }

    /// The head of the log, which begins where it is not; without what is too old.
    fn begin(&self, now_ms: u64, keep: EventRetention) -> Result<ObjectLogHead, JsValue> {
        let there = self.head()?;
        let mut head = there.unwrap_or_else(|| {
            let now = EventPosition::at(now_ms).number();
            ObjectLogHead {
                floor: now,
                last: now,
                age_ms: 0,
            }
        });
        head.age_ms = keep.max_age_ms;
        if there != Some(head) {
            self.put_head(head)?;
        }
        self.drop_old(head, now_ms)
    }

    fn drop_old(&self, head: ObjectLogHead, now_ms: u64) -> Result<ObjectLogHead, JsValue> {
        let oldest = EventPosition::at(now_ms.saturating_sub(head.age_ms)).number();
        match oldest.checked_sub(1) {
            Some(gone) => self.drop_until(head, gone),
            None => Ok(head),
        }
    }

    /// Drops events up to a position.
    fn drop_until(&self, mut head: ObjectLogHead, until: u64) -> Result<ObjectLogHead, JsValue> {
        let gone = "SELECT max(position) FROM log WHERE position <= ?";
        let Some(last_gone) = self.number(gone, &[number(until)])? else {
            return Ok(head);
        };
        let count = "SELECT count(*) FROM log WHERE position <= ?";
        let dropped = self.number(count, &[number(until)])?.unwrap_or_default();
        self.run("DELETE FROM log WHERE position <= ?", &[number(until)])?;
        let events = self.known.events.get();
        let events = events.map(|events| events.saturating_sub(dropped));
        self.known.events.set(events);
        head.floor = last_gone;
        head.last = head.last.max(last_gone);
        self.put_head(head)?;
        Ok(head)
    }

    fn last(&self, head: ObjectLogHead) -> Result<u64, JsValue> {
        let last = self.number("SELECT max(position) FROM log", &[])?;
        Ok(last.unwrap_or_default().max(head.last))
    }

    fn append(
        &self,
        request: &EventRequest<'_>,
        keep: EventRetention,
        body: &[u8],
    ) -> Result<EventAnswer, JsValue> {
        let head = self.begin(request.now_ms, keep)?;
        if request.again
            && let Some(position) = self.number(RECENT, &[blob(&request.nonce)])?
        {
            return Ok(EventAnswer::Position(position));
        }
        let last = EventPosition::from_number(self.last(head)?);
        let position = last.next(request.now_ms).number();
        let events = match self.known.events.get() {
            Some(events) => events,
            None => self
                .number("SELECT count(*) FROM log", &[])?
                .unwrap_or_default(),
        };
        let row = [number(position), blob(&request.nonce), blob(body)];
        self.run("INSERT INTO log VALUES (?, ?, ?)", &row)?;
        self.known.events.set(Some(events + 1));
        let most = keep.max_events.max(1) as u64;
        if let Some(over) = (events + 1).checked_sub(most).filter(|over| *over > 0) {
            let until =
                "SELECT max(position) FROM (SELECT position FROM log ORDER BY position LIMIT ?)";
            if let Some(until) = self.number(until, &[number(over)])? {
                self.drop_until(head, until)?;
            }
        }
        Ok(EventAnswer::Position(position))
    }

    fn read(&self, head: ObjectLogHead, after: u64, limit: u64) -> Result<EventAnswer, JsValue> {
        let limit = limit.clamp(1, EVENTS_AT_ONCE as u64) as usize;
        let rows = self.cursor(
            "SELECT position, body FROM log WHERE position > ? ORDER BY position LIMIT ?",
            &[number(after), number(limit as u64 + 1)],
        )?;
        let (mut events, mut length, mut more) = (Vec::new(), 0, false);
        // a row after the other, so that what does not fit is not in memory
        for row in try_iter(&rows)?.into_iter().flatten() {
            let row = Array::from(&row?);
            if events.len() == limit || length > ANSWER {
                more = true;
                break;
            }
            let body = Uint8Array::new(&row.get(1)).to_vec();
            length += body.len();
            events.push((whole(&row.get(0)).unwrap_or_default(), body));
        }
        Ok(EventAnswer::Events {
            truncated: after < head.floor,
            more,
            events,
        })
    }

    fn write(&self, request: &EventRequest<'_>) -> Result<EventAnswer, JsValue> {
        let EventAction::Write {
            id,
            replaces,
            expires_ms,
            most,
            body,
        } = request.action
        else {
            return Ok(EventAnswer::Changed);
        };
        let there = "SELECT version, nonce, expires_ms FROM subscription WHERE id = ?";
        let there = self.all(there, &[id.into()])?.get(0);
        let there = (!there.is_undefined()).then(|| Array::from(&there));
        let lives = |row: &Array| whole(&row.get(2)).is_some_and(|end| end > request.now_ms);
        let version = there.filter(lives).map(|row| {
            let nonce = Uint8Array::new(&row.get(1)).to_vec();
            (whole(&row.get(0)).unwrap_or_default(), nonce)
        });
        // its own is what it finds when its first request was done and the answer lost
        if version.as_ref().is_some_and(|(_, by)| *by == request.nonce) {
            return Ok(EventAnswer::Done);
        }
        let version = version.map(|(version, _)| version);
        if version != replaces {
            return Ok(EventAnswer::Changed);
        }
        if version.is_none() && self.is_full("subscription", id, most)? {
            let expired = "DELETE FROM subscription WHERE expires_ms <= ?";
            self.run(expired, &[number(request.now_ms)])?;
            if self.is_full("subscription", id, most)? {
                return Ok(EventAnswer::Full);
            }
        }
        let next = version.map_or(0, |version| version + 1);
        let row = [
            id.into(),
            number(next),
            blob(&request.nonce),
            number(expires_ms),
            blob(body),
        ];
        self.run("REPLACE INTO subscription VALUES (?, ?, ?, ?, ?)", &row)?;
        Ok(EventAnswer::Done)
    }

    /// Whether a table has no room for an id that it does not have.
    fn is_full(&self, table: &str, id: &str, most: u64) -> Result<bool, JsValue> {
        let others = format!("SELECT count(*) FROM {table} WHERE id <> ?");
        Ok(self.number(&others, &[id.into()])?.unwrap_or_default() >= most)
    }

    fn rows(&self, statement: &str, parameters: &[JsValue]) -> Result<EventAnswer, JsValue> {
        let rows = self.all(statement, parameters)?;
        let row = |row: JsValue| {
            let row = Array::from(&row);
            Some(KeptSubscription {
                id: row.get(0).as_string()?,
                version: whole(&row.get(1))?,
                expires_ms: whole(&row.get(2))?,
                body: Uint8Array::new(&row.get(3)).to_vec(),
            })
        };
        Ok(EventAnswer::Rows(rows.iter().filter_map(row).collect()))
    }

    fn head(&self) -> Result<Option<ObjectLogHead>, JsValue> {
        let value = self.storage.kv().get(HEAD)?;
        if value.is_undefined() {
            return Ok(None);
        }
        let bytes = Uint8Array::new(&value).to_vec();
        let mut rest = UnreadBytes(&bytes);
        let mut next = || rest.number();
        Ok(next()
            .zip(next())
            .zip(next())
            .map(|((floor, last), age_ms)| ObjectLogHead {
                floor,
                last,
                age_ms,
            }))
    }

    fn put_head(&self, head: ObjectLogHead) -> Result<(), JsValue> {
        let mut bytes = Vec::new();
        for number in [head.floor, head.last, head.age_ms] {
            put_number(&mut bytes, number);
        }
        self.storage.kv().put(HEAD, &blob(&bytes))
    }

    /// The first number of the first row.
    fn number(&self, statement: &str, parameters: &[JsValue]) -> Result<Option<u64>, JsValue> {
        let rows = self.all(statement, parameters)?;
        let first = rows.get(0);
        Ok((!first.is_undefined())
            .then(|| whole(&Array::from(&first).get(0)))
            .flatten())
    }

    fn run(&self, statement: &str, parameters: &[JsValue]) -> Result<(), JsValue> {
        self.all(statement, parameters).map(drop)
    }

    /// The rows of one statement, each as an array.
    fn all(&self, statement: &str, parameters: &[JsValue]) -> Result<Array, JsValue> {
        Ok(Array::from(&self.cursor(statement, parameters)?))
    }

    fn cursor(&self, statement: &str, parameters: &[JsValue]) -> Result<JsValue, JsValue> {
        let parameters: Array = parameters.iter().collect();
        Ok(self.storage.sql().exec(statement, &parameters)?.raw())
    }
}

/// Positions, times and versions are below 2^53; a bound that is not is none.
fn number(number: u64) -> JsValue {
    (number as f64).into()
}

fn whole(cell: &JsValue) -> Option<u64> {
    cell.as_f64().map(|number| number as u64)
}

fn blob(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
