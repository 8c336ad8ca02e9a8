//! The deployable server: toolkits switched on by configuration, over an embedded database unless told otherwise. A few lines:
//! what the toolkits do is in `mcpfn-toolkits`, how they are served in the host.

mod database;

use std::process::ExitCode;
use std::sync::Arc;

use mcpfn::{Builder, Platform, Server, Setup, Sql};

const ENVIRONMENT: &str = "  MCPFN_TOOLKITS    which toolkits to serve, comma-separated: hello, catalog, database [all of them]
  MCPFN_DATABASE    a SQLite file to serve, opened for reading only [the demo shop]
  MCPFN_DATA_DIR    folder of the demo shop's file, made at the first start [the user's data folder]";

fn main() -> ExitCode {
    mcpfn::run_with(setup, ENVIRONMENT)
}

fn setup() -> Result<Setup<impl FnOnce(Platform) -> Platform>, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let list = match variable("MCPFN_TOOLKITS") {
        Some(list) => list.into_string().map_err(|_| "MCPFN_TOOLKITS is not text in UTF-8")?,
        None => mcpfn_toolkits::names().collect::<Vec<_>>().join(","),
    };
    let builder = mcpfn_toolkits::register(server(), &list).map_err(|error| format!("MCPFN_TOOLKITS: {error}"))?;
    // hello alone needs no database, and then none is made
    let database = if list.split(',').all(|name| name.trim() == "hello") { None } else { Some(database::open(variable)?) };
    Ok(Setup {
        builder,
        ports: move |platform: Platform| match database {
            Some(database) => platform.with_port::<dyn Sql>(Arc::new(database)),
            None => platform,
        },
    })
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
