//! The deployable server as a Worker: toolkits switched on by configuration, over a D1 database. The program for everything else is
//! `main.rs`; what both serve is `configured.rs`. Not a library for others: elsewhere than on wasm32 it is empty.

#![cfg(target_arch = "wasm32")]

mod configured;

use std::sync::Arc;

use mcpfn::worker::{Setup, Variables};
use mcpfn::{Platform, Sql};

use configured::{Configured, configured};

/// The binding of the database that is served, in `wrangler.toml`.
const DATABASE: &str = "DB";

mcpfn::worker::fetch!(setup);

fn setup(variables: &Variables) -> Result<Setup<impl FnOnce(Platform) -> Platform + use<>>, String> {
    let Configured { builder, database, files } = configured(|name| variables.find(name).filter(|value| !value.is_empty()))?;
    if files {
        return Err("the toolkit `files` needs directories, which a Worker has none of: take `files` out of MCPFN_TOOLKITS".to_owned());
    }
    let database = if database { Some(variables.d1(DATABASE)?) } else { None };
    Ok(Setup {
        builder,
        ports: move |platform: Platform| match database {
            Some(database) => platform.with_port::<dyn Sql>(Arc::new(database)),
            None => platform,
        },
    })
}
