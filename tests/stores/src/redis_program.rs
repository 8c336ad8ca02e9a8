//! A Redis server of a test's own: a process, on a free port, with what a check needs of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// A password that no error may show.
pub const PASSWORD: &str = "hunter2";

/// A server; it ends when dropped.
#[derive(Debug)]
pub struct RedisProgram {
    program: PathBuf,
    options: Vec<String>,
    /// Where it listens.
    pub address: SocketAddr,
    child: Option<Child>,
}

impl RedisProgram {
    /// Starts it with options such as `--maxmemory 1mb`. `{port}` in them is its port, and `{next}`
    /// another one that is its own.
    pub async fn start(program: &Path, options: &[&str]) -> Self {
        let address = free_port();
        let mut all = vec!["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        if !options.contains(&"--port") {
            all.extend(["--port", "{port}"]);
        }
        all.extend(options);
        Self::start_at(program, address, &all).await
    }

    /// Starts a sentinel with the lines of its file, in which `{next}` is another port that is its
    /// own. It writes what it learns into the file, in this folder.
    pub async fn sentinel(program: &Path, folder: &Path, lines: &str) -> Self {
        let address = free_port();
        let port = address.port().to_string();
        let file = folder.join(format!("sentinel-{port}.conf"));
        let lines = lines.replace("{next}", &(address.port() + 1).to_string());
        let text = format!("bind 127.0.0.1\nport {port}\n{lines}\n");
        std::fs::write(&file, text).expect("the folder can be written to");
        let file = file.display().to_string();
        Self::start_at(program, address, &[&file, "--sentinel"]).await
    }

    async fn start_at(program: &Path, address: SocketAddr, options: &[&str]) -> Self {
        let port = address.port().to_string();
        let next = (address.port() + 1).to_string();
        let options = options.iter().map(|option| {
            let option = option.replace("{port}", &port);
            option.replace("{next}", &next)
        });
        let mut server = Self {
            program: program.to_owned(),
            options: options.collect(),
            address,
            child: None,
        };
        server.again().await;
        server
    }

    /// Starts it once more, at its address, with nothing of what it knew.
    pub async fn again(&mut self) {
        self.kill().await;
        let mut command = Command::new(&self.program);
        command.args(&self.options).stdin(Stdio::null());
        command.stdout(Stdio::null()).kill_on_drop(true);
        self.child = Some(command.spawn().expect("redis-server starts"));
        for _ in 0..500 {
            if TcpStream::connect(self.address).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("redis-server did not listen within 10 s");
    }

    /// Ends it at once.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // it may have ended already
            drop(child.kill().await);
        }
    }

    /// A connection that may do anything.
    pub async fn admin(&self) -> redis::aio::MultiplexedConnection {
        let url = format!("redis://{}", self.address);
        let client = redis::Client::open(url).expect("an address is a URL");
        let connection = client.get_multiplexed_async_connection();
        connection.await.expect("the server listens")
    }
}

/// Free now, with the next one, and in the moment in which a server takes them. The port of the bus
/// between the nodes of a cluster is 10,000 above.
fn free_port() -> SocketAddr {
    let mut held = Vec::new();
    loop {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = free.local_addr().expect("a listener has an address");
        if address.port() < u16::MAX - 10_001
            && TcpListener::bind((Ipv4Addr::LOCALHOST, address.port() + 1)).is_ok()
        {
            return address;
        }
        // it would be given again
        held.push(free);
    }
}
