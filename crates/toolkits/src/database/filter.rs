//! Filters as a client writes them, and as parameterised SQL. A value is always a parameter; a
//! column is looked up first.

use mcpfn_core::{ToolError, input};
use mcpfn_ports::{Dialect, SqlValue};

use super::compare::{MAX_TEXT_LENGTH, Scalar, TOO_LONG, left, right};
use super::schema::{Column, ColumnType, DatabaseTable, identifier};
use crate::dialect::position;

/// The most filters of one query.
pub(super) const MAX_FILTERS: usize = 20;

/// The most values of all filters together: D1 binds at most 100.
pub(super) const MAX_VALUES: usize = 90;

/// A condition on one column. Rows have to meet all of them.
#[input]
#[derive(Debug)]
pub struct ColumnFilter {
    /// A column of the table.
    #[schemars(length(min = 1, max = 128))]
    pub column: String,
    /// How to compare: eq, ne, lt, le, gt and ge take one value; contains and starts_with take text
    /// and ignore its case; in takes a list in `values`; is_null and is_not_null take nothing.
    pub op: Op,
    /// What to compare with: one value of the column's type, e.g. "paid", "19.99" or "true".
    #[schemars(with = "serde_json::Value", extend(
        "type" = ["string", "number", "boolean", "null"],
        "x-published-type" = "string",
        "maxLength" = 1000
    ))]
    #[serde(default)]
    pub value: Option<Scalar>,
    /// What to compare with, for in only: values of the column's type.
    #[schemars(with = "Vec<serde_json::Value>", length(max = 90), extend("items" = {
        "type": ["string", "number", "boolean"],
        "x-published-type": "string",
        "maxLength": 1000
    }))]
    #[serde(default)]
    pub values: Vec<Scalar>,
}

/// A comparison. Those of text (`contains`, `starts_with`) ignore the case of A to Z.
#[input]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "with comments the schema is a list of eleven schemas instead of one enum, at twice \
        the length"
)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    StartsWith,
    In,
    IsNull,
    IsNotNull,
}

/// A `WHERE` clause, or nothing, with its parameters behind those that are there already.
pub(super) fn conditions(
    dialect: Dialect,
    table: &DatabaseTable,
    filters: &[ColumnFilter],
    parameters: &mut Vec<SqlValue>,
) -> Result<String, ToolError> {
    if filters.len() > MAX_FILTERS {
        return Err(ToolError::new(format!(
            "There are {} filters; at most {MAX_FILTERS} are taken.",
            filters.len()
        )));
    }
    let mut conditions = Vec::with_capacity(filters.len());
    for filter in filters {
        conditions.push(condition(
            dialect,
            table.column(&filter.column)?,
            filter,
            parameters,
        )?);
        if parameters.len() > MAX_VALUES {
            return Err(ToolError::new(format!(
                "The filters have more than {MAX_VALUES} values in all. Ask in parts."
            )));
        }
    }
    Ok(if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    })
}

fn condition(
    dialect: Dialect,
    column: &Column,
    filter: &ColumnFilter,
    parameters: &mut Vec<SqlValue>,
) -> Result<String, ToolError> {
    let name = identifier(&column.name);
    let operator = match filter.op {
        Op::IsNull | Op::IsNotNull if filter.value.is_some() => {
            return Err(refuse(column, filter.op, "takes no `value`"));
        }
        _ if filter.op != Op::In && !filter.values.is_empty() => {
            return Err(refuse(
                column,
                filter.op,
                "takes no `values`: a list is for in, one value belongs in `value`",
            ));
        }
        Op::IsNull => return Ok(format!("{name} IS NULL")),
        Op::IsNotNull => return Ok(format!("{name} IS NOT NULL")),
        Op::In => return one_of(dialect, column, filter, parameters),
        Op::Contains | Op::StartsWith => return text_in(dialect, column, filter, parameters),
        Op::Eq => "=",
        Op::Ne => "<>",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
    };
    let Some(value) = &filter.value else {
        return Err(refuse(
            column,
            filter.op,
            "needs one value; for null use is_null or is_not_null",
        ));
    };
    let equal = matches!(filter.op, Op::Eq | Op::Ne);
    let left = left(dialect, column, equal);
    let right = value_of(dialect, column, filter.op, value, parameters)?;
    Ok(format!("{left} {operator} {right}"))
}

fn one_of(
    dialect: Dialect,
    column: &Column,
    filter: &ColumnFilter,
    parameters: &mut Vec<SqlValue>,
) -> Result<String, ToolError> {
    // one value is a list of one, too
    let values: Vec<&Scalar> = filter.values.iter().chain(&filter.value).collect();
    if values.is_empty() || values.len() > MAX_VALUES {
        return Err(refuse(
            column,
            filter.op,
            "needs `values`, a list of 1 to 90",
        ));
    }
    let mut places = Vec::with_capacity(values.len());
    for value in values {
        places.push(value_of(dialect, column, filter.op, value, parameters)?);
    }
    let left = left(dialect, column, true);
    Ok(format!("{left} IN ({})", places.join(", ")))
}

/// Without LIKE: its wildcards would have to be escaped, and D1 takes patterns of at most 50 bytes.
fn text_in(
    dialect: Dialect,
    column: &Column,
    filter: &ColumnFilter,
    parameters: &mut Vec<SqlValue>,
) -> Result<String, ToolError> {
    let Some(Scalar::Text(text)) = &filter.value else {
        return Err(refuse(column, filter.op, "needs a text as `value`"));
    };
    if column.holds() == ColumnType::Numbers {
        return Err(refuse(
            column,
            filter.op,
            "compares text, but the column holds numbers; use eq, lt, le, gt or ge",
        ));
    }
    if text.len() > MAX_TEXT_LENGTH {
        return Err(refuse(column, filter.op, TOO_LONG));
    }
    parameters.push(SqlValue::Text(text.clone()));
    let place = format!("?{}", parameters.len());
    let name = identifier(&column.name);
    // elsewhere than in SQLite, a date is no text until it is made one
    let name = if dialect == Dialect::Postgres {
        format!("CAST({name} AS TEXT)")
    } else {
        name
    };
    Ok(match filter.op {
        Op::Contains => format!("{} > 0", position(dialect, &name, &place)),
        _ => format!("substr(lower({name}), 1, length({place})) = lower({place})"),
    })
}

fn value_of(
    dialect: Dialect,
    column: &Column,
    op: Op,
    value: &Scalar,
    parameters: &mut Vec<SqlValue>,
) -> Result<String, ToolError> {
    right(dialect, column, value, parameters).map_err(|reason| refuse(column, op, reason))
}

/// A sentence about one filter. The column's name is the schema's, not the client's.
fn refuse(column: &Column, op: Op, reason: &str) -> ToolError {
    let op = match op {
        Op::Eq => "eq",
        Op::Ne => "ne",
        Op::Lt => "lt",
        Op::Le => "le",
        Op::Gt => "gt",
        Op::Ge => "ge",
        Op::Contains => "contains",
        Op::StartsWith => "starts_with",
        Op::In => "in",
        Op::IsNull => "is_null",
        Op::IsNotNull => "is_not_null",
    };
    let declared = if column.declared.is_empty() {
        String::new()
    } else {
        format!(" ({})", column.declared)
    };
    ToolError::new(format!(
        "The filter `{op}` on `{}`{declared} {reason}.",
        column.name
    ))
}
