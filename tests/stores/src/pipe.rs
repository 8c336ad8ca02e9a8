//! A proxy of bytes before a server of any protocol, which plays outages: a server that is silent,
//! slow or gone, and answers that are lost. It counts connections, and does not know what it
//! carries.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// They reach the other side.
    Pass,
    /// Nothing is answered any more; connections stay open, and new ones are taken.
    Silent,
    /// Answers come so much later.
    Slow(Duration),
    /// The server does what it is told, and the connection ends in the place of an answer.
    Lost,
    /// Connections end, and new ones as well.
    Cut,
}

/// A proxy; it ends when dropped.
#[derive(Debug)]
pub struct Pipe {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    flow: watch::Sender<Flow>,
    /// How often all connections were cut.
    cuts: watch::Sender<u64>,
    connections: AtomicUsize,
}

impl Pipe {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            flow: watch::Sender::new(Flow::Pass),
            cuts: watch::Sender::new(0),
            connections: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&accepting);
                // a client that goes away is no concern of ours
                connections.spawn(async move { drop(shared.carry(client).await) });
            }
        });
        Ok(Self {
            address,
            shared,
            _tasks: tasks,
        })
    }

    /// From now on, for open connections too.
    pub fn set(&self, flow: Flow) {
        self.shared.flow.send_replace(flow);
        if flow == Flow::Cut {
            self.shared.cuts.send_modify(|cuts| *cuts += 1);
        }
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn carry(&self, client: TcpStream) -> io::Result<()> {
        // also one that lasted no longer than a moment
        let mut cuts = self.cuts.subscribe();
        if *self.flow.borrow() == Flow::Cut {
            return client.set_zero_linger();
        }
        client.set_nodelay(true)?;
        let server = TcpStream::connect(self.server).await?;
        server.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let cut = async move { cuts.changed().await };
        tokio::select! {
            end = questions(from_client, to_server) => end,
            end = self.answers(from_server, to_client) => end,
            _ = cut => Ok(()),
        }
    }

    async fn answers(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            let flow = *self.flow.borrow();
            match flow {
                Flow::Silent => std::future::pending().await,
                Flow::Slow(delay) => sleep(delay).await,
                Flow::Lost | Flow::Cut => return Ok(()),
                Flow::Pass => {}
            }
            if read == 0 {
                return Ok(());
            }
            to.write_all(&buffer[..read]).await?;
        }
    }
}

async fn questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await.map(drop)
}
