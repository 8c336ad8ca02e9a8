//! The local host behind a real socket, and a client that sends exactly the bytes it is told to.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use mcpfn::{
    Builder,
    policy::FailureMode,
    port::{HttpClient, Platform},
};
use mcpfn_http::{Config, Service};
use mcpfn_native::Tasks;
use mcpfn_native::memory::MemoryStores;
use tokio::sync::oneshot;

use super::{Host, Request, Response, time};

/// Longest wait for anything that a socket brings.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running local host; stops when it is dropped.
pub(crate) struct Local {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Local {
    pub(crate) fn start(server: impl FnOnce() -> Builder) -> Self {
        let server = server().build().unwrap_or_else(|error| panic!("{error}"));
        let stores = Arc::new(MemoryStores::default());
        let platform = mcpfn_local::platform(time::keys())
            .with_background(Arc::new(Tasks::default()))
            .with_cache(Arc::clone(&stores) as _)
            .with_idempotency(stores, FailureMode::Open);
        Self::serve(Service::new(server, Config::loopback()), platform)
    }

    /// A server in front of others, `name=URL,..`, and what it has itself.
    pub(crate) fn fronting(list: &str, own: Builder) -> Self {
        let variable = |name: &str| match name {
            "MCPFN_UPSTREAMS" => Some(list.to_owned()),
            "MCPFN_UPSTREAM_SHELF_TOKEN" => Some("shelf-token".to_owned()),
            _ => None,
        };
        let builder = mcpfn_toolkits::register(own, "upstream", &variable).unwrap();
        let platform = mcpfn_local::platform(time::keys())
            .with_background(Arc::new(Tasks::default()))
            .with_port::<dyn HttpClient>(Arc::new(mcpfn_native::Client::new()));
        Self::serve(
            Service::new(builder.build().unwrap(), Config::loopback()),
            platform,
        )
    }

    fn serve(service: Service, platform: Platform) -> Self {
        let platform = platform.with_mailbox(Arc::new(MemoryStores::default()));
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let stopped = async { drop(stopped.await) };
            let ready = move |address| ready.send(address).unwrap();
            runtime
                .block_on(mcpfn_local::serve(
                    service,
                    Arc::new(platform),
                    0,
                    ready,
                    stopped,
                ))
                .unwrap();
        });
        let address = address
            .recv_timeout(PATIENCE)
            .expect("the local host starts");
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self
            .thread
            .take()
            .is_none_or(|thread| thread.join().is_ok());
        assert!(
            ended || std::thread::panicking(),
            "the local host ends without a panic"
        );
    }
}

impl Host for Local {
    fn name(&self) -> &'static str {
        "local, over a socket"
    }

    fn send(&self, request: &Request) -> Response {
        send(self.address, request)
    }
}

/// Sends a request over a connection of its own and waits for the whole answer.
pub(crate) fn send(address: SocketAddr, request: &Request) -> Response {
    let bytes = encode(address, request);
    send_raw(address, &bytes)
}

/// Sends bytes and reads until the server closes the connection.
pub(crate) fn send_raw(address: SocketAddr, bytes: &[u8]) -> Response {
    let mut stream = TcpStream::connect(address).expect("the local host accepts connections");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut writing = stream.try_clone().unwrap();
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        // a server that refuses early does not read all of it
        scope.spawn(move || drop(writing.write_all(bytes)));
        let mut buffer = [0; 16 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => received.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!(
                    "no answer within {PATIENCE:?}: {error}; so far: {}",
                    String::from_utf8_lossy(&received)
                ),
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
    decode(&received)
}

/// A request as HTTP/1.1.
pub(crate) fn encode(address: SocketAddr, request: &Request) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nconnection: close\r\n",
        request.method, request.path
    );
    if request.find("host").is_none() {
        head += &format!("host: localhost:{}\r\n", address.port());
    }
    if request.chunked {
        head += "transfer-encoding: chunked\r\n";
    } else if request.find("content-length").is_none()
        && (request.method == "POST" || !request.body.is_empty())
    {
        head += &format!("content-length: {}\r\n", request.body.len());
    }
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut bytes = (head + "\r\n").into_bytes();
    if request.chunked {
        for piece in request.body.chunks(64 * 1024) {
            bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else {
        bytes.extend_from_slice(&request.body);
    }
    bytes
}

/// The parts of an HTTP/1.1 response.
pub(crate) fn decode(bytes: &[u8]) -> Response {
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned();
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no complete head: {:?}", shown()));
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is ASCII");
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked")
    {
        body = dechunk(&body)
            .unwrap_or_else(|| panic!("the chunked body is not complete: {:?}", shown()));
    }
    Response {
        status: status.unwrap_or_else(|| panic!("no status: {:?}", shown())),
        headers,
        body,
    }
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}
