//! Safe reading of any SQLite, D1 or PostgreSQL database: tables, columns, and rows by typed
//! filters. No SQL comes from the client; what it names is looked up in the live schema first.
//! Changes nothing.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_DATABASE_TABLES` | tables, or their columns, that are shown, such as `products,orders(id,status)`; all if not set |

mod added;
mod allowed;
mod cells;
mod compare;
mod filter;
mod query;
pub(crate) mod schema;

use mcpfn_core::{
    Builder, Cx, Json, NoArguments, ToolError, handler::IntoResource as _, input, output, resource,
    tool,
};

use crate::config::Config;
use crate::pages::{self, ToolkitPage};
use crate::rows::{Row, bounded};
use crate::say::database_failed;
use schema::DatabaseTable;

pub(crate) use added::added_rows;
use allowed::visible;

pub use allowed::AllowedTables;
pub use compare::Scalar;
pub use filter::{ColumnFilter, Op};
pub use query::{Direction, OrderBy, Queried, TableQuery, query_table};

/// Rows of the sample in `database://table/{table}`.
const SAMPLE: usize = 5;

/// The variable that limits what is shown.
pub const TABLES: &str = "MCPFN_DATABASE_TABLES";

/// Adds the tools `list_tables`, `describe_table` and `query_table`, and the template
/// `database://table/{table}`, all with the scope `database:read`. They show every table that the
/// database's role can read; [`limited`] shows less.
pub fn toolkit(builder: Builder) -> Builder {
    limited(builder, AllowedTables::all())
}

/// As [`toolkit`], for the tables and columns that are allowed. The database is asked at the first
/// call whether it has them; [`AllowedTables::check`] asks earlier.
pub fn limited(builder: Builder, tables: AllowedTables) -> Builder {
    builder
        .state(tables)
        .tool(list_tables)
        .tool(describe_table)
        .with(|builder| pages::tool(builder, query_table, ToolkitPage::Rows))
        .advice(
            ["list_tables", "describe_table", "query_table"],
            "To read tables of the database use `list_tables`, `describe_table` and `query_table`, \
             in this order.",
        )
        .advice(
            ["query_table", "search_products"],
            "Where `search_products` finds the answer, prefer it to `query_table`.",
        )
        .resource(table_by_name.into_resource().complete("table", names))
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let tables = config.text(TABLES).map(|list| AllowedTables::parse(&list));
    match tables.transpose() {
        Ok(tables) => limited(builder, tables.unwrap_or_default()),
        Err(mistake) => {
            config.mistake(format!("{TABLES}: {mistake}"));
            builder
        }
    }
}

/// The tables of the database.
#[output]
#[derive(Debug)]
pub struct Tables {
    /// By name.
    pub tables: Vec<TableSummary>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A table in a list.
#[output]
#[derive(Debug)]
pub struct TableSummary {
    /// Name.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// Names of its columns.
    pub columns: Vec<String>,
}

/// List the tables of the database with their columns.
///
/// Use this first when a question is about data and you do not know where it is. Then call
/// `describe_table` for types and meaning, and `query_table` for rows.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "database:read",
    title = "List tables"
)]
pub async fn list_tables(_: NoArguments, cx: &Cx) -> Result<Tables, ToolError> {
    let schema = visible(cx).await?;
    let note = schema
        .cut
        .then(|| "There are more tables than are listed here.".to_owned());
    let tables = schema.tables.iter().map(|table| TableSummary {
        name: table.name.clone(),
        kind: table.kind(),
        columns: table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
    });
    Ok(Tables {
        tables: tables.collect(),
        note,
    })
}

/// Which table.
#[input]
#[derive(Debug)]
pub struct TableName {
    /// A table or view, as `list_tables` names it, e.g. "products".
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
}

/// A table with its columns.
#[output]
#[derive(Debug)]
pub struct DescribedTable {
    /// Name.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// In their order.
    pub columns: Vec<DescribedColumn>,
    /// The statement that created it, with its comments, checks and references to other tables.
    pub definition: String,
}

/// A column.
#[output]
#[derive(Debug)]
pub struct DescribedColumn {
    /// Name.
    pub name: String,
    /// Declared type, e.g. `INTEGER`; empty where none is declared.
    #[serde(rename = "type")]
    pub declared: String,
    /// Whether it may hold null.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub primary_key: bool,
}

impl From<&DatabaseTable> for DescribedTable {
    fn from(table: &DatabaseTable) -> Self {
        let columns = table.columns.iter().map(|column| DescribedColumn {
            name: column.name.clone(),
            declared: column.declared.clone(),
            nullable: column.nullable,
            primary_key: column.key > 0,
        });
        Self {
            name: table.name.clone(),
            kind: table.kind(),
            columns: columns.collect(),
            definition: table.definition.clone(),
        }
    }
}

/// Describe one table: its columns with types, and the statement that created it.
///
/// Use this before `query_table` when you are not sure which columns a table has, what they hold,
/// or how tables are linked.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "database:read",
    title = "Describe table"
)]
pub async fn describe_table(args: TableName, cx: &Cx) -> Result<DescribedTable, ToolError> {
    let schema = visible(cx).await?;
    Ok(schema.table(&args.name)?.into())
}

/// The variables of `database://table/{table}`.
#[input]
#[derive(Debug)]
pub struct TableUri {
    /// A table or view, e.g. "products".
    pub table: String,
}

/// A table with a few of its rows.
#[output]
#[derive(Debug)]
pub struct SampledRows {
    /// The table.
    #[serde(flatten)]
    pub table: DescribedTable,
    /// Its first rows, long values cut.
    #[schemars(with = "Vec<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub sample: Vec<Row>,
}

/// One table's columns and definition, with five of its rows, as JSON.
#[resource(
    "database://table/{table}",
    name = "table",
    title = "Table",
    mime = "application/json",
    scope = "database:read"
)]
pub async fn table_by_name(args: TableUri, cx: &Cx) -> Result<Json<SampledRows>, ToolError> {
    let database = &**allowed::database(cx)?;
    let schema = visible(cx).await?;
    let table = schema.table(&args.table)?;
    let columns = query::columns(database.dialect(), table, None)?;
    let name = schema::identifier(&table.name);
    let sql = format!("SELECT {columns} FROM {name} LIMIT {SAMPLE}");
    let rows = database
        .query(&sql, &[], SAMPLE)
        .await
        .map_err(database_failed)?;
    let sample = bounded(rows).rows;
    Ok(Json(SampledRows {
        table: table.into(),
        sample,
    }))
}

/// Tables that contain what was typed. A failure offers nothing: completion is a courtesy.
async fn names(typed: String, cx: Cx) -> Vec<String> {
    let Ok(schema) = visible(&cx).await else {
        return Vec::new();
    };
    let typed = typed.trim().to_lowercase();
    let names = schema.tables.into_iter().map(|table| table.name);
    names
        .filter(|name| name.to_lowercase().contains(&typed))
        .collect()
}
