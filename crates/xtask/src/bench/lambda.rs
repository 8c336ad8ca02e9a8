//! `bench --part lambda`: builds the bootstraps one by one, each with nobody else's features, and hands them to what measures.

use std::path::PathBuf;

use crate::context::Context;
use crate::process;
use crate::report::{Result, flush};

/// Package, its features, the program, and the names that it runs under. `+table` runs are told of a DynamoDB table, which a
/// start must not notice.
const BOOTSTRAPS: [(&str, &str, &str, &[&str]); 3] = [
    ("mcpfn-bench-bare", "", "mcpfn-bench-bare", &["bare lambda_http"]),
    ("mcpfn-bench-tool", "", "mcpfn-bench-tool", &["one tool", "one tool+table"]),
    ("mcpfn-server", "lambda", "mcpfn", &["server with every toolkit in it+table"]),
];

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    let mut pairs = Vec::new();
    for (package, features, program, names) in BOOTSTRAPS {
        println!("building {program}");
        flush();
        process::run(cx.cargo().args(["build", "--quiet", "--release", "--package", package, "--bin", program, "--features", features]))?;
        let built: PathBuf = cx.target.join("release").join(program);
        pairs.extend(names.iter().map(|name| format!("{name}={}", built.display())));
    }
    process::run(cx.cargo().args(["run", "--quiet", "--release", "--package", "mcpfn-bench-lambda", "--"]).args(&pairs).args(rest))
}
