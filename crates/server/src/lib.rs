//! The deployable server as a Worker: toolkits switched on by configuration, over a D1 database or
//! PostgreSQL behind Hyperdrive, and an R2 bucket. The program for everything else is `main.rs`; what
//! both serve is `configured.rs`. Not a library for others: elsewhere than on wasm32 it is empty.

#![cfg(target_arch = "wasm32")]

mod bound_database;
mod configured;
mod identity;
mod settings;

use std::sync::Arc;

use mcpfn::port::{Blobs, Platform};
use mcpfn::worker::{Setup, Variables};

use configured::{Configured, configured, opened, ports, with_skills};

/// The binding of the bucket whose files are served.
const FILES: &str = "FILES";
/// The binding of the bucket with the operator's own skills. Without one, there are none.
const SKILLS: &str = "SKILLS";

mcpfn::worker::fetch!(setup, settings::SETTINGS);

fn setup(
    variables: &Variables,
) -> Result<Setup<impl FnOnce(Platform) -> Platform + use<>>, String> {
    let variable = |name: &str| variables.find(name).filter(|value| !value.is_empty());
    let Configured {
        builder,
        database,
        unvetted,
        files,
    } = configured(variable)?;
    let database = database.then(|| bound_database::open(variables, unvetted));
    let (builder, database) = opened(builder, database.transpose());
    let files = files.then(|| variables.r2(FILES)).transpose();
    let (builder, files) = opened(builder, files);
    let files = files.map(|files| Arc::new(files) as Arc<dyn Blobs>);
    let skills = variables.r2_if_bound(SKILLS);
    let skills = skills.map(|found| found.map(|found| Arc::new(found) as Arc<dyn Blobs>));
    let builder = with_skills(builder, skills, variable);
    Ok(Setup {
        builder,
        ports: ports(database, files),
    })
}
