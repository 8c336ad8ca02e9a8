//! The servers of the fixtures as one Worker; the variable `TEST_SERVER` says which. `watched` is
//! for what only this host does, `store`, `events`, `files`, `tasks` and `vectors` for the contracts of its
//! stores, `sql` for a database that is late.

#![cfg(target_arch = "wasm32")]

mod events;
mod files;
mod policed;
#[path = "../../it/support/servers.rs"]
mod servers;
mod store;
mod tasks;
mod vectors;
mod watched;

use std::sync::Arc;

use mcpfn::port::{Blobs, Sql, VectorStore};
use mcpfn::worker::{Setup, Variables};
use mcpfn::{
    Server,
    port::{IdempotencyStore, Platform, TaskStore},
};

mcpfn::worker::fetch!(setup);

fn setup(
    variables: &Variables,
) -> Result<Setup<impl FnOnce(Platform) -> Platform + use<>>, String> {
    let name = variables
        .find("TEST_SERVER")
        .unwrap_or_else(|| "everything".into());
    let idempotency = variables.idempotency("IDEMPOTENCY")?;
    let tasks = variables.tasks("TASKS")?;
    let events = variables.event_stores("EVENTS")?;
    let speed = events::speed(variables);
    let database = if name == "sql" {
        Some(variables.d1("DB")?)
    } else {
        None
    };
    let bucket = if name == "files" {
        Some(variables.r2("FILES")?)
    } else {
        None
    };
    let vectors = variables.vectors("VECTORS")?;
    let server = match name.to_str() {
        Some("watched") => watched::server,
        Some("policed") => policed::server,
        Some("store") => store::server,
        Some("events") => events::server,
        Some("tasks") => tasks::server,
        Some("stumbling") => tasks::stumbling,
        Some("sql") => || mcpfn_toolkits::sql::toolkit(Server::builder("sql", "1.0.0")),
        Some("files") => files::server,
        Some("vectors") => vectors::server,
        name => servers::named(name.unwrap_or_default()),
    };
    Ok(Setup {
        builder: server(),
        ports: move |mut platform: Platform| {
            if let Some(store) = idempotency {
                platform = platform.with_port::<dyn IdempotencyStore>(store);
            }
            if let Some((store, _)) = tasks {
                platform = platform.with_port::<dyn TaskStore>(store);
            }
            if let Some((log, subscriptions)) = events {
                platform = events::ports(platform, log, subscriptions, speed);
            }
            if let Some(database) = database {
                platform = platform.with_port::<dyn Sql>(Arc::new(database));
            }
            if let Some(bucket) = bucket {
                platform = platform.with_port::<dyn Blobs>(Arc::new(bucket));
            }
            if let Some(vectors) = vectors {
                platform = platform.with_port::<dyn VectorStore>(vectors);
            }
            platform
        },
    })
}
