//! `publish`: the entry of a server in the registry of MCP servers, out of what its project says and
//! the command line. It is checked against the schema of the registry; `mcp-publisher` sends it.

mod entry;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use mcpfn_schema::Schema;
use serde_json::{Value, json};

use crate::arguments::PublishArguments;
use crate::output::{CliError, CliResult, remark, say};
use crate::project::Project;
use crate::tools::{Needs, run as start};
use entry::entry;

/// As the registry publishes it; `entry::SCHEMA` is its address.
const SCHEMA: &str = include_str!("../schemas/server.2025-12-11.json");
const FILE: &str = "server.json";

pub(crate) fn run(arguments: &PublishArguments) -> CliResult {
    let project = Project::of(&arguments.folder)?;
    let entry = entry(&project, arguments)?;
    check(&entry)?;
    let text = serde_json::to_string_pretty(&entry).map_err(|error| error.to_string())?;
    if arguments.dry_run {
        say(&text);
        remark(left_out(&entry));
        return Ok(ExitCode::SUCCESS);
    }
    let mut needs = Needs::default();
    needs.program(
        "mcp-publisher",
        "install it from the releases of modelcontextprotocol/registry on GitHub",
    );
    needs.met()?;
    write(&arguments.folder, &text)?;
    let file = arguments.folder.join(FILE);
    start("mcp-publisher", &["publish", &file.to_string_lossy()], &[])?;
    Ok(ExitCode::SUCCESS)
}

/// Against the schema. What that does not say is in `entry`.
fn check(entry: &Value) -> Result<(), CliError> {
    let mut schema: Value = serde_json::from_str(SCHEMA)
        .map_err(|error| format!("the schema of the registry can't be read: {error}"))?;
    // it is of draft 7, and has nothing in it that 2020-12 means otherwise
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    let schema = Schema::compile(&schema)
        .map_err(|error| format!("the schema of the registry can't be used: {error}"))?;
    schema.check(entry).map_err(|violations| {
        CliError(format!(
            "the registry would refuse this {FILE}:\n{violations}\nchange Cargo.toml, or the options \
             (`cargo mcpfn publish --help`)"
        ))
    })
}

/// The file of before is replaced if this command made it; what a person wrote stays.
fn write(folder: &Path, text: &str) -> Result<(), CliError> {
    let path = folder.join(FILE);
    if let Ok(old) = fs::read_to_string(&path) {
        let old: Value = serde_json::from_str(&old).unwrap_or_default();
        let new: Value = serde_json::from_str(text).unwrap_or_default();
        if old["name"] != new["name"] || old["_meta"] != new["_meta"] {
            return Err(format!(
                "{} is of another server, or has more in it: remove it, or run `mcp-publisher publish` \
                 yourself",
                path.display()
            )
            .into());
        }
    }
    fs::write(&path, format!("{text}\n"))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}

/// What a dry run does not find out, and what comes next.
fn left_out(entry: &Value) -> String {
    let name = entry["name"].as_str().unwrap_or_default();
    let namespace = name.split('/').next().unwrap_or_default();
    let login = match namespace.strip_prefix("io.github.") {
        Some(owner) => format!(
            "`mcp-publisher login github` as {owner}, or as a public member of that organisation"
        ),
        None => {
            let mut labels: Vec<&str> = namespace.split('.').collect();
            labels.reverse();
            let domain = labels.join(".");
            format!(
                "`mcp-publisher login http --domain {domain} --private-key KEY`, with the public half in \
                 MCPFN_REGISTRY_AUTH of a server at https://{domain}; or `login dns`"
            )
        }
    };
    format!(
        "\nnothing was sent. Not looked at: whether the addresses answer, whether the packages are there and \
         name this server, whether {name} is yours and this version is new.\nNext: {login}; then `cargo \
         mcpfn publish` without --dry-run"
    )
}
