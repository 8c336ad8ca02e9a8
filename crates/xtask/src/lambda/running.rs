//! A process of this step: its log in a file, its end never later than a limit, so that whoever
//! waits for it does not wait for ever.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::report::{Error, Result, While};

/// Longest life of a process, and of every request that it leaves unanswered.
const LIFE: Duration = Duration::from_secs(90);
const START_LIMIT: Duration = Duration::from_secs(20);

/// Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Arc<Mutex<Child>>,
    log: PathBuf,
    _alive: mpsc::Sender<()>,
}

impl Running {
    /// Starts it; what it says goes to `<folder>/<name>.log`.
    pub(crate) fn start(command: &mut Command, folder: &Path, name: &str) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).while_doing(format_args!("create {}", log.display()))?;
        let copy = file
            .try_clone()
            .while_doing(format_args!("write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy)
            .spawn()
            .while_doing(format_args!("start {name}"))?;
        let child = Arc::new(Mutex::new(child));
        let (alive, ended) = mpsc::channel::<()>();
        let watched = Arc::clone(&child);
        thread::spawn(move || {
            if ended.recv_timeout(LIFE) == Err(mpsc::RecvTimeoutError::Timeout) {
                stop(&watched);
            }
        });
        Ok(Self {
            child,
            log,
            _alive: alive,
        })
    }

    /// Waits until it listens.
    pub(crate) fn listens(&self, address: SocketAddr) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let exited = self
                .child
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .try_wait();
            if let Some(status) = exited.while_doing("look after a process")? {
                return Err(Error::new(format!(
                    "it ended with {status}; see {}",
                    self.log.display()
                )));
            }
            if begun.elapsed() > START_LIMIT {
                return Err(Error::new(format!(
                    "it does not listen on {address}; see {}",
                    self.log.display()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&self.child);
    }
}

fn stop(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // it may have ended already
    let _ = child.kill();
    let _ = child.wait();
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).while_doing("find a free port")?;
    listener.local_addr().while_doing("find a free port")
}
