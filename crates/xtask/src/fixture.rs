//! The fixture server: built, started on a free port, and stopped again. What it serves is decided
//! in tests/.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
    workspace,
};

/// 32 bytes of 7 in Base64: what seals state on every instance of a fixture server.
pub(crate) const STATE_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

const START_LIMIT: Duration = Duration::from_secs(90);
const LOG_LINES: usize = 40;

/// Builds the fixture server and gives back where it is.
pub(crate) fn build(cx: &Context) -> Result<PathBuf> {
    workspace::build_program(cx, "everything")
}

/// A running fixture server; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) url: String,
    child: Child,
    log: Log,
}

/// The last lines the server printed, for the error message when it dies.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Fixture {
    pub(crate) fn start(program: &PathBuf) -> Result<Self> {
        Self::start_command(Command::new(program).args(["--port", "0"]))
    }

    /// Starts any server that prints `listening on URL`.
    pub(crate) fn start_command(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .while_doing("start the fixture server")?;
        let log = Log::default();
        let (found, url) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            follow(stdout, found.clone(), log.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            follow(stderr, found, log.clone());
        }
        // The handle exists before anything can fail, so that the server is stopped in every case.
        let mut fixture = Self {
            url: String::new(),
            child,
            log,
        };
        // An error also means that both streams ended, which is a server that died.
        fixture.url = url.recv_timeout(START_LIMIT).map_err(|_| {
            Error::new(format!(
                "the fixture server printed no `listening on URL`. It printed:\n{}",
                fixture.log.text()
            ))
        })?;
        println!("fixture server: {}", fixture.url);
        Ok(fixture)
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells the server to end, as a service manager does, and waits until it has.
    pub(crate) fn stop(mut self, limit: Duration) -> Result<()> {
        let number = self.child.id().to_string();
        process::read(Command::new("kill").args(["-TERM", &number]))?;
        let start = Instant::now();
        loop {
            let ended = self.child.try_wait().while_doing("wait for a server")?;
            match ended {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    return Err(Error::new(format!(
                        "a server that was told to end ended with {status}. It printed:\n{}",
                        self.log.text()
                    )));
                }
                None if start.elapsed() > limit => {
                    return Err(Error::new(format!(
                        "a server did not end within {limit:?}. It printed:\n{}",
                        self.log.text()
                    )));
                }
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// A suite that talks to a dead server reports strange things; this says what really happened.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self
            .child
            .try_wait()
            .while_doing("look after the fixture server")?
        {
            None => Ok(()),
            Some(status) => Err(Error::new(format!(
                "the fixture server ended with {status}. It printed:\n{}",
                self.log.text()
            ))),
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Log {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            "(nothing)".to_owned()
        } else {
            Vec::from_iter(lines.iter().cloned()).join("\n")
        }
    }
}

/// Reads one stream of the server to its end: a full pipe would stop the server.
fn follow(stream: impl Read + Send + 'static, found: mpsc::Sender<String>, log: Log) {
    thread::spawn(move || {
        for line in BufReader::new(stream)
            .split(b'\n')
            .map_while(std::result::Result::ok)
        {
            let line = String::from_utf8_lossy(&line);
            log.push(line.trim_end());
            if let Some(url) = listening(&line)
                .map(str::to_owned)
                .or_else(|| workerd_listening(&line))
            {
                // Nobody listens any more once the first line was found.
                let _ = found.send(url);
            }
        }
    });
}

fn listening(line: &str) -> Option<&str> {
    let (_, url) = line.split_once("listening on ")?;
    let url = url.split_whitespace().next()?;
    url.starts_with("http://").then_some(url)
}

/// workerd says it in JSON, of every socket; the fixture server's is called `everything`.
fn workerd_listening(line: &str) -> Option<String> {
    let port: u16 = line
        .trim()
        .strip_prefix(r#"{"event":"listen","socket":"everything","port":"#)?
        .strip_suffix('}')?
        .parse()
        .ok()?;
    Some(format!("http://127.0.0.1:{port}/mcp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_wherever_the_line_begins() {
        let url = Some("http://127.0.0.1:40123/mcp");
        assert_eq!(listening("listening on http://127.0.0.1:40123/mcp"), url);
        assert_eq!(
            listening("INFO listening on http://127.0.0.1:40123/mcp (everything)\r"),
            url
        );
        assert_eq!(listening("listening on stdin"), None);
        assert_eq!(listening("starting"), None);
    }

    #[test]
    fn workerd_announces_the_socket_of_the_fixture_server() {
        let line =
            |socket: &str| format!(r#"{{"event":"listen","socket":"{socket}","port":40123}}"#);
        assert_eq!(
            workerd_listening(&line("everything")).as_deref(),
            Some("http://127.0.0.1:40123/mcp")
        );
        assert_eq!(workerd_listening(&line("paged")), None);
    }
}
