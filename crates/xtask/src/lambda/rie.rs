//! The bootstrap under the official runtime interface emulator, as it comes with the SAM command
//! line: what a panic, a deadline, a timeout, an exit and a kill cost, and that the next call is
//! served in every case. It does not stream.

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    http,
    running::{Running, free_address},
};
use crate::{
    process,
    report::{Counts, Error, Result, checked},
    setup::LambdaTools,
};

const PATH: &str = "/2015-03-31/functions/function/invocations";
/// The function's timeout in seconds, and what no answer takes longer than.
const TIMEOUT: &str = "2";
const PATIENCE: Duration = Duration::from_secs(10);

struct Rie {
    address: SocketAddr,
    _process: Running,
}

pub(crate) fn run(
    tools: &LambdaTools,
    bootstrap: &Path,
    out: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let rie = Rie::start(tools, bootstrap, out, "rie", &[("MCPFN_AUTH", "none")])?;
    let first = checked("a call is answered", rie.process(), counts)?;
    process_stays(&rie, &first, counts)?;
    process_is_replaced(&rie, &first, counts)?;
    drop(rie);

    let rie = Rie::start(tools, bootstrap, out, "rie-without-settings", &[])?;
    let refused = rie
        .invoke(&event("process", &json!({})))
        .and_then(|(_, answer)| says(&answer, "MCPFN_AUTH is not set"));
    checked("a start that fails says why", refused, counts)
}

/// What ends one call only.
fn process_stays(rie: &Rie, first: &str, counts: &mut Counts) -> Result<()> {
    let answers_on = |counts: &mut Counts| {
        let process = rie.process().and_then(|process| same(first, &process));
        checked("and the same process answers on", process, counts)
    };
    let panicked = rie
        .tool("test_panic", &json!({}))
        .and_then(|text| says(&text, "internal error"));
    checked("a panic is an answer", panicked, counts)?;
    answers_on(counts)?;

    let refused = rie
        .invoke("{}")
        .and_then(|(_, error)| says(&error["errorMessage"], "function URL"));
    checked(
        "what is no HTTP event is an error with advice",
        refused,
        counts,
    )?;
    answers_on(counts)?;

    let begun = Instant::now();
    let late = rie
        .tool("count", &json!({"to": 100}))
        .and_then(|text| says(&text, "did not finish"));
    checked(
        "a call is ended by our deadline, with a sentence",
        late,
        counts,
    )?;
    let took = begun.elapsed();
    let early = if took < Duration::from_secs(2) {
        Ok(())
    } else {
        Err(Error::new(format!("it took {took:?}")))
    };
    checked("before the platform's", early, counts)?;
    answers_on(counts)
}

/// What ends the process as well.
fn process_is_replaced(rie: &Rie, first: &str, counts: &mut Counts) -> Result<()> {
    let replaced = |old: &str, counts: &mut Counts| {
        let process = rie.process().and_then(|process| other(old, process));
        checked("and a new process answers", process, counts)
    };
    let blocked = rie
        .invoke(&event("block", &json!({})))
        .and_then(|(_, answer)| says(&answer, "timed out after 2.00 seconds"));
    checked(
        "a tool that holds the thread is ended by the platform's timeout",
        blocked,
        counts,
    )?;
    let second = replaced(first, counts)?;

    let left = rie
        .invoke(&event("leave", &json!({})))
        .and_then(|answer| exit_error(&answer));
    checked("a process that ends is a 502", left, counts)?;
    let third = replaced(&second, counts)?;

    process::read(Command::new("kill").args(["-KILL", &third]))?;
    let killed = rie
        .invoke(&event("process", &json!({})))
        .and_then(|answer| exit_error(&answer));
    checked("a process that was killed is a 502", killed, counts)?;
    replaced(&third, counts).map(drop)
}

impl Rie {
    fn start(
        tools: &LambdaTools,
        bootstrap: &Path,
        out: &Path,
        name: &str,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let (address, api) = (free_address()?, free_address()?);
        let mut command = Command::new(&tools.emulator);
        command.args([
            "--runtime-interface-emulator-address",
            &address.to_string(),
            "--runtime-api-address",
            &api.to_string(),
        ]);
        command
            .arg(bootstrap)
            .env_clear()
            .envs(variables.iter().copied());
        command
            .env("AWS_LAMBDA_FUNCTION_NAME", "everything")
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", TIMEOUT);
        let process = Running::start(&mut command, out, name)?;
        process.listens(address)?;
        Ok(Self {
            address,
            _process: process,
        })
    }

    fn invoke(&self, event: &str) -> Result<(u16, Value)> {
        let answer = http::post(self.address, PATH, event, PATIENCE)?;
        Ok((answer.status, answer.body()))
    }

    /// The text that a tool gave.
    fn tool(&self, name: &str, arguments: &Value) -> Result<Value> {
        let (_, document) = self.invoke(&event(name, arguments))?;
        let body = document["body"].as_str().unwrap_or_default();
        // of an event stream, the last event
        let last = body
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "))
            .unwrap_or(body);
        let mut answer: Value = serde_json::from_str(last)
            .map_err(|_| Error::new(format!("no answer of a tool: {document}")))?;
        Ok(answer["result"]["content"][0]["text"].take())
    }

    /// Which process answers.
    fn process(&self) -> Result<String> {
        let text = self.tool("process", &json!({}))?;
        text.as_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::new(format!("no process, but {text}")))
    }
}

fn event(tool: &str, arguments: &Value) -> String {
    json!({
        "version": "2.0",
        "rawPath": "/mcp",
        "headers": {"content-type": "application/json", "accept": "application/json, \
            text/event-stream"},
        "requestContext": {"domainName": "abc123.lambda-url.eu-west-1.on.aws", "http": {"method": "POST", "path": "/mcp"}, "stage": "$default"},
        "body": http::call(tool, arguments).to_string(),
        "isBase64Encoded": false,
    })
    .to_string()
}

fn says(answer: &Value, words: &str) -> Result<()> {
    if answer.to_string().contains(words) {
        Ok(())
    } else {
        Err(Error::new(format!("no `{words}` in {answer}")))
    }
}

fn same(old: &str, new: &str) -> Result<()> {
    if old == new {
        Ok(())
    } else {
        Err(Error::new(format!("process {old} was replaced by {new}")))
    }
}

fn other(old: &str, new: String) -> Result<String> {
    if old == new {
        Err(Error::new(format!("process {old} answers still")))
    } else {
        Ok(new)
    }
}

fn exit_error((status, answer): &(u16, Value)) -> Result<()> {
    if *status == 502 && answer["errorType"] == "Runtime.ExitError" {
        Ok(())
    } else {
        Err(Error::new(format!("status {status}: {answer}")))
    }
}
