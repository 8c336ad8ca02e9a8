//! `dev`: builds and serves the project of this folder, again after each change, on the same port.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::arguments::DevArguments;
use crate::output::{CliError, CliResult, remark};
use crate::tools::{Needs, find, run};

/// How often files are looked at. A look is a few dozen system calls, which works on every file system.
const LOOK: Duration = Duration::from_millis(400);
/// Files that are looked at, at most.
const MOST: usize = 20_000;

pub(crate) fn run_dev(arguments: &DevArguments) -> CliResult {
    if arguments.lambda {
        let mut needs = Needs::default();
        needs.program(
            "cargo-lambda",
            "install it, such as with `pip install cargo-lambda`",
        );
        needs.met()?;
        let mut more = Vec::new();
        if Path::new(".env").is_file() {
            more.extend(["--env-file".to_owned(), ".env".to_owned()]);
        }
        if std::env::var_os(AUTH).is_none() && !says_who_may_call(&read(".env")) {
            more.extend(["--env-var".to_owned(), format!("{AUTH}=none")]);
        }
        run("cargo", &["lambda", "watch"], &more)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.workers {
        let mut more = Vec::new();
        // wrangler reads one of them
        if ![".dev.vars", ".env"]
            .into_iter()
            .any(|file| says_who_may_call(&read(file)))
        {
            more.extend(["--var".to_owned(), format!("{AUTH}:none")]);
        }
        if let Some(port) = arguments.port {
            more.extend(["--port".to_owned(), port.to_string()]);
        }
        if find("wrangler").is_some() {
            run("wrangler", &["dev"], &more)?;
        } else {
            run("npx", &["wrangler@4", "dev"], &more)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    serve(arguments)
}

/// A deployed server has to be told who may call. In development that is whoever reaches this
/// machine's own address, as without these tools, unless the author says otherwise.
const AUTH: &str = "MCPFN_AUTH";

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Whether variables of a file say how callers prove who they are.
fn says_who_may_call(file: &str) -> bool {
    file.lines().any(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let rest = line.strip_prefix(AUTH).unwrap_or_default();
        rest.trim_start().starts_with('=')
    })
}

fn serve(arguments: &DevArguments) -> CliResult {
    if !Path::new("Cargo.toml").is_file() {
        return Err(
            "there is no Cargo.toml here: go to the folder of a project, or make one with \
                    `cargo mcpfn new NAME`"
                .into(),
        );
    }
    let mut running: Option<Running> = None;
    let mut seen = None;
    loop {
        let now = files();
        let ended = running.as_mut().is_some_and(Running::has_ended);
        if ended {
            remark("the server ended; it is started again after the next change");
            running = None;
        }
        if seen.as_ref() != Some(&now) {
            seen = Some(now);
            match build(&arguments.bin) {
                Ok(program) => {
                    // the port is free before the next one takes it
                    drop(running.take());
                    running = Some(Running::start(&program, arguments.port)?);
                }
                Err(failure) => remark(format_args!("{failure}; waiting for a change")),
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// The files that make the server, with their times.
fn files() -> BTreeMap<PathBuf, Option<SystemTime>> {
    let mut found = BTreeMap::new();
    let starts = [
        "src",
        "migrations",
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        ".env",
    ];
    let mut left: Vec<PathBuf> = starts.iter().map(PathBuf::from).collect();
    while let Some(path) = left.pop() {
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| entry.path()));
        } else if found.len() < MOST {
            found.insert(path, metadata.modified().ok());
        }
    }
    found
}

/// Builds, and says where the program is.
fn build(bin: &Option<String>) -> Result<PathBuf, CliError> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--message-format", "json-render-diagnostics"]);
    if let Some(bin) = bin {
        cargo.args(["--bin", bin]);
    }
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo can't be started: {error}"))?;
    if !output.status.success() {
        return Err("it does not build".into());
    }
    let programs = programs(&String::from_utf8_lossy(&output.stdout));
    match programs.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err("the project has no program: it needs src/main.rs".into()),
        _ => Err("the project has several programs: choose one with --bin".into()),
    }
}

/// Programs among what cargo says that it made.
fn programs(said: &str) -> Vec<PathBuf> {
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect()
}

/// Stopped when dropped.
struct Running(Child);

impl Running {
    fn start(program: &Path, port: Option<u16>) -> Result<Self, CliError> {
        let mut command = Command::new(program);
        if let Some(port) = port {
            command.args(["--port", &port.to_string()]);
        }
        if Path::new(".env").is_file() {
            command.args(["--env-file", ".env"]);
        }
        let shown = program.display();
        command
            .stdin(Stdio::null())
            .spawn()
            .map(Self)
            .map_err(|error| format!("{shown} can't be started: {error}").into())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_who_may_call_or_does_not() {
        for (file, says) in [
            ("MCPFN_AUTH=api-key\n", true),
            ("A=1\n export MCPFN_AUTH = \"oauth\"", true),
            ("", false),
            ("# MCPFN_AUTH=none", false),
            ("MCPFN_AUTH_X=1\nX_MCPFN_AUTH=1", false),
            ("A=MCPFN_AUTH=1", false),
        ] {
            assert_eq!(says_who_may_call(file), says, "{file}");
        }
    }

    #[test]
    fn programs_are_what_cargo_made() {
        let said = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nnot json\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/t/debug/weather\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(programs(said), [PathBuf::from("/t/debug/weather")]);
    }
}
