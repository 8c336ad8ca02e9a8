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
    /// Starts it with options such as `--maxmemory 1mb`. `{port}` in them is its port.
    pub async fn start(program: &Path, options: &[&str]) -> Self {
        // free now, and in the moment in which the server takes it
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = free.local_addr().expect("a listener has an address");
        drop(free);
        let port = address.port().to_string();
        let mut server = Self {
            program: program.to_owned(),
            options: options
                .iter()
                .map(|option| option.replace("{port}", &port))
                .collect(),
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
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        if !self.options.iter().any(|option| option == "--port") {
            command.args(["--port", &self.address.port().to_string()]);
        }
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
