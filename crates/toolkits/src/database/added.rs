//! `TABLE.row_added`: a row that was added to a table, which an operator chose together with a column
//! of whole numbers that grow. On PostgreSQL, where a smaller number may be committed after a greater
//! one, a row waits for the look after the one that first saw its number.

use mcpfn_core::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn_core::{Cx, NoArguments, ToolError, text};
use mcpfn_ports::{Dialect, Rows, SqlValue};
use serde_json::{Value, json};

use super::allowed::{database, visible};
use super::cells::qualified;
use super::query::columns;
use super::schema::{DatabaseTable, identifier};
use crate::event_ids::{EVERY, event_id};
use crate::rows::bounded;
use crate::say::database_failed;

/// Most tables.
const TABLES: usize = 20;
/// Most rows of one look: each may be as large as an answer.
const ROWS: usize = 20;

/// A table, and the column that says which rows are new.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Growing {
    table: String,
    key: String,
}

/// The events of a list such as `orders:id,notes:number`.
///
/// # Errors
/// A sentence without a full stop that says what is wrong with the list.
pub(crate) fn added_rows(list: &str) -> Result<Vec<Event>, String> {
    let growing = parse(list)?;
    Ok(growing.into_iter().map(event).collect())
}

fn parse(list: &str) -> Result<Vec<Growing>, String> {
    let mut found: Vec<Growing> = Vec::new();
    let entries = list.split(',').map(str::trim);
    // entries are named by their number: what was pasted here by mistake may be a secret
    for (number, entry) in (1..).zip(entries.filter(|entry| !entry.is_empty())) {
        let parts = entry.split_once(':').map(|(a, b)| (a.trim(), b.trim()));
        let Some((table, key)) = parts.filter(|(a, b)| !a.is_empty() && !b.is_empty()) else {
            return Err(format!(
                "entry {number} is no table and its growing column, such as `orders:id`"
            ));
        };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !table.bytes().all(legal) || table.len() > 100 {
            return Err(format!(
                "the table of entry {number} can't be a part of an event's name: it takes up to 100 \
                 of A-Z a-z 0-9 _ -; make a view with such a name"
            ));
        }
        if found.iter().any(|known| known.table == table) {
            return Err(format!("{} is listed twice", text::quoted(table)));
        }
        found.push(Growing {
            table: table.to_owned(),
            key: key.to_owned(),
        });
    }
    match found.len() {
        0 => Err("there is no table in the list".to_owned()),
        1..=TABLES => Ok(found),
        more => Err(format!("it has {more} tables, and {TABLES} are the most")),
    }
}

fn event(growing: Growing) -> Event {
    let Growing { table, .. } = &growing;
    let payload = json!({
        "type": "object",
        "required": ["key", "row"],
        "properties": {
            "key": {"type": "integer", "description": "The row's number."},
            "row": {
                "type": ["object", "null"],
                "description": "The row by its columns' names. Binary values are shown as their \
                                size, very long text is cut; null for a row that is too large.",
            },
        },
    });
    Event::new(format!("{table}.row_added"))
        .description(format!("A row was added to the table `{table}`."))
        .scope("database:read")
        .payload_schema(payload)
        .poll(move |_: NoArguments, poll, cx| added(growing.clone(), poll, cx))
        .every(EVERY)
        .sent()
}

/// How long a look on PostgreSQL is old until what it saw counts as settled, in milliseconds: a
/// transaction that had taken a smaller number by then has ended.
const SETTLES_MS: u64 = 5_000;

/// Where a client is: behind this number, and up to which a look saw some, and when.
#[derive(Debug, Clone, Copy)]
struct Place {
    behind: i64,
    seen: i64,
    seen_ms: u64,
}

impl Place {
    fn read(cursor: &str) -> Option<Self> {
        let mut parts = cursor.split(':');
        let place = Self {
            behind: parts.next()?.parse().ok()?,
            seen: parts.next()?.parse().ok()?,
            // of an earlier version: long ago
            seen_ms: parts.next().map_or(Ok(0), str::parse).ok()?,
        };
        parts.next().is_none().then_some(place)
    }

    fn written(self) -> String {
        format!("{}:{}:{}", self.behind, self.seen, self.seen_ms)
    }

    /// Up to which number nothing can come any more, at a look that sees some up to `last`. With
    /// `waits`, numbers are given before rows can be seen.
    fn settled(self, last: i64, now_ms: u64, waits: bool) -> i64 {
        match waits {
            false => last.max(self.seen),
            true if self.is_old(now_ms) => self.seen.max(self.behind),
            true => self.behind,
        }
    }

    fn is_old(self, now_ms: u64) -> bool {
        now_ms >= self.seen_ms.saturating_add(SETTLES_MS)
    }

    /// The next one, once everything up to `settled` was given.
    fn next(self, settled: i64, last: i64, now_ms: u64, waits: bool) -> Self {
        if waits && !self.is_old(now_ms) {
            return self;
        }
        Self {
            behind: settled,
            seen: last.max(self.seen),
            seen_ms: now_ms,
        }
    }
}

async fn added(growing: Growing, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    let schema = visible(&cx).await.map_err(|error| told(&growing, &error))?;
    let table = schema.table(&growing.table);
    let table = table.map_err(|error| told(&growing, &error))?;
    let column = table.column(&growing.key);
    let key = qualified(table, column.map_err(|error| told(&growing, &error))?);
    let last = last(table, &key, &cx).await?;
    let place = poll.cursor().map(Place::read);
    let Some(Some(place)) = place else {
        let now = Place {
            behind: last,
            seen: last,
            seen_ms: cx.now_ms(),
        };
        let page = EventPage::new(now.written());
        return Ok(if place.is_none() {
            page
        } else {
            page.truncated()
        });
    };
    let (now_ms, waits) = (cx.now_ms(), database(&cx)?.dialect() == Dialect::Postgres);
    let settled = place.settled(last, now_ms, waits);
    let limit = poll.limit().min(ROWS);
    let found = rows(table, &key, (place.behind, settled), limit, &cx).await?;
    let more = found.truncated;
    let events = events(&growing, found, now_ms)?;
    let next = match events.last() {
        // what was seen is as old as before: the rest of it comes at once
        Some((number, _)) if more => Place {
            behind: *number,
            ..place
        },
        _ => place.next(settled, last, now_ms, waits),
    };
    let events = events.into_iter().map(|(_, event)| event);
    Ok(EventPage::new(next.written()).events(events).more(more))
}

/// The greatest number there is.
async fn last(table: &DatabaseTable, key: &str, cx: &Cx) -> Result<i64, ToolError> {
    let name = identifier(&table.name);
    let sql = format!("SELECT max({key}) FROM {name}");
    let found = database(cx)?.query(&sql, &[], 1).await;
    let found = found.map_err(database_failed)?.rows;
    match found.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(last)) => Ok(*last),
        Some(SqlValue::Null) | None => Ok(0),
        Some(_) => Err(no_number(&table.name)),
    }
}

/// Rows with numbers behind one and up to another, with the number of each in front.
async fn rows(
    table: &DatabaseTable,
    key: &str,
    (behind, until): (i64, i64),
    limit: usize,
    cx: &Cx,
) -> Result<Rows, ToolError> {
    let database = database(cx)?;
    let columns = columns(database.dialect(), table, None)?;
    let name = identifier(&table.name);
    let sql = format!(
        "SELECT {key}, {columns} FROM {name} WHERE {key} > ?1 AND {key} <= ?2 ORDER BY {key} \
         LIMIT {}",
        limit + 1
    );
    let parameters = [behind.into(), until.into()];
    let found = database.query(&sql, &parameters, limit).await;
    found.map_err(database_failed)
}

fn events(
    growing: &Growing,
    found: Rows,
    now_ms: u64,
) -> Result<Vec<(i64, EventOccurrence)>, ToolError> {
    let names: Vec<String> = found.columns.into_iter().skip(1).collect();

    let events = found.rows.into_iter().map(|mut row| {
        let number = match row.first() {
            Some(SqlValue::Integer(number)) => *number,
            _ => return Err(no_number(&growing.table)),
        };
        row.remove(0);
        let one = Rows {
            columns: names.clone(),
            rows: vec![row],
            truncated: false,
        };
        // alone, so that a large one takes no other's place
        let row = bounded(one).rows.into_iter().next();
        let row = serde_json::to_value(row).unwrap_or(Value::Null);
        let id = event_id(&growing.table, &number.to_string());
        let data = json!({"key": number, "row": row});
        Ok((number, EventOccurrence::new(id, now_ms, &data)))
    });
    events.collect()
}

fn no_number(table: &str) -> ToolError {
    ToolError::internal(format!(
        "MCPFN_EVENT_TABLES: the column of {} holds something else than whole numbers",
        text::quoted(table)
    ))
}

/// The schema's own sentences are for models that named a table.
fn told(growing: &Growing, error: &ToolError) -> ToolError {
    let cause = error.message().unwrap_or("it can't be read").to_owned();
    ToolError::unavailable(
        "The database's tables are not as this server's settings expect them. Tell the user, who may \
         ask the operator.",
        format!("MCPFN_EVENT_TABLES: {}: {cause}", growing.table),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that is given and not yet to be seen, while others behind it are.
    #[test]
    fn a_row_that_is_committed_late_is_not_passed_over() {
        let place = Place::read("100:150:10000").unwrap();
        assert_eq!(Place::read(&place.written()).unwrap().seen_ms, 10_000);
        for (now_ms, settled, next) in [
            // two looks within a moment settle nothing
            (10_001, 100, "100:150:10000"),
            (14_999, 100, "100:150:10000"),
            (15_000, 150, "150:200:15000"),
            (99_000, 150, "150:200:99000"),
        ] {
            assert_eq!(place.settled(200, now_ms, true), settled, "{now_ms}");
            let after = place.next(settled, 200, now_ms, true);
            assert_eq!(after.written(), next, "{now_ms}");
        }
        // where rows are seen in the order of their numbers nothing waits
        assert_eq!(place.settled(200, 10_001, false), 200);
        assert_eq!(place.next(200, 200, 10_001, false).behind, 200);
        assert_eq!(Place::read("100:150").unwrap().seen_ms, 0);
        for wrong in ["", "1", "1:", "1:2:", "1:2:x", "1:2:3:4", "a:2"] {
            assert!(Place::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn lists_are_read_and_mistakes_are_named() {
        let growing = parse(" orders:id, notes : number ,").unwrap();
        assert_eq!(growing.len(), 2);
        assert_eq!((&*growing[1].table, &*growing[1].key), ("notes", "number"));
        for (list, part) in [
            ("", "no table"),
            ("orders", "`orders:id`"),
            ("orders:", "`orders:id`"),
            (":id", "`orders:id`"),
            ("a b:id", "make a view"),
            ("a.b:id", "make a view"),
            ("a:id,a:number", "twice"),
        ] {
            let told = parse(list).unwrap_err();
            assert!(told.contains(part), "{list:?}: {told}");
        }
    }
}
