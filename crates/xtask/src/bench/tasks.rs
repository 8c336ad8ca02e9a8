//! `bench --part tasks`: what the steps of a task cost over each store, beside a plain call, counted and
//! timed by tests/stores. Nothing of the network is in it: the stores are on this machine.

use std::fs;

use serde_json::json;

use crate::context::Context;
use crate::report::{Error, Result, While};
use crate::stores;

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
    let (described, table) = stores::task_costs(cx)?;
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
