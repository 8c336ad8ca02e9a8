//! Both sides of a comparison, so that a value as an answer shows it finds its row: by what each
//! database declares of a column. Writes SQL of its own and parameters; no text of a client.

use mcpfn_core::input;
use mcpfn_ports::{Dialect, SqlValue};

use super::schema::{Column, ColumnType, identifier};
use crate::rows::SAFE;

/// The longest text to compare with, in bytes.
pub(super) const MAX_TEXT_LENGTH: usize = 1000;

pub(super) const TOO_LONG: &str = "got a text of more than 1,000 bytes";

/// Types of PostgreSQL by how their values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    Double,
    Numeric,
    Boolean,
    /// Text, and types whose text in an answer they read again themselves.
    AsIs,
    Binary,
    /// Shown as their own text: some have no equality, and others are equal to more than that.
    Written,
}

impl Kind {
    fn of(declared: &str) -> Self {
        if declared.ends_with(']') {
            return Self::Written;
        }
        match declared.split('(').next().unwrap_or_default().trim_end() {
            "smallint" | "integer" | "bigint" | "oid" => Self::Integer,
            "real" => Self::Real,
            "double precision" => Self::Double,
            "numeric" => Self::Numeric,
            "boolean" => Self::Boolean,
            "bytea" => Self::Binary,
            "text" | "character varying" | "character" | "name" | "date" | "uuid" => Self::AsIs,
            kind if kind.starts_with("time") => Self::AsIs,
            _ => Self::Written,
        }
    }
}

/// A text, a number or a truth value.
#[input]
#[derive(Debug)]
#[serde(untagged)]
pub enum Scalar {
    /// True is 1, false is 0.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Text; dates as they are stored, usually ISO 8601.
    Text(String),
}

/// The column's side. `equal` where a value is looked for, and not what is less or more.
pub(super) fn left(dialect: Dialect, column: &Column, equal: bool) -> String {
    let name = identifier(&column.name);
    if dialect == Dialect::Postgres && equal && Kind::of(&column.declared) == Kind::Written {
        // as cells are selected
        format!("format('%s', {name})")
    } else {
        name
    }
}

/// The value's side, with its parameter behind those that are there already.
///
/// # Errors
/// What the column holds, where it can hold no such value: SQLite itself would compare anything
/// with anything, find nothing, and not say why.
pub(super) fn right(
    dialect: Dialect,
    column: &Column,
    value: &Scalar,
    parameters: &mut Vec<SqlValue>,
) -> Result<String, &'static str> {
    if matches!(value, Scalar::Text(text) if text.len() > MAX_TEXT_LENGTH) {
        return Err(TOO_LONG);
    }
    let (value, cast) = if dialect == Dialect::Postgres {
        of_postgres(Kind::of(&column.declared), value)?
    } else {
        of_sqlite(column.holds(), value)?
    };
    parameters.push(value);
    let number = parameters.len();
    Ok(cast.map_or_else(
        || format!("?{number}"),
        |cast| format!("CAST(?{number} AS {cast})"),
    ))
}

type Typed = (SqlValue, Option<&'static str>);

/// The value as text, which PostgreSQL reads as the type of the cast, or of the column without one.
fn of_postgres(kind: Kind, value: &Scalar) -> Result<Typed, &'static str> {
    let text = match value {
        Scalar::Flag(flag) => i64::from(*flag).to_string(),
        Scalar::Integer(integer) => integer.to_string(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.trim().to_owned(),
    };
    let is_number = text.parse::<f64>().is_ok();
    let as_number = |cast| {
        if is_number {
            Ok((SqlValue::Text(text.clone()), Some(cast)))
        } else {
            Err("got a text, but the column holds numbers")
        }
    };
    match (kind, value) {
        // 2.5 is no whole number, and less than 3 all the same
        (Kind::Integer | Kind::Numeric, _) => as_number("NUMERIC"),
        (Kind::Real, _) => as_number("REAL"),
        (Kind::Double, _) => as_number("DOUBLE PRECISION"),
        (Kind::Boolean, _) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" => Ok((SqlValue::from("t"), Some("BOOLEAN"))),
            "0" | "false" | "f" => Ok((SqlValue::from("f"), Some("BOOLEAN"))),
            _ => Err("got something else than true or false, which the column holds"),
        },
        (Kind::Binary, _) => Err(
            "compares a value, but the column holds bytes, which answers show as their number; use \
             is_null or is_not_null",
        ),
        (Kind::AsIs, Scalar::Text(text)) => Ok((SqlValue::Text(text.clone()), None)),
        (Kind::AsIs, _) => Err(TEXT),
        (Kind::Written, Scalar::Text(text)) => Ok((SqlValue::Text(text.clone()), None)),
        (Kind::Written, Scalar::Flag(flag)) => Ok((SqlValue::Text(flag.to_string()), None)),
        (Kind::Written, _) => Ok((SqlValue::Text(text), None)),
    }
}

const TEXT: &str = "got a number, but the column holds text; put it in quotation marks";

fn of_sqlite(holds: ColumnType, value: &Scalar) -> Result<Typed, &'static str> {
    match (holds, value) {
        (ColumnType::Text, Scalar::Flag(_) | Scalar::Integer(_) | Scalar::Number(_)) => Err(TEXT),
        (_, Scalar::Flag(flag)) => Ok((SqlValue::Integer(i64::from(*flag)), None)),
        (_, Scalar::Integer(integer)) => Ok(whole(*integer)),
        (_, Scalar::Number(number)) => Ok((SqlValue::Real(*number), None)),
        // as answers show what a client's numbers can't hold
        (ColumnType::Numbers, Scalar::Text(text)) => {
            let text = match text.trim() {
                "true" => "1",
                "false" => "0",
                text => text,
            };
            match (text.parse(), text.parse::<f64>()) {
                (Ok(integer), _) => Ok(whole(integer)),
                (_, Ok(number)) if !number.is_nan() => Ok((SqlValue::Real(number), None)),
                _ => Err("got a text, but the column holds numbers"),
            }
        }
        (_, Scalar::Text(text)) => Ok((SqlValue::Text(text.clone()), None)),
    }
}

/// As text where it is too large for a number of JavaScript, which is what D1 binds.
fn whole(integer: i64) -> Typed {
    if integer.unsigned_abs() > SAFE {
        (SqlValue::Text(integer.to_string()), Some("INTEGER"))
    } else {
        (SqlValue::Integer(integer), None)
    }
}
