//! `build` and `deploy`: what is missing is said first, then `sam` or `wrangler` does the work, and at the
//! end stands where clients connect. Run in the folder of a project.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use mcpfn_settings::{ClientAccess, KEY_PLACEHOLDER, StdioProgram};
use serde_json::Value;
use toml::Table;

use crate::arguments::{BuildArguments, DeployArguments, DeployHost};
use crate::doctor::project_faults;
use crate::new::WORKER_BUILD;
use crate::output::{CliError, CliResult, say};
use crate::tools::{Needs, find, read, run, run_reading};

/// Variables by which programs get credentials of AWS without files.
const AWS: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// Runs the tool that deploys, with more words for it. The endpoint's URL, if it says one.
type Deploy = fn(&[String]) -> Result<Option<String>, CliError>;

pub(crate) fn build(arguments: &BuildArguments) -> CliResult {
    needs(arguments.host, false).met()?;
    match arguments.host {
        DeployHost::Lambda => run("sam", &["build"], &arguments.more)?,
        DeployHost::Workers => run("worker-build", &["--profile", "worker"], &arguments.more)?,
        DeployHost::Container => {
            let name = name();
            let more = [&arguments.more[..], &[".".to_owned()]].concat();
            run(
                engine().unwrap_or("docker"),
                &["build", "--tag", &name],
                &more,
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn deploy(arguments: &DeployArguments) -> CliResult {
    let (run, clients): (Deploy, fn(&str) -> String) = match arguments.host {
        DeployHost::Lambda => (lambda, signed),
        DeployHost::Workers => (workers, with_key),
        DeployHost::Container => return Err(CONTAINER.into()),
    };
    needs(arguments.host, true).met()?;
    match run(&arguments.more)? {
        Some(url) => say(clients(&url)),
        None => say("deployed; the command above says where"),
    }
    Ok(ExitCode::SUCCESS)
}

/// What a build, and with `deploys` a deployment, can't do without.
fn needs(host: DeployHost, deploys: bool) -> Needs {
    let mut needs = Needs::default();
    let file = match host {
        DeployHost::Lambda => "template.yaml",
        DeployHost::Workers => "wrangler.toml",
        DeployHost::Container => "Dockerfile",
    };
    needs.that(
        Path::new(file).is_file(),
        format!(
            "there is no {file} here: go to the folder of a project that `cargo mcpfn new --on {}` \
             made",
            host.name()
        ),
    );
    match host {
        DeployHost::Lambda => {
            needs.program("sam", "install it, such as with `pip install aws-sam-cli`");
            needs.program(
                "cargo-lambda",
                "install it, such as with `pip install cargo-lambda`",
            );
            needs.that(!deploys || has_aws(), NO_AWS);
        }
        DeployHost::Workers => {
            let version = format!("run `cargo install --locked worker-build@{WORKER_BUILD}`");
            needs.program("worker-build", &version);
            needs.that(has_wasm(), NO_WASM);
            let wrangler = find("wrangler").or_else(|| find("npx"));
            needs.that(
                !deploys || wrangler.is_some(),
                "neither `wrangler` nor `npx` is on PATH: install Node",
            );
        }
        DeployHost::Container => {
            needs.that(
                engine().is_some(),
                "neither `docker` nor `podman` is on PATH: install one",
            );
            needs.that(
                Path::new("Cargo.lock").is_file(),
                "there is no Cargo.lock, which pins what is built: run `cargo build` once",
            );
            let outside = dependency_outside();
            needs.that(
                outside.is_none(),
                format!(
                    "the dependency `{}` in Cargo.toml is a path outside of this folder, which the \
                     image does not see: use a release or a git repository",
                    outside.unwrap_or_default()
                ),
            );
        }
    }
    for fault in project_faults(Path::new(".")) {
        needs.that(false, fault);
    }
    needs
}

/// What builds images here.
fn engine() -> Option<&'static str> {
    ["docker", "podman"]
        .into_iter()
        .find(|engine| find(engine).is_some())
}

/// A file of this folder, if it can be read.
fn toml_file(name: &str) -> Option<Table> {
    fs::read_to_string(name).ok()?.parse().ok()
}

/// A dependency that is elsewhere on this machine.
fn dependency_outside() -> Option<String> {
    let manifest = toml_file("Cargo.toml")?;
    let dependencies = manifest.get("dependencies")?.as_table()?;
    let outside = |path: &str| Path::new(path).is_absolute() || path.starts_with("..");
    dependencies
        .iter()
        .find(|(_, value)| {
            let path = value.get("path").and_then(toml::Value::as_str);
            path.is_some_and(outside)
        })
        .map(|(name, _)| name.clone())
}

const CONTAINER: &str = "an image is deployed by its platform: run `cargo mcpfn build container`, push \
    the image to the platform's registry, and start it there as docs/machines.md of mcpfn says";
const NO_AWS: &str = "no credentials of AWS are known here: run `aws configure sso` and set \
    AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const NO_WASM: &str = "Rust has no library for wasm32: run `rustup target add \
    wasm32-unknown-unknown`";

fn has_aws() -> bool {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let file = |home: std::ffi::OsString| {
        let folder = Path::new(&home).join(".aws");
        folder.join("credentials").is_file() || folder.join("config").is_file()
    };
    AWS.iter().any(set) || home.is_some_and(file)
}

/// A compiler that can't say is not held against the project: the build will.
fn has_wasm() -> bool {
    let asked = [
        "--print",
        "target-libdir",
        "--target",
        "wasm32-unknown-unknown",
    ];
    read("rustc", &asked).is_none_or(|folder| Path::new(folder.trim()).is_dir())
}

fn lambda(more: &[String]) -> Result<Option<String>, CliError> {
    run("sam", &["build"], &[])?;
    run("sam", &["deploy"], more)?;
    let given = more.iter().position(|word| word == "--stack-name");
    let given = given.and_then(|at| more.get(at + 1).cloned());
    let Some(stack) = given.or_else(stack_of_file) else {
        return Ok(None);
    };
    let asked = [
        "list",
        "stack-outputs",
        "--stack-name",
        &stack,
        "--output",
        "json",
    ];
    let outputs = read("sam", &asked).unwrap_or_default();
    Ok(output_of(&outputs, "Url"))
}

fn stack_of_file() -> Option<String> {
    let settings = toml_file("samconfig.toml")?;
    let deploy = settings.get("default")?.get("deploy")?.get("parameters")?;
    deploy.get("stack_name")?.as_str().map(str::to_owned)
}

/// An output of a stack, as `sam list stack-outputs` prints them.
fn output_of(outputs: &str, name: &str) -> Option<String> {
    let outputs: Value = serde_json::from_str(outputs).ok()?;
    let found = outputs
        .as_array()?
        .iter()
        .find(|output| output["OutputKey"] == name)?;
    found["OutputValue"].as_str().map(str::to_owned)
}

fn workers(more: &[String]) -> Result<Option<String>, CliError> {
    let said = if find("wrangler").is_some() {
        run_reading("wrangler", &["deploy"], more)?
    } else {
        run_reading("npx", &["wrangler@4", "deploy"], more)?
    };
    Ok(worker_url(&said))
}

/// The endpoint, from what wrangler says about addresses.
fn worker_url(said: &str) -> Option<String> {
    let words = said.split_whitespace();
    let url = words
        .filter(|word| word.starts_with("https://"))
        .find(|word| word.contains(".workers.dev"))?;
    Some(format!("{}/mcp", url.trim_end_matches('/')))
}

fn name() -> String {
    let manifest = toml_file("Cargo.toml").unwrap_or_default();
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str());
    name.unwrap_or("server").to_owned()
}

/// What clients of a function URL are given.
fn signed(url: &str) -> String {
    let access = ClientAccess::new(name());
    let access = access.started_by(connect(url, &["--sigv4"]));
    connection(
        url,
        "clients sign their requests with your credentials of AWS",
        &access,
    )
}

/// What clients of a Worker are given.
fn with_key(url: &str) -> String {
    let access = ClientAccess::new(name());
    let variable = access.key_variable();
    let header = format!("X-API-Key: ${{{variable}}}");
    let mut program = connect(url, &["--header", &header]);
    program.env.push((variable, KEY_PLACEHOLDER.to_owned()));
    connection(
        url,
        "make a key with `cargo run -- key me`, and give its entry to the server with \
         `wrangler secret put MCPFN_API_KEYS`",
        &access.at(url).with_key().started_by(program),
    )
}

/// `cargo-mcpfn connect`: it stands between the server and clients that can't sign requests, or take
/// no URL.
fn connect(url: &str, more: &[&str]) -> StdioProgram {
    StdioProgram {
        command: "cargo-mcpfn".to_owned(),
        args: ["connect", url]
            .iter()
            .chain(more)
            .map(|word| (*word).to_owned())
            .collect(),
        env: Vec::new(),
    }
}

fn connection(url: &str, first: &str, access: &ClientAccess) -> String {
    let entries: Vec<String> = access.entries().iter().map(ToString::to_string).collect();
    format!(
        "\nserving at {url}\n{first}\n\n{}\n\nlook at it with `cargo mcpfn doctor {url}`",
        entries.join("\n\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_what_tools_say() {
        let said = "Uploaded weather (2.1 sec)\nDeployed weather triggers (0.3 sec)\n  \
            https://weather.me.workers.dev\nCurrent Version ID: 1\n";
        let url = "https://weather.me.workers.dev/mcp";
        assert_eq!(worker_url(said).as_deref(), Some(url));
        assert_eq!(worker_url("https://dash.cloudflare.com/x"), None);
        let outputs = r#"[{"OutputKey": "Table", "OutputValue": "t"},
            {"OutputKey": "Url", "OutputValue": "https://x.lambda-url.eu-west-1.on.aws/mcp"}]"#;
        let url = "https://x.lambda-url.eu-west-1.on.aws/mcp";
        assert_eq!(output_of(outputs, "Url").as_deref(), Some(url));
        assert_eq!(output_of("no stack", "Url"), None);
    }
}
