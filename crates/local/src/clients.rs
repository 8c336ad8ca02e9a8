//! Configuration of well-known clients, ready to paste. Text only.

use std::fmt::Write as _;

use serde_json::json;

/// What a person pastes where, for a server that runs at `url` and can also be started as
/// `command --stdio`.
pub(crate) fn configuration(name: &str, url: &str, command: &str) -> String {
    let mut out = String::new();
    let mut block = |title: &str, text: &str| {
        // writing to a String can't fail
        let _ = writeln!(out, "\n{title}");
        for line in text.lines() {
            let _ = writeln!(out, "    {line}");
        }
    };
    block(
        "Claude Code",
        &format!("claude mcp add --transport http {name} {url}"),
    );
    block(
        "Claude Desktop (claude_desktop_config.json; starts the server itself)",
        &one_line(&json!({"mcpServers": {name: {"command": command, "args": ["--stdio"]}}})),
    );
    block(
        "Cursor (.cursor/mcp.json)",
        &one_line(&json!({"mcpServers": {name: {"url": url}}})),
    );
    block(
        "VS Code (.vscode/mcp.json)",
        &one_line(&json!({"servers": {name: {"type": "http", "url": url}}})),
    );
    block(
        "MCP Inspector",
        &format!(
            "npx @modelcontextprotocol/inspector --transport http --protocol-era modern \
             --server-url {url}"
        ),
    );
    out
}

fn one_line(value: &serde_json::Value) -> String {
    value.to_string()
}
