//! `bench --part http` and `--part scale`: builds the contestants of bench/peers, fetches those in
//! other languages as locked, and hands all to what measures. Also the peers of `--part lambda`,
//! and what measures `--part workers`.

mod contestants;
mod places;
mod versions;

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, While, flush};
use crate::setup;
use places::{FOLDER, GO, LOCK, NODE, PYTHON};
use versions::requirement;
pub(super) use versions::{locked, package};

/// What AWS Labs' handler imports.
const HANDLER: [&str; 5] = [
    "awslabs",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_inspection",
];

pub(super) fn http(cx: &Context, rest: &[String]) -> Result<()> {
    build(
        cx,
        "release",
        &[
            "measure",
            "peer-hyper",
            "peer-mcpfn",
            "peer-rmcp-http",
            "peer-tower-mcp",
            "peer-turul",
        ],
    )?;
    let node = node(cx)?;
    let (go, go_version) = go(cx)?;
    let programs = contestants::Programs {
        release: programs(cx, "release"),
        node_version: process::read(node.command().arg("--version"))?,
        node: node.description(),
        python: python(cx)?,
        go,
        go_version,
    };
    measure(cx, "http", &contestants::all(cx, &programs)?, rest)
}

pub(super) fn scale(cx: &Context, rest: &[String]) -> Result<()> {
    build(cx, "release", &["measure", "peer-mcpfn"])?;
    let contestants = json!([{
        "name": "mcpfn", "about": "the local host, release build, log level warn",
        "program": programs(cx, "release").join("peer-mcpfn"), "arguments": ["--port", "{port}"],
        "variables": {"MCPFN_LOG": "warn"},
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
            "name": format!(
                "rmcp {}, axum {}, lambda_http {}",
                locked(cx, LOCK, "rmcp")?, locked(cx, LOCK, "axum")?,
                locked(cx, LOCK, "lambda_http")?,
            ),
            "program": rust.join("peer-rmcp-lambda"),
        }),
        json!({
            "name": format!(
                "AWS Labs handler {}, awslambdaric {}",
                requirement(cx, "awslabs.mcp-lambda-handler")?, requirement(cx, "awslambdaric")?,
            ),
            "program": python, "arguments": ["-m", "awslambdaric", "echo_lambda.handler"],
            "variables": {"PYTHONPATH": cx.root.join(PYTHON)},
            // the handler imports boto3; Lambda's runtime for Python has it and the runtime client,
            // so neither is in the zip
            "files": of_python(&HANDLER).into_iter().chain([
                packages.join("typing_extensions.py"), cx.root.join(PYTHON).join("echo_lambda.py"),
            ]).collect::<Vec<_>>(),
        }),
        json!({
            "name": format!(
                "TypeScript SDK {}, streaming handler, aws-lambda-ric {}",
                package(cx, NODE, "@modelcontextprotocol/server")?,
                package(cx, NODE, "aws-lambda-ric")?,
            ),
            "program": node.description(),
            "arguments": [
                "--import", at_node("pure-client.mjs"),
                at_node("node_modules/aws-lambda-ric/index.mjs"),
            ],
            // Lambda's runtime for Node has the runtime client
            "files": [&bundle],
            "variables": {
                "NODE_ENV": "production",
                "AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1": "true",
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

/// Builds programs, each with nobody else's features: a crate that one contestant asks for with
/// more features would be another crate in all of them.
pub(super) fn build(cx: &Context, profile: &str, programs: &[&str]) -> Result<()> {
    for program in programs {
        println!("building {program} (in bench/peers, profile {profile})");
        flush();
        let mut cargo = cx.cargo();
        cargo
            .current_dir(cx.root.join(FOLDER))
            .args(["build", "--quiet", "--locked", "--profile", profile])
            .args(["--package", package_of(program), "--bin", program])
            .arg("--target-dir")
            .arg(cx.target.join("peers"));
        process::run(&mut cargo)?;
    }
    Ok(())
}

/// Which package of bench/peers a program is in.
fn package_of(program: &str) -> &str {
    match program {
        "peer-rmcp-http" | "peer-rmcp-lambda" => "peer-rmcp",
        program => program,
    }
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

/// Builds the contestant in Go, and says which Go did. It is the one on PATH: none is fetched.
fn go(cx: &Context) -> Result<(PathBuf, String)> {
    let program = process::find(&format!("go{EXE_SUFFIX}")).ok_or_else(|| {
        Error::new(format!(
            "go was not found; {GO} needs the Go that its go.mod names, or a newer one"
        ))
    })?;
    let go = || {
        let mut go = Command::new(&program);
        go.current_dir(cx.root.join(GO))
            .env("GOTOOLCHAIN", "local")
            .env("GOWORK", "off");
        go
    };
    let built = cx.target.join("peers/go/peer-go");
    let mut build = go();
    build
        .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath"])
        .args(["-ldflags=-s -w", "-o"])
        .arg(&built);
    process::run(build.arg("."))?;
    let version = process::read(go().args(["env", "GOVERSION"]))?;
    Ok((built, version.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs that cargo is asked for, as the manifests of bench/peers name them.
    #[test]
    fn every_program_is_asked_of_a_package_that_has_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(FOLDER);
        let manifests = [
            "hyper",
            "mcpfn",
            "mcpfn-lambda",
            "measure",
            "rmcp",
            "tower-mcp",
            "turul",
        ];
        let texts = manifests.map(|name| {
            std::fs::read_to_string(folder.join(name).join("Cargo.toml")).expect("a manifest")
        });
        for program in [
            "measure",
            "peer-hyper",
            "peer-mcpfn",
            "peer-mcpfn-lambda",
            "peer-rmcp-http",
            "peer-rmcp-lambda",
            "peer-tower-mcp",
            "peer-turul",
        ] {
            let name = format!("name = \"{}\"", package_of(program));
            assert!(texts.iter().any(|text| text.contains(&name)), "{program}");
        }
    }
}
