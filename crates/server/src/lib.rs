//! The deployable server as a Worker: toolkits switched on by configuration, over a D1 database. The program for everything else is
//! `main.rs`; what both serve is `configured.rs`. Not a library for others: elsewhere than on wasm32 it is empty.

#![cfg(target_arch = "wasm32")]

mod configured;

use std::sync::Arc;

use mcpfn::worker::{Setup, Variables};
use mcpfn::{Platform, Sql};

use configured::configured;

/// The binding of the database that is served, in `wrangler.toml`.
const DATABASE: &str = "DB";

mcpfn::worker::fetch!(setup);

fn setup(variables: &Variables) -> Result<Setup<impl FnOnce(Platform) -> Platform + use<>>, String> {
    let (builder, asks_database) = configured(|name| variables.find(name).filter(|value| !value.is_empty()))?;
    let database = if asks_database { Some(variables.d1(DATABASE)?) } else { None };
    Ok(Setup {
        builder,
        ports: move |platform: Platform| match database {
            Some(database) => platform.with_port::<dyn Sql>(Arc::new(database)),
            None => platform,
        },
    })
}
