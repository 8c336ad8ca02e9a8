//! Who takes part in `--part http`: each server, how it is started, and what the table says of it,
//! with the versions of the lock files.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::places::{LOCK, NODE, PYTHON};
use super::versions::{locked, module, package, requirement};
use crate::context::Context;
use crate::report::Result;

/// What is built and fetched.
pub(super) struct Programs {
    /// The folder of those in Rust.
    pub(super) release: PathBuf,
    pub(super) node: String,
    pub(super) node_version: String,
    pub(super) python: PathBuf,
    pub(super) go: PathBuf,
    pub(super) go_version: String,
}

/// All of them. The first is the floor of the ratios, and answers what the second does.
pub(super) fn all(cx: &Context, programs: &Programs) -> Result<Value> {
    let mut all = in_rust(cx, &programs.release)?;
    all.extend(in_other_languages(cx, programs)?);
    Ok(all.into())
}

fn in_rust(cx: &Context, release: &Path) -> Result<Vec<Value>> {
    let contestant = |name: &str, about: String, program: &str, arguments: &[&str]| {
        json!({
            "name": name, "about": about, "program": release.join(program),
            "arguments": arguments, "variables": {},
        })
    };
    let locked = |name| locked(cx, LOCK, name);
    let (hyper, axum) = (locked("hyper")?, locked("axum")?);
    let mut mcpfn = contestant(
        "mcpfn",
        "the local host, one tool, release build, log level warn (as the others, it writes \
         nothing for a call)"
            .to_owned(),
        "peer-mcpfn",
        &["--port", "{port}"],
    );
    mcpfn["variables"] = json!({"MCPFN_LOG": "warn"});
    Ok(vec![
        contestant(
            "bare hyper",
            format!("hyper {hyper}; reads the request, answers mcpfn's bytes, no JSON"),
            "peer-hyper",
            &["{port}", "{list}", "{call}"],
        ),
        mcpfn,
        contestant(
            "hyper with serde_json",
            format!(
                "the same server; reads the request to a `Value`, writes mcpfn's answer from one \
                 with serde_json {}",
                locked("serde_json")?
            ),
            "peer-hyper",
            &["{port}", "{list}", "{call}", "json"],
        ),
        contestant(
            "rmcp",
            format!(
                "rmcp {}, axum {axum}, release build; sessions off, JSON answers, one router of \
                 tools for all requests",
                locked("rmcp")?
            ),
            "peer-rmcp-http",
            &["{port}"],
        ),
        contestant(
            "tower-mcp",
            format!(
                "tower-mcp {}, axum {axum}, release build; revision 2026-07-28 only, which has no \
                 sessions; JSON answers, hosts named",
                locked("tower-mcp")?
            ),
            "peer-tower-mcp",
            &["{port}"],
        ),
        contestant(
            "turul",
            format!(
                "turul-mcp-server {} on its own server with hyper {hyper}, release build; \
                 revision 2026-07-28, for which it keeps a session of every request: in memory, \
                 for a minute instead of 30, and more than the 100,000 after which it answers 500",
                locked("turul-mcp-server")?
            ),
            "peer-turul",
            &["{port}"],
        ),
    ])
}

fn in_other_languages(cx: &Context, programs: &Programs) -> Result<Vec<Value>> {
    let python = |name: &str, about: String, script: &str| {
        let script = cx.root.join(PYTHON).join(script);
        json!({
            "name": name, "about": about, "program": programs.python,
            "arguments": [script, "{port}"], "variables": {},
        })
    };
    let package = |name| package(cx, NODE, name);
    let requirement = |name| requirement(cx, name);
    let uvicorn = format!(
        "uvicorn {} with uvloop {} and httptools {}, one worker; stateless_http, json_response",
        requirement("uvicorn")?,
        requirement("uvloop")?,
        requirement("httptools")?,
    );
    Ok(vec![
        json!({
            "name": "Go SDK",
            "about": format!(
                "github.com/modelcontextprotocol/go-sdk {} on net/http, {}; Stateless, \
                 JSONResponse, one server for all requests, CrossOriginProtection in front",
                module(cx, "github.com/modelcontextprotocol/go-sdk")?, programs.go_version,
            ),
            "program": programs.go, "arguments": ["{port}"], "variables": {},
        }),
        json!({
            "name": "TypeScript SDK",
            "about": format!(
                "@modelcontextprotocol/server {} and node {} on node:http, Node {}; \
                 createMcpHandler, NODE_ENV=production",
                package("@modelcontextprotocol/server")?, package("@modelcontextprotocol/node")?,
                programs.node_version.trim(),
            ),
            "program": programs.node,
            "arguments": [cx.root.join(NODE).join("http.mjs"), "{port}"],
            "variables": {"NODE_ENV": "production"},
        }),
        python(
            "Python SDK",
            format!("mcp {} on {uvicorn}", requirement("mcp")?),
            "echo_http.py",
        ),
        python(
            "FastMCP",
            format!(
                "fastmcp {} with mcp {}, its http_app on {uvicorn}",
                requirement("fastmcp")?,
                requirement("mcp")?
            ),
            "fastmcp_http.py",
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contestants() -> Vec<Value> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let cx = Context {
            root: root.clone(),
            tools: root.clone(),
            target: root,
        };
        let programs = Programs {
            release: "release".into(),
            node: "node".to_owned(),
            node_version: "v22.0.0\n".to_owned(),
            python: "python".into(),
            go: "peer-go".into(),
            go_version: "go1.26.0".to_owned(),
        };
        let all = all(&cx, &programs).expect("the lock files name every version");
        all.as_array().expect("an array").clone()
    }

    #[test]
    fn the_first_is_the_floor_and_answers_what_mcpfn_does() {
        let names: Vec<Value> = contestants()
            .iter()
            .map(|one| one["name"].clone())
            .collect();
        assert_eq!(names[..2], ["bare hyper", "mcpfn"]);
        let mut others = names.clone();
        others.sort_by_key(Value::to_string);
        others.dedup();
        assert_eq!(others.len(), names.len(), "{names:?}");
    }

    #[test]
    fn each_is_told_its_port_and_described_in_one_line() {
        for contestant in contestants() {
            let arguments = contestant["arguments"].as_array().expect("arguments");
            assert!(arguments.contains(&"{port}".into()), "{contestant}");
            let about = contestant["about"].as_str().expect("a description");
            assert!(!about.is_empty() && !about.contains('\n'), "{about}");
            assert!(contestant["variables"].is_object() && contestant["program"].is_string());
        }
    }

    #[test]
    fn scripts_are_where_they_are_said_to_be() {
        for contestant in contestants() {
            for argument in contestant["arguments"].as_array().expect("arguments") {
                let argument = argument.as_str().expect("a string");
                let script = argument.ends_with(".mjs") || argument.ends_with(".py");
                assert!(!script || Path::new(argument).is_file(), "{argument}");
            }
        }
    }
}
