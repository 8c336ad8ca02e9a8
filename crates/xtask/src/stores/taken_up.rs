//! A task whose instance is killed in the middle, or told to end, goes on at its checkpoint on another
//! one, once a client asks for it there.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, STATE_KEY},
    process,
    report::{Error, Result, While},
};

/// A lease is 45 s, and the task takes some more.
const LIMIT: Duration = Duration::from_secs(120);

/// A task that was handed over goes on at once; much less than a lease, and its steps take 3 s.
const HANDED_OVER: Duration = Duration::from_secs(20);

/// Two instances of the fixture server over a store, which `variables` name: one is killed.
pub(super) fn taken_up(program: &Path, variables: &[(&str, &str)]) -> Result<()> {
    goes_on_elsewhere(program, variables, "-KILL", LIMIT)
}

/// One is told to end.
pub(super) fn handed_over(program: &Path, variables: &[(&str, &str)]) -> Result<()> {
    goes_on_elsewhere(program, variables, "-TERM", HANDED_OVER)
}

fn goes_on_elsewhere(
    program: &Path,
    variables: &[(&str, &str)],
    signal: &str,
    within: Duration,
) -> Result<()> {
    let start = || {
        let mut command = Command::new(program);
        command
            .args(["--port", "0"])
            .env("MCPFN_STATE_KEY", STATE_KEY);
        Fixture::start_command(command.envs(variables.iter().copied()))
    };
    let (one, two) = (start()?, start()?);
    let arguments = json!({"to": 8, "step_ms": 500});
    let params = json!({"name": "count_slowly", "arguments": arguments});
    let task = ask(&one.url, "tools/call", "count_slowly", params)?;
    let id = task["taskId"].as_str().unwrap_or_default().to_owned();
    let get = |of: &Fixture| ask(&of.url, "tasks/get", &id, json!({ "taskId": id }));
    // the other one sees it at once, and how it goes on
    let counted = |task: &Value| {
        let message = task["statusMessage"].as_str().unwrap_or_default();
        message
            .split(' ')
            .next()
            .and_then(|count| count.parse::<u32>().ok())
    };
    wait_until(|| Ok(counted(&get(&two)?) >= Some(2)))?;
    process::read(Command::new("kill").args([signal, &one.id().to_string()]))?;
    let ended = Instant::now();
    wait_until(|| Ok(get(&two)?["status"] != "working"))?;
    if ended.elapsed() > within {
        let took = ended.elapsed();
        let sentence = format!("after {signal} the task took {took:?} to its end");
        return Err(Error::new(sentence));
    }
    let ended = get(&two)?;
    let text = ended["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default();
    // at least the second step was kept
    let from = text
        .strip_prefix("counted from ")
        .and_then(|rest| rest.split(' ').next());
    let from = from
        .and_then(|from| from.parse::<u32>().ok())
        .unwrap_or_default();
    match from >= 2 && text.ends_with("to 8") {
        true => Ok(()),
        false => Err(Error::new(format!("the task ended with {ended}"))),
    }
}

fn wait_until(mut happened: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !happened()? {
        if start.elapsed() > LIMIT {
            return Err(Error::new(format!("nothing happened within {LIMIT:?}")));
        }
        thread::sleep(Duration::from_millis(250));
    }
    Ok(())
}

/// A request of a client that can do tasks and be asked, and its result.
pub(crate) fn ask(url: &str, method: &str, name: &str, mut params: Value) -> Result<Value> {
    let capabilities =
        json!({"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}});
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let address = url.trim_start_matches("http://");
    let address: SocketAddr = address
        .split('/')
        .next()
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| Error::new(format!("no address in {url}")))?;
    let request = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n\
         mcp-method: {method}\r\nmcp-name: {name}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).while_doing("connect to an instance")?;
    stream
        .write_all(request.as_bytes())
        .while_doing("ask an instance")?;
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .while_doing("read an answer")?;
    let line = answer.lines().rev().find(|line| line.starts_with('{'));
    let answer: Value = serde_json::from_str(line.unwrap_or_default())
        .map_err(|error| Error::new(format!("{error} in {answer}")))?;
    match answer.get("result") {
        Some(result) => Ok(result.clone()),
        None => Err(Error::new(format!("`{method}` was answered {answer}"))),
    }
}
