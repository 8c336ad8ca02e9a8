//! `cargo mcpfn dev` on a small project: a change is built and served on the same port, and what does
//! not build takes nobody's server away.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longer than two builds of twenty lines take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says its word to whoever connects, on the port that it is given.
const PROGRAM: &str = r#"use std::io::Write as _;
fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--port");
    let port: u16 = arguments.nth(1).unwrap().parse().unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    println!("serves WORD");
    for stream in listener.incoming() {
        let _ = stream.unwrap().write_all(b"WORD");
    }
}
"#;

/// A project whose server is being developed. All that was started ends with it.
struct Project {
    folder: PathBuf,
    port: u16,
    dev: Child,
    said: Receiver<String>,
}

impl Project {
    fn start(name: &str, word: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mcpfn-dev-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src")).expect("a folder");
        let manifest = "[package]\nname = \"word\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
            [workspace]\n";
        fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
        fs::write(folder.join("src/main.rs"), PROGRAM.replace("WORD", word)).expect("a program");
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut dev = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"))
            .args(["mcpfn", "dev", "--port", &port.to_string()])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // so that the server can be ended with it
            .process_group(0)
            .spawn()
            .expect("it starts");
        let (line, said) = channel();
        follow(dev.stdout.take(), line.clone());
        follow(dev.stderr.take(), line);
        Self {
            folder,
            port,
            dev,
            said,
        }
    }

    /// Replaces a file at once, as editors do.
    fn change(&self, text: &str) {
        let new = self.folder.join("new");
        fs::write(&new, text).expect("a file");
        fs::rename(new, self.folder.join("src/main.rs")).expect("a change");
    }

    /// Waits until something is said that has this in it.
    fn until(&self, part: &str) {
        let mut all = Vec::new();
        loop {
            let line = self.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("nobody said `{part}`: {all:#?}"));
            if line.contains(part) {
                return;
            }
            all.push(line);
        }
    }

    fn word(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let mut word = String::new();
        stream.read_to_string(&mut word).expect("it says a word");
        word
    }
}

fn follow(pipe: Option<impl Read + Send + 'static>, line: Sender<String>) {
    let pipe = pipe.expect("a pipe");
    std::thread::spawn(move || {
        for read in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = line.send(read);
        }
    });
}

impl Drop for Project {
    fn drop(&mut self) {
        let group = format!("-{}", self.dev.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.dev.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_change_is_served_on_the_same_port_and_a_broken_one_is_not() {
    let project = Project::start("change", "one");
    project.until("serves one");
    assert_eq!(project.word(), "one");
    project.change("fn main() { this is no program }");
    project.until("it does not build");
    assert_eq!(project.word(), "one");
    project.change(&PROGRAM.replace("WORD", "two"));
    project.until("serves two");
    assert_eq!(project.word(), "two");
}

#[test]
fn a_server_that_ends_is_started_again_after_a_change() {
    let project = Project::start("ends", "one");
    project.until("serves one");
    project.change("fn main() {}");
    project.until("the server ended");
    project.change(&PROGRAM.replace("WORD", "three"));
    project.until("serves three");
    assert_eq!(project.word(), "three");
}
