//! The local host as a person meets it: the binary `everything` with its pipes, exit codes and
//! signals, and connections that go away. What a message means is in `wire.rs` and `refuse.rs`.

mod cli;
mod encrypted;
mod http;
mod network;
mod piped_events;
mod refused;
mod sockets;
mod stalled;
mod stdio;

use std::sync::mpsc::Sender;
use std::time::Duration;

use mcpfn::prelude::*;
use serde_json::{Value, json};

use crate::support::complete;

fn message(id: u32, method: &str, params: Value) -> String {
    let mut message = json!({"id": id, "method": method, "params": params});
    complete("2026-07-28", &mut message);
    message.to_string()
}

fn call(id: u32, tool: &str, arguments: Value) -> String {
    message(
        id,
        "tools/call",
        json!({"name": tool, "arguments": arguments}),
    )
}

fn ids(output: &str) -> Vec<u64> {
    let read = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| {
            panic!("stdout has a line that is no message ({error}): {line}")
        })
    };
    output
        .lines()
        .map(read)
        .filter_map(|message| message["id"].as_u64())
        .collect()
}

enum Reports {
    None,
    One,
}

/// A tool that says when it starts, waits for a minute, and says when it is dropped.
fn waiting(started: Sender<()>, dropped: Sender<()>, reports: Reports) -> Builder {
    struct Guard(Sender<()>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let report = matches!(reports, Reports::One);
    Server::builder("waiting", "1").tool(
        Tool::new("wait")
            .description("Waits.")
            .timeout(Duration::from_secs(120))
            .handler(move |_: NoArguments, cx: Cx| {
                let (started, dropped) = (started.clone(), dropped.clone());
                async move {
                    let _guard = Guard(dropped);
                    if report {
                        cx.progress(1.0, None, None);
                    }
                    let _ = started.send(());
                    cx.sleep(Duration::from_secs(60)).await;
                    "waited"
                }
            }),
    )
}
