//! Servers to be measured: how they are started, on one core of their own, and what the system
//! knows of them. Linux only.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::load::Connection;
use crate::processor::{self, Ticks};

/// The core of the servers. Load comes from another.
const CORE: &str = "0";
/// How long a server may take until it accepts connections.
const START: Duration = Duration::from_secs(30);

pub(crate) struct Contestant {
    pub(crate) name: String,
    /// What it is and how it is set up, with versions.
    pub(crate) about: String,
    program: String,
    /// `{port}`, `{list}` and `{call}` stand for the port and two files with answers.
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    /// All that was said of it, for what only one part knows.
    pub(crate) more: Value,
}

/// `[{"name": .., "about": .., "program": .., "arguments": [..], "variables": {..}}, ..]`
pub(crate) fn parse(json: &str) -> Vec<Contestant> {
    let all: Vec<Value> = serde_json::from_str(json).expect("contestants are a JSON array");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let one = |value: &Value| Contestant {
        name: text(&value["name"]),
        about: text(&value["about"]),
        program: text(&value["program"]),
        arguments: value["arguments"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect(),
        variables: value["variables"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        more: value.clone(),
    };
    all.iter().map(one).collect()
}

/// A running server. It ends with this value.
pub(crate) struct Running {
    process: Child,
    pub(crate) port: u16,
    /// From its start to the first connection.
    pub(crate) start: Duration,
}

impl Contestant {
    /// Starts it with `more` variables; `answers` is the folder of the two files.
    pub(crate) async fn start(&self, more: &[(&str, &str)], answers: &Path) -> Running {
        // the system gives a port that is free now; nobody else is asking here
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let file = |name: &str| answers.join(name).display().to_string();
        let filled = self.arguments.iter().map(|argument| {
            argument
                .replace("{port}", &port.to_string())
                .replace("{list}", &file("list"))
                .replace("{call}", &file("call"))
        });
        let mut command = Command::new("taskset");
        command
            .args(["-c", CORE, &self.program])
            .args(filled)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied());
        let begun = Instant::now();
        let process = command.spawn().unwrap_or_else(|error| {
            panic!(
                "taskset can't start {}: \
            {error}",
                self.program
            )
        });
        while Connection::open(port).await.is_err() {
            assert!(
                begun.elapsed() < START,
                "{} did not listen within {START:?}",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Running {
            process,
            port,
            start: begun.elapsed(),
        }
    }
}

impl Running {
    pub(crate) async fn connections(&self, count: usize) -> Vec<Connection> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(
                Connection::open(self.port)
                    .await
                    .expect("the server accepts"),
            );
        }
        connections
    }

    /// `VmRSS` or `VmHWM`, in KiB. taskset becomes the server, so its id is the server's.
    pub(crate) fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))
            .expect("the server runs, on Linux");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap_or_default();
        line.trim_start_matches(':')
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default()
    }

    /// Time on the processor so far, of all its threads.
    pub(crate) fn processor_time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id()))
            .expect("the server runs, on Linux");
        let nanoseconds = tasks.flatten().filter_map(|task| {
            let schedstat = fs::read_to_string(task.path().join("schedstat")).ok()?;
            schedstat.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// The same with programs that it started, in programs and in the kernel; coarser.
    pub(crate) fn ticks(&self) -> Ticks {
        processor::used(self.process.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
