//! `crm.activity_created`: an entry in a company's log, whoever wrote it.

use mcpfn_core::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn_core::{Cx, ToolError, input, output};
use mcpfn_ports::{Sql as _, SqlValue};

use super::log::{ActivityKind, MAX_NOTE_LENGTH, kind_name};
use super::{database, owned};
use crate::date;
use crate::dialect::{LINE, short};
use crate::event_ids::{EVERY, event_id};
use crate::mapping::{Mapping, has};
use crate::say::{database_failed, other_columns};

/// How old an entry is at least, in milliseconds: by then all entries of its second are there, in the
/// order of their ids.
const SETTLED_MS: u64 = 2_000;

/// Which entries.
#[input]
#[derive(Debug)]
pub struct ActivityFilter {
    /// Those of one account, by its id as `search_accounts` returns it.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub account_id: Option<String>,
    /// Those of one kind.
    #[serde(default)]
    pub kind: Option<ActivityKind>,
}

/// An entry in a company's log.
#[output]
#[derive(Debug)]
pub struct CreatedActivity {
    /// The entry's id.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// `call`, `email`, `meeting`, `note` or `task`.
    pub kind: String,
    /// What was said and what happens next.
    pub note: String,
    /// When, in UTC, as ISO 8601.
    pub at: String,
    /// Who wrote it.
    pub author: String,
}

/// What can be heard of with the scope `crm:read`, where its table is there.
pub(crate) fn events(mapping: Option<&Mapping>) -> Vec<Event> {
    let there = has(mapping, &["activities"]);
    there.then(activity_created).into_iter().collect()
}

/// The event.
fn activity_created() -> Event {
    Event::new("crm.activity_created")
        .description(
            "Somebody wrote an entry in a company's log: a call, mail, meeting, note or task.",
        )
        .scope("crm:read")
        .payload::<CreatedActivity>()
        .poll(created)
        .every(EVERY)
        .sent()
}

/// Entries behind a moment and an id. One that is dated back is in the log, and no news.
async fn created(filter: ActivityFilter, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    let now_ms = cx.now_ms();
    let begin = || format!("{}|", date::utc(now_ms));
    let Some(cursor) = poll.cursor() else {
        return Ok(EventPage::new(begin()));
    };
    let Some((at, id)) = cursor.split_once('|') else {
        return Ok(EventPage::new(begin()).truncated());
    };
    let since = poll.since_ms().map(date::utc);
    let too_old = since.as_deref().filter(|since| *since > at);
    let (from, behind) = too_old.map_or((at, id), |since| (since, ""));
    let settled = date::utc(now_ms.saturating_sub(SETTLED_MS));
    let mut parameters = vec![from.into(), behind.into(), SqlValue::from(settled)];
    let mut conditions = String::new();
    let kind = filter.kind.map(|kind| kind_name(kind).to_owned());
    for (column, value) in [("account_id", filter.account_id), ("kind", kind)] {
        if let Some(value) = value {
            parameters.push(value.into());
            conditions.push_str(&format!(" AND {column} = ?{}", parameters.len()));
        }
    }
    let sql = format!(
        "SELECT id, account_id, kind, {note}, happened_at, {author} FROM activities \
         WHERE (happened_at > ?1 OR (happened_at = ?1 AND id > ?2)) AND happened_at <= ?3{conditions} \
         ORDER BY happened_at, id LIMIT {}",
        poll.limit() + 1,
        note = short("note", MAX_NOTE_LENGTH),
        author = short("author", LINE),
    );
    let database = database(&cx).await?;
    let found = database
        .query(&sql, &parameters, poll.limit())
        .await
        .map_err(database_failed)?;
    let entries = found.rows.iter().map(|row| entry(row));
    let entries = entries.collect::<Option<Vec<_>>>();
    let entries = entries.ok_or_else(|| other_columns("the CRM"))?;
    let next = entries.last().map_or_else(
        || format!("{from}|{behind}"),
        |it| format!("{}|{}", it.at, it.id),
    );
    let occurrences = entries.iter().map(|entry| {
        let at_ms = date::ms(&entry.at).unwrap_or(now_ms);
        EventOccurrence::new(event_id("activity", &entry.id), at_ms, entry)
    });
    let page = EventPage::new(next)
        .events(occurrences)
        .more(found.truncated);
    Ok(match too_old {
        Some(_) => page.truncated(),
        None => page,
    })
}

fn entry(row: &[SqlValue]) -> Option<CreatedActivity> {
    let [id, account_id, kind, note, at, author] = row else {
        return None;
    };
    Some(CreatedActivity {
        id: owned(id)?,
        account_id: owned(account_id)?,
        kind: owned(kind)?,
        note: owned(note)?,
        at: owned(at)?,
        author: owned(author)?,
    })
}
