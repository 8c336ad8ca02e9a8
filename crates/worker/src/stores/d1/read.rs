//! Untrusted statements, on D1, whose binding knows no connection that only reads. What sees to it
//! instead is the engine's own grammar:
//!
//! * Nothing with a `;` inside is passed on, because D1 runs every statement of a text. So there is
//!   one statement, and it begins with our words, not with the text's.
//! * First D1 compiles the text, without running it, in a place where its grammar has a SELECT and
//!   nothing else: the parentheses of a common table expression. Whatever else a text begins with
//!   is a syntax error there, and SQLite's SELECT has no part that writes.
//! * Then D1 compiles the text alone, which tells that it is whole: no parenthesis and no comment
//!   of it reaches into our words.
//! * Tables made of PRAGMAs are left out: `pragma_optimize` writes when it is read. No other table
//!   or function that D1 has does.
//!
//! Neither a look at the compiled program would do (that of `pragma_optimize` opens nothing for
//! writing), nor EXPLAIN before anything else (some PRAGMAs act while they are compiled).

use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use mcpfn_ports::{ReadLimits, Rows, SqlError, SqlValue};
use worker::js_sys::Array;
use worker::wasm_bindgen::JsCast;

use super::database::{D1, EXACT, value};
use crate::ports::Timeout;

const ONE_SELECT: &str = "what runs here is one SELECT, or VALUES, or WITH and SELECT";

/// Over its time no caller waits for the statement any more; D1 goes on with it for as long as it
/// allows any statement, some 30 seconds.
pub(super) async fn read(database: &D1, sql: &str, limits: ReadLimits) -> Result<Rows, SqlError> {
    let mut answer = pin!(bounded(database, sql, limits));
    let mut time = Timeout::new(limits.time);
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Pending => Pin::new(&mut time)
            .poll(cx)
            .map(|()| Err(SqlError::TooLong(format!("no answer in {:?}", limits.time)))),
        ready => ready,
    })
    .await
}

/// D1's rows have at most 100 columns, and one of them says whether a row fits.
const MAX_COLUMNS: usize = 99;

async fn bounded(database: &D1, sql: &str, limits: ReadLimits) -> Result<Rows, SqlError> {
    let sql = sql
        .trim()
        .trim_end_matches(|end: char| end == ';' || end.is_whitespace());
    if let Some(reason) = refused(sql) {
        return Err(SqlError::Rejected(reason.to_owned()));
    }
    let place = format!("EXPLAIN WITH mcpfn_asked AS (\n{sql}\n) SELECT * FROM mcpfn_asked");
    database
        .ask(&place, &[])
        .await
        .map_err(|error| match error {
            SqlError::Rejected(words) => {
                SqlError::Rejected(format!("{} ({ONE_SELECT})", without_place(&words)))
            }
            other => other,
        })?;
    let columns = columns(database, sql).await?;
    if columns > MAX_COLUMNS {
        return Err(SqlError::Rejected(format!(
            "its rows have {columns} columns, and at most {MAX_COLUMNS} can be read here; name those \
             that are needed"
        )));
    }
    let (mut names, found) = database.ask(&limited(sql, columns, limits), &[]).await?;
    if !names.is_empty() {
        names.remove(0);
    }
    let mut answer = Rows {
        columns: names,
        ..Rows::default()
    };
    for line in found.iter().map(JsCast::unchecked_into::<Array>) {
        let fits = line.shift().as_f64() == Some(1.0);
        if !fits || answer.rows.len() == limits.rows {
            answer.truncated = true;
            break;
        }
        answer
            .rows
            .push(line.iter().map(|cell| value(&cell)).collect());
    }
    Ok(answer)
}

/// What no engine has to be asked about.
fn refused(sql: &str) -> Option<&'static str> {
    if sql.contains([';', '\0']) {
        return Some(
            "a `;` is allowed at the end only, also in text and comments; write char(59) for one",
        );
    }
    sql.to_ascii_lowercase()
        .contains("pragma_")
        .then_some("tables made of PRAGMAs can't be read here; sqlite_master has the schema")
}

/// How many columns the rows of a whole SELECT have: the program that it compiles to says so.
async fn columns(database: &D1, sql: &str) -> Result<usize, SqlError> {
    let (names, program) = database.ask(&format!("EXPLAIN\n{sql}"), &[]).await?;
    let position = |name: &str| names.iter().position(|known| known == name);
    let (Some(opcode), Some(count)) = (position("opcode"), position("p2")) else {
        return Err(SqlError::Unavailable(
            "D1's EXPLAIN has no columns `opcode` and `p2`".to_owned(),
        ));
    };
    let rows = program.iter().map(|line| {
        line.unchecked_into::<Array>()
            .iter()
            .map(|cell| value(&cell))
            .collect::<Vec<_>>()
    });
    let mut counts =
        rows.filter(|row| row.get(opcode).and_then(SqlValue::as_str) == Some("ResultRow"));
    let count = counts
        .next()
        .and_then(|row| usize::try_from(row.get(count)?.as_i64()?).ok());
    count.ok_or_else(|| SqlError::Rejected(format!("the statement has no rows; {ONE_SELECT}")))
}

/// The statement with its limits. Its first column says whether the rows so far have no more bytes
/// than they may: beyond, values stay in the database. The first half has no rows; it gives the
/// columns their names.
fn limited(sql: &str, columns: usize, limits: ReadLimits) -> String {
    let listed =
        |name: &dyn Fn(usize) -> String| (0..columns).map(name).collect::<Vec<_>>().join(", ");
    let names = listed(&|column| format!("c{column}"));
    // numbers of JavaScript are rounded beyond 2^53, and D1 gives no others
    let exact = format!("BETWEEN -{EXACT} AND {EXACT}");
    let values = listed(&|column| {
        format!(
            "CASE WHEN NOT fits THEN NULL WHEN typeof(c{column}) = 'integer' AND c{column} NOT {exact} THEN \
             CAST(c{column} AS TEXT) ELSE c{column} END"
        )
    });
    let mut bytes = String::new();
    add(&mut bytes, 0, columns);
    let ReadLimits {
        rows, bytes: most, ..
    } = limits;
    format!(
        "WITH mcpfn_asked ({names}) AS (\n{sql}\n) SELECT 1, * FROM (\n{sql}\n) WHERE 0 UNION ALL SELECT fits, {values} FROM (SELECT *, \
         sum({bytes}) OVER (ROWS UNBOUNDED PRECEDING) <= {most} AS fits FROM (SELECT * FROM mcpfn_asked LIMIT {}))",
        rows.saturating_add(1)
    )
}

/// The sum of the sizes of columns, in halves: D1 refuses expressions that are a hundred deep.
fn add(sum: &mut String, from: usize, to: usize) {
    if to <= from + 1 {
        // writing to a String can't fail
        let _ = write!(sum, "coalesce(octet_length(c{from}), 0)");
        return;
    }
    let middle = from.midpoint(to);
    sum.push('(');
    add(sum, from, middle);
    sum.push_str(" + ");
    add(sum, middle, to);
    sum.push(')');
}

/// The engine counts from the beginning of our words.
fn without_place(words: &str) -> &str {
    words
        .split_once(" at offset ")
        .map_or(words, |(before, _)| before)
}
