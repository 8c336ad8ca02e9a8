//! What holds for every answer, whatever was asked. The runner checks it after every step, on every
//! host.

use serde_json::Value;

use mcpfn::host::Session;

use super::{Request, Response};

/// What is wrong with an answer.
pub(crate) fn broken(request: &Request, response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    // a handshake that worked has one, which says what was agreed on; nothing else has
    let session = response.header("mcp-session-id");
    let agreed = (response.status == 200)
        .then(|| response.messages().pop())
        .flatten();
    let agreed = agreed.and_then(|message| {
        let version = message.pointer("/result/protocolVersion")?;
        Some(version.as_str()?.to_owned())
    });
    let said = session.map(|token| Session::read(token).map(|said| said.revision.to_string()));
    must(
        said == agreed.map(Some),
        "a session that nothing was agreed on in, or an agreement without one",
    );
    must(
        response.status != 202 || response.body.is_empty(),
        "a 202 has no body",
    );
    must(
        response.status != 405
            || response
                .header("allow")
                .is_some_and(|allow| allow.contains("POST")),
        "a 405 says `Allow: POST`",
    );
    must(response.status != 500, "the server failed");
    if response.is_stream() {
        must(response.status == 200, "a stream is a 200");
        must(
            response.header("x-accel-buffering") == Some("no")
                && response.header("cache-control") == Some("no-store, no-transform"),
            "a proxy may hold the stream back, or compress it, for which it waits",
        );
    } else if !response.body.is_empty() {
        must(
            response.header("content-type") == Some("application/json"),
            "a body is JSON and says so",
        );
    }
    must(
        response.body.is_empty()
            || response
                .header("cache-control")
                .is_some_and(|told| told.starts_with("no-store")),
        "a cache may keep the answer to a POST",
    );
    for message in response.messages() {
        for message in message
            .as_array()
            .map_or_else(|| vec![&message], |items| items.iter().collect())
        {
            found.extend(broken_message(
                message,
                asked_id(request).as_ref(),
                is_modern(request),
            ));
        }
    }
    found
}

/// What is wrong with one message from the server. `asked` is the id of the one request it can be
/// about.
pub(crate) fn broken_message(message: &Value, asked: Option<&Value>, modern: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{what}: {message}"));
        }
    };
    if message.get("jsonrpc").is_none() {
        // /health
        return found;
    }
    must(message["jsonrpc"] == "2.0", "the envelope is JSON-RPC 2.0");
    must(
        message.get("id") != Some(&Value::Null),
        "an id is never null",
    );
    if message.get("method").is_some() {
        must(message.get("id").is_none(), "a server sends no requests");
        return found;
    }
    if let (Some(id), Some(asked)) = (message.get("id"), asked) {
        must(id == asked, "an answer has the id of its request");
    }
    match (message.get("result"), message.get("error")) {
        (Some(result), None) => {
            must(message.get("id").is_some(), "a result has an id");
            must(result.is_object(), "a result is an object");
            if modern {
                must(
                    ["complete", "input_required"]
                        .iter()
                        .any(|kind| result["resultType"] == *kind),
                    "a result says its type",
                );
                must(
                    result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].is_string(),
                    "a result names the server",
                );
                must(
                    result["resultType"] != "input_required" || result.get("ttlMs").is_none(),
                    "a question is not cached",
                );
            } else {
                let unknown = ["resultType", "ttlMs", "cacheScope"]
                    .iter()
                    .any(|member| result.get(member).is_some());
                must(!unknown, "older clients are not sent what is new");
                must(
                    result
                        .pointer("/_meta/io.modelcontextprotocol~1serverInfo")
                        .is_none(),
                    "older clients get no serverInfo in `_meta`",
                );
            }
        }
        (None, Some(error)) => {
            let code = error["code"].as_i64().unwrap_or_default();
            let standard = matches!(code, -32700 | -32603..=-32600 | -32022..=-32020);
            must(
                standard || (!modern && code == -32002),
                "the code is one that the revision defines",
            );
            let text = error["message"].as_str().unwrap_or_default();
            must(!text.is_empty(), "an error says what is wrong");
            must(text.chars().count() < 2000, "an error is short");
            must(
                !text
                    .chars()
                    .any(|character| unfit(character) && character != '\n'),
                "an error repeats no control or invisible characters",
            );
        }
        _ => must(false, "an answer has a result or an error"),
    }
    found
}

/// Characters that can hide or reorder text on a screen, or that a terminal obeys.
pub(crate) fn unfit(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The id that an answer must repeat, where the body has one that may be used.
fn asked_id(request: &Request) -> Option<Value> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    body.get("id")
        .filter(|id| id.is_string() || id.is_i64() || id.is_u64())
        .cloned()
}

/// Whether the request belongs to the revision without handshake.
fn is_modern(request: &Request) -> bool {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    body.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion")
        .is_some()
}
