//! The commands that end by themselves: list the tools, call one, make an API key.

use std::process::ExitCode;
use std::sync::Arc;

use mcpfn_core::jsonrpc::{self, Incoming, Message};
use mcpfn_core::{Principal, Revision, Server, host::Envelope, port::Platform};
use mcpfn_native::OsRandom;
use serde_json::{Value, json};

use crate::stdout::say;

/// Lists the tools and what they are for.
pub(crate) fn tools(server: &Server) -> String {
    server
        .tool_summaries()
        .map(|(name, description)| format!("{name}\n    {}\n", description.replace('\n', "\n    ")))
        .collect()
}

/// The key goes to the client, its hash to the server. Neither is kept here.
pub(crate) fn key(name: &str, scopes: Option<&str>) -> Result<ExitCode, String> {
    // they would end the name, or the entry
    if name.contains([':', ';', '\n']) {
        return Err("the name of a key has no colon, semicolon or line end: choose another".into());
    }
    let key = mcpfn_auth::new_key(&OsRandom);
    let scopes = scopes
        .map(|scopes| format!(":{scopes}"))
        .unwrap_or_default();
    let entry = format!("{name}:{}{scopes}", mcpfn_auth::hash_key(&key));
    mcpfn_auth::ApiKey::parse(&entry).map_err(|mistakes| mistakes.join("\n"))?;
    let advice = if scopes.is_empty() {
        "this entry names no scopes, so it grants those of MCPFN_DEFAULT_SCOPES, and without that \
         variable none; name some with --scopes \"catalog:read crm\", or all with --scopes \"*\"\n"
    } else {
        ""
    };
    say(&format!(
        "key, for the client, shown only now:\n  {key}\nentry of MCPFN_API_KEYS, for the server \
         (several are separated by semicolons):\n  {entry}\n{advice}"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Calls a tool as the person at this machine, and prints its result.
pub(crate) async fn call(
    server: &Server,
    platform: &Arc<Platform>,
    tool: &str,
    arguments: &str,
) -> Result<ExitCode, String> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|error| {
        format!(
            "the arguments are not JSON ({error}); write an object such as \
            '{{\"query\":\"headphones\"}}'"
        )
    })?;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": Revision::LATEST.as_str(), "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta}).to_string();
    let request = jsonrpc::write_request("1", "tools/call", params.as_bytes());
    let Ok(Incoming::Single(Message::Request(request))) = jsonrpc::read(&request, usize::MAX)
    else {
        return Err("the call could not be written as a message".to_owned());
    };
    let envelope = Envelope::new(request);
    let call = envelope
        .era(None)
        .and_then(|era| envelope.into_call(era, Principal::local()))
        .map_err(|error| error.to_string())?;
    print_result(&server.reply(call, platform).into_response().await.message)
}

/// Structured content if there is any, else the text blocks.
fn print_result(message: &[u8]) -> Result<ExitCode, String> {
    let message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
    if let Some(error) = message.get("error") {
        return Err(error["message"]
            .as_str()
            .unwrap_or("the call failed")
            .to_owned());
    }
    let result = &message["result"];
    let text = match result.get("structuredContent") {
        Some(structured) => serde_json::to_string_pretty(structured).unwrap_or_default(),
        None => {
            let blocks = result["content"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let texts: Vec<String> = blocks
                .iter()
                .map(|block| {
                    block["text"]
                        .as_str()
                        .map_or_else(|| block.to_string(), str::to_owned)
                })
                .collect();
            texts.join("\n")
        }
    };
    say(&format!("{text}\n"));
    Ok(if result["isError"] == true {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
