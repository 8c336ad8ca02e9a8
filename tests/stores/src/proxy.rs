//! A proxy before an emulator that can play a DynamoDB that is down. It counts connections and
//! requests; what it lets through it does not change.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// It reaches the emulator, and the answer comes back.
    Pass,
    /// It is answered here.
    Answer {
        /// The status.
        status: u16,
        /// The error's name; nothing for an answer that is not DynamoDB's.
        code: &'static str,
        /// What the service says about it.
        message: &'static str,
    },
    /// Nothing, for ever.
    Hang,
    /// It is let through after a while.
    Slow(Duration),
    /// The emulator does what it says, and the connection is reset in the middle of the answer.
    Reset,
    /// The emulator does what it says, and the connection ends without an answer.
    Lost,
}

/// What becomes of the connections that are open, once it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// They are closed.
    Closed,
    /// They are closed when the next request comes.
    ClosedByRequest,
    /// Nothing is answered on them any more, as on a way that has forgotten them.
    Silent,
}

/// A proxy; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    emulator: SocketAddr,
    mode: Mutex<Mode>,
    stale: watch::Sender<(usize, Stale)>,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Proxy {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(emulator: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            emulator,
            mode: Mutex::new(Mode::Pass),
            stale: watch::Sender::new((0, Stale::Closed)),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&accepting);
                // a client that goes away is no concern of ours
                connections.spawn(async move { drop(shared.serve(client).await) });
            }
        });
        Ok(Self {
            address,
            shared,
            _tasks: tasks,
        })
    }

    /// From now on.
    pub fn set(&self, mode: Mode) {
        *self
            .shared
            .mode
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// Makes the connections that are open stale.
    pub fn stale(&self, how: Stale) {
        self.shared.stale.send_modify(|(generation, kind)| {
            *generation += 1;
            *kind = how;
        });
    }

    /// Connections and requests so far.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (
            self.shared.connections.load(Ordering::SeqCst),
            self.shared.requests.load(Ordering::SeqCst),
        )
    }
}

impl Shared {
    async fn serve(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut stale = self.stale.subscribe();
        let born = stale.borrow_and_update().0;
        let mut client = BufReader::new(client);
        let mut emulator = None;
        loop {
            let request = tokio::select! {
                request = message(&mut client) => request?,
                _ = closed(&mut stale, born) => return Ok(()),
            };
            self.requests.fetch_add(1, Ordering::SeqCst);
            let (generation, how) = *stale.borrow();
            if generation != born {
                if how == Stale::Silent {
                    std::future::pending::<()>().await;
                }
                return Ok(());
            }
            let mode = *self.mode.lock().unwrap_or_else(PoisonError::into_inner);
            match mode {
                Mode::Hang => std::future::pending().await,
                Mode::Answer {
                    status,
                    code,
                    message,
                } => client.write_all(&answer(status, code, message)).await?,
                Mode::Pass | Mode::Slow(_) | Mode::Reset | Mode::Lost => {
                    if let Mode::Slow(delay) = mode {
                        sleep(delay).await;
                    }
                    let answer = self.forward(&mut emulator, &request).await?;
                    match mode {
                        Mode::Lost => return Ok(()),
                        Mode::Reset => {
                            client.write_all(&answer[..answer.len() - 1]).await?;
                            return client.get_ref().set_zero_linger();
                        }
                        _ => client.write_all(&answer).await?,
                    }
                }
            }
        }
    }

    async fn forward(
        &self,
        emulator: &mut Option<BufReader<TcpStream>>,
        request: &[u8],
    ) -> io::Result<Vec<u8>> {
        let connected = match emulator {
            Some(connected) => connected,
            None => {
                let stream = TcpStream::connect(self.emulator).await?;
                stream.set_nodelay(true)?;
                emulator.insert(BufReader::new(stream))
            }
        };
        connected.write_all(request).await?;
        message(connected).await
    }
}

/// Until open connections are closed.
async fn closed(stale: &mut watch::Receiver<(usize, Stale)>, born: usize) {
    // the sender lives as long as the proxy
    let _ = stale
        .wait_for(|(generation, how)| *generation != born && *how == Stale::Closed)
        .await;
}

/// A whole HTTP message with a `content-length`, as DynamoDB's all are.
async fn message(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    while !message.ends_with(b"\r\n\r\n") {
        message.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&message).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length: usize =
        length.ok_or_else(|| io::Error::other("a message without a content-length"))?;
    let start = message.len();
    message.resize(start + length, 0);
    stream.read_exact(&mut message[start..]).await?;
    Ok(message)
}

fn answer(status: u16, code: &str, message: &str) -> Vec<u8> {
    let body = if code.is_empty() {
        message.to_owned()
    } else {
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{message}"}}"#)
    };
    let head = format!(
        "HTTP/1.1 {status} Because\r\ncontent-type: \
         application/x-amz-json-1.0\r\nx-amzn-requestid: TEST\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}
