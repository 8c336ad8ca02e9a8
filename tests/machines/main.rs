//! The local host behind the proxies of `infra`, as their files say: events arrive when they are sent,
//! and `Host` and the caller's address are passed on. Needs the proxies that `cargo xtask machines`
//! fetches, and so runs only when it is named.

#![cfg(unix)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "robot-key";
const HOST: &str = "mcp.example.com";

struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().expect("it starts"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// The server on a socket file, and what a proxy in front of it needs.
struct Behind {
    folder: PathBuf,
    socket: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    trusted: CertificateDer<'static>,
    _server: Running,
}

impl Drop for Behind {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "{what} in time");
        std::thread::yield_now();
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap()
}

impl Behind {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mcpfn-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        fs::write(&certificate, pem("CERTIFICATE", made.cert.der())).unwrap();
        fs::write(&key, pem("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
        let socket = folder.join("mcp.sock");
        let entry = format!("robot:{}:*", mcpfn_auth::hash_key(KEY));
        let mut server = Command::new(env!("CARGO_BIN_EXE_everything"));
        server.env_clear().envs([
            ("MCPFN_LISTEN", &*format!("unix:{}", socket.display())),
            ("MCPFN_SOCKET_MODE", "0666"),
            ("MCPFN_AUTH", "api-key"),
            ("MCPFN_API_KEYS", &*entry),
            ("MCPFN_PUBLIC_URL", &*format!("https://{HOST}/mcp")),
            ("MCPFN_TRUSTED_PROXIES", "127.0.0.1"),
        ]);
        let server = Running::start(&mut server);
        until("the server listens", || {
            UnixStream::connect(&socket).is_ok()
        });
        Self {
            folder,
            socket,
            certificate,
            key,
            trusted: made.cert.der().clone(),
            _server: server,
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Over TLS, with the times at which bytes came.
    fn ask(&self, address: SocketAddr, request: &str) -> (String, Vec<Instant>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(HOST).unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = StreamOwned::new(client, stream);
        stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut times) = (Vec::new(), Vec::new());
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..read]);
            times.push(Instant::now());
        }
        (String::from_utf8(answer).unwrap(), times)
    }

    fn status(&self, address: SocketAddr, request: &str) -> String {
        let (answer, _) = self.ask(address, request);
        answer
            .get(9..12)
            .unwrap_or_else(|| panic!("no answer: {answer}"))
            .to_owned()
    }
}

fn call(tool: &str, host: &str, key: &str, more: &str) -> String {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","_meta":{{"progressToken":1}}}}}}"#
    );
    format!(
        "POST /mcp HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n\
         x-api-key: {key}\r\n{more}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What every proxy must do.
fn fronted(behind: &Behind, address: SocketAddr) {
    let tool = "test_tool_with_progress";
    let (answer, times) = behind.ask(address, &call(tool, HOST, KEY, ""));
    assert!(
        answer.contains("text/event-stream") && answer.contains("half way"),
        "{answer}"
    );
    // the tool pauses between its reports, and a buffer would let them go together
    let between = times[times.len() - 1] - times[0];
    assert!(
        between > Duration::from_millis(60),
        "events came together: {between:?}"
    );
    assert_eq!(
        behind.status(address, &call(tool, HOST, "guess", "")),
        "401"
    );
    // guesses are counted for the caller's own address, whatever it writes into headers
    let guesses = (0..100).take_while(|guess| {
        let more =
            format!("x-forwarded-for: 203.0.113.{guess}\r\nforwarded: for=203.0.113.{guess}\r\n");
        behind.status(address, &call(tool, HOST, "guess", &more)) == "401"
    });
    assert!(
        guesses.count() < 99,
        "each guess came from an address of its own"
    );
}

fn program(variable: &str) -> Command {
    let path = std::env::var_os(variable);
    let path = path.unwrap_or_else(|| panic!("{variable} is set by `cargo xtask machines`"));
    Command::new(path)
}

fn infra(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra");
    fs::read_to_string(root.join(name)).unwrap()
}

/// Puts in what a test has in the place of what a machine has.
fn with(text: &str, changes: &[(&str, String)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the file has no {old} any more");
        text.replace(old, new)
    })
}

#[test]
fn nginx() {
    let behind = Behind::start("nginx");
    let (plain, encrypted) = (free(), free());
    let site = with(
        &infra("nginx.conf"),
        &[
            ("listen [::]:80;", String::new()),
            ("listen [::]:443 ssl http2;", String::new()),
            ("listen 80;", format!("listen {plain};")),
            (
                "listen 443 ssl http2;",
                format!("listen {encrypted} ssl http2;"),
            ),
            ("/run/mcpfn/mcp.sock", behind.socket.display().to_string()),
            (
                "/etc/letsencrypt/live/mcp.example.com/fullchain.pem",
                behind.certificate.display().to_string(),
            ),
            (
                "/etc/letsencrypt/live/mcp.example.com/privkey.pem",
                behind.key.display().to_string(),
            ),
        ],
    );
    let site = behind.write("site.conf", &site);
    let folder = behind.folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path {folder}/{what};\n"))
        .collect();
    let main = behind.write(
        "nginx.conf",
        &format!(
            "daemon off;\npid {folder}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}include {};\n}}\n",
            site.display()
        ),
    );
    let nginx = || {
        let mut nginx = program("MCPFN_TEST_NGINX");
        nginx
            .args(["-p", &*folder.to_string(), "-e", "stderr", "-c"])
            .arg(&main);
        nginx
    };
    assert!(nginx().arg("-t").status().unwrap().success());
    let _proxy = Running::start(&mut nginx());
    until("nginx listens", || TcpStream::connect(encrypted).is_ok());

    assert_eq!(
        behind.status(encrypted, &call("add", "evil.example", KEY, "")),
        "403",
        "Host is passed on"
    );
    let ready = format!("GET /ready HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    assert_eq!(behind.status(encrypted, &ready), "404");
    let mut stream = TcpStream::connect(plain).unwrap();
    stream.write_all(ready.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 308") && answer.contains("https://mcp.example.com/ready"));
    fronted(&behind, encrypted);
}

#[test]
fn caddy() {
    let behind = Behind::start("caddy");
    let address = free();
    let site = with(
        &infra("Caddyfile"),
        &[
            (
                "mcp.example.com {",
                format!(
                    "{{\n\tadmin off\n\tauto_https off\n}}\nhttps://{HOST}:{} {{\n\ttls {} {}",
                    address.port(),
                    behind.certificate.display(),
                    behind.key.display()
                ),
            ),
            ("/run/mcpfn/mcp.sock", behind.socket.display().to_string()),
        ],
    );
    let site = behind.write("Caddyfile", &site);
    let caddy = |command: &str| {
        let mut caddy = program("MCPFN_TEST_CADDY");
        caddy
            .env("HOME", &behind.folder)
            .env_remove("XDG_CONFIG_HOME");
        caddy
            .args([command, "--adapter", "caddyfile", "--config"])
            .arg(&site);
        caddy
    };
    assert!(caddy("validate").status().unwrap().success());
    let _proxy = Running::start(&mut caddy("run"));
    until("Caddy listens", || TcpStream::connect(address).is_ok());
    fronted(&behind, address);
}
