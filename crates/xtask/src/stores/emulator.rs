//! A program that plays a service of AWS on this machine: started on a free port, and stopped again.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::report::{Error, Result, While};

const START_LIMIT: Duration = Duration::from_secs(60);

/// As tests/stores signs.
pub(super) const KEY: &str = "hunter1";
pub(super) const SECRET: &str = "hunter2";

/// A running emulator; stopped when dropped.
#[derive(Debug)]
pub(super) struct Emulator {
    pub(super) address: SocketAddr,
    child: Child,
}

impl Emulator {
    pub(super) fn start(log: &Path, command: impl FnOnce(u16) -> Command) -> Result<Self> {
        // free now, and in the moment in which the emulator takes it
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .while_doing("find a free port")?;
        let output = File::create(log).while_doing(format_args!("create {}", log.display()))?;
        let errors = output
            .try_clone()
            .while_doing("share a log between two streams")?;
        let mut command = command(address.port());
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .while_doing("start an emulator")?;
        let mut emulator = Self { address, child };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = emulator
                .child
                .try_wait()
                .while_doing("look after an emulator")?;
            if ended.is_some() || start.elapsed() > START_LIMIT {
                return Err(Error::new(format!(
                    "an emulator did not start; its log is {}",
                    log.display()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(emulator)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
