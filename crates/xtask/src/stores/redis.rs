//! Redis: the contract and outages, asked by tests/stores, also of a cluster and behind a sentinel,
//! and two processes that share one server.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    counted::counted,
    instances::{Sharing, Started, share},
    taken_up::{handed_over, taken_up},
};
use crate::{
    context::Context,
    fixture,
    report::{Counts, Error, Result, While, checked},
    setup, workspace,
};

/// Those of the tests.
const CERTIFICATES: &str = "crates/sql/tests/tls";

const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let redis = match setup::redis(cx) {
        Ok(redis) => redis,
        Err(why) => {
            println!("\nRedis SKIPPED: {why}");
            return Ok(());
        }
    };
    println!("\n{}", redis.description());
    let program = workspace::build_program(cx, "shared-stores")?;
    // beside the rest, because it waits for most of its time
    let everything = fixture::build(cx)?;
    let (server_of_tasks, url_of_tasks) = start(&redis)?;
    let tasks = thread::spawn(move || {
        let variables = [("MCPFN_REDIS_URL", &*url_of_tasks)];
        let handed = handed_over(&everything, &variables);
        let taken = taken_up(&everything, &variables);
        drop(server_of_tasks);
        [handed, taken]
    });
    let mut command = Command::new(program);
    command.arg("--redis").arg(&redis.path);
    command.arg(cx.root.join(CERTIFICATES));
    counted(redis.environment(&mut command), counts)?;
    groups(cx, &redis, counts)?;
    let (server, url) = start(&redis)?;
    let sharing = Sharing {
        service: "redis",
        variables: &[("MCPFN_REDIS_URL", &url), ("MCPFN_REDIS_TIMEOUT_MS", "500")],
    };
    share(cx, &sharing, server, counts)?;
    let [handed, taken] = tasks
        .join()
        .unwrap_or_else(|_| [0; 2].map(|_| Err(Error::new("it panicked"))));
    checked(
        "a task whose instance was told to end goes on at its checkpoint on another one, at once",
        handed,
        counts,
    )?;
    checked(
        "a task whose instance was killed goes on at its checkpoint on another one",
        taken,
        counts,
    )
}

/// A cluster, and servers behind a sentinel, which keep what they learn of each other in files.
fn groups(cx: &Context, redis: &setup::DebianProgram, counts: &mut Counts) -> Result<()> {
    println!("\na cluster, and a sentinel");
    let folder = cx.target.join("stores/redis-groups");
    if folder.exists() {
        fs::remove_dir_all(&folder).while_doing(format_args!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
    let mut command = Command::new(workspace::build_program(cx, "shared-stores")?);
    command.arg("--redis-groups").arg(&redis.path);
    command.arg(cx.root.join(CERTIFICATES)).arg(&folder);
    counted(redis.environment(&mut command), counts)
}

pub(crate) fn start(redis: &setup::DebianProgram) -> Result<(Started, String)> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .while_doing("find a free port")?;
    let mut command = redis.command();
    command.args(["--bind", "127.0.0.1", "--save", "", "--port"]);
    command.arg(free.port().to_string()).stdout(Stdio::null());
    let server = Started(command.spawn().while_doing("start redis-server")?);
    let start = Instant::now();
    while TcpStream::connect(free).is_err() {
        if start.elapsed() > LIMIT {
            return Err(Error::new("redis-server did not start"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok((server, format!("redis://{free}")))
}
