//! `query_database`: SQL that a model wrote, of which the database itself sees to it that it only
//! reads. Knows no list of forbidden words; the port's `read` is what is trusted.

mod share;

use std::time::Duration;

use mcpfn_core::text::visible;
use mcpfn_core::{Builder, Cx, ToolError, input, output, tool};
use mcpfn_ports::{Dialect, ReadLimits, Sql, SqlError, SqlValue};
use serde_json::Value;

use self::share::Shares;
use crate::pages::{self, ToolkitPage};
use crate::rows::{MAX_BYTES, shown};
use crate::say::database_failed;

/// What one statement may take. The bytes are more than is shown, so that a long text is cut and
/// not refused.
const LIMITS: ReadLimits = ReadLimits {
    rows: 100,
    bytes: 128 * 1024,
    time: Duration::from_secs(3),
};

/// The longest statement, in bytes.
const MAX_LENGTH: usize = 10_000;

/// How much of the database's own words about a statement is passed on, in characters.
const MAX_REASON_LENGTH: usize = 400;

/// Adds the tool `query_database`, for which a caller needs the scope `sql:read`. It shows every
/// table that the database's role can read: switch it on for databases whose whole content callers
/// may see.
pub fn toolkit(builder: Builder) -> Builder {
    builder
        .state(Shares::default())
        .with(|builder| pages::tool(builder, query_database, ToolkitPage::Query))
        .advice(
            ["query_database"],
            "For joins, sums and grouping use `query_database`.",
        )
        .advice(
            ["query_database", "describe_table"],
            "Look at the columns with `describe_table` before `query_database`.",
        )
}

/// One statement.
#[input]
#[derive(Debug)]
pub struct Statement {
    /// One SQL statement that reads, e.g. "SELECT status, count(*) FROM orders GROUP BY status". No
    /// parameters, no second statement.
    #[schemars(length(min = 1, max = 10000))]
    pub sql: String,
}

/// Rows of an answer.
#[output]
#[derive(Debug)]
pub struct QueryResult {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Each row's values, in the order of `columns`. Binary values are shown as their size, very
    /// long text is cut.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more rows than are in this answer.
    pub truncated: bool,
    /// What was cut, and how to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Run one SQL statement that reads, and get at most 100 rows.
///
/// Use this for questions that need joins, sums or grouping. The database is SQLite or PostgreSQL
/// and refuses everything that would change it. Look at the tables with `list_tables` and
/// `describe_table` first if you can, name the columns you need, and add up in SQL instead of
/// fetching rows.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "sql:read",
    title = "Query the database"
)]
pub async fn query_database(args: Statement, cx: &Cx) -> Result<QueryResult, ToolError> {
    if args.sql.len() > MAX_LENGTH {
        return Err(ToolError::new(format!(
            "`sql` has more than {MAX_LENGTH} bytes. Ask for less at a time."
        )));
    }
    let database = &**cx.port::<dyn Sql>()?;
    let _turn = cx.state::<Shares>()?.turn(cx).await?;
    let found = database
        .read(&args.sql, LIMITS)
        .await
        .map_err(|error| refused(error, database.dialect()))?;
    let mut answer = QueryResult {
        columns: found.columns,
        rows: Vec::new(),
        truncated: found.truncated,
        note: None,
    };
    let (mut left, mut cut) = (MAX_BYTES, false);
    for row in found.rows {
        let mut row_cut = false;
        let values: Vec<Value> = row
            .into_iter()
            .map(|value: SqlValue| shown(value, &mut row_cut))
            .collect();
        let size = serde_json::to_vec(&values).map_or(usize::MAX, |bytes| bytes.len());
        if size > left {
            answer.truncated = true;
            break;
        }
        left -= size;
        cut |= row_cut;
        answer.rows.push(values);
    }
    answer.note = note(&answer, cut);
    Ok(answer)
}

fn note(answer: &QueryResult, cut: bool) -> Option<String> {
    let mut notes = Vec::new();
    match (answer.rows.len(), answer.truncated) {
        (0, true) => {
            notes.push(
                "One row alone is too large for an answer. Choose fewer columns, or a part \
                of the text with substr."
                    .to_owned(),
            );
        }
        (shown, true) => notes.push(format!(
            "The answer was cut: {shown} rows are shown and there are more. Add a condition, or \
             count and add up in SQL instead."
        )),
        (0, false) => notes.push("No row meets the conditions.".to_owned()),
        (_, false) => {}
    }
    if cut {
        notes.push("Long text values are cut; the cut is marked.".to_owned());
    }
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// Here the statement is the model's, so it may read what the database says about it.
fn refused(error: SqlError, dialect: Dialect) -> ToolError {
    let name = if dialect == Dialect::Postgres {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    match error {
        SqlError::Rejected(reason) => ToolError::new(format!(
            "{name} refused the statement: {}. Change it and try again.",
            said(&reason)
        )),
        SqlError::ReadOnly(reason) => ToolError::new(format!(
            "This tool only reads, and {name} refused the statement because it does more: {}. Use \
             one SELECT, or WITH and SELECT.",
            said(&reason)
        )),
        SqlError::NoRight(reason) => ToolError::new(format!(
            "{name} refused the statement: {}. This server may not read that: use other tables or \
             functions, or tell the user, who may ask the operator.",
            said(&reason)
        )),
        SqlError::TooLong(_) => ToolError::new(format!(
            "The statement was stopped after {} s. Narrow it: fewer rows to join, a condition on \
             an indexed column, no cross joins.",
            LIMITS.time.as_secs()
        )),
        error => database_failed(error),
    }
}

/// The database's words, on one line, without what is invisible or turns the direction of writing.
fn said(reason: &str) -> String {
    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = visible(&line);
    let mut shown: String = line.chars().take(MAX_REASON_LENGTH).collect();
    if line.chars().nth(MAX_REASON_LENGTH).is_some() {
        shown.push('…');
    }
    shown.trim_end_matches('.').to_owned()
}
