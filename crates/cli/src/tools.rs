//! Other people's programs: whether they are there, and what they do. Each command is shown as a person
//! would type it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::output::{CliError, remark, say};

/// A program on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let endings: &[&str] = if cfg!(windows) {
        &[".exe", ".cmd", ".bat"]
    } else {
        &[""]
    };
    std::env::split_paths(&path)
        .flat_map(|folder| {
            endings
                .iter()
                .map(move |ending| folder.join(format!("{program}{ending}")))
        })
        .find(|file| file.is_file())
}

/// What has to be there before something is begun; all that is missing is said together.
#[derive(Debug, Default)]
pub(crate) struct Needs(Vec<String>);

impl Needs {
    pub(crate) fn program(&mut self, program: &str, advice: &str) {
        if find(program).is_none() {
            self.0.push(format!("`{program}` is not on PATH: {advice}"));
        }
    }

    pub(crate) fn that(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.0.push(otherwise.into());
        }
    }

    /// # Errors
    /// All that is missing.
    pub(crate) fn met(self) -> Result<(), CliError> {
        match self.0.as_slice() {
            [] => Ok(()),
            [one] => Err(CliError(one.clone())),
            more => Err(CliError(format!("first:\n  - {}", more.join("\n  - ")))),
        }
    }
}

/// Runs a program in this terminal.
pub(crate) fn run(program: &str, arguments: &[&str], more: &[String]) -> Result<(), CliError> {
    let mut command = command(program, arguments, more);
    let status = command.status();
    ended(program, arguments, status.map(|status| status.success()))
}

/// Runs a program, shows what it prints, and keeps it.
pub(crate) fn run_reading(
    program: &str,
    arguments: &[&str],
    more: &[String],
) -> Result<String, CliError> {
    let mut child = command(program, arguments, more)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{program}` can't be started: {error}"))?;
    let mut kept = String::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            say(&line);
            kept.push_str(&line);
            kept.push('\n');
        }
    }
    let done = child.wait().map(|status| status.success());
    ended(program, arguments, done).map(|()| kept)
}

/// What a program prints, quietly.
pub(crate) fn read(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(find(program)?).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn command(program: &str, arguments: &[&str], more: &[String]) -> Command {
    let shown: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(more.iter().map(String::as_str))
        .collect();
    remark(format_args!("$ {program} {}", shown.join(" ")));
    let mut command = Command::new(find(program).unwrap_or_else(|| program.into()));
    command.args(shown);
    command
}

fn ended(program: &str, arguments: &[&str], done: std::io::Result<bool>) -> Result<(), CliError> {
    let shown = format!("{program} {}", arguments.join(" "));
    match done {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("`{shown}` failed; what it said is above").into()),
        Err(error) => Err(format!("`{shown}` can't be started: {error}").into()),
    }
}
