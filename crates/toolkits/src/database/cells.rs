//! Cells as statements select them: what is too long to be shown is cut where it is stored. A cell
//! of megabytes, times the rows of an answer, must not leave the database. Runs no query.

use mcpfn_ports::Dialect;

use super::schema::{Column, DatabaseTable, identifier};
use crate::rows::{SAFE, longest};

/// The list of columns, each under its own name. Text over [`longest`] characters ends there and
/// says how long it was; bytes are their number.
pub(super) fn select(dialect: Dialect, table: &DatabaseTable, columns: &[&Column]) -> String {
    let most = longest(columns.len());
    let cells: Vec<String> = columns
        .iter()
        .map(|column| {
            let cell = qualified(table, column);
            let shown = if dialect == Dialect::Postgres {
                of_postgres(&cell, &column.declared, most)
            } else {
                of_sqlite(&cell, most)
            };
            format!("{shown} AS {}", identifier(&column.name))
        })
        .collect();
    cells.join(", ")
}

/// The stored column, also where a selected one has its name.
pub(super) fn qualified(table: &DatabaseTable, column: &Column) -> String {
    format!("{}.{}", identifier(&table.name), identifier(&column.name))
}

/// Any column may hold anything. Whole numbers that JavaScript would round, D1's among them, leave
/// as text. What a text has behind U+0000 is neither counted nor cut by
/// `length` and `substr`, so that a long one is left out.
fn of_sqlite(cell: &str, most: usize) -> String {
    format!(
        "CASE typeof({cell}) WHEN 'blob' THEN '(binary, ' || length({cell}) || ' bytes)' WHEN 'text' THEN \
         CASE WHEN octet_length({cell}) <= {most} THEN {cell} \
         WHEN length({cell}) > {most} THEN substr({cell}, 1, {most}) || ' (cut, ' || length({cell}) || ' characters in all)' \
         WHEN octet_length({cell}) <= {bytes} THEN {cell} \
         ELSE '(text with U+0000, ' || octet_length({cell}) || ' bytes)' END \
         WHEN 'integer' THEN CASE WHEN {cell} BETWEEN -{SAFE} AND {SAFE} THEN {cell} ELSE CAST({cell} AS TEXT) END \
         ELSE {cell} END",
        bytes = most * 4
    )
}

/// Types whose values are short, and are more than text to a reader.
const SHORT: [&str; 11] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "oid",
    "real",
    "double precision",
    "date",
    "uuid",
    "timestamp",
    "time",
];

fn of_postgres(cell: &str, declared: &str, most: usize) -> String {
    // as in `timestamp(3) with time zone`, and not the array `integer[]`
    let kind = declared.split('(').next().unwrap_or_default();
    let kind = kind.strip_suffix(" with time zone").unwrap_or(kind);
    let kind = kind.strip_suffix(" without time zone").unwrap_or(kind);
    if SHORT.contains(&kind) && !declared.ends_with(']') {
        return cell.to_owned();
    }
    if kind == "bytea" {
        return format!("'(binary, ' || octet_length({cell}) || ' bytes)'");
    }
    // as the type itself writes it: a cast of `inet` to text, for one, writes more
    let text = format!("format('%s', {cell})");
    format!(
        "CASE WHEN {cell} IS NULL THEN NULL WHEN octet_length({text}) <= {most} THEN {text} \
         WHEN char_length({text}) > {most} \
         THEN left({text}, {most}) || ' (cut, ' || char_length({text}) || ' characters in all)' ELSE {text} END"
    )
}
