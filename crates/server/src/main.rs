//! The deployable server as a process: toolkits switched on by configuration, over an embedded database unless told otherwise. The
//! Worker is `lib.rs`; what both serve is `configured.rs`. A few lines: what the toolkits do is in `mcpfn-toolkits`, how they are
//! served in the host.

mod configured;
mod database;

use std::process::ExitCode;
use std::sync::Arc;

use mcpfn::{Platform, Setup, Sql};

use configured::configured;

const ENVIRONMENT: &str = "  MCPFN_TOOLKITS    which toolkits to serve, comma-separated: hello, catalog, database [all of them]
  MCPFN_DATABASE    a SQLite file to serve, opened for reading only [the demo shop]
  MCPFN_DATA_DIR    folder of the demo shop's file, made at the first start [the user's data folder]";

fn main() -> ExitCode {
    mcpfn::run_with(setup, ENVIRONMENT)
}

fn setup() -> Result<Setup<impl FnOnce(Platform) -> Platform>, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let (builder, asks_database) = configured(variable)?;
    // without need for a database, none is made
    let database = if asks_database { Some(database::open(variable)?) } else { None };
    Ok(Setup {
        builder,
        ports: move |platform: Platform| match database {
            Some(database) => platform.with_port::<dyn Sql>(Arc::new(database)),
            None => platform,
        },
    })
}
