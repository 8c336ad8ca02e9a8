//! A database that only writes down what it is told to do: a file of SQL for SQLite and Cloudflare
//! D1, one statement a line of its own (texts may have lines too). It answers no question.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mcpfn::handler::BoxFuture;
use mcpfn::port::{Dialect, Rows, Sql, SqlError, SqlValue};

/// A file of statements.
#[derive(Debug)]
pub(crate) struct Script(Mutex<BufWriter<File>>);

impl Script {
    /// An empty file in the place of what is there.
    pub(crate) fn create(file: &Path) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(file)?);
        writeln!(
            out,
            "-- Documents, written by the command `ingest`. Each replaces what has its id."
        )?;
        Ok(Self(Mutex::new(out)))
    }

    /// Writes what is still in memory.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}

impl Sql for Script {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query<'a>(
        &'a self,
        _: &'a str,
        _: &'a [SqlValue],
        _: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async {
            Err(SqlError::Rejected(
                "a file of statements answers no question".to_owned(),
            ))
        })
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        let written = with_values(sql, parameters)
            .ok_or_else(|| SqlError::Rejected(format!("a parameter has no value: {sql}")));
        let written = written.and_then(|statement| {
            let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(out, "{statement};").map_err(|error| {
                SqlError::Unavailable(format!("the file can't be written: {error}"))
            })
        });
        Box::pin(async { written.map(|()| 0) })
    }
}

/// A statement of this project, in which every `?` opens a parameter, with its values in it.
fn with_values(sql: &str, values: &[SqlValue]) -> Option<String> {
    let mut parts = sql.split('?');
    let mut written = parts.next()?.to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().ok()?;
        written.push_str(&literal(values.get(number.checked_sub(1)?)?));
        written.push_str(&part[digits..]);
    }
    Some(written)
}

fn literal(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => "NULL".to_owned(),
        SqlValue::Integer(integer) => integer.to_string(),
        // with its point, or it would be an integer
        SqlValue::Real(real) => format!("{real:?}"),
        SqlValue::Text(text) => format!("'{}'", text.replace('\'', "''")),
        SqlValue::Blob(bytes) => {
            let mut text = String::with_capacity(3 + 2 * bytes.len());
            text.push_str("X'");
            for byte in bytes {
                for half in [byte >> 4, byte & 15] {
                    text.push(char::from(b"0123456789abcdef"[usize::from(half)]));
                }
            }
            text.push('\'');
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_text() {
        let values = [
            SqlValue::from("it's; -- ?2"),
            SqlValue::Blob(vec![0, 255]),
            SqlValue::Null,
            7.into(),
            2.0.into(),
        ];
        let written = with_values("VALUES (?1, ?2, ?3), (?4, ?5, ?1)", &values);
        assert_eq!(
            written.as_deref(),
            Some("VALUES ('it''s; -- ?2', X'00ff', NULL), (7, 2.0, 'it''s; -- ?2')")
        );
        assert_eq!(with_values("VALUES (?6)", &values), None);
        assert_eq!(with_values("VALUES (?)", &values), None);
    }
}
