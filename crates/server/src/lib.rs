//! The deployable server as a Worker: toolkits switched on by configuration, over a D1 database or
//! PostgreSQL behind Hyperdrive, an R2 bucket, and an index of Vectorize. The program for everything else is `main.rs`; what
//! both serve is `configured.rs`. Not a library for others: elsewhere than on wasm32 it is empty.

#![cfg(target_arch = "wasm32")]

mod bound_database;
mod configured;
mod identity;
mod notices;
mod settings;

use std::sync::Arc;

use mcpfn::port::{Blobs, Platform, VectorStore};
use mcpfn::worker::{Setup, Variables, WorkerEvents};

use configured::{Configured, configured, notices, opened, ports, with_skills};

/// The binding of the bucket whose files are served.
const FILES: &str = "FILES";
/// The binding of the index of the passages' vectors. Without one, a few are compared in D1.
const VECTORS: &str = "VECTORS";
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
    let (builder, vectors) = opened(builder, vectors(variables));
    let ports = ports(database, files);
    let skills = variables.r2_if_bound(SKILLS);
    let skills = skills.map(|found| found.map(|found| Arc::new(found) as Arc<dyn Blobs>));
    let builder = with_skills(builder, skills, variable);
    let hears = notices(variable);
    Ok(Setup {
        builder,
        ports: move |platform: Platform| {
            let mut platform = ports(platform);
            if hears {
                platform = platform.with_port::<dyn WorkerEvents>(Arc::new(notices::Notices));
            }
            match vectors {
                Some(vectors) => platform.with_port::<dyn VectorStore>(vectors),
                None => platform,
            }
        },
    })
}

fn vectors(variables: &Variables) -> Result<Option<Arc<dyn VectorStore>>, String> {
    let vectors = variables.vectors(VECTORS)?;
    if vectors.is_some() && variables.text("MCPFN_EMBEDDINGS_URL").is_none() {
        return Err(format!(
            "{VECTORS} is bound and MCPFN_EMBEDDINGS_URL is not set: set it and \
             MCPFN_EMBEDDINGS_MODEL as they were for `ingest`, or take the binding out of \
             wrangler.toml"
        ));
    }
    Ok(vectors)
}
