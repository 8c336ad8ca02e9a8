//! `get_account_timeline`: everything that happened with one company, in one list.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::log::MAX_NOTE_LENGTH;
use super::{account_id, amount, database, no_account, owned};
use crate::dialect::{LINE, short};
use crate::say::{database_failed, other_columns};

/// The most events of one answer.
const MAX: u32 = 50;

/// The most contacts of one answer.
const MAX_CONTACTS: usize = 50;

/// Which company.
#[input]
#[derive(Debug)]
pub struct AccountId {
    /// The account's id, as `search_accounts` returns it, e.g. "ACC-1042".
    #[schemars(length(min = 1, max = 64))]
    pub account_id: String,
    /// The most events to return, the newest first.
    #[schemars(range(min = 1, max = 50))]
    #[serde(default = "crate::usual::<20>")]
    pub limit: u32,
}

/// A company with what happened.
#[output]
#[derive(Debug)]
pub struct Timeline {
    /// The account's id.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// `prospect`, `active` or `former`.
    pub status: String,
    /// Who looks after it.
    pub owner: String,
    /// The people who buy for it.
    pub contacts: Vec<Contact>,
    /// Calls, mails, meetings and notes, opportunities, and orders of its contacts; the newest
    /// first.
    pub events: Vec<TimelineEvent>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A person at a company.
#[output]
#[derive(Debug)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// What the person does there.
    pub role: String,
}

/// Something that happened.
#[output]
#[derive(Debug)]
pub struct TimelineEvent {
    /// When, as an ISO 8601 date, or moment in UTC.
    pub at: String,
    /// `call`, `email`, `meeting`, `note`, `task`, `opportunity opened`, `won` or `lost`, or an
    /// order's status such as `order paid`.
    pub kind: String,
    /// What was said, or about what it is.
    pub text: String,
    /// What it is worth, in US dollars, where it is worth something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<f64>,
}

/// Get everything that happened with one company, the newest first: calls, mails, meetings,
/// opportunities and orders.
///
/// Use this before a meeting or a call, to summarise a relation, or to see what was promised. Find
/// the id with `search_accounts`.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "crm:read",
    title = "Account timeline"
)]
pub async fn get_account_timeline(args: AccountId, cx: &Cx) -> Result<Timeline, ToolError> {
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let database = database(cx).await?;
    let id = [SqlValue::from(account_id(&database, &args.account_id)?)];
    let (name, owner) = (short("name", LINE), short("owner", LINE));
    let account = format!("SELECT id, {name}, status, {owner} FROM accounts WHERE id = ?1");
    let found = database
        .query(&account, &id, 1)
        .await
        .map_err(database_failed)?;
    let Some(account) = found.rows.first() else {
        return Err(no_account(args.account_id.trim()));
    };

    let sql = contacts();
    let contacts = database
        .query(&sql, &id, MAX_CONTACTS)
        .await
        .map_err(database_failed)?;

    let limit = args.limit;
    // one more than is shown, to know whether there is more
    let sql = events(limit + 1);
    let events = database
        .query(&sql, &id, limit as usize)
        .await
        .map_err(database_failed)?;
    let note = match (events.truncated, events.rows.is_empty()) {
        (true, _) => Some(format!(
            "The newest {limit} events are shown; there are older ones. Raise `limit` for more."
        )),
        (false, true) => Some("Nothing has happened with this account yet.".to_owned()),
        (false, false) => None,
    };
    let contacts = contacts
        .rows
        .iter()
        .map(|row| contact(row))
        .collect::<Option<Vec<_>>>();
    let events = events
        .rows
        .iter()
        .map(|row| event(row))
        .collect::<Option<Vec<_>>>();
    read(account, contacts, events, note).ok_or_else(|| other_columns("the CRM"))
}

/// The people of an account.
fn contacts() -> String {
    format!(
        "SELECT {}, {}, {} FROM account_contacts AS a JOIN customers AS c ON c.id = a.customer_id \
         WHERE a.account_id = ?1 ORDER BY c.name LIMIT {}",
        short("c.name", LINE),
        short("c.email", LINE),
        short("a.role", LINE),
        MAX_CONTACTS + 1
    )
}

/// What happened, the newest first.
fn events(limit: u32) -> String {
    format!(
        "SELECT moment, kind, words, cents FROM ( \
         SELECT happened_at AS moment, kind, {note} AS words, CAST(NULL AS BIGINT) AS cents FROM activities WHERE account_id = ?1 \
         UNION ALL SELECT opened_on, 'opportunity opened', id || ': ' || {title}, amount_cents FROM opportunities WHERE account_id = ?1 \
         UNION ALL SELECT close_on, stage, id || ': ' || {title}, amount_cents FROM opportunities \
          WHERE account_id = ?1 AND stage IN ('won', 'lost') \
         UNION ALL SELECT o.placed_at, 'order ' || o.status, 'Order ' || CAST(o.id AS TEXT) || ' by ' || {name}, o.total_cents \
          FROM account_contacts AS a JOIN customers AS c ON c.id = a.customer_id JOIN orders AS o ON o.customer_id = c.id \
          WHERE a.account_id = ?1 \
         ) AS events ORDER BY moment DESC, kind, words LIMIT {}",
        limit,
        note = short("note", MAX_NOTE_LENGTH),
        title = short("title", LINE),
        name = short("c.name", LINE),
    )
}

fn read(
    account: &[SqlValue],
    contacts: Option<Vec<Contact>>,
    events: Option<Vec<TimelineEvent>>,
    note: Option<String>,
) -> Option<Timeline> {
    let [id, name, status, owner] = account else {
        return None;
    };
    Some(Timeline {
        account_id: owned(id)?,
        name: owned(name)?,
        status: owned(status)?,
        owner: owned(owner)?,
        contacts: contacts?,
        events: events?,
        note,
    })
}

fn contact(row: &[SqlValue]) -> Option<Contact> {
    let [name, email, role] = row else {
        return None;
    };
    Some(Contact {
        name: owned(name)?,
        email: owned(email)?,
        role: owned(role)?,
    })
}

fn event(row: &[SqlValue]) -> Option<TimelineEvent> {
    let [at, kind, text, cents] = row else {
        return None;
    };
    Some(TimelineEvent {
        at: owned(at)?,
        kind: owned(kind)?,
        text: owned(text)?,
        amount: amount(cents),
    })
}
