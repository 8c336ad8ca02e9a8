//! The live schema: which tables and columns there are right now. Every identifier in a statement comes from here, never
//! from the client.

use mcpfn_core::{Sql, SqlValue, ToolError, text};

use crate::say::{database_failed, did_you_mean};

/// More columns than this are not read: an answer about them would be too long for any model.
const MOST_COLUMNS: usize = 5000;

/// How many tables a refusal names.
const MOST_NAMES: usize = 30;

/// The tables that a client may see.
pub(super) struct Schema {
    pub(super) tables: Vec<Table>,
    /// There were more columns than are read.
    pub(super) cut: bool,
}

pub(super) struct Table {
    pub(super) name: String,
    pub(super) view: bool,
    pub(super) definition: String,
    pub(super) columns: Vec<Column>,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) nullable: bool,
    /// Position in the primary key, from 1; 0 outside it.
    pub(super) key: i64,
}

/// What a column can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Numbers,
    Text,
    /// Nothing is declared, or something that SQLite stores in more than one way.
    Anything,
}

impl Schema {
    /// Reads the schema, without what belongs to SQLite, D1 and full-text indexes.
    pub(super) async fn load(database: &dyn Sql) -> Result<Self, ToolError> {
        // a virtual table's shadow tables are named after it
        let sql = "SELECT m.name, m.type, coalesce(m.sql, ''), c.name, c.type, c.\"notnull\", c.pk \
                   FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
                   WHERE m.type IN ('table', 'view') AND substr(m.name, 1, 7) <> 'sqlite_' AND substr(m.name, 1, 4) <> '_cf_' \
                   AND m.name <> 'd1_migrations' AND coalesce(m.sql, '') NOT LIKE 'CREATE VIRTUAL TABLE%' \
                   AND NOT EXISTS (SELECT 1 FROM sqlite_master AS v WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%' \
                   AND substr(m.name, 1, length(v.name) + 1) = v.name || '_') \
                   ORDER BY m.name, c.cid";
        let rows = database.query(sql, &[], MOST_COLUMNS).await.map_err(database_failed)?;
        let mut tables: Vec<Table> = Vec::new();
        for row in &rows.rows {
            let read = read(row).ok_or_else(|| ToolError::internal("the schema has other columns than expected"))?;
            let (name, view, definition, column) = read;
            match tables.last_mut() {
                Some(table) if table.name == name => table.columns.push(column),
                _ => tables.push(Table { name, view, definition, columns: vec![column] }),
            }
        }
        Ok(Self { tables, cut: rows.truncated })
    }

    /// The table of this name, in whatever case it is written.
    pub(super) fn table(&self, name: &str) -> Result<&Table, ToolError> {
        let found = self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| {
            let known: Vec<&str> = self.tables.iter().map(|table| table.name.as_str()).collect();
            let hint = did_you_mean(name, known.iter().copied());
            let listed = listing(&known);
            ToolError::not_found(format!("There is no table {}.{hint} Tables: {listed}.", text::quoted(name)))
        })
    }
}

impl Table {
    pub(super) fn kind(&self) -> &'static str {
        if self.view { "view" } else { "table" }
    }

    /// The column of this name, in whatever case it is written.
    pub(super) fn column(&self, name: &str) -> Result<&Column, ToolError> {
        let found = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            let hint = did_you_mean(name, known.iter().copied());
            let listed = listing(&known);
            let (table, name) = (&self.name, text::quoted(name));
            ToolError::new(format!("The {} `{table}` has no column {name}.{hint} Columns: {listed}.", self.kind()))
        })
    }
}

impl Column {
    /// By SQLite's rules of type affinity, as far as they leave no doubt.
    pub(super) fn holds(&self) -> Holds {
        let declared = self.declared.to_ascii_uppercase();
        let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        if says(&["INT"]) {
            Holds::Numbers
        } else if says(&["CHAR", "CLOB", "TEXT"]) {
            Holds::Text
        } else if says(&["REAL", "FLOA", "DOUB"]) {
            Holds::Numbers
        } else {
            Holds::Anything
        }
    }
}

/// An identifier as SQL writes it. Takes only what the schema itself calls its things.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn read(row: &[SqlValue]) -> Option<(String, bool, String, Column)> {
    let [table, kind, definition, name, declared, not_null, key] = row else { return None };
    let column = Column {
        name: name.as_str()?.to_owned(),
        declared: declared.as_str()?.to_owned(),
        nullable: not_null.as_i64()? == 0,
        key: key.as_i64()?,
    };
    Some((table.as_str()?.to_owned(), kind.as_str()? == "view", definition.as_str()?.to_owned(), column))
}

fn listing(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST_NAMES { " and more" } else { "" };
    shown.join(", ") + more
}
