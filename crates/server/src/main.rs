//! The deployable server as a process: toolkits switched on by configuration, over an embedded
//! database unless told otherwise. The Worker is `lib.rs`; what both serve is `configured.rs`. A
//! few lines: what the toolkits do is in `mcpfn-toolkits`, how they are served in the host.

mod configured;
mod database;
mod file_events;
mod files;
mod identity;
mod ingest;
mod mapping;
mod script;
mod settings;
mod shown;
mod stored_database;
#[cfg(test)]
mod tests;
mod vector_file;
mod vector_index;

use std::process::ExitCode;
use std::sync::Arc;

use mcpfn::port::{Platform, PlatformEvents};
use mcpfn::{Setup, Variables};
use mcpfn_toolkits::MAPPING;

use configured::{Configured, configured, opened, ports, with_skills};
use file_events::{BucketEvents, with_file_events};

use crate::settings::SETTINGS;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.split_first() {
        Some((command, arguments)) if command == "ingest" => match ingest::read(arguments) {
            Ok(Some(asked)) => match Variables::of_process().with_secret_files(SETTINGS) {
                Ok(variables) => {
                    let variable = |name: &str| variables.find(name);
                    ingest::command(&asked, variable)
                }
                Err(mistakes) => {
                    eprintln!("error: {mistakes}");
                    ExitCode::FAILURE
                }
            },
            Ok(None) => {
                println!("{}", ingest::USAGE);
                ExitCode::SUCCESS
            }
            Err(mistake) => {
                eprintln!("error: {mistake}\n\n{}", ingest::USAGE);
                ExitCode::from(2)
            }
        },
        _ => mcpfn::run_with_commands(setup, SETTINGS, &[ingest::COMMAND]),
    }
}

fn setup(
    variables: &Variables,
) -> Result<Setup<impl FnOnce(Platform) -> Platform + use<>>, String> {
    let found = |name: &str| variables.find(name).filter(|value| !value.is_empty());
    let mapping = mapping::inlined(found)?;
    let variable = |name: &str| match name {
        MAPPING => mapping.clone(),
        name => found(name),
    };
    let Configured {
        builder,
        database,
        unvetted,
        files,
    } = configured(variable)?;
    let chosen = |toolkit: &str| match variable("MCPFN_TOOLKITS") {
        Some(list) => list
            .to_string_lossy()
            .split(',')
            .any(|name| name.trim() == toolkit),
        None => mcpfn_toolkits::defaults().any(|name| name == toolkit),
    };
    // without need for a database, none is made
    let database = database.then(|| {
        let opened = database::open(variable, unvetted)?;
        if chosen("database") {
            database::check_tables(variable)?;
        }
        if chosen("crm") || chosen("inventory") {
            mapping::check(variable)?;
        }
        if vector_index::is_required(variable)? && chosen("knowledge") {
            database::asked(variable, async |database| {
                vector_index::check(database).await
            })?;
        }
        Ok(opened)
    });
    let (builder, database) = opened(builder, database.transpose());
    let files = files.then(|| files::open(variable)).transpose();
    let (builder, files) = opened(builder, files);
    let builder = with_skills(builder, files::open_skills(variable), variable);
    // what S3 says of the bucket reaches a function that is on Lambda
    let of_bucket = files
        .as_ref()
        .and_then(|_| BucketEvents::of(variable("MCPFN_FILES_ROOT")));
    let of_bucket = of_bucket.filter(|_| variable("MCPFN_EVENTS_QUEUE").is_some());
    let builder = match of_bucket {
        Some(_) => with_file_events(builder, variable),
        None => builder,
    };
    Ok(Setup {
        builder,
        ports: move |platform: Platform| {
            let database = database.map(|database| database.sql(&platform));
            let platform = match of_bucket {
                Some(events) => platform.with_port::<dyn PlatformEvents>(Arc::new(events)),
                None => platform,
            };
            ports(database, files)(platform)
        },
    })
}
