//! D1 behind the `Sql` port.

mod database;
mod read;

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{Dialect, ReadLimits, Rows, Sql, SqlError, SqlValue};
use worker::js_sys::Array;
use worker::wasm_bindgen::JsCast;

pub use database::D1;
use database::{refused, value};

impl Sql for D1 {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move {
            let (columns, found) = self.ask(sql, parameters).await?;
            let mut lines = found.iter().map(JsCast::unchecked_into::<Array>);
            let rows = lines
                .by_ref()
                .take(max_rows)
                .map(|line| line.iter().map(|cell| value(&cell)).collect())
                .collect();
            Ok(Rows {
                columns,
                rows,
                truncated: lines.next().is_some(),
            })
        })
    }

    fn read<'a>(
        &'a self,
        sql: &'a str,
        limits: ReadLimits,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(read::read(self, sql, limits))
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        Box::pin(async move {
            let done = self
                .prepare(sql, parameters)?
                .run()
                .await
                .map_err(|error| refused(error.to_string()))?;
            let meta = done.meta().map_err(|error| refused(error.to_string()))?;
            Ok(meta.and_then(|meta| meta.changes).unwrap_or(0) as u64)
        })
    }
}
