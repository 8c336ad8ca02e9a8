//! `bench --part tasks`: what the steps of a task cost over each store, beside a plain call, counted and
//! timed by tests/stores. Nothing of the network is in it: the stores are on this machine.

use std::fs;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::context::Context;
use crate::fixture::{self, Fixture};
use crate::report::{Error, Result, While};
use crate::{setup, stores, worker};

/// How often each step is taken over HTTP, of which the first ones are not counted.
const TIMES: usize = 120;
const WARM: usize = 20;
/// From one look at a task that works to the next.
const PAUSE: Duration = Duration::from_millis(2);

const ABOUT: &str = "# Tasks, step by step\n\n\
    `cargo xtask bench --part tasks`: each step 200 times, in one process, without HTTP and without \
    optimization, over stores on the same machine, which had other work. Reads and writes are requests to the port; units \
    are those of DynamoDB, played by the tests with its rules, and dollars are these units on demand \
    (us-east-1, November 2025) for a million of each step. Times say how the stores compare, not what \
    a deployed function takes: there, the way to the table is most of it.\n\n";

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    if let Some(other) = rest.first() {
        return Err(Error::new(format!(
            "`tasks` takes no arguments such as `{other}`"
        )));
    }
    let (described, mut table) = stores::task_costs(cx)?;
    table += &over_http(cx)?;
    println!("{described}\n\n{table}");
    let folder = cx.root.join("bench/results");
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).while_doing(format_args!("write {}", file.display()))
    };
    let lines: Vec<&str> = table.lines().collect();
    let kept = json!({"stores": described, "table": lines});
    write("tasks.json", &format!("{kept:#}\n"))?;
    write("tasks.md", &format!("{ABOUT}{described}\n\n{table}"))
}

/// The same of whole servers that are asked over HTTP: what Workers have in Durable Objects has no place
/// in another process.
fn over_http(cx: &Context) -> Result<String> {
    let mut table =
        "\nOver HTTP, a connection for each request, and the fixture server of each host:\n\n\
        | server | step | p50, us | p95, us |\n|---|---|---:|---:|\n"
            .to_owned();
    let everything = fixture::build(cx)?;
    let local = Fixture::start(&everything)?;
    table += &rows("local, memory", &local.url)?;
    let (_redis, url) = stores::start_redis(&setup::redis(cx).map_err(Error::new)?)?;
    let mut command = Command::new(&everything);
    command.args(["--port", "0"]).env("MCPFN_REDIS_URL", url);
    let shared = Fixture::start_command(&mut command)?;
    table += &rows("local, Redis", &shared.url)?;
    let workerd = worker::subscribed(cx)?;
    table += &rows("workerd, Durable Objects", &workerd.process.url)?;
    Ok(table)
}

/// Waits while a task is at work.
fn until_still(url: &str, id: &str) -> Result<()> {
    loop {
        let task = stores::ask_with_tasks(url, "tasks/get", id, json!({"taskId": id}))?;
        if task["status"] != "working" {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
}

/// A plain call; then a task that asks: it is begun, asked for, and answered.
fn rows(server: &str, url: &str) -> Result<String> {
    let mut steps = [
        ("plain call", Vec::new()),
        ("a task is begun", Vec::new()),
        ("a poll (`tasks/get`)", Vec::new()),
        ("an answer (`tasks/update`)", Vec::new()),
    ];
    for _ in 0..TIMES {
        let mut step = 0;
        let mut timed = |method: &str, name: &str, params: Value| {
            let start = Instant::now();
            let result = stores::ask_with_tasks(url, method, name, params)?;
            steps[step].1.push(start.elapsed());
            step += 1;
            Ok::<Value, Error>(result)
        };
        let sum = json!({"name": "add", "arguments": {"a": 1, "b": 2}});
        timed("tools/call", "add", sum)?;
        let call = json!({"name": "multi_input", "arguments": {}});
        let task = timed("tools/call", "multi_input", call)?;
        let id = task["taskId"].as_str().unwrap_or_default().to_owned();
        until_still(url, &id)?;
        let asked = timed("tasks/get", &id, json!({"taskId": id}))?;
        let answer = json!({"action": "accept", "content": {"name": "Ada"}});
        let questions = asked["inputRequests"].as_object();
        let keys = questions.into_iter().flat_map(|questions| questions.keys());
        let answers: serde_json::Map<String, Value> =
            keys.map(|key| (key.clone(), answer.clone())).collect();
        let answers = json!({"taskId": id, "inputResponses": answers});
        timed("tasks/update", &id, answers)?;
        // the next plain call is to have no run beside it
        until_still(url, &id)?;
    }
    let lines = steps.map(|(step, mut times)| {
        let mut counted = times.split_off(WARM);
        counted.sort_unstable();
        let at = |part: usize| counted[(counted.len() - 1) * part / 100].as_micros();
        format!("| {server} | {step} | {} | {} |\n", at(50), at(95))
    });
    Ok(lines.concat())
}
