//! A server of bytes, so that it can also be a bad one. Not an HTTP implementation: it answers
//! every request in the same way, until it is told another one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What every request gets.
#[derive(Clone, Default)]
pub(crate) struct RpcResponse {
    head: String,
    body: Vec<u8>,
    declared: Option<usize>,
    then: Then,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Then {
    /// The next request.
    #[default]
    Next,
    /// The connection ends.
    Close,
    /// More of the body, as fast as it goes.
    Endless,
    /// A byte of the body now and then.
    Drip,
    /// Nothing, and the connection stays.
    Hang,
}

impl RpcResponse {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} Status\r\n"),
            ..Self::default()
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        if value == "close" {
            self.then = Then::Close;
        }
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.declared = Some(self.body.len());
        self
    }

    /// Declares another length than it sends, and hangs.
    pub(crate) fn declaring(mut self, length: usize) -> Self {
        self.declared = Some(length);
        self.then = Then::Hang;
        self
    }

    pub(crate) fn endless(mut self) -> Self {
        self.then = Then::Endless;
        self
    }

    pub(crate) fn dripping(mut self) -> Self {
        self.then = Then::Drip;
        self
    }

    /// Takes the request, and says nothing.
    pub(crate) fn silent() -> Self {
        Self {
            then: Then::Hang,
            ..Self::default()
        }
    }

    /// These bytes, and the end.
    pub(crate) fn bytes(bytes: &str) -> Self {
        Self {
            body: bytes.into(),
            then: Then::Close,
            ..Self::default()
        }
    }

    async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        let mut bytes = self.head.clone().into_bytes();
        if !self.head.is_empty() {
            match self.declared {
                Some(length) => bytes.extend(format!("content-length: {length}\r\n\r\n").bytes()),
                None => bytes.extend(b"\r\n"), // until the connection ends
            }
        }
        bytes.extend(&self.body);
        to.write_all(&bytes).await?;
        to.flush().await?;
        match self.then {
            Then::Endless => loop {
                to.write_all(&[b'x'; 8192]).await?;
            },
            Then::Drip => loop {
                to.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            },
            Then::Hang => std::future::pending().await,
            Then::Next | Then::Close => Ok(()),
        }
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<RpcResponse>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(answer: RpcResponse) -> Self {
        Self::listen(answer, None).await
    }

    /// With a certificate for `name` that signed itself, which is the second value.
    pub(crate) async fn tls(name: &str, answer: RpcResponse) -> (Self, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = config
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (
            Self::listen(answer, Some(TlsAcceptor::from(Arc::new(config)))).await,
            made.cert.der().to_vec(),
        )
    }

    async fn listen(answer: RpcResponse, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (counted, kept) = (Arc::clone(&connections), Arc::clone(&requests));
        let answer = Arc::new(Mutex::new(answer));
        let given = Arc::clone(&answer);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (answer, tls, kept) = (Arc::clone(&given), tls.clone(), Arc::clone(&kept));
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, &answer, &kept).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                serve(socket, &answer, &kept).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            connections,
            requests,
            answer,
            task,
        }
    }

    /// Answers this from now on.
    pub(crate) fn becomes(&self, answer: RpcResponse) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Stops, and gives the URL where no server listens any more.
    pub(crate) async fn closed(mut self) -> String {
        let url = self.url("/");
        self.task.abort();
        let _ = (&mut self.task).await;
        url
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    answer: &Mutex<RpcResponse>,
    kept: &Mutex<Vec<String>>,
) {
    while let Some(request) = read_request(&mut socket).await {
        kept.lock().unwrap().push(request);
        let answer = answer.lock().unwrap().clone();
        if answer.write(&mut socket).await.is_err()
            || answer.then != Then::Next
            || answer.declared.is_none()
        {
            let _ = socket.shutdown().await;
            return;
        }
    }
}

async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = |line: &str| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")
                    .and_then(|length| length.parse().ok())
            };
            let length: usize = text.lines().find_map(length).unwrap_or(0);
            if read.len() >= head + 4 + length {
                return Some(text);
            }
        }
        let mut part = [0; 4096];
        match socket.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(&part[..length]),
        }
    }
}
