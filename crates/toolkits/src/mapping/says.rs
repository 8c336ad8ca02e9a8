//! What a mapping says, as values. Reads nothing and checks nothing.

use super::needs::{Need, Relation};

/// One of the toolkits' tables, and where its rows come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TableMap {
    pub(super) relation: &'static Relation,
    /// Nothing for one row of constants.
    pub(super) from: Option<String>,
    pub(super) joins: Vec<Join>,
    pub(super) conditions: Vec<Condition>,
    pub(super) columns: Vec<(&'static Need, ColumnSource)>,
    pub(super) write: bool,
}

/// Another table, by columns that are equal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Join {
    pub(super) alias: String,
    pub(super) table: String,
    /// The joined table's column, and the column that it equals.
    pub(super) on: Vec<(String, String)>,
    /// The operator knows that there is one row at most.
    pub(super) one: bool,
}

/// Which rows are taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) column: String,
    pub(super) test: Test,
    pub(super) value: Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Is,
    IsNot,
    Above,
    Below,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Null,
    Switch(bool),
    Whole(i64),
    Real(f64),
    Text(String),
}

/// What fills a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ColumnSource {
    Column(String),
    /// A moment, kept as a number of seconds or milliseconds since 1970.
    Since1970 {
        column: String,
        milliseconds: bool,
    },
    /// One's own words, translated.
    Values {
        column: String,
        values: Vec<(String, String)>,
        null: Option<String>,
        other: Option<String>,
    },
    /// Several columns with a space between them.
    Text(Vec<String>),
    Value(Constant),
    Multiplied(Multiplied),
}

/// A column times others, of this row or summed over a join's rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Multiplied {
    pub(super) column: String,
    pub(super) times: Vec<Factor>,
    /// A share from 0 to 1 that is taken off.
    pub(super) less: Option<String>,
    pub(super) sum: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Factor {
    Number(i64),
    Column(String),
}
