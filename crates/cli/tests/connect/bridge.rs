//! The program between: its pipes, a message a line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::PATIENCE;

/// Stopped when dropped.
pub(crate) struct Bridge {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Where a browser is sent.
    addresses: Receiver<String>,
}

impl Bridge {
    /// Before the server at a port.
    pub(crate) fn to(port: u16) -> Self {
        Self::with(port, |_| {})
    }

    /// Before the server at a port, with more arguments or variables.
    pub(crate) fn with(port: u16, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
        command.args(["mcpfn", "connect", &format!("http://127.0.0.1:{port}/mcp")]);
        more(&mut command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the bridge starts");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("a pipe");
        let (line, lines) = channel();
        std::thread::spawn(move || {
            for read in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = line.send(read);
            }
        });
        let remarks = child.stderr.take().expect("a pipe");
        let (address, addresses) = channel();
        std::thread::spawn(move || {
            for read in BufReader::new(remarks).lines().map_while(Result::ok) {
                match read.split_once("browser at: ") {
                    Some((_, place)) => drop(address.send(place.to_owned())),
                    None => eprintln!("{read}"),
                }
            }
        });
        Self {
            child,
            input,
            lines,
            addresses,
        }
    }

    /// Where the browser is sent next.
    pub(crate) fn address(&self) -> String {
        self.addresses.recv_timeout(PATIENCE).expect("a sign-in")
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.write(&format!("{message}\n"));
    }

    pub(crate) fn write(&mut self, text: &str) {
        let input = self.input.as_mut().expect("stdin is open");
        input.write_all(text.as_bytes()).expect("the bridge reads");
    }

    /// The next message from it.
    pub(crate) fn next(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a message");
        serde_json::from_str(&line).expect("a line is a message")
    }

    /// Closes stdin.
    pub(crate) fn close(&mut self) {
        drop(self.input.take());
    }

    /// Closes stdin, and waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.close();
        self.child.wait().expect("the bridge ends")
    }

    /// Whether it said nothing more, once it has ended.
    pub(crate) fn is_silent(&self) -> bool {
        self.lines.recv_timeout(PATIENCE).is_err()
    }

    /// Asks it to end, as clients do before they kill.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill").success());
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
