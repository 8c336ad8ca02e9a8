//! The live schema: which tables and columns there are right now. Every identifier in a statement
//! comes from here, never from the client.

use mcpfn_core::{ToolError, text};
use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use crate::say::{database_failed, did_you_mean};

/// More columns than this are not read: an answer about them would be too long for any model.
const MAX_COLUMNS: usize = 5000;

/// How many tables a refusal names.
const MAX_NAMES: usize = 30;

/// Each column with its table. A virtual table's shadow tables are named after it.
const OF_SQLITE: &str = "SELECT m.name, m.type, coalesce(m.sql, ''), c.name, c.type, c.\"notnull\", c.pk, \
     'main', c.dflt_value IS NOT NULL \
     FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
     WHERE m.type IN ('table', 'view') AND substr(m.name, 1, 7) <> 'sqlite_' AND substr(m.name, 1, 4) <> '_cf_' \
     AND m.name <> 'd1_migrations' AND coalesce(m.sql, '') NOT LIKE 'CREATE VIRTUAL TABLE%' \
     AND NOT EXISTS (SELECT 1 FROM sqlite_master AS v WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%' \
     AND substr(m.name, 1, length(v.name) + 1) = v.name || '_') \
     ORDER BY m.name, c.cid";

/// Each column with its table, of the tables that the role can read without naming their schema.
/// PostgreSQL keeps no statement that created a table, so one is put together. Columns of a search
/// index say nothing to a reader.
const OF_POSTGRES: &str = "SELECT c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, \
     CASE WHEN c.relkind IN ('v', 'm') THEN 'CREATE VIEW ' || quote_ident(c.relname) || ' AS' || chr(10) || pg_get_viewdef(c.oid, true) \
     ELSE 'CREATE TABLE ' || quote_ident(c.relname) || ' (' || chr(10) || '  ' || \
     (SELECT string_agg(line, ',' || chr(10) || '  ' ORDER BY part, number) FROM ( \
      SELECT 1 AS part, l.attnum::bigint AS number, quote_ident(l.attname) || ' ' || format_type(l.atttypid, l.atttypmod) || \
       CASE WHEN l.attnotnull THEN ' NOT NULL' ELSE '' END AS line \
      FROM pg_attribute AS l WHERE l.attrelid = c.oid AND l.attnum > 0 AND NOT l.attisdropped AND l.atttypid <> 'tsvector'::regtype \
      UNION ALL SELECT 2, k.oid::bigint, pg_get_constraintdef(k.oid) FROM pg_constraint AS k \
      WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c')) AS lines) || chr(10) || ')' END, \
     a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
     coalesce((SELECT k.n FROM pg_index AS i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, n) \
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.attnum = a.attnum), 0), \
     n.nspname, a.atthasdef OR a.attidentity <> '' \
     FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
     JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid <> 'tsvector'::regtype \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
     AND pg_table_is_visible(c.oid) AND has_table_privilege(c.oid, 'SELECT') \
     ORDER BY c.relname::text COLLATE \"C\", a.attnum";

/// The tables that a client may see.
pub(crate) struct DatabaseSchema {
    pub(crate) tables: Vec<DatabaseTable>,
    /// There were more columns than are read.
    pub(crate) cut: bool,
}

pub(crate) struct DatabaseTable {
    pub(crate) name: String,
    /// Where it is, for names that mean no other.
    pub(crate) schema: String,
    pub(crate) view: bool,
    pub(crate) definition: String,
    pub(crate) columns: Vec<Column>,
}

pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) nullable: bool,
    /// Position in the primary key, from 1; 0 outside it.
    pub(crate) key: i64,
    /// Whether the database has a value where a new row brings none.
    pub(crate) filled: bool,
}

/// What a column can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Numbers,
    Text,
    /// Nothing is declared, or something that SQLite stores in more than one way.
    Anything,
}

impl DatabaseSchema {
    /// Reads the schema, without what belongs to SQLite, D1 and full-text indexes.
    pub(crate) async fn load(database: &dyn Sql) -> Result<Self, ToolError> {
        Self::read(database).await.map_err(database_failed)
    }

    /// As [`DatabaseSchema::load`], with the database's own words for a failure.
    pub(crate) async fn read(database: &dyn Sql) -> Result<Self, SqlError> {
        let sql = if database.dialect() == Dialect::Postgres {
            OF_POSTGRES
        } else {
            OF_SQLITE
        };
        let rows = database.query(sql, &[], MAX_COLUMNS).await?;
        let mut tables: Vec<DatabaseTable> = Vec::new();
        for row in &rows.rows {
            let read = read(row).ok_or_else(|| {
                SqlError::Rejected("the schema has other columns than expected".to_owned())
            })?;
            let (table, column) = read;
            match tables.last_mut() {
                Some(last) if last.name == table.name => last.columns.push(column),
                _ => tables.push(DatabaseTable {
                    columns: vec![column],
                    ..table
                }),
            }
        }
        Ok(Self {
            tables,
            cut: rows.truncated,
        })
    }

    /// The table of this name, in whatever case it is written.
    pub(crate) fn table(&self, name: &str) -> Result<&DatabaseTable, ToolError> {
        let found = self
            .tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| {
            let known: Vec<&str> = self
                .tables
                .iter()
                .map(|table| table.name.as_str())
                .collect();
            let hint = did_you_mean(name, known.iter().copied());
            let listed = listing(&known);
            ToolError::not_found(format!(
                "There is no table {}.{hint} Tables: {listed}.",
                text::quoted(name)
            ))
        })
    }
}

impl DatabaseTable {
    pub(crate) fn kind(&self) -> &'static str {
        if self.view { "view" } else { "table" }
    }

    /// The column of this name, in whatever case it is written.
    pub(crate) fn column(&self, name: &str) -> Result<&Column, ToolError> {
        let found = self
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| {
            let known: Vec<&str> = self
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            let hint = did_you_mean(name, known.iter().copied());
            let listed = listing(&known);
            let (table, name) = (&self.name, text::quoted(name));
            ToolError::new(format!(
                "The {} `{table}` has no column {name}.{hint} Columns: {listed}.",
                self.kind()
            ))
        })
    }
}

impl Column {
    /// By SQLite's rules of type affinity, as far as they leave no doubt.
    pub(crate) fn holds(&self) -> ColumnType {
        let declared = self.declared.to_ascii_uppercase();
        let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        // of PostgreSQL, and no numbers in spite of their names
        if says(&["INTERVAL", "POINT", "RANGE", "[]"]) {
            return ColumnType::Anything;
        }
        if says(&["INT"]) {
            ColumnType::Numbers
        } else if says(&["CHAR", "CLOB", "TEXT"]) {
            ColumnType::Text
        } else if says(&["REAL", "FLOA", "DOUB"]) {
            ColumnType::Numbers
        } else {
            ColumnType::Anything
        }
    }
}

/// An identifier as SQL writes it. Takes only what the schema itself calls its things.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table, its columns left out, and one of them.
fn read(row: &[SqlValue]) -> Option<(DatabaseTable, Column)> {
    let [
        table,
        kind,
        definition,
        name,
        declared,
        not_null,
        key,
        schema,
        filled,
    ] = row
    else {
        return None;
    };
    let column = Column {
        name: name.as_str()?.to_owned(),
        declared: declared.as_str()?.to_owned(),
        nullable: not_null.as_i64()? == 0,
        key: key.as_i64()?,
        filled: filled.as_i64()? != 0,
    };
    let table = DatabaseTable {
        name: table.as_str()?.to_owned(),
        schema: schema.as_str()?.to_owned(),
        view: kind.as_str()? == "view",
        definition: definition.as_str()?.to_owned(),
        columns: Vec::new(),
    };
    Some((table, column))
}

fn listing(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = names
        .iter()
        .take(MAX_NAMES)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > MAX_NAMES {
        " and more"
    } else {
        ""
    };
    shown.join(", ") + more
}
