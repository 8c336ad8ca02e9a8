//! `bench --part lambda`: builds the bootstraps one by one, each with nobody else's features, and
//! hands them, and those of others, to what measures.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::peers;
use crate::context::Context;
use crate::process;
use crate::report::{Result, flush};

struct Bootstrap {
    name: &'static str,
    package: &'static str,
    features: &'static str,
    /// Whether it is told of a DynamoDB table, which a start must not notice.
    table: bool,
}

const BOOTSTRAPS: [Bootstrap; 4] = [
    Bootstrap {
        name: "bare lambda_http",
        package: "mcpfn-bench-bare",
        features: "",
        table: false,
    },
    Bootstrap {
        name: "mcpfn, one tool",
        package: "mcpfn-bench-tool",
        features: "",
        table: false,
    },
    Bootstrap {
        name: "mcpfn, one tool, with a table",
        package: "mcpfn-bench-tool",
        features: "",
        table: true,
    },
    Bootstrap {
        name: "mcpfn server, every toolkit in it, with a table",
        package: "mcpfn-server",
        features: "lambda",
        table: true,
    },
];

/// Builds one as it is deployed, with nobody else's features.
pub(super) fn build(cx: &Context, package: &str, features: &str) -> Result<PathBuf> {
    let program = match package {
        "mcpfn-server" => "mcpfn",
        package => package,
    };
    println!("building {program}");
    flush();
    let mut cargo = cx.cargo();
    cargo.args(["build", "--quiet", "--release", "--package", package]);
    process::run(cargo.args(["--bin", program, "--features", features]))?;
    Ok(cx.target.join("release").join(program))
}

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    let mut contestants: Vec<Value> = Vec::new();
    for Bootstrap {
        name,
        package,
        features,
        table,
    } in BOOTSTRAPS
    {
        let built = build(cx, package, features)?;
        // of the server: no demo shop is made, which is data and not start
        let variables = match package {
            "mcpfn-server" => json!({"MCPFN_TOOLKITS": "hello"}),
            _ => json!({}),
        };
        contestants
            .push(json!({"name": name, "program": built, "table": table, "variables": variables}));
    }
    contestants.extend(peers::lambda(cx)?);
    let mut measure = cx.cargo();
    measure.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "mcpfn-bench-lambda",
        "--",
        &Value::from(contestants).to_string(),
    ]);
    process::run(measure.args(rest))
}
