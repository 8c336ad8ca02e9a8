//! `bench --part events`: what an event costs on Lambda, counted by tests/stores over a table that is
//! played, and how many a process on a machine of one's own sends.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::context::Context;
use crate::postgres::Server;
use crate::report::{Error, Result, While};
use crate::{process, setup, stores, workspace};

const ABOUT: &str = "# Events on Lambda, step by step\n\n\
    `cargo xtask bench --part events`: requests to the DynamoDB table and its units, played by the tests \
    with DynamoDB's rules, and requests to SQS: messages that are sent, received and deleted, ten in \
    each request where so many wait. Dollars are both on demand (us-east-1, November 2025) for a million \
    of each step; an invocation of the function comes on top as for a plain call, one for ten messages. \
    A plain call asks neither the table nor the queue, and with a rate limit one write unit \
    (0.63 USD a million). The event has 200 bytes, and a subscription lasts an hour.\n\n";

const RATES: &str = "\n# Events on machines of one's own, a second\n\n\
    One process without optimization, one thing after the other but for what is sent, which goes on beside what \
    is emitted; the receiver is in the process and answers at once, and the stores are on the same machine, \
    which had other work. A thousand of each.\n\n";

pub(super) fn run(cx: &Context, rest: &[String]) -> Result<()> {
    if let Some(other) = rest.first() {
        return Err(Error::new(format!(
            "`events` takes no arguments such as `{other}`"
        )));
    }
    let program = workspace::build_program(cx, "stores")?;
    let mut table = process::read(Command::new(&program).arg("--event-costs"))?;
    let redis = stores::start_redis(&setup::redis(cx).map_err(Error::new)?)?;
    let programs = setup::postgres(cx).map_err(Error::new)?;
    let postgres = Server::start(&programs, None)?;
    let mut command = Command::new(program);
    command.args(["--event-rates", &redis.1, &postgres.url]);
    table += RATES;
    table += &process::read(&mut command)?;
    println!("{table}");
    let folder = cx.root.join("bench/results");
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).while_doing(format_args!("write {}", file.display()))
    };
    let lines: Vec<&str> = table.lines().collect();
    write("events.json", &format!("{:#}\n", json!({ "table": lines })))?;
    write("events.md", &format!("{ABOUT}{table}"))
}
