//! What is served, by configuration: the same on every host.

use std::ffi::OsString;

use mcpfn::{Builder, Server};

/// The server, and whether it asks a database: `hello` alone needs none.
pub(crate) fn configured(toolkits: Option<OsString>) -> Result<(Builder, bool), String> {
    let list = match toolkits {
        Some(list) => list.into_string().map_err(|_| "MCPFN_TOOLKITS is not text in UTF-8")?,
        None => mcpfn_toolkits::names().collect::<Vec<_>>().join(","),
    };
    let builder = mcpfn_toolkits::register(server(), &list).map_err(|error| format!("MCPFN_TOOLKITS: {error}"))?;
    Ok((builder, list.split(',').any(|name| name.trim() != "hello")))
}

fn server() -> Builder {
    Server::builder("mcpfn", env!("CARGO_PKG_VERSION"))
        .title("mcpfn demo shop")
        .description("A product catalog and a database to ask, served by mcpfn.")
        .instructions(
            "Use the catalog tools for questions about products, prices and stock. Use list_tables, describe_table and query_table, \
             in this order, for everything else in the database.",
        )
}
