//! `create_activity_log`: the one thing that this toolkit writes.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql as _, SqlValue};

use super::{account_id, database, no_account, owned};
use crate::date;
use crate::dialect::new_id;
use crate::say::{other_columns, who, write_failed};

/// The longest note, in characters.
pub(super) const MAX_NOTE_LENGTH: usize = 2000;

/// What happened.
#[input]
#[derive(Debug)]
pub struct ActivityLog {
    /// The account's id, as `search_accounts` returns it, e.g. "ACC-1042".
    #[schemars(length(min = 1, max = 64))]
    pub account_id: String,
    /// What kind of thing happened.
    pub kind: ActivityKind,
    /// What was said and what happens next, in a sentence or two, in the user's words.
    #[schemars(length(min = 1, max = 2000))]
    pub note: String,
    /// A key of your own for this one entry, such as a UUID. Repeat the call with the same key if
    /// you got no answer: then the entry is written once.
    #[schemars(length(min = 1, max = 255), extend("x-idempotency-key" = true))]
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// The kinds of entries.
#[input]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "with comments the schema is a list of five schemas instead of one enum, at twice the \
        length"
)]
pub enum ActivityKind {
    Call,
    Email,
    Meeting,
    Note,
    Task,
}

/// As it is stored.
pub(super) fn kind_name(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Call => "call",
        ActivityKind::Email => "email",
        ActivityKind::Meeting => "meeting",
        ActivityKind::Note => "note",
        ActivityKind::Task => "task",
    }
}

/// An entry that was written.
#[output]
#[derive(Debug)]
pub struct Logged {
    /// The entry's id.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// When it was written, in UTC, as ISO 8601.
    pub at: String,
}

/// Write an entry in a company's log: a call, mail, meeting, note or task.
///
/// Use this only when the user asks to log, note or record something about a company, never on your
/// own account. It can't be undone with these tools. Find the id with `search_accounts`, and say
/// afterwards what was written.
#[tool(
    destructive = false,
    open_world = false,
    scope = "crm:write",
    title = "Log an activity"
)]
pub async fn create_activity_log(args: ActivityLog, cx: &Cx) -> Result<Logged, ToolError> {
    let note = args.note.trim();
    if note.is_empty() || note.chars().count() > MAX_NOTE_LENGTH {
        return Err(ToolError::new(format!(
            "`note` must have 1 to {MAX_NOTE_LENGTH} characters that are not only spaces."
        )));
    }
    let database = database(cx).await?;
    let kind = kind_name(args.kind);
    let account = account_id(&database, &args.account_id)?;
    let at = date::utc(cx.now_ms());
    let parameters = [account.as_str(), kind, note, &at, &who(cx)].map(SqlValue::from);
    // one statement, so that the account can't go away in between
    let values = [
        ("id", new_id(database.dialect())),
        ("account_id", "a.id"),
        ("kind", "?2"),
        ("note", "?3"),
        ("happened_at", "?4"),
        ("author", "?5"),
    ];
    let from = "FROM accounts AS a WHERE a.id = ?1";
    let sql = database.insert("activities", &values, from)?;
    let written = database
        .query(&sql, &parameters, 1)
        .await
        .map_err(write_failed)?;
    let Some(row) = written.rows.first() else {
        return Err(no_account(args.account_id.trim()));
    };
    let id = row
        .first()
        .and_then(owned)
        .ok_or_else(|| other_columns("the CRM"))?;
    Ok(Logged {
        id,
        account_id: account,
        at,
    })
}
