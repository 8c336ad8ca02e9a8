//! `bench --part stores`: what the shared table of a function costs, simulated by tests/stores with
//! the real adapters, and with DynamoDB and the time played.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, While};
use crate::workspace;

const ABOUT: &str = "# The shared table of a function, simulated\n\n\
    6,000 calls in two seconds, over so many environments, by one caller or by 100,000. The adapters \
    are those of mcpfn, DynamoDB is played: conditions, units, and the 1,000 write units and 3,000 \
    read units of one item in a second. `served` are admitted calls, or found results; the last row \
    of each group is one write of 900 ms that every environment repeats at the same time.\n\n";

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    if let Some(other) = rest.first() {
        return Err(Error::new(format!(
            "`stores` takes no arguments such as `{other}`"
        )));
    }
    let program = workspace::build_program(cx, "stores")?;
    let table = process::read(Command::new(program).arg("--simulate"))?;
    println!("{table}");
    let folder = cx.root.join("bench/results");
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).while_doing(format_args!("write {}", file.display()))
    };
    let lines: Vec<&str> = table.lines().collect();
    write("stores.json", &format!("{:#}\n", json!({"table": lines})))?;
    write("stores.md", &format!("{ABOUT}{table}"))
}
