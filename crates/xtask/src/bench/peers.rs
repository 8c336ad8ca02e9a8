//! `bench --part http` and `--part scale`: builds the contestants of bench/peers, fetches those in
//! other languages as locked, and hands all to what measures. Also the peers of `--part lambda`,
//! and what measures `--part workers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, While, flush};
use crate::setup;

const FOLDER: &str = "bench/peers";
const LOCK: &str = "bench/peers/Cargo.lock";
const NODE: &str = "bench/peers/node";
const PYTHON: &str = "bench/peers/python";

pub(super) fn http(cx: &Context, rest: &[String]) -> Result<()> {
    build(
        cx,
        "release",
        &["measure", "peer-hyper", "peer-mcpfn", "peer-rmcp-http"],
    )?;
    let node = node(cx)?;
    let python = python(cx)?;
    let release = programs(cx, "release");
    let rust = |name: &str, about: String, program: &str, more: &[&str], variables: Value| {
        let arguments: Vec<&str> = [&["{port}"], more].concat();
        json!({"name": name, "about": about, "program": release.join(program), "arguments": arguments, "variables": variables})
    };
    let locked = |name| locked(cx, LOCK, name);
    let node_version = process::read(node.command().arg("--version"))?;
    let contestants = json!([
        rust("bare hyper", format!("hyper {}; reads the request, answers mcpfn's bytes, no \
            JSON", locked("hyper")?), "peer-hyper", &["{list}", "{call}"], json!({})),
        {
            "name": "mcpfn", "about": "the local host, one tool, release build, log level warn (as \
                the others, it writes nothing for a call)",
            "program": release.join("peer-mcpfn"), "arguments": ["--port", "{port}"], "variables": {"MCPFN_LOG": "warn"},
        },
        rust(
            "hyper with serde_json",
            format!("the same server; reads the request to a `Value`, writes mcpfn's answer from \
                one with serde_json {}", locked("serde_json")?),
            "peer-hyper", &["{list}", "{call}", "json"], json!({}),
        ),
        rust(
            "rmcp",
            format!("rmcp {}, axum {}, release build; sessions off, JSON answers, one router of \
                tools for all requests", locked("rmcp")?, locked("axum")?),
            "peer-rmcp-http", &[], json!({}),
        ),
        {
            "name": "TypeScript SDK",
            "about": format!(
                "@modelcontextprotocol/server {} and node {} on node:http, Node {}; \
                 createMcpHandler, NODE_ENV=production",
                package(cx, NODE, "@modelcontextprotocol/server")?, package(cx, NODE, "@modelcontextprotocol/node")?, node_version.trim(),
            ),
            "program": node.description(), "arguments": [cx.root.join(NODE).join("http.mjs"), "{port}"], "variables": {"NODE_ENV": "production"},
        },
        {
            "name": "Python SDK",
            "about": format!(
                "mcp {} on uvicorn {} with uvloop {} and httptools {}, one worker; stateless_http, \
                 json_response",
                requirement(cx, "mcp")?, requirement(cx, "uvicorn")?, requirement(cx, "uvloop")?, requirement(cx, "httptools")?,
            ),
            "program": python, "arguments": [cx.root.join(PYTHON).join("echo_http.py"), "{port}"], "variables": {},
        },
    ]);
    measure(cx, "http", &contestants, rest)
}

pub(super) fn scale(cx: &Context, rest: &[String]) -> Result<()> {
    build(cx, "release", &["measure", "peer-mcpfn"])?;
    let contestants = json!([{
        "name": "mcpfn", "about": "the local host, release build, log level warn",
        "program": programs(cx, "release").join("peer-mcpfn"), "arguments": ["--port", "{port}"], "variables": {"MCPFN_LOG": "warn"},
    }]);
    measure(cx, "scale", &contestants, rest)
}

/// Those of `--part lambda`, as it takes them: a name, a program, its arguments, and files whose
/// zip is what is deployed.
pub(super) fn lambda(cx: &Context) -> Result<Vec<Value>> {
    build(cx, "lambda", &["peer-rmcp-lambda", "peer-mcpfn-lambda"])?;
    let (node, python) = (node(cx)?, python(cx)?);
    let bundle = bundle(cx, &node)?;
    let packages = process::read(Command::new(&python).args([
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
    ]))?;
    let packages = Path::new(packages.trim());
    let of_python =
        |names: &[&str]| -> Vec<PathBuf> { names.iter().map(|name| packages.join(name)).collect() };
    let rust = programs(cx, "lambda");
    let at_node = |file: &str| cx.root.join(NODE).join(file);
    Ok(vec![
        json!({"name": "mcpfn, one tool, nothing else in \
            it", "program": rust.join("peer-mcpfn-lambda")}),
        json!({
            "name": format!("rmcp {}, axum {}, lambda_http \
                {}", locked(cx, LOCK, "rmcp")?, locked(cx, LOCK, "axum")?, locked(cx, LOCK, "lambda_http")?),
            "program": rust.join("peer-rmcp-lambda"),
        }),
        json!({
            "name": format!("AWS Labs handler {}, awslambdaric \
                {}", requirement(cx, "awslabs.mcp-lambda-handler")?, requirement(cx, "awslambdaric")?),
            "program": python, "arguments": ["-m", "awslambdaric", "echo_lambda.handler"], "variables": {"PYTHONPATH": cx.root.join(PYTHON)},
            // the handler imports boto3; Lambda's runtime for Python has it and the runtime client,
            // so neither is in the zip
            "files": of_python(&["awslabs", "pydantic", "pydantic_core", "annotated_types", "typing_inspection"]).into_iter()
                .chain([packages.join("typing_extensions.py"), cx.root.join(PYTHON).join("echo_lambda.py")]).collect::<Vec<_>>(),
        }),
        json!({
            "name": format!(
                "TypeScript SDK {}, streaming handler, aws-lambda-ric {}",
                package(cx, NODE, "@modelcontextprotocol/server")?, package(cx, NODE, "aws-lambda-ric")?,
            ),
            "program": node.description(),
            "arguments": ["--import", at_node("pure-client.mjs"), at_node("node_modules/aws-lambda-ric/index.mjs")],
            // Lambda's runtime for Node has the runtime client
            "files": [&bundle],
            "variables": {
                "NODE_ENV": "production", "AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1": "true",
                "_HANDLER": "lambda.handler", "LAMBDA_TASK_ROOT": bundle.parent(),
            },
        }),
    ])
}

/// What is deployed of bench/peers/node: the handler and what it imports in one file, as AWS
/// recommends.
fn bundle(cx: &Context, node: &setup::Node) -> Result<PathBuf> {
    let bundle = cx.target.join("peers/node/lambda.mjs");
    let mut esbuild = node.command();
    esbuild.current_dir(cx.root.join(NODE)).args([
        "node_modules/esbuild/bin/esbuild",
        "lambda.mjs",
        "--bundle",
        "--minify",
    ]);
    esbuild
        .args(["--platform=node", "--format=esm", "--log-level=warning"])
        .arg(format!("--outfile={}", bundle.display()));
    process::run(&mut esbuild)?;
    Ok(bundle)
}

/// The load has a core of its own; what it starts goes to the other.
pub(super) fn measure(
    cx: &Context,
    part: &str,
    contestants: &Value,
    rest: &[String],
) -> Result<()> {
    if process::find("taskset").is_none() {
        return Err(Error::new(
            "taskset was not found; this part needs Linux, two cores, and `apt-get install \
             util-linux`",
        ));
    }
    let mut command = Command::new("taskset");
    command
        .args(["-c", "1"])
        .arg(programs(cx, "release").join("measure"))
        .args([part, &contestants.to_string()])
        .args(rest);
    let status = command
        .current_dir(&cx.root)
        .status()
        .while_doing(format_args!("start taskset"))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new(format!(
            "`measure {part}` ended with {status}; what it printed is above"
        )))
    }
}

pub(super) fn build(cx: &Context, profile: &str, programs: &[&str]) -> Result<()> {
    println!(
        "building {} (in bench/peers, profile {profile})",
        programs.join(", ")
    );
    flush();
    let mut cargo = cx.cargo();
    cargo
        .current_dir(cx.root.join(FOLDER))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(cx.target.join("peers"));
    cargo.args(programs.iter().flat_map(|program| ["--bin", program]));
    process::run(&mut cargo)
}

pub(super) fn programs(cx: &Context, profile: &str) -> PathBuf {
    // cargo's own name for it
    let folder = if profile == "dev" { "debug" } else { profile };
    cx.target.join("peers").join(folder)
}

fn node(cx: &Context) -> Result<setup::Node> {
    let node = setup::node(cx)?;
    setup::node_packages(cx, &node, NODE)?;
    Ok(node)
}

fn python(cx: &Context) -> Result<PathBuf> {
    setup::python_packages(
        cx,
        "bench-peers",
        &cx.root.join(PYTHON).join("requirements.txt"),
    )
}

/// The version in a lock file of cargo's.
pub(super) fn locked(cx: &Context, lock: &str, name: &str) -> Result<String> {
    let text = read(cx, lock)?;
    let version = text
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .and_then(|(_, rest)| rest.split('"').next());
    version
        .map(str::to_owned)
        .ok_or_else(|| Error::new(format!("{lock} has no {name}")))
}

/// The version in npm's lock file of a folder.
pub(super) fn package(cx: &Context, folder: &str, name: &str) -> Result<String> {
    let lock: Value = serde_json::from_str(&read(cx, &format!("{folder}/package-lock.json"))?)
        .map_err(|error| Error::new(format!("{folder}/package-lock.json is no JSON: {error}")))?;
    let version = lock["packages"][format!("node_modules/{name}")]["version"].as_str();
    version
        .map(str::to_owned)
        .ok_or_else(|| Error::new(format!("{folder}/package-lock.json has no {name}")))
}

fn requirement(cx: &Context, name: &str) -> Result<String> {
    let text = read(cx, &format!("{PYTHON}/requirements.txt"))?;
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix("=="));
    version
        .map(str::to_owned)
        .ok_or_else(|| Error::new(format!("{PYTHON}/requirements.txt has no {name}")))
}

fn read(cx: &Context, file: &str) -> Result<String> {
    std::fs::read_to_string(cx.root.join(file)).while_doing(format_args!("read {file}"))
}
