//! The deployable server as a process: toolkits switched on by configuration, over an embedded
//! database unless told otherwise. The Worker is `lib.rs`; what both serve is `configured.rs`. A
//! few lines: what the toolkits do is in `mcpfn-toolkits`, how they are served in the host.

mod configured;
mod database;
mod files;
mod ingest;
mod script;

use std::path::Path;
use std::process::ExitCode;

use mcpfn::{Platform, Setup};

use configured::{Configured, configured, ports};

const ENVIRONMENT: &str =
    "  MCPFN_TOOLKITS    which toolkits to serve, comma-separated [those that need no variable and reach nothing outside]
  MCPFN_DATABASE    a SQLite file to serve, or postgres://USER:PASSWORD@HOST/NAME [the demo shop]
  MCPFN_DATABASE_WRITABLE
                    1 opens that file for writing too, as the toolkits crm and inventory can [for reading only]
  MCPFN_DATABASE_READONLY_URL
                    toolkit sql: a postgres:// URL of a role that can only read; required with PostgreSQL
  MCPFN_DATABASE_FUNCTIONS
                    toolkit sql: functions that do more than read and that this role may call, such as public.audit [none]
  MCPFN_DATABASE_TABLES
                    toolkit database: tables, or their columns, that are shown, such as products,orders(id,status) [all]
  MCPFN_DATA_DIR    folder of the demo shop's file, made at the first start [the user's data folder]
  MCPFN_EMBEDDINGS_URL
                    toolkit knowledge: an OpenAI-compatible service of embeddings, with MCPFN_EMBEDDINGS_MODEL and MCPFN_EMBEDDINGS_API_KEY;
                    without one, texts are found by their words. `ingest FOLDER` adds documents to the database,
                    `ingest FOLDER --sql FILE` writes the statements that add them to D1
  MCPFN_WEATHER_API_KEY toolkit weather: a key of OpenWeatherMap; MCPFN_WEATHER_URL for another address
  MCPFN_COMPANY_API_KEY toolkit company: a key of Apollo; MCPFN_COMPANY_URL for another address
  MCPFN_SEARCH_API_KEY  toolkit web: a key of Brave Search, or of Serper with MCPFN_SEARCH_API=serper; MCPFN_SEARCH_URL for another address
  MCPFN_FETCH_HOSTS toolkits fetch and web: hosts of the own network that pages may be read from, such as wiki.example:8080 [public ones only]
  MCPFN_GITHUB_TOKEN
                    toolkit github: without one it reads public repositories only; MCPFN_GITHUB_URL for another address
  MCPFN_UPSTREAMS   toolkit upstream: other MCP servers to front, NAME=URL separated by commas; their tools are listed as NAME__tool
  MCPFN_UPSTREAM_<NAME>_TOKEN
                    this server's own bearer token there; a caller's token is never passed on
  MCPFN_UPSTREAM_<NAME>_SCOPE
                    the scope that a caller needs to see and use that server [upstream:NAME]
  MCPFN_FILES_ROOT  toolkit files: the directory to serve, several as NAME=DIRECTORY,NAME=DIRECTORY, or s3://BUCKET/PREFIX with
                    AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL_S3 for R2 or MinIO
  MCPFN_FILES_WRITABLE
                    toolkit files: 1 adds the tools that write and move files [for reading only]";

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var_os(name);
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [command, folder] if command == "ingest" => {
            ingest::command(Path::new(folder), None, variable)
        }
        [command, folder, option, file] if command == "ingest" && option == "--sql" => {
            ingest::command(Path::new(folder), Some(Path::new(file)), variable)
        }
        _ => mcpfn::run_with(setup, ENVIRONMENT),
    }
}

fn setup() -> Result<Setup<impl FnOnce(Platform) -> Platform>, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let Configured {
        builder,
        database,
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
    let database = if database {
        let opened = database::open(variable, chosen("sql"))?;
        if chosen("database") {
            database::check_tables(variable)?;
        }
        Some(opened)
    } else {
        None
    };
    let files = if files {
        Some(files::open(variable)?)
    } else {
        None
    };
    Ok(Setup {
        builder,
        ports: ports(database, files),
    })
}
