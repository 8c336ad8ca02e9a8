//! `query_table`: rows of one table by typed filters. The filters become SQL in `filter`; answers
//! are bounded in `rows`.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Dialect, SqlError, SqlValue};

use super::allowed::{database, visible};
use super::cells::{qualified, select};
use super::filter::{ColumnFilter, conditions};
use super::schema::{Column, DatabaseTable, identifier};
use crate::rows::{Bounded, Row, bounded};
use crate::say::database_failed;

/// The most rows of one answer.
const MAX_ROWS: u32 = 100;

/// The furthest that an answer may begin. Who wants more than this needs a filter.
const MAX_OFFSET: u32 = 100_000;

/// The most columns to order by.
const MAX_ORDERS: usize = 5;

/// Which rows of which table.
#[input]
#[derive(Debug)]
pub struct TableQuery {
    /// A table or view, as `list_tables` names it, e.g. "orders".
    #[schemars(length(min = 1, max = 128))]
    pub table: String,
    /// Conditions that rows have to meet, all of them, e.g. [{"column": "status", "op": "eq",
    /// "value": "paid"}]. Every row, when left out.
    #[schemars(length(max = 20))]
    #[serde(default)]
    pub filters: Vec<ColumnFilter>,
    /// The columns to return, in this order. All, when left out.
    #[schemars(length(min = 1, max = 100), inner(length(min = 1, max = 128)))]
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// What to sort by, the most important first. By primary key, when left out.
    #[schemars(length(max = 5))]
    #[serde(default)]
    pub order_by: Vec<OrderBy>,
    /// The most rows to return.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "crate::usual::<20>")]
    pub limit: u32,
    /// How many rows to leave out before the first, to read on where an answer ended.
    #[schemars(range(max = 100_000))]
    #[serde(default)]
    pub offset: u32,
}

/// A column to sort by.
#[input]
#[derive(Debug)]
pub struct OrderBy {
    /// A column of the table.
    #[schemars(length(min = 1, max = 128))]
    pub column: String,
    /// `asc` from small to large, `desc` from large to small.
    #[serde(default)]
    pub direction: Direction,
}

/// `Asc` from small to large, `Desc` from large to small.
#[input]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as for `Op`")]
pub enum Direction {
    #[default]
    Asc,
    Desc,
}

/// Rows of a table.
#[output]
#[derive(Debug)]
pub struct Queried {
    /// Each row by its columns' names. Binary values are shown as their size, very long text is
    /// cut.
    #[schemars(with = "Vec<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub rows: Vec<Row>,
    /// Whether more rows meet the filters than are in this answer.
    pub truncated: bool,
    /// What was cut, and how to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Read rows of one table, filtered, sorted and limited.
///
/// Use this for questions about stored data, such as the newest orders or what is out of stock. It
/// reads one table and does not join or add up: for linked tables ask one after the other, with
/// `in` for the keys found first. Call `describe_table` before it if you do not know the columns.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "database:read",
    title = "Query table"
)]
pub async fn query_table(args: TableQuery, cx: &Cx) -> Result<Queried, ToolError> {
    if !(1..=MAX_ROWS).contains(&args.limit) {
        return Err(ToolError::new(format!(
            "`limit` must be from 1 to {MAX_ROWS}."
        )));
    }
    if args.offset > MAX_OFFSET {
        return Err(ToolError::new(format!(
            "`offset` must be at most {MAX_OFFSET}. Use a filter to get further."
        )));
    }
    let database = &**database(cx)?;
    let schema = visible(cx).await?;
    let table = schema.table(&args.table)?;
    let mut parameters = Vec::new();
    let columns = columns(database.dialect(), table, args.columns.as_deref())?;
    let conditions = conditions(database.dialect(), table, &args.filters, &mut parameters)?;
    let order = order(table, &args.order_by)?;
    // the database may stop early, but not before it has seen that there is one more than asked for
    parameters.push(SqlValue::from(i64::from(args.limit) + 1));
    parameters.push(SqlValue::from(i64::from(args.offset)));
    let (limit, offset) = (parameters.len() - 1, parameters.len());
    let table = identifier(&table.name);
    let sql =
        format!("SELECT {columns} FROM {table}{conditions}{order} LIMIT ?{limit} OFFSET ?{offset}");
    let found = database
        .query(&sql, &parameters, args.limit as usize)
        .await
        .map_err(|error| failed(error, database.dialect()))?;
    let more = found.truncated;
    let answer = bounded(found);
    let truncated = more || answer.rows_left_out;
    let note = note(&answer, truncated, args.offset);
    Ok(Queried {
        rows: answer.rows,
        truncated,
        note,
    })
}

/// What to say of rows that are not all there is, or not whole.
fn note(answer: &Bounded, truncated: bool, offset: u32) -> Option<String> {
    let next = offset as usize + answer.rows.len();
    let mut notes = Vec::new();
    if truncated && answer.rows.is_empty() {
        notes.push("One row alone is too large for an answer. Choose fewer `columns`.".to_owned());
    } else if truncated {
        let why = if answer.rows_left_out {
            "The answer was cut because of its size: "
        } else {
            ""
        };
        let shown = answer.rows.len();
        notes.push(format!(
            "{why}{shown} rows are shown and more match. Narrow the `filters`, choose fewer \
             `columns`, or call again with `offset` {next}."
        ));
    }
    if answer.values_cut {
        notes.push("Long text values are cut; the cut is marked.".to_owned());
    }
    if answer.rows.is_empty() && !truncated {
        notes.push(
            if offset > 0 {
                "No more rows."
            } else {
                "No row meets the filters."
            }
            .to_owned(),
        );
    }
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// PostgreSQL has types for which a filter's value may be no value, such as a date that does not
/// exist; SQLite has none.
fn failed(error: SqlError, dialect: Dialect) -> ToolError {
    match error {
        SqlError::Rejected(cause) if dialect == Dialect::Postgres => {
            let said = "The database can't compare a column with the value of a filter. \
                `describe_table` gives the columns' types.";
            ToolError::new(said).with_cause(cause)
        }
        error => database_failed(error),
    }
}

pub(super) fn columns(
    dialect: Dialect,
    table: &DatabaseTable,
    wanted: Option<&[String]>,
) -> Result<String, ToolError> {
    let mut chosen: Vec<&Column> = Vec::new();
    match wanted {
        None | Some([]) => chosen.extend(&table.columns),
        Some(wanted) => {
            for name in wanted {
                let column = table.column(name)?;
                // a column that is asked for twice is there once: a row is an object
                if !chosen.iter().any(|other| other.name == column.name) {
                    chosen.push(column);
                }
            }
        }
    }
    Ok(select(dialect, table, &chosen))
}

/// The `ORDER BY` clause. The primary key comes last, so that rows don't change places between two
/// pages.
fn order(table: &DatabaseTable, wanted: &[OrderBy]) -> Result<String, ToolError> {
    if wanted.len() > MAX_ORDERS {
        return Err(ToolError::new(format!(
            "`order_by` has more than {MAX_ORDERS} columns."
        )));
    }
    let mut terms = Vec::new();
    for order in wanted {
        let name = qualified(table, table.column(&order.column)?);
        terms.push(match order.direction {
            Direction::Asc => name,
            Direction::Desc => format!("{name} DESC"),
        });
    }
    let mut key: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| column.key > 0)
        .collect();
    key.sort_by_key(|column| column.key);
    terms.extend(key.into_iter().map(|column| qualified(table, column)));
    Ok(if terms.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", terms.join(", "))
    })
}
