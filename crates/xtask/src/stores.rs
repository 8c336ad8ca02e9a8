//! The step `stores`: the contract of the shared stores against DynamoDB emulators, and what a call
//! costs when DynamoDB is down; the contract of files against emulators of S3, and the program
//! `mcpfn` on one. What the stores are asked is in tests/stores; memory and directories are asked
//! by `unit`.

mod server;

use std::{
    env::consts::EXE_SUFFIX,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While},
    setup,
};

const START_LIMIT: Duration = Duration::from_secs(60);

/// As tests/stores signs.
const KEY: &str = "hunter1";
const SECRET: &str = "hunter2";

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    process::run(
        cx.cargo()
            .args(["build", "-p", "mcpfn-store-tests", "--bin", "stores"]),
    )?;
    let program = cx.target.join("debug").join(format!("stores{EXE_SUFFIX}"));
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

/// A running emulator; stopped when dropped.
#[derive(Debug)]
struct Emulator {
    address: SocketAddr,
    child: Child,
}

impl Emulator {
    fn start(log: &Path, command: impl FnOnce(u16) -> Command) -> Result<Self> {
        // free now, and in the moment in which the emulator takes it
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .while_doing("find a free port")?;
        let output = File::create(log).while_doing(format_args!("create {}", log.display()))?;
        let errors = output
            .try_clone()
            .while_doing("share a log between two streams")?;
        let mut command = command(address.port());
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .while_doing("start an emulator")?;
        let mut emulator = Self { address, child };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = emulator
                .child
                .try_wait()
                .while_doing("look after an emulator")?;
            if ended.is_some() || start.elapsed() > START_LIMIT {
                return Err(Error::new(format!(
                    "an emulator did not start; its log is {}",
                    log.display()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(emulator)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
