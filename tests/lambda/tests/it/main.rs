//! The Lambda host on the wire: a bootstrap process, events as AWS writes them, and what comes back
//! through the Runtime API.

mod alarms; // from a failure to its line, its filter and its alarm
mod events; // events that are sent by a function of their own
mod large; // answers near what each trigger takes
mod life; // from the first breath to the last: settings, panics, deadlines, many calls
mod streaming; // answers in pieces, and their ends
mod tasks; // runs of tasks in a function of their own
mod triggers; // every trigger's event, and who calls

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use mcpfn_lambda_emulator::{Bootstrap, Environment, Invocation, Reply};
use serde_json::{Value, json};

/// A function with these variables; nobody has to prove who they are unless these say so.
async fn function(variables: &[(&str, &str)]) -> Environment {
    let mut all = vec![("MCPFN_AUTH", "none"), ("MCPFN_RATE_LIMIT", "none")];
    all.extend_from_slice(variables);
    start(&all).await
}

async fn start(variables: &[(&str, &str)]) -> Environment {
    Environment::start(&Bootstrap::new(
        env!("CARGO_BIN_EXE_everything-lambda"),
        variables,
    ))
    .await
    .unwrap()
}

/// An event as a trigger sends it, from a file.
struct Fixture {
    name: String,
    whoami: String,
    takes_streams: bool,
    /// The most bytes of a buffered answer.
    max_document: usize,
    /// Whether a body in Base64 arrives decoded.
    decodes_base64: bool,
    event: Value,
}

impl Fixture {
    fn named(name: &str) -> Self {
        Self::all()
            .into_iter()
            .find(|fixture| fixture.name == name)
            .unwrap_or_else(|| panic!("no fixture {name}"))
    }

    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/lambda");
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            Self {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                whoami: file["whoami"].as_str().unwrap().to_owned(),
                takes_streams: file["takes_streams"].as_bool().unwrap(),
                max_document: file["max_document"].as_u64().unwrap() as usize,
                decodes_base64: file["decodes_base64"].as_bool().unwrap(),
                event: file["event"].clone(),
            }
        };
        std::fs::read_dir(folder).unwrap().map(read).collect()
    }

    /// The event with a message in it, in Base64 where the event says so.
    fn with(&self, message: &Value) -> Value {
        let mut event = self.event.clone();
        let text = message.to_string();
        let encoded = event["isBase64Encoded"] == true;
        event["body"] = json!(if encoded {
            base64::engine::general_purpose::STANDARD.encode(text)
        } else {
            text
        });
        event
    }
}

/// A call of a tool, with a progress token.
fn call(tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": {"progressToken": "t"}}})
}

/// A call of a tool through a function URL without IAM.
fn through_url(message: &Value) -> Invocation {
    Invocation::new(Fixture::named("url-none").with(message))
}

/// The text that a tool gave.
fn text(reply: &Reply) -> String {
    reply.json()["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text in {reply:?}"))
        .to_owned()
}

/// The log once it says something; what a process wrote may still be in the pipe.
async fn wait_for(function: &Environment, words: &str) -> String {
    for _ in 0..100 {
        let log = function.log().join("\n");
        if log.contains(words) {
            return log;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no `{words}` in {:?}", function.log());
}
