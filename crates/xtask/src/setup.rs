//! The tool cache: what the steps need beside cargo. Each part is fetched when it is missing and
//! left alone when it is there; a part is built in a temporary folder and renamed, so an
//! interrupted run leaves nothing half done.

mod cache;
mod cargo_deny;
mod cargo_install;
mod cargo_mutants;
mod chromium;
mod debian;
mod debian_programs;
mod dynamodb;
mod lambda_tools;
mod mdbook;
mod node;
mod postgres;
mod python;
mod s3s;
mod wasm_std;
mod worker_tools;

pub(crate) use cargo_deny::cargo_deny;
pub(crate) use cargo_mutants::cargo_mutants;
pub(crate) use chromium::chromium;
pub(crate) use debian_programs::{DebianProgram, caddy, nginx, redis};
pub(crate) use dynamodb::{dynamodb_local, dynoxide};
pub(crate) use lambda_tools::{LambdaTools, lambda_tools};
pub(crate) use mdbook::mdbook;
pub(crate) use node::{
    BROWSER, CLIENTS, CONFORMANCE, INSPECTOR, Node, WORKER, node, node_packages,
};
pub(crate) use postgres::{pgvector, postgres};
pub(crate) use python::{
    Python, aws_proxy, embedding_model, kubernetes_schemas, moto, python_packages, sam_tools,
};
pub(crate) use s3s::s3s;
pub(crate) use wasm_std::{Panics, TARGET, Toolchain, wasm_toolchain, wasm_toolchain_that};
pub(crate) use worker_tools::{WorkerTools, worker_tools};

use crate::{context::Context, report::Result};

pub(crate) fn everything(cx: &Context) -> Result<()> {
    println!("tool cache: {}", cx.tools.display());
    let toolchain = wasm_toolchain(cx)?;
    println!("wasm standard library: {}", toolchain.description());
    let node = node(cx)?;
    println!("node: {}", node.description());
    for folder in [CONFORMANCE, CLIENTS, WORKER, BROWSER, INSPECTOR] {
        node_packages(cx, &node, folder)?;
        println!("{folder}: packages as locked");
    }
    match chromium(cx, &node) {
        Ok(program) => println!("Chromium: {}", program.display()),
        Err(why) => println!("Chromium SKIPPED: {why}"),
    }
    println!("Workers: {}", worker_tools(cx)?.description());
    println!("cargo-deny: {}", cargo_deny(cx)?.display());
    println!("dynoxide: {}", dynoxide(cx)?.display());
    println!("s3s-fs: {}", s3s(cx)?.display());
    match dynamodb_local(cx) {
        Ok(local) => println!("DynamoDB Local: {}", local.description()),
        Err(why) => println!("DynamoDB Local SKIPPED: {why}"),
    }
    match redis(cx) {
        Ok(program) => println!("Redis: {}", program.description()),
        Err(why) => println!("Redis SKIPPED: {why}"),
    }
    for (name, program) in [("nginx", nginx(cx)), ("Caddy", caddy(cx))] {
        match program {
            Ok(program) => println!("{name}: {}", program.path.display()),
            Err(why) => println!("{name} SKIPPED: {why}"),
        }
    }
    match postgres(cx) {
        Ok(programs) => println!("PostgreSQL: {}", programs.display()),
        Err(why) => println!("PostgreSQL SKIPPED: {why}"),
    }
    match pgvector(cx) {
        Ok(programs) => println!("pgvector: {}", programs.display()),
        Err(why) => println!("pgvector SKIPPED: {why}"),
    }
    println!(
        "SAM command line and cfn-lint: {}",
        sam_tools(cx)?.description()
    );
    println!("moto: {}", moto(cx)?.description());
    println!("mcp-proxy-for-aws: {}", aws_proxy(cx)?.description());
    println!(
        "Kubernetes' schemas: {}",
        kubernetes_schemas(cx)?.description()
    );
    println!("embedding model: {}", embedding_model(cx)?.description());
    Ok(())
}
