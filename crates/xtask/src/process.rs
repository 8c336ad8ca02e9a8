//! Starting other programs: loudly, quietly, or reading along. Every failure names the command and
//! what to do.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, ErrorKind},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
};

use crate::report::{Error, Result, While, flush};

/// Runs with the terminal attached; an exit status other than zero is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .status()
        .map_err(|cause| not_started(command, &cause))?;
    ok_status(command, status)
}

/// Runs with the terminal attached and gives every line of standard output to `each` as it passes
/// by.
pub(crate) fn run_reading(command: &mut Command, mut each: impl FnMut(&str)) -> Result<()> {
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| not_started(command, &cause))?;
    let stdout = child
        .stdout
        .take()
        .expect("standard output was asked for as a pipe two lines above");
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.while_doing(format_args!("read what {} prints", name(command)))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        each(&line);
    }
    flush();
    let status = child
        .wait()
        .while_doing(format_args!("wait for {}", name(command)))?;
    ok_status(command, status)
}

/// Runs without showing anything and gives back standard output; on failure the error carries what
/// the tool said.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| not_started(command, &cause))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = if said.trim().is_empty() {
        String::from_utf8_lossy(&output.stdout)
    } else {
        said
    };
    Err(Error::new(format!(
        "{} ended with {} and said:\n{}",
        text(command),
        output.status,
        said.trim_end()
    )))
}

/// The full path of a program on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// PATH with one folder put in front.
pub(crate) fn path_with(folder: &OsStr) -> Result<std::ffi::OsString> {
    let old = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from(folder)).chain(env::split_paths(&old));
    env::join_paths(folders).map_err(|_| {
        Error::new("the tool folder's name has a `:` in it; set MCPFN_TOOLS to one that has none")
    })
}

fn announce(command: &Command) {
    println!("$ {}", text(command));
    flush();
}

fn ok_status(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Error::new(format!(
        "`{}` ended with {status}; what it printed is above",
        text(command)
    )))
}

fn not_started(command: &Command, cause: &std::io::Error) -> Error {
    let name = name(command);
    if cause.kind() == ErrorKind::NotFound {
        return Error::new(format!(
            "`{name}` was not found; install it or put it on PATH"
        ));
    }
    Error::new(format!("`{name}` could not be started: {cause}"))
}

fn name(command: &Command) -> String {
    PathBuf::from(command.get_program())
        .file_name()
        .map_or_else(
            || "the program".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
}

/// The command as a person would type it, without the folders of the program itself.
fn text(command: &Command) -> String {
    let mut text = name(command);
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
