//! The stdio host over a pipe in memory: messages in, messages out. Not the process (that is
//! `process.rs`).

use std::sync::Arc;

use mcpfn::Builder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{complete, time};

/// Speaks to a server of its own, in the revision's manner: with a handshake if it has one. Gives
/// what came back for `messages`, in the order in which it came.
pub(crate) fn exchange(
    server: impl FnOnce() -> Builder,
    revision: &str,
    messages: &[Value],
) -> Vec<Value> {
    let handshake = json!({"jsonrpc": "2.0", "id": "handshake", "method": "initialize", "params": {
        "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}}});
    let mut input = String::new();
    if revision != "2026-07-28" {
        input += &format!("{handshake}\n");
    }
    for message in messages {
        let mut message = message.clone();
        complete(revision, &mut message);
        input += &format!("{message}\n");
    }
    let output = raw(server, input.as_bytes(), 4 * 1024 * 1024);
    let read = |line: &str| {
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("a line is not JSON ({error}): {line}"))
    };
    output
        .lines()
        .map(read)
        .filter(|message: &Value| message["id"] != "handshake")
        .collect()
}

/// Gives bytes to a server, closes its input, and waits for everything it writes.
pub(crate) fn raw(server: impl FnOnce() -> Builder, input: &[u8], max_line: usize) -> String {
    let server = server().build().unwrap_or_else(|error| panic!("{error}"));
    let platform = Arc::new(mcpfn_local::platform(time::keys()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut near_in, far_in) = tokio::io::duplex(64 * 1024);
        let (far_out, mut near_out) = tokio::io::duplex(64 * 1024);
        let served = mcpfn_local::serve_stdio(
            server,
            platform,
            max_line,
            mcpfn::jsonrpc::MAX_VALUES,
            far_in,
            far_out,
            std::future::pending(),
        );
        let talk = async {
            near_in.write_all(input).await.unwrap();
            drop(near_in);
        };
        let mut output = Vec::new();
        let (served, (), read) = tokio::join!(served, talk, near_out.read_to_end(&mut output));
        served.expect("stdio is served to its end");
        read.expect("the output can be read");
        String::from_utf8(output).expect("the output is UTF-8")
    })
}
