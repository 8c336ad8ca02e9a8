//! Prompts and resources in every shape. Not a test of templates: core has those.
#![deny(warnings)]

extern crate mcpfn_core as mcpfn;

use mcpfn::{Builder, Cx, Server, ToolError};
use mcpfn_macros::{input, prompt, resource};

#[input]
struct Table {
    name: String,
}

/// Summarises the week.
#[prompt(title = "Weekly summary", name = "weekly-summary")]
async fn weekly_summary(table: Table, _: &Cx) -> Result<String, ToolError> {
    Ok(format!("Summarise {}", table.name))
}

/// Asks for brevity.
#[prompt]
fn short() -> &'static str {
    "Be short."
}

/// Shows the call.
#[prompt]
async fn from_context(cx: &Cx) -> String {
    format!("{cx:?}")
}

/// The tables of the catalog.
#[resource("catalog://schema", title = "Schema", mime = "text/plain")]
async fn catalog_schema() -> String {
    "id integer".to_owned()
}

#[resource("catalog://context", name = "context", description = "What the server sees.")]
async fn seen(cx: &Cx) -> Result<String, ToolError> {
    Ok(format!("{cx:?}"))
}

/// One table.
#[resource("table://{name}")]
fn one_table(table: Table) -> String {
    table.name
}

/// One row.
#[resource("row://{name}")]
async fn row(table: Table, _: &Cx) -> Result<String, ToolError> {
    Ok(table.name)
}

fn server() -> Builder {
    Server::builder("test", "1.0.0")
        .prompt(weekly_summary)
        .prompt(short)
        .prompt(from_context)
        .resource(catalog_schema)
        .resource(seen)
        .resource(one_table)
        .resource(row)
}

fn main() {
    server().build().unwrap();
    drop(short());
}
