//! The step `stores`: the contract of the shared stores against DynamoDB emulators, and what a call
//! costs when DynamoDB is down; the contract of files against emulators of S3, and the program
//! `mcpfn` on one. What the stores are asked is in tests/stores; memory and directories are asked
//! by `unit`.

mod emulator;
mod server;

use std::{fs, path::Path, process::Command};

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While},
    setup, workspace,
};
use emulator::{Emulator, KEY, SECRET};

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let program = workspace::build_program(cx, "stores")?;
    let logs = cx.target.join("stores");
    fs::create_dir_all(&logs).while_doing(format_args!("create {}", logs.display()))?;

    files(cx, &program, &logs, counts)?;

    let dynoxide = setup::dynoxide(cx)?;
    let emulator = Emulator::start(&logs.join("dynoxide.log"), |port| {
        let mut command = Command::new(dynoxide);
        command.args(["serve", "--log", "quiet", "--port", &port.to_string()]);
        command
    })?;
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
    let mut counted = None;
    let result = process::run_reading(&mut command, |line| counted = sums(line).or(counted));
    if let Some(more) = counted {
        counts.passed += more.passed;
        counts.failed += more.failed;
    }
    result?;
    counted
        .map(drop)
        .ok_or_else(|| Error::new("the store tests ended without saying how many passed"))
}

/// Reads `12 passed, 0 failed`.
fn sums(line: &str) -> Option<Counts> {
    let (passed, failed) = line.split_once(" passed, ")?;
    Some(Counts {
        passed: passed.parse().ok()?,
        failed: failed.strip_suffix(" failed")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_the_line_that_is_nothing_else() {
        assert_eq!(
            sums("12 passed, 1 failed"),
            Some(Counts {
                passed: 12,
                failed: 1
            })
        );
        assert_eq!(sums("ok 12 passed, 0 failed"), None);
        assert_eq!(sums("12 passed, none failed"), None);
    }
}
