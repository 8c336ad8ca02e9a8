//! The step `stores`: the contract of the shared stores against DynamoDB emulators, Redis and PostgreSQL, and
//! what a call costs when these are down; the contract of files against emulators of S3, and the program
//! `mcpfn` on one. What the stores are asked is in tests/stores; memory and directories are asked
//! by `unit`.

mod counted;
mod emulator;
mod instances;
mod postgres;
mod redis;
mod server;
mod taken_up;

use std::{fs, path::Path, process::Command};

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While},
    setup, workspace,
};
use counted::counted;
use emulator::{Emulator, KEY, SECRET};
pub(crate) use redis::start as start_redis;
pub(crate) use taken_up::ask as ask_with_tasks;

/// Which services are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    All,
    Dynamodb,
    Postgres,
    Redis,
    S3,
}

impl Options {
    pub(crate) fn parse(rest: &[String]) -> Result<Self> {
        match rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Ok(Self::All),
            ["--service", "dynamodb"] => Ok(Self::Dynamodb),
            ["--service", "postgres"] => Ok(Self::Postgres),
            ["--service", "redis"] => Ok(Self::Redis),
            ["--service", "s3"] => Ok(Self::S3),
            _ => Err(Error::new(
                "`stores` takes --service dynamodb, postgres, redis or s3, or nothing; see `cargo xtask help`",
            )),
        }
    }
}

pub(crate) fn step(cx: &Context, counts: &mut Counts) -> Result<()> {
    run(cx, Options::All, counts)
}

pub(crate) fn run(cx: &Context, options: Options, counts: &mut Counts) -> Result<()> {
    let asked = |service| [service, Options::All].contains(&options);
    let logs = cx.target.join("stores");
    fs::create_dir_all(&logs).while_doing(format_args!("create {}", logs.display()))?;
    if asked(Options::S3) {
        files(cx, &workspace::build_program(cx, "stores")?, &logs, counts)?;
    }
    if asked(Options::Redis) {
        redis::run(cx, counts)?;
    }
    if asked(Options::Postgres) {
        postgres::run(cx, counts)?;
    }
    if asked(Options::Dynamodb) {
        dynamodb(cx, &logs, counts)?;
    }
    Ok(())
}

/// A table of a function, on an emulator.
#[derive(Debug)]
pub(crate) struct Table(Emulator);

impl Table {
    pub(crate) fn start(cx: &Context) -> Result<Self> {
        let program = workspace::build_program(cx, "stores")?;
        let emulator = dynoxide(cx, &cx.target.join("stores"))?;
        let address = emulator.address.to_string();
        process::run(Command::new(program).args(["--create", &address, Self::NAME]))?;
        Ok(Self(emulator))
    }

    const NAME: &str = "mcpfn";

    /// By which a function finds it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("MCPFN_DYNAMODB_TABLE", Self::NAME.to_owned()),
            (
                "AWS_ENDPOINT_URL_DYNAMODB",
                format!("http://{}", self.0.address),
            ),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }
}

/// What the steps of a task cost, as a table, and over which stores.
pub(crate) fn task_costs(cx: &Context) -> Result<(String, String)> {
    let logs = cx.target.join("stores");
    fs::create_dir_all(&logs).while_doing(format_args!("create {}", logs.display()))?;
    let program = workspace::build_program(cx, "stores")?;
    let mut described = Vec::new();
    let emulator = match setup::dynamodb_local(cx) {
        Ok(local) => {
            described.push("DynamoDB Local".to_owned());
            Emulator::start(&logs.join("dynamodb-local.log"), |port| local.command(port))?
        }
        Err(why) => {
            println!("DynamoDB Local SKIPPED: {why}");
            described.push("dynoxide in place of DynamoDB".to_owned());
            dynoxide(cx, &logs)?
        }
    };
    let redis = match setup::redis(cx) {
        Ok(redis) => {
            described.push("Redis".to_owned());
            Some(redis::start(&redis)?)
        }
        Err(why) => {
            println!("Redis SKIPPED: {why}");
            None
        }
    };
    let url = redis.as_ref().map_or("-", |(_, url)| url);
    let mut command = Command::new(program);
    command.args(["--task-costs", &emulator.address.to_string(), url]);
    let described = format!("Stores: memory, {}.", described.join(", "));
    Ok((described, process::read(&mut command)?))
}

fn dynoxide(cx: &Context, logs: &Path) -> Result<Emulator> {
    fs::create_dir_all(logs).while_doing(format_args!("create {}", logs.display()))?;
    let dynoxide = setup::dynoxide(cx)?;
    Emulator::start(&logs.join("dynoxide.log"), |port| {
        let mut command = Command::new(dynoxide);
        command.args(["serve", "--log", "quiet", "--port", &port.to_string()]);
        command
    })
}

fn dynamodb(cx: &Context, logs: &Path, counts: &mut Counts) -> Result<()> {
    let program = workspace::build_program(cx, "stores")?;
    let emulator = dynoxide(cx, logs)?;
    println!("\ndynoxide");
    ask(&program, "--dynamodb", &emulator, &["--outages"], counts)?;

    match setup::dynamodb_local(cx) {
        Ok(local) => {
            let emulator =
                Emulator::start(&logs.join("dynamodb-local.log"), |port| local.command(port))?;
            println!("\n{}", local.description());
            ask(&program, "--dynamodb", &emulator, &[], counts)
        }
        Err(why) => {
            println!("\nDynamoDB Local SKIPPED: {why}");
            Ok(())
        }
    }
}

/// One emulator that checks signatures, and one that encodes keys.
fn files(cx: &Context, program: &Path, logs: &Path, counts: &mut Counts) -> Result<()> {
    let s3s = setup::s3s(cx)?;
    let folder = logs.join("s3s-files");
    if folder.exists() {
        fs::remove_dir_all(&folder).while_doing(format_args!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
    let emulator = Emulator::start(&logs.join("s3s-fs.log"), |port| {
        let mut command = Command::new(s3s);
        command.args([
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--access-key",
            KEY,
            "--secret-key",
            SECRET,
        ]);
        command.arg(&folder);
        command
    })?;
    println!("\ns3s-fs");
    ask(program, "--s3", &emulator, &["s3s-fs"], counts)?;
    server::ask(cx, emulator.address, &folder, counts)?;

    let mut moto = setup::moto(cx)?.module("moto.server")?;
    let emulator = Emulator::start(&logs.join("moto.log"), |port| {
        moto.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        moto
    })?;
    println!("\nmoto");
    ask(program, "--s3", &emulator, &["moto"], counts)
}

fn ask(
    program: &Path,
    what: &str,
    emulator: &Emulator,
    options: &[&str],
    counts: &mut Counts,
) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args([what, &emulator.address.to_string()])
        .args(options);
    counted(&mut command, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_none_is_a_mistake() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Options::parse(&words).ok()
        };
        assert_eq!(parse(&[]), Some(Options::All));
        assert_eq!(parse(&["--service", "redis"]), Some(Options::Redis));
        for wrong in [&["--service"][..], &["redis"], &["--service", "mysql"]] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
