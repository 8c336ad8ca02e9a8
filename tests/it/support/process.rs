//! The binary `everything` as a real process: its pipes, its exit, its signals. Waiting is bounded.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longest wait for a process to do anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The binary, with no setting of the surrounding environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everything"));
    command.args(arguments);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MCPFN_"))
    {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A run to the end: its exit code, stdout and stderr.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let mut process = Process::start(command);
    let status = process.wait();
    let stdout = process.stdout.collect_all();
    (status.code(), stdout, process.stderr.collect_all())
}

/// A running process; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let stdout = Lines::of(child.stdout.take().expect("stdout is piped"));
        let stderr = Lines::of(child.stderr.take().expect("stderr is piped"));
        Self {
            stdin: child.stdin.take(),
            child,
            stdout,
            stderr,
        }
    }

    /// Over stdio.
    pub(crate) fn stdio() -> Self {
        Self::start(command(&["--stdio"]).stdin(Stdio::piped()))
    }

    /// Over HTTP on a free port.
    pub(crate) fn http() -> (Self, SocketAddr) {
        Self::http_with(&[])
    }

    /// Over HTTP, with these variables.
    pub(crate) fn http_with(variables: &[(&str, &str)]) -> (Self, SocketAddr) {
        let process = Self::start(command(&["--port", "0"]).envs(variables.iter().copied()));
        let line = process.stdout.find("listening on ");
        let (_, address) = line.split_once("://").expect("a URL is printed");
        // behind it is the path of the endpoint
        let address = address.split('/').next();
        let address = address.and_then(|address| address.parse().ok());
        (process, address.expect("an address is printed"))
    }

    /// Sends a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("`kill` runs");
        assert!(killed.success());
    }

    /// Writes a line.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin
            .write_all(line.as_bytes())
            .and_then(|()| stdin.write_all(b"\n"))
            .and_then(|()| stdin.flush())
            .expect("the process reads its input");
    }

    /// Ends the input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Asks the process to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be asked") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines of a pipe, read by a thread of their own so that waiting can be bounded.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    fn of(pipe: impl std::io::Read + Send + 'static) -> Self {
        let (send, receive) = channel();
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while matches!(pipe.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line)
                    .trim_end_matches('\n')
                    .to_owned();
                line.clear();
                if send.send(text).is_err() {
                    // keeps the pipe from filling up
                    let _ = pipe.read_to_end(&mut line);
                    return;
                }
            }
        });
        Self(receive)
    }

    /// The next line.
    pub(crate) fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("a line comes in time")
    }

    /// The next line that begins so.
    pub(crate) fn find(&self, beginning: &str) -> String {
        loop {
            let line = self.next();
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// The next line that has these words somewhere.
    pub(crate) fn find_with(&self, words: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Everything up to the end of the pipe.
    pub(crate) fn collect_all(&self) -> String {
        let mut all = String::new();
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(line) => {
                    all += &line;
                    all.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => return all,
                Err(RecvTimeoutError::Timeout) => panic!("the pipe stays open; so far: {all}"),
            }
        }
    }
}
